#!/usr/bin/env python3
"""What a reader trips over, found without a compiler: sizes of functions, spelling, the form of lines.

usage: check_text.py SOURCE_DIR [--lower]

Sizes: functions of analyzer/ over 40 lines are listed in function-sizes.txt with their lines. The list only goes down: a function that is not listed or
has grown fails, one that shrank has to be entered with what it has now (--lower does it). 40 is where a function has
mostly two subjects; the list says which have a reason, or wait.
"""
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE = pathlib.Path(sys.argv[1]).resolve()
SIZES = SOURCE / "tests/lint/function-sizes.txt"
MOST_LINES, MOST_COLUMNS = 40, 200
TEXT = {".c", ".h", ".def", ".py", ".sh", ".cmake", ".md", ".yml", ".scd", ".txt", ".service", ".mjs", ".css", ".js"}
FOLDERS = ("analyzer", "cmake", "docs", "examples", "packaging", "samples", "signatures", "tests", ".ci")


def functions(text):
    """(name, lines of the body) of each function: in our form, its braces stand in the first column."""
    lines, start = text.split("\n"), None
    for i, line in enumerate(lines):
        if line == "{":
            start = i
        elif line == "}" and start is not None:
            head = start - 1
            while head > 0 and lines[head][:1] in ("\t", " ", ")"):
                head -= 1
            name = re.search(r"(\w+)\(", lines[head])
            yield (name[1] if name else "?"), i - start - 1
            start = None


def long_functions():
    found = {}
    for path in sorted((SOURCE / "analyzer").rglob("*.c")):
        for name, lines in functions(path.read_text()):
            if lines > MOST_LINES:
                found[f"{path.relative_to(SOURCE)} {name}"] = lines
    return found


def listed():
    rows = [line.split("#")[0].split() for line in SIZES.read_text().splitlines() if line.split("#")[0].strip()]
    return {f"{path} {name}": int(lines) for path, name, lines in rows}


def sizes():
    found, allowed = long_functions(), listed()
    for key, lines in found.items():
        if lines > allowed.get(key, MOST_LINES):
            yield f"{key}: {lines} lines, at most {allowed.get(key, MOST_LINES)}: make two of it"
    for key, lines in allowed.items():
        if found.get(key, 0) < lines:
            yield f"{key}: {found.get(key, 'not over the limit any more')} where the list says {lines}: lower it (check_text.py . --lower)"


def lower():
    found, out = long_functions(), []
    for line in SIZES.read_text().splitlines():
        row = line.split("#")[0].split()
        key = " ".join(row[:2])
        if not row:
            out.append(line)
        elif key in found:
            out.append(line.replace(f" {row[2]}", f" {min(found[key], int(row[2]))}", 1))
    SIZES.write_text("\n".join(out) + "\n")


def files():
    for folder in FOLDERS:
        for path in sorted((SOURCE / folder).rglob("*")):
            if path.suffix in TEXT and path.is_file() and "node_modules" not in path.parts:
                yield path
    yield from SOURCE.glob("*.md")


def form(path, text):
    if "\r" in text:
        yield "lines end with CR LF"
    if text and not text.endswith("\n"):
        yield "the last line has no end"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and path.suffix != ".md":
            yield f"{number}: space at the end"
        if path.suffix in (".c", ".h") and len(line) > MOST_COLUMNS and "http" not in line:
            yield f"{number}: {len(line)} columns, at most {MOST_COLUMNS}"
        if path.suffix == ".c" and re.match(r" {1,7}\t", line):
            yield f"{number}: spaces in front of a tab"


def forms():
    for path in files():
        for what in form(path, path.read_text(errors="replace")):
            yield f"{path.relative_to(SOURCE)}:{what}"


def spelling():
    if not shutil.which("codespell"):
        print("codespell is not installed: spelling skipped")
        return
    words = [line.split("#")[0].strip() for line in (SOURCE / "tests/lint/words.txt").read_text().splitlines()]
    done = subprocess.run(["codespell", "--ignore-words-list", ",".join(w for w in words if w), "--skip", "*.json,*/node_modules/*,*/fuzz/corpus/*,*/build/*,*.tsv",
                           *[f for f in (*FOLDERS, "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "run", "test")]],
                          cwd=SOURCE, capture_output=True, text=True, timeout=120)
    yield from done.stdout.splitlines()


def see_something():
    """The checks themselves, on what must fail."""
    body = "static int\nlong_one(int a)\n{\n" + "\ta++;\n" * 41 + "}\n"
    assert list(functions(body)) == [("long_one", 41)], list(functions(body))
    assert list(functions("int f(int a,\n      int b)\n{\n\treturn 0;\n}\n")) == [("f", 1)]
    assert len(list(form(pathlib.Path("x.c"), "int a; \r\n  \tint b;"))) == 4


def main():
    see_something()
    if "--lower" in sys.argv:
        lower()
        return 0
    bad = [*sizes(), *forms(), *spelling()]
    print("\n".join(bad) or f"{len(long_functions())} functions over {MOST_LINES} lines, all listed; form and spelling clean")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
