# SPDX-License-Identifier: GPL-3.0-or-later
"""Randomized designs on the command line: what is wrong is said by name, gradients are checked, and
a run is the same on any number of ranks, stopped and resumed, and as a run of a sweep."""

import os
import re
import unittest

import h5py
import numpy

from walras_cli import at_once, folder, left, own_lines, walras, write

BAD, STOPPED = 65, 75
GAME = ("batched_auction { rounds = 5, values = 10, bids = 10, reentry = 0.3, "
        "prior = dirichlet {}, mechanism = neural { hidden = 8 } }")
FIELDS = ("game = %s, objective = revenue {}, "
          "learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 30 }, "
          "optimizer = adam { rate = 0.01 }, steps = 4, "
          "evaluate = { iterations = 30, every = 2 %%s }, %%s" % GAME)
DESIGN = "return design { %s }" % FIELDS
A3 = DESIGN % (", draws = 3", "draw = { goods = {0.6, 1.2} }, batch = 4")

# What is written in the design, in its evaluate{}, and the error's line behind the file's name.
MISTAKES = [
    ("draw = { good = {0.6, 1.2} }", "",
     r'1: design: draw: "good": batched_auction has no parameter of this name; did you mean "goods"\?'),
    ('draw = { ["mechanism.hiden"] = {1, 2} }', "",
     r'1: design: draw: "mechanism.hiden": neural has no parameter of this name; did you mean '
     r'"hidden"\?'),
    ("draw = { xylophone = {1, 2} }", "",
     r'1: design: draw: "xylophone": batched_auction has no parameter of this name'),
    ('draw = { ["goods.most"] = {1, 2} }', "",
     r'1: design: draw: "goods.most": goods of batched_auction has no parts'),
    ("draw = { goods = {1.2, 0.6} }", "",
     r'1: design: draw: "goods": expected a range from its lower end to its upper, got \{1.2, 0.6\}'),
    ("draw = { goods = {0/0, 1} }", "",
     r'1: design: draw: "goods": expected a range from its lower end to its upper, got \{-?nan, 1\}'),
    ("draw = { goods = {0, 1/0} }", "",
     r"1: batched_auction: goods: in draw: expected a finite number, got inf"),
    ("draw = { goods = 0.8 }", "",
     r'1: design: draw: "goods": expected a range as \{0.6, 1.2\}, got 0.8'),
    ("draw = { goods = {0.6, 0.8, 1} }", "",
     r'1: design: draw: "goods": expected a range as \{0.6, 1.2\}, got a list of 3 numbers'),
    ("draw = { mechanism = {1, 2} }", "",
     r'1: design: draw: "mechanism": expected the path of a number, but mechanism of batched_auction '
     r"is none"),
    ("draw = { winners = {1, 2} }", "",
     r'1: design: draw: "winners": expected the path of a number, but winners of batched_auction is '
     r"none"),
    ("draw = { goods = {-1, 1.2} }", "",
     r"1: batched_auction: goods: in draw: expected a number in \[0, 1000000\], got -1"),
    ("draw = { reentry = {0.5, 1.5} }", "",
     r"1: batched_auction: reentry: in draw: expected a number in \[0, 1\], got 1.5"),
    ('draw = { ["mechanism.seed"] = {1, 2.5} }', "",
     r"1: neural: seed: in draw: expected a whole number, got 2.5"),
    ("draw = { rounds = {2, 5} }", "",
     r'1: design: draw: "rounds": expected a number that stages, states, actions and parameters do '
     r"not depend on"),
    ('draw = { ["mechanism.hidden"] = {8, 9} }', "",
     r'1: design: draw: "mechanism.hidden": expected a number that stages, states, actions and '
     r"parameters do not depend on"),
    ("draw = {0.6, 1.2}", "",
     r"1: design: draw: expected a table of ranges, as \{ goods = \{0.6, 1.2\} \}, got a list of 2 "
     r"numbers"),
    ("draw = {}, batch = 0", "",
     r"1: design: batch: expected a whole number in \[1, 1000000\], got 0"),
    ("batch = 2", "",
     r"1: design: batch: expected 1 without draw, all games being the same, got 2; draw = \{\} draws "
     r"what the game has from the seed"),
    ("", ", draws = 3", r"1: design: evaluate.draws: expected none without draw, got 3"),
    ("draw = {}", ", draws = 0",
     r"1: design: evaluate.draws: expected a whole number in \[1, 1000000\], got 0"),
]


def datasets(path):
    """{name: numbers or texts} of a run file, but for /run and the scenario."""
    found = {}

    def add(name, node):
        if isinstance(node, h5py.Dataset) and not name.startswith(("run", "scenario")):
            found[name] = node[()]

    with h5py.File(path) as file:
        file.visititems(add)
    return found


def same(a, b):
    return a.keys() == b.keys() and all(
        numpy.asarray(a[k]).tobytes() == numpy.asarray(b[k]).tobytes()
        for k in a if numpy.asarray(a[k]).dtype.kind != "O")


class Draws(unittest.TestCase):
    def test_mistakes(self):
        def run(case):
            place = folder("bad")
            write(os.path.join(place, "d.lua"), DESIGN % (case[1], case[0]))
            return place, [walras("run", "d.lua", cwd=place, ranks=ranks) for ranks in (None, 2)]

        for (fields, more, line), (place, results) in zip(MISTAKES, at_once(run, MISTAKES)):
            for result in results:
                with self.subTest(fields + more):
                    self.assertEqual(result.status, BAD, result)
                    self.assertEqual(len(own_lines(result.err)), 1, result)
                    self.assertRegex(own_lines(result.err)[0], r"\A\S*d\.lua:" + line + r"\Z")
                    self.assertEqual(left(place), ["d.lua"])

    def test_gradients(self):
        place = folder("gradients")
        write(os.path.join(place, "d.lua"), A3)
        for ranks in (None, 3):
            result = walras("check", "d.lua", "--gradients", "5", cwd=place, ranks=ranks)
            self.assertEqual(result.status, 0, result)
            error = float(re.search(r"largest relative error (\S+)", result.out).group(1))
            self.assertLess(error, 1e-6)

    def test_run(self):
        """Alone, on 3 ranks, and stopped on 2 and resumed on 4."""
        place = folder("run")
        write(os.path.join(place, "d.lua"), A3)
        for output, ranks in (("alone.h5", None), ("three.h5", 3)):
            result = walras("run", "d.lua", "-o", output, cwd=place, ranks=ranks)
            self.assertEqual(result.status, 0, result)
            self.assertRegex(result.out, r"506 parameters, 4 games a step, judged in 3 others\n")
            self.assertRegex(result.out, r"\n  best design .*\n(  note: .*\n)*  of the first of the 3 "
                             r"others alone:\n    round  ")
        write(os.path.join(place, "stopped.STOP"), "")
        result = walras("run", "d.lua", "-o", "stopped.h5", cwd=place, ranks=2)
        self.assertEqual(result.status, STOPPED, result)
        result = walras("resume", "stopped.h5", cwd=place, ranks=4)
        self.assertEqual(result.status, 0, result)
        alone = datasets(os.path.join(place, "alone.h5"))
        for other in ("three.h5", "stopped.h5"):
            self.assertTrue(same(alone, datasets(os.path.join(place, other))), other)

        drawn, held_out = alone["design/draws/value"], alone["design/draws/held_out"]
        self.assertEqual([bytes(n) for n in alone["design/draws/name"]], [b"goods"])
        self.assertEqual(drawn.shape, (5, 4, 1))
        self.assertEqual(held_out.shape, (3, 1))
        both = numpy.concatenate([drawn.ravel(), held_out.ravel()])
        self.assertEqual(len(set(both)), 23)
        self.assertTrue(((both >= 0.6) & (both <= 1.2)).all())
        # The solution is that of the first held-out game, whose goods are sold.
        sold = alone["auction/goods"]
        self.assertLessEqual(sold.sum(), held_out[0, 0])
        self.assertEqual([bytes(n) for n in alone["design/reference/name"]],
                         [b"first price", b"start", b"best design"])
        best = alone["design/assessed_objective"]
        self.assertEqual(numpy.nanmax(best), alone["design/best/objective"])
        self.assertEqual(numpy.nanmax(best), alone["design/reference/objective"][2])

    def test_sweep(self):
        """Its runs differ in the seed only: they begin elsewhere, and are judged in the same games."""
        place = folder("sweep")
        write(os.path.join(place, "s.lua"),
              "return sweep { base = design { %s }, seeds = 2, keep = 'all' }"
              % (FIELDS % ("", "draw = { goods = {0.6, 1.2} }, batch = 2")))
        write(os.path.join(place, "d.lua"),
              DESIGN % ("", "draw = { goods = {0.6, 1.2} }, batch = 2, seed = 2"))
        for args, ranks in ((("s.lua",), 3), (("d.lua",), None)):
            result = walras("run", *args, cwd=place, ranks=ranks)
            self.assertEqual(result.status, 0, result)
        single = datasets(os.path.join(place, "d.h5"))
        with h5py.File(os.path.join(place, "s.h5")) as file:
            runs = [file["runs/run_%06d" % i] for i in range(2)]
            for name in ("objective", "draws/value", "draws/held_out"):
                self.assertEqual(runs[1]["design"][name][()].tobytes(),
                                 single["design/" + name].tobytes(), name)
            self.assertEqual(runs[0]["design/draws/held_out"][()].tobytes(),
                             runs[1]["design/draws/held_out"][()].tobytes())
            self.assertFalse((runs[0]["design/draws/value"][()] ==
                              runs[1]["design/draws/value"][()]).any())
            self.assertEqual(runs[0]["design/draws/held_out"].shape, (8, 1))

    def test_toll(self):
        """A game without anything random has its numbers drawn; one that the usual game lacks too."""
        place = folder("toll")
        write(os.path.join(place, "d.lua"),
              "return design { game = beach_bar { states = 9, horizon = 3, bar = 4, "
              "toll = toll { max = 1 } }, objective = congestion {}, "
              "learner = mirror_descent { rate = 1, entropy = 0.1, iterations = 10 }, steps = 2, "
              "evaluate = { iterations = 10 }, "
              "draw = { bar = {0, 8}, [\"toll.max\"] = {0.5, 2} }, batch = 3 }")
        result = walras("run", "d.lua", cwd=place)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(own_lines(result.err), [])
        found = datasets(os.path.join(place, "d.h5"))
        bar = found["design/draws/value"][:, :, 0]
        self.assertTrue((bar == numpy.floor(bar)).all() and bar.min() >= 0 and bar.max() <= 8)
        self.assertGreater(len(set(bar.ravel())), 2)


if __name__ == "__main__":
    unittest.main()
