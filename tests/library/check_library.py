#!/usr/bin/env python3
"""libdumptriage as its users have it: installed below a prefix, found by pkg-config, used from C, C++ and Python.

usage: check_library.py BUILD_DIR MAKE_SAMPLE SOURCE_DIR SCRATCH_DIR CC [sanitized]
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

BUILD, MAKE, SOURCE, SCRATCH = (pathlib.Path(a).resolve() for a in sys.argv[1:5])
CC, SANITIZED = sys.argv[5], "sanitized" in sys.argv[6:]
PREFIX = SCRATCH / "prefix with space"
SANITIZE = ["-fsanitize=address,undefined"] if SANITIZED else []


def run(*command, **more):
    return subprocess.run([str(c) for c in command], check=True, capture_output=True, text=True, timeout=300, **more).stdout


def library():
    """The file behind the name that programs load."""
    return next(PREFIX.glob("**/libdumptriage.so.1"))


def environment():
    env = dict(os.environ, LD_LIBRARY_PATH=str(library().parent), UBSAN_OPTIONS="halt_on_error=1")
    if SANITIZED:
        # Python itself is not built with the sanitizer, and never gives all of its memory back.
        env.update(LD_PRELOAD=run("gcc", "-print-file-name=libasan.so").strip(), ASAN_OPTIONS="detect_leaks=0")
    return env


def pkg_config(*what):
    found = next(PREFIX.glob("**/dumptriage.pc"))
    out = run("pkg-config", *what, "dumptriage", env=dict(os.environ, PKG_CONFIG_PATH=str(found.parent)))
    return [re.sub(r"\\(.)", r"\1", word) for word in re.findall(r"(?:\\.|\S)+", out)]


def sample(recipe):
    out = SCRATCH / (recipe + ".dmp")
    if not out.exists():
        run(MAKE, SOURCE / "samples/recipes" / (recipe + ".recipe"), out)
    return out


def exported():
    """Function names that the shared library gives away, with their versions."""
    names = {}
    for line in run("nm", "-D", "--defined-only", library()).splitlines():
        name, _, version = line.split()[-1].partition("@@")
        if line.split()[-2] != "A":
            names[name] = version
    return names


def declared():
    text = re.sub(r"/\*.*?\*/", "", (SOURCE / "analyzer/include/dumptriage.h").read_text(), flags=re.S)
    return set(re.findall(r"\b(dt_\w+)\(", text))


class Library(unittest.TestCase):
    def test_exports_are_those_of_the_header(self):
        names = exported()
        if SANITIZED:  # the sanitizer's own tables of globals stay visible
            names = {n: v for n, v in names.items() if not n.startswith(("__asan", "__odr_asan"))}
        self.assertEqual(set(names), declared())
        self.assertEqual(set(names.values()), {"DUMPTRIAGE_1.0"})
        self.assertGreater(len(names), 20)

    def test_soname_and_links(self):
        self.assertIn("[libdumptriage.so.1]", run("readelf", "-d", library()))
        self.assertEqual(library().resolve().name, "libdumptriage.so.1.0.0")
        self.assertEqual((library().parent / "libdumptriage.so").resolve(), library().resolve())

    def test_outside_libraries_are_shared(self):
        """What fixes of Debian reach: no copy of OpenSSL or another inside."""
        needed = set(re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", library())))
        self.assertLessEqual({"libcrypto.so.3", "libcapstone.so.4", "libyaml-0.so.2", "libjansson.so.4", "libpcre2-8.so.0"}, needed)
        strings = library().read_bytes()
        self.assertNotIn(b"OpenSSL 3.", strings)

    def test_only_the_header_is_installed(self):
        headers = sorted(p.name for p in (PREFIX / "include").rglob("*") if p.is_file())
        self.assertEqual(headers, ["dumptriage.h"])
        text = (PREFIX / "include/dumptriage.h").read_text()
        self.assertEqual(re.findall(r"#include (.*)", text), ["<stddef.h>"])
        self.assertNotIn(str(SOURCE), text)

    def test_header_stands_alone_in_c99_and_cxx(self):
        unit = SCRATCH / "alone.c"
        unit.write_text("#include <dumptriage.h>\n")
        flags = ["-fsyntax-only", "-Wall", "-Wextra", "-Werror", "-pedantic", *pkg_config("--cflags")]
        run(CC, "-std=c99", *flags, unit)
        if shutil.which("clang"):
            run("clang", "-x", "c++", "-std=c++11", *flags, unit)

    def test_pkg_config(self):
        version = re.search(r"project\(dumptriage VERSION (\S+)", (SOURCE / "CMakeLists.txt").read_text())[1]
        self.assertEqual(pkg_config("--modversion"), [version])
        self.assertIn("-ldumptriage", pkg_config("--libs"))

    def test_c_example(self):
        program = SCRATCH / "verdict"
        run(CC, "-std=c11", "-Wall", "-Wextra", "-Werror", *SANITIZE, SOURCE / "examples/verdict.c", *pkg_config("--cflags", "--libs"),
            "-o", program)
        env = environment()
        env.pop("LD_PRELOAD", None)
        env["ASAN_OPTIONS"] = "detect_leaks=1"
        csagent, nothing = sample("csagent-50"), SCRATCH / "not there"
        lines = run(program, csagent, nothing, env=env).splitlines()
        self.assertEqual(lines[0].split("\t"), [str(csagent), "known-incident", "98", "csagent.sys", "crowdstrike-channel-file-291"])
        self.assertEqual(lines[1].split("\t"), [str(nothing), "unreadable", "-", "-"])

    def test_python_example(self):
        csagent, driver = sample("csagent-50"), sample("aswsnx-50")
        lines = run(sys.executable, SOURCE / "examples/verdict.py", csagent, driver, env=environment()).splitlines()
        self.assertEqual([line.split("\t")[:2] for line in lines], [[str(csagent), "known-incident"], [str(driver), self.of_program(driver)]])

    def of_program(self, dump):
        out = subprocess.run([BUILD / "dumptriage", "analyze", "--format", "jsonl", dump], capture_output=True, text=True, timeout=120).stdout
        return json.loads(out)["verdict"]["class"]

    def test_same_record_as_the_program(self):
        """Every field but those of time: one code, two doors."""
        code = ("import sys, json; sys.path.insert(0, %r); import verdict\n"
                "with verdict.Analyzer() as a: print(json.dumps(a.analyse(open(sys.argv[1], 'rb').read(), sys.argv[1])))" % str(SOURCE / "examples"))
        for recipe in ("csagent-50", "full-1", "mdmp-cut"):
            dump = sample(recipe)
            ours = json.loads(run(sys.executable, "-B", "-c", code, dump, env=environment()))
            out = subprocess.run([BUILD / "dumptriage", "analyze", "--format", "jsonl", dump], capture_output=True, text=True, timeout=120).stdout
            theirs = json.loads(out)
            for record in (ours, theirs):
                record["judged"]["at"] = record["file"]["mtime"] = None
            self.assertEqual(ours, theirs)


def main():
    if shutil.which("pkg-config") is None:
        print("skipped: pkg-config is not installed")
        return 77
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    for component in ("library", "development"):
        run("cmake", "--install", BUILD, "--prefix", PREFIX, "--component", component)
    result = unittest.main(argv=["library"], exit=False, verbosity=1).result
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
