#!/usr/bin/env python3
"""Prints which share of the lines and branches of each layer the tests have reached. No threshold: a number to look at, not to reach.

usage: tests/coverage/by_layer.py [BUILD_DIR]       (build/coverage)

    cmake --preset coverage && ninja -C build/coverage && ctest --test-dir build/coverage && tests/coverage/by_layer.py

Processes that are killed leave no counts: what is said of workers and of programs that tests kill is a lower bound.
"""
import collections
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def lines_of(build, data_files):
    """For each source file of ours: line -> reached; and its branches."""
    lines, branches = collections.defaultdict(dict), collections.defaultdict(dict)
    for path in data_files:
        out = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", path.name], cwd=path.parent, capture_output=True, text=True)
        for text in out.stdout.splitlines():
            for file in json.loads(text)["files"]:
                source = (pathlib.Path(file["file"]) if file["file"].startswith("/") else path.parent / file["file"]).resolve()
                if (ROOT / "analyzer") not in source.parents:
                    # Paths in the data are relative to the build folder.
                    source = (build / file["file"]).resolve()
                if (ROOT / "analyzer") not in source.parents:
                    continue
                for line in file["lines"]:
                    number = line["line_number"]
                    lines[source][number] = lines[source].get(number, False) or line["count"] > 0
                    for index, branch in enumerate(line.get("branches", [])):
                        key = (number, index)
                        branches[source][key] = branches[source].get(key, False) or branch["count"] > 0
    return lines, branches


def share(found):
    reached, whole = sum(found), len(found)
    return f"{100 * reached / whole:5.1f} %" if whole else "      -"


def print_layers(build, lines, branches):
    """A row for each layer of layers.json in `build`."""
    layers = collections.defaultdict(list)
    for row in json.loads((build / "layers.json").read_text()):
        layers[row["folder"]] = []
    for source in lines:
        layers[str(source.parent.relative_to(ROOT / "analyzer"))].append(source)
    print(f"{'layer':24} {'lines':>7} {'reached':>8} {'branches':>9}")
    everything, all_branches = [], []
    for folder, sources in sorted(layers.items()):
        if not sources:
            continue
        reached = [hit for source in sources for hit in lines[source].values()]
        taken = [hit for source in sources for hit in branches[source].values()]
        print(f"{folder:24} {len(reached):7} {share(reached):>8} {share(taken):>9}")
        everything += reached
        all_branches += taken
    print(f"{'all':24} {len(everything):7} {share(everything):>8} {share(all_branches):>9}")


def main():
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/coverage").resolve()
    data = sorted(build.rglob("*.gcda"))
    if not data:
        raise SystemExit(f"no counts in {build}: build it with the preset `coverage` and run tests")
    print_layers(build, *lines_of(build, data))


if __name__ == "__main__":
    main()
