# SPDX-License-Identifier: GPL-3.0-or-later
"""Run files: the same bytes on every number of ranks, what is in them, reading and comparing them.
"""

import functools
import json
import os
import re
import unittest

import h5py
import numpy

import run_file_compare
from walras_cli import SANITIZED, SOURCE, at_once, folder, walras, write

RANKS = (2, 3) if SANITIZED else (1, 2, 3, 4, 7)

# Games of several kinds, every learner. A block has at most 8192 states: grid and beach have
# several blocks; the others have one, so that all ranks but one are idle.
SCENARIOS = {
    # what tests/reference/data/mfglib_traces.json calls crowd_motion_default_20x20
    "crowd_motion": """return solve {
      game = crowd_motion { bar_path = { {10, 10}, {10, 10}, {9, 11}, {9, 11} } },
      learner = mirror_descent {}, stop = { iterations = 10 } }""",
    "grid": """return solve {
      game = crowd_motion { rows = 110, columns = 150, horizon = 3 },
      learner = mirror_descent { rate = 0.5, entropy = 0.1 }, stop = { iterations = 5 } }""",
    "predator_prey": """return solve {
      game = predator_prey { horizon = 8 },
      learner = fictitious_play {}, stop = { iterations = 12, every = 5 } }""",
    "susceptible_infected": """return solve {
      game = susceptible_infected { initial = { 0.7, 0.3 } },
      learner = fixed_point { temperature = 0.5 }, stop = { iterations = 8 } }""",
    "random_linear": """return solve {
      game = random_linear { states = 6 }, seed = 7,
      learner = boltzmann { rate = 0.2 }, stop = { iterations = 8 } }""",
    "beach": """local n = 40000
    return solve {
      game = beach_bar { states = n, bar = 33333, stay = 0.7,
        initial = function(s) return (n - s) / (n * (n + 1) / 2) end },
      learner = prior_descent { inner = 2 }, stop = { iterations = 5 } }""",
}
LEARNERS = {"mirror_descent", "fictitious_play", "prior_descent", "fixed_point", "boltzmann"}


def run(job):
    scenario, ranks, output = job
    return walras("run", scenario, "-q", "-o", output, ranks=ranks)


def of_each_run(test):
    """Makes test(self, name, file) a test that goes through the runs of all scenarios."""

    @functools.wraps(test)
    def all_runs(self):
        for name in SCENARIOS:
            with self.subTest(name=name), h5py.File(self.path(f"{name}.h5"), "r") as file:
                test(self, name, file)

    return all_runs


class RunFiles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        """Every scenario alone, twice; then on all numbers of ranks."""
        cls.folder = folder("runs")
        cls.jobs = []
        for name, text in SCENARIOS.items():
            scenario = write(cls.path(f"{name}.lua"), text)
            cls.jobs.append((scenario, None, cls.path(f"{name}.h5")))
            cls.jobs.append((scenario, None, cls.path(f"{name}-again.h5")))
            for ranks in RANKS:
                cls.jobs.append((scenario, ranks, cls.path(f"{name}-{ranks}.h5")))
        cls.results = dict(zip(cls.jobs, at_once(run, cls.jobs)))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def test_all_runs_succeed(self):
        for job, result in self.results.items():
            with self.subTest(job=job):
                self.assertEqual((result.status, result.err), (0, ""), result)

    def test_same_bytes_on_every_number_of_ranks(self):
        for name in SCENARIOS:
            for other in ("again", *RANKS):
                with self.subTest(name=name, other=other):
                    found = run_file_compare.differences(self.path(f"{name}.h5"),
                                                         self.path(f"{name}-{other}.h5"))
                    self.assertEqual(found, [])

    def test_diff_says_equal(self):
        pairs = [(self.path(f"{name}.h5"), self.path(f"{name}-{other}.h5"))
                 for name in SCENARIOS for other in ("again", RANKS[-1])]
        for pair, result in zip(pairs, at_once(lambda pair: walras("diff", *pair), pairs)):
            with self.subTest(pair=pair):
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertRegex(result.out, r"^equal\b")

    def test_all_learners_are_covered(self):
        text = "".join(SCENARIOS.values())
        listed = {line.split()[0] for line in walras("list", "learners").out.splitlines()
                  if line.startswith("  ")}
        self.assertEqual(listed, LEARNERS)
        for learner in LEARNERS:
            self.assertIn(learner, text)

    # ---- what is in them ----------------------------------------------------------------------

    @of_each_run
    def test_attributes_of_the_file(self, name, file):
        self.assertEqual(file.attrs["format"], "walras")
        self.assertIsInstance(file.attrs["format"], str)
        self.assertGreaterEqual(file.attrs["format_version"], 1)
        version = walras("--version").out.split()[1]
        self.assertEqual(file.attrs["walras_version"], version)
        self.assertEqual(file.attrs["task"], "solve")
        self.assertEqual(file.attrs["seed"], 7 if name == "random_linear" else 1)
        self.assertEqual(file.attrs["complete"], 1)
        self.assertEqual(file.attrs["complete"].dtype, numpy.uint8)
        self.assertEqual(file["scenario/source"].asstr()[()], SCENARIOS[name])
        json.loads(file["scenario/resolved"].asstr()[()])

    @of_each_run
    def test_names_units_and_scales(self, name, file):
        own = {"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST"}  # of HDF5's dimension scales
        for path, item in run_file_compare.objects(file).items():
            with self.subTest(path=path):
                for part in [*filter(None, path.split("/")), *set(item.attrs) - own]:
                    self.assertRegex(part, r"^[a-z][a-z0-9_]*$")
                for attribute in set(item.attrs) - own:
                    self.assertNotIsInstance(item.attrs[attribute], bytes)
                if isinstance(item, h5py.Dataset):
                    self.check_dataset(item)

    def check_dataset(self, item):
        for attribute in ("units", "long_name"):
            self.assertIsInstance(item.attrs[attribute], str)
            self.assertTrue(item.attrs[attribute])
        self.assertIn(item.dtype.str, ("<f8", "<i8", "|u1", "|O"))
        if h5py.h5ds.is_scale(item.id):
            return
        for dim, size in zip(item.dims, item.shape):
            self.assertEqual(len(dim), 1, "a dimension without a scale")
            self.assertEqual(dim[0].shape, (size,))

    @of_each_run
    def test_axes(self, name, file):
        for axis, size in zip(("stage", "state", "action"), file["solution/policy"].shape):
            scale = file["axes"][axis]
            self.assertTrue(h5py.h5ds.is_scale(scale.id))
            self.assertEqual(scale[:].tolist(), list(range(size)))
            self.assertEqual(scale, file["solution"][axis])
        actions = file["axes/action_name"].asstr()[:] if "action_name" in file["axes"] else []
        self.assertEqual(len(set(actions)), len(actions))

    def test_coordinates_and_actions_of_a_grid(self):
        with h5py.File(self.path("crowd_motion.h5"), "r") as file:
            self.assertEqual(file["axes/action_name"].asstr()[:].tolist(),
                             ["down", "up", "right", "left", "stay"])
            states = numpy.arange(400)
            self.assertTrue((file["axes/row"][:] == states // 20).all())
            self.assertTrue((file["axes/column"][:] == states % 20).all())

    @of_each_run
    def test_indices_are_whole_numbers(self, name, file):
        for axis, item in file["axes"].items():
            if item.dtype != object:
                self.assertEqual(item.dtype.str, "<i8", f"/axes/{axis}")

    @of_each_run
    def test_solution(self, name, file):
        policy, mass = file["solution/policy"][:], file["solution/mean_field"][:]
        value = file["solution/value"][:]
        stages, states, actions = policy.shape
        self.assertEqual(mass.shape, (stages, states))
        self.assertEqual(value.shape, (stages, states))
        self.assertTrue((policy >= 0).all() and (mass >= 0).all())
        numpy.testing.assert_allclose(policy.sum(axis=2), 1, rtol=0, atol=1e-12)
        # State s belongs to population s mod P.
        populations = 3 if name == "predator_prey" else 1
        by_population = mass.reshape(stages, -1, populations).sum(axis=1)
        numpy.testing.assert_allclose(by_population, 1, rtol=0, atol=1e-12)
        numpy.testing.assert_allclose((mass[0] * value[0]).sum(), file["trace/value"][-1],
                                      rtol=1e-12)

    def test_mean_field_belongs_to_the_policy(self):
        """The beach's flow anew: s' = clip(s + a + noise)."""
        with h5py.File(self.path("beach.h5"), "r") as file:
            policy, mass = file["solution/policy"][:], file["solution/mean_field"][:]
        stages, states, _ = policy.shape
        s = numpy.arange(states)
        numpy.testing.assert_allclose(mass[0], (states - s) / (states * (states + 1) / 2),
                                      rtol=1e-14)
        for stage in range(stages - 1):
            after = numpy.zeros(states)
            for action in (-1, 0, 1):
                for noise, chance in ((-1, 0.15), (0, 0.7), (1, 0.15)):
                    target = numpy.clip(s + action + noise, 0, states - 1)
                    numpy.add.at(after, target, mass[stage] * policy[stage, :, action + 1] * chance)
            numpy.testing.assert_allclose(mass[stage + 1], after, rtol=1e-12)

    @of_each_run
    def test_trace(self, name, file):
        trace = file["trace"]
        iteration, gap = trace["iteration"][:], trace["exploitability"][:]
        expected = [0, 5, 10, 12] if name == "predator_prey" else list(range(len(iteration)))
        self.assertEqual(iteration.tolist(), expected)
        self.assertGreater(len(iteration), 3)
        self.assertTrue((gap > 0).all())
        numpy.testing.assert_array_equal(trace["best"][:], numpy.minimum.accumulate(gap))
        numpy.testing.assert_allclose(trace["ratio"][:], gap / gap[0], rtol=1e-15)
        for column in trace.values():
            self.assertEqual(len(column), 3 if column.name.endswith("/population")
                             else len(iteration))
        self.assertEqual(trace.attrs["converged"], 0)
        self.assertEqual(file["run/seconds"].shape, iteration.shape)
        self.assertEqual("regularized_exploitability" in trace, name == "grid")
        if name == "predator_prey":
            for total, parts in (("exploitability", "exploitability_by_population"),
                                 ("value", "value_by_population")):
                numpy.testing.assert_allclose(trace[total][:], trace[parts][:].sum(axis=1),
                                              rtol=1e-12)

    def test_trace_against_mfglib(self):
        with open(os.path.join(SOURCE, "tests/reference/data/mfglib_traces.json")) as file:
            case = json.load(file)["crowd_motion_default_20x20"]
        reference = case["traces"]["OMD(alpha=1)"]["exploitability"][:11]
        self.assertEqual(case["bar_locs"], [[10, 10], [10, 10], [9, 11], [9, 11]])
        with h5py.File(self.path("crowd_motion.h5"), "r") as file:
            ours = file["trace/exploitability"][:]
            value = file["trace/value"][0]
        numpy.testing.assert_allclose(ours, reference, rtol=0, atol=1e-9)
        self.assertAlmostEqual(value, case["uniform_policy"]["policy_value"], delta=1e-9)

    @of_each_run
    def test_run_tells_where(self, name, file):
        self.assertEqual(file["run"].attrs["ranks"], 1)
        self.assertRegex(file["run"].attrs["finished"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn(f"{name}.lua", file["run"].attrs["scenario_file"])
        self.assertGreater(file["run"].attrs["peak_bytes"], 0)

    def test_run_tells_ranks(self):
        with h5py.File(self.path(f"grid-{RANKS[-1]}.h5"), "r") as file:
            self.assertEqual(file["run"].attrs["ranks"], RANKS[-1])

    def test_nothing_else_is_left_behind(self):
        wanted = [name + ".lua" for name in SCENARIOS]
        wanted += [os.path.basename(output) for _, _, output in self.jobs]
        self.assertEqual(sorted(os.listdir(self.folder)), sorted(wanted))

    # ---- readable without help ----------------------------------------------------------------

    def test_pandas(self):
        import pandas

        with h5py.File(self.path("crowd_motion.h5"), "r") as file:
            frame = pandas.DataFrame({name: column[:] for name, column in file["trace"].items()})
        self.assertEqual(len(frame), 11)
        self.assertLessEqual({"iteration", "exploitability", "best", "ratio", "value"},
                             set(frame.columns))
        frame = frame.set_index("iteration")
        self.assertLess(frame.exploitability[10], frame.exploitability[0])

    def test_xarray(self):
        import xarray

        with xarray.open_dataset(self.path("grid.h5"), group="/solution", engine="h5netcdf") as d:
            self.assertEqual(d.policy.dims, ("stage", "state", "action"))
            self.assertEqual(d.mean_field.dims, ("stage", "state"))
            self.assertEqual(d.value.dims, ("stage", "state"))
            self.assertEqual(dict(d.sizes), {"stage": 3, "state": 16500, "action": 5})
            self.assertEqual(d.action.values.tolist(), [0, 1, 2, 3, 4])
            self.assertAlmostEqual(float(d.mean_field.sel(stage=1).sum()), 1, delta=1e-12)
            self.assertTrue(d.policy.attrs["long_name"] and d.policy.attrs["units"])
        with xarray.open_dataset(self.path("predator_prey.h5"), group="/trace",
                                 engine="h5netcdf") as d:
            self.assertEqual(d.exploitability.dims, ("iteration",))
            self.assertEqual(d.exploitability_by_population.dims, ("iteration", "population"))

    def test_info(self):
        result = walras("info", self.path("predator_prey.h5"))
        self.assertEqual((result.status, result.err), (0, ""), result)
        with h5py.File(self.path("predator_prey.h5"), "r") as file:
            datasets = []  # each once, not under its further names
            file.visititems(lambda path, item: datasets.append(path) if
                            isinstance(item, h5py.Dataset) else None)
        self.assertIn("solution/policy", datasets)
        for path in datasets:
            self.assertRegex(result.out, rf"(?m)^ *{re.escape('/' + path)}\s")
        self.assertIn("[8 stage, 75 state, 5 action]", result.out)
        self.assertRegex(result.out, r"\bcomplete\b")
        self.assertRegex(result.out, r"(?m)^solve, predator_prey, \w+: \d+ iterations, exploit")


class Resolved(unittest.TestCase):
    """The scenario with all defaults, as the run file has it, runs again to the same file."""

    def one(self, name):
        place = folder(name)
        path = lambda file: os.path.join(place, file)
        write(path("a.lua"), SCENARIOS[name])
        first = walras("run", path("a.lua"), "-q", "-o", path("a.h5"))
        if first.status != 0:
            return first, None, None, None
        with h5py.File(path("a.h5"), "r") as file:
            write(path("b.json"), file["scenario/resolved"].asstr()[()])
        again = walras("run", path("b.json"), "-q", "-o", path("b.h5"))
        return again, path("a.h5"), path("b.h5"), walras("diff", path("a.h5"), path("b.h5"))

    def test_runs_again(self):
        for name, (run, a, b, diff) in zip(SCENARIOS, at_once(self.one, SCENARIOS)):
            with self.subTest(name=name):
                self.assertEqual((run.status, run.err), (0, ""), run)
                self.assertEqual(run_file_compare.differences(a, b), [])
                with h5py.File(a, "r") as file_a, h5py.File(b, "r") as file_b:
                    self.assertNotEqual(file_a["scenario/source"][()],
                                        file_b["scenario/source"][()])
                self.assertEqual((diff.status, diff.err), (0, ""), diff)


class Diff(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder("diff")
        cls.scenario = write(os.path.join(cls.folder, "a.lua"),
                             "return solve { game = crowd_motion {}, stop = { iterations = 3 } }")
        variants = {"a": [], "stay": ["-P", "game.stay=0.4"], "seed": ["--seed", "2"],
                    "ulp": ["-P", "game.stay=0.5000000000000001"],
                    "longer": ["-P", "stop.iterations=4"], "wide": ["-P", "game.columns=21"],
                    "game": ["-P", "game=susceptible_infected"],
                    "entropy": ["-P", "learner.entropy=1e-9"]}
        at_once(lambda v: walras("run", cls.scenario, "-q", "-o", cls.path(v), *variants[v]),
                variants)

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, f"{name}.h5")

    def diff(self, a, b, status):
        return self.check(walras("diff", a, b), status)

    def check(self, result, status):
        self.assertEqual(result.status, status, result)
        self.assertEqual(len(result.err.splitlines()), 0 if status <= 1 else 1, result)
        if status > 1:
            self.assertEqual(result.out, "")
        return result

    def test_different_numbers(self):
        result = self.diff(self.path("a"), self.path("stay"), 1)
        first = re.search(r"^first difference: (/\S+): ", result.out, re.M)
        self.assertIsNotNone(first, result)
        self.assertEqual(first[1].partition("[")[0], "/scenario/resolved")
        largest = re.search(r"^largest difference: (/\S+)\[(\S+)\]: (\S+) against (\S+)",
                            result.out, re.M)
        self.assertIsNotNone(largest, result)
        gap, place = 0, None
        with h5py.File(self.path("a"), "r") as a, h5py.File(self.path("stay"), "r") as b:
            for path, item in run_file_compare.objects(a).items():
                if isinstance(item, h5py.Dataset) and item.dtype != object and \
                        not run_file_compare.is_free(path):
                    here = numpy.abs(item[()] - b[path][()])
                    if here.max() > gap:
                        gap, place = here.max(), path
            index = tuple(map(int, largest[2].split(",")))
            self.assertEqual(largest[1], place)
            self.assertEqual(float(largest[3]), a[place][index])
            self.assertEqual(float(largest[4]), b[place][index])
            self.assertEqual(abs(a[place][index] - b[place][index]), gap)

    def test_every_kind_of_difference(self):
        a = self.path("a")
        others = [self.path(name) for name in
                  ("seed", "ulp", "longer", "wide", "game", "entropy")]
        results = at_once(lambda other: (walras("diff", a, other), walras("diff", other, a)),
                          others)
        for other, pair in zip(others, results):
            with self.subTest(other=other):
                self.assertNotEqual(run_file_compare.differences(a, other), [])
                for result in pair:
                    self.check(result, 1)
                    self.assertRegex(result.out, r"^first difference: ")
                    count = re.search(r"^(\d+) objects differ$", result.out, re.M)
                    self.assertTrue(count and 0 < int(count[1]), result)

    def test_same_file(self):
        self.assertRegex(self.diff(self.path("a"), self.path("a"), 0).out, r"^equal\b")

    def test_missing(self):
        for pair in ((self.path("a"), "nothing.h5"), ("nothing.h5", self.path("a"))):
            self.assertIn("nothing.h5", self.diff(*pair, 66).err)
        self.assertIn("nothing.h5", walras("info", "nothing.h5").err)
        self.assertEqual(walras("info", "nothing.h5").status, 66)

    def test_no_run_file(self):
        with open(self.path("a"), "rb") as file:
            good = file.read()
        wrong = {"empty": b"", "text": b"return solve {}\n", "zeros": bytes(10000),
                 "header": good[:8]}
        for part in (100, len(good) // 2, len(good) - 2000, len(good) - 1):
            wrong[f"cut-{part}"] = good[:part]
        for name, content in wrong.items():
            write(self.path(name), content)
        with h5py.File(self.path("foreign"), "w") as file:
            file["x"] = [1.0, 2.0]
        a = self.path("a")
        names = [self.path(name) for name in (*wrong, "foreign")]
        results = at_once(lambda name: (walras("diff", a, name), walras("diff", name, a),
                                        walras("info", name)), names)
        for name, three in zip(names, results):
            with self.subTest(name=name):
                for result in three:
                    self.assertIn(name, self.check(result, 74).err)

    def test_damage_is_noticed(self):
        """A flipped byte anywhere: diff ends with 74, or (if it lies where nothing is) 0."""
        with open(self.path("a"), "rb") as file:
            good = file.read()
        places = range(0, len(good), len(good) // (8 if SANITIZED else 24) + 1)

        def damage(place):
            name = self.path(f"damaged-{place}")
            write(name, good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1:])
            return walras("diff", self.path("a"), name)

        noticed = 0
        for place, result in zip(places, at_once(damage, places)):
            with self.subTest(place=place):
                self.assertIn(result.status, (0, 74), result)
                noticed += result.status == 74
        self.assertGreater(noticed, len(places) // 2)


if __name__ == "__main__":
    unittest.main()
