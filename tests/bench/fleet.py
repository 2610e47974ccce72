"""What a scan costs: figures for the README, as ratios to a baseline of the same run.

usage: fleet.py PROGRAM DUMP SCRATCH [COUNT]

DUMP is a generated triage dump. COUNT copies of it with their own times (so each is a crash of its own) on 500 hosts are
read by `scan --jobs 2` into SQLite, against `cat` and `openssl dgst -sha256` over the same files. Medians of 5.
"""
import os
import pathlib
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import time

from figures import figure

PROGRAM, DUMP, SCRATCH = sys.argv[1:4]
COUNT = int(sys.argv[4]) if len(sys.argv) > 4 else 20000
ROUNDS = 5
SYSTEM_TIME = 0xFA8  # _DUMP_HEADER64.SystemTime
FIRST = 133658244000000000  # 2024-07-19


def generate(folder):
    data = bytearray(pathlib.Path(DUMP).read_bytes())
    paths = []
    for i in range(COUNT):
        host = folder / f"pc-{i % 500:04}"
        host.mkdir(parents=True, exist_ok=True)
        path = host / f"{i:06}.dmp"
        if not path.exists():
            struct.pack_into("<Q", data, SYSTEM_TIME, FIRST + i * 7_000_000_000)
            path.write_bytes(data)
        paths.append(str(path))
    (folder.parent / "list").write_bytes(b"\0".join(p.encode() for p in paths) + b"\0")
    return paths


def timed(command, **kwargs):
    start = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **kwargs)
    return time.monotonic() - start


def baseline(folder):
    names = folder.parent / "list"
    return timed(["sh", "-c", f"xargs -0 cat <{names} >/dev/null; xargs -0 -P2 -n500 openssl dgst -sha256 <{names} >/dev/null"])


def remove_store(store):
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(str(store) + suffix).unlink(missing_ok=True)


def scan(folder, store):
    return timed([PROGRAM, "scan", str(folder), "--jobs", "2", "--quiet", "--host-from", "dir:1", "--db", str(store)])


def peak_memory(command):
    pid = os.fork()
    if pid == 0:
        os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
        os.execv(command[0], command)
    _, _, usage = os.wait4(pid, 0)
    return usage.ru_maxrss / 1024


def main():
    folder = pathlib.Path(SCRATCH) / "dumps"
    store = pathlib.Path(SCRATCH) / "store.db"
    generate(folder)
    times = {"baseline": [], "scan": [], "again": []}
    for _ in range(ROUNDS):
        times["baseline"].append(baseline(folder))
        remove_store(store)
        times["scan"].append(scan(folder, store))
        times["again"].append(scan(folder, store))
    median = {name: statistics.median(values) for name, values in times.items()}
    print(f"{COUNT} dumps of {os.path.getsize(DUMP)} bytes, medians of {ROUNDS}")
    print(f"  cat, then sha256 on 2 cores   {median['baseline']:7.2f} s  {median['baseline'] / COUNT * 1e6:6.0f} us a dump")
    print(f"  scan --jobs 2 into SQLite     {median['scan']:7.2f} s  {median['scan'] / COUNT * 1e6:6.0f} us a dump   "
          f"{median['scan'] / median['baseline']:.2f} x")
    print(f"  the same scan again           {median['again']:7.2f} s  {median['again'] / COUNT * 1e6:6.0f} us a file, all unchanged")
    figure("us", median["scan"] / COUNT * 1e6, "scan: a dump")
    figure("x", median["scan"] / median["baseline"], "scan: against cat and sha256")
    figure("us", median["again"] / COUNT * 1e6, "scan again: a file")
    remove_store(store)
    memory = peak_memory([PROGRAM, "scan", str(folder), "--jobs", "2", "--quiet", "--db", str(store)])
    print(f"  peak memory of the scanner    {memory:7.1f} MB; the store {store.stat().st_size / 1e6:.0f} MB")
    figure("MB", memory, "scan: memory of the scanner")


main()
