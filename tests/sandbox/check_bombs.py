#!/usr/bin/env python3
"""A file for each limit of limits.h, and files that lead in circles: what is over a limit is said in the words of the limit, nobody dies of it,
and what stands beside it is read. A limit that no file can meet is listed with the reason; one that is in neither list makes this fail.

usage: check_bombs.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import gzip
import http.server
import json
import os
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import threading
import time
import zipfile

import bombs
from bombs import MIB, MODULE_BASE, Program, recipe, record, signature, words, zipped

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "support"))
from cabinet import cabinet  # noqa: E402

PROGRAM, BUILDER = (os.path.abspath(path) for path in sys.argv[1:3])
SOURCE, SCRATCH = (pathlib.Path(path).resolve() for path in sys.argv[3:5])
MOST_MEMORY = 700  # MB of any process: the sanitizers' own is in it
DEADLINE = 30      # s for one input, as everywhere

EXCUSED = {
    "DT_MAX_ARCHIVE_TOTAL": "an archive of 82 MiB that unpacks to 16 GiB: its job's deadline ends it first; the code is that of DT_MAX_ARCHIVE_BASE",
    "DT_MAX_MISSING": "65,536 questions to a symbol server that has none of the files; tests/windows/check_fetch.py has the rest of that cache",
    "DT_MAX_MAPPINGS": "is the sum of what DT_MAX_SYMBOL_FILES allows and of the program's own files: that one is met first (unit_base_mapping)",
    "DT_MAX_BINARY_DEPTH": "binary records come from the program's own worker and store, never from outside (unit_model_codec, fuzz_record)",
}


def number_of(text):
    """The value of a macro: a number, or a product, shift or sum of numbers and other macros."""
    plain = re.sub(r"UINT64_C\((\d+)\)", r"\1", re.sub(r"(?<=\d)u\b", "", text))
    return eval(plain, {"__builtins__": {}}, LIMITS)  # of our own header


LIMITS = {}
for found in re.finditer(r"^#define (DT_MAX_\w+) +(.+?)(?: */\*.*)?$", (SOURCE / "analyzer/core/base/limits.h").read_text(), re.M):
    LIMITS[found.group(1)] = number_of(found.group(2))


# ---- dumps and archives that lie on a share ----------------------------------------------------------

KERNEL = 0xFFFFF80208800000  # of the recipes
PROCESSORS = KERNEL + 0xC2A2D0 + 0x800  # of its array of processor blocks, which the recipes fill for 64
ENTRY = 0xFFFFD00030000800   # of its list of modules, the first driver's


def build(text):
    made = SCRATCH / "made"
    (SCRATCH / "made.recipe").write_text(text)
    subprocess.run([BUILDER, str(SCRATCH / "made.recipe"), str(made)], check=True)
    return made.read_bytes()


def sample(name):
    return build(recipe(SOURCE, name))


def page_tables_of_themselves():
    """Each entry of the top page table is the page of that table: whatever address is asked for ends in it."""
    data = bytearray(sample("full-1"))
    root = struct.unpack_from("<Q", data, 0x10)[0] & ~0xFFF
    runs, at, off = struct.unpack_from("<I", data, 0x88)[0], 0x98, 0x2000
    for _ in range(runs):
        first, pages = struct.unpack_from("<QQ", data, at)
        if first <= root >> 12 < first + pages:
            off += (root >> 12) - first << 12
            break
        off += pages << 12
        at += 16
    data[off:off + 0x1000] = struct.pack("<Q", root | 0x63) * 512
    return bytes(data)


def memory(*lines):
    return lambda: build(recipe(SOURCE, "full-1", *lines))


# name, bytes (or parts: bytes, and numbers of zeros that take no room; None: it is there already), words of which one must be in the record; "":
# that it has one is all
SHARE = {
    "DT_MAX_MEMBERS": ("many.zip", lambda: zipped([(f"{i}.txt", b"") for i in range(10001)], zipfile.ZIP_STORED), ["more than 10000 members"]),
    "DT_MAX_MEMBER": ("hole.tar", lambda: bombs.sparse_tar(5 << 30), ["the member is larger than 4294967296 bytes"]),
    "DT_MAX_MEMBER_NAME": ("name.zip", lambda: zipped([("n" * 5000 + ".dmp", b"PAGEDU64")]), ["the file ends"]),
    "DT_MAX_ARCHIVE_RATIO": ("ratio.zip", lambda: zipped([("zeros.dmp", bytes(80 * MIB))]), ["unpacks to more than"]),
    "DT_MAX_ARCHIVE_BASE": ("base.gz", lambda: gzip.compress(b"PAGEDU64" * (16 << 20)), ["unpacks to more than"]),
    # The sandbox, which the sanitizers do without, has no room for it.
    "xz, a dictionary of 768 MiB": ("dictionary.xz", lambda: bombs.xz(35), ["cannot be unpacked", "cannot be read", "the file ends at 0x8"]),
    "zstd, a window of 2 GiB": ("window.zst", lambda: bombs.zstd(31), ["requires too much memory"]),
    "a report without end": ("reported/report.dmp", lambda: sample("user-jit"), [""]),
    "archive in archive": ("nested.zip", lambda: zipped([("inner.zip", zipped([("a.dmp", b"PAGEDU64")]))]), ["archive inside an archive"]),
    "DT_MAX_STREAMS": ("streams.dmp", lambda: bombs.mdmp([(0, 0, 0)] * 5000), ["4096", "streams"]),
    "DT_MAX_STREAMS, a lie": ("streams-lie.dmp", lambda: bombs.mdmp([(0, 0, 0)], 0xFFFFFFFF), ["4294967295", "directory"]),
    "DT_MAX_ARENA": ("arena.dmp", bombs.scattered_bitmap, ["the facts of this dump need more than 48 MiB"]),
    "DT_MAX_RANGES": ("ranges.dmp", bombs.many_ranges, ["262144", "ranges"]),
    "DT_MAX_MODULES": ("modules.dmp", bombs.many_modules, ["the first 4096 are read"]),
    "DT_MAX_THREADS": ("threads.dmp", bombs.many_threads, ["the first 4096 are read"]),
    "DT_MAX_UNLOADED": ("unloaded.dmp", bombs.many_unloaded, ["600 entries, the first 512 are read"]),
    "DT_MAX_HANDLES": ("handles.dmp", bombs.many_handles, ["by type the first 1,048,576"]),
    "DT_MAX_HANDLE_TYPES": ("types.dmp", bombs.many_handle_types, ["65 of other types"]),
    "DT_MAX_TEXTS": ("annotations.dmp", bombs.many_annotations, ["more than 64; the rest is not read"]),
    "DT_MAX_NOTES": ("notes.dmp", bombs.many_notes, ["more notes are left out"]),
    "DT_MAX_RECORD": ("names.dmp", bombs.endless_names, ["the record would be over 8 MiB"]),
    "DT_MAX_STACK_SCAN": ("stack.dmp", bombs.large_stack, ["0x200000 bytes, the first 1048576 are looked at"]),
    "DT_MAX_FRAMES": ("frames.dmp", bombs.many_frames, ["frames; the rest is not walked"]),
    "DT_MAX_HASHED_FILE": ("large.dmp", lambda: [Program().modules([("a.exe", 4096, False)]).done(), 65 * MIB], [""]),
    "DT_MAX_BLOBS": ("blobs.dmp", lambda: build(bombs.blobs(SOURCE)), ["more than 1024 blobs"]),
    "DT_MAX_LISTED_BLOBS": ("blobs.dmp", None, ["more than 128 blobs; the rest is not listed"]),
    "DT_MAX_SLOW_IO": ("blobs.dmp", None, ["more than 64; the rest is not listed"]),
    "DT_MAX_PCI": ("blobs.dmp", None, ["more than 256; the rest is not listed"]),
    "DT_MAX_DUMP_STRING": ("string.dmp", memory(f"poke {ENTRY + 0x58:#x} feff"), ["a name of more than 1024 bytes is not read"]),
    "DT_MAX_PROCESSORS": ("processors.dmp", memory("processors 300", f"poke {PROCESSORS + 8 * 64:#x} {KERNEL.to_bytes(8, 'little').hex() * 236}"),
                          ["more than 256; the rest is not listed"]),
    "DT_MAX_KERNEL_STACK": ("kernel-stack.dmp", memory("context rip=0xfffff80208bfd890 rsp=0xffffae0370000000", "zeros 0xffffae0370000000 0x90000"),
                            ["no end within 524288 bytes"]),
    "DT_MAX_SECTION_SEARCH": ("section.dmp", lambda: build(recipe(SOURCE, "elf-encoded", "encoded otherwise", f"poke {KERNEL + 0x190:#x} 0000007f")),
                              ["no block in the first 8388608 bytes"]),
    "list of modules in a circle": ("list.dmp", lambda: sample("full-list-cycle"), ["cannot be followed"]),
    "page tables of themselves": ("tables.dmp", page_tables_of_themselves, ["not in the dump", "not known"]),
    "frames of themselves": ("stack-cycle.dmp", bombs.stack_cycle, ["the rest is not walked"]),
    "exceptions in a circle": ("self.dmp", lambda: sample("record-self-reference"), [""]),
    "handles in a circle": ("handle-cycle.dmp", lambda: sample("mdmp-handle-cycle"), [""]),
    "regions without end": ("regions.dmp", bombs.memory_info_cycle, [""]),
    "ranges in ranges": ("overlap.dmp", bombs.overlapping_ranges, [""]),
}


# ---- dumps that ask for symbols ----------------------------------------------------------------------

def frames_in(names, size=0x10000, known=True):
    rows = [(name, size, known) for name in names]
    return Program().modules(rows).crash(words([MODULE_BASE + i * size + 0x1800 for i in range(len(rows))])).done()


def put(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as out:
        for part in data if isinstance(data, list) else [data]:
            if isinstance(part, int):
                out.seek(part, os.SEEK_CUR)
            else:
                out.write(part)
        out.truncate(out.tell())


def symbol_files(name, store, image=None, sym=None, pdb=None, suffix=""):
    """What a store has of a module: its image, and symbols."""
    stem = name.rpartition(".")[0]
    if image:
        put(store / name / "6000000010000" / (name[:-1] + suffix if suffix else name), image)
    for kind, data in ((".sym", sym), (".pdb", pdb)):
        if data:
            put(store / f"{stem}.pdb" / f"{bombs.KEY}1" / f"{stem}{kind}", data)


def many_files(store):
    names = [f"m{i:03}.dll" for i in range(60)]
    for name in names:
        symbol_files(name, store, image=bombs.image(0x10000), sym=bombs.sym("a.pdb"))
    return frames_in(names)


def many_questions(store):
    """All modules have one name, and nine folders have files of it: none is the one."""
    for folder in range(9):
        for kind, data in (("dll", bombs.image(0x20000)), ("pdb", b"no PDB"), ("sym", b"no symbols")):
            put(store / f"../wrong-{folder}/same.{kind}", data)
    return frames_in(["same.dll"] * 64)


def one(name, **files):
    def make(store):
        symbol_files(name, store, **{key: value() if callable(value) else value for key, value in files.items()})
        return frames_in([name])
    return make


SYMBOLS = {
    "DT_MAX_SYMBOL_FILES": ("files.dmp", many_files, ["more than 96 files"]),
    "DT_MAX_ASKS": ("questions.dmp", many_questions, ["more than 1024 questions"]),
    "DT_MAX_ASK_TEXT": ("long.dmp", lambda store: frames_in(["n" * 600 + ".dll"]), ["of more than 512 bytes"]),
    "DT_MAX_UNPACKED_SYMBOLS": ("cabinet.dmp", one("packed.dll", image=cabinet(b"x", "a.dll", 600 * MIB), suffix="_"), ["it says that it holds 629145600 bytes"]),
    "DT_MAX_SYM_ROWS": ("rows.dmp", one("rows.dll", sym=lambda: bombs.sym("a.pdb", 512 * 1024 + 1)), ["more than 524288 functions"]),
    "unwind information in a circle": ("chain.dmp", one("chain.dll", image=bombs.chained_image), [""]),
    "streams that are all the same": ("overlap-pdb.dmp", one("overlap.dll", pdb=bombs.overlapping_pdb), [""]),
}


# ---- files that are given to a command ----------------------------------------------------------------

ALIASES = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]"] + [f"{c}: &{c} [{', '.join(['*' + b] * 9)}]" for b, c in zip("abcdefgh", "bcdefghi")]).encode()
PART = b'{"schema":"dumptriage.part/1","run":"00","shard":0,"shards":1}\n'
SHOW, CHECK, MERGE = ("show",), ("signatures", "check"), ("merge", "--db", SCRATCH / "merged.db")


def in_list(limit, *path):
    """A record that has one entry more in a list than it may have."""
    def make():
        value = [{}] * (LIMITS[limit] + 1)
        for part in reversed(path):
            value = {part: value}
        return record(**value)
    return make


# file, bytes, command, words
FILES = {
    "DT_MAX_JSON": ("long.json", lambda: [record()[:-1] + b', "x": "', b"x" * (33 * MIB), b'"}\n'], SHOW, ["at most 33554432 bytes"]),
    "DT_MAX_JSON, a line of a scan's part": ("long.jsonl", lambda: [PART, b'{"x":"', b"x" * (33 * MIB), b'"}\n'], MERGE, ["is longer than a record can be"]),
    "DT_MAX_JSON_VALUES": ("values.json", lambda: b"[" + b"0," * (MIB + 1) + b"0]", SHOW, ["1048576 values"]),
    "JSON, deep": ("deep.json", lambda: b"[" * 900000, SHOW, ["not JSON"]),
    "DT_MAX_TEXT": ("text.json", lambda: record(crash_id="x" * 32769), SHOW, ["at most 32768 bytes"]),
    "DT_MAX_HEXBYTES": ("bytes.json", lambda: record(fault={"bytes": "00" * 4097}), SHOW, ["at most 4096 bytes"]),
    "DT_MAX_REGISTERS": ("registers.json", lambda: record(registers={f"r{i}": None for i in range(41)}), SHOW, ["at most 40"]),
    "DT_MAX_SUSPECTS": ("suspects.json", in_list("DT_MAX_SUSPECTS", "suspects"), SHOW, ["a list of at most 16"]),
    "DT_MAX_ANOMALIES": ("anomalies.json", in_list("DT_MAX_ANOMALIES", "anomalies"), SHOW, ["a list of at most 16"]),
    "DT_MAX_CANDIDATES": ("candidates.json", in_list("DT_MAX_CANDIDATES", "blame", "candidates"), SHOW, ["a list of at most 8"]),
    "DT_MAX_EVIDENCE": ("evidence.yml", lambda: signature(selections=[f"  a{i}:\n    fault.module: x.sys" for i in range(33)], condition="a0"), CHECK,
                        ["more than 32 selections"]),
    "DT_MAX_RULE_FILE": ("large.yml", lambda: b"#" * (MIB + 1), CHECK, ["more than 1048576 bytes"]),
    "DT_MAX_RULE_NODES": ("nodes.yml", lambda: signature(references=["x"] * 4200), CHECK, ["too many values"]),
    "DT_MAX_RULE_DEPTH": ("deep.yml", lambda: b"a: " + b"[" * 1000, CHECK, ["nested too deep"]),
    "a condition, deep": ("condition.yml", lambda: signature(condition="(" * 40 + "a" + ")" * 40), CHECK, ["nested too deep"]),
    "DT_MAX_VULNERABLE_FILE": ("vulnerable/vulnerable-drivers.tsv", lambda: b"#" * (8 * MIB + 1), CHECK, ["at most 8388608"]),
    "DT_MAX_CARRIERS": ("rows/carriers.conf", lambda: "".join(f"kernel a{i}.sys ignore\n" for i in range(4097)).encode(), CHECK, ["more than 4096 rows"]),
    "DT_MAX_RULES": ("rules/0000.yml", lambda: signature("r-0000"), CHECK, ["more than 4096 rules"]),
    "aliases of aliases": ("aliases.yml", lambda: ALIASES, CHECK, ["are not part of the rule language"]),
    "a pattern, deep": ("pattern.yml", lambda: signature(selections=["  a:\n    fault.module|re: '" + "(" * 40 + "a" + ")" * 40 + "'"]), CHECK,
                        ["the regular expression: "]),
}

# Signatures under which a dump is read, and what the record has then.
RULES = {"DT_MAX_MATCHES": 64, "DT_MAX_FINDINGS": 16}


class Endless(http.server.BaseHTTPRequestHandler):
    """A symbol server whose PDBs say that they have two gigabytes, and whose images say nothing and do not end. The images of the first are absent."""

    def do_GET(self):
        is_pdb = self.path.endswith(".pdb")
        self.send_response(200 if is_pdb or "far" not in self.path else 404)
        if is_pdb:
            self.send_header("Content-Length", str(2 << 30))
        self.end_headers()
        if not is_pdb and "far" in self.path:
            return
        try:
            while True:
                self.wfile.write(bytes(65536))
        except OSError:
            pass

    def log_message(self, *_):
        pass


# ---- what is done with them ----------------------------------------------------------------------------

bad = done = peak = 0


def judge(limit, right, said):
    global bad, done
    done += 1
    bad += not right
    print(f"{'ok ' if right else 'BAD'} {limit}: {said[:200]}")


# A process begins with the peak of whoever started it, and this one has held large files.
LAUNCHER = """import pathlib, resource, subprocess, sys
status = subprocess.run(sys.argv[2:]).returncode
pathlib.Path(sys.argv[1]).write_text(str(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024))
sys.exit(status if status >= 0 else 128 - status)"""


def run(*command):
    """The program; no process of it may need more memory than all are allowed."""
    global peak
    out = subprocess.run([sys.executable, "-c", LAUNCHER, str(SCRATCH / "peak"), PROGRAM, *map(str, command)], capture_output=True, text=True,
                         errors="replace", timeout=300)
    peak = max(peak, int((SCRATCH / "peak").read_text()))
    return out


def scan(folder, part, *options):
    """Its records; a good dump that lies beside the bombs must have been read."""
    if not (folder / "zz-good.dmp").exists():
        put(folder / "zz-good.dmp", sample("csagent-50"))
    start = time.monotonic()
    out = run("scan", folder, "--out", SCRATCH / part, "--jobs", 2, "--deadline", DEADLINE, "-q", *options)
    assert out.returncode == 0, (out.returncode, out.stderr[-2000:])
    print(f"    {part}: {time.monotonic() - start:.1f} s")
    records = [json.loads(line) for line in (SCRATCH / part).read_text().splitlines()]
    records = [record for record in records if record.get("schema") == "dumptriage.crash/1"]
    good = [record for record in records if record["file"]["name"] == "zz-good.dmp"]
    assert good and not good[0]["failure"] and good[0]["fault"]["module"] == "csagent.sys", "the dump among the bombs was not read"
    return records


def said_of(records, name):
    mine = [record for record in records if (record["file"]["container"] or {}).get("archive", record["file"]["path"]).endswith("/" + name)]
    texts = [text for record in mine for text in [(record["failure"] or {}).get("text"), *(note["text"] for note in record["notes"])] if text]
    died = [record for record in mine if record["failure"] and record["failure"]["kind"] in ("signal", "deadline")]
    return mine, " | ".join(sorted(set(texts))), died


def judge_all(table, records):
    for limit, (name, _, words_of) in table.items():
        mine, said, died = said_of(records, name)
        judge(limit, bool(mine) and not died and any(word in said for word in words_of), said)


def on_a_share():
    share = SCRATCH / "share"
    for name, make, _ in SHARE.values():
        if make:
            put(share / name, make())
    put(share / "reported/Report.wer", ["\ufeffA=1\r\n".encode("utf-16-le"), 1 << 30])
    records = scan(share, "share.jsonl")
    judge_all(SHARE, records)
    large, named = said_of(records, "large.dmp")[0][0]["file"], len(said_of(records, "name.zip")[0][0]["file"]["container"]["member"])
    judge("DT_MAX_HASHED_FILE, as documented", large["sha256"] is None, f"SHA-256 of {large['size']} bytes: {large['sha256']}")
    judge("DT_MAX_MEMBER_NAME, as documented", named == LIMITS["DT_MAX_MEMBER_NAME"], f"cut at {named} bytes")


def with_symbols():
    share, store = SCRATCH / "asking", SCRATCH / "symbols"
    for name, make, _ in SYMBOLS.values():
        put(share / name, make(store))
    folders = [str(SCRATCH / f"wrong-{i}") for i in range(9)]
    judge_all(SYMBOLS, scan(share, "symbols.jsonl", "--symbols", ";".join([f"srv*{store}", *folders])))


def from_a_server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, module, options in (("DT_MAX_DOWNLOAD", "far.dll", ()), ("a download without end", "endless.dll", ("--symbols-max", "4M"))):
        share, cache = SCRATCH / f"server-{module}", SCRATCH / f"cache-{module}"
        put(share / "download.dmp", frames_in([module]))
        start = time.monotonic()
        out = run("scan", share, "--out", SCRATCH / f"{module}.jsonl", "--symbols", f"srv*{cache}*http://127.0.0.1:{server.server_address[1]}", *options)
        kept = sum(path.stat().st_size for path in cache.rglob("*") if path.is_file())
        judge(name, out.returncode == 0 and "larger than allowed" in out.stderr and kept < MIB,
              f"{' '.join(out.stderr.split())[:120]} ({kept} bytes kept, {time.monotonic() - start:.1f} s)")
    server.shutdown()


def to_commands():
    for name, make, _, _ in FILES.values():
        put(SCRATCH / "given" / name, make())
    for i in range(1, 4097):
        put(SCRATCH / f"given/rules/{i:04}.yml", signature(f"r-{i:04}"))
    for limit, (name, _, command, words_of) in FILES.items():
        path = SCRATCH / "given" / name
        start = time.monotonic()
        out = run(*command, path.parent if "/" in name else path)
        spent, said = time.monotonic() - start, out.stdout + out.stderr
        judge(limit, out.returncode in (1, 2, 3) and spent < DEADLINE and any(word in said for word in words_of), f"{' '.join(said.split())[-200:]} ({spent:.1f} s)")


def by_rules():
    """Seventy signatures that match, twenty vulnerable drivers, and patterns that would try for ever on the names of 4,096 modules."""
    rules, share = SCRATCH / "matching", SCRATCH / "judged"
    for i in range(70):
        put(rules / f"{i:02}.yml", signature(f"m-{i:02}", selections=["  a:\n    process.threads: 1"]))
    for i, pattern in enumerate(("(a+)+$", "(a|aa)+$", "(.*a){20}b", "^(([a-z])+.)+[A-Z]$")):
        put(rules / f"slow-{i}.yml", signature(f"slow-{i}", selections=[f"  a:\n    modules|any: {{name|re: '{pattern}'}}"]))
    names = sorted(f"v{i:02}.sys" for i in range(20))
    put(rules / "vulnerable-drivers.tsv", "".join(f"{name}\t0x60000000\t-\tab\n" for name in names).encode())
    put(share / "judged.dmp", Program().modules([(name, 4096, False) for name in names] + [("a" * 200 + "!", 4096, False)] * 4000).crash(bytes(64)).done())
    mine, said, died = said_of(scan(share, "rules.jsonl", "--signatures", rules), "judged.dmp")
    judge("DT_MAX_MATCHES", mine and not died and len(mine[0]["matches"]) == 64, said)
    judge("DT_MAX_FINDINGS", mine and len(mine[0]["findings"]) == 16 and "4 more such drivers" in mine[0]["findings"][-1]["text"], mine[0]["findings"][-1]["text"])


def check_complete():
    met = {re.match(r"\w+", name).group() for name in [*SHARE, *SYMBOLS, *FILES, *RULES, "DT_MAX_DOWNLOAD"] if name.startswith("DT_MAX_")}
    for what, names in (("neither met by a file nor excused", set(LIMITS) - met - set(EXCUSED)), ("not in limits.h", (met | set(EXCUSED)) - set(LIMITS)),
                        ("met and excused", met & set(EXCUSED))):
        if names:
            sys.exit(f"limits that are {what}: {', '.join(sorted(names))}")


def main():
    check_complete()
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    for part in (on_a_share, with_symbols, from_a_server, to_commands, by_rules):
        start = time.monotonic()
        part()
        print(f"    {part.__name__}: {time.monotonic() - start:.1f} s, peak {peak} MB")
    print(f"{done} bombs, {len(LIMITS)} limits of which {len(EXCUSED)} are excused, peak {peak} MB")
    assert peak < MOST_MEMORY
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
