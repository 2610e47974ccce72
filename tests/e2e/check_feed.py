#!/usr/bin/env python3
"""The feed against receivers that fail in every way: nothing is lost, nothing is dropped in silence, a duplicate has the same id.

usage: check_feed.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import collections
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
import unittest

PROGRAM, BUILDER, SOURCE, SCRATCH = sys.argv[1:5]
SOURCE, SCRATCH = pathlib.Path(SOURCE), pathlib.Path(SCRATCH)
sys.path.insert(0, str(SOURCE / "tests/servers"))
import certificates  # noqa: E402
from postgres import Postgres  # noqa: E402
from receiver import Receiver, server_context  # noqa: E402
from rsyslog import Rsyslog  # noqa: E402
from server import Unavailable, program, wait_for  # noqa: E402


def run(*args, ok=(0,), env=None, timeout=300):
    out = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=timeout, env={**os.environ, **(env or {})}, errors="replace")
    if ok is not None and out.returncode not in ok:
        raise AssertionError(f"{args}: exit {out.returncode}\n{out.stdout}{out.stderr}")
    return out


def folder(name):
    path = SCRATCH / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def build(recipe, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([BUILDER, str(SOURCE / f"samples/recipes/{recipe}.recipe"), os.fsencode(path)], check=True)
    return path


BASE = {}


def base_record(recipe="plain-kernel"):
    """The two kinds of lines of a part: its head, and a record."""
    if recipe not in BASE:
        place = folder(f"base-{recipe}")
        build(recipe, place / "a.dmp")
        run("scan", place / "a.dmp", "--out", place / "part.jsonl", "--quiet")
        BASE[recipe] = [json.loads(line) for line in (place / "part.jsonl").read_text().splitlines()]
    return BASE[recipe]


def fill(db, count, place, first=0, recipe="plain-kernel", change=None):
    """Puts `count` crashes, each with its host and identity, into a store."""
    lines = base_record(recipe)
    head, record = lines[0], next(line for line in lines if line["schema"] == "dumptriage.crash/1")
    tail = lines[2:]
    part = place / f"part-{first}.jsonl"
    with open(part, "w", encoding="utf-8") as out:
        out.write(json.dumps(head, separators=(",", ":")) + "\n")
        for i in range(first, first + count):
            one = json.loads(json.dumps(record))
            one["crash_id"] = hashlib.md5(b"crash %d" % i).hexdigest()
            one["file"]["path"] = f"/fleet/pc-{i}/{i}.dmp"
            one["host"] = {"name": f"pc-{i}", "source": "given"}
            if change:
                change(i, one)
            out.write(json.dumps(one, separators=(",", ":")) + "\n")
        for line in tail:
            out.write(json.dumps({**line, **({"records": count} if "records" in line else {})}, separators=(",", ":")) + "\n")
    run("merge", part, "--db", db, "--partial")
    return {hashlib.md5(b"crash %d" % i).hexdigest() for i in range(first, first + count)}


def feed(db, to, *options, ok=(0,), **more):
    return run("feed", "--db", db, "--to", to, *options, ok=ok, **more)


def crashes(receiver):
    """The crashes among what was stored: ids of crashes, and how many events."""
    events = [event for event in receiver.stored.values() if "crash_id" in event.get("dumptriage", {})]
    return {event["dumptriage"]["crash_id"] for event in events}, len(events)


class Case(unittest.TestCase):
    def setUp(self):
        self.place = folder(self.id().split(".")[-1])
        self.db = self.place / "s.db"

    def assert_exactly(self, receiver, ids):
        found, events = crashes(receiver)
        self.assertEqual(found, ids)
        self.assertEqual(events, len(ids))
        by_id = collections.defaultdict(set)
        for name, event in receiver.order:
            by_id[name].add(json.dumps({**event, "@timestamp": None, "event": {**event.get("event", {}), "created": None}}, sort_keys=True))
        self.assertTrue(all(len(bodies) == 1 for name, bodies in by_id.items() if "crash_id" in receiver.stored[name].get("dumptriage", {})))

    def status(self, db=None):
        return run("feed", "status", "--db", db or self.db).stdout


class Bulk(Case):
    def test_a_good_receiver_gets_each_crash_once(self):
        ids = fill(self.db, 250, self.place)
        with Receiver() as receiver:
            key = self.place / "key"
            key.write_text("c2VjcmV0\n")
            feed(self.db, receiver.url, "--replay", "--namespace", "north", "--batch", "40", "--secret-file", key)
            self.assert_exactly(receiver, ids)
            self.assertEqual(receiver.duplicates, 0)
            path, headers, _ = receiver.requests[0]
            self.assertEqual(path, "/logs-dumptriage.crash-north/_bulk")
            self.assertEqual(headers["Authorization"], "ApiKey c2VjcmV0")
            self.assertEqual({e["data_stream"]["namespace"] for e in receiver.stored.values()}, {"north"})
            before = len(receiver.requests)
            feed(self.db, receiver.url, "--namespace", "north")
            self.assertEqual(len(receiver.requests), before)
            key.write_text("elastic:pass:word")
            feed(self.db, receiver.url, "--replay", "--namespace", "north", "--secret-file", key)
            self.assertTrue(receiver.requests[-1][1]["Authorization"].startswith("Basic "))
            self.assert_exactly(receiver, ids)
        self.assertIn(" 0 changes wait, 0 rejected", self.status())

    def test_every_fault_in_turn_ends_with_exactly_the_stored_crashes(self):
        ids = fill(self.db, 300, self.place)
        faults = [("status", 429, {"Retry-After": "1"}), ("drop",), ("half",), ("items", {"*": 429}), ("html",), ("status", 503), ("items", {0: 503, 3: 429}),
                  ("status", 413), None, ("status", 401), ("half",), ("json", 200, {"items": []}), ("json", 200, []), ("status", 302, {"Location": "/"})]
        with Receiver(lambda number, *_: faults[number] if number < len(faults) else None) as receiver:
            out = feed(self.db, receiver.url, "--replay", "--batch", "100")
            self.assertGreater(len(receiver.requests), len(faults))
            self.assert_exactly(receiver, ids)
            self.assertGreater(receiver.duplicates, 0)  # what `half` kept came again
            self.assertIn("429", out.stderr)
        self.assertIn(" 0 changes wait, 0 rejected", self.status())

    def test_retry_after_is_honoured(self):
        fill(self.db, 3, self.place)
        times = []

        def plan(number, *_):
            times.append(time.monotonic())
            return ("status", 429, {"Retry-After": "2"}) if number == 0 else None

        with Receiver(plan) as receiver:
            feed(self.db, receiver.url, "--replay")
        self.assertGreaterEqual(times[1] - times[0], 1.9)

    def test_killed_at_any_time(self):
        ids = fill(self.db, 400, self.place)
        # The receiver takes its time: a kill comes while a batch is read, made, sent, answered or kept.
        with Receiver(lambda *_: ("slow", 0.05)) as receiver:
            for nth in range(12):
                process = subprocess.Popen([PROGRAM, "feed", "--db", str(self.db), "--to", receiver.url, "--batch", "20", *(["--replay"] if not nth else [])],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(0.1 + 0.037 * nth)
                process.kill()
                process.wait()
            begun = re.search(r" [1-9]\d* events sent", self.status())  # a busy machine may have killed even the first before it was known
            feed(self.db, receiver.url, *([] if begun else ["--replay"]))
            self.assert_exactly(receiver, ids)
        self.assertIn(" 0 changes wait, 0 rejected", self.status())

    def test_since(self):
        early = fill(self.db, 3, self.place)
        time.sleep(2)
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        late = fill(self.db, 3, self.place, first=10)
        with Receiver() as receiver:
            feed(self.db, receiver.url, "--since", moment)
            self.assertEqual(crashes(receiver)[0], late)
            # one that is there goes on where it was, and says so
            self.assertIn("--since counts with --replay", feed(self.db, receiver.url, "--since", "365d").stderr)
            self.assertEqual(crashes(receiver)[0], late)
            feed(self.db, receiver.url, "--since", "365d", "--replay")
            self.assertEqual(crashes(receiver)[0], early | late)

    def test_a_rejected_item_is_kept_with_its_reason_and_tried_again_when_asked(self):
        ids = fill(self.db, 20, self.place)
        bad = sorted(ids)[:2]
        reject = [True]

        def statuses(event):
            return 400 if reject[0] and event["dumptriage"].get("crash_id") in bad else 0

        with Receiver(lambda *_: ("items", statuses)) as receiver:
            self.assertIn("2 rejected", feed(self.db, receiver.url, "--replay", "--metrics", self.place / "feed.prom", ok=(1,)).stdout)
            self.assert_exactly(receiver, ids - set(bad))
            metrics = (self.place / "feed.prom").read_text()
            for line in ("dumptriage_feed_changes_waiting 0", "dumptriage_feed_rejected 2", 'dumptriage_feed_events_total{result="rejected"} 2'):
                self.assertIn(line + "\n", metrics)
            said = self.status()
            self.assertIn("2 rejected", said)
            self.assertIn(f"crash {bad[0]}", said)
            self.assertIn("400 planned_exception: as planned", said)
            requests = len(receiver.requests)
            feed(self.db, receiver.url)
            self.assertEqual(len(receiver.requests), requests)
            self.assertIn("2 rejected", run("feed", "retry", "--db", self.db).stdout)
            feed(self.db, receiver.url, ok=(1,))  # still no
            reject[0] = False
            # one of them, by the beginning of its name
            run("feed", "retry", "1", "nothing", "--db", self.db, ok=(2,))
            run("feed", "retry", "7", "--db", self.db, ok=(2,))
            self.assertIn("1 rejected", run("feed", "retry", "1", bad[0][:12], "--db", self.db).stdout)
            self.assertIn("goes out again", self.status())
            feed(self.db, receiver.url)
            self.assert_exactly(receiver, ids - {bad[1]})
            self.assertIn(" 0 changes wait, 1 rejected", self.status())
            self.assertNotIn(bad[0], self.status())
            run("feed", "retry", receiver.url, "--db", self.db)
            feed(self.db, receiver.url)
            self.assert_exactly(receiver, ids)
            self.assertIn(" 0 changes wait, 0 rejected", self.status())

    def test_each_feed_is_told_of_and_retried_for_itself(self):
        ids = fill(self.db, 3, self.place)
        with Receiver(lambda *_: ("items", lambda event: 400)) as strict, Receiver() as good:
            feed(self.db, strict.url, "--replay", ok=(1,))
            feed(self.db, good.url, "--replay")
            new = fill(self.db, 2, self.place, first=10)
            said = self.status()
            self.assertRegex(said, r"feed 1: %s ecs\n  made \S+; 0 events sent\n  [1-9]\d* changes wait, \d+ rejected; \d incidents? (is|are) to be looked at\n" % strict.url)
            self.assertIn("'feed retry 1'", said)
            self.assertNotIn("'feed retry 2'", said)
            one = run("feed", "status", "2", "--db", self.db).stdout
            self.assertIn(good.url, one)
            self.assertNotIn(strict.url, one)
            self.assertIn("0 rejected", run("feed", "retry", "2", "--db", self.db).stdout)
            feed(self.db, good.url)
            self.assert_exactly(good, ids | new)
            # whoever is not used any more is forgotten
            run("feed", "remove", "--db", self.db, ok=(2,))
            self.assertIn("forgotten", run("feed", "remove", strict.url, "--db", self.db).stdout)
            self.assertNotIn(strict.url, self.status())
            self.assertIn(" 0 changes wait", self.status())
            run("feed", "remove", strict.url, "--db", self.db, ok=(2,))
            # what is told already is dropped, and a new feed gets everything all the same
            self.assertRegex(run("store", "prune", "--changes", "--db", self.db).stdout, r"[1-9]\d* changes dropped")
            strict.plan = lambda *_: None
            feed(self.db, strict.url, "--replay")
            self.assert_exactly(strict, ids | new)

    def test_a_receiver_that_is_away_loses_nothing_and_is_told_of(self):
        ids = fill(self.db, 30, self.place)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            dead = f"http://localhost:{probe.getsockname()[1]}/"
        out = feed(self.db, dead, "--replay", "--give-up", "1", ok=(3,))
        self.assertIn("stays owed", out.stderr)
        self.assertIn("nothing arrives since", self.status())
        self.assertRegex(self.status(), r" [1-9]\d* changes wait, 0 rejected")
        process = None
        with Receiver() as receiver:
            down = [True]
            receiver.plan = lambda *_: ("drop",) if down[0] else None
            process = subprocess.Popen([PROGRAM, "feed", "--db", str(self.db), "--to", receiver.url, "--replay", "--follow"], stderr=subprocess.DEVNULL)
            wait_for(lambda: receiver.requests)
            down[0] = False
            wait_for(lambda: crashes(receiver)[0] == ids)
            more = fill(self.db, 5, self.place, first=1000)
            wait_for(lambda: crashes(receiver)[0] == ids | more)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(60), 0)
            self.assert_exactly(receiver, ids | more)

    def test_told_to_end_before_a_silent_receiver(self):
        """A signal is not kept waiting for an answer that may take minutes; what did not arrive is owed, and said to be."""
        fill(self.db, 10, self.place)
        good, _ = certificates.make(self.place)
        for scheme, options in (("http", ()), ("syslog+tcp", ()), ("syslog+tls", ("--ca-file", good))):
            with self.subTest(scheme), socket.socket() as silent:
                silent.bind(("127.0.0.1", 0))
                silent.listen(8)
                process = subprocess.Popen([PROGRAM, "feed", "--db", str(self.db), "--to", f"{scheme}://localhost:{silent.getsockname()[1]}/", "--replay",
                                            "--timeout", "600", *options], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                with silent.accept()[0] as connection:
                    self.assertTrue(connection.recv(100))
                    process.send_signal(signal.SIGHUP)  # nothing to it
                    time.sleep(0.2)
                    self.assertIsNone(process.poll())
                    process.send_signal(signal.SIGINT)
                    out, err = process.communicate(timeout=120)
                self.assertEqual(process.returncode, 3, err)
                self.assertIn("told to end", err)
                self.assertIn("0 events sent", out)
        self.assertEqual(len(re.findall(r" [1-9]\d* changes wait", self.status())), 3)

    def test_a_slow_receiver_and_one_with_a_wrong_certificate(self):
        ids = fill(self.db, 10, self.place)
        with Receiver(lambda number, *_: ("slow", 3) if number == 0 else None) as receiver:
            feed(self.db, receiver.url, "--replay", "--timeout", "1")
            self.assert_exactly(receiver, ids)
        good, key = certificates.make(self.place)
        other, other_key = certificates.make(self.place, "elsewhere.example", "other")
        with Receiver(context=server_context(other, other_key)) as receiver:
            for authority in (good, other):  # not signed by whom we trust; signed, and for another name
                out = feed(self.db, receiver.url, "--replay", "--ca-file", authority, "--give-up", "0", ok=(3,))
                self.assertRegex(out.stderr.lower(), "certificate|ssl")
            self.assertEqual(receiver.requests, [])
        with Receiver(context=server_context(good, key)) as receiver:
            feed(self.db, receiver.url, "--replay", "--ca-file", good)
            self.assert_exactly(receiver, ids)


class Hec(Case):
    def secret(self):
        return {"DUMPTRIAGE_FEED_SECRET": "token-1"}

    def test_faults_acknowledgement_and_a_rejected_event(self):
        ids = fill(self.db, 60, self.place)
        bad = sorted(ids)[7]
        faults = [("status", 503), ("drop",), ("html",), ("json", 403, {"text": "Invalid token", "code": 4}), ("json", 503, {"text": "Server is busy", "code": 9})]

        def plan(number, *_):
            return faults[number] if number < len(faults) else ("items", lambda event: event["dumptriage"].get("crash_id") == bad)

        with Receiver(plan) as receiver:
            feed(self.db, "splunk+" + receiver.url, "--replay", "--ack", ok=(1,), env=self.secret())
            self.assert_exactly(receiver, ids - {bad})
            self.assertIn("Invalid data format", self.status())
            self.assertTrue(all(asked > 1 for asked in receiver.acks.values()))
            envelope = next(e for e in receiver.envelopes if "crash_id" in e["event"]["dumptriage"])
            self.assertEqual(envelope["sourcetype"], "dumptriage:crash")
            self.assertTrue(envelope["host"].startswith("pc-"))
            # The crash's time, and in the event the time of analysis beside it.
            self.assertLess(envelope["time"], time.time() - 86400)
            self.assertGreater(envelope["event"]["event"]["created"], envelope["event"]["@timestamp"])
        with Receiver() as receiver:
            feed(self.db, "splunk+" + receiver.url, "--replay", "--encoding", "ocsf", env=self.secret())
            found = [e["unmapped"]["crash_id"] for e in receiver.stored.values() if "crash_id" in e["unmapped"]]
            self.assertEqual(sorted(found), sorted(ids))

    def test_secrets_are_not_on_the_command_line(self):
        fill(self.db, 1, self.place)
        hint = ": --secret-file FILE, or DUMPTRIAGE_FEED_SECRET in the environment"
        self.assertIn("a secret does not belong into a URL" + hint, feed(self.db, "splunk+http://user:pw@localhost/", ok=(2,)).stderr)
        self.assertIn("the collector wants a token" + hint, feed(self.db, "splunk+http://localhost:1/", ok=(2,)).stderr)


class Files(Case):
    def events(self, path=None):
        return [json.loads(line) for line in (path or self.place / "out.jsonl").read_text().splitlines()]

    def test_killed_at_every_point(self):
        ids = fill(self.db, 40, self.place)
        target = f"file:{self.place}/out.jsonl"
        first = True
        for point in ("feed-before-send", "feed-half-line", "feed-after-send", "feed-before-commit", "feed-after-commit"):
            for nth in (1, 2):
                options = ["--replay"] if first or point == "feed-half-line" else []
                first = False
                out = feed(self.db, target, "--batch", "17", *options, ok=None, env={"DUMPTRIAGE_KILL_AT": f"{point}:{nth}"})
                self.assertIn(out.returncode, (-signal.SIGKILL, 0), out.stderr)
        feed(self.db, target)
        events = [e for e in self.events() if "crash_id" in e["dumptriage"]]
        self.assertEqual({e["dumptriage"]["crash_id"] for e in events}, ids)
        self.assertEqual(len({e["event"]["id"] for e in events}), len(ids))
        self.assertIn(" 0 changes wait", self.status())

    def test_rotation_and_reopening(self):
        ids = fill(self.db, 60, self.place)
        target = f"file:{self.place}/out.jsonl"
        feed(self.db, target, "--replay", "--batch", "10", "--rotate-size", "20K", "--rotate-keep", "50")
        files = sorted(self.place.glob("out.jsonl*"))
        self.assertGreater(len(files), 2)
        seen = {e["dumptriage"].get("crash_id") for f in files for e in self.events(f)}
        self.assertEqual(seen - {None}, ids)
        process = subprocess.Popen([PROGRAM, "feed", "--db", str(self.db), "--to", f"file:{self.place}/f.jsonl", "--follow", "--replay"],
                                   stderr=subprocess.DEVNULL)
        path = self.place / "f.jsonl"
        wait_for(lambda: path.exists() and len(self.events(path)) >= 60)
        path.rename(self.place / "moved")
        process.send_signal(signal.SIGHUP)
        time.sleep(1.5)  # the signal comes before the next change
        more = fill(self.db, 3, self.place, first=500)
        wait_for(lambda: path.exists() and {e["dumptriage"].get("crash_id") for e in self.events(path)} >= more)
        process.terminate()
        self.assertEqual(process.wait(60), 0)

    def test_a_full_disk_and_a_path_that_cannot_be(self):
        fill(self.db, 10, self.place)
        self.assertIn("No space left", feed(self.db, "file:/dev/full", "--replay", "--give-up", "0", ok=(3,)).stderr)
        feed(self.db, f"file:{self.place}/none/x", "--replay", "--give-up", "0", ok=(3,))
        self.assertIn(" 0 events sent", self.status())
        self.assertIn("a receiver is", feed(self.db, "ftp://x/", ok=(2,)).stderr)
        self.assertIn("takes ecs", feed(self.db, "http://x/", "--encoding", "cef", ok=(2,)).stderr)
        self.assertIn("--namespace", feed(self.db, "http://x/", "--namespace", "a-b", ok=(2,)).stderr)

    def test_a_locked_store_is_waited_for(self):
        ids = fill(self.db, 10, self.place)
        feed(self.db, f"file:{self.place}/out.jsonl", "--replay", "--give-up", "0")
        more = fill(self.db, 10, self.place, first=100)
        other = sqlite3.connect(self.db, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        timer = threading.Timer(2, lambda: other.execute("ROLLBACK"))
        timer.start()
        feed(self.db, f"file:{self.place}/out.jsonl")
        timer.join()
        other.close()
        self.assertEqual({e["dumptriage"].get("crash_id") for e in self.events()} - {None}, ids | more)

    def test_changes_that_change_nothing_for_the_receiver_send_nothing(self):
        place = self.place / "in"
        build("csagent-50", place / "a.dmp")
        build("plain-kernel", place / "b.dmp")
        run("scan", place, "--db", self.db, "--quiet")
        target = f"file:{self.place}/out.jsonl"
        feed(self.db, target, "--replay")
        count = sum("crash_id" in e["dumptriage"] for e in self.events())
        self.assertEqual(count, 2)
        # Another host, twice: the crash changed, its verdict did not.
        for host in ("zz", "aa"):
            build("plain-kernel", place / f"{host}.dmp")
            run("scan", place / f"{host}.dmp", "--db", self.db, "--host", host, "--quiet")
        feed(self.db, target)
        self.assertEqual(sum("crash_id" in e["dumptriage"] for e in self.events()), count)
        # Other rules, under which the known crash is none: it is sent again, the other is not.
        rules = self.place / "rules.yaml"
        shutil.copy(SOURCE / "signatures/crowdstrike-channel-file-291.yml", rules)
        text = rules.read_text()
        rules.write_text(text.replace("id: crowdstrike-channel-file-291", "id: another-name", 1))
        run("rematch", "--db", self.db, "--signatures", rules, ok=(0, 1))
        feed(self.db, target)
        events = [e for e in self.events() if "crash_id" in e["dumptriage"]]
        self.assertEqual(len(events), count + 1)
        self.assertEqual(events[-1]["rule"]["id"], "another-name")
        # What is deleted is not sent.
        build("vgk-50", place / "c.dmp")
        run("scan", place, "--db", self.db, "--quiet")
        run("store", "prune", "--db", self.db, "--before", "2100-01-01", ok=None)

    def test_hostile_names_make_no_line_and_no_field(self):
        name = b'x" |=\\,\n\r\x01\x7f<b> CEF:0|a|b \xf0\x9f\x98\x80 \xed\xa0\x80 \xff\xe2\x80\xa8 rt=1 dhost=evil.dmp'
        place = self.place / "Users/Jane Doe"
        build("csagent-50", pathlib.Path(os.fsdecode(os.fsencode(place) + b"/" + name)))
        run("scan", self.place / "Users", "--db", self.db, "--quiet", "--host", 'h" |=\\')
        for encoding in ("ecs", "ocsf", "cef"):
            out = subprocess.run([PROGRAM, "feed", "--db", str(self.db), "--to", "-", "--replay", "--encoding", encoding], capture_output=True, timeout=60)
            self.assertEqual(out.returncode, 0, out.stderr)
            text = out.stdout.decode("utf-8")  # strict: no surrogate came through
            self.assertNotIn("Jane", text)
            self.assertEqual(text.count("\n"), len(text.splitlines()), encoding)  # no line but ours, by any definition of a line
            for line in text.splitlines():
                self.assertTrue(all(c >= " " and c not in "\x7f\u2028\u2029" for c in line), encoding)
                if encoding == "cef":
                    self.assertTrue(line.startswith("CEF:0|dumptriage|"))
                    self.assertNotIn(" dhost=evil", line)
                else:
                    json.loads(line)
            if encoding == "ecs":
                event = json.loads(text.splitlines()[0])
                self.assertIn("\U0001f600", event["file"]["name"])
                self.assertRegex(event["dumptriage"]["path_hash"], "^[0-9a-f]{16}$")
                self.assertIn("/Users/***/", event["file"]["path"])
        out = feed(self.db, "-", "--replay", "--unmasked").stdout
        self.assertIn("Jane Doe", out)


class Incidents(Case):
    def test_ten_thousand_crashes_of_one_incident_are_at_most_twenty_events(self):
        target = f"file:{self.place}/out.jsonl"
        feed(self.db if self.db.exists() else self.prepare(), target, "--replay")
        for step in range(1, 10):
            fill(self.db, 1000, self.place, first=step * 1000, recipe="csagent-50")
            feed(self.db, target)
        events = [json.loads(line) for line in (self.place / "out.jsonl").read_text().splitlines()]
        told = [e for e in events if "cluster" in e["dumptriage"]]
        self.assertEqual(len(events) - len(told), 10000)
        by_incident = collections.Counter(e["dumptriage"]["cluster"]["id"] for e in told)
        self.assertTrue(by_incident)
        self.assertLessEqual(max(by_incident.values()), 20)
        self.assertTrue(any(e["event"]["kind"] == "alert" and e["dumptriage"]["cluster"]["hosts"] >= 1000 for e in told))
        self.assertTrue(all(e["@timestamp"] > "2025" for e in told))  # outbreaks are of now

    def test_an_incident_is_told_on_each_doubling_and_once_a_minute(self):
        def told():
            events = [json.loads(line) for line in (self.place / "out.jsonl").read_text().splitlines()]
            return [e["dumptriage"]["cluster"]["hosts"] for e in events if e["dumptriage"].get("cluster", {}).get("kind") == "signature"]

        def a_minute_later():
            with sqlite3.connect(self.db) as db:
                db.execute("UPDATE feed_incidents SET at = at - 610000000")

        target = f"file:{self.place}/out.jsonl"
        fill(self.db, 4, self.place, recipe="csagent-50")
        feed(self.db, target, "--replay")
        self.assertEqual(told(), [4])
        fill(self.db, 8, self.place, first=10, recipe="csagent-50")
        feed(self.db, target)
        self.assertEqual(told(), [4])  # within the minute
        a_minute_later()
        feed(self.db, target)
        self.assertEqual(told(), [4, 12])  # and not forgotten
        a_minute_later()
        fill(self.db, 8, self.place, first=30, recipe="csagent-50")
        feed(self.db, target)
        self.assertEqual(told(), [4, 12])  # not twice as many
        fill(self.db, 4, self.place, first=50, recipe="csagent-50")
        feed(self.db, target)
        self.assertEqual(told(), [4, 12, 24])

    def prepare(self):
        fill(self.db, 1000, self.place, recipe="csagent-50")
        return self.db

    def test_a_webhook_is_told_of_incidents_only_and_signs(self):
        fill(self.db, 40, self.place, recipe="csagent-50", change=lambda i, r: r["dump"].update(time=f"2024-07-19T05:{i % 60:02d}:33Z"))
        secret = self.place / "secret"
        secret.write_text("key of the hook\n")
        template = self.place / "template.json"
        template.write_text('{"summary": "{{title}} is {{state}}", "hosts": {{hosts}}, "ref": "{{incident}}"}')
        failures = [("status", 500), ("drop",)]
        with Receiver(lambda number, *_: failures[number] if number < 2 else None) as receiver:
            feed(self.db, "webhook+" + receiver.url + "hook/1", "--replay", "--secret-file", secret, "--template", template)
            bodies = [event for _, event in receiver.order]
            self.assertTrue(bodies and all(set(b) == {"summary", "hosts", "ref"} for b in bodies))
            self.assertIn(40, [b["hosts"] for b in bodies])
            for path, headers, body in receiver.requests:
                self.assertEqual(path, "/hook/1")
                self.assertEqual(headers["X-Dumptriage-Signature"], "sha256=" + hmac.new(b"key of the hook", body, hashlib.sha256).hexdigest())
            self.assertEqual(receiver.requests[0][2], receiver.requests[1][2])  # the resend is the same
        template.write_text('{"x": "{{nothing}}"}')
        self.assertIn("{{nothing}}", feed(self.db, "webhook+http://localhost:1/", "--template", template, ok=(2,)).stderr)


class Syslog(Case):
    def ids(self, lines):
        return [part[len("cs5="):] for line in lines for part in line.split(" ") if part.startswith("cs5=")]

    def test_ten_thousand_over_tls_through_three_restarts(self):
        try:
            server = Rsyslog()
        except Unavailable as reason:
            self.skipTest(str(reason))
        with server:
            ids = fill(self.db, 10000, self.place)
            to = f"syslog+tls://localhost:{server.port}"
            process = subprocess.Popen([PROGRAM, "feed", "--db", str(self.db), "--to", to, "--ca-file", server.certificate, "--replay", "--follow",
                                        "--batch", "200"], stderr=subprocess.DEVNULL)
            for part in (1, 2, 3):
                wait_for(lambda: len(server.lines()) >= part * 1500, 120)  # noqa: B023
                server.restart()
            wait_for(lambda: " 0 changes wait" in self.status(), 120)
            process.terminate()
            self.assertEqual(process.wait(60), 0)
            once = set(self.ids(server.lines()))
            print(f"before the replay {len(once & ids)} of {len(ids)}", file=sys.stderr)
            feed(self.db, to, "--ca-file", server.certificate, "--replay")
            wait_for(lambda: set(self.ids(server.lines())) >= ids, 60)
            self.assertTrue(all(line.startswith(("CEF:0|", " CEF:0|")) for line in server.lines()))  # none was cut or joined
            other, _ = certificates.make(self.place, "elsewhere.example", "other")
            out = feed(self.db, to, "--ca-file", other, "--replay", "--give-up", "0", ok=(3,))
            self.assertIn("certificate", out.stderr)

    def receive(self, kind, count):
        ids = fill(self.db, count, self.place)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
        server.bind(("127.0.0.1", 0))
        server.settimeout(30)
        out = []

        def take():
            if kind == "udp":
                while len(out) < count:
                    out.append(server.recv(65536))
                return
            while sum(b.count(b"cs5=") for b in out) < count:
                with server.accept()[0] as connection:
                    data = b""
                    while block := connection.recv(65536):
                        data += block
                    out.append(data)

        if kind == "tcp":
            server.listen(5)
        thread = threading.Thread(target=take)
        thread.start()
        feed(self.db, f"syslog+{kind}://127.0.0.1:{server.getsockname()[1]}", "--replay", "--batch", "20", "--timeout", "2", ok=(0, 3), env={})
        thread.join(30)
        server.close()
        return ids, out

    def test_tcp_is_framed_by_octets(self):
        ids, out = self.receive("tcp", 30)
        messages = []
        for data in out:
            while data:
                length, data = data.split(b" ", 1)
                messages.append(data[:int(length)])
                data = data[int(length):]
        for message in messages:
            self.assertRegex(message.decode(), r"^<13[0-4]>1 \d{4}-\d\d-\d\dT\S+Z \S+ dumptriage \d+ (crash|incident) - CEF:0\|")
            self.assertLess(len(message), 8192)
        self.assertEqual(set(self.ids(m.decode() for m in messages)), ids)

    def test_a_receiver_that_never_says_goodbye_is_told_of(self):
        ids = fill(self.db, 5, self.place)
        certificate, key = certificates.make(self.place, "localhost", "rude")
        context = server_context(certificate, key)
        server = socket.create_server(("127.0.0.1", 0))
        server.settimeout(60)
        out, rude = [], [True]

        def take():
            while True:
                try:
                    connection = context.wrap_socket(server.accept()[0], server_side=True, suppress_ragged_eofs=False)
                    data = b""
                    while block := connection.recv(65536):
                        data += block
                    out.append(data)
                    connection.close() if rude[0] else connection.unwrap().close()
                except OSError:
                    if server.fileno() < 0:
                        return

        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        to = f"syslog+tls://localhost:{server.getsockname()[1]}"
        said = feed(self.db, to, "--ca-file", certificate, "--replay", "--give-up", "60").stderr
        self.assertGreaterEqual(len(out), 4)  # three times it is sent again
        self.assertEqual(said.count("whether it was read is not known"), 1)
        self.assertIn("note: the receiver ends TLS without a goodbye", self.status())
        self.assertNotIn("nothing arrives", self.status())
        self.assertEqual(set(self.ids(b"".join(out).decode().split("CEF:0"))), ids)
        rude[0] = False
        fill(self.db, 1, self.place, first=10)
        feed(self.db, to, "--ca-file", certificate)
        self.assertNotIn("goodbye", self.status())
        server.close()

    def test_udp(self):
        ids, out = self.receive("udp", 10)
        self.assertTrue(set(self.ids(m.decode() for m in out)) <= ids)
        self.assertTrue(out)


class OnPostgres(Case):
    def test_two_writers_that_commit_in_the_other_order(self):
        try:
            server = Postgres()
        except Unavailable as reason:
            self.skipTest(str(reason))
        with server, Receiver() as receiver:
            early = sorted(fill(server.url, 2, self.place))
            feed(server.url, receiver.url)
            self.assertEqual(receiver.requests, [])  # it begins with what comes now
            first = subprocess.Popen([program("psql"), "-q", server.url], stdin=subprocess.PIPE, text=True)
            first.stdin.write("BEGIN; INSERT INTO outbox (at, kind, ref, change) VALUES (133000000000000000, 0, '%s', 'changed');\n\\echo begun\n" % early[0])
            first.stdin.flush()
            wait_for(lambda: "1" in subprocess.run([program("psql"), "-qAtc", "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'",
                                                    server.url], capture_output=True, text=True, check=True).stdout)
            late = fill(server.url, 2, self.place, first=10)
            feed(server.url, receiver.url)
            self.assertEqual(crashes(receiver)[0], late)
            feed(server.url, receiver.url)
            run("store", "prune", "--changes", "--db", server.url)
            first.stdin.write("COMMIT;\n")
            first.stdin.close()
            first.wait(30)
            run("store", "prune", "--changes", "--db", server.url)
            feed(server.url, receiver.url)
            self.assertEqual(crashes(receiver)[0], late | {early[0]})
            feed(server.url, receiver.url)
            self.assertEqual(receiver.duplicates, 0)
            self.follow(server, receiver, late | {early[0]})

    def test_a_server_that_hangs_does_not_hold_the_feed(self):
        try:
            server = Postgres()
        except Unavailable as reason:
            self.skipTest(str(reason))
        with server, Receiver() as receiver:
            ids = fill(server.url, 3, self.place)
            impatient = server.url + "?connect_timeout=2&options=-c%20statement_timeout%3D1000"
            log = self.place / "log"
            with open(log, "wb") as out:
                process = subprocess.Popen([PROGRAM, "feed", "--db", impatient, "--to", receiver.url, "--follow", "--replay"], stderr=out,
                                           stdout=subprocess.DEVNULL)
            try:
                wait_for(lambda: crashes(receiver)[0] == ids)
                # the process that serves the feed stops, its connection stays: the feed takes another one
                stopped = server.stop_backends()
                ids |= fill(server.url, 3, self.place, first=10)
                wait_for(lambda: crashes(receiver)[0] == ids, 120)
                self.assertIn("no answer within", log.read_text())
                server.go_on(stopped)
                # the whole server stops: whoever asks it something is told so
                everything = [server.processes["postgres"].pid, *server.backends()]
                for pid in everything:
                    os.kill(pid, signal.SIGSTOP)
                begin = time.monotonic()
                out = run("feed", "status", "--db", impatient, ok=(3,))
                self.assertLess(time.monotonic() - begin, 100)
                self.assertIn("postgresql", out.stderr)
                server.go_on(everything)
                ids |= fill(server.url, 3, self.place, first=20)
                wait_for(lambda: crashes(receiver)[0] == ids, 120)
            finally:
                process.terminate()
                self.assertEqual(process.wait(60), 0)

    def follow(self, server, receiver, known):
        process = subprocess.Popen([PROGRAM, "feed", "--db", server.url, "--to", receiver.url, "--follow"], stderr=subprocess.DEVNULL)
        new = fill(server.url, 5, self.place, first=20)
        wait_for(lambda: crashes(receiver)[0] == known | new)
        server.crash()
        server.start()
        more = fill(server.url, 5, self.place, first=30)
        wait_for(lambda: crashes(receiver)[0] == known | new | more, 120)
        process.terminate()
        self.assertEqual(process.wait(60), 0)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[5:]])
