#!/usr/bin/env python3
"""Compares what the program says of real dumps with facts that other readers found in them.

The dumps are not part of the project; where they are not at hand the test is skipped.
usage: check_corpus.py PROGRAM CORPUS_DIR
"""
import json
import pathlib
import subprocess
import sys

SKIPPED = 77
ACCESS_NAMES = {"READ": "read", "WRITE": "write", "EXEC": "execute"}


class Checker:
    def __init__(self):
        self.wrong = 0
        self.compared = 0

    def equal(self, name, what, expected, found):
        self.compared += 1
        if expected != found:
            self.wrong += 1
            print("%s: %s: expected %r, found %r" % (name, what, expected, found))

    def among(self, name, what, accepted, found):
        self.compared += 1
        fold = [a.lower() if a else a for a in accepted]
        if (found.lower() if found else found) not in fold:
            self.wrong += 1
            print("%s: %s: expected one of %r, found %r" % (name, what, accepted, found))


def number(text):
    return None if text is None else int(text, 16)


def bytes_agree(expected, found):
    """What the record has of the 16 bytes; a page edge can cut it."""
    return (found or "") == (expected or "") or (expected is None and not found)


def kernel(check, want, record):
    name = want["file"]
    dump, bugcheck = record["dump"], record["bugcheck"]
    for what in ("kind", "machine", "build", "processors"):
        check.equal(name, what, want[what], dump[what])
    check.equal(name, "bugcheck", want["bugcheck"], bugcheck["code"])
    check.equal(name, "minidump flag", want["flag_0x10000000"], bugcheck["minidump_flag"])
    check.equal(name, "parameters", want["parameters"], bugcheck["parameters"])
    check.equal(name, "time", want["time"], (dump["time"] or "")[:19] + "Z")
    check.equal(name, "uptime", True, abs(want["uptime_s"] - dump["uptime_s"]) < 0.0011)
    if "drivers" in want:
        check.equal(name, "drivers", want["drivers"], len(record["modules"]))
        check.equal(name, "unloaded", want["unloaded"], len(record["unloaded"]))
        check.equal(name, "process", want["process"], record["process"]["name"])
    if "fault_ip" in want:
        check.equal(name, "fault ip", want["fault_ip"], record["fault"]["ip"])
        check.equal(name, "fault module", want["fault_module"], record["fault"]["module"])
        check.equal(name, "fault offset", want["fault_offset"], record["fault"]["offset"])
        check.equal(name, "instruction", want["instruction"], record["fault"]["instruction"])
        check.equal(name, "bytes", want["bytes"], record["fault"]["bytes"])
        check.equal(name, "trap frame or context", True,
                    record["fault"]["source"] in ("trap-frame", "context-record", "header-context"))
    else:
        # No parameter names an instruction: only a trap frame that proves itself may.
        check.among(name, "no fault", [None, "trap-frame"], record["fault"]["source"])
    if "blame_accepted" in want:
        check.among(name, "blame", want["blame_accepted"], record["blame"]["module"])
    if "class_accepted" in want:
        check.among(name, "class", want["class_accepted"], record["verdict"]["class"])


def user(check, want, record):
    name = want["file"]
    if not want["readable"]:
        return
    check.equal(name, "format", "user", record["dump"]["format"])
    check.equal(name, "machine", {"amd64": "x64"}.get(want["cpu"], want["cpu"]), record["dump"]["machine"])
    check.equal(name, "modules", want["modules"], len(record["modules"]))
    check.equal(name, "unloaded", want["unloaded"], len(record["unloaded"]))
    check.equal(name, "threads", want["threads"], record["process"]["threads"])
    check.equal(name, "pid", want["pid"], record["process"]["pid"])
    crash = want["crash_type"]
    if crash is None:
        check.equal(name, "no exception", None, record["exception"]["code"])
        return
    kind = crash.rsplit("_", 1)[-1]
    if "ACCESS_VIOLATION" in crash:
        check.equal(name, "access", ACCESS_NAMES[kind], record["exception"]["access"])
        check.equal(name, "crash address", number(want["crash_address"]), number(record["exception"]["address"]))
    check.equal(name, "fault ip", number(want["frame0_ip"]), number(record["fault"]["ip"]))
    check.equal(name, "fault module", want["frame0_module"], record["fault"]["module"])
    check.equal(name, "fault offset", number(want["frame0_module_offset"]), number(record["fault"]["offset"]))


def main():
    program, corpus = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (corpus / "expected.jsonl").is_file():
        print("skipped: no real dumps at hand")
        return SKIPPED
    wanted = [json.loads(line) for line in (corpus / "expected.jsonl").read_text().splitlines() if line.strip()]
    files = sorted(p for part in ("kernel", "user", "junk") for p in (corpus / part).iterdir())
    out = subprocess.run([program, "analyze", "--format", "jsonl", *map(str, files)], capture_output=True, text=True)
    if out.returncode not in (0, 1) or out.stderr:
        print("exit status %d\n%s" % (out.returncode, out.stderr))
        return 1
    records = {r["file"]["name"]: r for r in map(json.loads, out.stdout.splitlines())}
    check = Checker()
    check.equal("all", "records", len(files), len(records))
    for path in files:
        if path.parent.name == "junk":
            check.equal(path.name, "class", "unreadable", records[path.name]["verdict"]["class"])
    for want in wanted:
        (user if want["kind"] == "minidump" else kernel)(check, want, records[want["file"]])
    for name, record in sorted(records.items()):
        check.equal(name, "known incident", [], [m["signature"] for m in record["matches"] if "crowdstrike" in m["signature"]])
    print("%d facts of %d dumps compared, %d wrong" % (check.compared, len(wanted), check.wrong))
    return 1 if check.wrong or check.compared < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
