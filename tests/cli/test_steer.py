# SPDX-License-Identifier: GPL-3.0-or-later
"""Steering on the command line: one exact line for every mistake, the same file on every number of
ranks and after a stop, and a printed table that says what the file holds.
"""

import os
import re
import unittest

import h5py
import numpy as np

from walras_cli import at_once, folder, left, own_lines, walras, write

BAD, STOPPED = 65, 75

# A line of six states; rewards in [0, 1] that fall with the mass.
GAME = """custom { states = 6, actions = 3, horizon = 3, initial = {%s},
  moves = function(h, s, a)
    local at = math.max(0, math.min(5, s + a - 1))
    return { { at, 0.9 }, { math.max(0, at - 1), 0.1 } }
  end,
  reward = function(h, s, a, mass) return 0.1 * s + 0.4 * (1 - mass[s]) end }"""
SPREAD = GAME % ", ".join(["1/6"] * 6)
CORNER = GAME % "1, 0, 0, 0, 0, 0"
MEDIATORS = ['"none"', "known_model {}", "optimistic {}", "equalizing { reward = 'zero' }",
             "optimistic { model = 'known', reward = 'known' }", "greedy {}", "stabilizing {}",
             "stabilizing { by = 'equalizer' }", "constant_bribe {}", "uncentred {}"]


def scenario(game=SPREAD, target="softmax_target { scale = 0.5 }", more=""):
    return f"return steer {{ game = {game},\n  target = {target}{more} }}\n"


ALIKE = "given { probability = function(stage, state, action) return %s end }"
CASES = [
    (scenario(target=ALIKE % "action == state % 3 and 0.5 or 0"),
     "s.lua:7: given: probability: expected probabilities that sum to 1, got others at stage 0, "
     "state 0"),
    (scenario(target=ALIKE % "action - 0.5"),
     "s.lua:7: given: probability: element [0][0][0] (counted from 0): expected a number in [0, 1], "
     "got -0.5"),
    (scenario(target="given { probability = { {{ 1, 0, 0 }} } }"),
     "s.lua:7: given: probability: expected 3 x 6 x 3 numbers, got 1 x 1 x 3"),
    (scenario(target="given {}"),
     "s.lua:7: given: probability: expected a list of lists of lists of numbers or a function, "
     "got nothing (of each action: they sum to 1 in every stage and state)"),
    (scenario("bounded { game = crowd_modelling_2d { map = 'four_rooms' }, low = -100, high = 100 }", ALIKE % "1 / 5"),
     "s.lua:2: given: probability: expected legal actions only, got action 0 at stage 0, state 0"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = 'optimistc'"),
     's.lua:1: steer: mediator: expected a mediator, got "optimistc"; did you mean "optimistic"?'),
    (scenario("beach_bar {}", "'uniform'", ", mediator = { 3 }"),
     "s.lua:1: steer: mediator: expected a mediator or a list of them, got a list of 1 number"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = {}"),
     "s.lua:1: steer: mediator: expected a mediator or a list of them, got an empty list"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = mirror_descent {}"),
     "s.lua:2: steer: mediator: expected a mediator, got mirror_descent{...}"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = optimistic { model_bonus = -1 }"),
     "s.lua:2: optimistic: model_bonus: expected a number of at least 0, got -1"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = optimistic { reward_bonus = -0.1 }"),
     "s.lua:2: optimistic: reward_bonus: expected a number of at least 0, got -0.1"),
    (scenario("beach_bar {}", "'uniform'", ", mediator = optimistic { model = 'half' }"),
     's.lua:2: optimistic: model: expected one of known, unknown, got "half"'),
    (scenario("beach_bar {}", "'uniform'", ", mediator = optimistic { reward_side = 'above' }"),
     's.lua:2: optimistic: reward_side: expected one of lower, upper, got "above"'),
    (f"return sweep {{ base = {scenario('beach_bar {}', 'uniform {}')[7:-1]}, seeds = 2 }}",
     "s.lua:1: sweep: base: expected a task that can be swept, as solve{...}, got steer{...}; vary "
     "it by `walras run` with -P"),
    (scenario("bounded { game = susceptible_infected {}, low = -10, high = 10 }", "'uniform'"),
     "s.lua:1: steer: game: susceptible_infected: expected a game whose transitions do not depend on "
     "the density, got one whose outcomes may"),
    (scenario("beach_bar {}", "'uniform'", ", agents = mirror_descent { rate = 2, entropy = 1 }"),
     "s.lua:2: mirror_descent: entropy: expected rate * entropy to be at most 1, got 2"),
    (scenario("beach_bar {}", "'uniform'", ", episodes = 0"),
     "s.lua:1: steer: episodes: expected a whole number in [1, 1000000000000], got 0"),
    (scenario("susceptible_infected {}", "'uniform'"),
     "s.lua:1: steer: game: susceptible_infected: expected a game whose transitions do not depend on "
     "the density, got one whose outcomes may"),
    (scenario("beach_bar {}", "'uniform'"),
     "s.lua:1: steer: game: beach_bar: expected rewards in [0, 1], got -0.863706 at stage 0, state 0, "
     "action 0; bounded{game=...} maps them there"),
]


class Mistakes(unittest.TestCase):
    def test_one_line_each(self):
        def one(case):
            place = folder("bad")
            write(os.path.join(place, "s.lua"), case[0])
            return walras("run", "s.lua", "-q", cwd=place), left(place)

        for (text, line), (result, files) in zip(CASES, at_once(one, CASES)):
            with self.subTest(text=text):
                self.assertEqual(result.status, BAD, result)
                self.assertEqual(own_lines(result.err), [line])
                self.assertEqual(files, ["s.lua"])

    def test_targets_that_are_no_policies(self):
        place = folder("target")
        write(os.path.join(place, "p.lua"),
              f"return solve {{ game = {SPREAD}, stop = {{ iterations = 3 }} }}\n")
        self.assertEqual(walras("run", "p.lua", "-q", cwd=place).status, 0)
        text = scenario(target="from { file = 'p.h5' }", more=", episodes = 3, seeds = 1")
        write(os.path.join(place, "s.lua"), text)
        self.assertEqual(walras("run", "s.lua", "-q", cwd=place).status, 0)
        with h5py.File(os.path.join(place, "p.h5")) as p, \
                h5py.File(os.path.join(place, "s.h5")) as s:
            np.testing.assert_allclose(s["steering/target/policy"][:], p["solution/policy"][:],
                                       rtol=0, atol=1e-15)
        with h5py.File(os.path.join(place, "p.h5"), "r+") as p:
            p["solution/policy"][1, 2] = [0.5, 0.6, -0.1]
        result = walras("run", "s.lua", "-q", "-f", cwd=place)
        self.assertEqual(result.status, BAD, result)
        self.assertIn("p.h5: solution/policy: expected probabilities, got others at stage 1, state 2",
                      result.err)


    def test_given_probabilities_are_played(self):
        place = folder("given")
        write(os.path.join(place, "s.lua"), scenario(
            target=ALIKE % "action == 1 and 1 - state / 10 - stage / 4 or state / 20 + stage / 8",
            more=", episodes = 3, seeds = 1"))
        self.assertEqual(walras("run", "s.lua", "-q", cwd=place).status, 0)
        h, s, a = np.indices((3, 6, 3))
        with h5py.File(os.path.join(place, "s.h5")) as file:
            np.testing.assert_allclose(
                file["steering/target/policy"][:],
                np.where(a == 1, 1 - s / 10 - h / 4, s / 20 + h / 8), rtol=0, atol=1e-15)


class Steering(unittest.TestCase):
    def setUp(self):
        self.place = folder("steer")

    def run_it(self, text, *args, output="s.h5", ranks=None, status=0):
        write(os.path.join(self.place, "s.lua"), text)
        result = walras("run", "s.lua", "-q", "-o", output, *args, cwd=self.place, ranks=ranks)
        self.assertEqual(result.status, status, result)
        return result

    def same(self, one, other):
        self.assertEqual(walras("diff", one, other, cwd=self.place).status, 0)

    def file(self, name="s.h5"):
        return h5py.File(os.path.join(self.place, name))

    def test_all_mediators(self):
        more = ", mediator = { %s }, episodes = 40, seeds = 1" % ", ".join(MEDIATORS)
        self.run_it(scenario(more=more))
        with self.file() as f:
            s = f["steering"]
            names = [n.decode() for n in s["mediator"]]
            self.assertEqual(names, ["none", "known_model", "optimistic", "equalizing",
                                     "optimistic 2", "greedy", "stabilizing", "stabilizing 2",
                                     "constant_bribe", "uncentred"])
            episodes = s["episode"][:]
            self.assertEqual((episodes[0], episodes[-1]), (1, 40))
            self.assertTrue((np.diff(episodes) > 0).all())
            for column in ("gap", "occupancy_gap", "cost", "excess", "running_excess"):
                self.assertEqual(s[column].shape, (len(names), 1, len(episodes)))
                self.assertTrue(np.isfinite(s[column][:]).all())
            cheapest = s["target"].attrs["cheapest_cost"]
            np.testing.assert_allclose(s["excess"][:], s["cost"][:] - cheapest * episodes, atol=1e-9)
            self.assertTrue((s["cost"][0] == 0).all())
            self.assertTrue((s["summary/least_payment"][:] >= -1e-12).all())
            # What knows the game, by whatever name, does the same.
            np.testing.assert_allclose(s["gap"][1], s["gap"][4], rtol=1e-9)

    def test_table(self):
        more = ", mediator = { 'none', known_model {}, optimistic {} }, episodes = 600, seeds = 2"
        said = self.run_it(scenario(more=more)).out
        with self.file() as f:
            s = f["steering"]
            slope, gap = s["summary/gap_exponent"][:], s["gap"][:]
            # Steered ones come nearer than those that are not.
            self.assertTrue((gap[1:, :, -1] < 0.5 * gap[0, :, -1]).all())
            self.assertTrue((slope[1:] <= 0.8).all())
            self.assertTrue(slope[0] > 0.9)
        for name, number in zip(("none", "known_model", "optimistic"), slope):
            row = re.search(rf"^  {name}  .*$", said, re.M).group()
            self.assertIn(f"  {number:.3f} (", row)

    def test_no_exponents_of_rounding(self):
        """Who knows the game overpays nothing, the cheapest stabilizer costs the exploitability of
        what is played, and agents that begin at an equalized target stay there: such sums are 0,
        or rounding, on which no line is fitted."""
        own = ("none {}, known_model {}, stabilizing {}, optimistic {}, "
               "optimistic { model = 'known', reward = 'known' }")
        more = ", mediator = { %s }, episodes = 600, seeds = 2" % own
        for target, still in (("softmax_target { seed = 3 }", []), ("uniform {}", [1, 2, 4])):
            out = self.run_it(scenario(target=target, more=more), "-f").out
            rows = [re.split("  +", line.strip()) for line in out.splitlines()[3:8]]
            with self.file() as f:
                s = f["steering/summary"]
                gap, excess = s["gap_exponent"][:], s["excess_exponent"][:]
                self.assertEqual(np.isnan(s["overpayment_exponent"][:]).tolist(),
                                 [True, True, True, False, True])
                self.assertTrue(np.isnan(excess[[0, 2]]).all())
                for column in ("excess_exponent_low", "excess_exponent_high"):
                    self.assertTrue(np.isnan(s[column][:][np.isnan(excess)]).all())
                self.assertEqual([m for m in (1, 2, 4) if np.isnan(gap[m])], still)
                for m, row in enumerate(rows):
                    self.assertEqual(row[0], f["steering/mediator"].asstr()[m], row)
                    self.assertEqual((row[1] == "-", row[5] == "-"),
                                     (np.isnan(gap[m]), np.isnan(excess[m])), row)

    def test_info_and_diff(self):
        """What the file is said to hold is what it holds; with another seed it holds other sums."""
        more = ", mediator = { %s }, episodes = 40, seeds = 1" % ", ".join(MEDIATORS)
        self.run_it(scenario(more=more))
        self.run_it(scenario(more=", mediator = { 'none', 'greedy' }, episodes = 600, seeds = 2"),
                    output="long.h5")
        lines = walras("info", "long.h5", cwd=self.place).out.splitlines()
        with self.file("long.h5") as f:
            s = f["steering/summary"]
            cheapest = f["steering/target"].attrs["cheapest_cost"]
            self.assertEqual(lines[1], "steer, custom to softmax_target: 600 episodes, 2 seeds, "
                                       f"cheapest stabilizer {cheapest:.6g} an episode")
            parts = [f" {name} {s['gap_per_episode'][m]:.4g} (sum as t^{s['gap_exponent'][m]:.2f})"
                     for m, name in enumerate(("none", "greedy"))]
            self.assertEqual(lines[2], "gap an episode:" + ",".join(parts))
        lines = walras("info", "s.h5", cwd=self.place).out.splitlines()
        self.assertIn(": 40 episodes, 1 seed, ", lines[1])
        self.assertNotIn("t^", lines[2])
        self.assertTrue(lines[2].endswith(", ..."), lines[2])
        self.run_it(scenario(more=more), output="again.h5")
        self.same("s.h5", "again.h5")
        self.run_it(scenario(more=more + ", seed = 9"), output="other.h5")
        result = walras("diff", "s.h5", "other.h5", cwd=self.place)
        self.assertEqual((result.status, result.err), (1, ""), result)
        self.assertRegex(result.out, r"(?m)^[1-9]\d* objects differ$")
        self.assertRegex(result.out, r"largest difference: /steering/\S+\[[\d,]+\]: ")

    def test_any_number_of_ranks(self):
        more = ", mediator = { optimistic {}, 'none' }, episodes = 20, seeds = 2"
        self.run_it(scenario(more=more))
        for ranks in (2, 3, 5):
            self.run_it(scenario(more=more), output=f"r{ranks}.h5", ranks=ranks)
            self.same("s.h5", f"r{ranks}.h5")

    def test_stopped_and_gone_on(self):
        more = ", mediator = { optimistic {}, greedy {}, known_model {} }, episodes = 20, seeds = 2"
        self.run_it(scenario(more=more), output="whole.h5")
        for ranks, then in ((None, 3), (4, None)):
            write(os.path.join(self.place, "STOP"), "")
            self.run_it(scenario(more=more), "--checkpoint-every", "7it", "-f", ranks=ranks,
                        status=STOPPED)
            self.assertTrue(os.path.exists(os.path.join(self.place, "s.checkpoint-7.h5")))
            result = walras("resume", "s.h5", "-q", cwd=self.place, ranks=then)
            self.assertEqual(result.status, 0, result)
            self.same("whole.h5", "s.h5")

    def test_too_few_episodes_and_states_out_of_reach(self):
        said = self.run_it(scenario(CORNER, "deterministic_target { seed = 3 }",
                                    ", episodes = 50, seeds = 1")).out
        self.assertIn("exponents           omitted", said)
        with self.file() as f:
            self.assertTrue(np.isnan(f["steering/summary/gap_exponent"][:]).all())
            unreached = f["steering/target"].attrs["unreached_states"]
            self.assertEqual(unreached, (f["steering/target/mean_field"][:] == 0).sum())
        self.assertGreater(unreached, 0)
        self.assertIn(f"not reached         {unreached} of 18 states and stages", said)

    def test_an_equilibrium_costs_next_to_nothing(self):
        target = "equilibrium_target { stop = { iterations = 200 } }"
        self.run_it(scenario(target=target, more=", mediator = known_model {}, episodes = 100, seeds = 1"))
        with self.file() as f:
            self.assertLess(f["steering/target"].attrs["cheapest_cost"], 0.01)
            self.assertLess(f["steering/summary/cost_per_episode"][0], 0.05)


if __name__ == "__main__":
    unittest.main()
