"""Every bench in one run; and two runs compared.

usage: all.py BUILD OUT [--fleet] [NAME...]
       all.py --compare OLD.json NEW.json

The benches are the targets bench-NAME of BUILD; each keeps its figures (measure.h, figures.py). A figure that was measured
several times is its median. OUT gets bench-TIME.json, bench.json and bench.md.

--compare prints a table of the figures that both runs have, and what one of them lacks. A change of more than a tenth is marked:
"better", "worse". Exit status: 0; 1 when something is worse; 2 wrong usage.
"""
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

TARGETS = {"analyze": "bench", "memory": "bench-memory", "stack": "bench-stack", "serve": "bench-serve", "feed": "bench-feed", "fleet": "bench-fleet"}
LARGE = 1.1
SCHEMA = "dumptriage.bench/1"


def machine():
    model = "unknown"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"processor": model, "processors": os.cpu_count(), "kernel": platform.release()}


def commit():
    out = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True)
    return out.stdout.strip() if out.returncode == 0 else "unknown"


def gather(lines):
    """Figures by name, in the order in which they came first."""
    found = {}
    for line in lines:
        row = json.loads(line)
        found.setdefault(row["name"], (row["unit"], []))[1].append(row["value"])
    return [{"name": name, "value": float(f"{statistics.median(values):.4g}"), "unit": unit, "times": len(values)} for name, (unit, values) in found.items()]


def show(value):
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def table(rows, head):
    rows = [head, *rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]

    def line(row):
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"

    return "\n".join([line(head), "|" + "|".join("-" * (width + 2) for width in widths) + "|", *map(line, rows[1:])])


def markdown(run):
    head = f"{run['commit']}, {run['when']}, {run['machine']['processors']} x {run['machine']['processor']}\n\n"
    return head + table([(f["name"], show(f["value"]), f["unit"]) for f in run["figures"]], ("figure", "value", "unit")) + "\n"


def word(ratio, unit):
    gain = ratio if unit == "/s" else 1 / ratio
    return "better" if gain > LARGE else "worse" if gain < 1 / LARGE else ""


def compare(old, new):
    """The table, and whether something is worse."""
    before, rows, worse = {f["name"]: f for f in old["figures"]}, [], False
    for now in new["figures"]:
        then = before.pop(now["name"], None)
        if not then or then["unit"] != now["unit"] or not then["value"] or not now["value"]:
            rows.append((now["name"], show(then["value"]) if then else "none", show(now["value"]), now["unit"], "", ""))
            continue
        ratio = now["value"] / then["value"]
        rows.append((now["name"], show(then["value"]), show(now["value"]), now["unit"], f"{ratio:.2f}", word(ratio, now["unit"])))
        worse |= rows[-1][-1] == "worse"
    rows += [(then["name"], show(then["value"]), "none", then["unit"], "", "") for then in before.values()]
    return table(rows, ("figure", old["commit"], new["commit"], "unit", "ratio", "")), worse


def load(path):
    try:
        run = json.loads(pathlib.Path(path).read_text())
        if run["schema"] != SCHEMA:
            raise ValueError("it has another schema")
        return run
    except (OSError, ValueError, KeyError, TypeError) as reason:
        sys.exit(f"{path} is no run of the benches: {reason}")


def measure(build, out, names):
    out.mkdir(parents=True, exist_ok=True)
    kept = out / "figures.jsonl"
    kept.unlink(missing_ok=True)
    begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    for name in names:
        print(f"== {name}", flush=True)
        subprocess.run(["cmake", "--build", str(build), "--target", TARGETS[name]], check=True, env={**os.environ, "DT_BENCH_FIGURES": str(kept.resolve())})
    run = {"schema": SCHEMA, "commit": commit(), "when": begin, "machine": machine(), "figures": gather(kept.read_text().splitlines())}
    text = json.dumps(run, indent=1) + "\n"
    (out / f"bench-{begin.replace(':', '')}.json").write_text(text)
    (out / "bench.json").write_text(text)
    (out / "bench.md").write_text(markdown(run))
    print(markdown(run) + f"\nkept in {out}/bench.json and bench.md")


def main(args):
    if args[:1] == ["--compare"] and len(args) == 3:
        text, worse = compare(load(args[1]), load(args[2]))
        print(text)
        return 1 if worse else 0
    if len(args) < 2 or args[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    names = [name for name in args[2:] if name != "--fleet"]
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        print(f"there is no bench '{unknown[0]}'; there are {' '.join(TARGETS)}", file=sys.stderr)
        return 2
    names = names or [name for name in TARGETS if name != "fleet"] + (["fleet"] if "--fleet" in args else [])
    measure(pathlib.Path(args[0]), pathlib.Path(args[1]), names)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
