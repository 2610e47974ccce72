#!/usr/bin/env python3
"""clang-tidy over analyzer/, with the checks of .clang-tidy; what is known and looked at stands in tidy-known.txt.

usage: check_tidy.py SOURCE_DIR BUILD_DIR JOBS

BUILD_DIR has compile_commands.json. With DT_TEST_LONG the path-sensitive analyzer runs as well, which takes ten times as long.
"""
import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SOURCE, BUILD, JOBS = pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), int(sys.argv[3])
DATABASE = BUILD / "tests/lint/database"
LONG = bool(os.environ.get("DT_TEST_LONG"))
FINDING = re.compile(r"^(/\S+?):(\d+):\d+: (?:warning|error): (.*) \[([\w.,-]+)\]$", re.M)


def known():
    """{(file, check): how many}"""
    rows = [line.split("#")[0].split() for line in (SOURCE / "tests/lint/tidy-known.txt").read_text().splitlines()]
    return {(row[0], row[1]): int(row[2]) for row in rows if row}


def units():
    """The sources; their commands go into a database of our own, as they are without sanitizers: that is the program people run."""
    text = re.sub(r" -fsanitize\S*| -DDT_SANITIZED", "", (BUILD / "compile_commands.json").read_text())
    DATABASE.mkdir(parents=True, exist_ok=True)
    (DATABASE / "compile_commands.json").write_text(text)
    commands = json.loads(text)
    ours = {c["file"] for c in commands if c["file"].startswith(str(SOURCE / "analyzer") + "/")}
    return sorted(ours)


def tidy(files):
    off = re.findall(r"-clang-analyzer-[\w.*-]+(?=,|$)", (SOURCE / ".clang-tidy").read_text(), re.M)
    checks = ["--checks=clang-analyzer-*," + ",".join(off)] if LONG else []
    done = subprocess.run(["clang-tidy", "-p", str(DATABASE), "--quiet", *checks, *files], capture_output=True, text=True, timeout=3000)
    if "error: " in done.stdout and "clang-diagnostic-error" in done.stdout:
        raise SystemExit(done.stdout[-2000:])
    return done.stdout


def findings(files):
    parts = [files[i:i + 6] for i in range(0, len(files), 6)]
    with concurrent.futures.ThreadPoolExecutor(JOBS) as pool:
        found = {m for text in pool.map(tidy, parts) for m in FINDING.findall(text)}
    return sorted((str(pathlib.Path(os.path.normpath(f)).relative_to(SOURCE)), check.split(",")[0], line, words) for f, line, words, check in found)


def sees_something():
    """A file with a mistake, through the same configuration: the check must tell it."""
    bad = BUILD / "tests/lint/bad.c"
    bad.parent.mkdir(parents=True, exist_ok=True)
    bad.write_text("#include <string.h>\nvoid f(char *p);\nvoid f(char *p) { memset(p, sizeof(p), 0); if (*p) ; }\n")
    out = subprocess.run(["clang-tidy", f"--config-file={SOURCE / '.clang-tidy'}", "--quiet", str(bad), "--"], capture_output=True, text=True, timeout=120).stdout
    return "bugprone-" in out


def main():
    if shutil.which("clang-tidy") is None:
        print("skipped: clang-tidy is not installed")
        return 77
    if not sees_something():
        print("clang-tidy does not see a mistake made for it: is .clang-tidy read?")
        return 1
    allowed, count, bad = known(), collections.Counter(), []
    files = units()
    for path, check, line, words in findings(files):
        count[path, check] += 1
        if count[path, check] > allowed.get((path, check), 0):
            bad.append(f"{path}:{line}: {words} [{check}]")
    print("\n".join(bad) or f"{len(files)} files, {sum(count.values())} known findings, no new one")
    return 1 if bad or len(files) < 200 else 0


if __name__ == "__main__":
    sys.exit(main())
