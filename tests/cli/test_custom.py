# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripted games: what is wrong with one is said in one line before any work, with the place of the
function and where it was called; resolved scenarios keep the functions and give the same run.
"""

import json
import os
import re
import unittest

from walras_cli import SANITIZED, SOURCE, at_once, folder, left, own_lines, walras, write

BAD, NONFINITE = 65, 3

FIELDS = {
    "states": "4",
    "actions": "2",
    "horizon": "3",
    "moves": "function(h, s, a) return { { s, 0.5 }, { (s + 1) % 4, 0.5 } } end",
    "reward": "function(h, s, a, mass) return -mass[s] - a end",
}


def scenario(**changes):
    """A scripted game, a field a line (from the second line on, in the order of FIELDS, then of the
    changes); None leaves one out."""
    fields = {**FIELDS, **changes}
    lines = "".join(f"  {name} = {value},\n" for name, value in fields.items() if value is not None)
    return "return solve { game = custom {\n" + lines + "}, stop = { iterations = 5 } }\n"


MOVES, REWARD, MORE = 5, 6, 7  # lines


def function(body, arguments="h, s, a, mass"):
    return f"function({arguments}) {body} end"


def moves(name, body, message, at="h=0, s=0, a=0, k=0"):
    return (f"moves: {name}", scenario(moves=function(body, "h, s, a, k")),
            rf"s\.lua:{MOVES}: custom: moves\({at}\): {message}")


def reward(name, body, message, at="h=0, s=0, a=0", **more):
    return (f"reward: {name}", scenario(reward=function(body), **more),
            rf"s\.lua:{REWARD}: custom: reward\({at}\): {message}")


def outcomes(name, body, message, at="h=0, s=0, a=0", **more):
    return (f"outcomes: {name}", scenario(outcomes=function(body), **more),
            rf"s\.lua:{MORE}: custom: outcomes\({at}\): {message}")


def statistic(name, body, message, at="h=0, s=0, a=0"):
    return (f"statistic: {name}", scenario(statistic=function(body, "h, s, a")),
            rf"s\.lua:{MORE}: custom: statistic\({at}\): {message}")


def other(name, message, **changes):
    return (name, scenario(**changes), message)


ROWS = r"expected a list of \{target, probability\}, got "

CASES = [
    moves("nothing", "", ROWS + "nothing"),
    moves("nothing at one place", "if s ~= 2 or a ~= 1 then return s end", ROWS + "nothing",
          "h=0, s=2, a=1, k=0"),
    moves("two values", "return s, 1", ROWS + "2 values"),
    moves("text", "return 'home'", ROWS + '"home"'),
    moves("flag", "return true", ROWS + "true"),
    moves("empty", "return {}", ROWS + "an empty list"),
    moves("one row not in a list", "return { s, 1 }", ROWS + "0 as element 1"),
    moves("row of one", "return { { s, 0.5 }, { s } }", ROWS + "a list of 1 as element 2"),
    moves("row of text", "return { { s, 'half' } }", ROWS + '"half" inside as element 1'),
    moves("row with nil", "return { { s, nil } }", ROWS + "a list of 1 as element 1"),
    moves("too far", "return s + 1", "expected whole targets from 0 to 3, got 4", "h=0, s=3, a=0, k=0"),
    moves("negative target", "return { { s - 1, 1 } }", "expected whole targets from 0 to 3, got -1"),
    moves("between states", "return s / 2", "expected whole targets from 0 to 3, got 0.5",
          "h=0, s=1, a=0, k=0"),
    moves("not said to vary", "return h > 0 and 0 or (s + a) % 4",
          r"expected the same as at h=0, got something else; .* varies = true",
          at=r"h=\d+, s=\d, a=\d, k=0"),
    moves("nan target", "return 0/0", "expected whole targets from 0 to 3, got nan"),
    moves("negative probability", "return { { 0, 1.5 }, { 1, -0.5 } }",
          r"expected probabilities from 0 to 1, got 1\.5"),
    moves("nan probability", "return { { 0, 0/0 } }", "expected probabilities from 0 to 1, got nan"),
    moves("sum", "return { { 0, 0.5 }, { 1, 0.5 + 2e-9 } }",
          r"expected probabilities with sum 1, got the sum 1\.000000002\d*"),
    moves("sum of none", "return { { 0, 0 } }", "expected probabilities with sum 1, got the sum 0"),
    moves("raised", "error('no way')", "no way"),
    moves("arithmetic on nil", "return s + bar",
          'unknown name "bar".*'),
    reward("nothing", "", "expected a finite number, got nothing"),
    reward("nil at one place", "if s == 2 then return nil end return 1",
           "expected a finite number, got nil", "h=0, s=2, a=0"),
    reward("nan", "return h == 2 and s == 1 and a == 1 and 0/0 or 0",
           "expected a finite number, got nan", "h=2, s=1, a=1"),
    reward("infinite", "return math.huge", "expected a finite number, got inf"),
    reward("logarithm of nothing", "return math.log(mass[s])",
           "expected a finite number, got -inf", "h=0, s=1, a=0", initial="{ 1, 0, 0, 0 }"),
    reward("table", "return { 1 }", "expected a finite number, got a table"),
    reward("two numbers", "return 1, 2", "expected a finite number, got 2 values"),
    reward("text", "return '1'", 'expected a finite number, got "1"'),
    reward("index", "return mass[s + 1]", "expected an index from 0 to 3, got 4", "h=0, s=3, a=0"),
    reward("index of the statistic", "return mass[2]", "expected an index from 0 to 1, got 2",
           statistic="function(h, s, a) return s, a end"),
    reward("write", "mass[s] = 1 return 0", "an array that a function is given cannot be changed"),
    outcomes("nothing", "", "expected 1 to 256 probabilities, got nothing"),
    outcomes("nan", "return 0/0, 1", "expected finite numbers, got nan"),
    outcomes("negative", "return 1.5, -0.5", "expected no negative probability, got -0.5"),
    outcomes("sum", "return 0.5, 0.4", "expected probabilities with sum 1, got the sum 0.9"),
    outcomes("one alone", "return 0.5", "expected probabilities with sum 1, got the sum 0.5"),
    outcomes("another number of them", "if s == 0 then return 0.5, 0.5 end return 1",
             "expected 2 numbers as at h=0, s=0, a=0, got 1 value", "h=0, s=1, a=0"),
    outcomes("too many", "local p = {} for i = 1, 257 do p[i] = 1 / 257 end return p",
             "expected 1 to 256 probabilities, got a list of 257"),
    statistic("nothing", "", "expected 1 to 4096 numbers, got nothing"),
    statistic("infinite", "return 1, 1 / (s - 2)", "expected finite numbers, got inf",
              "h=0, s=2, a=0"),
    statistic("another number of them", "if h == 1 then return 1 end return 1, 2",
              "expected 2 numbers as at h=0, s=0, a=0, got 1 value", "h=1, s=0, a=0"),
    statistic("too many", "local w = {} for i = 1, 4097 do w[i] = 0 end return w",
              "expected 1 to 4096 numbers, got a list of 4097"),
    statistic("none", "return {}", "expected 1 to 4096 numbers, got an empty list"),
    other("no states", r"s\.lua:1: custom: states: expected a whole number, got nothing \(.*\)",
          states=None),
    other("no moves", r"s\.lua:1: custom: moves: expected a function, got nothing \(.*\)",
          moves=None),
    other("table of rewards", r"s\.lua:1: custom: reward: expected a function, got a list of 2 "
          "numbers", reward="{ 1, 2 }"),
    other("unknown field", r's\.lua:1: custom: unknown parameter "outcome"; did you mean '
          r'"outcomes"\?', outcome="1"),
    other("initial mass", r"s\.lua:1: custom: initial: expected a distribution with sum 1, got the "
          r"sum 1\.5", initial="function(s) return s / 4 end"),
    other("too large", r"s\.lua:1: custom: reward: expected at most 100000000 calls for one table, "
          r"got 1000 stages x 1000000 states x 2; .*", states="1000000", horizon="1000"),
    other("far too large", r"s\.lua:1: custom: reward: expected at most 100000000 calls .*",
          states="2147483647", horizon="1000000", actions="100000",
          initial=None),
    other("too many moves", r"s\.lua:1: custom: moves: expected at most 100000000 calls for one "
          r"table, got 1 stages x 500000 states x 512; .*", states="500000",
          outcomes="function() local p = {} for i = 1, 256 do p[i] = 1 / 256 end return p end"),
]

# While the game runs: the functions are tried with the uniform mass, which it has at stage 0 only.
RUNNING = [
    ("nan", scenario(moves=function("return a"),
                     reward=function("return mass[1] == 0.25 and -mass[s] or 0/0")), NONFINITE,
     rf"s\.lua:{REWARD}: custom: reward\(h=\d, s=\d, a=\d\): expected a finite number, got -?nan"),
    ("nil", scenario(moves=function("return a"),
                     reward=function("if mass[1] == 0.25 then return -mass[s] end")), BAD, rf"s\.lua:{REWARD}: custom: reward\(h=\d, s=\d, a=\d\): expected a finite number, got "
     "nothing"),
    ("sum of outcomes", scenario(
        reward=function("return -mass[s] * s - a * s"),
        moves=function("return (s + a + k) % 4", "h, s, a, k"),
        outcomes=function("return 0.5, mass[1] == 0.25 and 0.5 or 0.25")),
     BAD, rf"s\.lua:{MORE}: custom: outcomes\(h=\d, s=\d, a=\d\): expected probabilities with sum "
     r"1, got the sum 0\.75"),
]

GOOD = [
    ("defaults", scenario()),
    ("later stages see other masses", scenario(
        initial="{ 1, 0, 0, 0 }", moves="function(h, s, a) return 1 + a end",
        reward=function("return h > 0 and (s == 1 or s == 2) and -1 / mass[s] or 0"), horizon="2")),
    ("all at once", scenario(
        varies="true", statistic="function(h, s, a) return { s, a } end",
        moves="function(h, s, a, k) return (s + a + h + k) % 4 end",
        outcomes=function("return 1 - mass[1] / 2, mass[1] / 2"),
        reward=function("return -mass[0] - a"), initial="function(s) return (s + 1) / 10 end")),
    ("one stage", scenario(horizon="1")),
    ("one of each", scenario(states="1", actions="1", horizon="1",
                             moves="function() return 0 end")),
]


class Custom(unittest.TestCase):
    def run_in_folder(self, name, text, ranks=None):
        place = folder(name)
        write(os.path.join(place, "s.lua"), text)
        result = walras("run", "s.lua", "-q", cwd=place, ranks=ranks)
        return result, left(place)

    def check(self, cases, ranks, workers):
        runs = at_once(lambda case: self.run_in_folder(case[0], case[1], ranks), cases, workers)
        for (name, _, status, message), (result, files) in zip(cases, runs):
            with self.subTest(case=name, ranks=ranks):
                self.assertEqual(result.status, status, result)
                lines = own_lines(result.err)
                self.assertEqual(len(lines), 1, result)
                self.assertRegex(lines[0], f"^(?:{message})$")
                self.assertEqual((result.out, files), ("", ["s.lua"]))

    def test_nonsense_is_refused(self):
        cases = [(name, text, BAD, message) for name, text, message in CASES]
        self.check(cases, None, 4)
        self.check(cases[::12 if SANITIZED else 6], 3, 2)

    def test_failures_while_running(self):
        self.check(RUNNING, None, 4)
        self.check(RUNNING, 3, 2)

    def test_resolved_scenarios_give_the_same_run(self):
        for name, text in GOOD:
            with self.subTest(case=name):
                place = folder(name)
                write(os.path.join(place, "s.lua"), text)
                checked = walras("check", "s.lua", cwd=place)
                self.assertEqual((checked.status, checked.err), (0, ""), checked)
                write(os.path.join(place, "r.json"), checked.out)
                again = walras("check", "r.json", cwd=place)
                self.assertEqual(again.out, checked.out)
                resolved = json.loads(checked.out)
                self.assertEqual(list(resolved), ["solve", "script"])
                self.assertEqual(resolved["script"], text)
                for file, output, ranks in (("s.lua", "s.h5", None), ("r.json", "r.h5", None),
                                            ("s.lua", "s3.h5", 3)):
                    done = walras("run", file, "-q", "-o", output, cwd=place, ranks=ranks)
                    self.assertEqual(done.status, 0, done)
                for output in ("r.h5", "s3.h5"):
                    compared = walras("diff", "s.h5", output, cwd=place)
                    self.assertEqual(compared.status, 0, compared)

    def test_overrides(self):
        place = folder("overrides")
        write(os.path.join(place, "s.lua"), scenario())
        write(os.path.join(place, "r.json"), walras("check", "s.lua", cwd=place).out)
        for file in ("s.lua", "r.json"):
            changed = walras("check", file, "-P", "game.horizon=5", "-P", "learner.rate=0.5",
                             cwd=place)
            self.assertEqual(changed.status, 0, changed)
            self.assertEqual(json.loads(changed.out)["solve"]["game"]["custom"]["horizon"], 5)
            self.assertEqual(json.loads(changed.out)["script"], scenario())
            refused = walras("run", file, "-P", "game.reward=function() return 1 end", cwd=place)
            self.assertEqual(refused.status, BAD, refused)
            self.assertEqual(own_lines(refused.err), [
                "walras: -P game.reward: a function that is called while the game runs is set in "
                "the scenario only"])

    def test_documented_output(self):
        with open(os.path.join(SOURCE, "docs", "scenarios.md"), encoding="utf-8") as file:
            shown = re.search(r"```console\n\$ walras run scenarios/custom_game.lua\n(.*?)```",
                              file.read(), re.S).group(1)
        done = walras("run", os.path.join(SOURCE, "scenarios", "custom_game.lua"), "-q",
                      cwd=folder("documented"))
        seconds = re.compile(r"^( +seconds +).*$", re.M)
        self.assertEqual(seconds.sub(r"\1", done.out), seconds.sub(r"\1", shown))

    def test_describe(self):
        described = walras("describe", "custom")
        self.assertRegex(described.out, r"(?m)^  reward +function +required +function\(h, s, a, mass")
        self.assertRegex(described.out, r"(?m)^  outcomes +function +- ")


if __name__ == "__main__":
    unittest.main()
