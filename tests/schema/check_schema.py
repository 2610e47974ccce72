#!/usr/bin/env python3
"""Asks an independent validator whether records agree with docs/crash.schema.json.

usage: check_schema.py SCHEMA PRINT_RECORDS [RECORDS.jsonl...]
"""
import copy
import json
import re
import subprocess
import sys

TIME = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{0,6}[1-9])?Z$")


def set_at(record, path, value):
    """A copy of the record with another value at the path; the last step `...` removes the member before it."""
    changed = copy.deepcopy(record)
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return changed


# What the schema must refuse, each as one change of a full record.
WRONG = [
    (["schema"], "dumptriage.crash/2"),
    (["schema"], None),
    (["crash_id"], 5),
    (["crash_id"], ...),
    (["dump"], ...),
    (["dump"], None),
    (["dump", "kind"], "floppy"),
    (["dump", "uptime_s"], "5"),
    (["dump", "uptime_s"], -1),
    (["dump", "processors"], 1.5),
    (["dump", "complete"], "yes"),
    (["fault", "ip"], "16"),
    (["fault", "ip"], "0x01"),
    (["fault", "ip"], "0xAB"),
    (["fault", "ip"], "0x10000000000000000"),
    (["fault", "ip"], ...),
    (["fault", "bytes"], ""),
    (["fault", "bytes"], "abc"),
    (["fault", "code"], "4889"),
    (["registers"], []),
    (["registers", "RAX"], "0x0"),
    (["registers", "rax"], 0),
    (["bugcheck", "parameters"], ["0x0"] * 5),
    (["bugcheck", "parameters"], [None]),
    (["stack", 0, "trust"], "blind"),
    (["stack", 0], None),
    (["stack"], None),
    (["modules"], {}),
    (["notes"], [{}]),
    (["matches", 0, "evidence", 0, "state"], "maybe"),
    (["verdict", "confidence"], -1),
    (["verdict", "reasons"], [5]),
]
# What it must accept.
RIGHT = [
    (["new_member"], {"x": 1}),
    (["fault", "new_member"], 5),
    (["fault", "ip"], "0x0"),
    (["fault", "ip"], None),
    (["registers", "rax"], None),
    (["bugcheck"], None),
    (["dump", "uptime_s"], 0.001),
    (["stack"], []),
]


def main():
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        print("skipped: python3-jsonschema is not installed")
        return 77
    with open(sys.argv[1], encoding="utf-8") as f:
        schema = json.load(f)
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    lines = subprocess.run([sys.argv[2]], check=True, capture_output=True).stdout.decode("utf-8").splitlines()
    for path in sys.argv[3:]:
        with open(path, encoding="utf-8") as f:
            lines += f.read().splitlines()
    records = [json.loads(line) for line in lines]
    bad = 0
    for number, record in enumerate(records):
        for error in validator.iter_errors(record):
            print("record %d: %s: %s" % (number, "/".join(map(str, error.path)), error.message[:200]))
            bad += 1
        time = record["dump"]["time"]
        if time is not None and not TIME.match(time):
            print("record %d: dump/time: %s is not as RFC 3339 has it" % (number, time))
            bad += 1
    full = records[1]
    for path, value in WRONG:
        if validator.is_valid(set_at(full, path, value)):
            print("accepted, and should not be: %s = %r" % (path, value))
            bad += 1
    for path, value in RIGHT:
        if not validator.is_valid(set_at(full, path, value)):
            print("refused, and should not be: %s = %r" % (path, value))
            bad += 1
    print("%d records, %d changes of one, %d errors" % (len(records), len(WRONG) + len(RIGHT), bad))
    return 1 if bad or len(records) < 10 else 0


if __name__ == "__main__":
    sys.exit(main())
