# SPDX-License-Identifier: GPL-3.0-or-later
"""Steerings of the beach and of the lock: their run file against docs/run-file.md and against sums
made here, the same bytes on any number of ranks and after a stop, the rates of docs/steering.md at
a small scale, and mistakes, as targets from files that do not fit."""

import glob
import os
import re
import unittest

import h5py
import numpy

import run_file_compare
from run_file_docs import contents, documented
from walras_cli import SOURCE, at_once, folder, left, own_lines, walras, write

BAD, NOT_FOUND, STOPPED = 65, 66, 75
STATES, BAR, HORIZON, LOW, HIGH = 8, 5, 5, -5.2, 4.7
BEACH = (f"bounded {{ game = beach_bar {{ states = {STATES}, bar = {BAR}, horizon = {HORIZON}, "
         f"log_offset = 0.01 }}, low = {LOW}, high = {HIGH} }}")
LOCK = "combination_lock {}"
ALL = ("none {}, known_model {}, optimistic {}, equalizing {}, greedy {}, stabilizing {}, "
       "constant_bribe {}, uncentred {}")
SOFTMAX = "softmax_target { seed = 1 }"


def steer(game=BEACH, target=SOFTMAX, mediator=ALL, more="episodes = 60, seeds = 2"):
    return (f"return steer {{ game = {game}, target = {target},\n"
            f"  mediator = {{ {mediator} }}, {more} }}\n")


SCENARIOS = {
    "all": steer(),
    "shared": steer(target="deterministic_target { seed = 2 }", mediator="optimistic {}, greedy {}",
                    more="agents = fixed_share {}, episodes = 40, seeds = 3, trajectories = 3, "
                         "seed = 7"),
    # Exponents: the rates of docs/steering.md.
    "rates": steer(mediator="none {}, known_model {}, optimistic {}",
                   more="episodes = 600, seeds = 3"),
}


# ---- The beach, once more: MFGLib's, by docs/games.md ------------------------------------------

def transitions():
    """P[s, a, s']: a step by a - 1, then one by noise, within the beach."""
    p = numpy.zeros((STATES, 3, STATES))
    for s in range(STATES):
        for a in range(3):
            for noise, chance in ((-1, 0.25), (0, 0.5), (1, 0.25)):
                p[s, a, min(max(s + a - 1 + noise, 0), STATES - 1)] += chance
    return p


def rewards(mass):
    """[s, a]"""
    away = abs(numpy.arange(STATES) - BAR)
    place = -numpy.minimum(away, STATES - away) - numpy.log(mass + 0.01)
    moved = numpy.array([1, 0, 1]) / STATES
    return (place[:, None] - moved - LOW) / (HIGH - LOW)


def flow(policy):
    """Masses [h, s] from everywhere alike."""
    mass, p = [numpy.full(STATES, 1 / STATES)], transitions()
    for h in range(HORIZON - 1):
        mass.append(numpy.einsum("s,sa,sat->t", mass[-1], policy[h], p))
    return numpy.array(mass)


def exploitability(policy):
    mass, p = flow(policy), transitions()
    best, own = numpy.zeros(STATES), numpy.zeros(STATES)
    for h in reversed(range(HORIZON)):
        r = rewards(mass[h])
        best = (r + p @ best).max(axis=1)
        own = ((r + p @ own) * policy[h]).sum(axis=1)
    return mass[0] @ (best - own)


def run(job):
    name, ranks, output = job
    return walras("run", f"{name}.lua", "-o", output, ranks=ranks)


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before = os.getcwd()
        os.chdir(folder("steerings"))
        for name, text in SCENARIOS.items():
            write(f"{name}.lua", text)
        cls.jobs = [(name, ranks, f"{name}-{ranks}.h5") for name in SCENARIOS
                    for ranks in ((None,) if name == "rates" else (None, 1, 2, 3))]
        cls.results = dict(zip(cls.jobs, at_once(run, cls.jobs)))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    def test_all_succeed(self):
        for job, result in self.results.items():
            with self.subTest(job=job):
                self.assertEqual(result.status, 0, result)

    def test_same_bytes_on_every_number_of_ranks(self):
        for name, ranks, output in self.jobs:
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", output), [])

    def test_all_that_is_documented_is_there_and_nothing_else(self):
        wanted = documented("The file of a steering")
        for name in SCENARIOS:
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                found = contents(file, "/steering")
                self.assertEqual(set(found), set(wanted))
                s = file["steering"]
                lengths = {dim: len(s[dim]) for dim in ("mediator", "seed", "episode")}
                lengths.update(stage=HORIZON, state=STATES, action=3)
                for path, shape in found.items():
                    if "@" not in path:
                        self.assertEqual(shape, tuple(lengths[d] for d in wanted[path].split(", ")))
                        self.assertTrue(file[path].attrs["units"] and file[path].attrs["long_name"])

    def test_sums(self):
        for name in SCENARIOS:
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                s = file["steering"]
                episode = s["episode"][:]
                self.assertEqual(s["seed"][:].tolist(), list(range(s["gap"].shape[1])))
                self.assertEqual(episode[0], 1)
                cost, gap = s["cost"][:], s["gap"][:]
                cheapest = s["target"].attrs["cheapest_cost"]
                numpy.testing.assert_allclose(s["excess"][:], cost - cheapest * episode, atol=1e-9)
                for sums in (gap, s["occupancy_gap"][:], cost):
                    self.assertTrue((numpy.diff(sums, axis=2) >= 0).all())
                self.assertTrue((gap <= 2 * HORIZON * episode).all())
                # |d - d*| grows by at most the gap of a stage from each one on.
                self.assertTrue((s["occupancy_gap"][:] <= HORIZON * gap + 1e-9).all())
                for share in ("violations", "reward_violations", "model_violations"):
                    self.assertTrue(((s[share][:] >= 0) & (s[share][:] <= 1)).all())
                    numpy.testing.assert_allclose(s["summary"][share][:],
                                                  s[share][:, :, -1].mean(axis=1), rtol=1e-12)
                self.assertTrue((s["summary/least_payment"][:] >= -1e-12).all())
                numpy.testing.assert_array_equal(s["summary/largest_payment"][:],
                                                 s["largest_payment"][:, :, -1].max(axis=1))
                none = s["mediator"].asstr()[:] == "none"
                self.assertTrue((cost[none] == 0).all())
                # Unpaid, and by who knows the game, every seed comes to the same.
                numpy.testing.assert_array_equal(gap[none, 0], gap[none, -1])

    def test_the_target(self):
        """Its flow, and what its cheapest stabilizer and 1 - r cost, by the recursions above."""
        for name in SCENARIOS:
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                target = file["steering/target"]
                policy = target["policy"][:]
                numpy.testing.assert_allclose(policy.sum(axis=2), 1, rtol=1e-14)
                mass = flow(policy)
                numpy.testing.assert_allclose(target["mean_field"][:], mass, rtol=1e-12)
                self.assertAlmostEqual(target.attrs["cheapest_cost"], exploitability(policy), 11)
                left_to_one = sum((mass[h][:, None] * policy[h] * (1 - rewards(mass[h]))).sum()
                                  for h in range(HORIZON))
                self.assertAlmostEqual(target.attrs["equalizer_cost"], left_to_one, 11)
                self.assertEqual(target.attrs["unreached_states"], 0)
                if name == "shared":
                    self.assertEqual(set(policy.ravel()), {0, 1})

    def test_the_first_episode(self):
        """Everybody plays the uniform policy: gap and exploitability by the recursions above."""
        with h5py.File("all-None.h5", "r") as file:
            s = file["steering"]
            target = s["target/policy"][:]
            uniform = numpy.full(target.shape, 1 / 3)
            gap = (flow(target) * abs(target - uniform).sum(axis=2)).sum()
            distance = abs(flow(target)[:, :, None] * target - flow(uniform)[:, :, None] / 3).sum()
            numpy.testing.assert_allclose(s["gap"][:, :, 0], gap, rtol=1e-12)
            numpy.testing.assert_allclose(s["occupancy_gap"][:, :, 0], distance, rtol=1e-12)
            numpy.testing.assert_allclose(s["cost"][:, :, 0] - s["running_excess"][:, :, 0],
                                          exploitability(uniform), rtol=1e-11)

    def test_exponents(self):
        """Of each seed by least squares; t of 0.975 with two degrees of freedom."""
        with h5py.File("rates-None.h5", "r") as file:
            s = file["steering"]
            episode = s["episode"][:]
            fitted = episode >= episode[-1] / 10**1.75
            x = numpy.log(episode[fitted])
            for m, name in enumerate(s["mediator"].asstr()[:]):
                slopes = numpy.array([numpy.polyfit(x, numpy.log(sums[fitted]), 1)[0]
                                      for sums in s["gap"][m]])
                half = 4.302652729911275 * slopes.std(ddof=1) / 3**0.5
                summary = {key: s["summary/" + key][m] for key in
                           ("gap_exponent", "gap_exponent_low", "gap_exponent_high")}
                self.assertAlmostEqual(summary["gap_exponent"], slopes.mean(), 9)
                self.assertAlmostEqual(summary["gap_exponent_low"], slopes.mean() - half, 7)
                self.assertAlmostEqual(summary["gap_exponent_high"], slopes.mean() + half, 7)
                with self.subTest(mediator=name):
                    if name == "none":
                        self.assertAlmostEqual(summary["gap_exponent"], 1, delta=0.15)
                    else:
                        self.assertLessEqual(summary["gap_exponent_high"], 0.8)
        with h5py.File("all-None.h5", "r") as file:  # too few episodes
            for column in ("gap_exponent", "excess_exponent", "overpayment_exponent"):
                self.assertTrue(numpy.isnan(file["steering/summary"][column][:]).all())
        self.assertIn("\n  exponents           omitted: they want at least 563 episodes\n",
                      self.results["all", None, "all-None.h5"].out)
        self.assertNotIn("omitted", self.results["rates", None, "rates-None.h5"].out)

    def test_the_table(self):
        for name in SCENARIOS:
            out = self.results[name, None, f"{name}-None.h5"].out
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                summary = file["steering/summary"]
                for m, mediator in enumerate(file["steering/mediator"].asstr()[:]):
                    row = re.search(rf"^  {mediator}  .*$", out, re.M)[0].split()
                    numbers = [summary[column][m] for column in ("largest_payment", "violations")]
                    for text, number in zip(row[-2:], numbers):
                        self.assertAlmostEqual(float(text), number, delta=abs(number) * 6e-3)

    def test_the_resolved_scenario_comes_to_the_same(self):
        for name in ("all", "shared"):
            with self.subTest(name=name):
                with h5py.File(f"{name}-None.h5", "r") as file:
                    write("resolved.json", file["scenario/resolved"].asstr()[()])
                result = walras("run", "resolved.json", "-q", "-o", "resolved.h5", "--force")
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", "resolved.h5"), [])

    def test_stopped_and_resumed(self):
        for before, after in ((None, 2), (3, None)):
            with self.subTest(before=before, after=after):
                place = folder("stopped")
                write(os.path.join(place, "all.lua"), SCENARIOS["all"])
                write(os.path.join(place, "all.STOP"), "")
                result = walras("run", "all.lua", "-q", "--checkpoint-every", "9it", cwd=place,
                                ranks=before)
                self.assertEqual(result.status, STOPPED, result)
                self.assertEqual(len(own_lines(result.err)), 1, result)
                result = walras("resume", "all.h5", "-q", cwd=place, ranks=after)
                self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
                self.assertEqual(run_file_compare.differences(
                    "all-None.h5", os.path.join(place, "all.h5")), [])


class Mistakes(unittest.TestCase):
    """Files that have no such policy, games that cannot be steered, numbers out of range."""

    def test_refused(self):
        place = folder("targets")
        write(os.path.join(place, "rock.lua"),
              "return solve { game = rock_paper_scissors {}, stop = { iterations = 2 } }")
        write(os.path.join(place, "beach.lua"),
              f"return solve {{ game = {BEACH.replace('= 8', '= 9')}, "
              "stop = { iterations = 2 } }")
        for name in ("rock", "beach"):
            self.assertEqual(walras("run", f"{name}.lua", "-q", cwd=place).status, 0)
        files = {}
        for name in ("rock", "beach"):
            with open(os.path.join(place, f"{name}.h5"), "rb") as file:
                files[name] = file.read()

        def one(text):
            own = folder("refused")
            for name, content in files.items():
                write(os.path.join(own, f"{name}.h5"), content)
            write(os.path.join(own, "s.lua"), text)
            return walras("run", "s.lua", "-q", cwd=own), left(own)

        texts = [text for text, _ in REFUSED.values()]
        for (name, (_, line)), (result, there) in zip(REFUSED.items(), at_once(one, texts)):
            with self.subTest(case=name):
                self.assertEqual(result.status, NOT_FOUND if name == "no file" else BAD, result)
                self.assertEqual(own_lines(result.err), [line])
                self.assertEqual(result.out, "")
                self.assertEqual(there, ["beach.h5", "rock.h5", "s.lua"])


def from_file(name):
    return f"from {{ file = '{name}.h5' }}"


REFUSED = {
    "a file of another game": (
        steer(target=from_file("rock")),
        "s.lua:1: from: file: expected a run of bounded, got one of rock_paper_scissors"),
    "a file of another size": (
        steer(target=from_file("beach")),
        "walras: beach.h5: solution/policy: expected 5 x 8 x 3 numbers, got 5 x 9 x 3"),
    "no file": (steer(target=from_file("none")), "walras: none.h5: no such file"),
    "a target that is none": (
        steer(target="congestion {}"),
        "s.lua:1: steer: target: expected a policy (uniform, equilibrium, from, given, "
        "softmax_target, deterministic_target, equilibrium_target), got objective "
        "congestion{...}"),
    "a game that depends on the density": (
        steer("bounded { game = susceptible_infected {}, low = -10, high = 10 }"),
        "s.lua:1: steer: game: susceptible_infected: expected a game whose transitions do not depend "
        "on the density, got one whose outcomes may"),
    "rewards that leave [0, 1]": (
        steer("left_right {}"),
        "s.lua:1: steer: game: left_right: expected rewards in [0, 1], got -0.651687 at stage 1, "
        "state 1, action 0; bounded{game=...} maps them there"),
    "bounds that are never wrong": (
        steer(mediator="optimistic { bonus = 'rigorous', failure = 0 }"),
        "s.lua:2: optimistic: failure: expected a number in [1e-12, 1], got 0"),
    "weight of the incentive": (
        steer(mediator="known_model { eta = -1 }"),
        "s.lua:2: known_model: eta: expected a number of at least 0, got -1"),
    "a bonus that a mediator does not have": (
        steer(mediator="greedy { model_bonus = 1 }"),
        's.lua:2: greedy: unknown parameter "model_bonus"; it takes eta, ridge, density, floor, '
        "pooled_rewards, pooled"),
    "agents": (steer(more="agents = hedg {}"),
               's.lua:2: unknown name "hedg"; did you mean "hedge"?'),
    "share": (steer(more="agents = fixed_share { share = 2 }"),
              "s.lua:2: fixed_share: share: expected a number in [0, 1], got 2"),
    "no seeds": (steer(more="seeds = 0"),
                 "s.lua:1: steer: seeds: expected a whole number in [1, 4096], got 0"),
    "no trajectories": (
        steer(more="trajectories = 0"),
        "s.lua:1: steer: trajectories: expected a whole number in [1, 1000000], got 0"),
    "scale of a target": (
        steer(target="softmax_target { scale = -1 }"),
        "s.lua:1: softmax_target: scale: expected a number in [0, 1000000], got -1"),
}


class Scenarios(unittest.TestCase):
    def test_all_are_valid(self):
        paths = glob.glob(os.path.join(SOURCE, "scenarios/steering/*.lua"))
        self.assertGreaterEqual(len(paths), 2)
        for path, result in zip(paths, at_once(lambda path: walras("check", path), paths)):
            with self.subTest(path=path):
                self.assertEqual((result.status, result.err), (0, ""), result)

    def test_exploring_is_needed(self):
        """The lock of scenarios/steering, with fewer seeds and episodes: with all of them the
        optimistic mediator gets the agents to dial, and the greedy one with none."""
        place = folder("lock")
        result = walras("run", os.path.join(SOURCE, "scenarios/steering/lock.lua"), "-q",
                        "-P", "episodes=1500", "-P", "seeds=3", cwd=place)
        self.assertEqual(result.status, 0, result)
        with h5py.File(os.path.join(place, "lock.h5"), "r") as file:
            s = file["steering"]
            names = s["mediator"].asstr()[:].tolist()
            gap, episode = s["gap"][:], s["episode"][:]
            middle = numpy.searchsorted(episode, episode[-1] / 2)
            late = (gap[:, :, -1] - gap[:, :, middle]) / (episode[-1] - episode[middle])
            unpaid = late[names.index("none")].min()
            self.assertLess(late[names.index("optimistic")].max(), 0.2 * unpaid)
            self.assertGreater(late[names.index("greedy")].min(), 0.4 * unpaid)


if __name__ == "__main__":
    unittest.main()
