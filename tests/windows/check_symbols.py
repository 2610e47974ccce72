#!/usr/bin/env python3
"""Dumps of a program whose image and PDB are at hand: the stack that a debugger would show, the names, the bucket.

check_symbols.py DUMPTRIAGE MAKE-SAMPLE FIXTURES SCRATCH

Where frames begin, how large they are and what they are called comes from LLVM's own tools; stale return addresses lie
in the frames, so that a stack which is only scanned is another one.
"""
import hashlib
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import unittest
import uuid

sys.path[:0] = [str(pathlib.Path(__file__).parent.parent / folder) for folder in ("e2e", "support")]
import serving  # noqa: E402
from cabinet import cabinet  # noqa: E402

PROGRAM, MAKE_SAMPLE, FIXTURES, SCRATCH = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
BASE = 0x40000000
LOADED = 0x7FF640000000


def output(*command):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True).stdout


class Image:
    """What LLVM says of frames.dll."""

    def __init__(self):
        dll, pdb = FIXTURES / "frames.dll", FIXTURES / "frames.pdb"
        debug = output("llvm-readobj", "--file-headers", "--coff-debug-directory", dll)
        self.guid = uuid.UUID(bytes_le=bytes.fromhex(re.search(r"PDBGUID: \((.*?)\)", debug)[1])).hex.upper()
        self.age = int(re.search(r"PDBAge: (\d+)", debug)[1])
        self.size = int(re.search(r"SizeOfImage: (\d+)", debug)[1])
        self.stamp = int(re.search(r"TimeDateStamp: .*\((0x[0-9A-F]+)\)", debug)[1], 16)
        self.names = {}  # begin -> name
        for name, off in re.findall(r"S_[GL]PROC32 \[size = \d+\] `(.*?)`\n.*?addr = 0001:(\d+)", output("llvm-pdbutil", "dump", "-symbols", pdb)):
            self.names[0x1000 + int(off)] = name
        self.begins = {name: begin for begin, name in self.names.items()}
        self.frames = {}  # name -> bytes of its frame
        for part in output("llvm-readobj", "--unwind", dll).split("RuntimeFunction")[1:]:
            begin = int(re.search(r"StartAddress: \((0x[0-9A-F]+)\)", part)[1], 16) - BASE
            size = sum(int(n) for n in re.findall(r"ALLOC_\w+ size=(\d+)", part)) + 8 * part.count("PUSH_NONVOL")
            self.frames[self.names[begin]] = size
        self.returns = {}  # (caller, callee) -> return address
        lines = re.findall(r"^\s*([0-9a-f]+): (?:[0-9a-f]{2} )+\s*(\w+)\s*(\S*)", output("llvm-objdump", "-d", dll), re.M)
        for (at, what, operand), (after, _, _) in zip(lines, lines[1:]):
            callee = self.names.get(int(operand, 16) - BASE) if what == "callq" and operand.startswith("0x") else None
            if callee:
                self.returns.setdefault((self.function(int(at, 16) - BASE), callee), int(after, 16) - BASE)

    def function(self, rva):
        return self.names[max(b for b in self.names if b <= rva)] if rva >= min(self.names) else None


class Symbols(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        shutil.rmtree(SCRATCH, ignore_errors=True)
        SCRATCH.mkdir(parents=True)
        cls.image = Image()
        cls.chain = ["leaf", "small_frame", "many_registers", "huge_frame", "run_frames"]

    def dump(self, name, base, module, lines, stack=0x1F0000):
        """A stack of the chain, innermost first, with stale words in its frames."""
        image, at, words = self.image, stack, []
        stale = base + image.returns[("large_frame", "small_frame")]
        for callee, caller in zip(self.chain, self.chain[1:]):
            words.append(f"word {at:#x} {base + image.returns[(caller, callee)]:#x}")
            at += 8
            words.append(f"word {at + 8:#x} {stale:#x}")
            at += image.frames[caller]
        words.append(f"word {at:#x} 0")
        recipe = SCRATCH / f"{name}.recipe"
        rip = base + image.begins["leaf"] + 3
        recipe.write_text("\n".join([l.format(base=base, size=image.size, stamp=image.stamp, guid=image.guid, age=image.age, rip=rip, stack=stack,
                                              module=module, room=0x14000) for l in lines] + words) + "\n")
        path = SCRATCH / f"{name}.dmp"
        subprocess.run([MAKE_SAMPLE, recipe, path], check=True)
        return path

    def user(self, name="user", **more):
        lines = ["kind mdmp", "machine x64", "os 10 0 19045", "time 2024-03-05T10:20:30Z", "pid 5120",
                 "module {module} {base:#x} {size:#x} timestamp={stamp} guid={guid} age={age} pdb=frames.pdb",
                 "thread 101", "thread-stack 101 {stack:#x} {room:#x}", "thread-context 101 rip={rip:#x} rsp={stack:#x}",
                 "exception thread=101 code=0xc0000005 address={rip:#x} info=0,0x10", "context rip={rip:#x} rsp={stack:#x} rax=0x0"]
        return self.dump(name, LOADED, "frames.dll", [more.get("module", l) if l.startswith("module") else l for l in lines] + more.get("extra", []))

    def analyze(self, path, *args, environment=None):
        env = {k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH"} | (environment or {})
        done = subprocess.run([PROGRAM, "analyze", path, "-f", "json", *args], capture_output=True, text=True, env=env)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        return json.loads(done.stdout)

    def exact(self, record, names=True, source="pdb"):
        frames = record["stack"]
        self.assertEqual(len(frames), len(self.chain), [f["offset"] for f in frames])
        for i, frame in enumerate(frames):
            offset = int(frame["offset"], 16)
            self.assertEqual(frame["trust"], "unwind" if i else "context")
            self.assertEqual(self.image.function(offset - bool(i)), self.chain[i])
            if names:
                self.assertEqual(frame["symbol"], self.chain[i])
                self.assertEqual(int(frame["displacement"], 16), offset - self.image.begins[self.chain[i]])
                self.assertEqual(frame["symbol_from"], source)

    def folder(self, *names):
        place = SCRATCH / ("folder-" + "-".join(names))
        place.mkdir(exist_ok=True)
        for name in names:
            shutil.copy(FIXTURES / name, place)
        return place

    def test_the_dump_has_its_images_itself(self):
        """A minidump with full memory: the image lies in it as it was loaded."""
        data = (FIXTURES / "frames.dll").read_bytes()
        lines = [f"bytes {LOADED:#x} {data[:0x400].hex()}"]
        for rva, size, at in re.findall(r"VirtualAddress: (0x[0-9A-F]+)\s+RawDataSize: (\d+)\s+PointerToRawData: (0x[0-9A-F]+)",
                                        output("llvm-readobj", "--sections", FIXTURES / "frames.dll")):
            begin = int(at, 16)
            lines.append(f"bytes {LOADED + int(rva, 16):#x} {data[begin:begin + int(size)].hex()}")
        record = self.analyze(self.user("full", extra=["memory64 yes", "zeros 0x1f0000 0x14000", *lines]))
        self.exact(record, names=False)
        self.assertEqual([f["symbol"] for f in record["stack"]], [None] * 4 + ["run_frames"])

    def test_without_symbols_the_stack_is_another_one(self):
        record = self.analyze(self.user())
        self.assertTrue(all(f["trust"] in ("context", "scan") and f["symbol"] is None for f in record["stack"]))
        self.assertGreater(len(record["stack"]), len(self.chain))

    def test_a_folder_of_binaries(self):
        self.exact(self.analyze(self.user(), "--symbols", self.folder("frames.dll", "frames.pdb")))

    def test_the_environment_of_debuggers(self):
        where = self.folder("frames.dll", "frames.pdb")
        self.exact(self.analyze(self.user(), environment={"_NT_SYMBOL_PATH": f"/nowhere;{where}"}))

    def test_an_image_alone(self):
        record = self.analyze(self.user(), "--symbols", self.folder("frames.dll"))
        self.exact(record, names=False)
        # An export is a name only for its own function.
        self.assertEqual([f["symbol"] for f in record["stack"]], [None] * 4 + ["run_frames"])
        self.assertEqual(record["stack"][4]["symbol_from"], "export")

    def test_a_symbol_store(self):
        store = SCRATCH / "store"
        for name, key in (("frames.dll", f"{self.image.stamp:08X}{self.image.size:x}"), ("frames.pdb", f"{self.image.guid}{self.image.age:x}")):
            (store / name / key).mkdir(parents=True, exist_ok=True)
            shutil.copy(FIXTURES / name, store / name / key)
        self.exact(self.analyze(self.user(), "--symbols", f"srv*{store}"))

    def test_a_breakpad_store(self):
        store, key = SCRATCH / "breakpad", f"{self.image.guid}{self.image.age:x}"
        (store / "frames.pdb" / key).mkdir(parents=True, exist_ok=True)
        ends = sorted(self.image.names) + [0x1600]
        rows = [f"FUNC {b:x} {e - b:x} 0 {self.image.names[b]}" for b, e in zip(ends, ends[1:])]
        (store / "frames.pdb" / key / "frames.sym").write_text("\n".join([f"MODULE windows x86_64 {key} frames.pdb"] + rows) + "\n")
        record = self.analyze(self.user(), "--symbols", f"{self.folder('frames.dll')};srv*{store}")
        self.exact(record, source="sym")

    def test_a_breakpad_store_without_images(self):
        """The rules for registers stand in the .sym file: here from the frames that LLVM reads."""
        store, key = SCRATCH / "breakpad-cfi", f"{self.image.guid}{self.image.age:x}"
        (store / "frames.pdb" / key).mkdir(parents=True, exist_ok=True)
        ends = sorted(self.image.names) + [0x1600]
        rows = [f"FUNC {b:x} {e - b:x} 0 {self.image.names[b]}" for b, e in zip(ends, ends[1:])]
        for b, e in zip(ends, ends[1:]):
            rows.append(f"STACK CFI INIT {b:x} {e - b:x} .cfa: $rsp 8 + .ra: .cfa 8 - ^")
            size = self.image.frames.get(self.image.names[b], 0)
            if size:
                rows.append(f"STACK CFI {b + 1:x} .cfa: $rsp {size + 8} +")
        (store / "frames.pdb" / key / "frames.sym").write_text("\n".join([f"MODULE windows x86_64 {key} frames.pdb"] + rows) + "\n")
        self.exact(self.analyze(self.user(), "--symbols", f"srv*{store}"), source="sym")

    def packed_store(self, name, damage=False):
        store = SCRATCH / name
        for file, key in (("frames.dll", f"{self.image.stamp:08X}{self.image.size:x}"), ("frames.pdb", f"{self.image.guid}{self.image.age:x}")):
            (store / file / key).mkdir(parents=True, exist_ok=True)
            data = cabinet((FIXTURES / file).read_bytes(), file)
            (store / file / key / (file[:-1] + "_")).write_bytes(data[:-60] + bytes(60) if damage else data)
        return f"srv*{store}"

    def test_compressed_files(self):
        self.exact(self.analyze(self.user(), "--symbols", self.packed_store("packed")))

    def test_compressed_files_that_are_damaged(self):
        record = self.analyze(self.user(), "--symbols", self.packed_store("damaged", damage=True))
        self.assertTrue(all(f["trust"] in ("context", "scan") for f in record["stack"]))
        self.assertTrue(any("compressed file" in n["text"] for n in record["notes"]), record["notes"])

    def test_another_build_is_refused(self):
        where = SCRATCH / "other"
        where.mkdir(exist_ok=True)
        shutil.copy(FIXTURES / "frames-o0.dll", where / "frames.dll")
        record = self.analyze(self.user(), "--symbols", where)
        self.assertTrue(all(f["trust"] in ("context", "scan") for f in record["stack"]))
        self.assertTrue(any("frames.dll is not used" in n["text"] for n in record["notes"]), record["notes"])

    def kernel(self, code=None):
        """The same functions as a driver that reads through a bad pointer at a raised IRQL."""
        base, stack, kernel = 0xFFFFF80640000000, 0xFFFFA70000001000, 0xFFFFF80000000000
        trap, at = stack + 0x80, stack + 0x210
        lines = ["kind triage", "machine x64", "build 19041", "time 2024-03-05T10:20:30Z", "bugcheck 0xd1 0x8 0x2 0x0 {rip:#x}",
                 f"module ntoskrnl.exe {kernel:#x} 0x1046000", "module {module} {base:#x} {size:#x} timestamp={stamp}",
                 f"stack {stack:#x} 0x14000", f"context rip={kernel + 0x3f0000:#x} rsp={stack:#x}",
                 f"trap-frame {trap:#x} rip={{rip:#x}} rsp={at:#x} irql=2 address=8"] + ([code] if code else [])
        return self.dump("kernel", base, "frames.dll", lines, stack=at)

    def test_the_bucket_of_windbg(self):
        record = self.analyze(self.kernel())
        self.assertIsNone(record["bucket"]["id"])
        record = self.analyze(self.kernel(), "--symbols", self.folder("frames.dll", "frames.pdb"))
        self.exact(record)
        self.assertEqual(record["bucket"]["id"], "AV_frames!leaf")
        self.assertEqual(record["bucket"]["hash"], "{%s}" % uuid.UUID(bytes_le=hashlib.md5("km:av_frames!leaf".encode("utf-16-le")).digest()))

    def test_a_scan_gives_its_workers_the_files(self):
        """The worker has no files of its own: it asks, and is answered with descriptors."""
        where, part = self.folder("frames.dll", "frames.pdb"), SCRATCH / "scan.jsonl"
        for args, expected in (((), None), (("--symbols", where), "AV_frames!leaf"),
                               (("--symbols", self.packed_store("packed")), "AV_frames!leaf")):
            part.unlink(missing_ok=True)
            done = subprocess.run([PROGRAM, "scan", self.kernel(), "--out", part, "--quiet", *args], capture_output=True, text=True,
                                  env={k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH"})
            self.assertEqual(done.returncode, 0, done.stderr)
            record = next(r for r in map(json.loads, part.read_text().splitlines()) if "stack" in r)
            self.assertEqual(record["bucket"]["id"], expected)
            if expected:
                self.exact(record)

    def symbols(self, *args):
        env = {k: v for k, v in os.environ.items() if k != "_NT_SYMBOL_PATH"}
        return subprocess.run([PROGRAM, "symbols", *args], capture_output=True, text=True, env=env)

    def test_a_server_gives_its_workers_the_files(self):
        db = SCRATCH / "serve.db"
        for path in SCRATCH.glob("serve.db*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        server = serving.Serve(PROGRAM, db, "--symbols", self.folder("frames.dll", "frames.pdb"), log=SCRATCH / "serve.log")
        try:
            answer = server.upload(("kernel.dmp", self.kernel().read_bytes()))
            self.assertEqual(answer.status, 200, answer.text)
            crash = server.get(f"/api/v1/crashes/{answer.json['crashes'][0]['id']}?raw=1")
            self.assertEqual(crash.json["bucket"]["id"], "AV_frames!leaf", crash.text)
            self.exact(crash.json)
        finally:
            server.stop()

    def test_a_store_is_filled_and_used(self):
        store = SCRATCH / "filled"
        shutil.rmtree(store, ignore_errors=True)
        done = self.symbols("add", store, FIXTURES)
        self.assertEqual(done.returncode, 0, done.stderr)
        key = f"{self.image.guid}{self.image.age:x}"
        self.assertIn(f"added  frames.pdb/{key}/frames.pdb\n", done.stdout)
        self.assertEqual((store / "frames.pdb" / key / "frames.pdb").read_bytes(), (FIXTURES / "frames.pdb").read_bytes())
        self.assertFalse(list(store.rglob("*.obj")) + list(store.rglob("*.partial*")))
        self.exact(self.analyze(self.user(), "--symbols", f"srv*{store}"))
        done = self.symbols("add", store, FIXTURES / "frames.dll")
        self.assertEqual(done.stdout.splitlines()[-1], "0 added, 1 known already, 0 neither images nor symbols, 0 failed")

    def test_what_a_store_cannot_take(self):
        store = SCRATCH / "unfilled"
        shutil.rmtree(store, ignore_errors=True)
        data = bytearray((FIXTURES / "frames.dll").read_bytes())
        pe = int.from_bytes(data[0x3c:0x40], "little")
        data[pe + 8:pe + 12] = bytes(4)
        odd = SCRATCH / "odd"
        odd.mkdir(exist_ok=True)
        (odd / "timeless.dll").write_bytes(data)
        (odd / "cut.dll").write_bytes(data[:0x500])
        (odd / "text.txt").write_text("words")
        done = self.symbols("add", store, odd)
        self.assertEqual(done.returncode, 1)
        self.assertIn("timeless.dll: it has no time stamp", done.stderr)
        self.assertIn("cut.dll: PE file: a section", done.stderr)
        self.assertIn("0 added, 0 known already, 1 neither images nor symbols, 2 failed", done.stdout)
        done = self.symbols("add", store, odd / "text.txt", odd / "absent")
        self.assertEqual(done.returncode, 1)
        self.assertIn("it begins with 'words'", done.stderr)
        self.assertIn("absent", done.stderr)
        # the store comes first
        done = self.symbols("add", odd / "text.txt", FIXTURES / "frames.dll")
        self.assertEqual(done.returncode, 2)
        self.assertIn("text.txt is no folder: the store comes first", done.stderr)
        self.assertNotIn("frames.dll", done.stderr)
        self.assertEqual((odd / "text.txt").read_text(), "words")
        # a store that does not take it is named beside the file
        full = SCRATCH / "full"
        full.mkdir(exist_ok=True)
        (full / "frames.dll").write_text("in the way")
        done = self.symbols("add", full, FIXTURES / "frames.dll")
        self.assertEqual(done.returncode, 3)
        self.assertIn(f"frames.dll: cannot be kept in {full}: Not a directory", done.stderr)

    def test_what_is_at_hand_for_a_dump(self):
        rows = lambda done: {l.split()[0]: l.split()[1:] for l in done.stdout.splitlines()[1:] if l and not l.startswith(" ")}
        done = self.symbols("list", self.user(), "--symbols", self.folder("frames.dll", "frames.pdb"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rows(done)["frames.dll"], ["file", "pdb"])
        self.assertIn("1 module: images of 1, symbols of 1 at hand", done.stdout)
        done = self.symbols("list", self.user(), "--symbols", SCRATCH / "nowhere")
        self.assertEqual(rows(done)["frames.dll"], ["-", "-"])
        self.assertIn(f"image: not found as frames.dll/{self.image.stamp:08X}{self.image.size:x}", done.stdout)
        self.assertIn(f"symbols: not found under {self.image.guid}{self.image.age:x}", done.stdout)
        where = SCRATCH / "another"
        where.mkdir(exist_ok=True)
        shutil.copy(FIXTURES / "frames-o0.dll", where / "frames.dll")
        done = self.symbols("list", self.user(), "--symbols", where)
        self.assertIn("the file at hand for frames.dll is not used: its debug identity is", done.stdout)
        timeless = "module {module} {base:#x} {size:#x} timestamp=0"
        done = self.symbols("list", self.user("timeless", module=timeless), "--symbols", SCRATCH / "nowhere")
        self.assertEqual(rows(done)["frames.dll"], ["-", "-"])
        self.assertIn("image: the dump has no time stamp of it", done.stdout)
        self.assertEqual(self.symbols("list", FIXTURES / "frames.obj").returncode, 1)
        self.assertIn("no place to look was given", self.symbols("list", self.user()).stdout)

    def test_carriers_of_ones_own(self):
        dump, where = self.kernel(), self.folder("frames.dll", "frames.pdb")
        own = SCRATCH / "own.conf"
        self.assertEqual(self.analyze(dump, "--symbols", where)["blame"]["offset"], hex(self.image.begins["leaf"] + 3))
        own.write_text("kernel frames.dll!leaf ignore\nkernel frames.dll!small* ignore\n")
        record = self.analyze(dump, "--symbols", where, "--carriers", own)
        self.assertEqual(record["blame"]["module"], "frames.dll")
        self.assertEqual(record["blame"]["offset"], hex(self.image.returns[("many_registers", "small_frame")]))
        own.write_text("kernel frames.dll ignore\n")
        self.assertIsNone(self.analyze(dump, "--symbols", where, "--carriers", own)["blame"]["module"])
        # A folder of signatures brings its own.
        folder = SCRATCH / "rules"
        folder.mkdir(exist_ok=True)
        (folder / "carriers.conf").write_text("kernel frames.dll ignore\n")
        shutil.copy(pathlib.Path(__file__).resolve().parents[2] / "signatures/crowdstrike-channel-file-291.yml", folder)
        self.assertIsNone(self.analyze(dump, "--symbols", where, "--signatures", folder)["blame"]["module"])
        own.write_text("# mine\nkernel frames.dll never\n")
        done = subprocess.run([PROGRAM, "analyze", dump, "--carriers", own], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertIn("own.conf:2:19: expected ignore, maybe or last, found 'never'", done.stderr)

    def flags_of_code(self, path, flags):
        """Of the first section, which is .text."""
        data = bytearray(path.read_bytes())
        pe = struct.unpack_from("<I", data, 0x3c)[0]
        struct.pack_into("<I", data, pe + 24 + struct.unpack_from("<H", data, pe + 20)[0] + 36, flags)
        path.write_bytes(data)

    def test_code_that_is_not_what_the_file_has(self):
        """The dump holds the instruction that failed; a bit of it, or more, is another."""
        where = SCRATCH / "folder-code"
        shutil.copytree(self.folder("frames.dll", "frames.pdb"), where)
        data, begin = (FIXTURES / "frames.dll").read_bytes(), self.image.begins["leaf"] + 3
        section = re.search(r"VirtualAddress: 0x1000\s+RawDataSize: \d+\s+PointerToRawData: (0x[0-9A-F]+)",
                            output("llvm-readobj", "--sections", FIXTURES / "frames.dll"))
        code = bytearray(data[int(section[1], 16) + begin - 0x1000:][:16])
        base = 0xFFFFF80640000000

        def judged(changed):
            line = f"bytes {base + begin:#x} {bytes(changed).hex()}"
            record = self.analyze(self.kernel(code=line), "--symbols", where)
            return record, [a["kind"] for a in record["anomalies"]]

        record, kinds = judged(code)
        self.assertNotIn("code-differs", kinds)
        self.assertEqual(record["blame"]["module"], "frames.dll")
        one = bytearray(code)
        one[2] ^= 0x08
        record, kinds = judged(one)
        self.assertIn("one-bit-code", kinds)
        self.assertIsNone(record["blame"]["module"])
        self.assertIn("other code of frames.dll", record["blame"]["reason"])
        self.assertEqual(record["verdict"]["class"], "undetermined")
        self.assertEqual(record["bucket"]["id"], "MEMORY_CORRUPTION_ONE_BIT")
        more = bytearray(code)
        more[1] ^= 0x0C
        more[2] ^= 0x08
        record, kinds = judged(more)
        self.assertIn("code-differs", kinds)
        self.assertIsNone(record["bucket"]["id"])
        said = next(a["text"] for a in record["anomalies"] if a["kind"] == "code-differs")
        self.assertIn(f"is {bytes(more[:3]).hex(' ')}", said)
        self.assertIn(f"and {bytes(code[:3]).hex(' ')}", said)
        # An address that Windows put into an instruction at its start; another program altogether.
        other = bytes(b ^ 0x11 for b in code)
        for there in (b"\x48\xb8" + struct.pack("<Q", 0xFFFFF68000000000) + code[10:], other):
            record, kinds = judged(there)
            self.assertFalse({"code-differs", "one-bit-code"} & set(kinds), there)
        self.assertTrue([n for n in record["notes"] if "nothing is concluded" in n["text"]], record["notes"])
        # What patches put there proves nothing; without the image nothing is known.
        for patch in (b"\xcc", b"\xe9\x00\x10\x00\x00", b"\x90"):
            record, kinds = judged(bytearray(patch) + code[len(patch):])
            self.assertFalse({"code-differs", "one-bit-code"} & set(kinds), patch)
        # Nor is it where the section is data, may be written, or is dropped after the start.
        for flags in (0x40000040, 0xE0000020, 0x62000020):
            self.flags_of_code(where / "frames.dll", flags)
            record, kinds = judged(one)
            self.assertEqual(kinds, [], hex(flags))
            self.assertEqual(record["blame"]["module"], "frames.dll")
        record = self.analyze(self.kernel(code=f"bytes {base + begin:#x} {bytes(one).hex()}"))
        self.assertFalse({"code-differs", "one-bit-code"} & {a["kind"] for a in record["anomalies"]})

    def test_wrong_use(self):
        for args in ((), ("list",), ("add", "x"), ("remove", "x"), ("list", "a", "b"), ("list", "a", "--symbols-timeout", "0")):
            self.assertEqual(self.symbols(*args).returncode, 2, args)

    def test_a_word_that_is_not_known(self):
        done = subprocess.run([PROGRAM, "analyze", self.user(), "--symbols", "svr*/x"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("svr*", done.stderr)


if __name__ == "__main__":
    if not (FIXTURES / "frames.dll").exists() or not shutil.which("llvm-readobj"):
        print("skipped: no fixtures, or no llvm-readobj")
        sys.exit(77)
    unittest.main(argv=sys.argv[:1] + sys.argv[5:])
