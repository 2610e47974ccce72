#!/usr/bin/env python3
"""Every fuzz target over seeds of its own format and over the corpus of the tree, changed: none may crash or hang. And every format that is
read has a target.

usage: check_fuzz.py BUILDER SOURCE_DIR SCRATCH_DIR FIXTURES TARGET...
"""
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import seeds as begin  # noqa: E402


def seed_files(name, builder, source, fixtures, scratch):
    """A few seeds of a target, as files."""
    for number, data in enumerate(begin.inputs(name, builder, source, [fixtures], scratch / "seed.tmp", 2)):
        path = scratch / f"{name}-{number}.seed"
        path.write_bytes(data)
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
        seeds += seed_files(name, builder, source, fixtures, scratch)
        if not seeds:
            raise SystemExit(f"{name} has no inputs")
        subprocess.run([path, *seeds], check=True, timeout=300)
    print("%d targets, %d inputs of the tree" % (len(targets), replayed))


if __name__ == "__main__":
    main()
