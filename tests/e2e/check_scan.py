#!/usr/bin/env python3
"""scan, merge, incidents, show, rematch and store as an operator uses them: what is killed, full, hung, hostile or done twice.

usage: check_scan.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR FAULTS [sanitized]
"""
import json
import os
import pathlib
import random
import re
import resource
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import time
import unittest
import zipfile

from workers import workers

PROGRAM, BUILDER, SOURCE, SCRATCH, FAULTS = sys.argv[1:6]
SANITIZED = sys.argv[6:] == ["sanitized"]
PROGRAM, BUILDER, FAULTS = (os.path.abspath(path) for path in (PROGRAM, BUILDER, FAULTS))
SOURCE, SCRATCH = pathlib.Path(SOURCE).resolve(), pathlib.Path(SCRATCH).resolve()
RECIPES = ["csagent-50", "csagent-7e", "vgk-50", "aswsnx-50", "whea-124", "nic-d1", "plain-kernel", "user-av-x64", "tdr-116", "fastfail-139",
           "triage-cut-in-blocks", "raw-text"]
SYSTEM_TIME, UPTIME = 0xFA8, 0x1030
JULY_19 = 133658244000000000  # FILETIME of 2024-07-19T01:00:00Z
HOUR = 36000000000


def run(*args, timeout=120, **more):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, errors="surrogateescape", timeout=timeout, **more)


def built(name):
    dump = SCRATCH / "samples" / (name + ".dmp")
    if not dump.exists():
        dump.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([BUILDER, str(SOURCE / "samples/recipes" / (name + ".recipe")), str(dump)], check=True)
    return dump.read_bytes()


def dump_at(name, when, serial=0):
    """A sample whose crash happened at another time: a crash of its own."""
    data = bytearray(built(name))
    struct.pack_into("<Q", data, SYSTEM_TIME, when + serial)
    return bytes(data)


class Case(unittest.TestCase):
    def setUp(self):
        self.folder = SCRATCH / self.id().split(".", 1)[1]
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.share = self.folder / "share"
        self.share.mkdir()
        self.db = self.folder / "store.db"

    def put(self, name, data):
        path = self.share / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def fill(self, count=60):
        """A share of many hosts."""
        for i in range(count):
            name = RECIPES[i % len(RECIPES)]
            data = dump_at(name, JULY_19 + i * HOUR) if name not in ("raw-text", "user-av-x64") else built(name)
            self.put(f"pc-{i % 7}/{i}.dmp", data)

    def scan(self, *args, status=0, **more):
        out = run("scan", self.share, "--db", self.db, "--host-from", "dir:1", "--jobs", 2, *args, **more)
        self.assertEqual(out.returncode, status, out.stderr)
        return out

    def contents(self, db=None):
        """All records, without when they were judged, and all counts of incidents."""
        out = run("store", "export", "--db", db or self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        records = [json.loads(line) for line in out.stdout.splitlines()]
        for record in records:
            record["judged"]["at"] = None
        incidents = [json.loads(line) for line in run("incidents", "--format", "json", "--limit", 100000, "--db", db or self.db).stdout.splitlines()]
        for incident in incidents:
            incident["id"] = None
        return sorted(json.dumps(x, sort_keys=True) for x in records), sorted(json.dumps(x, sort_keys=True) for x in incidents)

    def healthy(self, db=None):
        out = run("store", "check", "--db", db or self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("nothing disagrees", out.stdout)

    def query(self, sql):
        with sqlite3.connect(self.db) as db:
            return db.execute(sql).fetchall()


class Scan(Case):
    def test_every_input_is_accounted_for_and_known_the_second_time(self):
        self.fill()
        out = self.scan()
        self.assertIn("60 inputs, 0 unchanged", out.stdout)
        self.assertIn("known-incident", out.stdout)
        self.healthy()
        self.assertEqual(self.query("SELECT count(*) FROM files")[0][0], 60)
        again = self.scan()
        self.assertIn("60 inputs, 60 unchanged", again.stdout)
        self.assertEqual(self.query("SELECT count(*) FROM outbox WHERE kind = 0 AND change = 'changed'"), [(0,)])

    def test_same_records_as_analyze(self):
        self.fill(12)
        self.scan()
        files = sorted(str(p) for p in self.share.rglob("*.dmp"))
        wanted = {}
        for line in run("analyze", "--format", "jsonl", *files).stdout.splitlines():
            record = json.loads(line)
            wanted[record["file"]["path"]] = record
        for record in map(json.loads, run("store", "export", "--db", self.db).stdout.splitlines()):
            other = wanted[record["file"]["path"]]
            for key in record:
                if key not in ("judged", "host", "file"):
                    self.assertEqual(record[key], other[key], (record["file"]["path"], key))

    def test_changed_files_are_read_again(self):
        self.fill(12)
        self.scan()
        self.put("pc-0/0.dmp", dump_at("vgk-50", JULY_19 + 500 * HOUR))
        self.assertIn("11 unchanged", self.scan().stdout)
        self.healthy()

    def test_older_facts_are_read_again_unless_told_otherwise(self):
        self.fill(12)
        self.scan()
        with sqlite3.connect(self.db) as db:
            db.execute("UPDATE files SET facts_version = 0 WHERE path LIKE '%pc-0%'")
        stale = self.query("SELECT count(*) FROM files WHERE facts_version = 0")[0][0]
        self.assertIn(f"{12 - stale} unchanged", self.scan().stdout)

    def test_numbers_have_their_words(self):
        self.put("pc-1/a.dmp", dump_at("vgk-50", JULY_19))
        wrong = re.compile(r"\b1 (?!of )(?:[a-z]+ )?(?:hosts|crashes|files|inputs|records|incidents|changes|problems|days|hours|messages|parts)\b")
        said = self.scan().stdout + self.scan().stdout
        for args in (["incidents"], ["incidents", "--format", "json", "--at", "2024-07-20T02:00:00Z"], ["show", "i2"], ["show", "i3"], ["store", "status"], ["store", "check"],
                     ["rematch"], ["store", "prune", "--changes"], ["store", "prune", "--host", "pc-1", "--dry-run"]):
            out = run(*args, "--db", self.db)
            self.assertEqual(out.returncode, 0, (args, out.stderr))
            said += out.stdout
        self.assertIsNone(wrong.search(said), said)
        for right in ("1 input, 1 unchanged since it was read; 0 records", "1 new crash,", "1 crash of 1 host;", "1 crash of 1 file,", "1 crash judged again",
                      "1 crash would be deleted", "first seen 1 day ago", "crashes by hour"):
            self.assertIn(right, said)
        self.put("pc-2/a.dmp", dump_at("vgk-50", JULY_19 + HOUR))
        self.scan()
        self.assertIn("2 crashes of 2 hosts;", run("incidents", "--db", self.db).stdout)

    def test_strict(self):
        self.put("good.dmp", built("vgk-50"))
        self.scan("--strict")
        self.scan("--strict")
        bad = self.put("a.dmp", built("raw-text"))
        self.scan("--strict", status=1)
        self.scan()
        # unchanged, it is as unreadable as it was
        self.assertIn("2 inputs, 2 unchanged", self.scan("--strict", status=1).stdout)
        bad.unlink()
        self.scan("--strict")
        with zipfile.ZipFile(self.share / "a.zip", "w") as archive:
            archive.writestr("b.dmp", built("raw-text"))
        self.scan("--strict", status=1)
        self.assertIn("2 inputs, 2 unchanged", self.scan("--strict", status=1).stdout)

    def test_strict_of_a_part(self):
        for data, status in (("vgk-50", 0), ("raw-text", 1)):
            self.put("a.dmp", built(data))
            part = self.folder / data
            for _ in range(2):
                self.assertEqual(run("scan", self.share, "--strict", "--out", part).returncode, status)
            # killed before its end
            (self.folder / (data + ".tmp")).write_text("".join(part.read_text().splitlines(keepends=True)[:-1]))
            part.unlink()
            out = run("scan", self.share, "--strict", "--out", part)
            self.assertEqual((out.returncode, "1 input, 1 unchanged" in out.stdout), (status, True), out.stdout)

    def test_usage(self):
        for args, said in ((["scan"], "no path"), (["scan", "x"], "where to"), (["scan", "x", "--db", "a", "--out", "b"], "exclude"),
                           (["scan", "x", "--db", "a", "--shard", "4/4"], "from 0 to 3"), (["scan", "x", "--db", "a", "--list-root", "x"], "goes with --list"), (["scan", "x", "--db", "a", "--shard", "1"], "K/N"),
                           (["scan", "x", "--db", "a", "--shard", "auto/4"], "SLURM_ARRAY_TASK_ID"),
                           (["scan", "x", "--db", "a", "--jobs", "0"], "--jobs"), (["scan", "x", "--db", "ftp://a"], "sqlite"),
                           (["scan", "x", "--db", "a", "--host-from", "(a)(b)"], "2 groups"), (["scan", "x", "--db", "a", "--host-from", "("], "character"),
                           (["scan", "x", "--db", "a", "--host-from", "dir:0"], "dir:"), (["merge", "x"], "--db"), (["incidents"], "--db"),
                           (["incidents", "--limit", "5x", "--db", "x"], "not '5x'"),
                           (["store", "frob", "--db", "x"], "frob"), (["store", "prune", "--db", "x"], "prune what"), (["store", "prune", "--changes", "--host", "a", "--db", "x"], "goes alone"), (["rematch"], "--db"),
                           (["show", "abc", "--db"], "usage"), (["store", "backup", "--db", "x"], "the file to write")):
            out = run(*args, cwd=self.folder)
            self.assertEqual(out.returncode, 2, (args, out.stderr))
            self.assertIn(said, out.stderr)

    def test_shards_by_the_engines_variables(self):
        self.fill(24)
        for k in range(3):
            out = run("scan", self.share, "--out", self.folder / f"p{k}", "--shard", "auto/3", env={**os.environ, "SLURM_ARRAY_TASK_ID": str(k)})
            self.assertEqual(out.returncode, 0, out.stderr)
        out = run("scan", self.share, "--out", self.folder / "x", "--shard", "auto/3", env={**os.environ, "JOB_COMPLETION_INDEX": "3"})
        self.assertEqual(out.returncode, 2)

    def test_names_from_a_list(self):
        self.fill(12)
        names = sorted(str(p) for p in self.share.rglob("*.dmp"))
        out = run("scan", "--list", "-", "-0", "--db", self.db, input="\0".join(names) + "\0/nowhere.dmp\0")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("13 inputs", out.stdout)
        self.assertIn("No such file", out.stdout)
        (self.folder / "list").write_text("\n".join(names))
        self.assertIn("12 inputs, 12 unchanged", run("scan", "--list", self.folder / "list", "--db", self.db).stdout)

    def test_include(self):
        self.fill(12)
        self.put("notes.txt", b"x")
        self.assertIn("12 inputs", self.scan("--include", "*.DMP").stdout)

    def test_hosts(self):
        self.put("Alpha.Corp.example/Minidump/1.dmp", dump_at("vgk-50", JULY_19))
        self.put("BETA_20240719.dmp", dump_at("vgk-50", JULY_19 + HOUR))
        run("scan", self.share, "--db", self.db, "--host-from", "dir:1")
        self.assertEqual(self.query("SELECT name FROM hosts"), [("alpha",)])
        for rule, hosts in ((r"([a-z]+)_\d{8}\.dmp$", ["beta"]), ("dir:2", ["minidump"])):
            self.db.unlink()
            run("scan", self.share, "--db", self.db, "--host-from", rule)
            self.assertEqual([name for (name,) in self.query("SELECT name FROM hosts")], hosts)
        self.db.unlink()
        run("scan", self.share, "--db", self.db, "--host", "Gamma.example")
        self.assertEqual(self.query("SELECT name FROM hosts"), [("gamma",)])


    def test_hosts_of_a_list(self):
        path = self.put("alpha/1.dmp", dump_at("vgk-50", JULY_19))
        for name, more, hosts, said in ((f"{path}", ["--list-root", self.share], ["alpha"], False), (f"{path}", ["--list-root", f"{self.share}/"], ["alpha"], False),
                                        (f"{path}", ["--list-root", "/elsewhere"], [], True), (f"{path}", [], [], True), ("./alpha/1.dmp", [], ["alpha"], False),
                                        ("alpha/1.dmp", ["--list-root", "."], ["alpha"], False), ("../share/alpha/1.dmp", [], [], False)):
            self.db.unlink(missing_ok=True)
            out = run("scan", "--list", "-", "--db", self.db, "--host-from", "dir:1", *more, input=name + "\n", cwd=self.share)
            self.assertEqual((out.returncode, "1 new crash" in out.stdout, "--list-root names it" in out.stderr), (0, True, said), (name, more, out.stderr))
            self.assertEqual([host for (host,) in self.query("SELECT name FROM hosts")], hosts, (name, more))

    def test_host_of_a_report_beside_the_dump(self):
        self.put("x/1.dmp", dump_at("vgk-50", JULY_19))
        self.put("x/Report.wer", "\ufeffVersion=1\r\nEventType=BlueScreen\r\nComputerName=DELTA-9.corp.example\r\n".encode("utf-16-le"))
        self.put("y/2.dmp", dump_at("vgk-50", JULY_19 + HOUR))
        self.put("y/Report.wer", b"\xff\xfe=\0" + b"A\0" * 300000)
        out = run("scan", self.share, "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("2 inputs", out.stdout)
        self.assertEqual(self.query("SELECT name FROM hosts"), [("delta-9",)])
        record = json.loads(run("store", "export", "--host", "delta-9", "--db", self.db).stdout)
        self.assertEqual(record["host"], {"name": "delta-9", "source": "wer"})


class Memory(Case):
    """Dumps of memory in the worker: its sandbox lets it open no library and no second file, and its memory is limited."""

    KINDS = ["full-1", "bitmap-6", "active-9", "x86-full-1", "elf-capture", "kdump-zlib", "kdump-lzo", "kdump-snappy", "kdump-zstd", "kdump-flattened"]

    def test_every_kind_gives_what_analyze_gives(self):
        for kind in self.KINDS:
            self.put(f"pc-{kind}/MEMORY.DMP", built(kind))
        records = self.records()
        self.assertEqual(len(records), len(self.KINDS))
        for record in records:
            other = json.loads(run("analyze", "--format", "jsonl", record["file"]["path"]).stdout)
            for key in record:
                if key not in ("judged", "host", "file"):
                    self.assertEqual(record[key], other[key], (record["file"]["path"], key))
        # Nine files of one crash, and one of a 32-bit machine.
        self.scan()
        self.assertEqual(self.query("SELECT count(*) FROM files")[0][0], 10)
        self.assertEqual(self.query("SELECT count(*) FROM crashes")[0][0], 2)

    def records(self):
        out = self.folder / "records.jsonl"
        out.unlink(missing_ok=True)
        self.assertEqual(run("scan", self.share, "--out", out, "--jobs", 2).returncode, 0)
        return [record for record in map(json.loads, out.read_text().splitlines()) if "verdict" in record]

    def test_a_machine_of_64_gb(self):
        recipe = SOURCE / "samples/recipes/csagent-50.recipe"
        folder = self.folder / "recipes"
        folder.mkdir()
        shutil.copy(recipe, folder)
        (folder / "big.recipe").write_text("base csagent-50.recipe\nkind memory\ndump-type 1\nframes 0xf00000\ndtb 0xfff000002\nruns 0x1,0x9e 0x100,0xffff00\n")
        dump = self.share / "pc-1" / "MEMORY.DMP"
        dump.parent.mkdir()
        subprocess.run([BUILDER, str(folder / "big.recipe"), str(dump)], check=True)
        self.assertGreater(dump.stat().st_size, 60 << 30)
        [record] = self.records()
        self.assertEqual(record["verdict"]["class"], "known-incident")
        self.assertEqual(record["dump"]["complete"], True)
        self.assertIsNone(record["file"]["sha256"])
        # Claimed, and not there: a megabyte of the same.
        os.truncate(dump, 1 << 20)
        [record] = self.records()
        self.assertEqual(record["dump"]["complete"], False)
        self.assertIn("of 0xffff9e pages of memory are there (0 %)", " ".join(record["dump"]["missing"]))


class Share(Case):
    """What lies on a share beside dumps, and how a share fails."""

    def test_odd_files(self):
        self.put("good.dmp", built("vgk-50"))
        os.mkfifo(self.share / "pipe")
        (self.share / "loop").symlink_to(self.share)
        (self.share / "inside").symlink_to("good.dmp")
        (self.share / "outside").symlink_to("/etc/passwd")
        bad = os.fsencode(self.share) + b"/caf\xe9\nnew.dmp"
        with open(bad, "wb") as file:
            file.write(dump_at("vgk-50", JULY_19))
        out = self.scan(timeout=60)
        self.assertIn("leads out of the tree", out.stdout)
        self.assertIn("not a file", out.stdout)
        paths = {path: crash for path, crash in self.query("SELECT path, crash FROM files")}
        self.assertEqual(len(paths), 5, paths)
        raw = [json.loads(line)["file"] for line in run("store", "export", "--db", self.db).stdout.splitlines()]
        named = [file for file in raw if file["path_raw"]]
        self.assertEqual(len(named), 1)
        self.assertNotIn("\n", named[0]["path"])
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NOT NULL"), [(2,)])

    def test_a_path_that_is_not_there(self):
        self.put("a/1.dmp", built("vgk-50"))
        nowhere = self.folder / "nowhere"
        for args in (["--db", self.db], ["--db", self.db, "--strict"], ["--out", self.folder / "part"]):
            out = run("scan", nowhere, self.share, *args)
            self.assertEqual(out.returncode, 3, out.stderr)
            self.assertIn(f"{nowhere}: cannot be looked at: No such file or directory", out.stderr)
            self.assertIn("1 input,", out.stdout)
        self.assertEqual(self.query("SELECT path FROM files"), [(str(self.share / "a/1.dmp"),)])
        self.assertFalse((self.folder / "part").exists())
        nowhere.mkdir()
        for args in (["--db", self.db], ["--out", self.folder / "part"]):
            self.assertEqual(run("scan", nowhere, self.share, *args).returncode, 0)
        self.assertTrue((self.folder / "part").exists())
        # what is below a path is an input
        out = self.scan(env=self.faults(DT_FAULT_READDIR_ESTALE="/share/a"))
        self.assertIn("Stale file handle", out.stdout)

    def test_unreadable_folder_costs_itself(self):
        self.put("a/1.dmp", built("vgk-50"))
        self.put("b/2.dmp", dump_at("vgk-50", JULY_19))
        out = self.scan(env=self.faults(DT_FAULT_READDIR_ESTALE="/share/b"))
        self.assertIn("Stale file handle", out.stdout)
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NOT NULL"), [(1,)])
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NULL"), [(1,)])
        self.scan(env=self.faults(DT_FAULT_READDIR_ESTALE="/share/b"))
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NULL"), [(1,)])
        self.scan()
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NOT NULL"), [(2,)])
        self.healthy()
        # and with the folder its record is mended
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NULL"), [(0,)])
        self.assertEqual(self.query("SELECT count(*) FROM files"), [(2,)])
        self.scan("--strict")

    def test_a_folder_that_could_not_be_opened(self):
        self.put("a/1.dmp", built("vgk-50"))
        self.put("b/shut/2.dmp", dump_at("vgk-50", JULY_19))
        other = self.put("d/3.dmp", built("raw-text"))
        out = self.scan("--strict", env=self.faults(DT_FAULT_OPEN_EIO="shut"), status=1)
        self.assertIn("not readable: 1 not-a-dump, 1 io", out.stdout)
        self.assertEqual(self.query("SELECT path FROM files WHERE size = 0"), [(str(self.share / "b/shut"),)])
        self.scan("--strict", status=1)
        self.assertEqual(self.query("SELECT path FROM files WHERE size = 0"), [])
        self.healthy()
        # what could not be read of a file stays
        self.assertEqual(self.query("SELECT path FROM crashes WHERE crash_id IS NULL"), [(str(other),)])
        removed = self.query("SELECT count(*) FROM outbox WHERE kind = 0 AND change = 'removed'")
        self.assertEqual(removed, [(1,)])

    @staticmethod
    def faults(**faults):
        preload = {"LD_PRELOAD": FAULTS}
        if SANITIZED:
            preload["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0:detect_leaks=0"
        return {**os.environ, **preload, **faults}

    def test_a_file_that_cannot_be_opened_is_tried_again_next_time(self):
        self.put("a/1.dmp", built("vgk-50"))
        self.put("a/bad.dmp", dump_at("vgk-50", JULY_19))
        out = self.scan(env=self.faults(DT_FAULT_OPEN_EIO="bad.dmp"))
        self.assertIn("Input/output error", out.stdout)
        out = self.scan()
        self.assertIn("1 unchanged", out.stdout)
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NULL"), [(0,)])

    def test_a_share_that_hangs_costs_its_files_only(self):
        for i in range(8):
            self.put(f"a/{i}.dmp", dump_at("vgk-50", JULY_19 + i * HOUR))
        self.put("a/hang.dmp", built("vgk-50"))
        self.put("hangdir/1.dmp", built("vgk-50"))
        out = self.scan("--open-deadline", 1, env=self.faults(DT_FAULT_OPEN_HANG="hang.dmp", DT_FAULT_READDIR_HANG="hangdir"), timeout=60)
        self.assertIn("the share hangs", out.stdout)
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NOT NULL"), [(8,)])

    def test_full_disk(self):
        self.fill(40)
        out = self.scan(env=self.faults(DT_FAULT_WRITE_ENOSPC="store.db", DT_FAULT_AFTER="200000"), status=3)
        self.assertRegex(out.stderr, "full|disk I/O|space")
        self.scan()
        self.healthy()
        part = self.folder / "part"
        out = run("scan", self.share, "--out", part, preexec_fn=small_files)
        self.assertEqual(out.returncode, 3)
        self.assertIn("File too large", out.stderr)
        self.assertFalse(part.exists())
        self.assertEqual(run("scan", self.share, "--out", part).returncode, 0)
        other = self.folder / "other.db"
        self.assertEqual(run("merge", part, "--db", other).returncode, 0)
        self.healthy(other)

    def test_a_store_on_a_network_file_system_is_refused(self):
        self.fill(2)
        out = self.scan(env=self.faults(DT_FAULT_NFS=str(self.folder)), status=3)
        self.assertIn("NFS", out.stderr)
        self.assertIn("postgresql://", out.stderr)
        self.assertFalse(self.db.exists())

    def test_archives(self):
        with zipfile.ZipFile(self.share / "collected.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("pc1/a.dmp", dump_at("vgk-50", JULY_19))
            archive.writestr("../../b.dmp", dump_at("csagent-50", JULY_19))
            archive.writestr("folder/", b"")
            archive.writestr("note.txt", b"hello")
        out = self.scan()
        # The archive itself is no crash, new or known.
        self.assertIn("3 new crashes, 0 changed, 0 known already", out.stdout)
        self.assertEqual([p for (p,) in self.query("SELECT path FROM crashes ORDER BY path")],
                         [f"{self.share}/collected.zip!/{name}" for name in ("../../b.dmp", "note.txt", "pc1/a.dmp")])
        self.assertIn("1 input, 1 unchanged", self.scan().stdout)
        record = json.loads(run("store", "export", "--db", self.db, "--module", "csagent.sys").stdout)
        self.assertEqual(record["file"]["container"], {"archive": f"{self.share}/collected.zip", "member": "../../b.dmp"})

    def test_a_bomb_costs_a_note(self):
        with zipfile.ZipFile(self.share / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            with archive.open("bomb.dmp", "w", force_zip64=True) as member:
                for _ in range(300):
                    member.write(bytes(1 << 20))
            archive.writestr("good.dmp", dump_at("vgk-50", JULY_19))
        self.scan()
        self.assertEqual(self.query("SELECT count(*) FROM crashes WHERE crash_id IS NOT NULL"), [(1,)])
        record = json.loads(run("store", "export", "--db", self.db, "--class", "unreadable").stdout)
        self.assertEqual(record["failure"]["kind"], "limit")


def small_files():
    """Writing fails behind 100 kB, as on a disk that is full."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100000, 100000))


class Killed(Case):
    """Killed at any point and run again with the same arguments, the store ends as if never killed."""

    def reference(self):
        if not hasattr(Killed, "wanted"):
            self.scan()
            Killed.wanted = self.contents()
            self.db.unlink()
        return Killed.wanted

    def setUp(self):
        self.folder = SCRATCH / "killed"
        self.share, self.db = self.folder / "share", self.folder / "store.db"
        if not self.share.exists():
            shutil.rmtree(self.folder, ignore_errors=True)
            self.share.mkdir(parents=True)
            self.fill(120)
        for path in self.folder.glob("store.db*"):
            path.unlink()
        self.reference()
        for path in [*self.folder.glob("store.db*"), *self.folder.glob("part*")]:
            path.unlink()

    def killed_at(self, place, nth, *args):
        out = run("scan", self.share, "--host-from", "dir:1", *args, env={**os.environ, "DUMPTRIAGE_KILL_AT": f"{place}:{nth}"})
        self.assertEqual(out.returncode, -signal.SIGKILL, f"{place} was never reached: {out.stderr}")

    def test_each_place(self):
        for place, nth in (("before-open", 50), ("after-record", 70), ("in-batch", 20), ("before-commit", 1), ("after-commit", 1)):
            with self.subTest(place=place):
                for path in self.folder.glob("store.db*"):
                    path.unlink()
                self.killed_at(place, nth, "--db", self.db)
                self.scan()
                self.assertEqual(self.contents(), Killed.wanted)
                self.healthy()

    def test_each_place_of_a_part(self):
        part = self.folder / "part.jsonl"
        for place, nth in (("in-part", 1), ("in-part", 55), ("before-end", 1)):
            with self.subTest(place=place, nth=nth):
                for path in [*self.folder.glob("store.db*"), *self.folder.glob("part*")]:
                    path.unlink()
                self.killed_at(place, nth, "--out", part)
                self.assertFalse(part.exists())
                out = run("scan", self.share, "--host-from", "dir:1", "--out", part)
                self.assertEqual(out.returncode, 0, out.stderr)
                self.assertEqual(run("merge", part, "--db", self.db).returncode, 0)
                self.assertEqual(self.contents(), Killed.wanted)

    def test_random_kills(self):
        landed = 0
        chance = random.Random(1)
        begun = time.monotonic()
        self.scan()
        whole = time.monotonic() - begun
        for path in self.folder.glob("store.db*"):
            path.unlink()
        for _ in range(20):
            process = subprocess.Popen([PROGRAM, "scan", str(self.share), "--host-from", "dir:1", "--db", str(self.db), "--jobs", "2"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, whole))
            if process.poll() is None:
                process.kill()
                landed += 1
            process.wait()
        self.assertGreater(landed, 3)
        self.scan()
        self.assertEqual(self.contents(), Killed.wanted)
        self.healthy()

    def test_workers_killed_meanwhile_cost_one_input_each_and_only_until_the_next_scan(self):
        process = subprocess.Popen([PROGRAM, "scan", str(self.share), "--host-from", "dir:1", "--db", str(self.db), "--jobs", "2"],
                                   stdout=subprocess.PIPE, text=True)
        killed = 0
        while process.poll() is None and killed < 3:
            for child in workers(process.pid):
                try:
                    os.kill(child, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
                break
            time.sleep(0.01)
        out = process.communicate()[0]
        self.assertEqual(process.returncode, 0, out)
        self.assertGreater(killed, 0)
        self.scan()
        self.assertEqual(self.contents(), Killed.wanted)

    def test_two_scans_at_once(self):
        both = [subprocess.Popen([PROGRAM, "scan", str(self.share), "--host-from", "dir:1", "--db", str(self.db)], stdout=subprocess.DEVNULL)
                for _ in range(2)]
        self.assertEqual([process.wait() for process in both], [0, 0])
        self.assertEqual(self.contents(), Killed.wanted)
        self.healthy()

    def test_interrupted_by_hand(self):
        process = subprocess.Popen([PROGRAM, "scan", "--list", "-", "--db", str(self.db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        process.stdin.write(f"{self.share}/pc-0/0.dmp\n")
        process.stdin.flush()
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        self.assertEqual(process.returncode, 3)
        self.assertIn("interrupted", err)
        self.assertEqual(self.query("SELECT count(*) FROM crashes"), [(1,)])


class Shards(Case):
    def parts(self, count=4):
        paths = []
        for k in range(count):
            paths.append(self.folder / f"part-{k}.jsonl")
            out = run("scan", self.share, "--host-from", "dir:1", "--shard", f"{k}/{count}", "--out", paths[-1])
            self.assertEqual(out.returncode, 0, out.stderr)
        return paths

    def test_parts_merged_are_the_whole(self):
        self.fill(60)
        paths = self.parts()
        self.assertEqual(sum(path.read_text().count("\n") - 2 for path in paths), 60)
        out = run("merge", *paths, "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        whole = self.folder / "whole.db"
        self.assertEqual(run("scan", self.share, "--host-from", "dir:1", "--db", whole).returncode, 0)
        self.assertEqual(self.contents(), self.contents(whole))
        self.assertEqual(run("merge", *paths, "--db", self.db).returncode, 0)  # once more changes nothing
        self.assertEqual(self.contents(), self.contents(whole))

    def test_merge_refuses_what_is_not_whole(self):
        self.fill(24)
        paths = self.parts(3)
        out = run("merge", *paths[:2], "--db", self.db)
        self.assertEqual(out.returncode, 3)
        self.assertIn("shard 2", out.stderr)
        self.assertEqual(run("merge", "--partial", *paths[:2], "--db", self.db).returncode, 0)
        lines = paths[2].read_text().splitlines(True)
        paths[2].write_text("".join(lines[:-1]))
        out = run("merge", *paths, "--db", self.db)
        self.assertEqual(out.returncode, 3)
        self.assertIn("no end", out.stderr)
        paths[2].write_text("".join(lines[:-2] + lines[-1:]))
        self.assertIn("records", run("merge", *paths, "--db", self.db).stderr)
        run("scan", self.share, "--include", "1*", "--out", self.folder / "other.jsonl")
        self.assertIn("another scan", run("merge", paths[0], self.folder / "other.jsonl", "--db", self.db).stderr)
        (self.folder / "junk").write_text("hello\n")
        self.assertIn("no part", run("merge", self.folder / "junk", "--db", self.db).stderr)

    def test_a_finished_part_is_left_alone(self):
        self.fill(12)
        (path,) = self.parts(1)
        before = path.stat().st_mtime_ns
        self.assertEqual(run("scan", self.share, "--host-from", "dir:1", "--shard", "0/1", "--out", path).returncode, 0)
        self.assertEqual(path.stat().st_mtime_ns, before)
        out = run("scan", self.share, "--shard", "0/2", "--out", path)
        self.assertEqual(out.returncode, 2)
        self.assertIn("another scan", out.stderr)


class Incidents(Case):
    def test_an_outbreak(self):
        for i in range(90):  # other things, over months, one a day
            self.put(f"pc-{i % 30}/old-{i}.dmp", dump_at(["vgk-50", "nic-d1", "aswsnx-50"][i % 3], JULY_19 - (100 - i) * 24 * HOUR))
        for i in range(40):
            self.put(f"pc-{i}/now.dmp", dump_at("csagent-50", JULY_19 + i * 600000000))
        for i in range(20):  # one machine in a boot loop
            self.put(f"pc-0/loop-{i}.dmp", dump_at("csagent-50", JULY_19 + HOUR + i * 1200000000))
        out = self.scan()
        self.assertIn("1 outbreak", out.stdout)
        rows = [json.loads(line) for line in run("incidents", "--format", "json", "--db", self.db).stdout.splitlines()]
        outbreaks = [row for row in rows if row["outbreak"]]
        self.assertEqual([(row["kind"], row["hosts"], row["crashes"]) for row in outbreaks], [("signature", 40, 60)])
        self.assertEqual(outbreaks[0]["state"], "growing")
        text = run("incidents", "--db", self.db).stdout
        self.assertIn("outbreak", text.splitlines()[3])
        page = run("show", f"i{outbreaks[0]['id']}", "--db", self.db).stdout
        out = run("show", f"i{outbreaks[0]['id']}", "--format", "ticket", "--db", self.db)
        self.assertEqual((out.returncode, "as text or as json" in out.stderr), (2, True))
        self.assertNotEqual(run("show", "i0", "--db", self.db).returncode, 0)
        self.assertIn("40 hosts", page)
        self.assertIn("####", page)
        self.assertEqual(self.query("SELECT count(*) FROM outbox WHERE kind = 1 AND change = 'outbreak'"), [(1,)])
        later = run("incidents", "--at", "2024-12-01", "--db", self.db).stdout
        self.assertIn("0 outbreaks", later)
        first = run("incidents", "--at", "1970-01-01", "--db", self.db).stdout
        self.assertIn("150 crashes of 40 hosts; states as of 1970-01-01 00:00 UTC; 0 outbreaks", first)
        rows = [json.loads(line) for line in run("incidents", "--at", "1970-01-01", "--format", "json", "--db", self.db).stdout.splitlines()]
        self.assertEqual({(row["state"], row["reason"]) for row in rows}, {("new", "not seen yet: its first crash is later")})
        for early in ("1969-12-31", "1601-01-01"):
            out = run("incidents", "--at", early, "--db", self.db)
            self.assertEqual((out.returncode, "from 1970 on" in out.stderr), (2, True))

    def test_what_is_over_hides_nothing_new(self):
        for i in range(3):
            self.put(f"pc-{i}/old.dmp", dump_at("vgk-50", JULY_19 - 60 * 24 * HOUR + i * HOUR))
        self.put("pc-9/now.dmp", dump_at("nic-d1", JULY_19))
        self.scan()
        rows = [json.loads(line) for line in run("incidents", "--format", "json", "--limit", "1", "--db", self.db).stdout.splitlines()]
        self.assertEqual([(row["state"], row["hosts"]) for row in rows], [("new", 1)])
        states = [line.split()[1] for line in run("incidents", "--db", self.db).stdout.splitlines()[3:]]
        self.assertEqual(states, sorted(states))  # "new" before "over"
        self.assertEqual(set(states), {"new", "over"})

    def test_a_store_without_a_time_that_can_be_right(self):
        self.put("pc-1/x.dmp", dump_at("csagent-50", HOUR))
        self.scan()
        text = run("incidents", "--db", self.db).stdout
        self.assertIn("1 crash of 1 host; no crash has a plausible time; 0 outbreaks", text)
        self.assertNotIn("1970", text)

    def test_crashes_of_unknown_hosts_are_no_outbreak(self):
        for i in range(60):
            self.put(f"{i}.dmp", dump_at("csagent-50", JULY_19 + i * 600000000))
        run("scan", self.share, "--db", self.db)
        text = run("incidents", "--db", self.db).stdout
        self.assertIn("0 outbreaks", text)
        row = json.loads(run("incidents", "--kind", "signature", "--format", "json", "--db", self.db).stdout)
        self.assertEqual((row["hosts"], row["crashes_of_unknown_hosts"]), (0, 60))
        self.assertIn("60 crashes of unknown hosts", run("show", f"i{row['id']}", "--db", self.db).stdout)

    def test_a_host_that_crashes_in_many_ways(self):
        for i, name in enumerate(("vgk-50", "nic-d1", "aswsnx-50", "plain-kernel", "fastfail-139")):
            self.put(f"sick/{i}.dmp", dump_at(name, JULY_19 + i * HOUR))
            self.put(f"well-{i}/x.dmp", dump_at(name, JULY_19 + i * HOUR + 7))
        self.scan()
        text = run("incidents", "--db", self.db).stdout
        self.assertRegex(text, r"(?m)^  sick +[45] different crashes")
        self.assertNotIn("  well", text)
        (key,) = self.query("SELECT key FROM crashes WHERE path LIKE '%sick/0.dmp'")[0]
        self.assertIn("suspect its hardware", run("show", key, "--db", self.db).stdout)


class Store(Case):
    def test_show(self):
        self.fill(12)
        self.scan()
        (key, path) = self.query("SELECT key, path FROM crashes WHERE blame = 'vgk.sys'")[0]
        out = run("show", key[:12], "--db", self.db)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("vgk.sys", out.stdout)
        self.assertIn(f"crash {key}", out.stdout)
        record = json.loads(run("show", key, "--format", "json", "--db", self.db).stdout)
        self.assertEqual(record["file"]["path"], path)
        self.assertEqual(run("show", "ffffffffff", "--db", self.db).returncode, 1)
        self.assertIn("more than one", run("show", "", "--db", self.db).stderr)
        self.assertEqual(run("show", "i999999", "--db", self.db).returncode, 1)

    def test_rematch_gives_what_judging_at_analysis_gives(self):
        for recipe in sorted((SOURCE / "samples/recipes").glob("*.recipe")):
            self.put(recipe.stem + ".dmp", built(recipe.stem))
        empty = self.folder / "none.yml"
        empty.write_text((SOURCE / "signatures/sysinternals-notmyfault.yml").read_text())
        self.scan()
        wanted = self.contents()
        self.assertIn(" 0 changed", run("rematch", "--db", self.db).stdout)
        out = run("rematch", "--db", self.db, "--signatures", empty)
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertNotEqual(self.contents(), wanted)
        self.assertEqual(self.query("SELECT count(*) FROM incidents WHERE kind = 1 AND key LIKE 'crowdstrike%' AND crashes > 0"), [(0,)])
        self.healthy()
        dry = run("rematch", "--db", self.db, "--dry-run", "--signature", "crowdstrike-channel-file-291").stdout
        self.assertIn("would change", dry)
        self.assertIn("-> known-incident", dry)
        self.assertIn("left alone", dry)
        self.assertNotEqual(self.contents(), wanted)
        some = run("rematch", "--db", self.db, "--signature", "crowdstrike-channel-file-291").stdout
        self.assertIn("known-incident", some)
        run("rematch", "--db", self.db)
        self.assertEqual(self.contents(), wanted)
        self.healthy()

    def test_a_store_that_is_not_there_is_not_made(self):
        for args in (["store", "upgrade"], ["store", "status"], ["store", "check"], ["store", "prune", "--changes"], ["store", "prune", "--before", "1d"],
                     ["store", "backup", self.folder / "copy"], ["store", "export"], ["incidents"], ["show", "i1"], ["show", "00"], ["rematch"],
                     ["feed", "status"], ["feed", "retry"], ["feed", "remove", "1"], ["feed", "--to", "-"], ["token", "list"], ["token", "revoke", "x"]):
            for db in (self.folder / "typo.db", f"sqlite:{self.folder}/typo.db"):
                out = run(*args, "--db", db)
                self.assertEqual(out.returncode, 3, (args, out.stderr))
                self.assertIn("there is no store at", out.stderr, args)
        for args in (["token", "add"], ["token", "add", "x", "--scopes", "all"], ["token", "add", ""], ["token", "frob"], ["store", "frob"]):
            self.assertEqual(run(*args, "--db", self.folder / "typo.db").returncode, 2, args)
        self.assertEqual(list(self.folder.glob("typo*")) + list(self.folder.glob("copy*")), [])
        # nor in a file that is there and holds none
        (self.folder / "empty.db").touch()
        for verb in ("upgrade", "status", "check"):
            out = run("store", verb, "--db", self.folder / "empty.db")
            self.assertEqual((out.returncode, "holds no store" in out.stderr), (3, True), out.stderr)
        self.assertEqual(run("token", "add", "first", "--db", self.db).returncode, 0)
        self.assertEqual(run("store", "upgrade", "--db", self.db).returncode, 0)

    def test_a_day_long_ago_is_a_day_too(self):
        self.fill(6)
        self.scan()
        for day in ("1970-01-01", "1969-12-31", "1601-01-01"):
            self.assertIn("0 crashes would be deleted", run("store", "prune", "--before", day, "--dry-run", "--db", self.db).stdout, day)
            self.assertEqual(run("store", "export", "--before", day, "--db", self.db).stdout, "")
        self.assertIn("6 crashes would be deleted", run("store", "prune", "--before", "2030-01-01", "--dry-run", "--db", self.db).stdout)

    def test_prune_and_rescan(self):
        self.fill(24)
        self.scan()
        before = self.query("SELECT count(*) FROM crashes")[0][0]
        out = run("store", "prune", "--module", "vgk.sys", "--dry-run", "--db", self.db)
        self.assertIn("2 crashes would be deleted", out.stdout)
        self.assertIn("2 crashes deleted", run("store", "prune", "--module", "VGK.sys", "--db", self.db).stdout)
        self.assertEqual(self.query("SELECT count(*) FROM crashes"), [(before - 2,)])
        for path in self.share.rglob("*.dmp"):
            os.utime(path)
        self.scan()
        self.assertEqual(self.query("SELECT count(*) FROM crashes"), [(before - 2,)])
        self.healthy()
        self.assertEqual(run("store", "prune", "--before", "2030-01-01", "--db", self.db).returncode, 0)

    def test_backup_export_status(self):
        self.fill(12)
        self.scan()
        copy = self.folder / "copy.db"
        self.assertEqual(run("store", "backup", copy, "--db", self.db).returncode, 0)
        self.assertEqual(self.contents(copy), self.contents())
        out = run("store", "backup", copy, "--db", self.db)
        self.assertEqual(out.returncode, 3)
        self.assertIn("exists already", out.stderr)
        self.assertRegex(run("store", "status", "--db", self.db).stdout, r", version \d+\n")
        exported = self.folder / "all.jsonl"
        exported.write_text(run("store", "export", "--db", self.db).stdout)
        self.assertIn("12 inputs", f"{len(exported.read_text().splitlines())} inputs")
        self.assertEqual(run("show", exported).returncode, 0)

    def test_stores_that_are_not_there_newer_or_damaged(self):
        for command in (["incidents"], ["store", "check"], ["rematch"], ["store", "status"]):
            out = run(*command, "--db", self.folder / "nothing.db")
            self.assertEqual(out.returncode, 3, command)
            self.assertIn("no store", out.stderr)
        self.fill(3)
        self.scan()
        with sqlite3.connect(self.db) as db:
            version, = db.execute("SELECT value FROM meta WHERE name = 'version'").fetchone()
            db.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
        for command in (["incidents"], ["scan", self.share], ["store", "upgrade"]):
            out = run(*command, "--db", self.db)
            self.assertEqual(out.returncode, 3, command)
            self.assertIn("newer dumptriage", out.stderr)
        junk = self.folder / "junk.db"
        junk.write_bytes(b"this is no database, it is only text " * 100)
        out = run("incidents", "--db", junk)
        self.assertEqual(out.returncode, 3)
        self.assertIn("not a database", out.stderr)
        with sqlite3.connect(self.db) as db:
            db.execute("UPDATE meta SET value = ? WHERE name = 'version'", (version,))
            db.execute("UPDATE incidents SET crashes = crashes + 1 WHERE id = 2")
        out = run("store", "check", "--db", self.db)
        self.assertEqual(out.returncode, 3)
        self.assertIn("counts differ", out.stderr)


if __name__ == "__main__":
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], *os.environ.get("DT_TESTS", "").split()], verbosity=1)
