#!/usr/bin/env python3
"""The content for a SIEM (docs/siem) against the field list, the schemas of Sigma and the events themselves.

usage: check_siem.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR
"""
import configparser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

PROGRAM, BUILDER, SOURCE, SCRATCH = sys.argv[1:5]
SOURCE, SCRATCH = pathlib.Path(SOURCE), pathlib.Path(SCRATCH)
SCHEMAS, SIEM = SOURCE.parent / "shared/schemas", SOURCE / "docs/siem"


def flat(value, path=""):
    for name, inner in value.items():
        at = f"{path}.{name}" if path else name
        if isinstance(inner, dict):
            yield from flat(inner, at)
        else:
            yield at, inner


def events():
    """A crash that is known, one that is not, and the incident."""
    shutil.rmtree(SCRATCH, ignore_errors=True)
    SCRATCH.mkdir(parents=True)
    for recipe in ("csagent-50", "plain-kernel", "user-av-x64", "aswsnx-50"):
        (SCRATCH / recipe).mkdir()
        subprocess.run([BUILDER, str(SOURCE / f"samples/recipes/{recipe}.recipe"), str(SCRATCH / recipe / "a.dmp")], check=True)
    subprocess.run([PROGRAM, "scan", str(SCRATCH), "--db", str(SCRATCH / "s.db"), "--host-from", "dir:1", "--include", "*.dmp", "--quiet"], check=True,
                   capture_output=True)
    out = subprocess.run([PROGRAM, "feed", "--db", str(SCRATCH / "s.db"), "--to", "-", "--replay"], check=True, capture_output=True, text=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def leaves(properties, path=""):
    for name, field in properties.items():
        at = f"{path}.{name}" if path else name
        if "properties" in field:
            yield from leaves(field["properties"], at)
        else:
            yield at, field["type"]


class Template(unittest.TestCase):
    def setUp(self):
        self.template = json.loads((SIEM / "elasticsearch-template.json").read_text())
        self.fields = dict(leaves(self.template["template"]["mappings"]["properties"]))

    def test_fields_of_ecs_have_its_types(self):
        if not SCHEMAS.exists():
            self.skipTest("the ECS field list is not at hand")
        known = json.loads((SCHEMAS / "ecs-9.4.0-subset.json").read_text())
        for name, kind in self.fields.items():
            if not name.startswith("dumptriage."):
                self.assertEqual(kind, known[name]["type"], name)

    def test_every_field_of_ours_is_mapped_and_takes_what_comes(self):
        seen = set()
        takes = {"keyword": str, "match_only_text": str, "wildcard": str, "date": str, "long": int, "boolean": bool}
        for event in EVENTS:
            for name, value in flat(event):
                if name.startswith("dumptriage."):
                    self.assertIn(name, self.fields)
                    seen.add(name)
                if name in self.fields:
                    for item in value if isinstance(value, list) else [value]:
                        self.assertIs(type(item), takes[self.fields[name]], name)
        self.assertIn("dumptriage.cluster.hosts", seen)

    def test_the_streams_name_is_the_feeds(self):
        self.assertEqual(self.template["index_patterns"], ["logs-dumptriage.crash-*"])


def load(name):
    """The rules use little of YAML: read by the program's own library would be another test; python3-yaml may be missing."""
    try:
        import yaml
    except ImportError:
        return None
    return json.loads(json.dumps(yaml.safe_load((SIEM / name).read_text()), default=str))


class Sigma(unittest.TestCase):
    RULES = ("sigma-known-crash.yml", "sigma-crashes-of-a-group.yml")

    def test_against_the_schemas(self):
        rules = [load(name) for name in self.RULES]
        if not SCHEMAS.exists() or rules[0] is None:
            self.skipTest("the schemas, or python3-yaml, are not at hand")
        import jsonschema

        detection, correlation = (jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text())) for name in ("sd", "sc"))
        for rule in rules:
            self.assertEqual([e.message[:200] for e in detection.iter_errors(rule)], [])
        outbreak = load("sigma-outbreak.yml")
        self.assertEqual([e.message[:200] for e in correlation.iter_errors(outbreak)], [])
        self.assertIn(rules[1]["name"], outbreak["correlation"]["rules"])
        self.assertEqual((outbreak["correlation"]["condition"]["gte"], outbreak["correlation"]["timespan"]), (20, "1h"))
        del outbreak["correlation"]["type"]
        self.assertTrue(list(correlation.iter_errors(outbreak)))

    def matches(self, rule, event):
        values = dict(flat(event))

        def hit(selection):
            return all(values.get(name) in (wanted if isinstance(wanted, list) else [wanted]) for name, wanted in selection.items())

        detection = rule["detection"]
        return hit(detection["selection"]) and not ("filter" in detection and hit(detection["filter"]))

    def test_they_match_what_they_say(self):
        known, group = (load(name) for name in self.RULES)
        if known is None:
            self.skipTest("python3-yaml is not installed")
        by_host = {event.get("host", {}).get("name"): event for event in EVENTS if "crash_id" in event["dumptriage"]}
        self.assertEqual({host for host, event in by_host.items() if self.matches(known, event)}, {"csagent-50", "aswsnx-50"})
        self.assertTrue(self.matches(group, by_host["csagent-50"]))
        incident = next(event for event in EVENTS if "cluster" in event["dumptriage"])
        self.assertFalse(self.matches(group, incident))


class Splunk(unittest.TestCase):
    def test_aliases_name_fields_that_are_there(self):
        names = {name for event in EVENTS for name, _ in flat(event)}
        parser = configparser.RawConfigParser(strict=True)
        parser.optionxform = str
        parser.read(SIEM / "splunk-props.conf")
        for section in parser.sections():
            for key, value in parser.items(section):
                if key.startswith("FIELDALIAS"):
                    self.assertIn(value.split(" AS ")[0], names)
        transforms = (SIEM / "splunk-transforms.conf").read_text()
        pattern = re.search(r"REGEX = (.*)", transforms).group(1).replace("(?<", "(?P<")
        known = next(event for event in EVENTS if event.get("host", {}).get("name") == "csagent-50")
        found = re.search(pattern, json.dumps(known, separators=(",", ":")))
        self.assertEqual(found.group("bugcheck_code"), "0x50")
        self.assertEqual(found.group("bugcheck_p3"), known["dumptriage"]["bugcheck"]["params"][2])


if __name__ == "__main__":
    EVENTS = events()
    unittest.main(argv=sys.argv[:1])
