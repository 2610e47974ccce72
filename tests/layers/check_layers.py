#!/usr/bin/env python3
"""Holds the code against the table of edges in cmake/layers.cmake.

Two independent readings: the compiler's dependency files say which headers each
source file read, and the objects' undefined symbols say which functions it calls.
Any edge that the table does not name is an error, and so is a row of docs/architecture.md that
says something else than the table.

usage: check_layers.py SOURCE_DIR BUILD_DIR
"""
import json
import pathlib
import re
import subprocess
import sys


def layer_of(path, layers):
    """The layer whose folder holds path (relative to analyzer/), or None."""
    best = None
    for layer in layers:
        if path.startswith(layer["folder"] + "/") and (best is None or len(layer["folder"]) > len(best["folder"])):
            best = layer
    return best


def header_edges(source, build, layers):
    """(user, used, source file, header) of every header read from another layer."""
    out = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True).stdout
    root = (source / "analyzer").resolve()
    user = unit = None
    for line in out.splitlines():
        if line and not line.startswith(" "):
            user = unit = None
            continue
        path = (build / line.strip()).resolve()
        if root not in path.parents:
            if unit is None and line.strip():
                unit, user = path, None  # a source file outside analyzer/: not ours
            continue
        relative = str(path.relative_to(root))
        if unit is None:
            unit, user = relative, layer_of(relative, layers)
        elif user is not None:
            used = layer_of(relative, layers)
            if used is not None and used is not user:
                yield user, used, unit, relative


def symbols(archive, *flags):
    out = subprocess.run(["nm", "-P", *flags, str(archive)], check=True, capture_output=True, text=True).stdout
    return {line.split()[0] for line in out.splitlines() if len(line.split()) >= 2 and not line.endswith(":")}


def symbol_edges(build, layers):
    """(user, used, symbol) of every function that one layer's objects need of another's."""
    defined, needed = {}, {}
    for layer in layers:
        archive = next(build.glob("**/libdt_%s.a" % layer["name"]))
        for symbol in symbols(archive, "-g", "--defined-only"):
            defined[symbol] = layer
        needed[layer["name"]] = symbols(archive, "-u")
    for layer in layers:
        for symbol in needed[layer["name"]]:
            used = defined.get(symbol)
            if used is not None and used is not layer:
                yield layer, used, symbol


def documented(source):
    """{layer: (folder, uses)} by the table of docs/architecture.md; None where there is no such page (the fixture)."""
    page = source / "docs/architecture.md"
    if not page.exists():
        return None
    rows = re.findall(r"^\| (\w+) \| `([\w/]+)` \| ([\w ]*?) ?\| [^|]+ \|$", page.read_text(), re.M)
    return {name: (folder, uses.split()) for name, folder, uses in rows}


def undocumented(source, layers):
    """Differences between the page and the table that CMake links by."""
    page = documented(source)
    if page is None:
        return
    table = {layer["name"]: (layer["folder"], layer["uses"]) for layer in layers}
    for name in sorted(set(page) | set(table)):
        if page.get(name) != table.get(name):
            yield "docs/architecture.md has %s for %s, cmake/layers.cmake %s" % (page.get(name), name, table.get(name))


def main():
    source, build = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    layers = json.loads((build / "layers.json").read_text())
    bad, seen = set(), set()
    for user, used, unit, header in header_edges(source, build, layers):
        seen.add((user["name"], used["name"]))
        if used["name"] not in user["uses"]:
            bad.add("%s may not use %s: %s includes %s" % (user["name"], used["name"], unit, header))
    for user, used, symbol in symbol_edges(build, layers):
        seen.add((user["name"], used["name"]))
        if used["name"] not in user["uses"]:
            bad.add("%s may not use %s: it calls %s" % (user["name"], used["name"], symbol))
    bad.update(undocumented(source, layers))
    for line in sorted(bad):
        print(line)
    print("%d layers, %d edges in use, %d not allowed" % (len(layers), len(seen), len(bad)))
    if len(seen) < len(layers):
        print("fewer edges than layers: nothing was read?")
        return 2
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
