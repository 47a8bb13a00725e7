# SPDX-License-Identifier: GPL-3.0-or-later
"""Designs and solves that play what they found with N agents: the numbers are those of simulate{} with
the run's own policy, the bytes are the same on every number of ranks, with restarts, in sweeps and
after a stop; nothing else changes; what cannot be played is refused."""

import os
import re
import shutil
import unittest

import h5py
import numpy

import run_file_compare
from walras_cli import at_once, folder, left, own_lines, walras, write

BEACH = "game = beach_bar { states = 12, horizon = 5, bar = 4%s }"
TOLL = BEACH % ", toll = toll { max = 0.5 }"
BEACH = BEACH % ""
CONGESTION = "objective = congestion { sharpness = 20 }"
ANSWER = "learner = mirror_descent { rate = 0.5, entropy = 0.01, iterations = 60 }"
QUICK = "optimizer = adam { rate = 0.3 }, steps = 4, evaluate = { iterations = 60, every = 2 }"
NETWORK = ("game = batched_auction { rounds = 2, values = 8, bids = 6, goods = 0.7, "
           "mechanism = neural { hidden = 4 } }")
BIDS = "learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 30 }"
RULE = "learner = mirror_descent { rate = 1, entropy = 0.05 }, stop = { iterations = 60 }"
FEW = "agents = { 3, 50, 700 }, episodes = 20"

# name: (task, game, the rest, the objective or "", how it is played, seed)
PLAYED = {
    "toll": ("design", TOLL, f"{ANSWER}, {QUICK}", CONGESTION, FEW, 5),
    "network": ("design", NETWORK, f"{BIDS}, {QUICK}", "objective = revenue {}",
                "agents = { 40, 1e9 }, episodes = 9, mode = 'counts'", 3),
    "restarts": ("design", NETWORK, f"{BIDS}, {QUICK}, restarts = 3", "objective = revenue {}",
                 "agents = { 30, 80 }, episodes = 9", 8),
    "solve": ("solve", BEACH, RULE, "", FEW, 1),
    "policy": ("solve", "game = treasure_hunting { places = 5, horizon = 4 }",
               "stop = { iterations = 20 }", "", "agents = 9, episodes = 9", 1),
}
REFUSED = (
    ("design", f"{TOLL}, {CONGESTION}, agents = 0",
     r"design: agents: expected a number in \[1, 9007199254740992\], got 0"),
    ("design", f"{TOLL}, {CONGESTION}, episodes = 9",
     "design: episodes: expected agents beside it: how many play the result"),
    ("solve", f"{BEACH}, mode = 'counts'",
     "solve: mode: expected agents beside it: how many play the result"),
    ("solve", f"{BEACH}, agents = {{ 5, 2.5 }}",
     r"solve: agents: expected whole numbers in \[1, 1099511627776\] in mode \"individual\", "
     r"got 2\.5"),
    ("design", f"{NETWORK}, objective = revenue {{}}, agents = 5, draw = {{ goods = {{ 0.6, 0.9 }} }}",
     r"design: agents: expected none with draw: there are many games then, and not one to play; "
     r"simulate\{policy = from\{file = \}\} plays a game of your choice"),
    ("solve", f"{BEACH}, agents = 2^40",
     r"solve: agents: expected a population that fits into memory, got one that needs about \S+ TiB "
     r'a process, each of which may have \S+ \wiB; mode = "counts" needs less'),
)
FOUND_LATE = "fits into memory"  # by a run, not by a check


def text(name, agents=True):
    task, game, rest, objective, how, seed = PLAYED[name]
    parts = [game, rest, *([objective] if objective else []), *([how] if agents else []),
             f"seed = {seed}"]
    return f"return {task} {{ {', '.join(parts)} }}"


def differ(first, second, but=()):
    """Differences outside groups that may differ."""
    return [line for line in run_file_compare.differences(first, second)
            if not any(group in line for group in but)]


class Played(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.place = os.getcwd(), folder("played")
        os.chdir(cls.place)
        for name in PLAYED:
            write(f"{name}.lua", text(name))
            write(f"{name}-unplayed.lua", text(name, agents=False))
        cls.jobs = [(name, ranks) for name in PLAYED for ranks in (None, 2, 3)
                    if ranks != 2 or name in ("toll", "solve")]
        cls.results = dict(zip(cls.jobs, at_once(cls.run_on, cls.jobs)))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    @staticmethod
    def run_on(job):
        name, ranks = job
        return walras("run", f"{name}.lua", "-q", "-o", f"{name}-{ranks}.h5", ranks=ranks)

    def test_all_succeed_with_the_same_bytes_on_every_number_of_ranks(self):
        for (name, ranks), result in self.results.items():
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(result.status, 0, result)
                self.assertEqual(
                    run_file_compare.differences(f"{name}-None.h5", f"{name}-{ranks}.h5"), [])

    def simulated(self, name):
        """The same by `simulate`, of the file; of restarts with the seed of the best one."""
        _, game, _, objective, how, seed = PLAYED[name]
        with h5py.File(f"{name}-None.h5", "r") as file:
            if "restarts" in file:
                seed += int(file["restarts"].attrs["best"])
        parts = [game, f"policy = from {{ file = '{name}-None.h5' }}", how, f"seed = {seed}",
                 *([objective] if objective else []),
                 *(["deviation = false"] if name == "policy" else [])]
        write(f"{name}-simulated.lua", f"return simulate {{ {', '.join(parts)} }}")
        return walras("run", f"{name}-simulated.lua", "-q", "-o", f"{name}-simulated.h5")

    def test_the_numbers_are_those_of_simulate(self):
        for name, result in zip(PLAYED, at_once(self.simulated, PLAYED)):
            with self.subTest(name=name):
                self.assertEqual(result.status, 0, result)
                with h5py.File(f"{name}-None.h5", "r") as played, \
                        h5py.File(f"{name}-simulated.h5", "r") as simulated:
                    own, other = played["population"], simulated["population"]
                    self.assertEqual(sorted(own), sorted(other))
                    self.assertEqual(sorted(own.attrs), sorted(other.attrs))
                    for path in other:
                        self.assertEqual(own[path][()].tobytes(), other[path][()].tobytes(), path)
                    for key, value in other.attrs.items():
                        numpy.testing.assert_equal(own.attrs[key], value)
                    if "objective" in own.attrs:  # the limit is what the design was judged by
                        best = played["design/reference/objective"][-1]
                        numpy.testing.assert_allclose(own.attrs["objective"], best, rtol=1e-12)
                # The same table: from its heading to what follows it.
                table = r"(?ms)^  +agents +return.*?(?=^  seconds)"
                shown = re.findall(table, self.results[(name, None)].out)
                self.assertEqual(shown, re.findall(table, result.out))
                self.assertEqual(len(shown), 1)

    def test_nothing_else_changes(self):
        for name in PLAYED:
            with self.subTest(name=name):
                result = walras("run", f"{name}-unplayed.lua", "-q", "-o", f"{name}-unplayed.h5")
                self.assertEqual(result.status, 0, result)
                with h5py.File(f"{name}-unplayed.h5", "r") as file:
                    self.assertNotIn("population", file)
                    for word in ("agents", "episodes", "mode"):
                        self.assertNotIn(f'"{word}"', file["scenario/resolved"].asstr()[()])
                self.assertEqual(differ(f"{name}-None.h5", f"{name}-unplayed.h5",
                                        ("population", "scenario")), [])

    def test_the_resolved_scenario_comes_to_the_same(self):
        for name in ("toll", "solve"):
            with h5py.File(f"{name}-None.h5", "r") as file:
                write("resolved.json", file["scenario/resolved"].asstr()[()])
            result = walras("run", "resolved.json", "-q", "-o", "resolved.h5", "--force")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(run_file_compare.differences(f"{name}-None.h5", "resolved.h5"), [])

    def test_stopped_and_resumed(self):
        """A file STOP stops a run at its first rest."""
        for name in ("toll", "solve", "restarts"):
            with self.subTest(name=name):
                place = folder("stopped")
                write(os.path.join(place, "s.lua"), text(name))
                write(os.path.join(place, "STOP"), "")
                stopped = walras("run", "s.lua", "-q", cwd=place)
                self.assertEqual(stopped.status, 75, stopped)
                resumed = walras("resume", "s.h5", "-q", cwd=place, ranks=2)
                self.assertEqual(resumed.status, 0, resumed)
                self.assertEqual(run_file_compare.differences(
                    f"{name}-None.h5", os.path.join(place, "s.h5")), [])

    def test_runs_of_a_sweep(self):
        """Each is played as it would be alone."""
        one = text("toll").removeprefix("return ").replace("seed = 5", "seed = 4")
        write("sweep.lua", f"return sweep {{ base = {one}, seeds = 2 }}")
        result = walras("run", "sweep.lua", "-q", ranks=3)
        self.assertEqual(result.status, 0, result)
        with h5py.File("sweep.h5", "r") as sweep, h5py.File("toll-None.h5", "r") as alone:
            for path, item in alone["population"].items():
                self.assertEqual(sweep["runs/run_000001/population"][path][()].tobytes(),
                                 item[()].tobytes(), path)
            self.assertNotEqual(sweep["runs/run_000000/population/return_mean"][0],
                                alone["population/return_mean"][0])

    def test_info(self):
        for name, clause in (("toll", r"; 700 agents: objective \S+ \+- \S+ \(in the limit \S+\)$"),
                             ("solve", r"; 700 agents: return \S+ \+- \S+ \(in the limit \S+\)$")):
            result = walras("info", f"{name}-None.h5")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, rf"(?m)^{PLAYED[name][0]}, .*{clause}")

    def test_report(self):
        """At a glance: from how many agents on it holds, or that nobody has tried."""
        tried = (r'With N agents\?</dt><dd class="%s">%s<small>%s %swithin 1 %% of the limit, \S+; '
                 r'with %s: \S+ \+- \S+</small>')
        cases = {"toll-None": tried % ("muted", "too few episodes to tell", "objective", "perhaps ",
                                       "700"),
                 "solve-None": tried % ("muted", "too few episodes to tell", "return", "perhaps ", "700"),
                 "network-None": tried % ("good", r"from (?:40|1000000000) on", "objective", "",
                                          "1000000000"),
                 "unplayed": r'With N agents\?</dt><dd class="muted">not tried<small>add agents = '
                             r"\{100, 1000\} to the scenario</small>"}
        write("unplayed.lua", text("solve", agents=False))
        self.assertEqual(walras("run", "unplayed.lua", "-q").status, 0)
        for name, pattern in cases.items():
            with self.subTest(name=name):
                result = walras("report", f"{name}.h5", "-o", f"{name}.html")
                self.assertEqual(result.status, 0, result)
                with open(f"{name}.html", encoding="utf-8") as page:
                    self.assertRegex(page.read(), pattern)

    def test_report_tells_chance_from_failure(self):
        """No is said only of what two standard errors do not explain; so of gains by deviating."""
        for off, error, tone, verdict in ((0.03, 0.02, "muted", "too few episodes to tell"),
                                          (0.03, 0.01, "bad", "not with 700"),
                                          (0.005, 0.001, "good", "from 700 on"),
                                          (0.005, 0.02, "muted", "too few episodes to tell")):
            for gain, expected in ((0.06, ' class="bad"'), (0.04, "")):
                shutil.copy("toll-None.h5", "chance.h5")
                with h5py.File("chance.h5", "r+") as file:
                    run = file["population"]
                    limit, value = run.attrs["objective"], run.attrs["value"]
                    run["objective_mean"][-1] = limit * (1 + off)
                    run["objective_error"][-1] = abs(limit) * error
                    run["deviation_gain"][-1] = run.attrs["limit_deviation_gain"] + gain * abs(value)
                    run["deviation_gain_error"][-1] = 0.025 * abs(value)
                result = walras("report", "chance.h5", "-o", "chance.html", "--force")
                self.assertEqual(result.status, 0, result)
                with open("chance.html", encoding="utf-8") as page:
                    text_of_page = page.read()
                self.assertIn(f'With N agents?</dt><dd class="{tone}">{verdict}<small>', text_of_page)
                self.assertIn(f"Gain by deviating, N = 700</dt><dd{expected}>", text_of_page)

    def test_dry_run(self):
        for name, line in (("toll", r"  played         3 numbers of agents up to 700, 20 episodes "
                            r"each: 7\.53e\+04 stages of an agent, and twice that for deviations"),
                           ("policy", r"  played         1 number of agents up to 9, 9 episodes "
                            r"each: 324 stages of an agent")):
            result = walras("run", f"{name}.lua", "--dry-run")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, rf"(?m)^{line}$")
            bytes_of = re.search(r"(?m)^  file +(\S+) KiB", result.out)
            self.assertGreaterEqual(1024 * float(bytes_of[1]), os.path.getsize(f"{name}-None.h5"))

    def test_what_is_not_finite_is_not_played(self):
        """A design that failed keeps what it has."""
        write("nan.lua", f"return design {{ {TOLL}, {CONGESTION}, {FEW}, learner = mirror_descent "
              "{ rate = 0.5, entropy = 0.01, iterations = 60 }, optimizer = sgd { rate = 1e308 }, "
              "steps = 3 }")
        result = walras("run", "nan.lua", "-q")
        self.assertEqual(result.status, 3, result)
        with h5py.File("nan.h5", "r") as file:
            self.assertEqual("population" in file, "solution" in file)

    def test_refused(self):
        def one(case):
            place = folder("refused")
            write(os.path.join(place, "bad.lua"), f"return {case[0]} {{ {case[1]} }}")
            words = ("run", "check")[:1 if FOUND_LATE in case[2] else 2]
            return place, [walras(word, "bad.lua", cwd=place) for word in words]

        for case, (place, results) in zip(REFUSED, at_once(one, REFUSED)):
            for result in results:
                with self.subTest(case=case[1]):
                    self.assertEqual((result.status, result.out), (65, ""), result)
                    [line] = own_lines(result.err)
                    self.assertRegex(line, rf"^bad\.lua:1: {case[2]}$")
            self.assertEqual(left(place), ["bad.lua"])


if __name__ == "__main__":
    unittest.main()
