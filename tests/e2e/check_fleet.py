#!/usr/bin/env python3
"""The fleet with its real servers: RabbitMQ, PostgreSQL, Slurm; killed in the middle, and nothing lost or twice.

usage: check_fleet.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR queue|postgresql|slurm
"""
import json
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import time
import unittest

PROGRAM, BUILDER, SOURCE, SCRATCH, WHAT = sys.argv[1:6]
PROGRAM, BUILDER = os.path.abspath(PROGRAM), os.path.abspath(BUILDER)
SOURCE, SCRATCH = pathlib.Path(SOURCE).resolve(), pathlib.Path(SCRATCH).resolve() / WHAT
sys.path.insert(0, str(SOURCE / "tests/servers"))

from postgres import Postgres  # noqa: E402
from rabbitmq import RabbitMQ  # noqa: E402
from server import SKIPPED, Unavailable, wait_for  # noqa: E402
from slurm import Slurm  # noqa: E402

COUNT = 2000 if os.environ.get("DT_TEST_LONG") else 400
SYSTEM_TIME, JULY_19, MINUTE = 0xFA8, 133658244000000000, 600000000


def run(*args, env=None):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=300, env={**os.environ, **(env or {})})


def start(*args, kill_at=None):
    environment = {**os.environ, **({"DUMPTRIAGE_KILL_AT": kill_at} if kill_at else {})}
    return subprocess.Popen([PROGRAM, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def make_share():
    """COUNT dumps, each a crash of its own, on 40 hosts, and some junk."""
    share = SCRATCH / "share"
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    base = SCRATCH / "base.dmp"
    subprocess.run([BUILDER, str(SOURCE / "samples/recipes/csagent-50.recipe"), str(base)], check=True)
    data = bytearray(base.read_bytes())
    for i in range(COUNT):
        struct.pack_into("<Q", data, SYSTEM_TIME, JULY_19 + i * MINUTE)
        folder = share / f"pc-{i % 40:02}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{i:05}.dmp").write_bytes(data)
    (share / "junk").mkdir()
    (share / "junk/readme.txt").write_text("not a dump\n")
    (share / "junk/empty.dmp").write_bytes(b"")
    (share / "junk/caf\udce9.dmp").write_bytes(b"\0" * 4096)
    return share


def stored(db):
    """Crashes in the store so far."""
    lines = run("store", "status", "--db", db).stdout.splitlines()
    return int(lines[1].split()[0]) if len(lines) > 1 else 0


class Fleet(unittest.TestCase):
    def crashes(self, db):
        out = run("store", "check", "--db", db)
        self.assertEqual(out.returncode, 0, out.stdout + out.stderr)
        self.assertIn("nothing disagrees", out.stdout)
        rows = [json.loads(line) for line in run("store", "export", "--db", db).stdout.splitlines()]
        ids = [row["crash_id"] for row in rows if row["crash_id"]]
        self.assertEqual(len(ids), len(set(ids)))
        if len(ids) not in (COUNT, COUNT // 40):
            print(out.stdout, *[json.dumps(row["failure"]) for row in rows if row["failure"]][:5], sep="\n")
        return len(ids)


class Postgresql(Fleet):
    """Several scans write one PostgreSQL, and it is killed under them."""

    def test_shards_into_one_store(self):
        with Postgres() as server:
            scans = [start("scan", SHARE, "--db", server.url, "--host-from", "dir:1", "--shard", f"{k}/4", "--jobs", 1) for k in range(4)]
            for scan in scans:
                out, err = scan.communicate(timeout=300)
                self.assertEqual(scan.returncode, 0, out + err)
            self.assertEqual(self.crashes(server.url), COUNT)
            self.assertIn("40 hosts", run("incidents", "--db", server.url).stdout)

    def test_the_server_is_killed_in_the_middle(self):
        with Postgres() as server:
            # The scan waits for the second half of its list while the server dies: the kill lands in its middle.
            self.assertEqual(run("scan", SHARE / "pc-00", "--db", server.url).returncode, 0)
            reader, writer = os.pipe()
            scan = subprocess.Popen([PROGRAM, "scan", "--list", "-", "--db", server.url, "--jobs", "1"], stdin=reader, stdout=subprocess.PIPE,
                                    stderr=subprocess.PIPE, text=True)
            os.close(reader)
            names = [str(path) for path in sorted(SHARE.rglob("*.dmp"))]
            os.write(writer, "".join(name + "\n" for name in names[:COUNT // 2]).encode("utf-8", "surrogateescape"))
            wait_for(lambda: stored(server.url) > COUNT // 4)
            self.assertIsNone(scan.poll(), "the scan ended before the kill landed")
            server.crash()
            os.write(writer, "".join(name + "\n" for name in names[COUNT // 2:]).encode("utf-8", "surrogateescape"))
            os.close(writer)
            out, err = scan.communicate(timeout=300)
            self.assertEqual(scan.returncode, 3, out + err)
            server.start()
            again = run("scan", SHARE, "--db", server.url, "--host-from", "dir:1")
            self.assertEqual(again.returncode, 0, again.stderr)
            self.assertEqual(self.crashes(server.url), COUNT)

    def test_a_transaction_that_must_wait_too_long_is_tried_again(self):
        with Postgres() as server:
            self.assertEqual(run("scan", SHARE / "pc-00", "--db", server.url).returncode, 0)
            psql = ["psql", "-q", "-X", server.url]
            subprocess.run([*psql, "-c", "ALTER ROLE dumptriage SET lock_timeout = '30ms'"], check=True)
            holder = subprocess.Popen([*psql, "-c", "BEGIN", "-c", "SELECT pg_advisory_xact_lock(1685417329)", "-c", "SELECT pg_sleep(1)", "-c",
                                       "COMMIT"], stdout=subprocess.DEVNULL)
            time.sleep(0.3)
            metrics = SCRATCH / "retries.prom"
            out = run("scan", SHARE / "pc-01", "--db", server.url, "--metrics", metrics)
            holder.wait()
            self.assertEqual(out.returncode, 0, out.stderr)
            self.assertRegex(metrics.read_text(), r"(?m)^dumptriage_store_retries_total [1-9]")
            self.assertEqual(len(run("store", "export", "--db", server.url).stdout.splitlines()), COUNT // 20)
            self.assertIn("nothing disagrees", run("store", "check", "--db", server.url).stdout)

    def test_away(self):
        self.assertEqual(run("scan", SHARE, "--db", "postgresql://x:secret@127.0.0.1:1/none").returncode, 2)
        out = run("scan", SHARE, env={"DUMPTRIAGE_DB": "postgresql://x:secret@127.0.0.1:1/none"})
        self.assertEqual(out.returncode, 3)
        self.assertNotIn("secret", out.stderr)


class Queue(Fleet):
    def setUp(self):
        self.broker = RabbitMQ()
        self.server = Postgres()
        self.addCleanup(self.broker.close)
        self.addCleanup(self.server.close)

    def work(self, **more):
        os.environ["DUMPTRIAGE_QUEUE"] = self.broker.url  # it holds a password
        return start("work", "--db", self.server.url, "--jobs", 1, "--idle", 4, **more)

    def enqueue(self, *paths):
        out = run("scan", *paths, "--enqueue", self.broker.url.replace("guest:guest@", ""))
        self.assertEqual(out.returncode, 0, out.stderr)
        return out

    def test_kills_of_workers_broker_and_store(self):
        out = self.enqueue(SHARE, "--host-from", "dir:1")
        self.assertIn(f"{COUNT + 3} messages", out.stdout)
        # A queue that was declared in the second before a crash is not always there again (RabbitMQ 3.10); an older one is.
        wait_for(lambda: self.broker.depth().get("dumptriage", (0, 0))[0] == COUNT + 3)
        self.broker.crash()  # what was confirmed is there again
        self.broker.start()
        for place in ("in-batch:30", "before-ack:1", "after-commit:2"):
            worker = self.work(kill_at=place)
            worker.communicate(timeout=120)
            self.assertEqual(worker.returncode, -signal.SIGKILL, place)
        workers = [self.work() for _ in range(2)]
        time.sleep(0.5)
        self.broker.crash()
        self.broker.start()
        again, done = 0, 0
        for worker in workers:
            out, err = worker.communicate(timeout=240)
            self.assertEqual(worker.returncode, 0, out + err)
            done += int(out.split()[0])
            again += int(out.split("failed, ")[1].split()[0])
        self.assertGreater(again, 0, "no message came a second time: the kills did not land")
        self.assertGreater(done, 0)
        self.assertEqual(self.crashes(self.server.url), COUNT)
        wait_for(lambda: self.broker.depth()["dumptriage"] == (0, 0), 30)  # its counts are some seconds old
        self.assertEqual(self.broker.depth()["dumptriage.dead"], (0, 0))
        self.assertIn("40 hosts", run("incidents", "--db", self.server.url).stdout)

    def test_what_fails_three_times_is_dead_lettered(self):
        lost = SCRATCH / "lost.dmp"
        lost.write_bytes((SHARE / "pc-00/00000.dmp").read_bytes())
        self.enqueue(lost, SHARE / "pc-01")
        lost.unlink()
        worker = self.work()
        out, err = worker.communicate(timeout=120)
        self.assertEqual(worker.returncode, 0, err)
        self.assertIn("3 failed", out)
        wait_for(lambda: self.broker.depth()["dumptriage.dead"][0] == 1, 20)
        self.assertEqual(self.crashes(self.server.url), COUNT // 40)
        record = json.loads(run("store", "export", "--class", "unreadable", "--db", self.server.url).stdout)
        self.assertEqual(record["file"]["path"], str(lost))

    def test_the_store_is_away(self):
        self.enqueue(SHARE / "pc-01")
        self.server.crash()
        worker = self.work()
        out, err = worker.communicate(timeout=60)
        self.assertEqual(worker.returncode, 3, out + err)
        self.server.start()
        worker = self.work()
        worker.communicate(timeout=60)
        self.assertEqual(self.crashes(self.server.url), COUNT // 40)

    def test_usage(self):
        os.environ.pop("DUMPTRIAGE_QUEUE", None)
        for args, said in ((["work"], "--db"), (["work", "--db", "x"], "--queue"), (["work", "--db", "x", "--queue", "http://x"], "amqp://"),
                           (["work", "--db", "x", "--queue", "amqp://h:99999/"], "port"), (["scan", "x", "--enqueue", "amqp://h?queue=a%20b"], "queue=NAME")):
            out = run(*args)
            self.assertEqual(out.returncode, 2, (args, out.stderr))
            self.assertIn(said, out.stderr)
        os.environ.pop("DUMPTRIAGE_QUEUE", None)
        for args in (["scan", SHARE, "--enqueue", "amqp://x:secret@127.0.0.1:1/"], ["work", "--queue=amqp://x:secret@127.0.0.1:1/", "--db", "x"]):
            out = run(*args)
            self.assertEqual(out.returncode, 2)
            self.assertIn("DUMPTRIAGE_", out.stderr)
            self.assertNotIn("secret", out.stderr)
        out = run("work", "--db", self.server.url, env={"DUMPTRIAGE_QUEUE": "amqp://x:secret@127.0.0.1:1/"})
        self.assertEqual(out.returncode, 3)
        self.assertNotIn("secret", out.stderr)


class Cluster(Fleet):
    def test_an_array_with_its_merge(self):
        with Slurm() as cluster:
            out, db = SCRATCH / "parts", SCRATCH / "store.db"
            environment = {"DUMPTRIAGE": PROGRAM, "DT_PATH": str(SHARE), "DT_PARTS": str(out), "DT_SHARDS": "6", "DT_DB": str(db),
                           "DT_SCAN_OPTIONS": "--host-from dir:1 --jobs 1"}
            cluster.environment.update(environment)
            script, merge = SOURCE / "docs/slurm/scan.sbatch", SOURCE / "docs/slurm/merge.sbatch"
            array = cluster.sbatch("--array=0-5", f"--output={SCRATCH}/scan-%a.log", script)
            wait_for(lambda: "RUNNING" in cluster.client("squeue", "-h", "-j", array, "-o", "%T").stdout, 60)
            cluster.kill_slurmd("n2")  # its tasks come back, elsewhere or later
            time.sleep(1)
            cluster.start_slurmd("n2")
            cluster.wait(array, 240)
            # two indices that failed are run again, and only they
            for k in (1, 4):
                (out / f"part-{k}.jsonl").unlink(missing_ok=True)
            job = cluster.sbatch(f"--output={SCRATCH}/merge-0.log", merge)
            cluster.wait(job)
            self.assertIn("missing", (SCRATCH / "merge-0.log").read_text())
            again = cluster.sbatch("--array=1,4", f"--output={SCRATCH}/again-%a.log", script)
            job = cluster.sbatch(f"--dependency=afterok:{again}", f"--output={SCRATCH}/merge.log", merge)
            cluster.wait(job, 240)
            self.assertIn("6 parts", (SCRATCH / "merge.log").read_text())
            self.assertEqual(self.crashes(db), COUNT)


CLASSES = {"queue": Queue, "postgresql": Postgresql, "slurm": Cluster}

if __name__ == "__main__":
    try:
        for needed in {"queue": (RabbitMQ, Postgres), "postgresql": (Postgres,), "slurm": (Slurm,)}[WHAT]:
            needed().close()
    except Unavailable as reason:
        print("skipped:", reason)
        sys.exit(SKIPPED)
    SHARE = make_share()
    suite = unittest.TestSuite([unittest.defaultTestLoader.loadTestsFromTestCase(CLASSES[WHAT])])
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    shutil.rmtree(SCRATCH, ignore_errors=True)
    sys.exit(not result.wasSuccessful())
