#!/usr/bin/env python3
"""Outputs in documents: what stands between "<!-- output of RECIPE -->" and "<!-- end -->" is what the program says of that sample.

usage: write_outputs.py DUMPTRIAGE MAKE_SAMPLE SOURCE_DIR [--check]

Without --check the documents are written anew (target docs). With it, nothing is written; differences are printed, status 1.
"""
import difflib
import pathlib
import re
import subprocess
import sys
import tempfile

PROGRAM, MAKE, SOURCE = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
BLOCK = re.compile(r"(<!-- output of ([a-z0-9-]+) -->\n).*?(<!-- end -->\n)", re.S)
DOCUMENTS = ["docs/reading-a-verdict.md"]


def output_of(recipe):
    with tempfile.TemporaryDirectory() as folder:
        dump = f"{recipe}.dmp"
        subprocess.run([MAKE, SOURCE / f"samples/recipes/{recipe}.recipe", pathlib.Path(folder, dump)], check=True, capture_output=True, timeout=60)
        done = subprocess.run([PROGRAM, "analyze", "--color", "never", dump], cwd=folder, capture_output=True, text=True, timeout=60)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{recipe}: {done.stderr}")
    return f"```\n$ dumptriage analyze {dump}\n{done.stdout.rstrip()}\n```\n"


def written(text):
    return BLOCK.sub(lambda m: m[1] + output_of(m[2]) + m[3], text)


def main():
    different, blocks = False, 0
    for name in DOCUMENTS:
        path = SOURCE / name
        old = path.read_text()
        new = written(old)
        blocks += len(BLOCK.findall(old))
        different |= new != old
        if "--check" not in sys.argv:
            path.write_text(new)
        else:
            sys.stdout.writelines(difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, "what the program says"))
    if blocks < 5:
        raise SystemExit("fewer than five outputs: were they found?")
    return 1 if different and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
