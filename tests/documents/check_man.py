#!/usr/bin/env python3
"""Man pages and completion against the program: each option of --help is in its page and the reverse.

usage: check_man.py DUMPTRIAGE SOURCE_DIR
"""
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PROGRAM, SOURCE = sys.argv[1], pathlib.Path(sys.argv[2])
OPTION = re.compile(r"(?<![\w-])(--[a-z][a-z-]*|-[a-z0-9])(?![\w-])")


def help_of(*command):
    return subprocess.run([PROGRAM, *command, "--help"], check=True, capture_output=True, text=True, timeout=60).stdout


def commands():
    return dict(re.findall(r"^  ([a-z]+) +(.*)$", help_of(), re.M))


def options_in(text):
    """Options of a help text: of its usage, and those that its lines begin with. What a description says of others is none."""
    heads = [re.split(r"  +(?!-)", line.strip())[0] for line in text.splitlines() if line.strip().startswith("-")]
    usage = [line for line in text.splitlines() if re.match(r"usage: |  +dumptriage ", line)]
    return {o for part in heads + usage for o in OPTION.findall(part)}


def helped_options(command):
    """show has two sides, each with a help of its own."""
    return options_in(help_of(command)) | (options_in(help_of("show", "--db", "x")) if command == "show" else set())


def page(name):
    return (SOURCE / "docs/man" / f"{name}.scd").read_text().replace("\\", "")


def section(text, name):
    found = re.search(rf"^# {name}\n(.*?)(?=^# |\Z)", text, re.M | re.S)
    return found[1] if found else ""


def paged_options(command):
    """Options with a description of their own, and those of the synopsis."""
    text = page(f"dumptriage-{command}.1")
    heads = [line for line in section(text, "OPTIONS").splitlines() if line.startswith("*-")]
    return {o for line in [*heads, section(text, "SYNOPSIS")] for o in OPTION.findall(line.replace("*", " "))}


class Pages(unittest.TestCase):
    def test_every_command_has_a_page_and_the_reverse(self):
        self.assertGreater(len(commands()), 10)
        pages = {p.name[len("dumptriage-"):-len(".1.scd")] for p in (SOURCE / "docs/man").glob("dumptriage-*.1.scd")}
        self.assertEqual(pages, set(commands()))
        listed = set(re.findall(r"^\*([a-z]+)\*$", section(page("dumptriage.1"), "COMMANDS"), re.M))
        self.assertEqual(listed, set(commands()))

    def test_options_are_those_of_help(self):
        for command in commands():
            with self.subTest(command):
                self.assertEqual(paged_options(command), helped_options(command))
        self.assertIn("--follow", paged_options("feed"))

    def test_how_help_is_read(self):
        text = ("usage: dumptriage x --db URL\n       dumptriage x [--out FILE]\n\n  -q, --quiet   less (see --loud)\n      --rate N  --burst N  how many\n"
                "'dumptriage scan --enqueue URL' fills it\n")
        self.assertEqual(options_in(text), {"--db", "--out", "-q", "--quiet", "--rate", "--burst"})

    def test_options_of_every_command_work_with_each(self):
        common = OPTION.findall(section(page("dumptriage.1"), "OPTIONS OF EVERY COMMAND"))
        self.assertLessEqual({"--config", "--log-level", "--log-format", "--help"}, set(common))
        out = subprocess.run([PROGRAM, "formats", "--log-level", "error", "--log-format", "json"], capture_output=True, text=True, timeout=60)
        self.assertEqual(out.returncode, 0, out.stderr)

    def test_summaries(self):
        for command, summary in commands().items():
            name = section(page(f"dumptriage-{command}.1"), "NAME").strip()
            self.assertTrue(name.startswith(f"dumptriage-{command} - "), name)
            self.assertTrue(set(summary.split()[:3]) & set(name.split()), (summary, name))

    @unittest.skipUnless(shutil.which("scdoc"), "skipped: scdoc is not installed")
    def test_scdoc_takes_them(self):
        for path in sorted((SOURCE / "docs/man").glob("*.scd")):
            done = subprocess.run(["scdoc"], input=path.read_text(), capture_output=True, text=True, timeout=60)
            self.assertEqual((done.returncode, done.stderr), (0, ""), path.name)
            self.assertIn('.SH NAME', done.stdout)

    def test_pages_they_name_exist(self):
        there = {p.stem for p in (SOURCE / "docs/man").glob("*.scd")}
        for path in sorted((SOURCE / "docs/man").glob("*.scd")):
            for name, number in re.findall(r"\*(dumptriage[a-z.-]*)\*\((\d)\)", path.read_text()):
                self.assertIn(f"{name}.{number}", there, path.name)
            for document in re.findall(r"\b((?:docs|signatures)/[\w/.-]+\.(?:md|json))", path.read_text()):
                self.assertTrue((SOURCE / document).is_file(), (path.name, document))


class Completion(unittest.TestCase):
    def complete(self, *words):
        script = (f"source {SOURCE}/docs/completion/dumptriage.bash; COMP_WORDS=({PROGRAM} {' '.join(repr(w) for w in words)}); "
                  f"COMP_CWORD={len(words)}; _dumptriage; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
        return set(subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True, timeout=60).stdout.split())

    def test_commands(self):
        self.assertEqual(self.complete(""), set(commands()) | {"--help", "--version"})
        self.assertEqual(self.complete("an"), {"analyze"})
        self.assertEqual(self.complete("nothing-like-it"), set())

    def test_options_of_each_command(self):
        for command in commands():
            with self.subTest(command):
                self.assertLessEqual(helped_options(command) - {"-0"}, self.complete(command, "-") | {"--db"})
        self.assertEqual(self.complete("scan", "--host"), {"--host", "--host-from"})

    def test_values(self):
        self.assertEqual(self.complete("analyze", "--format", "m"), {"markdown"})
        self.assertEqual(self.complete("incidents", "--format", ""), {"text", "json"})
        self.assertEqual(self.complete("serve", "--auth", ""), {"none", "token", "proxy"})
        for command in ("analyze", "show"):  # all that the program takes
            for word in self.complete(command, "--format", ""):
                self.assertIn(word, help_of(command))

    def test_formats_are_those_of_the_program(self):
        """In the help, in the pages and in the completion: what `formats` lists, no more and no less."""
        listed = subprocess.run([PROGRAM, "formats"], check=True, capture_output=True, text=True, timeout=60).stdout.split("Output\n")[1]
        names = set(re.findall(r"^  ([a-z]+) ", listed, re.M))
        self.assertGreaterEqual(len(names), 8)
        for command in ("analyze", "show"):
            self.assertEqual(self.complete(command, "--format", ""), names)
            for text in (help_of(command), page(f"dumptriage-{command}.1")):
                words = re.search(r"(?:--format FORMAT +|--format\* _FORMAT_\n\t)([a-z, ]+)$", text, re.M)[1]
                self.assertEqual(set(words.split(", ")), names, command)

    def test_second_words(self):
        self.assertEqual(self.complete("store", "p"), {"prune"})
        self.assertEqual(self.complete("token", ""), {"add", "list", "revoke"})
        for command in ("store", "signatures", "token", "feed"):
            for word in self.complete(command, ""):
                self.assertIn(word, help_of(command))

    def test_files_are_left_to_bash(self):
        self.assertEqual(self.complete("analyze", "MEM"), set())
        self.assertIn("-o default", (SOURCE / "docs/completion/dumptriage.bash").read_text())


if __name__ == "__main__":
    unittest.main(argv=["man"])
