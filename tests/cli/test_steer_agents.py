# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is steered, on the command line: one exact line for every mistake, the same file on every
number of ranks and after a stop.
"""

import os
import unittest

import h5py
import numpy as np

from walras_cli import at_once, folder, own_lines, walras, write

BAD, STOPPED = 65, 75

GAME = """custom { states = 5, actions = 3, horizon = 3, initial = { 1/5, 1/5, 1/5, 1/5, 1/5 },
  moves = function(h, s, a) return math.max(0, math.min(4, s + a - 1)) end,
  reward = function(h, s, a, mass) return 0.1 * s + 0.4 * (1 - mass[s]) end }"""


def scenario(agents, more=""):
    return (f"return steer {{ game = {GAME}, target = softmax_target {{}}{more},\n"
            f"  agents = {agents} }}\n")


HALVES = "{ { share = 0.5, agents = hedge {} }, { share = 0.5, agents = fixed_share {} } }"

CASES = [
    ("{ { share = 0.5 }, { share = 0.4, agents = fixed_share {} } }",
     "s.lua:1: steer: agents: expected shares that sum to 1, got 0.9"),
    ("{ { share = 0 }, { share = 1 } }",
     "s.lua:1: group: share: expected more than 0, got 0"),
    ("{}",
     "s.lua:1: steer: agents: expected a list of tables, as {{share=0.5, agents=hedge{}}, ...}, got "
     "an empty list"),
    ("{ { share = 1, agents = individuals { count = 3 } } }",
     "s.lua:4: group: agents: expected an agent (hedge, fixed_share, mirror_descent), got crowd "
     "individuals{...}"),
    ("{ { share = 1, agents = 'hegde' } }",
     's.lua:1: group: agents: unknown agent "hegde"; did you mean "hedge"?'),
    ("optimistic {}",
     "s.lua:4: steer: agents: expected an agent or a mixture or a crowd (hedge, fixed_share, "
     "mirror_descent, mixture, individuals) or a list, got mediator optimistic{...}"),
    ("individuals {}",
     "s.lua:4: individuals: count: expected a whole number, got nothing (agents, of each "
     "population)"),
    ("individuals { count = 0 }",
     "s.lua:4: individuals: count: expected a whole number in [1, 10000000], got 0"),
    ("individuals { count = 20, feedback = 'none' }",
     's.lua:4: individuals: feedback: expected one of values, trajectory, got "none"'),
    ("individuals { count = 20, spread = -1 }",
     "s.lua:4: individuals: spread: expected a number in [0, 100], got -1"),
    ("individuals { count = 20, agents = { { share = 0.99 }, { share = 0.01 } } }",
     "s.lua:4: individuals: count: expected an agent at least for every group, got 20 agents, of "
     "which a group has a share of 0.01"),
    ("individuals { count = 9 }",
     "s.lua:1: steer: trajectories: expected at most as many as there are agents, which are 9, got "
     "10"),
]


class Agents(unittest.TestCase):
    def setUp(self):
        self.place = folder("agents")

    def run_it(self, text, *args, output="s.h5", ranks=None, status=0):
        write(os.path.join(self.place, "s.lua"), text)
        result = walras("run", "s.lua", "-q", "-o", output, *args, cwd=self.place, ranks=ranks)
        self.assertEqual(result.status, status, result)
        return result

    def same(self, one, other):
        self.assertEqual(walras("diff", one, other, cwd=self.place).status, 0)

    def test_mistakes(self):
        def one(case):
            place = folder("bad")
            write(os.path.join(place, "s.lua"), scenario(case[0]))
            return walras("run", "s.lua", "-q", cwd=place)

        for (text, line), result in zip(CASES, at_once(one, CASES)):
            with self.subTest(text=text):
                self.assertEqual(own_lines(result.err), [line])
                self.assertEqual(result.status, BAD, result)

    def test_any_number_of_ranks_and_a_stop(self):
        more = ", mediator = { optimistic {}, 'none' }, episodes = 20, seeds = 2"
        for agents in (HALVES, f"individuals {{ count = 15, agents = {HALVES} }}",
                       "individuals { count = 15, feedback = 'trajectory' }"):
            text = scenario(agents, more)
            self.run_it(text, "-f", output="whole.h5")
            self.run_it(text, "-f", output="r3.h5", ranks=3)
            self.same("whole.h5", "r3.h5")
            write(os.path.join(self.place, "STOP"), "")
            self.run_it(text, "--checkpoint-every", "7it", "-f", status=STOPPED)
            result = walras("resume", "s.h5", "-q", cwd=self.place, ranks=2)
            self.assertEqual(result.status, 0, result)
            self.same("whole.h5", "s.h5")

    def test_a_group_of_all_is_no_group(self):
        more = ", mediator = known_model {}, episodes = 20, seeds = 1"
        self.run_it(scenario("hedge {}", more))
        self.run_it(scenario("{ { share = 1, agents = 'hedge' } }", more), output="one.h5")
        with h5py.File(os.path.join(self.place, "s.h5")) as s, \
                h5py.File(os.path.join(self.place, "one.h5")) as one:
            np.testing.assert_array_equal(s["steering/gap"][:], one["steering/gap"][:])

    def test_agents_that_do_not_fit_are_refused(self):
        result = self.run_it(scenario("individuals { count = 10000000 }"),
                             status=BAD)
        self.assertEqual(len(own_lines(result.err)), 1)


if __name__ == "__main__":
    unittest.main()
