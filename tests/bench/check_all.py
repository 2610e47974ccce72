"""Runs of the benches are gathered and compared rightly: medians, directions, what one run lacks, files that are no runs."""
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import all as benches  # noqa: E402


def run(commit, **figures):
    return {"schema": benches.SCHEMA, "commit": commit, "when": "2024-07-19T00:00:00Z", "machine": {},
            "figures": [{"name": name, "value": value, "unit": unit, "times": 1} for name, (value, unit) in figures.items()]}


class Gather(unittest.TestCase):
    def test_a_figure_is_the_median_of_its_measurements(self):
        lines = [json.dumps({"name": n, "value": v, "unit": "us"}) for n, v in [("a", 5), ("b", 1), ("a", 100), ("a", 6)]]
        self.assertEqual([(f["name"], f["value"], f["times"]) for f in benches.gather(lines)], [("a", 6, 3), ("b", 1, 1)])


class Compare(unittest.TestCase):
    def words(self, old, new):
        text, worse = benches.compare(run("old", **old), run("new", **new))
        return {row.split("|")[1].strip(): row.split("|")[6].strip() for row in text.splitlines()[2:]}, worse

    def test_less_is_better_but_for_rates(self):
        words, worse = self.words({"time": (10, "us"), "rate": (10, "/s")}, {"time": (5, "us"), "rate": (20, "/s")})
        self.assertEqual((words, worse), ({"time": "better", "rate": "better"}, False))
        words, worse = self.words({"time": (10, "us"), "rate": (10, "/s")}, {"time": (12, "us"), "rate": (8, "/s")})
        self.assertEqual((words, worse), ({"time": "worse", "rate": "worse"}, True))

    def test_a_tenth_is_noise(self):
        self.assertEqual(self.words({"time": (100, "us")}, {"time": (109, "us")}), ({"time": ""}, False))

    def test_what_one_run_lacks_is_shown_and_not_judged(self):
        text, worse = benches.compare(run("old", gone=(1, "us")), run("new", fresh=(2, "us"), zero=(0, "us")))
        self.assertFalse(worse)
        self.assertRegex(text, r"fresh +\| none +\| 2 ")
        self.assertRegex(text, r"gone +\| 1 +\| none ")

    def test_as_a_command(self):
        with tempfile.TemporaryDirectory() as folder:
            old, new, bad = (pathlib.Path(folder, name) for name in ("old.json", "new.json", "bad.json"))
            old.write_text(json.dumps(run("a1", time=(10, "us"))))
            new.write_text(json.dumps(run("b2", time=(20, "us"))))
            bad.write_text('{"schema": "other"}')

            def command(*args):
                return subprocess.run([sys.executable, str(HERE / "all.py"), *map(str, args)], capture_output=True, text=True)

            out = command("--compare", old, new)
            self.assertEqual(out.returncode, 1)
            self.assertIn("| time   | 10 | 20 | us   | 2.00  | worse |", out.stdout)
            self.assertEqual(command("--compare", new, old).returncode, 0)
            self.assertIn("no run of the benches", command("--compare", old, bad).stderr)
            self.assertEqual(command().returncode, 2)
            self.assertIn("there is no bench 'speed'", command(folder, folder, "speed").stderr)


if __name__ == "__main__":
    unittest.main()
