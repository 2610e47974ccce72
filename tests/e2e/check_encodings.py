#!/usr/bin/env python3
"""The formats for other systems: every sample in each of them, held against the schemas where they are at hand, and hostile names.

usage: check_encodings.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import hashlib
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
    shutil.rmtree(SCRATCH, ignore_errors=True)
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

        watched = 0
        for line in lines("ecs", *DUMPS):
            event = json.loads(line)
            arrays(event)
            alert, known = event["event"]["kind"] == "alert", event["dumptriage"]["verdict"] == "known-incident"
            self.assertTrue(alert or not known)
            # Beside known incidents only crashes in or by a driver of a security product, or a vulnerable one.
            if alert and not known:
                watched += 1
                self.assertRegex(event.get("dll", {}).get("name", "").lower(), r"^(csagent|vgk|aswsnx|[a-z0-9_-]+)\.(sys|exe)$")
        self.assertTrue(watched)
        for recipe, kind in (("aswsnx-50", "alert"), ("plain-kernel", "event"), ("user-av-x64", "event")):
            event = json.loads(lines("ecs", SCRATCH / f"dumps/{recipe}.dmp")[0])
            self.assertEqual(event["event"]["kind"], kind, recipe)

    def test_names_of_users_stay_out_of_events(self):
        path, _ = hostile_record()
        record = json.loads(path.read_text())
        record["modules"][0]["path"] = record["verdict"]["summary"] = record["process"]["name"] = "C:\\Users\\Jane Doe\\x.exe"
        path.write_text(json.dumps(record))
        for form in ("ecs", "ocsf", "cef"):
            out = run("show", "--format", form, path).stdout
            self.assertNotIn("Jane", out)
            self.assertIn(hashlib.sha256(record["file"]["path"].encode()).hexdigest()[:16], out)

    def test_incidents_too(self):
        if not SCHEMAS.exists():
            self.skipTest("the ECS field list is not at hand")
        fields = json.loads((SCHEMAS / "ecs-9.4.0-subset.json").read_text())
        events = incidents("ecs")
        self.assertTrue(events)
        for event in events:
            self.check(event, fields)
            self.assertEqual(event["data_stream"]["dataset"], event["event"]["dataset"])
            self.assertEqual(event["event"]["kind"] == "alert", event["dumptriage"]["cluster"]["state"] == "outbreak" or "rule" in event)

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

    def test_incidents_as_of_1_6_0(self):
        try:
            import jsonschema  # the distribution's
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        schema = json.loads((SOURCE / "tests/e2e/ocsf-1.6.0-incident_finding.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        events = incidents("ocsf")
        self.assertTrue(events)
        for event in events:
            self.assertEqual(event["metadata"]["version"], "1.6.0")
            self.assertEqual([f"{'/'.join(map(str, e.absolute_path))}: {e.message[:150]}" for e in validator.iter_errors(event)], [])
        for wrong in ({"status_id": 7}, {"assignee_group": None}, {"not_a_field": 1}, {"finding_info_list": [{"title": "x"}]}):
            self.assertTrue(list(validator.iter_errors({**event, **wrong})), wrong)

    def test_incidents_too(self):
        if not SCHEMAS.exists():
            self.skipTest("the OCSF schemas are not at hand")
        import jsonschema  # the distribution's

        validator = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "ocsf-1.8.0-incident_finding.schema.json").read_text()))
        events = incidents("ocsf")
        self.assertTrue(events)
        for event in events:
            self.assertEqual((event["class_uid"], event["metadata"]["version"]), (2005, "1.6.0"))
            event["metadata"]["version"] = "1.8.0"
            self.assertEqual([f"{'/'.join(map(str, e.absolute_path))}: {e.message[:150]}" for e in validator.iter_errors(event)], [])
        del event["assignee_group"]
        self.assertTrue(list(validator.iter_errors(event)))


def incidents(form):
    """The incidents' events of a store of an outbreak."""
    folder = SCRATCH / "outbreak"
    if not folder.exists():
        folder.mkdir()
        for i in range(30):
            shutil.copy(SCRATCH / "dumps/csagent-50.dmp", folder / f"{i}.dmp")
            data = bytearray((folder / f"{i}.dmp").read_bytes())
            data[0xfa8:0xfb0] = (int.from_bytes(data[0xfa8:0xfb0], "little") + i * 600_000_000).to_bytes(8, "little")  # SystemTime of the header
            (folder / f"pc-{i}").mkdir()
            (folder / f"pc-{i}/{i}.dmp").write_bytes(data)
            (folder / f"{i}.dmp").unlink()
        run("scan", folder, "--db", SCRATCH / "outbreak.db", "--host-from", "dir:1", "--quiet")
    out = run("feed", "--db", SCRATCH / "outbreak.db", "--to", "-", "--replay", "--encoding", form)
    if form == "cef":
        return [line for line in out.stdout.splitlines() if parse_cef(line)[0][4].startswith(("crash-incident", "crash-outbreak"))]
    events = [json.loads(line) for line in out.stdout.splitlines()]
    return [e for e in events if e.get("class_uid") == 2005 or "cluster" in e.get("dumptriage", {})]


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

    def test_incidents_too(self):
        events = incidents("cef")
        self.assertTrue(events)
        for line in events:
            self.assertLess(len(line.encode()), 8192)
            fields, values = parse_cef(line)
            self.assertEqual((values["cn1"], values["cnt"]), ("30", "30"))
        self.assertIn("crash-outbreak", [parse_cef(line)[0][4] for line in events])

    def test_hostile_text_makes_no_line_and_no_field(self):
        path, text = hostile_record()
        out = run("show", "--format", "cef", path).stdout
        self.assertEqual(out.count("\n"), 1)
        fields, values = parse_cef(out[:-1])
        self.assertEqual(fields[5], text.replace("Jane Doe", "***"))
        self.assertEqual(values["dhost"], text.replace("Jane Doe", "***"))
        self.assertNotIn("Jane", values["filePath"])

    def test_values_come_back_through_liblognorm(self):
        if not shutil.which("lognormalizer"):
            self.skipTest("liblognorm-utils is not installed")
        rules = SCRATCH / "back.rb"
        rules.write_text("version=2\nrule=cef:%f:cef%\n")
        path, _ = hostile_record()
        out = lines("cef", *DUMPS) + run("show", "--format", "cef", path).stdout.splitlines()
        parsed = subprocess.run(["lognormalizer", "-r", str(rules)], input="\n".join(out) + "\n", capture_output=True, text=True, check=True).stdout
        for line, back in zip(out, parsed.splitlines(), strict=True):
            fields, values = parse_cef(line)
            found = json.loads(back)["f"]
            self.assertEqual(found["Extensions"], values)
            self.assertEqual([found["DeviceVendor"], found["Name"], found["Severity"]], [fields[1], fields[5], fields[6]])

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
