#!/usr/bin/env python3
"""The formats for other systems: every sample in each of them, held against the schemas where they are at hand, and hostile names.

usage: check_encodings.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PROGRAM, BUILDER, SOURCE, SCRATCH = sys.argv[1:5]
SOURCE, SCRATCH = pathlib.Path(SOURCE), pathlib.Path(SCRATCH)
SCHEMAS = SOURCE.parent / "shared/schemas"
CORPUS = SOURCE.parent / "shared/corpus"
HOSTILE = 'x" |=\\,`<b> CEF:0|a|b \U0001f600 [a](http://h) C:\\Users\\Jane Doe\\a.dmp'


def run(*args, **more):
    return subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=120, **more)


def dumps():
    """Every sample, and the real dumps where they are at hand."""
    folder = SCRATCH / "dumps"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for recipe in sorted((SOURCE / "samples/recipes").glob("*.recipe")):
        subprocess.run([BUILDER, str(recipe), str(folder / (recipe.stem + ".dmp"))], check=True)
    return sorted(folder.iterdir()) + sorted(p for p in CORPUS.glob("*/*") if p.suffix in (".dmp", ".mdmp"))


def lines(form, *args):
    return run("analyze", "--format", form, "--host", "PC-7", *args).stdout.splitlines()


def hostile_record():
    """A real record with hostile text in every text field."""
    record = json.loads(lines("jsonl", SCRATCH / "dumps/csagent-50.dmp")[0])
    text = HOSTILE
    record["file"]["path"] = record["file"]["name"] = record["fault"]["module"] = record["host"]["name"] = text
    record["process"]["name"] = record["verdict"]["summary"] = record["bucket"]["own"] = text
    record["matches"][0]["title"] = text
    path = SCRATCH / "hostile.json"
    path.write_text(json.dumps(record))
    return path, text


class Ecs(unittest.TestCase):
    def check(self, event, fields):
        def walk(value, path):
            for name, inner in value.items():
                at = f"{path}.{name}" if path else name
                if at == "dumptriage":
                    continue
                if isinstance(inner, dict):
                    walk(inner, at)
                    continue
                field = fields.get(at)
                self.assertIsNotNone(field, f"unknown field {at}")
                self.assertEqual(bool(field["array"]), isinstance(inner, list), at)
                for item in inner if isinstance(inner, list) else [inner]:
                    wanted = {"long": int, "float": (int, float), "boolean": bool}.get(field["type"], str)
                    self.assertIsInstance(item, wanted, at)
                    if field["allowed"]:
                        names = [a["name"] if isinstance(a, dict) else a for a in field["allowed"]]
                        self.assertIn(item, names, at)
                    if field.get("ignore_above") and isinstance(item, str):
                        self.assertLessEqual(len(item), field["ignore_above"], at)

        walk(event, "")

    def test_against_the_field_list(self):
        if not SCHEMAS.exists():
            self.skipTest("the ECS field list is not at hand")
        fields = json.loads((SCHEMAS / "ecs-9.4.0-subset.json").read_text())
        events = [json.loads(line) for line in lines("ecs", *DUMPS)]
        self.assertEqual(len(events), len(DUMPS))
        for event in events:
            self.check(event, fields)
        broken = {**events[0], "event": {**events[0]["event"], "category": ["system"]}}
        self.assertRaises(AssertionError, self.check, broken, fields)

    def test_no_objects_in_arrays_and_alerts_only_for_known_incidents(self):
        def arrays(value):
            if isinstance(value, dict):
                for inner in value.values():
                    arrays(inner)
            elif isinstance(value, list):
                self.assertFalse(any(isinstance(item, (dict, list)) for item in value))

        for line in lines("ecs", *DUMPS):
            event = json.loads(line)
            arrays(event)
            self.assertEqual(event["event"]["kind"] == "alert", event["dumptriage"]["verdict"] == "known-incident")

    def test_an_event_keeps_its_id(self):
        first, second = lines("ecs", DUMPS[0])[0], lines("ecs", DUMPS[0])[0]
        self.assertEqual(json.loads(first)["event"]["id"], json.loads(second)["event"]["id"])
        self.assertRegex(json.loads(first)["event"]["id"], r"^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        others = {json.loads(line)["event"]["id"] for line in lines("ecs", *DUMPS)}
        self.assertGreater(len(others), len(DUMPS) // 2)


class Ocsf(unittest.TestCase):
    def test_against_the_schemas(self):
        if not SCHEMAS.exists():
            self.skipTest("the OCSF schemas are not at hand")
        import jsonschema  # the distribution's

        kinds = {2004: "detection_finding", 6008: "application_error"}
        validators = {(uid, version): jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"ocsf-{version}-{name}.schema.json").read_text()))
                      for uid, name in kinds.items() for version in ("1.6.0", "1.8.0")}
        seen = set()
        path, _ = hostile_record()
        for line in lines("ocsf", *DUMPS) + run("show", "--format", "ocsf", path).stdout.splitlines():
            event = json.loads(line)
            seen.add(event["class_uid"])
            for version in ("1.6.0", "1.8.0"):
                event["metadata"]["version"] = version
                errors = [f"{'/'.join(map(str, e.absolute_path))}: {e.message[:150]}" for e in validators[event["class_uid"], version].iter_errors(event)]
                self.assertEqual(errors, [], line[:300])
        self.assertEqual(seen, {2004, 6008})
        event["severity_id"] = 42
        self.assertTrue(list(validators[event["class_uid"], "1.8.0"].iter_errors(event)))


def parse_cef(line):
    """Strict: header fields unescaped, extension as a dictionary; raises on anything that is not CEF."""
    fields, at = [], 0
    for _ in range(7):
        found = re.compile(r"((?:[^|\\]|\\[|\\])*)\|").match(line, at)
        fields.append(re.sub(r"\\(.)", r"\1", found.group(1)))
        at = found.end()
    rest, values = line[at:], {}
    pattern = re.compile(r" ([A-Za-z0-9]+)=((?:[^=\\]|\\[=\\n])*?)(?= [A-Za-z0-9]+=|$)")
    position = 0
    while position < len(rest):
        found = pattern.match(rest, position)
        if not found:
            raise ValueError(rest[position:position + 60])
        values[found.group(1)] = re.sub(r"\\(.)", lambda m: "\n" if m.group(1) == "n" else m.group(1), found.group(2))
        position = found.end()
    return fields, values


class Cef(unittest.TestCase):
    def test_every_sample(self):
        out = lines("cef", *DUMPS)
        self.assertEqual(len(out), len(DUMPS))
        for line in out:
            self.assertLess(len(line.encode()), 8192)
            fields, values = parse_cef(line)
            self.assertEqual(fields[:3], ["CEF:0", "dumptriage", "dumptriage"])
            self.assertIn(int(fields[6]), range(11))
            self.assertEqual(values["dhost"], "pc-7")

    def test_hostile_text_makes_no_line_and_no_field(self):
        path, text = hostile_record()
        out = run("show", "--format", "cef", path).stdout
        self.assertEqual(out.count("\n"), 1)
        fields, values = parse_cef(out[:-1])
        self.assertEqual(fields[5], text)
        self.assertEqual(values["dhost"], text)
        self.assertNotIn("Jane", values["filePath"])

    def test_liblognorm_reads_it(self):
        if not shutil.which("lognormalizer"):
            self.skipTest("liblognorm-utils is not installed")
        rules = SCRATCH / "cef.rb"
        rules.write_text("version=2\nrule=cef:%f:cef%\n")
        path, _ = hostile_record()
        text = "\n".join(lines("cef", *DUMPS[:20])) + "\n" + run("show", "--format", "cef", path).stdout
        out = subprocess.run(["lognormalizer", "-r", str(rules)], input=text, capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            self.assertNotIn("unparsed-data", json.loads(line), line[:200])


class Text(unittest.TestCase):
    def test_markdown_of_hostile_text_is_text(self):
        path, _ = hostile_record()
        out = run("show", "--format", "markdown", path).stdout
        self.assertNotIn("<b>", out.replace("\\<b\\>", ""))
        self.assertNotIn("[a](http", out)
        for row in (line for line in out.splitlines() if line.startswith("| ")):
            self.assertEqual(len(re.findall(r"(?<!\\)\|", row)), 3, row)

    def test_ticket(self):
        out = "\n".join(lines("ticket", SCRATCH / "dumps/csagent-50.dmp"))
        short = re.search(r"^Short description: (.*)$", out, re.M).group(1)
        self.assertLessEqual(len(short), 160)
        self.assertTrue(short.startswith("pc-7: "))
        self.assertIn("Correlation id: crowdstrike-channel-file-291", out)
        self.assertIn("Impact: 1", out)
        self.assertIn("**What to do**", out)
        for dump in DUMPS:
            self.assertIn("Short description: ", lines("ticket", dump)[0])

    def test_every_format_takes_every_sample(self):
        for form in ("markdown", "ticket", "ecs", "ocsf", "cef"):
            out = run("analyze", "--format", form, *DUMPS)
            self.assertIn(out.returncode, (0, 1), out.stderr)
            self.assertEqual(out.stderr, "")


if __name__ == "__main__":
    DUMPS = dumps()
    unittest.main(argv=sys.argv[:1])
