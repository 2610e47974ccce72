"""Writes cabinets, as symbol stores keep compressed files."""
import struct
import zlib


def cabinet(data, name, said=None):
    """One file, compressed with MSZIP; said: how large it is said to be. Layout: Microsoft's cabinet format specification."""
    blocks = b""
    count = 0
    for at in range(0, len(data), 32768):
        piece = data[at:at + 32768]
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = b"CK" + deflate.compress(piece) + deflate.flush()
        blocks += struct.pack("<IHH", 0, len(packed), len(piece)) + packed
        count += 1
    entry = struct.pack("<IIHHHH", len(data) if said is None else said, 0, 0, 0x5821, 0, 0x20) + name.encode() + b"\0"
    files = 36 + 8
    head = struct.pack("<4sIIIIIBBHHHHH", b"MSCF", 0, files + len(entry) + len(blocks), 0, files, 0, 3, 1, 1, 1, 0, 0, 0)
    return head + struct.pack("<IHH", files + len(entry), count, 1) + entry + blocks
