# SPDX-License-Identifier: GPL-3.0-or-later
"""Transfers: one exact line for every mistake; their run file against docs/run-file.md and against
numpy, the same bytes on any number of ranks and after a stop, a printed table that says what the file
holds, and bandits that other programs wrote."""

import glob
import os
import re
import subprocess
import sys
import unittest

import h5py
import numpy

import run_file_compare
import run_file_docs
from walras_cli import SOURCE, at_once, environment, folder, left, own_lines, walras, write

BAD, NOT_FOUND, STOPPED = 65, 66, 75
PROMPTS, RESPONSES, FEATURES, BETA, BOUND = 3, 8, 5, 0.8, 2.0
SMALL = (f"log_linear {{ prompts = {PROMPTS}, responses = {RESPONSES}, features = {FEATURES}, "
         f"beta = {BETA}, reward_bound = {BOUND} }}")
ALL = ["tpo {}", "tpo { mode = 'count' }", "tpo { trials = 0, alpha = 0 }", "empirical_tpo {}",
       "empirical_tpo { mode = 'best_of', block = 20 }", "'greedy'", "dpo {}",
       "dpo { reference = 'previous', batch = 30 }", "ipo {}", "xpo {}", "vpo {}", "ucb {}", "gshf {}",
       "pure_source {}", "pure_source { source = 2 }"]


def transfer(methods="greedy {}", bandit=SMALL, more="rounds = 20, seeds = 1"):
    return f"return transfer {{ bandit = {bandit},\n  methods = {methods}, {more} }}\n"


def tables(**changed):
    """The tables of a bandit; what is changed to None is left out."""
    rng = numpy.random.default_rng(1)
    reference = rng.random((PROMPTS, RESPONSES)) + 0.1
    found = {"features": rng.normal(size=(PROMPTS, RESPONSES, FEATURES)),
             "reward": BOUND * rng.random((PROMPTS, RESPONSES)),
             "reference": reference / reference.sum(axis=1, keepdims=True),
             "weights": numpy.array([0.5, 0.3, 0.2]), "beta": BETA, "reward_bound": BOUND}
    found.update(changed)
    return {name: table for name, table in found.items() if table is not None}


def save(path, **changed):
    with h5py.File(path, "w") as file:
        for name, table in tables(**changed).items():
            if numpy.ndim(table) == 0 and name != "reward":
                file.attrs[name] = table
            else:
                file[name] = table
    return path


# ---- Mistakes -----------------------------------------------------------------------------------

def with_zero():
    reference = tables()["reference"]
    reference[1] += reference[1, 3] / (RESPONSES - 1)
    reference[1, 3] = 0
    return reference / reference.sum(axis=1, keepdims=True)


def with_nan():
    features = tables()["features"]
    features[2, 1, 0] = numpy.nan
    return features


TABULAR = "tabular { prompts = 2, responses = 2, %s }"
TOO_LARGE = ("reward_bound: expected 2 * reward_bound / beta below 60, beyond which e^(2 * reward_bound / "
             "beta) is too large to compute with, got 2 * ")
CASES = [
    (transfer(bandit="log_linear { beta = 0 }"),
     "s.lua:1: log_linear: beta: expected more than 0, got 0"),
    (transfer(bandit="log_linear { beta = -0.4 }"),
     "s.lua:1: log_linear: beta: expected more than 0, got -0.4"),
    (transfer(bandit="log_linear { beta = 0.1 }"), f"s.lua:1: log_linear: {TOO_LARGE}4 / 0.1"),
    (transfer(bandit=TABULAR % "reference = {{1, 0}, {0.5, 0.5}}"),
     "s.lua:1: tabular: reference: expected positive probabilities, got 0 for response 1 "
     "of prompt 0"),
    (transfer(bandit=TABULAR % "reference = {{0.6, 0.6}, {0.5, 0.5}}"),
     "s.lua:1: tabular: reference: row 0 (counted from 0): expected a distribution with "
     "sum 1, got the "
     "sum 1.2"),
    (transfer(bandit=TABULAR % "reward = {{1, 9}, {0, 1}}"),
     "s.lua:1: tabular: reward: expected numbers from 0 to reward_bound, which is 4, got 9 "
     "for prompt 0, "
     "response 1"),
    (transfer(bandit="log_linear { prompts = 1, responses = 2, features = 1, phi = {{{0/0}, {1}}} }"),
     "s.lua:1: log_linear: phi: element [0][0][0] (counted from 0): expected a finite "
     "number, got nan"),
    (transfer(bandit="log_linear { prompts = 1, responses = 2, features = 1, phi = {{{1}, {1}, {2}}} }"),
     "s.lua:1: log_linear: phi: expected 1 x 2 x 1 numbers, got 1 x 3 x 1"),
    (transfer(bandit="'log_linaer'"),
     's.lua:1: transfer: bandit: unknown bandit "log_linaer"; did you mean "log_linear"?'),
    (transfer("{}"),
     "s.lua:1: transfer: methods: expected a method or a list of them, got an empty list"),
    (transfer("{ 3 }"),
     "s.lua:1: transfer: methods: expected a method or a list of them, got a list of 1 number"),
    (transfer("{ 'tpo', 'gredy' }"),
     's.lua:1: transfer: methods: expected a method, got "gredy"; did you mean "greedy"?'),
    (transfer("{ tpoo {} }"), 's.lua:2: unknown name "tpoo"; did you mean "tpo"?'),
    (transfer("optimistic {}"),
     "s.lua:2: transfer: methods: expected a method, got optimistic{...}"),
    (transfer("amid {}"), "s.lua:2: transfer: methods: expected a method, got amid{...}"),
    (transfer("{ %s }" % ", ".join(65 * ["greedy {}"])),
     "s.lua:1: transfer: methods: expected at most 64 methods, got 65"),
    (transfer("tpo { trials = -1 }"),
     "s.lua:2: tpo: trials: expected a whole number in [0, 1000000000000], got -1"),
    (transfer("tpo { mode = 'widht' }"),
     's.lua:2: tpo: mode: expected one of width, count, got "widht"; did you mean "width"?'),
    (transfer("tpo { alpha = 2 }"), "s.lua:2: tpo: alpha: expected a number in [0, 1], got 2"),
    (transfer("pure_source {}"),
     "s.lua:2: pure_source: source: expected the number of a source, of which there are 0, got 1"),
    (transfer(more="sources = { 1.5 }"),
     "s.lua:1: transfer: sources: element 0 (counted from 0): expected a number in [-1, "
     "1], got 1.5"),
    (transfer(more="sources = mixtures { 0.5, 'a' }"),
     's.lua:2: mixtures: correlations: element 1 (counted from 0): expected a number, got "a"'),
    (transfer(more="sources = mixtures { 0.5, correlations = { 1 } }"),
     "s.lua:2: mixtures: expected names (name = value), got a value without one (0.5)"),
    (transfer(more="sources = tables { rewards = {{{1, 2}}} }"),
     f"s.lua:2: tables: rewards: expected 1 x {PROMPTS} x {RESPONSES} numbers, got 1 x 1 x 2"),
    (transfer(more="annotators = annotators { spread = -1 }"),
     "s.lua:2: annotators: spread: expected a number of at least 0, got -1"),
    (transfer(more="rounds = 0"),
     "s.lua:1: transfer: rounds: expected a whole number in [1, 10000000], got 0"),
    (transfer(more="seeds = 0"),
     "s.lua:1: transfer: seeds: expected a whole number in [1, 4096], got 0"),
]

# What the file has -> what stands behind "s.lua:1: bandit_file: ".
FILES = [
    ({"reference": with_zero()},
     "file: b.h5: reference: expected positive probabilities, got 0 for response 3 of prompt 1"),
    ({"features": with_nan()},
     "file: b.h5: features: expected finite numbers, got nan for prompt 2, response 1, feature 0"),
    ({"features": numpy.ones((3, 5, 2))},
     "file: b.h5: features: expected 3 x 8 x features numbers, got 3 x 5 x 2"),
    ({"features": numpy.ones((3, 8))},
     "file: b.h5: features: expected 3 x 8 x features numbers, got 3 x 8"),
    ({"reference": numpy.full((8, 3), 1 / 3)},
     "file: b.h5: reference: expected 3 x 8 numbers, got 8 x 3"),
    ({"reference": None}, "file: b.h5: reference: expected a dataset of this name, got none"),
    ({"reward": numpy.ones(3)},
     "file: b.h5: reward: expected prompts x responses numbers, at least 1 x 2, got 3"),
    ({"reward": numpy.full((3, 8), -0.5)},
     "file: b.h5: reward: expected numbers from 0 to reward_bound, which is 2, got -0.5 "
     "for prompt 0, "
     "response 0"),
    ({"weights": numpy.full(4, 0.25)}, "file: b.h5: weights: expected 3 numbers, got 4"),
    ({"weights": numpy.array([0.5, 0.6, 0.1])},
     "file: b.h5: weights: expected probabilities that sum to 1, got 1.2"),
    ({"weigths": numpy.ones(3)}, 'file: b.h5: unknown name "weigths"; did you mean "weights"?'),
    ({"beta": None}, "beta: expected a number here or as the attribute beta of b.h5, got neither"),
    ({"beta": "x"}, "file: b.h5: beta: expected one number, got texts of any length"),
    ({"beta": 0.05}, f"file: b.h5: {TOO_LARGE}2 / 0.05"),
    ({"beta": -1.0}, "file: b.h5: beta: expected more than 0, got -1"),
]


class Mistakes(unittest.TestCase):
    def check(self, cases):
        """[(scenario, tables or None, line)]"""
        def one(case):
            place = folder("bad")
            write(os.path.join(place, "s.lua"), case[0])
            if case[1] is not None:
                save(os.path.join(place, "b.h5"), **case[1])
            return walras("run", "s.lua", "-q", cwd=place), left(place)

        for (text, changed, line), (result, files) in zip(cases, at_once(one, cases)):
            with self.subTest(text=text, line=line):
                self.assertEqual(result.status, BAD, result)
                self.assertEqual(own_lines(result.err), [line])
                self.assertEqual(files, ["s.lua"] if changed is None else ["b.h5", "s.lua"])

    def test_one_line_each(self):
        self.check([(text, None, line) for text, line in CASES])

    def test_files(self):
        text = transfer(bandit="bandit_file { file = 'b.h5' }")
        self.check([(text, changed, "s.lua:1: bandit_file: " + line) for changed, line in FILES])

    def test_numbers_of_the_scenario_instead_of_the_file(self):
        text = lambda more: transfer(bandit="bandit_file { file = 'b.h5', %s }" % more)
        self.check([
            (text("beta = 0"), {}, "s.lua:1: bandit_file: beta: expected more than 0, got 0"),
            (text("reward_bound = 40"), {}, f"s.lua:1: bandit_file: {TOO_LARGE}40 / 0.8"),
            (text("ridge = -1"), {},
             "s.lua:1: bandit_file: ridge: expected a number of at least 0, got -1"),
        ])

    def test_no_file(self):
        place = folder("none")
        write(os.path.join(place, "s.lua"), transfer(bandit="bandit_file { file = 'b.h5' }"))
        result = walras("run", "s.lua", "-q", cwd=place)
        self.assertEqual((result.status, own_lines(result.err)),
                         (NOT_FOUND, ["s.lua:1: bandit_file: file: b.h5: no such file"]))
        write(os.path.join(place, "b.h5"), "no tables")
        result = walras("run", "s.lua", "-q", cwd=place)
        self.assertEqual((result.status, own_lines(result.err)),
                         (BAD, ["s.lua:1: bandit_file: file: b.h5: not an HDF5 file"]))


# ---- Runs ---------------------------------------------------------------------------------------

REWARDS = [[[((i + s + 1) * (a + 2)) % 5 / 2.5 for a in range(RESPONSES)] for s in range(PROMPTS)]
           for i in range(2)]
LUA_REWARDS = str(REWARDS).replace("[", "{").replace("]", "}")
SCENARIOS = {
    "all": transfer("{ %s }" % ", ".join(ALL),
                    more="sources = mixtures { 0.9, -0.5 }, rounds = 120, refit = 10, seeds = 3"),
    "annotated": transfer(
        "{ greedy {}, tpo {}, empirical_tpo { mode = 'best_of' } }",
        "bandit_file { file = 'tabular.h5' }",
        f"sources = tables {{ rewards = {LUA_REWARDS} }},\n  rounds = 100, refit = 15, seeds = 4, "
        "annotators = annotators { count = 7, spread = 0.4, noise = 0.3 }, seed = 5"),
    "alone": transfer("tpo {}", "bandit_file { file = 'linear.h5' }", "rounds = 7, seeds = 1"),
}
RANKS = (None, 1, 2, 3)


def run(job):
    name, ranks, output = job
    return walras("run", f"{name}.lua", "-o", output, ranks=ranks)


def gibbs(reference, reward, beta):
    weight = reference * numpy.exp(reward / beta)
    return weight / weight.sum(axis=-1, keepdims=True)


class Runs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = os.getcwd()
        os.chdir(folder("transfers"))
        save("linear.h5")
        save("tabular.h5", features=None)
        for name, text in SCENARIOS.items():
            write(f"{name}.lua", text)
        cls.jobs = [(name, ranks, f"{name}-{ranks}.h5") for name in SCENARIOS for ranks in RANKS]
        cls.results = dict(zip(cls.jobs, at_once(run, cls.jobs)))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    def each(self):
        for name in SCENARIOS:
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                yield name, file["transfer"]

    def test_all_succeed(self):
        for job, result in self.results.items():
            with self.subTest(job=job):
                self.assertEqual(result.status, 0, result)

    def test_same_bytes_on_every_number_of_ranks(self):
        for name, ranks, output in self.jobs:
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", output), [])

    def test_all_that_is_documented_is_there_and_nothing_else(self):
        wanted = run_file_docs.documented(run_file_docs.SECTIONS["transfer"])
        for name, t in self.each():
            found = run_file_docs.contents(t.file, "/transfer")
            self.assertEqual(set(found), set(wanted))
            scales = ("method", "seed", "round", "arm", "candidate")
            lengths = {scale: len(t[scale]) for scale in scales}
            for path, shape in found.items():
                if "@" not in path:
                    self.assertEqual(shape, tuple(lengths[d] for d in wanted[path].split(", ")))
                    self.assertTrue(t.file[path].attrs["units"] and t.file[path].attrs["long_name"])

    def test_names(self):
        with h5py.File("all-None.h5", "r") as file:
            t = file["transfer"]
            self.assertEqual(t["method"].asstr()[:].tolist(), [
                "tpo", "tpo 2", "tpo 3", "empirical_tpo", "empirical_tpo 2", "greedy", "dpo", "dpo 2",
                "ipo", "xpo", "vpo", "ucb", "gshf", "pure_source", "pure_source 2"])
            self.assertEqual(t["arm"].asstr()[:].tolist(),
                             ["mixture 0.9", "mixture -0.5", "online", "distilled"])
            self.assertEqual(t["summary"].attrs["baseline"], "greedy")
        with h5py.File("annotated-None.h5", "r") as file:
            self.assertEqual(file["transfer/candidate"].asstr()[:].tolist(),
                             ["source 1", "source 2", "reference"])
        with h5py.File("alone-None.h5", "r") as file:
            self.assertEqual(file["transfer/arm"].asstr()[:].tolist(), ["online", "distilled"])
            self.assertEqual(file["transfer/summary"].attrs["baseline"], "tpo")

    def test_sums(self):
        for name, t in self.each():
            rounds, regret, gap = t["round"][:], t["regret"][:], t["gap"][:]
            self.assertEqual(rounds[0], 1)
            self.assertTrue((numpy.diff(rounds) > 0).all())
            numpy.testing.assert_array_equal(regret[:, :, 0], gap[:, :, 0])
            self.assertTrue((gap >= 0).all() and (numpy.diff(regret, axis=2) >= 0).all())
            # One round after the other, as long as every one of them is in the file.
            alone = numpy.flatnonzero(numpy.diff(rounds) == 1)
            numpy.testing.assert_allclose((regret[:, :, alone + 1] - regret[:, :, alone]),
                                          gap[:, :, alone + 1], rtol=1e-9, atol=1e-12)
            numpy.testing.assert_array_equal(t["selection"][:].sum(axis=3),
                                             numpy.broadcast_to(rounds, regret.shape))

    def test_coverage(self):
        """Lemma 3.1, with the bound of all policies and with the ratio of each."""
        for name, t in self.each():
            beta, x = t.attrs["beta"], numpy.exp(2 * t.attrs["reward_bound"] / t.attrs["beta"])
            self.assertAlmostEqual(t.attrs["kappa"], (x - 1) ** 2 / (x - 1 - numpy.log(x)), 9)
            self.assertTrue((t["coverage"][:] >= 1 - 1e-12).all())
            bound = 1 + t.attrs["kappa"] * t["gap"][:] / beta
            self.assertTrue((t["coverage"][:] <= bound * (1 + 1e-12)).all())
            for kind in ("final", "source"):
                bound, coverage = t[f"{kind}_coverage_bound"][:], t[f"{kind}_coverage"][:]
                self.assertTrue((coverage <= bound * (1 + 1e-9)).all())
                self.assertTrue((bound <= 1 + t.attrs["kappa"] * t[f"{kind}_gap"][:] / beta + 1e-9).all())

    def test_policies_of_sources(self):
        """Gaps, coverage and pure strategies of the tables, by their definitions."""
        with h5py.File("annotated-None.h5", "r") as file:
            t, b = file["transfer"], tables()
            value = lambda p: b["weights"] @ (p * b["reward"] - BETA * p * numpy.log(p / b["reference"])
                                              ).sum(axis=1)
            best = gibbs(b["reference"], b["reward"], BETA)
            for i, reward in enumerate([*numpy.array(REWARDS), numpy.zeros_like(b["reward"])]):
                p = gibbs(b["reference"], reward, BETA)
                numpy.testing.assert_allclose(t["source_gap"][:, i], value(best) - value(p), rtol=1e-9)
                coverage = b["weights"] @ (best ** 2 / p).sum(axis=1)
                numpy.testing.assert_allclose(t["source_coverage"][:, i], coverage, rtol=1e-9)
            # Nothing is known at first: the reference plays.
            greedy = t["method"].asstr()[:].tolist().index("greedy")
            numpy.testing.assert_allclose(t["gap"][greedy, :, 0], t["source_gap"][0, 2], rtol=1e-9)

    def test_methods_that_are_known(self):
        with h5py.File("all-None.h5", "r") as file:
            t = file["transfer"]
            place = {name: i for i, name in enumerate(t["method"].asstr()[:])}
            for name, source in (("pure_source", 0), ("pure_source 2", 1)):
                expected = t["source_gap"][:, source][:, None] * t["round"][:]
                numpy.testing.assert_allclose(t["regret"][place[name]], expected, rtol=1e-9)
                numpy.testing.assert_array_equal(t["selection"][place[name], :, :, source],
                                                 numpy.broadcast_to(t["round"][:], expected.shape))
            numpy.testing.assert_allclose(t["regret"][place["dpo"]], t["regret"][place["greedy"]],
                                          rtol=1e-4)
            for name in ("greedy", "dpo", "dpo 2", "ipo", "xpo", "vpo", "ucb", "gshf"):
                self.assertEqual(t["selection"][place[name], :, -1, 2].tolist(), 3 * [120])

    def test_win_rates(self):
        for name, t in self.each():
            rate = t["win_rate"][:]
            self.assertTrue(((rate > 0) & (rate < 1)).all())
            numpy.testing.assert_allclose(rate + rate.transpose(0, 2, 1), 1, rtol=1e-12)
            mean = rate.mean(axis=0)
            numpy.testing.assert_allclose(t["summary/win_rate"][:], mean, rtol=1e-12)
            if len(rate) > 1:
                error = rate.std(axis=0, ddof=1) / len(rate) ** 0.5
                numpy.testing.assert_allclose(t["summary/win_rate_error"][:], error, atol=1e-12)
            else:
                self.assertTrue(numpy.isnan(t["summary/win_rate_error"][:]).all())

    def test_summary(self):
        """Quantiles by numpy; t of 0.975 with 2 and 3 degrees of freedom."""
        reach = {3: 4.302652729911275, 4: 3.182446305284263}
        for name, t in self.each():
            s, regret, rounds = t["summary"], t["regret"][:], t["round"][:]
            seeds = regret.shape[1]
            methods = t["method"].asstr()[:].tolist()
            base = methods.index(s.attrs["baseline"])
            for column, share in (("regret", 0.5), ("regret_low", 0.05), ("regret_high", 0.95)):
                numpy.testing.assert_allclose(
                    s[column][:], numpy.quantile(regret[:, :, -1], share, axis=1), rtol=1e-12)
            self.assertEqual(s.attrs["least_regret"], methods[s["regret"][:].argmin()])
            for column in ("gap", "coverage"):
                numpy.testing.assert_allclose(s[f"final_{column}"][:],
                                              numpy.median(t[f"final_{column}"][:], axis=1))
            difference = regret[:, :, -1] - regret[base, :, -1]
            logs = numpy.log(regret / regret[base])
            numpy.testing.assert_allclose(s["difference"][:], difference.mean(axis=1), atol=1e-9)
            numpy.testing.assert_allclose(t["ratio"][:], numpy.exp(logs.mean(axis=1)), rtol=1e-9)
            for column in ("ratio", "ratio_low", "ratio_high"):
                numpy.testing.assert_array_equal(s[column][:], t[column][:, -1])
            fitted = rounds >= rounds[-1] / 4
            if seeds == 1:
                for column in ("difference_low", "ratio_high", "exponent", "exponent_low"):
                    self.assertTrue(numpy.isnan(s[column][:]).all())
                continue
            half = reach[seeds] * difference.std(axis=1, ddof=1) / seeds ** 0.5
            numpy.testing.assert_allclose(s["difference_high"][:] - s["difference"][:], half, atol=1e-9)
            half = reach[seeds] * logs.std(axis=1, ddof=1) / seeds ** 0.5
            numpy.testing.assert_allclose(numpy.log(t["ratio"][:] / t["ratio_low"][:]), half, atol=1e-9)
            x = numpy.log(rounds[fitted])
            slopes = numpy.array([[numpy.polyfit(x, numpy.log(sums[fitted]), 1)[0] for sums in seed]
                                  for seed in regret])
            numpy.testing.assert_allclose(s["exponent"][:], slopes.mean(axis=1), rtol=1e-9)
            half = reach[seeds] * slopes.std(axis=1, ddof=1) / seeds ** 0.5
            numpy.testing.assert_allclose(s["exponent"][:] - s["exponent_low"][:], half, atol=1e-9)

    def test_printed(self):
        for name, t in self.each():
            out = self.results[name, None, f"{name}-None.h5"].out
            for line in out.splitlines():
                self.assertLessEqual(len(line), 130)
                self.assertEqual(line, line.rstrip())
            s = t["summary"]
            for m, method in enumerate(t["method"].asstr()[:]):
                rows = re.findall(rf"^ +(?:\d+  )?{method} {{2,}}(.*\d.*)$", out, re.M)
                rows = [row for row in rows if " = " not in row]
                self.assertEqual(len(rows), 2 if len(t["method"]) == 1 else 4, out)
                last = re.split(" {2,}", rows[0])[-1]
                self.assertAlmostEqual(float(last.split()[0]), s["regret"][m],
                                       delta=max(5e-3 * s["regret"][m], 0.5 * (s["regret"][m] > 100)))
                if len(rows) == 4 and m != 5:
                    last = re.split(" {2,}", rows[1])[-1]
                    self.assertAlmostEqual(float(last.split()[0]), s["ratio"][m], delta=0.0051)
            if name == "all":
                self.assertIn('\n  dpo                 with its defaults\n', out)
                self.assertIn('\n  dpo 2               batch = 30, reference = "previous"\n', out)
                self.assertIn('\n  pure_source 2       source = 2\n', out)
                self.assertNotIn("/transfer/summary/win_rate", out)
            self.assertEqual("exponents           omitted: they want at least 40 rounds" in out,
                             name == "alone")

    def test_headline(self):
        for name, t in self.each():
            out = walras("info", f"{name}-None.h5").out
            s = t["summary"]
            least = s["regret"][:].min()
            self.assertRegex(out, rf"(?m)^transfer, \w+: {t['round'][-1]} rounds, {len(t['seed'])} seeds?, "
                                  rf"least regret {least:.4g} by {s.attrs['least_regret']}")

    def test_the_resolved_scenario_comes_to_the_same(self):
        for name, t in self.each():
            write("resolved.json", t.file["scenario/resolved"].asstr()[()])
            result = walras("run", "resolved.json", "-q", "-o", "resolved.h5", "--force")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(run_file_compare.differences(f"{name}-None.h5", "resolved.h5"), [])

    def test_stopped_and_resumed(self):
        for name, before, after in (("all", None, 3), ("annotated", 3, None)):
            with self.subTest(name=name):
                place = folder("stopped")
                save(os.path.join(place, "tabular.h5"), features=None)
                write(os.path.join(place, f"{name}.lua"), SCENARIOS[name])
                write(os.path.join(place, f"{name}.STOP"), "")
                result = walras("run", f"{name}.lua", "-q", "--checkpoint-every", "33it", cwd=place,
                                ranks=before)
                self.assertEqual(result.status, STOPPED, result)
                self.assertEqual(len(own_lines(result.err)), 1, result)
                self.assertIn(f"{name}.checkpoint-33.h5", left(place))
                result = walras("resume", f"{name}.h5", "-q", "--checkpoint-every", "40it", cwd=place,
                                ranks=after)
                self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
                self.assertEqual(run_file_compare.differences(
                    f"{name}-None.h5", os.path.join(place, f"{name}.h5")), [])

    def test_other_tables_are_refused(self):
        place = folder("other")
        save(os.path.join(place, "tabular.h5"), features=None)
        with h5py.File("annotated-None.h5", "r") as file:
            text = file["scenario/resolved"].asstr()[()]
        write(os.path.join(place, "s.json"), text)
        self.assertEqual(walras("check", "s.json", cwd=place).status, 0)
        save(os.path.join(place, "tabular.h5"), features=None, beta=BETA + 0.1)
        result = walras("run", "s.json", "-q", cwd=place)
        self.assertEqual(result.status, BAD, result)
        self.assertRegex(result.err, r"bandit_file: checksum: expected tables with this checksum, got those "
                                     r"of tabular.h5 with [0-9a-f]{16}\n$")

    def test_dry_run(self):
        place = folder("dry")
        write(os.path.join(place, "all.lua"), SCENARIOS["all"])
        result = walras("run", "all.lua", "--dry-run", cwd=place)
        self.assertEqual((result.status, result.err, left(place)), (0, "", ["all.lua"]), result)
        self.assertIn("memory", result.out)

    def test_files_of_single_precision(self):
        """Rounded distributions are settled; whole numbers are numbers; a bound is found."""
        place = folder("single")
        b = tables()
        save(os.path.join(place, "b.h5"), reference=b["reference"].astype("f4"),
             weights=b["weights"].astype("f4"), reward=numpy.arange(24).reshape(3, 8) % 3,
             reward_bound=None)
        write(os.path.join(place, "s.lua"), transfer(bandit="bandit_file { file = 'b.h5' }"))
        result = walras("run", "s.lua", "-q", cwd=place)
        self.assertEqual((result.status, result.err), (0, ""), result)
        with h5py.File(os.path.join(place, "s.h5"), "r") as file:
            self.assertEqual(file["transfer"].attrs["reward_bound"], 2)


class Documents(unittest.TestCase):
    def test_the_example_runs(self):
        """A bandit of one's own: the Python and the Lua of docs/transfer.md."""
        place = folder("example")
        with open(os.path.join(SOURCE, "docs/transfer.md"), encoding="utf-8") as file:
            text = file.read()
        script = re.search(r"^```python\n(.*?)^```\n.*?^```lua\n(.*?)^```", text, re.M | re.S)
        subprocess.run([sys.executable, "-c", script[1]], check=True, cwd=place)
        write(os.path.join(place, "own.lua"), script[2])
        result = walras("run", "own.lua", "-q", "-P", "rounds=60", cwd=place)
        self.assertEqual((result.status, result.err), (0, ""), result)

    def test_scenarios_are_valid(self):
        paths = glob.glob(os.path.join(SOURCE, "scenarios/transfer/*.lua"))
        self.assertGreaterEqual(len(paths), 2)
        for path, result in zip(paths, at_once(lambda path: walras("check", path), paths)):
            with self.subTest(path=path):
                self.assertEqual((result.status, result.err), (0, ""), result)


if __name__ == "__main__":
    unittest.main()
