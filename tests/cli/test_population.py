# SPDX-License-Identifier: GPL-3.0-or-later
"""Finite populations: what is in their run files and is printed, the same bytes on every number of
ranks and after any interruption, where their policies come from, and what is refused."""

import itertools
import json
import os
import re
import sys
import unittest

import h5py
import numpy

import run_file_compare
from run_file_docs import contents, documented
from walras_cli import SANITIZED, SOURCE, at_once, folder, left, own_lines, walras, write

sys.path.insert(0, os.path.join(SOURCE, "tests", "fault"))
import fault_runs  # noqa: E402

RANKS = (2, 3) if SANITIZED else (1, 2, 3, 4, 7)
ON_ALL = "beach", "auction counts", "many bidders"  # the others on 3 ranks
BEACH = "game = beach_bar { states = 12, horizon = 5, bar = 4 }"
TOLL = "game = beach_bar { states = 12, horizon = 5, bar = 4, toll = toll { max = 0.5 } }"
AUCTION = "game = batched_auction { rounds = 3, values = 8, bids = 6, goods = 0.7 }"
RULE = "learner = mirror_descent { rate = 1, entropy = 0.05 }, stop = { iterations = 60 }"
NETWORK = ("game = batched_auction { rounds = 2, values = 8, bids = 6, goods = 0.7, "
           "mechanism = neural { hidden = 4 } }")
SOLVED = f"policy = equilibrium {{ {RULE} }}"

# name: (text, rows, groups, rows that are enumerated, agents followed, objective, deviations)
POPULATIONS = {
    "beach": (f"{BEACH}, {SOLVED}, agents = {{ 1, 2, 3, 9, 70 }}, episodes = 30, record = 1, "
              "objective = congestion { sharpness = 20 }", 5, 1, 3, 1, True, True),
    "beach counts": (f"{BEACH}, {SOLVED}, agents = {{ 3, 50, 1e15 }}, episodes = 20, "
                     "mode = 'counts'", 3, 1, 1, 0, False, True),
    "auction": (f"{AUCTION}, agents = {{ 40, 60, 50 }}, episodes = 12, objective = revenue {{}}, "
                "record = 7, groups = {{ share = 0.75, policy = equilibrium { stop = "
                "{ iterations = 20 } } }, { share = 0.25 } }", 3, 2, 0, 7, True, True),
    "auction counts": (f"{AUCTION}, agents = {{ 100, 10000 }}, episodes = 12, mode = 'counts', "
                       "objective = efficiency {}, deviation = false", 2, 1, 0, 0, True, False),
    # Ranks share these agents.
    "many": (f"{BEACH}, {SOLVED}, agents = 230001, episodes = 2, record = 50", 1, 1, 0, 50, False,
             True),
    "many bidders": (f"{AUCTION}, agents = 200003, episodes = 2, objective = revenue {{}}, "
                     "record = 40, groups = {{ share = 0.4 }, { share = 0.6, policy = equilibrium "
                     "{ stop = { iterations = 20 } } }}", 1, 2, 0, 40, True, True),
    "hunters": ("game = predator_prey { horizon = 3 }, agents = { 3, 30 }, episodes = 6, "
                "record = 3", 2, 1, 0, 3, False, True),
}
LONG = f"return simulate {{ {BEACH}, agents = {{ 200, 500, 1000 }}, episodes = 400 }}"


def simulate(text, *options, place=None, **more):
    """Runs one; its result and the path of its file."""
    place = place or folder("simulate")
    write(os.path.join(place, "s.lua"), f"return simulate {{ {text} }}")
    path = os.path.join(place, "s.h5")
    return walras("run", "s.lua", "-q", "-o", path, *options, cwd=place, **more), path


def columns(path):
    with h5py.File(path, "r") as file:
        found = {name: item[:] for name, item in file["population"].items()
                 if isinstance(item, h5py.Dataset)}
        return found, dict(file["population"].attrs)


def run(job):
    name, ranks, output = job
    return walras("run", f"{name}.lua", "-o", output, ranks=ranks)


class Populations(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.folder = os.getcwd(), folder("population")
        os.chdir(cls.folder)
        for name, population in POPULATIONS.items():
            write(f"{name}.lua", f"return simulate {{ {population[0]} }}")
        cls.jobs = [(name, ranks, f"{name}-{ranks}.h5") for name in POPULATIONS
                    for ranks in (None, *(RANKS if name in ON_ALL else (3,)))]
        cls.results = dict(zip(cls.jobs, at_once(run, cls.jobs)))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    def each(self, check):
        for name, population in POPULATIONS.items():
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                check(name, population, file)

    def test_all_succeed(self):
        for job, result in self.results.items():
            with self.subTest(job=job):
                self.assertEqual(result.status, 0, result)

    def test_same_bytes_on_every_number_of_ranks(self):
        for name, ranks, output in self.jobs:
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", output), [])
        pairs = [(f"{name}-None.h5", f"{name}-3.h5") for name in POPULATIONS]
        for result in at_once(lambda pair: walras("diff", *pair), pairs):
            self.assertEqual(result.status, 0, result)

    def test_all_that_is_documented_is_there_and_nothing_else(self):
        wanted, seen = documented("The file of simulated populations"), set()
        def check(name, population, file):
            _, rows, groups, exact, followed, objective, deviates = population
            found = contents(file, "/population")
            seen.update(found)
            stages, states = (file["axes"][name].shape[0] for name in ("stage", "state"))
            lengths = {"agents": rows, "group": groups, "stage": stages, "state": states,
                       "row": followed * stages}
            expected = {path: dims and tuple(lengths[dim] for dim in dims.split(", "))
                        for path, dims in wanted.items()
                        if (followed or "/record" not in path)
                        and (objective or "objective" not in path)
                        and (deviates or "deviation" not in path or "exact" in path)
                        and (exact or "exact" not in path)}
            self.assertEqual(found, expected)
            for name in ("exact_return", "exact_exploitability") if exact else ():
                numbers = file["population"][name][:]
                self.assertEqual(numpy.isfinite(numbers).sum(), exact)
                self.assertEqual((numpy.isfinite(numbers) > (file["population/agents"][:] <= 8)
                                  ).sum(), 0)

        self.each(check)
        self.assertEqual(seen, set(wanted))

    def test_units_and_scales(self):
        units = {"return": "reward", "exact": "reward", "deviation": "reward", "objective":
                 "objective", "reward": "reward", "group_return": "reward", "group_value": "reward",
                 "group_deviation": "reward"}

        def check(name, population, file):
            for path, item in run_file_compare.objects(file).items():
                if not isinstance(item, h5py.Dataset) or not path.startswith("/population"):
                    continue
                name = path.rpartition("/")[2]
                unit = [u for start, u in units.items() if name.startswith(start)] or ["1"]
                self.assertEqual(item.attrs["units"], unit[0], path)
                self.assertTrue(item.attrs["long_name"])
                if not h5py.h5ds.is_scale(item.id):
                    for dim, size in zip(item.dims, item.shape):
                        self.assertEqual(dim[0].shape, (size,))

        self.each(check)

    def test_columns_belong_together(self):
        def check(name, population, file):
            p, attributes = file["population"], file["population"].attrs
            share, size = p["group_share"][:], p["agents"][:]
            self.assertAlmostEqual(share.sum(), 1, 12)
            self.assertAlmostEqual((share * p["group_value"][:]).sum(), attributes["value"], 12)
            self.assertTrue((p["return_gap"][:] >=
                             abs(p["return_mean"][:] - attributes["value"]) - 1e-12).all())
            numpy.testing.assert_allclose(p["stage_distance"][:].mean(axis=1),
                                          p["mean_field_distance"][:], rtol=1e-12)
            sizes = numpy.round(size[:, None] * share)
            numpy.testing.assert_allclose((p["group_return"][:] * sizes).sum(axis=1) / size,
                                          p["return_mean"][:], rtol=1e-9)
            if population[5]:
                self.assertTrue((p["objective_gap"][:] >= abs(
                    p["objective_mean"][:] - attributes["objective"]) - 1e-12).all())
            if population[6]:
                numpy.testing.assert_allclose(
                    (p["group_deviation_gain"][:] * share).sum(axis=1),
                    p["deviation_gain"][:], atol=(4 if population[2] > 1 else 1e-9) * numpy.fmax(
                        p["deviation_gain_error"][:], 1e-9).max())
            if name.startswith("many"):  # hardly differs from the limit: 4 standard errors and more
                self.assertLess(p["mean_field_distance"][0], 0.02)
                self.assertLess(p["return_gap"][0], 0.05)

        self.each(check)

    def test_exact_values_are_within_the_errors(self):
        for name in ("beach", "beach counts"):
            with h5py.File(f"{name}-None.h5", "r") as file:
                p = file["population"]
                for estimate, exact in (("return_mean", "exact_return"),
                                        ("deviation_gain", "exact_deviation_gain")):
                    found = p[exact][:]
                    known = numpy.isfinite(found)
                    error = p[estimate.replace("_mean", "") + "_error"][:][known]
                    off = abs(p[estimate][:] - found)[known]
                    self.assertTrue((off < 5 * error + 1e-12).all(), (name, off, error))
                    self.assertTrue((p["exact_exploitability"][:][known] >=
                                     p["exact_deviation_gain"][:][known] - 1e-12).all())

    def test_trajectories(self):
        def check(name, population, file):
            _, _, _, _, followed, _, _ = population
            if not followed:
                return
            r = {name: item[:] for name, item in file["population/record"].items()}
            size = int(file["population/agents"][0])
            stages, states = (file["axes"][name].shape[0] for name in ("stage", "state"))
            populations = round(file["population/mean_field"][0].sum())
            agents = [i * size * populations // followed for i in range(followed)]
            self.assertEqual(r["agent"].tolist(), [a for a in agents for _ in range(stages)])
            self.assertEqual(r["stage"].tolist(), [*range(stages)] * followed)
            # Of a single agent the return is known; of groups populations come one by one.
            self.assertTrue(((r["state"] >= 0) & (r["state"] < states)).all())
            self.assertTrue(((r["action"] >= 0) & (r["action"] < file["axes/action"].size)).all())
            if file["population/group"].size == 1:
                self.assertEqual((r["state"] % populations).tolist(),
                                 (r["agent"] // size).tolist())

        self.each(check)
        with h5py.File("many-None.h5", "r") as file:
            r = {name: file["population/record"][name][:].reshape(50, 5)
                 for name in ("state", "action", "reward")}
            step = (r["state"][:, 1:] - r["state"][:, :-1] - r["action"][:, :-1] + 1) % 12
            self.assertTrue(numpy.isin(step, (0, 1, 11)).all())  # a step, and the wind
            # docs/games.md: rewards of the beach, in a flow that is near the limit
            mass = file["population/mean_field"][:][numpy.arange(5), r["state"]]
            distance = numpy.minimum(abs(r["state"] - 4), 12 - abs(r["state"] - 4))
            moved = abs(r["action"] - 1) / 12
            numpy.testing.assert_allclose(r["reward"], -distance - moved - numpy.log(mass),
                                          atol=0.2)

    def test_one_agent_that_is_followed_gets_its_return(self):
        result, path = simulate(f"{BEACH}, agents = 1, episodes = 1, record = 1")
        self.assertEqual(result.status, 0, result)
        with h5py.File(path, "r") as file:
            p = file["population"]
            self.assertAlmostEqual(p["record/reward"][:].sum(), p["return_mean"][0], 12)
            self.assertTrue(numpy.isnan(p["return_error"][0]))
            distance = 2 * (1 - p["mean_field"][:][range(5), p["record/state"][:]])
            numpy.testing.assert_allclose(p["stage_distance"][0], distance, rtol=1e-12)
            self.assertTrue(numpy.isnan(p.attrs["return_slope"]))

    def test_slopes(self):
        def check(name, population, file):
            _, rows, _, _, _, objective, _ = population
            p = file["population"]
            size = p["agents"][:].astype(float)
            for column, slope in (("return_gap", "return_slope"),
                                  ("mean_field_distance", "mean_field_distance_slope"),
                                  *([("objective_gap", "objective_slope")] if objective else [])):
                if rows < 2:
                    self.assertTrue(numpy.isnan(p.attrs[slope]))
                    continue
                fit = numpy.polyfit(numpy.log(size), numpy.log(p[column][:]), 1)[0]
                self.assertAlmostEqual(p.attrs[slope], fit, 9)
                if rows > 2:
                    self.assertLess(p.attrs[slope + "_low"], fit)
                    self.assertGreater(p.attrs[slope + "_high"], fit)

        self.each(check)

    def test_what_is_printed(self):
        def check(name, population, file):
            _, rows, groups, exact, _, _, _ = population
            out = self.results[(name, None, f"{name}-None.h5")].out
            p = file["population"]
            policies = {1: r"policy \w+", 2: r"policies \w+ 0\.\d+, \w+ 0\.\d+"}[groups]
            self.assertRegex(out, rf"^simulate, \w+, \w+: \d+ episodes? each, {policies}\n")
            for row in range(rows):
                found = re.search(rf"(?m)^ +{p['agents'][row]} +(\S+) +(\S+) +(\S+) ", out)
                self.assertTrue(found, out)
                for text, column in zip(found.groups(), ("return_mean", "return_error",
                                                         "return_gap")):
                    numpy.testing.assert_allclose(float(text), p[column][row], rtol=0.06)
            self.assertRegex(out, r"(?m)^ +infinitely many +\S+")
            self.assertEqual(len(re.findall(r"(?m)^  \d+ agents? exactly: ", out)), exact)
            self.assertEqual(len(re.findall(r"(?m)^  group \d, share", out)),
                             groups if groups > 1 else 0)

        self.each(check)

    def test_info(self):
        def check(name, population, file):
            result = walras("info", f"{name}-None.h5")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, rf"(?m)^simulate, \w+: {file['population/agents'][-1]} "
                             r"agents, \d+ episodes, return \S+ \+- \S+ \(in the limit \S+\)")

        self.each(check)

    def test_the_resolved_scenario_comes_to_the_same(self):
        for name in ("auction", "beach counts"):
            with h5py.File(f"{name}-None.h5", "r") as file:
                write("resolved.json", file["scenario/resolved"].asstr()[()])
            result = walras("run", "resolved.json", "-q", "-o", "resolved.h5", "--force")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(run_file_compare.differences(f"{name}-None.h5", "resolved.h5"), [])

    def test_dry_run(self):
        place = folder("dry")
        for more in ("agents = 1e15, episodes = 2, mode = 'counts'",
                     "agents = 300000, episodes = 2, objective = congestion {}",
                     "agents = 100, episodes = 50, "
                     "policy = equilibrium { stop = { iterations = 2 } }"):
            for ranks in (None, 2):
                text = f"game = beach_bar {{ states = 3000, horizon = 20 }}, {more}"
                dry, path = simulate(text, "--dry-run", place=place, ranks=ranks)
                self.assertEqual((dry.status, dry.err), (0, ""), dry)
                self.assertEqual(left(place), ["s.lua"])
                self.assertEqual(simulate(text, place=place, ranks=ranks)[0].status, 0)
                said = re.search(r"(?m)^  memory +(\S+) MiB a rank", dry.out)
                with h5py.File(path, "r") as file:
                    share = float(said[1]) * 2**20 / file["run"].attrs["peak_bytes"]
                self.assertLess(abs(share - 1), 0.1, (more, ranks))
                os.remove(path)


class Sources(unittest.TestCase):
    """Where policies come from."""

    @classmethod
    def setUpClass(cls):
        cls.place = folder("sources")
        for name, text in (
                ("solve", f"return solve {{ {BEACH}, {RULE} }}"),
                ("single", f"return solve {{ {BEACH}, {RULE}, "
                 "store = { precision = 'single' } }"),
                ("design", f"return design {{ {TOLL}, objective = congestion {{ sharpness = 20 }}, "
                 "learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 60 }, "
                 "optimizer = adam { rate = 0.1 }, steps = 12 }"),
                ("network", f"return design {{ {NETWORK}, objective = revenue {{}}, "
                 "learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 30 }, "
                 "optimizer = adam { rate = 0.05 }, steps = 5 }")):
            write(os.path.join(cls.place, f"{name}.lua"), text)
            result = walras("run", f"{name}.lua", "-q", cwd=cls.place)
            assert result.status == 0, result

    def simulate(self, text, output, *options):
        write(os.path.join(self.place, "s.lua"), f"return simulate {{ {text} }}")
        result = walras("run", "s.lua", "-q", "-f", "-o", output, *options, cwd=self.place)
        self.assertEqual(result.status, 0, result)
        return columns(os.path.join(self.place, output))

    def test_a_file_is_what_would_be_solved(self):
        rows = {}
        for name, policy in (("there", SOLVED), ("solve", "policy = from { file = 'solve.h5' }"),
                             ("single", "policy = from { file = 'single.h5' }")):
            rows[name] = self.simulate(
                f"{BEACH}, {policy}, agents = {{ 4, 100 }}, episodes = 20", "rows.h5")
        for name, tolerance in (("solve", 1e-13), ("single", 1e-5)):
            for part in (0, 1):
                for column, values in rows["there"][part].items():
                    if isinstance(values, str):
                        continue
                    numpy.testing.assert_allclose(rows[name][part][column], values, rtol=tolerance,
                                                  atol=tolerance, err_msg=column)

    def test_a_design(self):
        """Its limit is the best design's objective, and very many agents come near it."""
        for name, game, objective in (
                ("design", TOLL, "congestion { sharpness = 20 }"),
                ("network", NETWORK, "revenue {}")):
            with self.subTest(name=name):
                rows, attributes = self.simulate(
                    f"{game}, policy = from {{ file = '{name}.h5' }}, agents = 1e14, episodes = 4, "
                    f"mode = 'counts', objective = {objective}, deviation = false", "d.h5")
                with h5py.File(os.path.join(self.place, f"{name}.h5"), "r") as file:
                    best = file["design/best/objective"][()]
                    flow = file["solution/mean_field"][:]
                self.assertAlmostEqual(attributes["objective"], best, delta=1e-12 * abs(best))
                self.assertAlmostEqual(rows["objective_mean"][0], best, delta=1e-6 * abs(best))
                numpy.testing.assert_allclose(rows["mean_field"], flow, atol=1e-14)

    def test_groups_of_one_policy_are_one(self):
        """In counts of other classes, with other draws: within five standard errors."""
        one = self.simulate(f"{BEACH}, {SOLVED}, agents = 60, episodes = 200, deviation = false",
                            "one.h5")
        third = f"{{ share = 1 / 3, {SOLVED} }}"
        three = self.simulate(f"{BEACH}, groups = {{ {third}, {third}, {third} }}, agents = 60, "
                              "episodes = 200, deviation = false", "three.h5")
        self.assertAlmostEqual(one[1]["value"], three[1]["value"], 12)
        # One by one they are the very same agents.
        self.assertAlmostEqual(one[0]["return_mean"][0], three[0]["return_mean"][0], 12)
        numpy.testing.assert_allclose(three[0]["group_value"], one[1]["value"], rtol=1e-12)

    def test_groups_with_few_agents(self):
        """Of two agents a group with a tenth has none."""
        rows, _ = self.simulate(f"{BEACH}, groups = {{ {{ share = 0.9 }}, {{ share = 0.1 }} }}, "
                                "agents = { 2, 10 }, episodes = 5", "few.h5")
        self.assertEqual(rows["group_return"][0, 1], 0)
        self.assertNotEqual(rows["group_return"][1, 1], 0)

    def test_what_is_played_is_told(self):
        """Also where the scenario does not say it."""
        short = "agents = 10, episodes = 2, deviation = false"
        for written, told in (
                (short, "2 episodes each, policy uniform"),
                (f"{short}, policy = softmax_target {{}}", "2 episodes each, policy softmax_target"),
                (f"{short}, groups = {{ {{ share = 0.25 }}, "
                 "{ share = 0.75, policy = 'deterministic_target' } }",
                 "2 episodes each, policies uniform 0.25, deterministic_target 0.75")):
            write("told.lua", f"return simulate {{ {BEACH}, {written} }}")
            result = walras("run", "told.lua", "-q", "--force")
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(result.out.splitlines()[0], f"simulate, beach_bar, individual: {told}")

    def test_a_warning_where_it_has_not_converged(self):
        policy = "policy = equilibrium { stop = { iterations = 5, exploitability = 1e-9 } }"
        write(os.path.join(self.place, "w.lua"),
              f"return simulate {{ {BEACH}, {policy}, agents = 3, episodes = 2 }}")
        result = walras("run", "w.lua", "-q", "-f", cwd=self.place)
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"^walras: warning: the equilibrium has not converged after 5 "
                         r"iterations: exploitability \S+\n$")


PLACE = r"bad\.lua:1: "
FITS = (r"expected a population that fits into memory, got one that needs about \S+ TiB a process, "
        r"each of which may have \S+ \wiB; mode = \"counts\" needs less")
WHOLE = r"expected whole numbers in \[1, 1099511627776\] in mode \"individual\", got "
RANGE = r"expected a number in \[1, 9007199254740992\], got "
OTHER = "expected nothing in an auction, which takes samples"

# (what, the scenario, exit status, the line)
REFUSED = [
    ("no agents", BEACH, 65,
     PLACE + "simulate: agents: expected how many agents play, got nothing"),
    ("0", f"{BEACH}, agents = 0", 65, PLACE + "simulate: agents: " + RANGE + "0"),
    ("negative", f"{BEACH}, agents = -3", 65, PLACE + "simulate: agents: " + RANGE + "-3"),
    ("half an agent", f"{BEACH}, agents = 1.5", 65, PLACE + "simulate: agents: " + WHOLE + "1.5"),
    ("0 in a list", f"{BEACH}, agents = {{ 10, 0 }}", 65, PLACE + r"simulate: agents: element 1 "
     r"\(counted from 0\): " + RANGE + "0"),
    ("not a number", f"{BEACH}, agents = 'many'", 65, PLACE + "simulate: agents: expected a "
     'number, a list of numbers or a function, got "many"'),
    ("above the mode", f"{BEACH}, agents = 2^40 + 1", 65,
     PLACE + "simulate: agents: " + WHOLE + "1099511627777"),
    ("above all modes", f"{BEACH}, agents = 2^54, mode = 'counts'", 65,
     PLACE + "simulate: agents: " + RANGE + "18014398509481984"),
    ("memory", f"{BEACH}, agents = 2^40", 65, PLACE + "simulate: agents: " + FITS),
    ("memory, in a list", f"{BEACH}, agents = {{ 5, 1e12, 7 }}", 65,
     PLACE + "simulate: agents: " + FITS),
    ("no file", f"{BEACH}, agents = 10, policy = from {{ file = 'none.h5' }}", 66,
     r"walras: none\.h5: no such file"),
    ("no file of a group", f"{BEACH}, agents = 10, groups = {{{{ share = 0.5, {SOLVED} }}, "
     "{ share = 0.5, policy = from { file = 'none.h5' } }}", 66,
     r"walras: none\.h5: no such file"),
    ("not HDF5", f"{BEACH}, agents = 10, policy = from {{ file = 'bad.lua' }}", 74,
     r"bad\.lua: not a walras run file \(not HDF5\)"),
    ("of another game", f"{BEACH}, agents = 10, policy = from {{ file = 'game.h5' }}", 65,
     PLACE + "from: file: expected a run of beach_bar, got one of susceptible_infected"),
    ("of another shape", f"{BEACH}, agents = 10, policy = from {{ file = 'shape.h5' }}", 65,
     r"walras: shape\.h5: solution/policy: expected 5 x 12 x 3 numbers, got 4 x 13 x 3"),
    ("of a sweep", f"{BEACH}, agents = 10, policy = from {{ file = 'sweep.h5' }}", 65,
     r"walras: sweep\.h5: expected the run of a game, got one without"),
    ("without policy", f"{BEACH}, agents = 10, policy = from {{ file = 'none_stored.h5' }}", 65,
     r"walras: none_stored\.h5: solution/policy: expected a dataset of this name, got none"),
    ("of a design of something else",
     f"{BEACH}, agents = 10, policy = from {{ file = 'design.h5' }}",
     65, PLACE + "from: file: expected the run of a game with the same things to design, got one "
     "with a toll"),
    ("no name of a file", f"{BEACH}, agents = 10, policy = from {{}}", 65,
     PLACE + r"from: file: expected a text, got nothing \(.*\)"),
    ("groups beside policy",
     f"{BEACH}, agents = 10, policy = 'uniform', groups = {{{{ share = 1 }}}}",
     65, PLACE + "simulate: groups: expected no policy beside it, got both"),
    ("share 0", f"{BEACH}, agents = 10, groups = {{{{ share = 0 }}, {{ share = 1 }}}}", 65,
     PLACE + "groups: share: expected more than 0, got 0"),
    ("negative share", f"{BEACH}, agents = 10, groups = {{{{ share = -1 }}, {{ share = 2 }}}}", 65,
     PLACE + r"groups: share: expected a number in \[0, 1\], got -1"),
    ("sum of the shares",
     f"{BEACH}, agents = 10, groups = {{{{ share = 0.5 }}, {{ share = 0.4 }}}}",
     65, PLACE + r"simulate: groups: expected shares that sum to 1, got 0\.9"),
    ("no groups", f"{BEACH}, agents = 10, groups = {{}}", 65,
     PLACE + "simulate: groups: expected a list of tables, as .*"),
    ("an empty group", f"{BEACH}, agents = 10, groups = {{{{}}}}", 65, PLACE + "simulate: groups: "
     r"element 0 \(counted from 0\): expected a table with share and policy"),
    ("of a group", f"{BEACH}, agents = 10, groups = {{{{ share = 1, polcy = 'uniform' }}}}", 65,
     PLACE + 'groups: unknown parameter "polcy"; did you mean "policy"\\?'),
    ("policy of a group", f"{BEACH}, agents = 10, groups = {{{{ share = 1, policy = 'unifrom' }}}}",
     65, PLACE + 'groups: policy: unknown policy "unifrom"; did you mean "uniform"\\?'),
    ("policy", f"{BEACH}, agents = 10, policy = unifrom {{}}", 65,
     PLACE + 'unknown name "unifrom"; did you mean "uniform"\\?'),
    ("policy's name", f"{BEACH}, agents = 10, policy = 'unifrom'", 65,
     PLACE + 'simulate: policy: unknown policy "unifrom"; did you mean "uniform"\\?'),
    ("learner's name", f"{BEACH}, agents = 10, policy = equilibrium {{ learner = 'boltzman' }}", 65,
     PLACE + 'equilibrium: learner: unknown learner "boltzman"; did you mean "boltzmann"\\?'),
    ("samples", f"{BEACH}, agents = 10, samples = 5", 65,
     PLACE + "simulate: samples: expected nothing in a game, which takes agents and episodes"),
    ("agents of an auction", "game = one_shot_auction {}, agents = 5", 65,
     PLACE + "simulate: agents: " + OTHER),
    ("record of an auction", "game = one_shot_auction {}, record = 5", 65,
     PLACE + "simulate: record: " + OTHER),
    ("deviation that is not defined", "game = treasure_hunting {}, agents = 5", 65,
     "walras: treasure_hunting: its rewards depend on the policy itself, so that what an agent "
     "gains by another one is not defined: expected deviation = false"),
    ("objective of another game", f"{BEACH}, agents = 10, objective = revenue {{}}", 65, PLACE +
     r"revenue: expected an objective that the game beach_bar has \(congestion, target_flow, "
     r"weights\): it reports no revenue"),
    ("no episodes", f"{BEACH}, agents = 10, episodes = 0", 65,
     PLACE + r"simulate: episodes: expected a whole number in \[1, 1000000000\], got 0"),
    ("mode", f"{BEACH}, agents = 10, mode = 'count'", 65, PLACE + "simulate: mode: expected one of "
     'individual, counts, got "count"; did you mean "counts"\\?'),
    ("record of more than there are", f"{BEACH}, agents = {{ 10, 50 }}, record = 11", 65, PLACE +
     "simulate: record: expected at most as many as there are agents, 10, got 11"),
    ("record of who is counted", f"{BEACH}, agents = 10, record = 3, mode = 'counts'", 65, PLACE +
     'simulate: record: expected mode "individual" beside it: agents who are counted cannot be '
     "followed"),
]
# Not found by walras check: what needs memory, files or the game's tables.
FOUND_LATE = {"memory", "memory, in a list", "no file", "no file of a group", "not HDF5",
              "of another game", "of another shape", "of a sweep", "without policy",
              "of a design of something else", "deviation that is not defined"}
ON_RANKS = {"memory", "no file", "of another shape", "deviation that is not defined",
            "objective of another game"}
if SANITIZED:
    REFUSED = [case for case in REFUSED if case[0] in ON_RANKS]


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = folder("files")
        small = "game = beach_bar { states = 12, horizon = 5, bar = 4 }, stop = { iterations = 2 }"
        for name, text in (
                ("game", "return solve { game = susceptible_infected { horizon = 5 }, "
                 "stop = { iterations = 2 } }"),
                ("shape", "return solve { game = beach_bar { states = 13, horizon = 4, bar = 4 }, "
                 "stop = { iterations = 2 } }"),
                ("sweep", f"return sweep {{ base = solve {{ {small} }}, "
                 "vary = { seed = { 1, 2 } } }"),
                ("none_stored", f"return solve {{ {small}, store = {{ policy = false }} }}"),
                ("design", f"return design {{ {TOLL}, objective = congestion {{}}, learner = "
                 "mirror_descent { rate = 1, entropy = 0.1, iterations = 3 }, steps = 1 }")):
            write(os.path.join(cls.place, f"{name}.lua"), text)
            result = walras("run", f"{name}.lua", "-q", cwd=cls.place)
            assert result.status == 0, result
        cls.files = [name for name in os.listdir(cls.place) if name.endswith(".h5")]

    def one(self, case):
        place = folder("refused")
        write(os.path.join(place, "bad.lua"), f"return simulate {{ {case[1]} }}")
        for name in self.files:
            if name in case[1]:
                os.link(os.path.join(self.place, name), os.path.join(place, name))
        results = {ranks: walras("run", "bad.lua", "-q", cwd=place, ranks=ranks)
                   for ranks in (None, *((2,) if case[0] in ON_RANKS else ()))}
        if case[0] in FOUND_LATE:
            results["dry"] = walras("run", "bad.lua", "--dry-run", cwd=place)
        else:
            results["check"] = walras("check", "bad.lua", cwd=place)
        return place, results

    def test_refused(self):
        for case, (place, results) in zip(REFUSED, at_once(self.one, REFUSED)):
            for how, result in results.items():
                with self.subTest(case=case[0], how=how):
                    self.assertEqual(result.status, case[2], result)
                    lines = own_lines(result.err)
                    self.assertEqual(len(lines), 1, result)
                    self.assertRegex(lines[0], f"^{case[3]}$")
                    self.assertEqual([name for name in left(place) if name not in self.files],
                                     ["bad.lua"])

    def test_a_sweep_of_simulations(self):
        place = folder("sweep")
        write(os.path.join(place, "s.lua"), f"return sweep {{ base = simulate {{ {BEACH}, "
              "agents = 5 }, vary = { seed = { 1, 2 } } }")
        result = walras("run", "s.lua", "-q", cwd=place)
        self.assertEqual((result.status, own_lines(result.err)), (
            65, ["s.lua:1: sweep: base: expected a task that can be swept, as solve{...}, got "
                 "simulate{...}; vary it by `walras run` with -P"]))


class Interrupted(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        result, cls.whole = simulate(LONG[len("return simulate {"):-1])
        assert result.status == 0, result

    def begin(self):
        place = folder("run")
        write(os.path.join(place, "s.lua"), LONG)
        return place, os.path.join(place, "s.h5")

    def check_resumed(self, run, ranks):
        result = fault_runs.resume(run, ranks=ranks)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(run_file_compare.differences(self.whole, run), [])
        self.assertEqual(fault_runs.leftovers(run), [])

    def check_stopped(self, result, run, reason):
        self.assertEqual(result.status, 75, result)
        lines = fault_runs.own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        found = re.fullmatch(rf"walras: stopped by {reason} at \w+ (\d+); to go on: walras "
                             rf"resume {re.escape(run)}", lines[0])
        self.assertTrue(found, result)
        self.assertIn(int(found[1]), fault_runs.checkpoints(run))
        self.assertLess(int(found[1]), 1200)

    def test_stopped_by_a_file(self):
        for before, after in ((None, 3), (2, None)):
            with self.subTest(before=before, after=after):
                place, run = self.begin()
                write(os.path.join(place, "s.STOP"), "")
                result = walras("run", "s.lua", "-q", "-o", run, cwd=place, ranks=before)
                self.check_stopped(result, run, ".*STOP.*")
                self.check_resumed(run, after)

    def test_stopped_by_the_walltime(self):
        place, run = self.begin()
        write(os.path.join(place, "s.lua"), LONG.replace("episodes = 400", "episodes = 400000"))
        result = walras("run", "s.lua", "-q", "-o", run, "--max-walltime", "1s", cwd=place)
        self.assertEqual(result.status, 75, result)
        result = fault_runs.resume(run, "--max-walltime", "1s", ranks=2)
        self.assertEqual(result.status, 75, result)
        with open(run[:-3] + ".progress.jsonl", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual(lines[0]["counts"], "episode")
        rows = [line for line in lines if "episode" in line]
        self.assertTrue(rows and all(row["agents"] == 200 for row in rows), lines)
        first = [row["episode"] for row in itertools.takewhile(
            lambda line: "event" not in line, lines[1:])]
        self.assertEqual(first, sorted(set(first)))
        self.assertRegex(walras("info", run).out, r"(?s)simulate.*episode")

    def test_killed(self):
        for ranks, after in ((None, 2), (2, None)):
            with self.subTest(ranks=ranks):
                run = fault_runs.until_caught(lambda: fault_runs.killed(self.begin()[1], ranks))
                self.check_resumed(run, after)


class Scenarios(unittest.TestCase):
    """Those of scenarios/population are all run, for fewer episodes, in test_terminal.py."""

    def test_the_auction(self):
        """Slopes of fewer numbers and episodes than the comment's are near those, and the document
        has those."""
        path = os.path.join(SOURCE, "scenarios/population/auction_limit.lua")
        with open(path, encoding="utf-8") as file:
            comment = file.read().split("return simulate")[0].replace("\n-- ", " ")
        with open(os.path.join(SOURCE, "docs/population.md"), encoding="utf-8") as file:
            document = file.read()
        said = re.findall(r"by N\^(-\d\.\d+) ", comment)
        self.assertEqual(len(said), 3)
        result = walras("run", path, "-q", "-o", "limit.h5", "-P", "episodes=60", "-P",
                        "agents={30, 1000, 30000}", "-P", "deviation=false")
        self.assertEqual(result.status, 0, result)
        _, attributes = columns("limit.h5")
        for slope, name, most in zip(said, ("return_slope", "mean_field_distance_slope",
                                            "objective_slope"), (0.06, 0.03, 0.15)):
            self.assertIn(f"N^{slope}", document)
            self.assertAlmostEqual(attributes[name], float(slope), delta=most)
        self.assertTrue(-0.6 < attributes["return_slope"] < -0.4)


if __name__ == "__main__":
    unittest.main()
