#!/usr/bin/env python3
"""clang-format over the C sources, as a ratchet: a file has at most as many lines of another form as format-known.txt says; one that is not in it, none.

usage: check_format.py SOURCE_DIR [--write]

What is laid out by hand on purpose (tables, columns of comments) is counted there. The numbers only go down: --write enters lower ones, and new files
as they are. `git clang-format` formats only the lines that you have changed.
"""
import concurrent.futures
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
KNOWN = SOURCE / "tests/lint/format-known.txt"
PROGRAMS, VERSION = ("clang-format-14", "clang-format"), "version 14."
HEAD = "# file, lines that clang-format 14 would write otherwise. They only go down: tests/lint/check_format.py . --write\n"


def formatter():
    for name in PROGRAMS:
        if shutil.which(name) and VERSION in subprocess.run([name, "--version"], capture_output=True, text=True, check=True).stdout:
            return name
    print(f"skipped: clang-format {VERSION}x is not installed; another one has other opinions")
    sys.exit(77)


def known():
    rows = [line.split() for line in KNOWN.read_text().splitlines() if line and line[0] != "#"] if KNOWN.exists() else []
    return {name: int(count) for name, count in rows}


def sources():
    return sorted(str(path.relative_to(SOURCE)) for folder in ("analyzer", "samples", "tests", "examples")
                  for path in (SOURCE / folder).rglob("*.[ch]"))


def differing(program, text):
    """The lines of a text that the program would write otherwise."""
    out = subprocess.run([program, f"-style=file:{SOURCE}/.clang-format"], input=text, capture_output=True, text=True, check=True).stdout
    lines = difflib.unified_diff(text.splitlines(), out.splitlines(), n=0, lineterm="")
    return [line[1:] for line in list(lines)[2:] if line.startswith("-")] if out != text else []


def main():
    program, before = formatter(), known()
    names = sources()
    # first that the check sees something
    assert differing(program, "int f(void)\n{\n  return 1;\n}\n") == ["  return 1;"], "a wrong indentation was not seen"
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(names, pool.map(lambda name: differing(program, (SOURCE / name).read_text()), names)))
    counts = {name: len(lines) for name, lines in found.items() if lines}
    if "--write" in sys.argv[2:]:
        least = {name: min(count, before.get(name, count)) for name, count in counts.items()}
        KNOWN.write_text(HEAD + "".join(f"{name} {count}\n" for name, count in sorted(least.items())))
    worse = [name for name, count in counts.items() if count > before.get(name, 0)]
    better = [name for name, count in before.items() if count > counts.get(name, 0)]
    for name in worse:
        print(f"{name}: {counts[name]} lines of another form, {before.get(name, 0)} are known:")
        print("".join(f"    {re.sub(chr(9), '  ', line)}\n" for line in found[name][:10]), end="")
    for name in better:
        print(f"{name}: {counts.get(name, 0)} lines of another form, {before[name]} are known: enter the lower number (tests/lint/check_format.py . --write)")
    print(f"{len(names)} files, {sum(counts.values())} lines of another form in {len(counts)} of them")
    sys.exit(1 if worse or better else 0)


if __name__ == "__main__":
    main()
