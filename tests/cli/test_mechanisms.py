# SPDX-License-Identifier: GPL-3.0-or-later
"""Mechanisms of auctions: what is wrong with one is said in one line with its place, before any work
or, of goods that a function gives, at the first round; warnings do not end a run; resolved
scenarios with a mechanism's functions and tables give the same run.
"""

import json
import os
import re
import unittest

from walras_cli import at_once, folder, left, own_lines, walras, write

BAD, NOT_CONVERGED = 65, 2


def scenario(mechanism, goods="1", rounds="3", extra=""):
    """A small auction; the mechanism begins in line 3."""
    return ("return solve { game = batched_auction { rounds = " + rounds + ", values = 4, bids = 5,\n"
            "  goods = " + goods + extra + ",\n"
            "  mechanism = " + mechanism + "\n"
            "}, stop = { iterations = 5 } }\n")


def scripted(payment="return bid", goods="return left / 2", more=""):
    return ("scripted {\n"
            f"  payment = function(bid, round) {payment} end,\n"
            f"  goods = function(round, left) {goods} end{more} }}")


PAYMENT = "s.lua:4: scripted: payment(bid=0, round=0): "
GOODS = "s.lua:5: scripted: goods(round=0, left=1): "

# name, scenario, the line on stderr
LOADING = [
    ("goods", scenario("first_price{}", goods="-0.1"),
     "s.lua:1: batched_auction: goods: expected a number in [0, 1000000], got -0.1"),
    ("name", scenario("second_price{}"),
     's.lua:3: unknown name "second_price"; write uniform_price { rule = "highest_losing" }'),
    ("word", scenario('"uniform_prize"'),
     's.lua:1: batched_auction: mechanism: unknown mechanism "uniform_prize"; did you mean '
     '"uniform_price"?'),
    ("parameter", scenario("all_pay { reserv = 0.1 }"),
     's.lua:3: all_pay: unknown parameter "reserv"; did you mean "reserve"?'),
    ("split sum", scenario("first_price { split = { 0.1, 0.2, 0.3 } }"),
     "s.lua:3: first_price: split: expected goods with the sum 1 (goods), got the sum 0.6"),
    ("split length", scenario("uniform_price { split = { 0.5, 0.5 } }"),
     "s.lua:3: uniform_price: split: expected 3 numbers, got 2"),
    ("split below 0", scenario("all_pay { split = { 0.5, 1, -0.5 } }"),
     "s.lua:3: all_pay: split: element 2 (counted from 0): expected a number of at least 0, got -0.5"),
    ("reserve", scenario("first_price { reserve = 1.1 }"),
     "s.lua:3: first_price: reserve: expected a number in [0, 1], got 1.1"),
    ("reserves", scenario("first_price { reserve = { 0.1, 0.2 } }"),
     "s.lua:3: first_price: reserve: expected 3 numbers, got 2"),
    ("reserve of a round", scenario("all_pay { reserve = { 0.1, 0.2, 30 } }"),
     "s.lua:3: all_pay: reserve: element 2 (counted from 0): expected a number in [0, 1], got 30"),
    ("reserve of nothing", scenario("first_price { reserve = function(round) end }"),
     "s.lua:3: first_price: reserve(0): expected 1 number, got nothing"),
    ("reserve in words", scenario("first_price { reserve = 'high' }"),
     "s.lua:3: first_price: reserve: expected a number, a list of numbers or a function, got "
     '"high"'),
    ("rule", scenario('uniform_price { rule = "lowest_wining" }'),
     's.lua:3: uniform_price: rule: expected one of lowest_winning, highest_losing, got '
     '"lowest_wining"; did you mean "lowest_winning"?'),
    ("price", scenario("posted_price { price = 1.5 }"),
     "s.lua:3: posted_price: price: expected a number in [0, 1], got 1.5"),
    ("price below 0", scenario("posted_price { price = -0.5 }"),
     "s.lua:3: posted_price: price: expected a number in [0, 1], got -0.5"),
    ("static above the bid",
     scenario("static { payment = function(round, bid) return bid + round / 10 end }"),
     "s.lua:3: static: payment: round 1, bid 0: expected at most the bid, got 0.1"),
    ("static table above the bid",
     scenario("static { payment = { { 0, 0.1, 0.5, 0.2, 0.3 } } }", rounds="1"),
     "s.lua:3: static: payment: round 0, bid 0.4: expected at most the bid, got 0.5"),
    ("static below 0",
     scenario("static { payment = function(round, bid) return bid - 0.1 end }"),
     "s.lua:3: static: payment: element [0][0] (counted from 0): expected a number of at least "
     "0, got -0.1"),
    ("static shape", scenario("static { payment = { { 0, 0.1 } } }"),
     "s.lua:3: static: payment: expected 3 x 5 numbers, got 1 x 2"),
    ("static goods", scenario("static { goods = { 0.5, 0.5, 0.5 } }"),
     "s.lua:3: static: goods: expected goods with a sum of at most 1 (goods), got the sum 1.5"),
    ("static goods below 0", scenario("static { goods = { 0.5, -0.5, 0.5 } }"),
     "s.lua:3: static: goods: element 1 (counted from 0): expected a number of at least 0, got -0.5"),
    ("neural size", scenario("neural { hidden = 0 }"),
     "s.lua:3: neural: hidden: expected a whole number in [1, 16384], got 0"),
    ("neural slope", scenario('neural { slope = "fre" }'),
     's.lua:3: neural: slope: expected one of capped, free, got "fre"; did you mean "free"?'),
    ("no payment", scenario("scripted {}"),
     "s.lua:3: scripted: payment: expected a function, got nothing (function(bid, round): payment "
     "of a winner, >= 0; rounds are counted from 0)"),
    ("payment table", scenario("scripted { payment = { 0, 1 } }"),
     "s.lua:3: scripted: payment: expected a function, got a list of 2 numbers"),
    ("payment nothing", scenario(scripted(payment="")), PAYMENT + "expected a number, got nothing"),
    ("payment text", scenario(scripted(payment="return 'all'")),
     PAYMENT + 'expected a number, got "all"'),
    ("payment two", scenario(scripted(payment="return 1, 2")),
     PAYMENT + "expected a number, got 2 values"),
    ("payment below 0", scenario(scripted(payment="return bid - 0.5")),
     PAYMENT + "expected a finite payment of at least 0, got -0.5"),
    ("payment nan", scenario(scripted(payment="return 0 / 0")),
     PAYMENT + "expected a finite payment of at least 0, got nan"),
    ("payment infinite", scenario(scripted(payment="return math.huge")),
     PAYMENT + "expected a finite payment of at least 0, got inf"),
    ("payment late", scenario(scripted(payment="return round < 2 and bid or 2 * bid - 1")),
     "s.lua:4: scripted: payment(bid=0, round=2): expected a finite payment of at least 0, got -1"),
    ("payment error", scenario(scripted(payment="return bidd + 1")),
     PAYMENT + 'unknown name "bidd"'),
    ("split beside goods", scenario(scripted(more=", split = { 1, 0, 0 }")),
     "s.lua:3: scripted: split: expected nothing beside the function `goods`, which says what is "
     "sold"),
]

RUNNING = [
    ("goods nothing", scenario(scripted(goods="")), GOODS + "expected a number, got nothing"),
    ("goods text", scenario(scripted(goods="return 'all'")), GOODS + 'expected a number, got "all"'),
    ("goods error", scenario(scripted(goods="return left + rest")),
     GOODS + 'unknown name "rest"'),
    ("goods nan", scenario(scripted(goods="return 0 / 0")),
     GOODS + "expected goods from 0 to the 1 left, got nan"),
    ("goods below 0", scenario(scripted(goods="return -0.25")),
     GOODS + "expected goods from 0 to the 1 left, got -0.25"),
    ("goods above", scenario(scripted(goods="return 0.75")),
     "s.lua:5: scripted: goods(round=1, left=0.25): expected goods from 0 to the 0.25 left, got "
     "0.75"),
]

FALLING = scripted(payment="if bid == 0.6 then return 0.1 * round end return bid")
WARNING = ("s.lua:4: scripted: payment(bid=0.6, round=0): bid 0.6 pays 0, less than bid 0.4, which "
           "pays 0.4 (and 2 more of this kind)")

SAME = [
    scripted(payment="return (0.3 + 0.1 * round) * bid", goods="return left / (3 - round)"),
    "static { payment = function(round, bid) return bid ^ (2 + round) end, goods = { 0.1, 0.3, 0.2 "
    "} }",
    "uniform_price { rule = 'highest_losing', split = function(h) return (h + 1) / 6 end }",
    "neural { hidden = 9, seed = 2 }",
    "posted_price { price = { 0.6, 0.4, 0.2 } }",
    "first_price { reserve = function(round) return 0.6 - 0.2 * round end }",
]


class Mechanisms(unittest.TestCase):
    def run_in_folder(self, command, case, ranks):
        place = folder(case[0])
        write(os.path.join(place, "s.lua"), case[1])
        return walras(command, "s.lua", cwd=place, ranks=ranks), left(place)

    def check(self, command, cases, ranks=None):
        runs = at_once(lambda case: self.run_in_folder(command, case, ranks), cases)
        for (name, _, line), (result, files) in zip(cases, runs):
            with self.subTest(name, ranks=ranks):
                self.assertEqual(result.status, BAD, result)
                self.assertEqual(own_lines(result.err), [line])
                self.assertEqual((result.out, files), ("", ["s.lua"]))

    def test_nonsense_is_refused_when_loaded(self):
        self.check("check", LOADING)

    def test_goods_that_are_not_there(self):
        self.check("run", RUNNING)
        self.check("run", RUNNING[-1:], ranks=3)

    def test_warnings_do_not_end_a_run(self):
        place = folder("falling")
        write(os.path.join(place, "s.lua"), scenario(FALLING))
        for ranks in (None, 3):
            for options in ([], ["--quiet"]):
                result = walras("run", "s.lua", "--force", *options, cwd=place, ranks=ranks)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(own_lines(result.err), ["walras: warning: " + WARNING])
            result = walras("run", "s.lua", "--force", "--log", "json", cwd=place, ranks=ranks)
            self.assertEqual(result.status, 0, result)
            events = [json.loads(line) for line in own_lines(result.err)]
            self.assertEqual([e["message"] for e in events if e["event"] == "warning"], [WARNING])
        result = walras("check", "s.lua", cwd=place)
        self.assertEqual(own_lines(result.err), ["walras: warning: " + WARNING])
        json.loads(result.out)
        result = walras("run", "s.lua", "--force", "-P", "stop.exploitability=1e-9", cwd=place)
        self.assertEqual(result.status, NOT_CONVERGED, result)
        self.assertEqual(own_lines(result.err), ["walras: warning: " + WARNING])

    def test_a_sweep_warns_once(self):
        place = folder("sweep")
        write(os.path.join(place, "s.lua"),
              "return sweep { vary = { ['learner.rate'] = { 1, 2, 3, 4 } }, base =\n\n" +
              scenario(FALLING).replace("return ", "", 1).replace("\n", " ", 2).replace(
                  "scripted { ", "scripted {\n") + "}\n")
        for ranks in (None, 2):
            result = walras("run", "s.lua", "--force", "-q", cwd=place, ranks=ranks)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(len(own_lines(result.err)), 1, result)
            self.assertIn("walras: warning: s.lua:4: scripted: payment", result.err)

    def test_resolved_scenarios_give_the_same_run(self):
        for mechanism in SAME:
            place = folder("same")
            write(os.path.join(place, "s.lua"),
                  scenario(mechanism, extra=", unsold = 'returned', reentry = 0.2"))
            checked = walras("check", "s.lua", cwd=place)
            self.assertEqual((checked.status, checked.err), (0, ""), checked)
            write(os.path.join(place, "r.json"), checked.out)
            self.assertEqual(walras("check", "r.json", cwd=place).out, checked.out)
            for file, output, ranks in (("s.lua", "s.h5", None), ("r.json", "r.h5", None),
                                        ("r.json", "r3.h5", 3)):
                run = walras("run", file, "-o", output, cwd=place, ranks=ranks)
                self.assertEqual(run.status, 0, run)
                if output != "s.h5":
                    compared = walras("diff", "s.h5", output, cwd=place)
                    self.assertEqual(compared.status, 0, compared)

    def test_describe(self):
        seen = set()
        for name in ("first_price", "uniform_price", "all_pay", "posted_price", "static", "neural",
                     "scripted"):
            result = walras("describe", name)
            self.assertEqual(result.status, 0, result)
            self.assertIn(f"{name} (mechanism): ", result.out)
            # A parameter is told on a line, and on those that follow and are indented by more.
            for parameter in re.findall(r"(?m)^  (?:split|goods) .*(?:\n {4,}.*)*", result.out):
                self.assertTrue(parameter.endswith("[goods per bidder]"), parameter)
                seen.add(name)
        self.assertIn("first_price", seen)
        self.assertIn("static", seen)


if __name__ == "__main__":
    unittest.main()
