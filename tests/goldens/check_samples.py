#!/usr/bin/env python3
"""Builds every sample recipe and holds the program's record against three oracles:

  1. the `expect` lines of the recipe itself (facts from the sources it names);
  2. the JSON Schema of the record;
  3. the golden record in tests/goldens/, made by an earlier version of the program.

It also prints each record again with `show`, from JSON and from JSON lines: nothing may change.

usage: check_samples.py PROGRAM BUILDER SOURCE_DIR SCRATCH_DIR [--rebase]
--rebase writes the goldens anew; read their diff before committing it.
"""
import json
import pathlib
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    jsonschema = None


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def lookup(record, path):
    value = record
    for part in path.split("."):
        if isinstance(value, list):
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, dict):
            if part not in value:
                raise KeyError("there is no field %s" % path)
            value = value[part]
        else:
            return None
    return value


def as_text(value):
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def expectation_fails(record, line):
    """Why an expect line does not hold, or None."""
    words = line.split(None, 1)
    if words[0] == "no-match":
        found = [m["signature"] for m in record["matches"]]
        return None if not found else "matched %s" % ", ".join(found)
    if words[0] == "not-match":
        found = [m["signature"] for m in record["matches"]]
        return "matched %s" % words[1] if words[1].strip() in found else None
    if words[0] == "count":
        path, wanted = words[1].split()
        found = len(lookup(record, path))
        return None if found == int(wanted) else "%s has %d elements" % (path, found)
    path, wanted = words[0], words[1].strip() if len(words) > 1 else ""
    found = as_text(lookup(record, path))
    accepted = [w.strip() for w in wanted.split(" | ")]
    return None if found in accepted else "%s is %s" % (path, found)


def normalised(record):
    """Without what differs from run to run."""
    record = json.loads(json.dumps(record))
    record["file"]["path"] = record["file"]["name"]
    record["file"]["mtime"] = None
    record["judged"]["at"] = None
    record["judged"]["rules"] = None
    record["producer"]["version"] = None
    return record


def check(name, recipe, record, schema, golden, rebase):
    problems, expects = [], 0
    for number, line in enumerate(recipe.read_text().splitlines(), 1):
        if line.startswith("expect "):
            expects += 1
            try:
                why = expectation_fails(record, line[len("expect "):])
            except (KeyError, ValueError, TypeError) as error:
                why = str(error)
            if why:
                problems.append("%s:%d: %s: %s" % (recipe.name, number, line, why))
    if expects == 0:
        problems.append("%s: expects nothing" % recipe.name)
    if schema:
        problems += ["%s: schema: %s: %s" % (name, "/".join(map(str, e.path)), e.message)
                     for e in schema.iter_errors(record)]
    text = json.dumps(normalised(record), indent=1, ensure_ascii=False) + "\n"
    if rebase:
        golden.write_text(text)
    elif not golden.is_file():
        problems.append("%s: no golden record; --rebase writes it" % name)
    elif golden.read_text() != text:
        old = golden.read_text().splitlines()
        new = text.splitlines()
        at = next((i for i, (a, b) in enumerate(zip(old, new)) if a != b), min(len(old), len(new)))
        problems.append("%s: differs from its golden at line %d: %r, found %r"
                        % (name, at + 1, old[at:at + 1], new[at:at + 1]))
    return problems, expects


def main():
    program, builder, source, scratch = sys.argv[1:5]
    rebase = sys.argv[5:] == ["--rebase"]
    recipes = sorted((pathlib.Path(source) / "samples/recipes").glob("*.recipe"))
    goldens = pathlib.Path(source) / "tests/goldens"
    scratch = pathlib.Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    schema = None
    if jsonschema:
        schema = jsonschema.Draft202012Validator(json.loads((pathlib.Path(source) / "docs/crash.schema.json").read_text()))
    problems, expects = [], 0
    for recipe in recipes:
        dump = scratch / (recipe.stem + ".dmp")
        built = run(builder, recipe, dump)
        if built.returncode:
            problems.append("%s: does not build: %s" % (recipe.name, built.stderr.strip()))
            continue
        out = run(program, "analyze", "--format", "jsonl", dump)
        if out.returncode not in (0, 1) or out.stderr:
            problems.append("%s: exit status %d: %s" % (recipe.name, out.returncode, out.stderr.strip()))
            continue
        record = json.loads(out.stdout)
        damaged = record["verdict"]["class"] == "unreadable" or record["failure"] or record["dump"]["complete"] is False
        if bool(damaged) != (out.returncode == 1):
            problems.append("%s: class %s with exit status %d" % (recipe.name, record["verdict"]["class"], out.returncode))
        for style in ("json", "jsonl"):
            kept = scratch / ("%s.%s" % (recipe.stem, style))
            kept.write_text(run(program, "analyze", "--format", style, dump).stdout)
            again = run(program, "show", "--format", "jsonl", kept)
            first, second = json.loads(out.stdout), json.loads(again.stdout or "{}")
            first["judged"]["at"] = second.get("judged", {}).get("at")
            if first != second:
                problems.append("%s: show prints another record from %s: %s" % (recipe.name, style, again.stderr.strip()))
        found, count = check(recipe.stem, recipe, record, schema, goldens / (recipe.stem + ".json"), rebase)
        problems += found
        expects += count
    known = {r.stem for r in recipes}
    problems += ["%s has no recipe" % g.name for g in goldens.glob("*.json") if g.stem not in known]
    print("\n".join(problems))
    print("%d recipes, %d expectations, schema %s, %d problems"
          % (len(recipes), expects, "checked" if schema else "skipped (python3-jsonschema is missing)", len(problems)))
    return 1 if problems or not recipes else 0


if __name__ == "__main__":
    sys.exit(main())
