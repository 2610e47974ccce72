"""Files that ask for more than limits.h allows, or that lead in circles: each is written here from its format, small on disk, and deterministic.

What is expected of them is in check_bombs.py.
"""
import io
import json
import lzma
import struct
import tarfile
import zipfile
import zlib

GUID = bytes(range(1, 17))
KEY = "0403020106050807090A0B0C0D0E0F10"  # of the same GUID, as symbol servers write it
MIB = 1 << 20


# ---- archives ---------------------------------------------------------------------------------------


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def sparse_tar(large):
    """A tar whose member says in GNU's old sparse form that it has one block of data, behind a hole of `large` bytes."""
    header = bytearray(tarfile.TarInfo("hole.dmp").tobuf(tarfile.GNU_FORMAT))

    def number(value, width):
        return b"\x80" + value.to_bytes(width - 1, "big")

    header[124:136] = b"%011o\0" % 512
    header[156:157] = b"S"
    header[386:398] = number(large, 12)
    header[398:410] = b"%011o\0" % 512
    header[483:495] = number(large + 512, 12)
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header) + b"P" * 512 + bytes(1024)


def xz(dictionary):
    """An xz file whose decoder is to keep a dictionary of 2 or 3 times 2^n bytes: what the byte of its header says."""
    out = bytearray(lzma.compress(b"PAGEDU64"))
    size = (out[12] + 1) * 4
    at = out.index(b"\x21\x01", 12) + 2
    out[at] = dictionary
    struct.pack_into("<I", out, 12 + size - 4, zlib.crc32(out[12:12 + size - 4]))
    return bytes(out)


def zstd(log):
    """A zstd frame of one stored block, whose decoder is to keep a window of 2^log bytes."""
    return struct.pack("<IBB", 0xFD2FB528, 0, log - 10 << 3) + struct.pack("<I", 8 << 3 | 1)[:3] + b"PAGEDU64"


# ---- user minidumps ---------------------------------------------------------------------------------

MODULE_BASE, STACK_VA = 0x140000000, 0x1F0000


def mdmp(streams, count=None, extra=b""):
    """A user minidump with the directory that is asked for."""
    head = struct.pack("<4sIIIIIQ", b"MDMP", 0xA793, len(streams) if count is None else count, 32, 0, 0x66999999, 0)
    return head + b"".join(struct.pack("<III", *stream) for stream in streams) + extra


class Program:
    """A user minidump, stream by stream."""

    def __init__(self):
        self.body, self.streams = bytearray(struct.pack("<4sIIIIIQ", b"MDMP", 0xA793, 0, 0, 0, 0x66999999, 0)), []
        self.stream(7, struct.pack("<HHHBBIIIIIHH24s", 9, 6, 0, 4, 1, 10, 0, 19045, 2, 0, 0, 0, bytes(24)))

    def put(self, data):
        self.body += bytes(-len(self.body) % 4)
        self.body += data
        return len(self.body) - len(data)

    def text(self, text):
        raw = text if isinstance(text, bytes) else text.encode("utf-16-le")
        return self.put(struct.pack("<I", len(raw)) + raw)

    def stream(self, number, data):
        self.streams.append((number, len(data), self.put(data)))
        return self

    def modules(self, rows):
        """Rows of a name, a size, and whether it has a debug identity."""
        out, base = [struct.pack("<I", len(rows))], MODULE_BASE
        for name, size, known in rows:
            at = self.text(name)
            record = b"RSDS" + GUID + struct.pack("<I", 1) + b"a.pdb\0"
            view = (len(record), self.put(record)) if known else (0, 0)
            out.append(struct.pack("<QIIII52sIIIIQQ", base, size, 0, 0x60000000, at, bytes(52), *view, 0, 0, 0, 0))
            base += size
        return self.stream(4, b"".join(out))

    def crash(self, stack, nested=0, rip=MODULE_BASE + 0x1234, code=0xC0000005, rsp=STACK_VA):
        context = bytearray(1232)
        struct.pack_into("<I", context, 0x30, 0x10000B)
        struct.pack_into("<Q", context, 0x98, rsp)
        struct.pack_into("<Q", context, 0xF8, rip)
        where, memory = self.put(bytes(context)), self.put(stack)
        self.stream(3, struct.pack("<IIIIIQQIIII", 1, 100, 0, 0, 0, 0, STACK_VA, len(stack), memory, len(context), where))
        return self.stream(6, struct.pack("<IIIIQQII15QII", 100, 0, code, 0, nested, rip, 2, 0, 0, 0x10, *[0] * 13, len(context), where))

    def done(self):
        at = self.put(b"".join(struct.pack("<III", *stream) for stream in self.streams))
        struct.pack_into("<II", self.body, 8, len(self.streams), at)
        return bytes(self.body)


def words(values):
    return struct.pack(f"<{len(values)}Q", *values)


def many_ranges():
    count = 300000
    body = struct.pack("<QQ", count, 0x1000) + b"".join(struct.pack("<QQ", 0x10000 + i * 16, 1) for i in range(count))
    return mdmp([(9, len(body), 44)], extra=body)


def many_modules():
    count = 5000
    body = struct.pack("<I", count) + b"".join(struct.pack("<QIII", 0x10000 + i * 0x1000, 0x1000, 0, 0) + bytes(88) for i in range(count))
    return mdmp([(4, len(body), 44)], extra=body)


def many_threads():
    count = 5000
    body = struct.pack("<I", count) + b"".join(struct.pack("<IIIIQQIIII", i, 0, 0, 0, 0, 0, 0, 0, 0, 0) for i in range(count))
    return mdmp([(3, len(body), 44)], extra=body)


def many_unloaded():
    rows = b"".join(struct.pack("<QIIII", 0x7000000 + i * 0x1000, 0x1000, 0, 0, 0) for i in range(600))
    return Program().stream(14, struct.pack("<III", 12, 24, 600) + rows).modules([("a.exe", 0x10000, False)]).done()


def many_handles():
    """A million handles of zeros, and one more; then the dump of as many types as nobody has."""
    count = MIB + 1
    return Program().modules([("a.exe", 0x10000, False)]).stream(12, struct.pack("<IIII", 16, 32, count, 0) + bytes(32 * count)).done()


def many_handle_types():
    dump = Program().modules([("a.exe", 0x10000, False)])
    rows = b"".join(struct.pack("<QIIIIII", i, dump.text(f"Type {i}"), 0, 0, 0, 0, 0) for i in range(70))
    return dump.stream(12, struct.pack("<IIII", 16, 32, 70, 0) + rows).done()


def many_annotations():
    dump = Program().modules([("a.exe", 0x10000, False)])
    at = dump.put(struct.pack("<I", 5) + b"value")
    words_at = dump.put(struct.pack("<201I", 100, *[at] * 200))
    info = bytearray(52)
    struct.pack_into("<II", info, 0x24, 804, words_at)
    return dump.stream(0x43500001, bytes(info)).done()


def many_notes():
    """Streams that stand there a second time: a note for each."""
    dump = Program().modules([("a.exe", 0x10000, False)])
    dump.streams += [(4, 100, 1000 + i) for i in range(100)]
    return dump.done()


def endless_names():
    """Names of surrogates without their other half: each becomes an escape, and stands in the module's name and in its path."""
    name = b"\\\0" + b"\0\xd8" * 1000
    return Program().modules([(name, 0x1000, False)] * 520).crash(bytes(64)).done()


def many_frames():
    return Program().modules([("a.exe", 0x100000, False)]).crash(words([MODULE_BASE + 0x2000 + i for i in range(500)])).done()


def large_stack():
    return Program().modules([("a.exe", 0x100000, False)]).crash(bytes(2 * MIB)).done()


def stack_cycle():
    """Words that are both frames and addresses of themselves, and an exception whose record is its own successor."""
    stack = words([value for i in range(4096) for value in (STACK_VA + 16 * (i // 2), MODULE_BASE + 0x2000)])
    record = struct.pack("<IIQQII15Q", 0xC0000005, 0, STACK_VA, MODULE_BASE, 15, 0, *[STACK_VA] * 15)
    return Program().modules([("a.exe", 0x100000, False)]).crash(record + stack[len(record):], nested=STACK_VA).done()


def memory_info_cycle():
    """Regions of no size, and of all sizes, each at the same place."""
    rows = b"".join(struct.pack("<QQIIQIIII", MODULE_BASE, MODULE_BASE, 4, 0, (0, 2**64 - 1)[i & 1], 0x1000, 4, 0x20000, 0) for i in range(50000))
    return Program().modules([("a.exe", 0x1000, False)]).stream(16, struct.pack("<IIQ", 16, 48, 50000) + rows).crash(bytes(64)).done()


def overlapping_ranges():
    """Ranges each of which holds all those before it."""
    count = 60000
    body = struct.pack("<I", count) + b"".join(struct.pack("<QII", 0x100000000 - 16 * i, 32 * i + 16, 0x40) for i in range(count))
    return Program().modules([("a.exe", 0x100000, False)]).stream(5, body + bytes(32 * count)).crash(bytes(64)).done()


def scattered_bitmap():
    """A flattened capture whose bitmap of 52 MiB stands in two pieces: to be read as one it must be put together."""
    half = 52 * MIB
    header = bytearray(0x2000)
    header[:8] = b"KDUMP   "
    struct.pack_into("<I", header, 8, 6)
    struct.pack_into("<III", header, 428, 4096, 1, 2 * half // 4096)

    def piece(off, data):
        return struct.pack(">QQ", off, len(data)) + data

    head = (b"makedumpfile\0\0\0\0" + struct.pack(">QQ", 1, 1)).ljust(0x1000, b"\0")
    return [head + piece(0, bytes(header)) + piece(0x2000 + 2 * half, b"end") + b"\xff" * 16, 60 * MIB]


# ---- kernel dumps, by recipes -----------------------------------------------------------------------


def lines_of(source, name):
    """A recipe with those it is based on."""
    out = []
    for line in (source / f"samples/recipes/{name}.recipe").read_text().splitlines():
        if line.startswith("base "):
            out += lines_of(source, line.split()[1].rpartition(".")[0])
        else:
            out.append(line)
    return out


def recipe(source, base, *lines):
    return "\n".join([*lines_of(source, base), *lines]) + "\n"


def blobs(source):
    lines = [f"blob {i:032x} 00" for i in range(1, 1101)]
    slow = struct.pack("<HHHHHHHHHHHH", 0, 24 + 32 * 80, 0, 0, 0, 0, 0, 0, 80, 24, 0, 0) + b"".join(words([1, 2, 3, 4]) for _ in range(80))
    function = b"PCfg" + struct.pack("<II", 0x7C, 1) + bytes(48) + struct.pack("<HH", 0x8086, 1) + bytes(0x7C - 64)
    pnp = bytes(0x2C) + ("A" * 3000 + "\\B\\C").encode("utf-16-le")
    return recipe(source, "power-9f-irp", f"blob c4e9af000d9413428016cd3719b5bc20 {slow.hex()}", f"blob 55c0769287eb5c42b8b504e4d247f6cd {(function * 300).hex()}",
                  f"blob 411963b72a53d64cb1b1edb5917d4557 {pnp.hex()}", *lines)


# ---- images and symbols -----------------------------------------------------------------------------


def image(size, sections=b"", directories=()):
    """A PE file of x64 without sections, or with those given."""
    out = bytearray(0x1000)
    out[:2] = b"MZ"
    struct.pack_into("<I", out, 0x3C, 0x80)
    struct.pack_into("<4sHHI8xH", out, 0x80, b"PE\0\0", 0x8664, len(sections) // 40, 0x60000000, 0xF0)
    struct.pack_into("<H", out, 0x98, 0x20B)
    struct.pack_into("<I", out, 0x98 + 0x38, size)
    struct.pack_into("<I", out, 0x98 + 0x6C, 16)
    for index, rva, length in directories:
        struct.pack_into("<II", out, 0x98 + 0x70 + 8 * index, rva, length)
    out[0x188:0x188 + len(sections)] = sections
    return bytes(out)


def chained_image():
    """A function whose unwind information says that it continues in itself; and one that continues in the other, which continues in it."""
    section = struct.pack("<8sIIIIIIHHI", b".data", 0xF000, 0x1000, 0xF000, 0x1000, 0, 0, 0, 0, 0x40000040)
    body = bytearray(0xF000)
    functions = [(0x1000, 0x2000, 0x8000), (0x2000, 0x3000, 0x8100), (0x3000, 0x4000, 0x8200)]
    for at, (begin, end, info) in enumerate(functions):
        struct.pack_into("<III", body, 0x6000 + 12 * at, begin, end, info)
    for info, target in ((0x8000, functions[0]), (0x8100, functions[2]), (0x8200, functions[1])):
        struct.pack_into("<BBBBIII", body, info - 0x1000, 1 | 4 << 3, 0, 0, 0, *target)
    return image(0x10000, section, [(3, 0x7000, 36)]) + bytes(body)


def overlapping_pdb():
    """Streams that all are the same block, as often as the directory has room for: gigabytes that stand in half a kilobyte."""
    block, each = 512, 4 * MIB
    lists = each // block
    directory = struct.pack("<I7I", 7, *[each] * 7) + struct.pack("<I", 1) * (lists * 7)
    blocks = -(-len(directory) // block)
    map_blocks = -(-blocks * 4 // block)
    first = 2 + map_blocks
    superblock = b"Microsoft C/C++ MSF 7.00\r\n\x1aDS\0\0\0" + struct.pack("<6I", block, 1, first + blocks, len(directory), 0, 2)
    same = struct.pack("<III", 20000404, 0, 1) + GUID + bytes(block - 28)
    listed = struct.pack(f"<{blocks}I", *range(first, first + blocks))
    return superblock.ljust(block, b"\0") + same + listed.ljust(map_blocks * block, b"\0") + directory.ljust(blocks * block, b"\0")


def sym(pdb, functions=0):
    head = f"MODULE windows x86_64 {KEY}1 {pdb}\n".encode()
    return head + b"FUNC 1 1 0 a\n" * functions


# ---- records as JSON --------------------------------------------------------------------------------


def record(**fields):
    return json.dumps({"schema": "dumptriage.crash/1", **fields}).encode()


# ---- signatures -------------------------------------------------------------------------------------

SIGNATURE = """id: {id}
title: {title}
version: "1.0"
status: test
author: dumptriage
date: 2026-08-24
level: medium
category: driver
class: driver
description: a file for a limit
references: [{references}]
detection:
{selections}
  condition: {condition}
next_steps: [nothing]
"""


def signature(name="bomb", title="a bomb", references=("https://example.com/",), selections=("  a:\n    fault.module: csagent.sys",), condition="a"):
    return SIGNATURE.format(id=name, title=title, references=", ".join(references), selections="\n".join(selections), condition=condition).encode()
