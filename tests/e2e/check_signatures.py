#!/usr/bin/env python3
"""The shipped signatures, their JSON Schema, and `signatures` as an analyst calls it.

usage: check_signatures.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
Real dumps of ../shared/corpus are held against the library where they are at hand.
"""
import copy
import json
import pathlib
import re
import subprocess
import sys
import unittest

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None

PROGRAM, BUILDER, SOURCE, SCRATCH = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4])
SIGNATURES = SOURCE / "signatures"
CORPUS = SOURCE.parent / "shared/corpus"
PLACE = r"^[^\n]*%s:\d+:\d+: "


def run(*args):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=120)


def dumps():
    """Every sample, built once."""
    folder = SCRATCH / "samples"
    if not folder.is_dir():
        folder.mkdir(parents=True)
        for recipe in sorted((SOURCE / "samples/recipes").glob("*.recipe")):
            subprocess.run([BUILDER, str(recipe), str(folder / (recipe.stem + ".dmp"))], check=True)
    return folder


def folder(name, **files):
    path = SCRATCH / name
    path.mkdir(exist_ok=True)
    for old in path.iterdir():
        old.unlink()
    for stem, text in files.items():
        (path / (stem + ".yml")).write_text(text)
    return path


def rule(ident, detection="  S: {bugcheck.code: 0x50}\n  condition: S\n", tests="", more=""):
    return (f"id: {ident}\ntitle: t\nversion: '1'\nreferences: [https://example.org]\n{more}detection:\n{detection}"
            + (tests or "tests:\n  - {record: {bugcheck.code: 0x50}, grade: possible}\n  - {record: {}, grade: none}\n"))


def load(path):
    """As an editor's YAML server sees it: numbers are numbers, dates are text."""
    class Loader(yaml.SafeLoader):
        pass
    Loader.yaml_implicit_resolvers = {k: [(tag, r) for tag, r in v if not tag.endswith(":timestamp")]
                                      for k, v in yaml.SafeLoader.yaml_implicit_resolvers.items()}
    return yaml.load(path.read_text(), Loader)


class Library(unittest.TestCase):
    def test_check_is_clean(self):
        for where in ([], [SIGNATURES]):
            out = run("signatures", "check", *where)
            self.assertEqual((out.returncode, out.stderr), (0, ""), out.stdout)
            self.assertRegex(out.stdout, r"^\d+ signatures, no errors\n$")

    def test_every_test_of_every_file_passes(self):
        out = run("signatures", "test", SIGNATURES, "--samples", dumps())
        self.assertEqual((out.returncode, out.stderr), (0, ""), out.stdout)
        passed, failed, skipped = map(int, re.search(r"(\d+) tests passed, (\d+) failed, (\d+) skipped", out.stdout).groups())
        self.assertGreater(passed, 150)
        self.assertEqual((failed, skipped), (0, 0))
        out = run("signatures", "test")
        self.assertEqual(out.returncode, 0, out.stdout)
        self.assertIn("skipped (samples: --samples DIR", out.stdout)

    def test_names_of_files_are_ids_and_have_sources(self):
        files = sorted(SIGNATURES.glob("*.yml"))
        self.assertGreaterEqual(len(files), 40)
        for path in files:
            text = path.read_text()
            self.assertIn(f"\nid: {path.stem}\n", "\n" + text)
            self.assertRegex(text, r"\nreferences:\n  - https?://")
            self.assertIn("\nnext_steps:\n", text)

    def test_no_incident_matches_a_real_dump_that_it_should_not(self):
        if not CORPUS.is_dir():
            self.skipTest("no real dumps at hand")
        files = [p for kind in ("kernel", "user") for p in sorted((CORPUS / kind).iterdir())]
        out = run("analyze", "--format", "jsonl", *files)
        category = {load(p)["id"]: load(p)["category"] for p in SIGNATURES.glob("*.yml")} if jsonschema else {}
        for line in out.stdout.splitlines():
            record = json.loads(line)
            for match in record["matches"]:
                print("corpus: %s: %s (%s)" % (record["file"]["name"], match["signature"], match["grade"]))
                self.assertNotEqual(category.get(match["signature"]), "incident", record["file"]["name"])
            self.assertEqual(record["findings"], [], record["file"]["name"])


@unittest.skipUnless(jsonschema, "python3-jsonschema or python3-yaml is missing")
class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        text = json.loads((SIGNATURES / "signature.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(text)
        cls.schema = jsonschema.Draft202012Validator(text)

    def test_accepts_every_shipped_file_and_drafts(self):
        for path in sorted(SIGNATURES.glob("*.yml")):
            errors = ["%s: %s" % ("/".join(map(str, e.path)), e.message[:200]) for e in self.schema.iter_errors(load(path))]
            self.assertEqual(errors, [], path.name)
        draft = SCRATCH / "draft.yml"
        draft.write_text(run("signatures", "new", dumps() / "csagent-50.dmp").stdout)
        self.assertEqual(list(self.schema.iter_errors(load(draft))), [])

    def test_refuses_what_the_program_refuses(self):
        sound = load(SIGNATURES / "crowdstrike-channel-file-291.yml")

        def mutate(change):
            rule = copy.deepcopy(sound)
            change(rule)
            return list(self.schema.iter_errors(rule))

        mutations = {
            "no id": lambda r: r.pop("id"), "capital id": lambda r: r.update(id="Crowd Strike"), "no detection": lambda r: r.pop("detection"),
            "unknown key": lambda r: r.update(colour="red"), "wrong status": lambda r: r.update(status="good"),
            "wrong level": lambda r: r.update(level="huge"), "wrong category": lambda r: r.update(category="virus"),
            "wrong class": lambda r: r.update({"class": "undetermined"}), "date in words": lambda r: r.update(date="July 2024"),
            "references as text": lambda r: r.update(references="https://example.org"), "steps as a map": lambda r: r.update(next_steps={"a": 1}),
            "no condition": lambda r: r["detection"].pop("grades"), "unknown grade": lambda r: r["detection"]["grades"].update(certain="R1"),
            "condition as a list": lambda r: r["detection"]["grades"].update(probable=["R1"]),
            "selection as text": lambda r: r["detection"].update(X="csagent.sys"), "empty selection": lambda r: r["detection"].update(X={}),
            "reserved name": lambda r: r["detection"].update(them={"fault.module": "x"}), "name with a space": lambda r: r["detection"].update({"a b": {"fault.module": "x"}}),
            "unknown part of the record": lambda r: r["detection"].update(X={"verdict.class": "driver"}),
            "unknown modifier": lambda r: r["detection"].update(X={"fault.module|like": "x"}),
            "mask without bits": lambda r: r["detection"].update(X={"bugcheck.code|mask": 1}),
            "place not from ip": lambda r: r["detection"].update(X={"fault.code|bytes|at=sp": "90"}),
            "empty list of values": lambda r: r["detection"].update(X={"fault.module": []}),
            "map as a value": lambda r: r["detection"].update(X={"fault.module": {"a": 1}}),
            "any of nothing": lambda r: r["detection"].update(X={"any": []}), "elements as text": lambda r: r["detection"].update(X={"stack|any": "x"}),
            "test without a grade": lambda r: r["tests"][0].pop("grade"), "test of two inputs": lambda r: r["tests"][0].update(record={}),
            "record with an unknown part": lambda r: r["tests"].append({"record": {"verdict": 1}, "grade": "none"}),
            "unknown grade of a test": lambda r: r["tests"][0].update(grade="maybe"),
        }
        for name, change in mutations.items():
            self.assertTrue(mutate(change), name)
        path = SCRATCH / "mutated.yml"
        for name, change in mutations.items():
            mutated = copy.deepcopy(sound)
            change(mutated)
            path.write_text(yaml.safe_dump(mutated, sort_keys=False))
            self.assertEqual(run("signatures", "check", path).returncode, 1, name)


class Commands(unittest.TestCase):
    def test_check_names_line_and_column(self):
        bad = {
            "yaml": ("id: [\n", 1), "key": (rule("a", more="colour: red\n"), 1), "field": (rule("b", "  S: {fault.modul: x}\n  condition: S\n"), 1),
            "regex": (rule("c", "  S: {fault.module|re: '(x'}\n  condition: S\n"), 1), "cond": (rule("d", "  S: {bugcheck.code: 1}\n  condition: S and X\n"), 1),
            "weak": (rule("e", "  S: {fault.module: a.sys}\n  grades:\n    probable: S\n"), 1), "dead": (rule("f", "  S: {bugcheck.code: 0x50}\n  T: {bugcheck.code: 1}\n  condition: S\n"), 1),
            "common": (rule("g", "  S: {fault.bytes|bytes: 90}\n  condition: S\n"), 1), "tests": (rule("h", tests="tags: [x]\n"), 1),
            "anchor": ("id: &a x\n", 1), "deep": ("id: " + "[" * 10000, 1), "big": ("#" * (2 << 20), 1), "twice": ("id: a\nid: b\n", 1),
        }
        for name, (text, status) in bad.items():
            path = SCRATCH / f"bad-{name}.yml"
            path.write_text(text)
            out = run("signatures", "check", path)
            self.assertEqual(out.returncode, status, name)
            said = out.stdout + out.stderr
            self.assertRegex(said, r"bad-%s\.yml:\d+:\d+: " % name)

    def test_check_tells_of_every_file(self):
        out = run("signatures", "check", folder("several", a="id: [\n", b=rule("b"), c="{}\n", d=rule("d", more="colour: red\n"), e=rule("e", tests="tags: [x]\n")))
        self.assertEqual(out.returncode, 1)
        self.assertEqual(re.findall(r"/([a-e])\.yml:\d+:\d+: ", out.stderr + out.stdout), ["a", "c", "d", "e"])
        self.assertIn("2 signatures, 1 finding, 3 not loaded", out.stdout)

    def test_keep_going(self):
        path = folder("going", a=rule("aa"), b="id: [\n", c=rule("aa"))
        out = run("signatures", "list", path)
        self.assertEqual((out.returncode, out.stdout), (3, ""))
        out = run("signatures", "list", "--keep-going", path)
        self.assertEqual(out.returncode, 1)
        self.assertIn("aa  version 1", out.stdout)
        self.assertRegex(out.stderr, r"b\.yml:2:1: ")
        self.assertRegex(out.stderr, r"c\.yml:1:1: the id 'aa' is also that of .*a\.yml")
        self.assertEqual(run("analyze", "--signatures", path, dumps() / "csagent-50.dmp").returncode, 3)
        out = run("analyze", "--signatures", path, "--keep-going", "--format", "jsonl", dumps() / "csagent-50.dmp")
        self.assertEqual([m["signature"] for m in json.loads(out.stdout)["matches"]], ["aa"])

    def test_an_empty_folder_is_a_mistake(self):
        path = folder("empty")
        for args, status in ((["signatures", "check"], 1), (["signatures", "test"], 1), (["analyze", dumps() / "csagent-50.dmp", "--keep-going", "--signatures"], 3)):
            out = run(*args, path)
            self.assertEqual((out.returncode, out.stdout), (status, ""), args)
            self.assertIn("no signature in it", out.stderr)

    def test_test_tells_what_failed_and_where(self):
        path = folder("failing", a=rule("aa", tests="tests:\n  - name: wrong\n    record: {bugcheck.code: 0x51}\n    grade: possible\n"
                                                    "  - {sample: csagent-50, grade: possible}\n  - {sample: nothing, grade: none}\n"))
        out = run("signatures", "test", path, "--samples", dumps())
        self.assertEqual(out.returncode, 1)
        self.assertRegex(out.stdout, r"a\.yml:9:5: wrong: expected possible, found none")
        self.assertRegex(out.stdout, r"nothing: there is no such sample")
        self.assertIn("1 test passed, 2 failed, 0 skipped", out.stdout)

    def test_explain(self):
        out = run("signatures", "explain", "crowdstrike-channel-file-291", dumps() / "csagent-50-late.dmp")
        self.assertEqual(out.returncode, 0, out.stderr)
        for wanted in ("crowdstrike-channel-file-291: confirmed", "- W (contradicted)", "R3+  [present]", "fault.module: csagent.sys  [present] the dump has csagent.sys",
                       "+ 1 of R3 (present), R5 (present), R6 (present)"):
            self.assertIn(wanted, out.stdout)
        out = run("signatures", "explain", "crowdstrike-channel-file-291", dumps() / "vgk-50.dmp")
        self.assertIn("no match", out.stdout.splitlines()[0])
        self.assertIn("[contradicted] the dump has vgk.sys", out.stdout)
        self.assertEqual(run("signatures", "explain", "no-such-thing", dumps() / "vgk-50.dmp").returncode, 2)
        self.assertEqual(run("signatures", "explain", "crowdstrike-channel-file-291", SCRATCH / "nowhere").returncode, 1)

    def test_a_draft_loads_and_matches_its_own_dump(self):
        files = sorted(dumps().glob("*.dmp"))
        if (CORPUS / "kernel").is_dir():
            files += sorted((CORPUS / "kernel").iterdir())
        made = 0
        path = SCRATCH / "new.yml"
        for file in files:
            out = run("signatures", "new", file, "--id", "made-of-it")
            if out.returncode == 1:
                self.assertIn("dumptriage: ", out.stderr)
                continue
            self.assertEqual(out.returncode, 0, (file.name, out.stderr))
            made += 1
            path.write_text(out.stdout)
            tested = run("signatures", "test", path)
            self.assertEqual(tested.returncode, 0, (file.name, tested.stdout))
            checked = run("signatures", "check", path)
            self.assertEqual(checked.returncode, 0, (file.name, checked.stdout))
            record = json.loads(run("analyze", "--format", "jsonl", "--hash", "never", "--signatures", path, file).stdout)
            self.assertEqual([m["signature"] for m in record["matches"]], ["made-of-it"], file.name)
        self.assertGreater(made, 60)

    def test_a_draft_does_not_match_other_crashes_of_the_corpus(self):
        if not (CORPUS / "kernel").is_dir():
            self.skipTest("no real dumps at hand")
        files = sorted((CORPUS / "kernel").iterdir())
        rules = folder("drafts")
        buckets = {}
        for line in run("analyze", "--format", "jsonl", "--hash", "never", *files).stdout.splitlines():
            record = json.loads(line)
            buckets[record["file"]["name"]] = record["bucket"]["own"]
        for i, file in enumerate(files):
            out = run("signatures", "new", file, "--id", "made-%d" % i)
            if out.returncode == 0:
                (rules / ("%d.yml" % i)).write_text(out.stdout)
        for line in run("analyze", "--format", "jsonl", "--hash", "never", "--signatures", rules, *files).stdout.splitlines():
            record = json.loads(line)
            for match in record["matches"]:
                other = files[int(match["signature"][5:])].name
                self.assertTrue(other == record["file"]["name"] or buckets[other] == buckets[record["file"]["name"]] or match["grade"] == "possible",
                                "%s: the draft of %s matches (%s)" % (record["file"]["name"], other, match["grade"]))

    def test_import_of_vulnerable_drivers(self):
        source, out = SCRATCH / "drivers.json", folder("vulnerable") / "vulnerable-drivers.tsv"
        entry = {"Id": "b51c441a-12c7", "Tags": ["Second.sys", "not a file"], "KnownVulnerableSamples": [
            {"Filename": "Capcom.sys", "CreationTimestamp": "2016-09-05 02:43:33"}, {"Filename": "", "OriginalFilename": "x.dll", "CreationTimestamp": "2016-09-05 02:43:34"},
            {"Filename": "a.sys", "CreationTimestamp": ""}, {"Filename": "b\t.sys", "CreationTimestamp": "1970-01-01 00:00:00"}]}
        source.write_text(json.dumps([entry, {"Id": "../evil", "KnownVulnerableSamples": entry["KnownVulnerableSamples"]}, 5]))
        done = run("signatures", "import-vulnerable", source, "--out", out)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(out.read_text().splitlines()[1:], ["capcom.sys\t0x57ccdbd5\t-\tb51c441a-12c7", "second.sys\t0x57ccdbd5\t-\tb51c441a-12c7",
                                                            "second.sys\t0x57ccdbd6\t-\tb51c441a-12c7"])
        self.assertEqual(run("signatures", "list", out.parent).returncode, 0)
        for text in ("[", "{}", "[]", "[1]", "\0"):
            source.write_text(text)
            self.assertEqual(run("signatures", "import-vulnerable", source).returncode, 1, text)
        self.assertEqual(run("signatures", "import-vulnerable", SCRATCH / "nowhere").returncode, 1)

    def test_a_finding_is_shown_and_is_no_cause(self):
        dump = dumps() / "vulnerable-driver-loaded.dmp"
        with_it = json.loads(run("analyze", "--format", "jsonl", dump).stdout)
        without = json.loads(run("analyze", "--format", "jsonl", dumps() / "vgk-50.dmp").stdout)
        self.assertEqual([(f["kind"], f["module"]) for f in with_it["findings"]], [("vulnerable-driver", "capcom.sys")])
        self.assertEqual(without["findings"], [])
        self.assertEqual(with_it["verdict"], without["verdict"])
        self.assertEqual(with_it["blame"], without["blame"])
        self.assertIn("Also found on this computer (not the cause)", run("analyze", dump).stdout)
        self.assertIn("Also found on this computer, and not the cause:", run("analyze", "--format", "markdown", dump).stdout)


if __name__ == "__main__":
    SCRATCH.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
