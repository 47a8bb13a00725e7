# SPDX-License-Identifier: GPL-3.0-or-later
"""The batched auction: what is wrong with one is said in one line, with the right exit status and
nothing left behind; resolved scenarios with functions give the same run.
"""

import json
import os
import re
import unittest

from walras_cli import SANITIZED, at_once, folder, left, own_lines, walras, write

BAD, NONFINITE = 65, 3


def scenario(text, stop="iterations = 4"):
    return ("return solve {\n  game = batched_auction {\n    rounds = 3, values = 8, bids = 6,\n"
            f"    {text},\n  }},\n  learner = mirror_descent {{ rate = 5, entropy = 0.01 }},\n"
            f"  stop = {{ {stop} }},\n}}\n")


def identity(last):
    """A drift of 8 values with another last row."""
    rows = [[int(s == t) for t in range(8)] for s in range(7)]
    return "{ " + ", ".join("{" + ", ".join(map(str, row)) + "}" for row in [*rows, last]) + " }"


# (text, message): the message follows the name of the file and the line.
CASES = [
    ("goods = -0.1", r"batched_auction: goods: expected a number in \[0, 1000000\], got -0\.1"),
    ("goods = 0/0", r"batched_auction: goods: expected a finite number, got -?nan"),
    ("goods = 2e6", r"batched_auction: goods: expected a number in \[0, 1000000\], got 2000000"),
    ('goods = "many"', r'batched_auction: goods: expected a number, got "many"'),
    ("gods = 0.5", r'batched_auction: unknown parameter "gods"; did you mean "goods"\?'),
    ("reentry = 1.5", r"batched_auction: reentry: expected a number in \[0, 1\], got 1\.5"),
    ("reentry = -0.1", r"batched_auction: reentry: expected a number in \[0, 1\], got -0\.1"),
    ('reentry = 0.5, winners = "stay"',
     r'batched_auction: reentry: expected 0 with winners = "stay", who never leave, got 0\.5'),
    ('winners = "leaves"',
     r'batched_auction: winners: expected one of leave, stay, got "leaves"; did you mean '
     r'"leave"\?'),
    ('unsold = "back"', r'batched_auction: unsold: expected one of lost, returned, got "back"'),
    # priors
    ('prior = "unifrom"',
     r'batched_auction: prior: unknown prior "unifrom"; did you mean "uniform"\?'),
    ("prior = unifrom {}", r'unknown name "unifrom"; did you mean "uniform"\?'),
    ("prior = uniform", r".*prior: expected a value, got a constructor; write uniform\{\}"),
    ("prior = 3", r"batched_auction: prior: expected a prior or a value_law \(.*\), .*, got 3"),
    ("prior = neutral {}", r"batched_auction: prior: expected a prior or a value_law \(.*\), .*, got "
     r"utility neutral\{\.\.\.\}"),
    ("prior = { 0.5, 0.5 }", r".*: expected 8 numbers, got 2"),
    ("prior = {}", r".*: expected 8 numbers, got 0"),
    ("prior = { 1, 1, 1, 1, 1, 1, 1, 1 }",
     r".*: expected a distribution with sum 1, got the sum 8"),
    ("prior = { 0.5, -0.5, 1, 0, 0, 0, 0, 0 }",
     r".*: element 1 \(counted from 0\): expected a number of at least 0, got -0\.5"),
    ('prior = { 0.5, 0.5, 0, 0, 0, 0, 0, "x" }', r'.*: element 7 .*: expected a number, got "x"'),
    ("prior = { 0.5, 0.5, 0, 0, 0, 0, 0, 0/0 }", r".*: element 7 .*: expected a finite number, .*"),
    ("prior = function(v) return 0 end", r".*: expected weights with a positive sum, got 0"),
    ("prior = function(v) return 0.5 - v end",
     r".*: element 5 .*: expected a number of at least 0, got -0\.125"),
    ("prior = function(v) return 0/0 end",
     r".*: element 0 .*: expected a finite number, got -?nan"),
    ("prior = function(v) return v == 0.5 and math.huge or 1 end",
     r".*: element 4 .*: expected a finite number, got inf"),
    ("prior = function(v) end",
     r"batched_auction: prior\(0\): expected 1 number, got nothing"),
    ("prior = function(v) return v < 0.3 and 1 or 'x' end",
     r'batched_auction: prior\(0\.375\): expected 1 number, got "x"'),
    ("prior = function(v) return 1, 2 end",
     r"batched_auction: prior\(0\): expected 1 number, got 2 values"),
    ("prior = function(v) error('no idea') end", r"batched_auction: prior\(0\): no idea"),
    ("prior = function(v) return v.x end", r"(.*: )?attempt to index a number value \(local 'v'\)"),
    ("prior = geometric { ratio = 0 }",
     r"geometric: ratio: expected a number in \[0\.001, 1000\], got 0"),
    ("prior = geometric { ration = 1 }",
     r'geometric: unknown parameter "ration"; did you mean "ratio"\?'),
    ("prior = dirichlet { concentration = -1 }",
     r"dirichlet: concentration: expected a number in .*"),
    # drifts
    ('drift = "gausian"',
     r'batched_auction: drift: unknown drift "gausian"; did you mean "gaussian"\?'),
    ("drift = gaussian { width = 0 }", r"gaussian: width: expected a number in .*, got 0"),
    ("drift = { { 1 } }", r".*: expected 8 x 8 numbers, got 1 x 1"),
    ("drift = { 1, 0 }", r".*: row 0 \(counted from 0\): expected a list of numbers, got 1"),
    (f"drift = {identity([0.5] + 7 * [0])}",
     r".*: row 7 \(counted from 0\): expected a distribution with sum 1, got the sum 0\.5"),
    (f"drift = {identity([2, -1] + 6 * [0])}",
     r".*: element \[7\]\[1\] \(counted from 0\): expected a number of at least 0, got -1"),
    (f"drift = {identity([1, 0, 0])}", r".*: row 7 .*: expected 8 numbers, got 3"),
    ("drift = function(v, w) return v < 0.4 and 1 or 0 end",
     r".*: row 4 \(counted from 0\): expected weights with a positive sum, got 0"),
    ("drift = function(v, w) return w - v end",
     r".*: element \[1\]\[0\] .*: expected a number of at least 0, got -0\.125"),
    ("drift = function(v, w) end",
     r"batched_auction: drift\(0, 0\): expected 1 number, got nothing"),
    ("drift = function(v, w) error('stop') end", r"(.*: )?stop"),
    # utilities
    ('utility = "neutrl"',
     r'batched_auction: utility: unknown utility "neutrl"; did you mean "neutral"\?'),
    ("utility = risk_averse { beta = 0 }", r"risk_averse: beta: expected a number in .*, got 0"),
    ("utility = hyperbolic { lambda = -1 }",
     r"hyperbolic: lambda: expected a number in .*, got -1"),
    ("utility = 7", r"batched_auction: utility: expected a utility \(neutral, .*\) or a function, got 7"),
    ("utility = { 1, 2 }", r".*: expected a function, got a list of 2 numbers"),
    # mechanisms
    ('mechanism = "first_prise"',
     r'batched_auction: mechanism: unknown mechanism "first_prise"; did you mean "first_price"\?'),
    ("mechanism = beach_bar {}",
     r"batched_auction: mechanism: expected a mechanism \(.*first_price.*\).*, got game "
     r"beach_bar\{\.\.\.\}"),
    ("mechanism = { uniform_price = {} }",
     r"batched_auction: mechanism: expected a mechanism \(.*\), got a table with names"),
    ("mechanism = first_price { reserve = 1.5 }", r"first_price: reserve: expected a number in .*"),
    ("mechanism = first_price { reserv = 0.5 }",
     r'first_price: unknown parameter "reserv"; did you mean "reserve"\?'),
    ("mechanism = first_price { split = { 0.4, 0.4 } }",
     r"first_price: split: expected 3 numbers, got 2"),
    ("mechanism = first_price { split = { 0.5, 0.25, 0.25 } }",
     r"first_price: split: expected goods with the sum 0\.8 \(goods\), got the sum 1"),
    ("mechanism = first_price { split = { 1, -0.2, 0 } }",
     r"first_price: split: element 1 .*: expected a number of at least 0, got -0\.2"),
]


def utility(body, message, status=BAD, at="value=0, payment=0, round=0"):
    return (f"utility = function(v, p, h) {body} end",
            rf"batched_auction: utility\({at}\): {message}", status)


# While the game runs: the function is asked about prices when they come up.
RUNNING = [
    utility("", "expected a number, got nothing"),
    utility("return 'x'", 'expected a number, got "x"'),
    utility("return 1, 2", "expected a number, got 2 values"),
    utility("return { 1 }", "expected a number, got a table"),
    utility("error('never')", "never"),
    utility("return v - q", 'unknown name "q".*'),
    utility("return v.x", r"attempt to index a number value \(local 'v'\)"),
    utility("if h == 1 then return nil end return v - p", "expected a number, got nil",
            at="value=0, payment=0, round=1"),
    utility("return 0/0", "expected a finite number, got -?nan", NONFINITE),
    utility("return h == 2 and v > 0.5 and p > 0 and math.huge or v - p",
            "expected a finite number, got inf", NONFINITE,
            r"value=0\.625, payment=0\.1666\d*, round=2"),
    utility("return math.log(v - p)", "expected a finite number, got -inf", NONFINITE),
]

GOOD = [
    ("functions", "prior = function(v) return 1 + v end, reentry = 0.2,\n"
     "    drift = function(v, w) return math.exp(-20 * (v - w) ^ 2) end,\n"
     "    utility = function(v, p, h) return (v - p) / (1 + h) - p * p end"),
    ("one function", "utility = function(v, p, h) return math.sqrt(v) - p end, goods = 1"),
    ("tables", f"prior = {{ 0.5, 0, 0, 0, 0.25, 0, 0, 0.25 }}, drift = {identity(8 * [0.125])}"),
    ("components", "prior = dirichlet {}, drift = gaussian { slope = 1.2 }, winners = 'stay',\n"
     "    utility = risk_seeking {}, mechanism = first_price { split = { 0, 0.3, 0.5 } }"),
    ("the least even priors", "prior = dirichlet { concentration = 0.01 }"),
    ("the most even priors", "prior = dirichlet { concentration = 1e6 }"),
    ("split by a function",
     "mechanism = first_price { split = function(h) return 0.1 * (h + 1) end, reserve = 0.3 },"
     " goods = 0.6, unsold = 'returned'"),
]


class Auction(unittest.TestCase):
    def run_in_folder(self, text, ranks=None, command=("run", "-q")):
        place = folder("auction")
        write(os.path.join(place, "s.lua"), scenario(text))
        result = walras(*command, "s.lua", cwd=place, ranks=ranks)
        return result, left(place)

    def check(self, cases, ranks=None, workers=4, command=("run", "-q")):
        runs = at_once(lambda case: self.run_in_folder(case[0], ranks, command), cases, workers)
        for (text, message, status), (result, files) in zip(cases, runs):
            with self.subTest(case=text, ranks=ranks, command=command):
                self.assertEqual(result.status, status, result)
                lines = own_lines(result.err)
                self.assertEqual(len(lines), 1, result)
                self.assertRegex(lines[0], rf"^s\.lua:[24]: {message}$")
                self.assertEqual((result.out, files), ("", ["s.lua"]))

    def test_nonsense_is_refused(self):
        cases = [(text, message, BAD) for text, message in CASES]
        self.check(cases)
        self.check(cases[::14 if SANITIZED else 7], ranks=3, workers=2)
        self.check(cases[3::10], command=("check",))

    def test_failures_while_running(self):
        self.check(RUNNING)
        self.check(RUNNING[::5], ranks=3, workers=2)

    def test_resolved_scenarios_give_the_same_run(self):
        for name, text in GOOD:
            with self.subTest(case=name):
                place = folder(name)
                write(os.path.join(place, "s.lua"), scenario(text))
                checked = walras("check", "s.lua", cwd=place)
                self.assertEqual((checked.status, checked.err), (0, ""), checked)
                write(os.path.join(place, "r.json"), checked.out)
                again = walras("check", "r.json", cwd=place)
                self.assertEqual((again.status, again.out), (0, checked.out), again)
                json.loads(checked.out)
                for file, output, ranks in (("s.lua", "s.h5", None), ("r.json", "r.h5", None),
                                            ("r.json", "r3.h5", 3)):
                    done = walras("run", file, "-q", "-o", output, cwd=place, ranks=ranks)
                    self.assertEqual(done.status, 0, done)
                for output in ("r.h5", "r3.h5"):
                    compared = walras("diff", "s.h5", output, cwd=place)
                    self.assertEqual(compared.status, 0, compared)
                self.assertEqual(left(place),
                                 ["r.h5", "r.json", "r3.h5", "s.h5", "s.lua"])

    def test_units_are_doubted(self):
        """What is allowed but rarely meant: a warning with its place, and the run goes on."""
        plenty = "batched_auction: goods: {} a bidder are more than the {} that one can win; 0.8 is " \
                 "80 for every 100 bidders"
        cut = "{} % of this law is not between 0 and 1, and is cut off; values are shares of a " \
              "greatest value"
        for text, expected in (
                ("goods = 80", plenty.format(80, 1)),
                ("goods = 1.5, reentry = 0.1", None),
                ("goods = 5, reentry = 0.1", plenty.format(5, 3)),
                ("goods = 1, winners = 'stay'", None),
                ("prior = uniform { low = 0, high = 100 }", "uniform: " + cut.format(99)),
                ("prior = exponential { mean = 20 }", "exponential: " + cut.format(95.1)),
                ("prior = exponential { mean = 0.5 }", None),
                ("drift = function(v) return 0.9 * v + 0.1 end",
                 "batched_auction: drift: all next values are equally likely; the function is of "
                 "(value, next), and gives the weight of that step")):
            with self.subTest(text):
                result, files = self.run_in_folder(text)
                lines = own_lines(result.err)
                self.assertEqual((result.status, len(files)), (0, 2), result)
                self.assertEqual([re.sub(r"s\.lua:\d: ", "", line) for line in lines],
                                 [] if expected is None else ["walras: warning: " + expected])

    def test_a_tolerance_with_entropy(self):
        """Exploitability stays at the entropy's size; what goes to 0 is that with entropy."""
        place = folder("tolerance")
        write(os.path.join(place, "s.lua"),
              "return solve { game = batched_auction { values = 50, bids = 50 },\n"
              "  learner = mirror_descent { rate = 100, entropy = 1e-3 },\n"
              "  stop = { iterations = 400, regularized = 1e-7 } }\n")

        def run(*parameters, status=0):
            words = [word for parameter in parameters for word in ("-P", parameter)]
            result = walras("run", "s.lua", "-f", "-q", *words, cwd=place)
            self.assertEqual(result.status, status, result)
            return result.out
        said = run()
        self.assertIn("mirror_descent: converged\n", said)
        last = dict(re.findall(r"(with entropy|  ) last +(\S+)", said))
        self.assertLess(float(last["with entropy"]), 1e-7)
        self.assertGreater(float(last["  "]), 1e-5)
        self.assertNotIn("note:", said)
        both = run("stop.exploitability=1e-7", status=2)
        self.assertIn("NOT converged", both)
        self.assertNotIn("note:", both)
        plain = run("stop.exploitability=1e-7", "stop.regularized=0", status=2)
        self.assertIn("  note: all but settled with the learner's entropy", plain)
        self.assertIn("converged\n", run("stop.exploitability=0.01"))
        self.assertIn("  note: exploitability is still ", run(
            "stop.regularized=0", "stop.iterations=5"))
        self.assertIn("  note: settled, but far from an equilibrium without entropy", run(
            "learner.entropy=0.05", "learner.rate=5"))
        for learner, name in (("mirror_descent", "mirror_descent"), ("boltzmann", "boltzmann")):
            result = walras("run", "s.lua", "-f", "-P", f"learner={learner}", cwd=place)
            self.assertEqual((result.status, own_lines(result.err)), (BAD, [
                "s.lua:1: solve: stop.regularized: expected a learner with entropy, as "
                f"mirror_descent{{entropy=1e-3}}, got {name} without"]))

    def test_overrides(self):
        place = folder("overrides")
        write(os.path.join(place, "s.lua"), scenario("goods = 0.5"))
        changed = walras("check", "s.lua", "-P", "game.goods=0.7", "-P",
                         "game.mechanism.reserve=0.25", "-P", "game.prior=geometric", cwd=place)
        self.assertEqual((changed.status, changed.err), (0, ""), changed)
        game = json.loads(changed.out)["solve"]["game"]["batched_auction"]
        self.assertEqual(game["goods"], 0.7)
        self.assertEqual(game["mechanism"]["first_price"]["reserve"], 0.25)
        self.assertEqual(list(game["prior"]), ["geometric"])
        refused = walras("run", "s.lua", "-P", "game.goods=-1", cwd=place)
        self.assertEqual(refused.status, BAD, refused)
        self.assertEqual(len(own_lines(refused.err)), 1, refused)
        self.assertRegex(refused.err, r"batched_auction: goods: expected a number in .*, got -1")
        self.assertEqual(left(place), ["s.lua"])


if __name__ == "__main__":
    unittest.main()
