#!/usr/bin/env python3
"""Each call that our programs make of the system fails once (and, where a disk or a peer would stay broken, for good): no crash, no leak, no
hang, and a clean run afterwards gives exactly what a clean run gives.

usage: check_faults.py BIN_DIR BUILDER SOURCE_DIR SCRATCH_DIR scan|part|serve|feed|worker

A first run without faults writes down every distinct call stack that comes to a call of calls.def (fault.c). Then there is a run for each. With
DT_TEST_LONG later calls with the same stack fail, too.
"""
import hashlib
import io
import json
import os
import pathlib
import re
import select
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import zipfile

BIN, BUILDER, SOURCE, SCRATCH, SCENARIO = sys.argv[1:6]
BIN, BUILDER, SOURCE = (pathlib.Path(path).resolve() for path in (BIN, BUILDER, SOURCE))
SCRATCH = pathlib.Path(SCRATCH).resolve() / SCENARIO
LONG = bool(os.environ.get("DT_TEST_LONG"))
MOST = 100000 if LONG else 500
sys.path.insert(0, str(SOURCE / "tests/servers"))
sys.path.insert(0, str(SOURCE / "tests/e2e"))
from receiver import Receiver  # noqa: E402
from serving import Serve  # noqa: E402

ALLOCATIONS = ("malloc", "calloc", "realloc", "strdup", "fdopen", "fdopendir", "pthread_create")
SYSTEM_TIME, JULY_19, HOUR = 0xFA8, 133658244000000000, 36000000000


LIBRARIES = set()  # stacks that end in a library: it may die of it, and our books must be right all the same


class Broken(AssertionError):
    pass


def built(name, when=None):
    path = SCRATCH / (name + ".dmp")
    if not path.exists():
        subprocess.run([BUILDER, str(SOURCE / f"samples/recipes/{name}.recipe"), str(path)], check=True)
    data = bytearray(path.read_bytes())
    if when is not None:
        struct.pack_into("<Q", data, SYSTEM_TIME, JULY_19 + when * HOUR)
    return bytes(data)


def inputs():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("one.dmp", built("vgk-50", 3))
        archive.writestr("two.dmp", built("fastfail-139", 4))
    return {"a.dmp": built("csagent-50", 1), "b.dmp": built("user-av-x64"), "c.zip": packed.getvalue(), "d.dmp": b"this is no dump\n" * 40}


def environment(fault, place):
    more = {"DT_FAULT": fault or "none", "DT_FAULT_HIT": str(place / "hit"), "DUMPTRIAGE_CONFIG": str(SCRATCH / "empty.conf"),
            "ASAN_OPTIONS": "detect_leaks=1:exitcode=99:detect_stack_use_after_return=0", "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}
    return {**os.environ, **more}


def judge_end(status, text, what):
    """A failure may end a program, with a message; it may not break it."""
    if any(value in what for value in LIBRARIES):
        return
    if "Sanitizer" in text or "runtime error" in text:
        raise Broken(f"{what}\n{text[-6000:]}")
    if status not in (0, 1, 3):
        raise Broken(f"{what}: exit status {status}\n{text[-3000:]}")
    if status == 3 and not text.strip():
        raise Broken(f"{what}: exit status 3 without a word")


def run(place, fault, program, *args):
    try:
        out = subprocess.run([BIN_OF[0] / f"dumptriage-{program}", *map(str, args)], capture_output=True, text=True, errors="replace", timeout=120,
                             env=environment(fault, place))
    except subprocess.TimeoutExpired as late:
        raise Broken(f"{program} {args}: hangs\n{late.stderr}") from late
    judge_end(out.returncode, out.stderr, f"{program} {args} {fault}")
    if not fault and out.returncode != 0:
        raise Broken(f"{program} {args}: a clean run ends with {out.returncode}\n{out.stderr}")
    return out


BIN_OF = [BIN]


def books(db):
    """What a store holds, without ids and times of analysis."""
    with sqlite3.connect(db) as store:
        ask = lambda sql: sorted(map(repr, store.execute(sql).fetchall()))  # noqa: E731
        held = {
            "crashes": ask("SELECT key, h.name, class, confidence, blame, own, signatures FROM crashes LEFT JOIN hosts h ON h.id = host WHERE class <> 8 OR path LIKE '%d.dmp'"),
            "unreadable": ask("SELECT COUNT(*) FROM crashes WHERE crash_id IS NULL"),
            "files": ask("SELECT f.path, c.key FROM files f LEFT JOIN crashes c ON c.id = f.crash"),
            "incidents": ask("SELECT kind, key, crashes, hosts FROM incidents WHERE crashes > 0"),
            "records": ask("SELECT COUNT(*) FROM records"),
        }
    store.close()
    return held


def check_store(place, db):
    run(place, None, "store", "store", "check", "--db", db)


# ---- scenarios: act() does the work under a fault, then the same cleanly, and gives the books


class Scan:
    program = "scan"

    def prepare(self):
        self.share = SCRATCH / "share"
        self.share.mkdir()
        for name, data in inputs().items():
            (self.share / name).write_bytes(data)

    def scan(self, place, fault):
        return run(place, fault, "scan", "scan", self.share, "--db", place / "s.db", "--jobs", "1", "--host", "pc-1", "-q")

    def act(self, place, fault):
        self.scan(place, fault)
        if fault:
            self.scan(place, None)
        check_store(place, place / "s.db")
        return books(place / "s.db")


class Worker(Scan):
    """The faults are in the worker: its parent has to account for them."""
    program = "worker"

    def scan(self, place, fault):
        BIN_OF[0] = place / "bin"
        if not BIN_OF[0].exists():
            BIN_OF[0].mkdir()
            for path in BIN.iterdir():
                os.link(path, BIN_OF[0] / path.name)
        said = BIN_OF[0] / "dumptriage-worker.fault"
        said.write_text(fault or "none")
        try:
            out = run(place, "none" if fault else None, "scan", "scan", self.share, "--db", place / "s.db", "--jobs", "1", "--host", "pc-1", "-q")
        finally:
            said.unlink()
            BIN_OF[0] = BIN
        return out


class Part(Scan):
    """JSON lines, and what merge makes of them."""

    def act(self, place, fault):
        part, db = place / "part.jsonl", place / "s.db"
        scan = ("scan", "scan", self.share, "--out", part, "--jobs", "1", "--host", "pc-1", "-q")
        merge = ("scan", "merge", part, "--db", db)
        out = run(place, fault, *scan)
        if fault:
            # A worker that was lost has a record that says so; a finished part keeps it, and whoever wants the crash begins anew.
            if "the worker that read it" in out.stderr and part.exists():
                part.unlink()
            run(place, None, *scan)
        run(place, fault, *merge)
        if fault:
            run(place, None, *merge)
        check_store(place, db)
        return books(db)


class Uploads:
    program = "serve"

    def prepare(self):
        self.files = inputs()

    def serve(self, place, fault, log):
        server = None
        try:
            server = Serve.__new__(Serve)
            server.log = open(log, "ab")
            server.process = subprocess.Popen([BIN / "dumptriage-serve", "serve", "--db", str(place / "s.db"), "--listen", "127.0.0.1:0", "--jobs", "1",
                                               "--threads", "2", "--grace", "5"], stdout=subprocess.PIPE, stderr=server.log, text=True, env=environment(fault, place))
            server.port = None
            # A server that could not say where it listens serves all the same; nobody can ask it here.
            told, _, _ = select.select([server.process.stdout], [], [], 5 if fault else 60)
            try:
                if not told:
                    raise RuntimeError("the server does not say where it listens")
                server.wait_for_start()
            except RuntimeError:
                if not fault:
                    raise
                return
            for name, data in self.files.items():
                try:
                    answer = server.upload((name, data), wait=3 if fault else 30, host="pc-1")
                    if answer.status == 200 and fault:
                        answer.json  # noqa: B018  what is answered is whole
                    elif not fault and answer.status not in (200, 201, 202):
                        raise Broken(f"{name}: {answer.status} {answer.text}")
                except (OSError, EOFError, ValueError) as why:
                    if not fault or isinstance(why, ValueError):
                        raise Broken(f"{name}: {why!r}") from why
                except Exception as why:  # noqa: BLE001  http.client's
                    if not fault or isinstance(why, Broken):
                        raise
            paths = ["/", "/crashes", "/incidents", "/signatures", "/api/v1/crashes", "/api/v1/incidents", "/api/v1/audit", "/api/v1/metrics", "/api/v1/healthz"]
            for path in paths:
                try:
                    answer = server.get(path)
                    if not fault and answer.status != 200:
                        raise Broken(f"{path}: {answer.status}")
                    if path in ("/api/v1/crashes", "/api/v1/incidents") and answer.status == 200:
                        paths += [f"{before}{path[7:]}/{answer.json['items'][0]['id']}" for before in ("", "/api/v1")]
                except Exception:  # noqa: BLE001
                    if not fault:
                        raise
        finally:
            if server.process.poll() is None:
                server.process.send_signal(signal.SIGTERM)
            try:
                status = server.process.wait(60)
            except subprocess.TimeoutExpired as late:
                server.process.kill()
                server.process.wait()
                raise Broken("serve does not end") from late
            finally:
                server.process.stdout.close()
                server.log.close()
            judge_end(status, log.read_text(errors="replace"), f"serve {fault}")
            if not fault and status != 0:
                raise Broken(f"serve: a clean run ends with {status}\n{log.read_text()}")

    def act(self, place, fault):
        self.serve(place, fault, place / "log")
        if fault:
            self.serve(place, None, place / "clean.log")
        spool = place / "s.db.spool"
        left = [str(path.relative_to(spool)) for path in spool.rglob("*") if path.is_file() and path.name != "lock"]
        if left:
            raise Broken(f"left in the spool: {left}")
        check_store(place, place / "s.db")
        held = books(place / "s.db")
        # The same bytes may come twice, under the name of another upload; and one whose worker was lost keeps its record of that.
        for name in ("files", "unreadable", "records"):
            held.pop(name)
        held["crashes"] = [row for row in held["crashes"] if ", 9, None, None, None, None)" not in row]
        return held


class Feed:
    program = "feed"
    encoding = "ecs"

    def prepare(self):
        share = SCRATCH / "share"
        share.mkdir()
        for name, data in inputs().items():
            (share / name).write_bytes(data)
        (SCRATCH / "nothing").mkdir()
        run(SCRATCH, None, "scan", "scan", SCRATCH / "nothing", "--db", SCRATCH / "empty.db", "-q")
        run(SCRATCH, None, "scan", "scan", share, "--out", SCRATCH / "part.jsonl", "--jobs", "1", "--host", "pc-1", "-q")

    def feed(self, place, fault, to):
        return run(place, fault, "feed", "feed", "--db", place / "s.db", "--to", to)

    @staticmethod
    def events(records):
        return sorted({json.dumps([r["event"]["id"], r.get("dumptriage", {}).get("crash_id"), r["event"].get("action")]) for r in records if "event" in r})

    def act(self, place, fault):
        shutil.copy(SCRATCH / "empty.db", place / "s.db")
        lines = place / "events.jsonl"
        with Receiver() as receiver:
            # Known to the store before the crashes come: from then on it owes them, however the feed ends.
            for to in (f"file:{lines}", receiver.url):
                self.feed(place, None, to)
            run(place, None, "scan", "merge", SCRATCH / "part.jsonl", "--db", place / "s.db")
            for to in (f"file:{lines}", receiver.url):
                self.feed(place, fault, to)
                if fault:
                    self.feed(place, None, to)
            stored = list(receiver.stored.values())
        written = [json.loads(line) for line in lines.read_text().splitlines()]
        return {"file": self.events(written), "bulk": self.events(stored)}


SCENARIOS = {"scan": Scan, "part": Part, "serve": Uploads, "feed": Feed, "worker": Worker}


def fresh(name):
    place = SCRATCH / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def stacks(path):
    """(hash, call) in the order in which they came first; processes of one run write into one file."""
    rows = path.read_text().splitlines()
    ours = in_our_code(BIN / f"dumptriage-{SCENARIOS[SCENARIO].program}", rows)
    found = {}
    for line in rows:
        _, value, call, *_ = line.split()
        if LONG or value in ours:
            found.setdefault(value, call)
    LIBRARIES.update(set(found) - ours)
    return list(found.items())


def in_our_code(program, rows):
    """Those whose innermost address is in our own code: that of linked libraries has no lines."""
    places = [line.split()[3] for line in rows]
    asked = "".join(f"{int(place, 16) - 1:#x}\n" for place in places)
    out = subprocess.run(["addr2line", "-e", program], input=asked, capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[1] for line, where in zip(rows, out) if not where.startswith(("?", ":"))}


def plans(found):
    """What is to fail: distinct stacks first, then those that stay broken, then later calls with the same stack."""
    rows = [(call, f"stack:{value}:1") for value, call in found]
    rows += [(call, f"stack:{value}:1+") for value, call in found if LONG or call not in ALLOCATIONS]
    if LONG:
        rows += [(call, f"stack:{value}:{count}") for count in (2, 5, 50) for value, call in found]
    return rows[:MOST]


def difference(wanted, got):
    return {name: {"lost": [x for x in wanted[name] if x not in got[name]], "more": [x for x in got[name] if x not in wanted[name]]}
            for name in wanted if wanted[name] != got[name]}


def main():
    fresh("")
    (SCRATCH / "empty.conf").write_text("")
    scenario = SCENARIOS[SCENARIO]()
    scenario.prepare()
    wanted = scenario.act(fresh("clean"), None)
    trace = SCRATCH / "trace"
    traced = scenario.act(fresh("traced"), f"trace:{trace}")
    if traced != wanted:
        raise SystemExit(f"two clean runs differ:\n{wanted}\n{traced}")
    found = stacks(trace)
    if len(found) < 20:
        raise SystemExit(f"only {len(found)} call stacks were seen")
    hits, bad, calls = 0, [], {}
    rows = [row for row in plans(found) if re.search(os.environ.get("DT_FAULTS", ""), row[1])]
    for number, (call, fault) in enumerate(rows):
        place = fresh("run")
        try:
            got = scenario.act(place, fault)
            if got != wanted:
                raise Broken("after a clean run the books differ: " + json.dumps(difference(wanted, got), indent=1)[:3000])
        except (Broken, OSError, ValueError, sqlite3.Error) as why:
            bad.append((call, fault))
            where = next((line for line in trace.read_text().splitlines() if fault.split(":")[1] in line), "")
            print(f"== {number}: {call} {fault}\n{where}\n{why}\n", flush=True)
        if (place / "hit").exists() or SCENARIO == "worker":
            hits += 1
            calls[call] = calls.get(call, 0) + 1
    print(f"{SCENARIO}: {len(found)} call stacks, {len(rows)} faults, {hits} of them came about ("
          + ", ".join(f"{call} {count}" for call, count in sorted(calls.items())) + f"), {len(bad)} survived badly")
    if bad or hits < len(rows) // 2:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
