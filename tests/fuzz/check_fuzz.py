#!/usr/bin/env python3
"""Every fuzz target over seeds of its own format, changed: none may crash or hang. And every format that is read has a target.

usage: check_fuzz.py BUILDER SOURCE_DIR SCRATCH_DIR TARGET...
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


def main():
    builder, source, scratch = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    targets = {pathlib.Path(path).name[len("fuzz_"):]: path for path in sys.argv[4:]}
    formats = re.findall(r"DT_DUMP_FORMAT\((\w+),[^)]*?\"[^\"]*\",\s*\"[^\"]*\",\s*true", (source / "analyzer/facts/dump/formats.def").read_text(), re.S)
    without = set(formats) - set(targets)
    if len(formats) < 10 or without:
        raise SystemExit("formats without a fuzz target: %s" % (sorted(without) or "the table was not understood"))
    scratch.mkdir(parents=True, exist_ok=True)
    for name, path in targets.items():
        seeds = []
        for recipe in SEEDS[name]:
            seeds.append(str(scratch / (recipe + ".dmp")))
            subprocess.run([builder, str(source / "samples/recipes" / (recipe + ".recipe")), seeds[-1]], check=True)
        subprocess.run([path, *seeds], check=True, timeout=300)
    print("%d targets" % len(targets))


if __name__ == "__main__":
    main()
