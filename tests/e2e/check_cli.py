#!/usr/bin/env python3
"""The program as its users call it: exit statuses, bad inputs, output that fails, what it links.

usage: check_cli.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR [sanitized]
"""
import json
import os
import pathlib
import pty
import re
import socket
import struct
import subprocess
import sys
import unittest

PROGRAM, BUILDER, SOURCE, SCRATCH = sys.argv[1:5]
SANITIZED = sys.argv[5:] == ["sanitized"]
SCRATCH = pathlib.Path(SCRATCH)


def run(*args, **more):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=60, **more)


def sample(name):
    dump = SCRATCH / (name + ".dmp")
    if not dump.exists():
        subprocess.run([BUILDER, str(pathlib.Path(SOURCE) / "samples/recipes" / (name + ".recipe")), str(dump)], check=True)
    return dump


def records(out):
    return [json.loads(line) for line in out.stdout.splitlines()]


class Usage(unittest.TestCase):
    def test_no_command_prints_the_commands(self):
        out = run()
        self.assertEqual(out.returncode, 2)
        self.assertIn("analyze", out.stderr)

    def test_wrong_words_are_exit_2_and_say_what_was_wrong(self):
        for args, said in ((["frobnicate"], "frobnicate"), (["analyze"], "no file"), (["analyze", "--format", "xml", "x"], "xml"),
                           (["analyze", "--frob", "x"], "frob"), (["explain"], "no stop code"), (["explain", "zzz"], "zzz"),
                           (["explain", "0x50", "1", "2", "3", "4", "5"], "four"), (["explain", "0x50", "xyz"], "xyz"),
                           (["explain", "0x50", "--machine", "vax"], "vax"), (["analyze", "--hash", "maybe", "x"], "maybe"),
                           (["signatures"], "list, check"), (["formats", "x"], "--markdown or nothing"), (["show"], "no file")):
            out = run(*args)
            self.assertEqual(out.returncode, 2, args)
            self.assertIn(said, out.stderr)
            self.assertEqual(out.stdout, "")
            # What is wrong stays on the screen: the table of options is what --help prints.
            self.assertLessEqual(len(out.stderr.splitlines()), 7, args)
            self.assertIn("--help' ", out.stderr)

    def test_help_of_every_command(self):
        listed = re.findall(r"^  ([a-z]+) ", run("--help").stdout, re.M)
        self.assertGreaterEqual(len(listed), 6)
        for command in listed:
            out = run(command, "--help")
            self.assertEqual((out.returncode, out.stderr), (0, ""), command)
            self.assertIn("usage: dumptriage " + command, out.stdout)
            self.assertEqual(run("help", command).stdout, out.stdout)
        self.assertEqual(run("help").stdout, run("--help").stdout)
        out = run("help", "frobnicate")
        self.assertEqual((out.returncode, out.stdout), (2, ""))

    def test_version(self):
        self.assertRegex(run("--version").stdout, r"^dumptriage \d+\.\d+\.\d+\n$")

    def test_the_readme_has_the_table_of_formats(self):
        table = run("formats", "--markdown").stdout
        self.assertIn(table, (pathlib.Path(SOURCE) / "README.md").read_text())

    def test_formats_lists_inputs_and_outputs(self):
        out = run("formats")
        self.assertEqual(out.returncode, 0)
        for word in ("PAGEDU64", "MDMP", "jsonl", "named"):
            self.assertIn(word, out.stdout)

    def test_schema_is_the_one_in_docs(self):
        self.assertEqual(json.loads(run("schema").stdout),
                         json.loads((pathlib.Path(SOURCE) / "docs/crash.schema.json").read_text()))


class BadInput(unittest.TestCase):
    """Every one of them has a record of class unreadable, a message that helps, and exit status 1."""

    def unreadable(self, path, *said, kind=None):
        out = run("analyze", "--format", "jsonl", path)
        self.assertEqual((out.returncode, out.stderr), (1, ""))
        (record,) = records(out)
        self.assertEqual(record["verdict"]["class"], "unreadable")
        for word in said:
            self.assertIn(word, record["failure"]["text"])
        if kind:
            self.assertEqual(record["failure"]["kind"], kind)
        text = run("analyze", path)
        self.assertEqual(text.returncode, 1)
        self.assertIn("unreadable", text.stdout)
        return record

    def test_missing_file(self):
        self.unreadable(SCRATCH / "no-such-file.dmp", "No such file", kind="io")

    def test_directory(self):
        self.unreadable(SCRATCH, "directory")

    def test_pipe_does_not_hang(self):
        fifo = SCRATCH / "fifo"
        if not fifo.exists():
            os.mkfifo(fifo)
        self.unreadable(fifo, "pipe")

    def test_socket_and_device(self):
        path = SCRATCH / "socket"
        if path.exists():
            path.unlink()
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(str(path))
            self.unreadable(path)
        self.unreadable("/dev/zero", "device")

    def test_empty(self):
        path = SCRATCH / "empty.dmp"
        path.write_bytes(b"")
        self.unreadable(path, "empty", kind="not-a-dump")

    def test_all_zero(self):
        path = SCRATCH / "zero.dmp"
        path.write_bytes(bytes(65536))
        self.unreadable(path, "zero", kind="not-a-dump")

    def test_other_files(self):
        for name, head, said in (("a.zip", b"PK\3\4" + bytes(100), "zip"), ("a.txt", b"this is a crash dump, honestly\n" * 9, "text"),
                                 ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "89 50 4e 47")):
            path = SCRATCH / name
            path.write_bytes(head)
            self.unreadable(path, said)

    def test_unreadable_permission(self):
        path = SCRATCH / "secret.dmp"
        path.write_bytes(b"PAGEDU64")
        path.chmod(0)
        if os.geteuid() == 0:
            self.skipTest("root reads everything")
        self.unreadable(path, "Permission")

    def test_cut_anywhere_is_exit_1_and_says_so(self):
        whole = sample("csagent-50").read_bytes()
        for length in (1, 7, 8, 100, 0x1000, 0x1fff, 0x2000, 0x207f, 0x2080, len(whole) // 2, len(whole) - 1):
            path = SCRATCH / "cut.dmp"
            path.write_bytes(whole[:length])
            out = run("analyze", "--format", "jsonl", path)
            self.assertEqual((out.returncode, out.stderr), (1, ""), length)
            (record,) = records(out)
            said = [record["failure"]["text"]] if record["failure"] else [n["text"] for n in record["notes"]]
            self.assertTrue(said, length)
            self.assertTrue(record["verdict"]["class"] == "unreadable" or record["bugcheck"], length)

    def test_one_bad_input_does_not_hide_the_others(self):
        out = run("analyze", "--format", "jsonl", SCRATCH / "nothing", sample("csagent-50"))
        self.assertEqual(out.returncode, 1)
        self.assertEqual([r["verdict"]["class"] for r in records(out)], ["unreadable", "known-incident"])

    def test_path_that_is_not_utf8(self):
        path = os.fsencode(SCRATCH) + b"/caf\xe9\n.dmp"
        pathlib.Path(os.fsdecode(path)).write_bytes(sample("csagent-50").read_bytes())
        out = subprocess.run([PROGRAM.encode(), b"analyze", b"--format", b"jsonl", path], capture_output=True, timeout=60)
        record = json.loads(out.stdout.decode("utf-8"))
        self.assertEqual(out.stdout.count(b"\n"), 1)
        import base64
        self.assertEqual(base64.b64decode(record["file"]["path_raw"]), path)
        self.assertNotIn("\n", record["file"]["path"])


class Bombs(unittest.TestCase):
    """Counts that lie, as large as a file of 16 MiB lets them be: 2 s of processor time and 64 MiB beside the file, at most."""

    @staticmethod
    def minidump(*streams):
        system = struct.pack("<HHHBBIIIII", 9, 6, 0, 4, 1, 10, 0, 19041, 2, 0) + bytes(28)
        streams = [(7, system), *streams]
        body, directory, at = b"", b"", 32 + 12 * len(streams)
        for kind, data in streams:
            directory += struct.pack("<III", kind, len(data), at + len(body))
            body += data
        return struct.pack("<4sIIIIIQ", b"MDMP", 0x62F0A793, len(streams), 32, 0, 1700000000, 0) + directory + body

    @staticmethod
    def triage(count_at, offset_at, count, table):
        dump = bytearray(sample("csagent-50").read_bytes())
        struct.pack_into("<I", dump, offset_at, len(dump))
        struct.pack_into("<I", dump, count_at, count)
        return bytes(dump) + table

    def bounded(self, name, data):
        path = SCRATCH / name
        path.write_bytes(data)
        pid = os.fork()
        if pid == 0:
            os.dup2(os.open("/dev/null", os.O_WRONLY), 1)
            os.execv(PROGRAM, [PROGRAM, "analyze", str(path)])
        _, status, usage = os.wait4(pid, 0)
        self.assertIn(os.waitstatus_to_exitcode(status), (0, 1), name)
        if not SANITIZED:
            self.assertLess(usage.ru_utime + usage.ru_stime, 2, name)
            self.assertLess(usage.ru_maxrss * 1024, (64 << 20) + len(data), name)
        path.unlink()

    def test_memory_ranges(self):
        ranges = b"".join(struct.pack("<QQ", (i * 2654435761) & 0x7FFFFFFFFFFF, 8) for i in range(900000))
        self.bounded("ranges.dmp", self.minidump((9, struct.pack("<QQ", 900000, 0x1000) + ranges)))

    def test_modules(self):
        module = struct.pack("<QIIII", 0x10000, 0x1000, 0, 0, 100) + bytes(84)
        self.bounded("modules.dmp", self.minidump((4, struct.pack("<I", 140000) + module * 140000)))

    def test_data_blocks(self):
        blocks = b"".join(struct.pack("<QII", 0xFFFF800000000000 + (i * 40503 & 0xFFFFF), i & 0xFFFF, 40000) for i in range(900000))
        self.bounded("blocks.dmp", self.triage(0x207C, 0x2078, 900000, blocks))

    def test_drivers(self):
        entry = struct.pack("<I", 0x2100) + bytes(0x8C)
        self.bounded("drivers.dmp", self.triage(0x2034, 0x2030, 110000, entry * 110000))

    def test_stack_of_return_addresses(self):
        self.bounded("stack.dmp", self.triage(0x202C, 0x2028, 15 << 20, struct.pack("<Q", 0xFFFFF8020EAE2000) * (15 << 17)))


class Output(unittest.TestCase):
    def test_full_disk_is_exit_3(self):
        with open("/dev/full", "w") as full:
            out = subprocess.run([PROGRAM, "analyze", str(sample("csagent-50"))], stdout=full, stderr=subprocess.PIPE, text=True)
        self.assertEqual(out.returncode, 3)
        self.assertIn("standard output", out.stderr)

    def test_closed_pipe_is_exit_3_not_a_signal(self):
        read, write = os.pipe()
        os.close(read)
        out = subprocess.run([PROGRAM, "analyze", str(sample("csagent-50"))], stdout=write, stderr=subprocess.PIPE, text=True)
        os.close(write)
        self.assertEqual(out.returncode, 3)

    def test_json_is_an_object_for_one_and_an_array_for_several(self):
        one = json.loads(run("analyze", "--format", "json", sample("csagent-50")).stdout)
        two = json.loads(run("analyze", "--format", "json", sample("csagent-50"), sample("csagent-7e")).stdout)
        self.assertEqual(one["schema"], "dumptriage.crash/1")
        self.assertEqual(len(two), 2)

    def test_show_reads_what_analyze_writes(self):
        for style in ("json", "jsonl"):
            kept = SCRATCH / ("kept." + style)
            kept.write_text(run("analyze", "--format", style, sample("csagent-50"), sample("csagent-7e")).stdout)
            shown = run("show", kept)
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
            self.assertEqual(shown.stdout.count("csagent.sys+0xe14ed ("), 2 if style else 0)
        piped = run("show", "--format", "jsonl", "-", input=kept.read_text())
        self.assertEqual(piped.stdout, kept.read_text())

    def test_show_says_what_is_wrong_with_a_record(self):
        bad = SCRATCH / "bad.json"
        bad.write_text('{"schema": "dumptriage.crash/1", "fault": {"ip": 5}}\n')
        out = run("show", bad)
        self.assertEqual(out.returncode, 1)
        self.assertIn("fault.ip", out.stderr)

    def test_colours_only_on_a_terminal(self):
        self.assertNotIn("\x1b", run("analyze", sample("csagent-50")).stdout)
        self.assertIn("\x1b", run("analyze", "--color", "always", sample("csagent-50")).stdout)

    def test_colours_on_a_terminal(self):
        try:
            read, write = pty.openpty()
        except OSError as error:
            self.skipTest(f"no terminal to be had: {error}")
        process = subprocess.Popen([PROGRAM, "analyze", str(sample("csagent-50"))], stdout=write,
                                   env={k: v for k, v in os.environ.items() if k != "NO_COLOR"})
        os.close(write)
        seen = b""
        try:
            while chunk := os.read(read, 65536):
                seen += chunk
        except OSError:
            pass
        process.wait()
        os.close(read)
        self.assertIn(b"\x1b[", seen)

    def test_text_is_one_screen_verdict_first(self):
        out = run("analyze", sample("csagent-50")).stdout.splitlines()
        self.assertTrue(out[1].startswith("known-incident"), out[:3])
        self.assertLessEqual(len(out), 75)
        self.assertLessEqual(max(len(line) for line in out), 100)

    def test_host_is_folded(self):
        (record,) = records(run("analyze", "--format", "jsonl", "--host", "PC-7.Example.COM", sample("csagent-50")))
        self.assertEqual(record["host"], {"name": "pc-7", "source": "given"})

    def test_hash(self):
        import hashlib
        (record,) = records(run("analyze", "--format", "jsonl", sample("csagent-50")))
        self.assertEqual(record["file"]["sha256"], hashlib.sha256(sample("csagent-50").read_bytes()).hexdigest())
        (record,) = records(run("analyze", "--format", "jsonl", "--hash", "never", sample("csagent-50")))
        self.assertIsNone(record["file"]["sha256"])


class Signatures(unittest.TestCase):
    def test_builtin_and_folder_are_the_same_rules(self):
        folder = pathlib.Path(SOURCE) / "signatures"
        hashes = {records(run("analyze", "--format", "jsonl", *more, sample("csagent-50")))[0]["judged"]["rules"]
                  for more in ([], ["--signatures", folder])}
        self.assertEqual(len(hashes), 1)

    def test_an_error_names_file_line_and_column(self):
        bad = SCRATCH / "bad.yml"
        bad.write_text("id: x\ntitle: [\n")
        out = run("analyze", "--signatures", bad, sample("csagent-50"))
        self.assertEqual(out.returncode, 3)
        self.assertRegex(out.stderr, r"bad\.yml:\d+:\d+: ")
        self.assertEqual(run("signatures", "check", bad).returncode, 1)

    def test_list(self):
        self.assertIn("crowdstrike-channel-file-291", run("signatures", "list").stdout)
        self.assertEqual(run("signatures", "check").returncode, 0)


class Explain(unittest.TestCase):
    def test_a_photo_of_the_blue_screen(self):
        out = run("explain", "0x50", "0xffffd6030000006a", "0", "0xfffff8020ebc14ed", "2").stdout
        for word in ("PAGE_FAULT_IN_NONPAGED_AREA", "read", "0xffffd6030000006a"):
            self.assertIn(word, out)

    def test_a_line_of_the_event_log(self):
        out = run("explain", "0x1000007e", "(0xffffffffc0000005,".strip("("), "0xfffff8044a24d2d4,", "0xffff998071d4ed88,",
                  "0xffff998071d4e5d0").stdout
        self.assertIn("SYSTEM_THREAD_EXCEPTION_NOT_HANDLED", out)
        self.assertIn("ACCESS_VIOLATION", out)

    def test_conditions_are_printed_when_they_are_open(self):
        open_ = run("explain", "0x50", "0xffff800000000000", "1", "0xfffff8020ebc14ed", "0").stdout
        old = run("explain", "0x50", "0xffff800000000000", "1", "0xfffff8020ebc14ed", "0", "--build", "9600", "--machine", "x64").stdout
        self.assertIn("10586", open_)
        self.assertIn("write", old)

    def test_names_and_bare_hex(self):
        self.assertIn("0x50", run("explain", "PAGE_FAULT_IN_NONPAGED_AREA").stdout)
        self.assertIn("DRIVER_POWER_STATE_FAILURE", run("explain", "9f").stdout)


class Linking(unittest.TestCase):
    def test_the_program_loads_libc_and_nothing_else(self):
        """Every further library costs start-up on every run."""
        if SANITIZED:
            self.skipTest("sanitizers bring libraries of their own")
        out = subprocess.run(["ldd", PROGRAM], capture_output=True, text=True).stdout
        loaded = {line.split()[0].split("/")[-1] for line in out.splitlines() if line.strip()}
        self.assertLessEqual(loaded, {"linux-vdso.so.1", "libc.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"})


class Config(unittest.TestCase):
    """Options from a file and the environment: file < environment < command line."""

    def config(self, text, *args, **environment):
        path = SCRATCH / "test.conf"
        path.write_text(text)
        return run(*args, "--config", path, env={**os.environ, **environment})

    def test_file_environment_command_line(self):
        dump = sample("csagent-50")
        self.assertEqual(records(self.config("format = jsonl  \n# a comment\n", "analyze", dump))[0]["bugcheck"]["code"], "0x50")
        out = self.config("format = jsonl\n", "analyze", dump, DUMPTRIAGE_FORMAT="json")
        self.assertTrue(out.stdout.startswith("{\n"))
        out = self.config("format = jsonl\n", "analyze", "--format", "text", dump, DUMPTRIAGE_FORMAT="json")
        self.assertIn("known-incident", out.stdout.splitlines()[1])

    def test_sections_and_flags(self):
        dump = sample("csagent-50")
        out = self.config("[analyze]\nformat = jsonl\nverbose = yes\n[scan]\nquiet = yes\n", "analyze", dump)
        self.assertEqual(len(records(out)), 1)
        short = self.config("verbose = no\n", "analyze", dump)
        long = self.config("verbose = yes\n", "analyze", dump)
        self.assertGreater(len(long.stdout), len(short.stdout))

    def test_mistakes_are_named_with_their_line(self):
        for text, said in (("frobnicate = 1\n", "test.conf:1"), ("\n\nhello\n", "test.conf:3"), ("[scan\n", "[command]"), ("[frob]\n", "frob"),
                           ("[analyze]\njobs = 2\n", "no option 'jobs'"), ("verbose = maybe\n", "yes or no"), ("log-level = loud\n", "log-level")):
            out = self.config(text, "analyze", sample("csagent-50"))
            self.assertEqual(out.returncode, 2, text)
            self.assertIn(said, out.stderr)
        self.assertEqual(run("analyze", "--config", SCRATCH / "nothing.conf", "x").returncode, 3)

    def test_config_prints_what_is_in_force_without_passwords(self):
        out = self.config("db = postgresql://u:hunter2@h/d\njobs = 3\n[scan]\njobs = 4\n", "config", "scan", DUMPTRIAGE_QUIET="yes")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn("jobs = 4", out.stdout)
        self.assertIn("test.conf:4", out.stdout)
        self.assertIn("quiet = yes   # DUMPTRIAGE_QUIET", out.stdout)
        self.assertIn("u:***@h", out.stdout)
        self.assertNotIn("hunter2", out.stdout + out.stderr)
        self.assertIn("can be read by others", out.stderr)

    def test_config_of_a_command_that_is_not_there(self):
        out = run("config", "frob")
        self.assertEqual((out.returncode, out.stdout), (2, ""))
        self.assertIn("'frob'", out.stderr)

    def test_the_queue_of_a_scan_may_come_from_the_environment(self):
        """Its password has no other way: on the command line it is refused."""
        share = SCRATCH / "queue-share"
        share.mkdir(exist_ok=True)
        queue = "amqp://x:secret@127.0.0.1:1/"
        refused = run("scan", share, "--enqueue", queue)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("DUMPTRIAGE_ENQUEUE", refused.stderr)
        taken = self.config("log-level = info\n", "scan", share, DUMPTRIAGE_ENQUEUE=queue)
        self.assertEqual(taken.returncode, 3, taken.stderr)  # nobody listens there
        self.assertNotIn("secret", taken.stdout + taken.stderr)

    def test_logs_as_json(self):
        out = run("incidents", "--db", SCRATCH / "nothing.db", "--log-format", "json")
        line = json.loads(out.stderr)
        self.assertEqual((line["level"], out.returncode), ("error", 3))
        self.assertIn("no store", line["message"])

    def test_metrics_of_a_scan(self):
        share = SCRATCH / "metrics-share"
        share.mkdir(exist_ok=True)
        (share / "a.dmp").write_bytes(sample("csagent-50").read_bytes())
        (SCRATCH / "metrics.db").unlink(missing_ok=True)
        out = run("scan", share, "--db", SCRATCH / "metrics.db", "--metrics", SCRATCH / "m.prom")
        self.assertEqual(out.returncode, 0, out.stderr)
        text = (SCRATCH / "m.prom").read_text()
        self.assertIn("dumptriage_inputs_total 1\n", text)
        self.assertIn("dumptriage_known_incidents_total 1\n", text)
        self.assertEqual(run("scan", share, "--db", SCRATCH / "metrics.db", "--metrics", "nonsense").returncode, 2)


if __name__ == "__main__":
    SCRATCH.mkdir(parents=True, exist_ok=True)
    sys.argv[1:] = []
    unittest.main(verbosity=1)
