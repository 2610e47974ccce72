#!/usr/bin/env python3
"""A scan, uploads and a feed at once, while workers, programs, the store and the receiver are killed at random. When all is quiet the books
must balance: every crash is in the store once, and with the receiver.

usage: check_soak.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR

DT_SOAK_SECONDS (180; 1800 with DT_TEST_LONG) is how long it is disturbed; how much is done in it depends on the machine, what must hold does not.
"""
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

PROGRAM, BUILDER = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE, SCRATCH = (pathlib.Path(path).resolve() for path in sys.argv[3:5])
sys.path.insert(0, str(SOURCE / "tests/servers"))
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from postgres import Postgres  # noqa: E402
from server import SKIPPED, Unavailable, free_port, listening, wait_for  # noqa: E402
from serving import Serve  # noqa: E402
from workers import workers  # noqa: E402

SECONDS = int(os.environ.get("DT_SOAK_SECONDS", "1800" if os.environ.get("DT_TEST_LONG") else "180"))
SEED = int(os.environ.get("DT_SOAK_SEED", "9"))
RECIPES = ["csagent-50", "csagent-7e", "vgk-50", "aswsnx-50", "nic-d1", "plain-kernel", "tdr-116", "fastfail-139"]
SYSTEM_TIME, JULY_19, MINUTE = 0xFA8, 133658244000000000, 600000000
PATIENCE = 600  # seconds until something is taken to hang


class Dumps:
    """Dumps that were made: each is a crash of its own."""

    def __init__(self):
        self.base, self.made, self.lock = {}, 0, threading.Lock()
        for name in RECIPES:
            path = SCRATCH / (name + ".dmp")
            subprocess.run([BUILDER, str(SOURCE / f"samples/recipes/{name}.recipe"), str(path)], check=True)
            self.base[name] = path.read_bytes()

    def make(self, path):
        with self.lock:
            number = self.made
            self.made += 1
        data = bytearray(self.base[RECIPES[number % len(RECIPES)]])
        struct.pack_into("<Q", data, SYSTEM_TIME, JULY_19 + number * MINUTE)
        path.parent.mkdir(parents=True, exist_ok=True)
        (path.parent / ".new").write_bytes(data)
        os.rename(path.parent / ".new", path)
        return bytes(data)


class Part:
    """A program that is killed and started again."""

    def __init__(self, name, *command, env=None):
        self.name, self.command, self.env = name, command, env
        self.log = SCRATCH / (name + ".log")
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **(self.env or {})})

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        process = self.process  # this one: another may be started as soon as it is gone
        if process:
            process.send_signal(number)  # does nothing to one that has ended
            process.wait(PATIENCE)


class Soak:
    def __init__(self, postgres):
        self.postgres = postgres
        self.dumps = Dumps()
        self.share, self.outbox = SCRATCH / "share", SCRATCH / "uploads"
        self.share.mkdir()
        self.outbox.mkdir()
        self.port, self.sink_port = free_port(), free_port()
        self.received = SCRATCH / "received"
        self.received.touch()
        url = postgres.url
        self.to = f"http://127.0.0.1:{self.sink_port}/"
        scan = (PROGRAM, "scan", str(self.share), "--include", "*.dmp", "--db", url, "--host-from", "dir:1", "--jobs", "1", "-q")
        self.parts = {
            "sink": Part("sink", sys.executable, str(SOURCE / "tests/soak/sink.py"), str(self.sink_port), str(self.received)),
            "serve": Part("serve", PROGRAM, "serve", "--db", url, "--listen", f"127.0.0.1:{self.port}", "--spool", str(SCRATCH / "spool"), "--jobs", "1"),
            "feed": Part("feed", PROGRAM, "feed", "--db", url, "--to", self.to, "--follow", "--batch", "50"),
            "scan": Part("scan", *scan),
        }
        self.over = threading.Event()
        self.quiet = threading.Event()
        self.keeper = threading.Thread(target=self.keep_running, daemon=True)
        self.unanswered, self.lost_workers, self.retried = [], 0, 0
        self.kills = collections.Counter()
        self.failed = None

    # ---- what is to be done

    def fill_share(self):
        chance = random.Random(SEED + 1)
        number = 0
        while not self.over.wait(chance.uniform(0.01, 0.08)):
            self.dumps.make(self.share / f"pc-{number % 23}" / f"{number}.dmp")
            number += 1

    def upload(self, path, data):
        """True once the server has said what the dump is; what it says is not there, is sent again."""
        server = Serve.__new__(Serve)
        server.port = self.port
        try:
            answer = server.upload((path.name, data), wait=5, host="up-" + str(len(path.name)))
        except Exception:  # noqa: BLE001  a server that was killed in the middle
            return False
        if answer.status != 200:
            return False
        crashes = answer.json["crashes"]
        if any(crash["class"] == "unreadable" for crash in crashes):
            self.lost_workers += 1
            return False
        return bool(crashes) and answer.json["state"] == "done"

    def send_uploads(self):
        chance = random.Random(SEED + 2)
        number = 0
        while not self.over.wait(chance.uniform(0.01, 0.2)):
            path = self.outbox / f"{number}.dmp"
            number += 1
            if not self.upload(path, self.dumps.make(path)):
                self.unanswered.append(path)

    def keep_running(self):
        """What is down is started; scans follow each other."""
        while not self.quiet.wait(0.1):
            for part in self.parts.values():
                if not part.alive():
                    part.start()

    def workers(self):
        """Processes that read dumps, of the scan and of the server."""
        processes = [self.parts[name].process for name in ("scan", "serve")]
        return [worker for process in processes if process for worker in workers(process.pid)]

    def disturb_once(self, chance):
        what = chance.choices(["worker", "scan", "serve", "feed", "sink", "store"], [8, 2, 2, 2, 2, 1])[0]
        if what == "worker":
            children = self.workers()
            if not children:
                return
            try:
                os.kill(chance.choice(children), signal.SIGKILL)
            except ProcessLookupError:
                return
        elif what == "store":
            self.postgres.crash()
            time.sleep(chance.uniform(0, 0.5))
            self.postgres.start()
        elif self.parts[what].alive():
            self.parts[what].kill()
        else:
            return
        self.kills[what] += 1

    def disturb(self):
        chance = random.Random(SEED)
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.1, 1.0))
            self.disturb_once(chance)

    # ---- the end

    def run(self):
        first = subprocess.run([PROGRAM, "scan", str(self.share), "--db", self.postgres.url, "-q"], capture_output=True, text=True)
        assert first.returncode == 0, first.stderr
        self.parts["sink"].start()
        wait_for(lambda: listening(self.sink_port))
        # From now on the feed owes every crash.
        self.once("feed", "--db", self.postgres.url, "--to", self.to)
        givers = [threading.Thread(target=work, daemon=True) for work in (self.fill_share, self.send_uploads)]
        for thread in (self.keeper, *givers):
            thread.start()
        self.disturb()
        self.over.set()
        for thread in givers:
            thread.join(PATIENCE)
        self.settle()
        self.balance()

    @staticmethod
    def once(*arguments):
        out = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=PATIENCE)
        assert out.returncode == 0, f"{arguments}: exit status {out.returncode}\n{out.stdout}{out.stderr}"
        return out.stdout

    def settle(self):
        """Nothing is killed any more; what was promised is kept, what was refused is asked for again."""
        wait_for(lambda: listening(self.port), PATIENCE)
        end = time.monotonic() + PATIENCE
        while self.unanswered:
            path = self.unanswered.pop()
            if not self.upload(path, path.read_bytes()):
                self.unanswered.insert(0, path)
                assert time.monotonic() < end, f"{path} is never answered"
                time.sleep(0.1)
            else:
                self.retried += 1
        spool = SCRATCH / "spool"
        wait_for(lambda: not [path for path in spool.rglob("*") if path.is_file() and path.parent.name == "queued"], PATIENCE)
        self.start_no_more()
        for name in ("scan", "serve", "feed"):
            self.parts[name].kill(signal.SIGTERM)
        self.once("scan", self.share, "--include", "*.dmp", "--db", self.postgres.url, "--host-from", "dir:1", "-q")
        if not self.parts["sink"].alive():
            self.parts["sink"].start()
            wait_for(lambda: listening(self.sink_port), PATIENCE)
        self.once("feed", "--db", self.postgres.url, "--to", self.to)

    def balance(self):
        files = sorted(str(path) for folder in (self.share, self.outbox) for path in folder.rglob("*.dmp"))
        wanted = collections.Counter()
        for i in range(0, len(files), 500):
            out = subprocess.run([PROGRAM, "analyze", "--format", "jsonl", *files[i:i + 500]], capture_output=True, text=True, check=True)
            wanted.update(json.loads(line)["crash_id"] for line in out.stdout.splitlines())
        records = [json.loads(line) for line in self.once("store", "export", "--db", self.postgres.url).splitlines()]
        stored = collections.Counter(record["crash_id"] for record in records if record["crash_id"])
        unreadable = [record for record in records if record["verdict"]["class"] == "unreadable"]
        events = [json.loads(line) for line in self.received.read_text().splitlines() if line.endswith("]")]
        told = {event["dumptriage"]["crash_id"] for _, event in events if event.get("dumptriage", {}).get("crash_id")}
        print(f"{SECONDS} s, {len(files)} dumps ({len(list(self.outbox.iterdir()))} uploaded, {self.retried} of them again), killed: "
              + ", ".join(f"{what} {count}" for what, count in sorted(self.kills.items())))
        print(f"store: {sum(stored.values())} crashes, {len(stored)} different; {len(set(wanted) - set(stored))} lost, "
              f"{len(set(stored) - set(wanted))} that never were; {len(unreadable)} records of uploads whose worker was killed ({self.lost_workers} said so)")
        print(f"receiver: {len(events)} events, {len({name for name, _ in events})} different, {len(set(wanted) - told)} crashes missing")
        assert self.kills["worker"], "no worker was found to kill"
        assert len(wanted) == len(files) and max(wanted.values()) == 1, "the dumps are not each a crash of its own"
        assert stored == wanted, "the store does not hold every crash once"
        assert told == set(wanted), "the receiver does not have every crash"
        assert all(record["failure"]["kind"] in ("signal", "deadline") for record in unreadable), unreadable[:1]
        assert len(unreadable) <= self.kills["worker"] + self.kills["serve"], "more inputs were lost than workers"
        check = self.once("store", "check", "--db", self.postgres.url)
        assert "nothing disagrees" in check, check
        assert " 0 changes wait, 0 rejected" in self.once("feed", "status", "--db", self.postgres.url)
        for part in self.parts.values():
            text = part.log.read_text(errors="replace")
            assert "Sanitizer" not in text and "runtime error" not in text, f"{part.log}:\n{text[-4000:]}"

    def start_no_more(self):
        self.quiet.set()
        if self.keeper.is_alive():
            self.keeper.join(PATIENCE)

    def close(self):
        self.over.set()
        self.start_no_more()
        for part in self.parts.values():
            part.kill()


def main():
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    try:
        with Postgres() as postgres:
            soak = Soak(postgres)
            try:
                soak.run()
            finally:
                soak.close()
    except Unavailable as reason:
        print("skipped:", reason)
        sys.exit(SKIPPED)


if __name__ == "__main__":
    main()
