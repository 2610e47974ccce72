#!/usr/bin/env python3
"""Every fuzz target over seeds of its own format and over the corpus of the tree, changed: none may crash or hang. And every format that is
read has a target.

usage: check_fuzz.py BUILDER SOURCE_DIR SCRATCH_DIR FIXTURES TARGET...
"""
import pathlib
import re
import subprocess
import sys

SEEDS = {
    "triage64": ["csagent-50", "arm64-50"], "mdmp": ["user-av-x64", "user-crashpad"], "full64": ["full-1", "full-la57"], "summary64": ["summary-64"],
    "headeronly64": ["header-only-3"], "bitmap64": ["bitmap-6", "bitmap-large-pages"], "ranges64": ["ranges-8", "ranges-10"],
    "kernel32": ["x86-50", "x86-full-1", "x86-bitmap-6"], "elf": ["elf-capture", "elf-live"], "kdump": ["kdump-zlib", "kdump-zstd"],
    "flattened": ["kdump-flattened"], "space": ["full-1"],
}


# Files that tests/windows builds, where it can; files of the project; texts.
FILES = {
    "pdb": ["frames.pdb", "frames-x86.pdb"], "image": ["frames.dll", "frames-arm64.dll"], "carriers": ["signatures/carriers.conf"],
    "sym": ["MODULE windows x86_64 00112233445566778899AABBCCDDEEFF1 a.pdb\nFUNC 1000 40 0 first\nFUNC m 1040 40 8 second\nPUBLIC 1100 0 third\n"
            "STACK WIN 4 1000 40 4 0 8 0 0 0 1 $T0 .raSearch = $eip $T0 ^ = $esp $T0 4 + =\nSTACK WIN 0 1040 60 5 0 8 c 10 0 0 1\n"
            "STACK CFI INIT 1000 40 .cfa: $rsp 8 + .ra: .cfa 8 - ^\nSTACK CFI 1004 .cfa: $rsp 24 + $rbx: .cfa 16 - ^\n"],
}


def seed_files(name, source, fixtures, scratch):
    for seed in FILES[name]:
        if name == "sym":
            (scratch / "seed.sym").write_text(seed)
            yield str(scratch / "seed.sym")
        elif (path := (source if "/" in seed else fixtures) / seed).exists():
            yield str(path)


def main():
    builder, source, scratch, fixtures = sys.argv[1], *map(pathlib.Path, sys.argv[2:5])
    targets = {pathlib.Path(path).name[len("fuzz_"):]: path for path in sys.argv[5:]}
    formats = re.findall(r"DT_DUMP_FORMAT\((\w+),[^)]*?\"[^\"]*\",\s*\"[^\"]*\",\s*true", (source / "analyzer/facts/dump/formats.def").read_text(), re.S)
    without = set(formats) - set(targets)
    if len(formats) < 10 or without:
        raise SystemExit("formats without a fuzz target: %s" % (sorted(without) or "the table was not understood"))
    scratch.mkdir(parents=True, exist_ok=True)
    replayed = 0
    for name, path in targets.items():
        seeds = sorted(str(file) for file in (source / "tests/fuzz/corpus" / name).glob("*"))
        replayed += len(seeds)
        seeds += seed_files(name, source, fixtures, scratch) if name in FILES else []
        for recipe in SEEDS.get(name, []):
            seeds.append(str(scratch / (recipe + ".dmp")))
            subprocess.run([builder, str(source / "samples/recipes" / (recipe + ".recipe")), seeds[-1]], check=True)
        if not seeds:
            raise SystemExit(f"{name} has no inputs")
        subprocess.run([path, *seeds], check=True, timeout=300)
    print("%d targets, %d inputs of the tree" % (len(targets), replayed))


if __name__ == "__main__":
    main()
