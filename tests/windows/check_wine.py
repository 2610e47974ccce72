#!/usr/bin/env python3
"""Minidumps that a real MiniDumpWriteDump wrote, that of Wine, of a program that crashes in it: the stack is exact and the names are the map file's.

check_wine.py DUMPTRIAGE FIXTURES SCRATCH

What must come out the program noted itself while it ran (crashes.c): its ids, where it failed, and every return address.
"""
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import unittest

PROGRAM, FIXTURES, SCRATCH = (pathlib.Path(a).resolve() for a in sys.argv[1:4])
PREFIX = SCRATCH / "prefix"
START_S, RUN_S = 90, 60
# Debian has them beside the path; no window, no menu, nothing to be installed.
WHERE = os.environ["PATH"] + ":/usr/lib/wine"
WINE, SERVER = (shutil.which(name, path=WHERE) for name in ("wine64", "wineserver"))
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY", "WINEARCH")} | {
    "HOME": str(SCRATCH), "WINEPREFIX": str(PREFIX), "WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml,winemenubuilder.exe=d"}


def wine(*command, limit):
    """Ends with the program: what Wine leaves running for a while must not hold a pipe."""
    with open(SCRATCH / "wine.log", "ab") as log:
        return subprocess.run([WINE, *command], cwd=SCRATCH, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=limit).returncode


def stop():
    subprocess.run([SERVER, "-k"], env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30)


def start():
    """Makes the prefix; says why it could not."""
    try:
        code = wine("wineboot", "--init", limit=START_S)
    except subprocess.TimeoutExpired:
        return f"it took more than {START_S} s"
    return None if code == 0 else f"it ended with {code}"


class Map:
    """Functions by where they begin, out of the linker's map file."""

    def __init__(self, path):
        text = path.read_text()
        self.base = int(re.search(r"load address is ([0-9a-f]+)", text)[1], 16)
        self.names = {int(at, 16) - self.base: name for name, at in re.findall(r"^ 0001:[0-9a-f]{8}\s+(\S+)\s+([0-9a-f]{16}) ", text, re.M)}

    def function(self, rva):
        begin = max(b for b in self.names if b <= rva)
        return self.names[begin], begin


class Crash:
    """A run of crashes.exe: one dump or two (full: 110 MB, seconds each), and what it noted."""

    def __init__(self, how, full):
        self.normal, self.full = SCRATCH / f"{how}-normal.dmp", SCRATCH / f"{how}-full.dmp" if full else None
        self.dumps = [dump for dump in (self.normal, self.full) if dump]
        self.code = wine("crashes.exe", how, self.normal.name, self.full.name if full else "-", f"{how}.told", limit=RUN_S)
        told = (SCRATCH / f"{how}.told").read_bytes()
        self.pid, self.tid, self.other, calls, self.fault = struct.unpack_from("<IIIIQ", told)
        self.callers = list(reversed(struct.unpack_from(f"<{calls}Q", told, 24)))  # innermost first; the last one is the system's


class Wine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.map = Map(FIXTURES / "crashes.map")
        cls.own = SCRATCH / "own"
        cls.own.mkdir()
        for name in ("crashes.exe", "crashes.pdb"):
            shutil.copy(FIXTURES / name, cls.own)
        shutil.copy(FIXTURES / "crashes.exe", SCRATCH)
        cls.crashes = {how: Crash(how, full) for how, full in (("f", False), ("v", True), ("n", True), ("d", False))}

    def analyze(self, dump, *symbols):
        env = {k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH"}
        args = ["--symbols", ";".join(map(str, symbols))] if symbols else []
        done = subprocess.run([PROGRAM, "analyze", dump, "-f", "json", *args], capture_output=True, text=True, env=env)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertEqual(done.stderr, "")
        return json.loads(done.stdout)

    def cases(self):
        """Every dump, with the crash it is of."""
        return [(how, crash, dump) for how, crash in self.crashes.items() for dump in crash.dumps]

    def trusts(self, how, count):
        """A call of nothing is crossed by the call before the return address; all else is unwound."""
        return (["context", "call-site"] if how == "n" else ["context", "unwind"]) + ["unwind"] * (count - 2)

    def exact(self, record, how, crash, names):
        """All frames of the program, and the one of the system that called it."""
        expected = [crash.fault, *crash.callers]
        frames = record["stack"][:len(expected)]
        self.assertEqual([int(f["ip"], 16) for f in frames], expected)
        self.assertEqual([f["trust"] for f in frames], self.trusts(how, len(expected)))
        self.assertEqual(frames[-1]["module"], "kernel32.dll")
        for i, frame in enumerate(frames[:-1]):
            if how in "nd" and i == 0:  # no function of anybody
                self.assertEqual((frame["module"], frame["symbol"]), (None if how == "n" else "crashes.exe", None))
                continue
            rva = expected[i] - self.map.base
            name, begin = self.map.function(rva - bool(i))
            self.assertEqual((frame["module"], int(frame["offset"], 16)), ("crashes.exe", rva))
            self.assertEqual((frame["symbol"], frame["symbol_from"]), (name, "pdb") if names else (None, None))
            if names:
                self.assertEqual(int(frame["displacement"], 16), rva - begin)

    def outside(self, record, crash):
        """What called the program: with its images at hand the stack is exact to its end."""
        frames = record["stack"][len(crash.callers):]
        self.assertEqual([(f["module"], f["symbol"], f["symbol_from"], f["trust"]) for f in frames],
                         [("kernel32.dll", "BaseThreadInitThunk", "export", "unwind"), ("ntdll.dll", "RtlUserThreadStart", "export", "unwind")])

    def test_the_program_told_what_the_map_says(self):
        deep = ["few_locals", "by_pointer", "large_frame", "saved_vectors", "frame_pointer", *["recursive"] * 4, "begin_work", "entry"]
        wrong = ["call_wrong", "begin_work", "entry"]
        for how, chain in (("f", deep), ("v", deep), ("n", wrong), ("d", wrong)):
            crash = self.crashes[how]
            self.assertEqual(crash.code, 0)
            self.assertEqual([self.map.function(at - self.map.base - 1)[0] for at in crash.callers[:-1]], chain)

    def test_frames_and_names(self):
        for how, crash, dump in self.cases():
            record = self.analyze(dump, self.own)
            self.exact(record, how, crash, names=True)
            if dump == crash.full:
                self.outside(record, crash)

    def test_images_of_the_system_from_a_folder(self):
        """mingw built them: other unwind data, no PDB."""
        for how, crash, dump in self.cases():
            record = self.analyze(dump, self.own, PREFIX / "drive_c/windows/system32")
            self.exact(record, how, crash, names=True)
            self.outside(record, crash)

    def test_images_out_of_full_memory(self):
        for how in "vn":
            crash = self.crashes[how]
            record = self.analyze(crash.full)
            self.exact(record, how, crash, names=False)
            self.outside(record, crash)

    def test_nothing_at_hand(self):
        """Without images no frame is called unwound, and nothing has a name."""
        for crash in self.crashes.values():
            frames = self.analyze(crash.normal)["stack"]
            self.assertEqual(int(frames[0]["ip"], 16), crash.fault)
            self.assertLessEqual({f["trust"] for f in frames[1:]}, {"call-site", "scan"})
            self.assertEqual({f["symbol"] for f in frames}, {None})

    def test_who_and_where(self):
        for how, crash, dump in self.cases():
            record = self.analyze(dump, self.own)
            process, exception, fault = record["process"], record["exception"], record["fault"]
            self.assertEqual((process["name"], process["pid"], process["thread_id"], process["threads"]), ("crashes.exe", crash.pid, crash.tid, 2))
            self.assertNotIn(crash.other, (0, crash.tid))
            self.assertEqual((exception["code"], exception["access"]), ("0xc0000005", "execute" if how in "nd" else "read"))
            self.assertEqual(int(exception["address"], 16), crash.fault if how == "d" else 0)
            self.assertEqual(int(fault["ip"], 16), crash.fault)
            self.assertEqual(record["anomalies"], [])
            at = crash.callers[0] if how in "nd" else crash.fault
            self.assertEqual((record["blame"]["module"], int(record["blame"]["offset"], 16)), ("crashes.exe", at - self.map.base))
            if how in "fv":
                self.assertEqual(fault["module"], "crashes.exe")
                self.assertEqual(int(fault["offset"], 16), crash.fault - self.map.base)
                self.assertEqual(record["bucket"]["id"], "NULL_POINTER_READ_c0000005_crashes.exe!read_field")

    def test_a_call_of_nothing_has_no_instruction(self):
        """Wine puts zeros into the dump where nothing was mapped: they are no instruction, for the processor refused to run them."""
        for dump in self.crashes["n"].dumps:
            fault = self.analyze(dump)["fault"]
            self.assertEqual((fault["ip"], fault["module"], fault["instruction"]), ("0x0", None, None))


def main():
    if not (FIXTURES / "crashes.exe").exists():
        return "skipped: no crashes.exe, which clang, lld and llvm-dlltool would make"
    if not WINE or not SERVER:
        return "skipped: no wine64"
    shutil.rmtree(SCRATCH, ignore_errors=True)
    PREFIX.mkdir(parents=True)
    try:
        why = start()
        if why:
            return f"skipped: Wine does not start here: {why}"
        return unittest.main(argv=sys.argv[:1] + sys.argv[4:], exit=False).result.wasSuccessful()
    finally:
        stop()
        shutil.rmtree(PREFIX, ignore_errors=True)  # 700 MB
        for dump in SCRATCH.glob("*-full.dmp"):
            dump.unlink()


if __name__ == "__main__":
    ended = main()
    if isinstance(ended, str):
        print(ended)
        sys.exit(77)
    sys.exit(0 if ended else 1)
