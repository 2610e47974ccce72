"""What each fuzz target begins with: recipes of samples, files that tests/windows builds, files of the project, and texts."""
import gzip
import io
import lzma
import pathlib
import struct
import subprocess
import sys
import tarfile
import zipfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from cabinet import cabinet  # noqa: E402

# Dumps. The first two are what every build changes and runs; a fuzzer begins with all.
RECIPES = {
    "triage64": ["csagent-50", "arm64-50", "blackboxes", "blob-chain", "whea-124", "doublefault-7f", "illegal-popcnt", "power-9f-irp", "tdr-116"],
    "mdmp": ["user-av-x64", "user-crashpad", "user-av-x86", "user-av-arm64", "user-xstate", "user-handles", "user-memory64", "user-jit",
             "user-nested-exception", "user-wow64"],
    "full64": ["full-1", "full-la57", "full-encoded-kdbg", "full-no-kdbg", "full-version", "full-transition"],
    "summary64": ["summary-64", "summary-2"],
    "headeronly64": ["header-only-3"],
    "bitmap64": ["bitmap-6", "bitmap-large-pages", "active-5", "live-6"],
    "ranges64": ["ranges-8", "ranges-10"],
    "kernel32": ["x86-50", "x86-full-1", "x86-bitmap-6", "x86-summary-2", "x86-full-no-pae"],
    "elf": ["elf-capture", "elf-live", "elf-arm64", "elf-encoded"],
    "kdump": ["kdump-zlib", "kdump-zstd", "kdump-lzo", "kdump-snappy"],
    "flattened": ["kdump-flattened"],
    "space": ["full-1", "full-la57"],
}

# Of tests/windows, where a compiler for Windows is at hand.
FIXTURES = {"pdb": ["frames.pdb", "frames-x86.pdb"], "image": ["frames.dll", "frames-arm64.dll"]}
PROJECT = {"carriers": "signatures/carriers.conf", "rules": "signatures/*.yml", "json": "tests/goldens/*.json"}

SYM = (b"MODULE windows x86_64 00112233445566778899AABBCCDDEEFF1 a.pdb\nFILE 0 a.c\nFUNC 1000 40 0 first\n1000 4 1 0\nFUNC m 1040 40 8 n::f(int)\n"
       b"PUBLIC 1100 0 ?g@C@n@@QEAAXXZ\nSTACK WIN 4 1000 40 4 0 8 0 0 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =\nSTACK WIN 0 1040 60 5 0 8 c 10 0 0 1\n"
       b"STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa 8 - ^\nSTACK CFI 1004 .cfa: $rsp 24 + $rbx: .cfa 16 - ^\n")
FORM = (b'--b\r\nContent-Disposition: form-data; name="host"\r\n\r\npc-1\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.dmp"\r\nContent-Type: application/octet-stream\r\n\r\nPAGEDU64\r\n--b--\r\n')
SMBIOS = (b"\0\x18\0\0\1\2\0\0\3" + b"\0" * 15 + b"Vendor\0" + b"1.0\0" + b"2024\0\0" + b"\1\x1b\1\0\1\2\3\4" + b"\0" * 19 + b"Maker\0Model\0\0"
          + b"\x04\x30\2\0\1\3\2\2" + b"\0" * 40 + b"CPU0\0Maker\0\0" + b"\x7f\4\3\0\0\0")
WER = "\ufeffVersion=1\r\nComputerName=PC-1\r\nMachineName=pc-2.example\r\n".encode("utf-16-le")
CONFIG = b"# all\ndb = sqlite:/a/b.db\nlog-level = info\n[serve]\nlisten = 127.0.0.1:8080\nauth = token\nno-sandbox = no\n[scan]\njobs = 2\n"
VULNERABLE = (b"# name, timestamp, size, entry\na.sys\t0x00000001\t-\t8750b245-af35-4bc6-9af3-dc858f9db64f\n"
              b"driver.sys\t0x5f000000\t0x00008000\tbb1f80f3-d2fd-463e-9403-57c919bd976b\n")
RULE = b"""id: seed
title: Seed
version: "1.0"
status: experimental
author: seed
date: 2024-08-09
level: low
category: driver
detection:
  name:
    fault.module|re: '^cs[a-z]+[.]sys$'
  code:
    fault.bytes|bytes: 45 8b ?? 08
  near:
    fault.code|bytes|at=ip-0x2: 4e8b 45
  any:
    bugcheck.code: [0x50, 0x7e]
    bugcheck.parameters.1|mask=0x12|gt: 0
  frames:
    stack|in_a_row=2:
      module|startswith: cs
  driver:
    modules|any:
      name: csagent.sys
      size|between: [0x1000, 0x200000]
  grades:
    probable: name and (code or near or any) and not frames
    possible: 1 of (driver, any)
next_steps:
  - See.
tests:
  - name: the least
    record: {bugcheck: {code: 0x50}, fault: {module: csagent.sys}}
    grade: possible
"""


def archives():
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr("a/one.dmp", b"PAGEDU64" * 20)
        out.writestr("two.txt", b"x")
    with tarfile.open(fileobj=tarred, mode="w") as out:
        info = tarfile.TarInfo("one.dmp")
        info.size = 100
        out.addfile(info, io.BytesIO(b"P" * 100))
    return [zipped.getvalue(), tarred.getvalue(), gzip.compress(tarred.getvalue()), lzma.compress(b"MDMP" * 30)]


def frames():
    """For each machine: which it is, where its registers point, a stack with one frame on another, and the rules of the frames."""
    base = 0x10000000
    words = [base + 0x1010, base + 0x1110, base + 0x1210, base + 0x1310]
    rules = [
        (0, "I", b"STACK WIN 4 1000 100 4 0 8 0 0 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =\nSTACK WIN 0 1100 100 5 0 8 c 10 0 0 1\n"
                 b"STACK WIN 4 1200 100 4 0 8 0 0 0 1 $T0 $ebp = $eip $T0 4 + ^ = $ebp $T0 ^ = $esp $T0 8 + =\n"),
        (1, "Q", b"STACK CFI INIT 1000 100 .cfa: $rsp 8 + .ra: .cfa 8 - ^\nSTACK CFI INIT 1100 100 .cfa: $rsp 8 + .ra: .cfa 8 - ^\n"
                 b"STACK CFI 1108 .cfa: $rsp 24 + .ra: .cfa 8 - ^ $rbx: .cfa 16 - ^\n"),
        (2, "Q", b"STACK CFI INIT 1000 100 .cfa: sp 0 + .ra: x30\nSTACK CFI INIT 1100 100 .cfa: sp 16 + .ra: .cfa -8 + ^ x29: .cfa -16 + ^\n"),
    ]
    out = []
    for machine, word, text in rules:
        stack = struct.pack("<4" + word, *words).ljust(0x200, b"\0")
        out.append(struct.pack("<BBBB", machine, 0, 0, 0) + stack + b"FUNC 1000 100 0 f\n" + text)
    return out


# Unwind codes of x64, each with what it says of a frame: push rbx; allocate 0x20; allocate 0x100; a frame pointer; save rsi, save xmm6; a machine
# frame; the epilogs of version 2. Layout: Microsoft's documentation of exception handling on x64.
UNWIND_X64 = [
    (1, 0, bytes([0x05, 0x32, 0x01, 0x30])), (1, 0, bytes([0x07, 0x01, 0x20, 0x00])), (1, 5, bytes([0x0a, 0x03, 0x05, 0x32, 0x01, 0x50])),
    (1, 0, bytes([0x0c, 0x64, 0x02, 0x00, 0x08, 0x68, 0x01, 0x00, 0x04, 0x72])), (1, 0, bytes([0x00, 0x1a])),
    (2, 0, bytes([0x02, 0x16, 0x00, 0x06, 0x01, 0x30])),
]


def unwind():
    """One image for each machine: functions that return into each other, over a stack full of their addresses."""
    base, header, code = 0x140000000, 0x400, 0x200
    count = len(UNWIND_X64) + 2
    table, infos = b"", b""
    for number, (version, frame, codes) in enumerate(UNWIND_X64):
        table += struct.pack("<III", header + code + number * 0x40, header + code + number * 0x40 + 0x40, header + count * 12 + len(infos))
        infos += (struct.pack("<BBBB", version, 0x10, len(codes) // 2, frame) + codes).ljust(-(-(4 + len(codes)) // 4) * 4, b"\0")
    chained, parent = header + count * 12 + len(infos), struct.unpack_from("<III", table)
    table += struct.pack("<III", header + code + 0x180, header + code + 0x1C0, chained)
    infos += struct.pack("<BBBBIII", 0x21, 0, 0, 0, *parent)
    table += struct.pack("<III", header + code + 0x1C0, header + code + 0x200, header + count * 12 + 0x400)  # beyond what there is
    stack = b"".join(struct.pack("<Q", base + header + code + word % 8 * 0x40 + 0x20) for word in range(64))
    registers = struct.pack("<34Q", *[0x7000000000 + 8 * number for number in range(34)])
    body = (table + infos).ljust(code, b"\0") + b"\x90" * 0x200
    x64 = struct.pack("<BBHB3x", 0, count, code + 0x20, 0) + registers + stack + body
    # ARM64: two functions with packed data, one with codes (allocate 0x20, save x19 and x20, save fp and lr, end).
    packed = struct.pack("<6I", header + code, 0x10 << 2 | 1 | 2 << 16 | 3 << 21 | 4 << 23, header + code + 0x40, header + 0x40,
                         header + code + 0x80, 0x10 << 2 | 2)
    codes = struct.pack("<I", 0x10 | 1 << 21 | 1 << 27) + bytes([0x02, 0xC8, 0x02, 0x42, 0xE4, 0, 0, 0])
    arm = struct.pack("<BBHB3x", 1, 3, code + 0x20, 0) + registers + stack + (packed.ljust(0x40, b"\0") + codes).ljust(code, b"\0") + b"\x1f\x20\x03\xd5" * 0x80
    return [x64, arm]


MADE = {
    "archive": archives, "cabinet": lambda: [cabinet(b"Microsoft C/C++ MSF 7.00", "a.pdb")], "config": lambda: [CONFIG], "frames": frames, "multipart": lambda: [FORM],
    "rules": lambda: [RULE], "sym": lambda: [SYM], "system": lambda: [SMBIOS], "unwind": unwind, "vulnerable": lambda: [VULNERABLE], "wer": lambda: [WER],
}


def inputs(name, builder, root, fixtures, scratch, most=None):
    """The bytes of each seed of a target. fixtures: folders of tests/windows, the first that has a file counts; most: of dumps, and of files of
    the project; scratch: a file for one dump."""
    yield from MADE[name]() if name in MADE else []
    for recipe in RECIPES.get(name, [])[:most]:
        subprocess.run([builder, root / f"samples/recipes/{recipe}.recipe", scratch], check=True)
        yield scratch.read_bytes()
    for file in FIXTURES.get(name, []):
        yield from [path.read_bytes() for path in (folder / file for folder in fixtures) if path.exists()][:1]
    for path in sorted(root.glob(PROJECT[name]))[:most] if name in PROJECT else []:
        yield path.read_bytes()
