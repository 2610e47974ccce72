"""Figures of the benches that are scripts, kept for ./bench as tests/bench/measure.h keeps those of the others."""
import json
import os


def figure(unit, value, name):
    path = os.environ.get("DT_BENCH_FIGURES")
    if path:
        with open(path, "a") as out:
            out.write(json.dumps({"name": name, "value": float(f"{value:.6g}"), "unit": unit}) + "\n")
