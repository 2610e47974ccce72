"""What the feed costs: figures for the README.

usage: feed.py PROGRAM FILL RECEIVER DUMP SCRATCH

FILL makes a store of COUNT crashes (SQLite), and a smaller one on a PostgreSQL of its own where there is one; the feed sends them into a file, and
to RECEIVER, a _bulk receiver on loopback that answers 201 for every item. Memory is the feed's at most; processor time is the feed's, of all its threads, and says more than the rate where other
work shares the processors.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import time

from figures import figure

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "servers"))
from postgres import Postgres
from server import Unavailable

PROGRAM, FILL, RECEIVER, DUMP, SCRATCH = sys.argv[1:6]
SCRATCH = pathlib.Path(SCRATCH)
COUNT, FEWER, ROUNDS = 100_000, 20_000, 3


def timed(name, to, *options, db=None):
    begin = time.monotonic()
    process = subprocess.Popen([PROGRAM, "feed", "--db", db or str(SCRATCH / "s.db"), "--to", to, "--replay", "--log-level", "error", *options], stdout=subprocess.PIPE)
    out = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    assert status == 0, out
    events = int(out.split()[0])
    processor = (usage.ru_utime + usage.ru_stime) / events * 1e6
    print(f"{name}: {events} events in {seconds:.1f} s, {events / seconds:,.0f} a second, {processor:.0f} us of processor time each, "
          f"{usage.ru_maxrss / 1024:.0f} MB at most", flush=True)
    figure("/s", events / seconds, f"feed, {name}: events")
    figure("us", processor, f"feed, {name}: processor time of an event")
    figure("MB", usage.ru_maxrss / 1024, f"feed, {name}: memory")
    return events


def on_postgresql():
    try:
        with Postgres() as server:
            subprocess.run([FILL, DUMP, server.url, str(FEWER)], check=True, stdout=subprocess.DEVNULL)
            for _ in range(ROUNDS):
                assert timed("file, ecs, out of PostgreSQL", f"file:{SCRATCH}/out.postgres", "--rotate-size", "0", db=server.url) >= FEWER
                (SCRATCH / "out.postgres").unlink()
    except Unavailable as why:
        print(f"PostgreSQL: skipped, {why}")


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    subprocess.run([FILL, DUMP, str(SCRATCH / "s.db"), str(COUNT)], check=True, stdout=subprocess.DEVNULL)
    receiver = subprocess.Popen([RECEIVER], stdout=subprocess.PIPE, text=True)
    port = receiver.stdout.readline().strip()
    try:
        for _ in range(ROUNDS):
            for encoding in ("ecs", "ocsf", "cef"):
                assert timed(f"file, {encoding}", f"file:{SCRATCH}/out.{encoding}", "--rotate-size", "0", "--encoding", encoding) >= COUNT
                (SCRATCH / f"out.{encoding}").unlink()
            assert timed("_bulk", f"http://127.0.0.1:{port}/") >= COUNT
            assert timed("_bulk, batches of 100", f"http://127.0.0.1:{port}/", "--batch", "100") >= COUNT
    finally:
        receiver.kill()
        receiver.wait()
    on_postgresql()


if __name__ == "__main__":
    main()
