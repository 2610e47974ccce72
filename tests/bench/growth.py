"""What a large store costs: figures for the README.

usage: growth.py PROGRAM FILL DUMP SCRATCH [ROWS]

FILL puts ROWS crashes straight into a store; then 5,000 new dumps are scanned into it and, for comparison, into an empty
one; then everything is rematched, one signature is rematched, and the incidents are listed. Medians of 5 where it can be repeated.
"""
import os
import pathlib
import shutil
import statistics
import struct
import subprocess
import sys
import time

from figures import figure

PROGRAM, FILL, DUMP, SCRATCH = sys.argv[1:5]
ROWS = int(sys.argv[5]) if len(sys.argv) > 5 else 1000000
NEW, ROUNDS, SYSTEM_TIME, FIRST = 5000, 5, 0xFA8, 133658244000000000
SCRATCH = pathlib.Path(SCRATCH)


def timed(*command):
    start = time.monotonic()
    out = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return time.monotonic() - start, out.stdout


def generate(folder, serial):
    data = bytearray(pathlib.Path(DUMP).read_bytes())
    shutil.rmtree(folder, ignore_errors=True)
    for i in range(NEW):
        host = folder / f"pc-{i % 500:04}"
        host.mkdir(parents=True, exist_ok=True)
        struct.pack_into("<Q", data, SYSTEM_TIME, FIRST + (serial * NEW + i) * 7_000_000_000)
        (host / f"{i:06}.dmp").write_bytes(data)
    os.sync()  # what is written behind would be measured


def scan(folder, store):
    return timed(PROGRAM, "scan", folder, "--jobs", 2, "--quiet", "--host-from", "dir:1", "--db", store)[0] / NEW * 1e6


def main():
    SCRATCH.mkdir(parents=True, exist_ok=True)
    large, empty, folder = SCRATCH / "large.db", SCRATCH / "empty.db", SCRATCH / "new"
    for path in SCRATCH.glob("*.db*"):
        path.unlink()
    print(f"fill: {timed(FILL, DUMP, large, ROWS)[1].strip()}; the store is {large.stat().st_size / 1e9:.2f} GB")
    into_large, into_empty = [], []
    for serial in range(ROUNDS):
        generate(folder, serial)
        for path in SCRATCH.glob("empty.db*"):
            path.unlink()
        into_empty.append(scan(folder, empty))
        into_large.append(scan(folder, large))
    small, big = statistics.median(into_empty), statistics.median(into_large)
    print(f"5,000 new dumps: {small:.0f} us each into an empty store, {big:.0f} us into {ROWS} rows: {big / small:.2f} x")
    figure("x", big / small, "a million rows: a new dump against an empty store")
    listing = statistics.median(timed(PROGRAM, "incidents", "--db", large)[0] for _ in range(ROUNDS))
    print(f"incidents on {ROWS} crashes: {listing:.2f} s")
    figure("s", listing, "a million rows: incidents")
    took, said = timed(PROGRAM, "rematch", "--db", large, "--signature", "crowdstrike-channel-file-291", "--dry-run")
    print(f"rematch of one signature: {took:.1f} s; {said.splitlines()[-1]}")
    figure("s", took, "a million rows: rematch of one signature")
    took, said = timed(PROGRAM, "rematch", "--db", large)
    judged = int(said.split()[0])
    print(f"rematch of everything: {judged / took:.0f} crashes a second ({took:.1f} s)")
    figure("/s", judged / took, "a million rows: rematch of everything")
    shutil.rmtree(SCRATCH, ignore_errors=True)


main()
