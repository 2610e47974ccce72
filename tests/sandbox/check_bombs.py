#!/usr/bin/env python3
"""A file for each limit that a file can meet: what is over it is said, in the words of the limit, and the rest of the scan goes on.

usage: check_bombs.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import gzip
import io
import json
import os
import pathlib
import resource
import shutil
import struct
import subprocess
import sys
import zipfile

PROGRAM, BUILDER = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE, SCRATCH = (pathlib.Path(path).resolve() for path in sys.argv[3:5])
MOST_MEMORY = 700  # MB of any process: the sanitizers' own is in it


def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def mdmp(streams, count=None, extra=b""):
    """A user minidump with the directory that is asked for."""
    head = struct.pack("<4sIIIIIQ", b"MDMP", 0xA793, len(streams) if count is None else count, 32, 0, 0x66999999, 0)
    return head + b"".join(struct.pack("<III", *stream) for stream in streams) + extra


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


ZEROS = bytes(1 << 20)
# name, bytes, one of these words must be in the record
BOMBS = {
    "DT_MAX_MEMBERS": ("many.zip", lambda: zipped([(f"{i}.txt", b"") for i in range(10001)], zipfile.ZIP_STORED), ["more than 10000 members"]),
    "DT_MAX_ARCHIVE_RATIO": ("ratio.zip", lambda: zipped([("zeros.dmp", ZEROS * 80)]), ["unpacks to more than"]),
    "DT_MAX_ARCHIVE_BASE": ("base.gz", lambda: gzip.compress(b"PAGEDU64" * (16 << 20)), ["unpacks to more than"]),
    "archive in archive": ("nested.zip", lambda: zipped([("inner.zip", zipped([("a.dmp", b"PAGEDU64")]))]), ["archive inside an archive"]),
    "DT_MAX_STREAMS": ("streams.dmp", lambda: mdmp([(0, 0, 0)] * 5000), ["4096", "streams"]),
    "DT_MAX_STREAMS, a lie": ("streams-lie.dmp", lambda: mdmp([(0, 0, 0)], 0xFFFFFFFF), ["4294967295", "directory"]),
    "DT_MAX_RANGES": ("ranges.dmp", many_ranges, ["262144", "ranges"]),
    "DT_MAX_MODULES": ("modules.dmp", many_modules, ["4096"]),
    "DT_MAX_THREADS": ("threads.dmp", many_threads, ["4096"]),
}


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    share = SCRATCH / "share"
    share.mkdir(parents=True)
    for name, make, _ in BOMBS.values():
        (share / name).write_bytes(make())
    subprocess.run([BUILDER, str(SOURCE / "samples/recipes/csagent-50.recipe"), str(share / "zz-good.dmp")], check=True)
    out = subprocess.run([PROGRAM, "scan", str(share), "--out", str(SCRATCH / "part.jsonl"), "--jobs", "2", "-q"], capture_output=True, text=True, timeout=900)
    assert out.returncode == 0, out.stderr
    records = [json.loads(line) for line in (SCRATCH / "part.jsonl").read_text().splitlines()]
    records = [record for record in records if record.get("schema") == "dumptriage.crash/1"]
    bad = 0
    for limit, (name, _, words) in BOMBS.items():
        mine = [record for record in records if (record["file"]["container"] or {}).get("archive", record["file"]["path"]).endswith("/" + name)]
        said = " | ".join(sorted({text for record in mine for text in [(record["failure"] or {}).get("text") or "", *(note["text"] for note in record["notes"])]
                                  if text}))
        died = [record for record in mine if record["failure"] and record["failure"]["kind"] in ("signal", "deadline")]
        right = mine and not died and any(word in said for word in words)
        bad += not right
        print(f"{'ok ' if right else 'BAD'} {limit}: {said[:160]}")
    good = [record for record in records if record["file"]["name"] == "zz-good.dmp"]
    assert good and good[0]["verdict"]["class"] == "known-incident", "the dump among the bombs was not read"
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{len(BOMBS)} bombs, peak {peak:.0f} MB")
    assert peak < MOST_MEMORY
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
