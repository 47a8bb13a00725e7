# SPDX-License-Identifier: GPL-3.0-or-later
"""Designs: what is in their run files and is printed, the same bytes on every number of ranks and
after any interruption, and how one ends that cannot go on."""

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

RANKS = (2,) if SANITIZED else (1, 2, 3)
ON_RANKS_2 = "moves", "annealed"  # the others on all of RANKS

# (text, steps, every, the row that it is compared with, parts of the parameters)
DESIGNS = {
    "beach": ("""return design {
  game = beach_bar { states = 20, horizon = 10, bar = 10, toll = toll { max = 0.5 } },
  objective = congestion { sharpness = 20 },
  learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 60 },
  optimizer = adam { rate = 0.1 }, steps = 12, evaluate = { every = 5, iterations = 80 } }""",
              12, 5, "no toll", {"toll": (20,)}),
    "moves": ("""return design {
  game = beach_bar { states = 9, horizon = 4, toll = toll { on = "state_action" } },
  objective = weights { weight = function(h, s, a) return s == 0 and a == 0 and h / 4 or 0 end },
  learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 20 },
  method = zeroth_order { directions = 2 }, optimizer = sgd { rate = 0.1 },
  steps = 4, evaluate = { every = 0, iterations = 30 }, store = { policy = false } }""",
              4, 0, "no toll", {"toll": (3, 9)}),
    "auction": ("""return design {
  game = batched_auction { rounds = 3, values = 10, bids = 10, goods = 0.6,
                           mechanism = neural { hidden = 8 } },
  objective = revenue {}, learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 30 },
  optimizer = adam { rate = 0.01 }, steps = 10, evaluate = { every = 4, iterations = 60 } }""",
                10, 4, "first price", None),
    "annealed": ("""return design {
  game = batched_auction { rounds = 2, values = 10, bids = 10, mechanism = static {} },
  objective = mix { revenue = 1, efficiency = 0.5 },
  learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 30 },
  method = anneal { sigma = 0.3 }, steps = 6, evaluate = { every = 1, iterations = 40 } }""",
                 6, 1, "first price", None),
}
LONG = DESIGNS["beach"][0].replace("steps = 12", "steps = 150")


def run(job):
    name, ranks, output = job
    return walras("run", f"{name}.lua", "-o", output, ranks=ranks)


class Designs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.folder = os.getcwd(), folder("design")
        os.chdir(cls.folder)
        for name, design in DESIGNS.items():
            write(f"{name}.lua", design[0])
        cls.jobs = [(name, ranks, f"{name}-{ranks}.h5") for name in DESIGNS
                    for ranks in ("again", None, *((2,) if name in ON_RANKS_2 else RANKS))
                    if not SANITIZED or ranks != "again"]
        jobs = [(name, None if ranks == "again" else ranks, output)
                for name, ranks, output in cls.jobs]
        cls.results = dict(zip(cls.jobs, at_once(run, jobs)))

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    def test_all_succeed(self):
        for job, result in self.results.items():
            with self.subTest(job=job):
                self.assertEqual(result.status, 0, result)

    def test_same_bytes_again_and_on_every_number_of_ranks(self):
        for name, ranks, output in self.jobs:
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", output), [])

    def test_all_that_is_documented_is_there_and_nothing_else(self):
        wanted = documented("The file of a design")
        seen = set()
        for name, (_, steps, every, _, parts) in DESIGNS.items():
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                found = contents(file, "/design")
                self.assertLessEqual(set(found), set(wanted))
                lengths = {"step": steps + 1, "row": 3, "state": file["axes/state"].shape[0],
                           "action": file["axes/action"].shape[0],
                           "stage": file["axes/stage"].shape[0]}
                lengths["bid"] = lengths["action"]
                for path, shape in found.items():
                    if "@" in path or path.endswith("/PART") or path == "/design/toll":
                        continue
                    dims = [] if wanted[path] == "scalar" else wanted[path].split(", ")
                    self.assertEqual(shape, tuple(lengths[dim] for dim in dims), path)
                self.assertEqual("/design/toll" in found, parts is not None)
                for group in ("design/parameters", "design/best/parameters"):
                    shapes = {part: item.shape for part, item in file[group].items()}
                    if parts:
                        self.assertEqual(shapes, parts)
                    self.assertTrue(all(numpy.isfinite(item[:]).all()
                                        for item in file[group].values()))
                seen |= set(found)
        drawn = {path for path in wanted  # cli.draws has these, and bounded{} the same by another name
                 if path.startswith(("/design/draws", "/design/reference/bounded"))}
        self.assertEqual(seen, {path for path in wanted if path.startswith("/design")} - drawn)

    def test_units_and_scales(self):
        for name in DESIGNS:
            with h5py.File(f"{name}-None.h5", "r") as file:
                for path, item in run_file_compare.objects(file).items():
                    if not isinstance(item, h5py.Dataset):
                        continue
                    with self.subTest(name=name, path=path):
                        self.assertTrue(item.attrs["units"] and item.attrs["long_name"])
                        if "/parameters/" in path or h5py.h5ds.is_scale(item.id):
                            continue
                        for dim, size in zip(item.dims, item.shape):
                            self.assertEqual(dim[0].shape, (size,))

    def test_the_trace(self):
        for name, (_, steps, every, _, _) in DESIGNS.items():
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                d = file["design"]
                step = d["step"][:]
                self.assertEqual(step.tolist(), list(range(steps + 1)))
                self.assertEqual((d.attrs["status"], d.attrs["error"]), (0, ""))
                self.assertTrue(numpy.isfinite(d["objective"][:]).all())
                assessed = (step % every == 0) | (step == steps) if every else step < 0
                for column in ("assessed_objective", "exploitability", "plain_exploitability"):
                    numpy.testing.assert_array_equal(numpy.isfinite(d[column][:]), assessed)
                norms = numpy.isfinite(d["gradient_norm"][:])
                self.assertEqual(norms.tolist(), [name != "annealed"] * steps + [False])
                self.assertEqual(file["run/seconds"].shape, step.shape)
                self.assertEqual(file["run/iteration"], d["step"])
                self.assertTrue((numpy.diff(file["run/seconds"][:]) >= 0).all())

    def test_the_best_is_better_and_is_what_the_file_is_about(self):
        for name, (_, steps, every, usual, _) in DESIGNS.items():
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                d, rows = file["design"], file["design/reference"]
                names = rows["name"].asstr()[:].tolist()
                self.assertEqual(names, [usual, "start", "best design"])
                objective = rows["objective"][:]
                best = d["best"].attrs["step"]
                column = d["assessed_objective" if every else "objective"][:]
                if name == "moves":  # whose estimates are no values: only the last row is one
                    self.assertEqual(best, steps)
                else:
                    self.assertGreater(objective[2], objective[1])
                    self.assertEqual(column[best], numpy.nanmax(column))
                    self.assertEqual(objective[2], column[best])
                    self.assertEqual(objective[1], column[0])
                    self.assertEqual(rows["exploitability"][2], d["exploitability"][best])
                    self.assertEqual(rows["plain_exploitability"][2],
                                     d["plain_exploitability"][best])
                self.assertEqual(d["best/objective"][()], column[best])
                if best == steps:
                    for part in d["parameters"]:
                        numpy.testing.assert_array_equal(d["parameters"][part][:],
                                                         d["best/parameters"][part][:])

    def test_the_toll_is_that_of_its_parameters(self):
        for name, most in (("beach", 0.5), ("moves", 0.5)):
            with h5py.File(f"{name}-None.h5", "r") as file:
                xi = file["design/best/parameters/toll"][:]
                charge = file["design/toll"][:]
                numpy.testing.assert_allclose(charge, most / (1 + numpy.exp(-xi)),
                                              rtol=1e-14)

    def test_objectives_anew_from_the_solution(self):
        """The mean field of the file gives the objective of the best design, by the formulas of
        docs/design.md."""
        with h5py.File("beach-None.h5", "r") as file:
            mass = file["solution/mean_field"][:]
            weight = numpy.exp(20 * mass)
            congestion = -((mass * weight).sum(axis=1) / weight.sum(axis=1)).sum()
            numpy.testing.assert_allclose(file["design/reference/objective"][2], congestion,
                                          rtol=1e-13)
        with h5py.File("auction-None.h5", "r") as file:
            total = file["auction"].attrs["total_revenue"]
            self.assertEqual(file["design/reference/objective"][2], total)
            # The mechanism in force: what is paid, by whom, and for how many goods.
            paid = file["auction/payment"][:] * file["auction/win_probability"][:]
            numpy.testing.assert_allclose((paid * file["auction/bid_mass"][:]).sum(), total,
                                          rtol=1e-12)
            self.assertEqual(file["auction/goods"].shape, (3,))
        with h5py.File("annealed-None.h5", "r") as file:
            auction = file["auction"].attrs
            numpy.testing.assert_allclose(
                file["design/reference/objective"][2],
                auction["total_revenue"] + 0.5 * auction["total_efficiency"], rtol=1e-13)

    def test_the_start_is_the_solve_of_the_same_game(self):
        """Another way through the program: a solve with as many iterations."""
        for name, learner, game in (
                ("beach", "rate = 1, entropy = 0.05", "toll = toll { max = 0.5 }"),
                ("auction", "rate = 10, entropy = 0.01", "mechanism = neural { hidden = 8 }")):
            of_game = re.search(r"game = (.*?),\n  objective", DESIGNS[name][0], re.S)[1]
            self.assertIn(game, of_game)
            iterations = {"beach": 80, "auction": 60}[name]
            write(f"solve-{name}.lua", f"""return solve {{ game = {of_game},
              learner = mirror_descent {{ {learner} }}, stop = {{ iterations = {iterations} }} }}""")
            result = walras("run", f"solve-{name}.lua", "-q")
            self.assertEqual(result.status, 0, result)
            with h5py.File(f"solve-{name}.h5", "r") as solve, \
                    h5py.File(f"{name}-None.h5", "r") as file:
                rows = file["design/reference"]
                self.assertEqual(rows["plain_exploitability"][1], solve["trace/exploitability"][-1])
                self.assertEqual(rows["exploitability"][1],
                                 solve["trace/regularized_exploitability"][-1])
                if name == "auction":
                    self.assertEqual(rows["objective"][1], solve["auction"].attrs["total_revenue"])

    def test_what_is_printed(self):
        for name, (_, steps, _, usual, _) in DESIGNS.items():
            with self.subTest(name=name), h5py.File(f"{name}-None.h5", "r") as file:
                out = self.results[(name, None, f"{name}-None.h5")].out
                best = file["design/best"].attrs["step"]
                for row, label in enumerate((usual, "start", f"best design (step {best})")):
                    numbers = [file["design/reference"][column][row] for column in
                               ("objective", "plain_exploitability", "exploitability")]
                    found = re.search(rf"(?m)^  {re.escape(label)}  +(\S+)  +(\S+)  +(\S+)$", out)
                    self.assertTrue(found, out)
                    for text, number in zip(found.groups(), numbers):
                        self.assertAlmostEqual(float(text), number, delta=abs(number) * 6e-3)
                self.assertRegex(out, rf"^\w+, \w+ by \w+: {steps} steps over \d+ parameters\n")

    def test_the_resolved_scenario_comes_to_the_same(self):
        for name in DESIGNS:
            with self.subTest(name=name):
                with h5py.File(f"{name}-None.h5", "r") as file:
                    write("resolved.json", file["scenario/resolved"].asstr()[()])
                result = walras("run", "resolved.json", "-q", "-o", "resolved.h5", "--force")
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertEqual(run_file_compare.differences(f"{name}-None.h5", "resolved.h5"), [])

    def test_info(self):
        for name, (_, steps, _, _, _) in DESIGNS.items():
            result = walras("info", f"{name}-None.h5")
            self.assertEqual((result.status, result.err), (0, ""), result)
            with h5py.File(f"{name}-None.h5", "r") as file:
                best = file["design/best"].attrs["step"]
                self.assertRegex(result.out, rf"(?m)^design, \w+, \w+, \w+: {steps} steps, objective "
                                 rf"\S+ \(step {best}\), \S+ under the usual rules$")

    def test_override_and_dry_run(self):
        result = walras("run", "beach.lua", "-q", "-o", "over.h5", "-P", "optimizer.rate=0.2",
                        "-P", "steps=2")
        self.assertEqual(result.status, 0, result)
        with h5py.File("over.h5", "r") as file:
            self.assertEqual(file["design/step"].shape, (3,))
            self.assertIn('"rate":0.2', file["scenario/resolved"].asstr()[()].replace(" ", ""))
        result = walras("run", "beach.lua", "--dry-run", "-o", "dry.h5")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"(?m)^  memory  .*\n  file  .*\n  work  .* a step$")
        self.assertFalse(os.path.exists("dry.h5"))

    def test_describe(self):
        out = walras("describe", "design").out
        for name in ("game", "objective", "learner", "method", "optimizer", "steps", "seconds",
                     "evaluate", "  iterations", "  every", "store", "seed"):
            self.assertRegex(out, rf"(?m)^  {name} +\S.*  \w.*$")

    def test_gradients(self):
        """walras check, of three games and objectives."""
        def check(name):
            return walras("check", f"{name}.lua", "--gradients", "20")

        write("static.lua", DESIGNS["annealed"][0].replace("anneal { sigma = 0.3 }", "amid {}"))
        for result in at_once(check, ("auction",) if SANITIZED else ("beach", "auction", "static")):
            self.assertEqual((result.status, result.err), (0, ""), result)
            found = re.search(r"largest relative error (\S+) in 20 directions", result.out)
            self.assertLess(float(found[1]), 1e-5)


BEACH = "game = beach_bar { toll = toll {} }"
CONGESTION = "objective = congestion {}"
QUICK = "learner = mirror_descent { rate = 1, entropy = 0.1, iterations = 5 }"
CUSTOM = ("game = custom { states = 2, actions = 2, horizon = 2, toll = toll {}, "
          "moves = function(h, s, a) return a end, "
          "reward = function(h, s, a, mass) return s - mass[s] end }")
SCRIPTED = ("game = batched_auction { toll = toll {}, mechanism = scripted { "
            "payment = function(bid, round) return bid end } }")
INSTEAD = r"method = zeroth_order\{\} or anneal\{\} can be used"
PLACE = r"bad\.lua:1: "

# (what, parts of the scenario, the line)
REFUSED = [
    ("no derivatives", (CUSTOM, CONGESTION), PLACE + "amid: the game custom has no derivatives of its "
     f"rewards: it cannot be designed by gradients; {INSTEAD}"),
    ("no derivatives of the equilibrium", (CUSTOM, CONGESTION, "method = implicit {}"), PLACE +
     "implicit: the game custom has no derivatives of its rewards: it cannot be designed by "
     f"gradients; {INSTEAD}"),
    ("scripted mechanism", (SCRIPTED, "objective = revenue {}"), PLACE + "batched_auction: mechanism: "
     f"expected a mechanism with derivatives, got scripted; {INSTEAD}"),
    ("objective of another game", (BEACH, "objective = revenue {}"), PLACE + r"revenue: expected an "
     r"objective that the game beach_bar has \(congestion, target_flow, weights\): it reports no "
     "revenue"),
    ("no toll", ("game = beach_bar {}", CONGESTION), PLACE + r"beach_bar: there is nothing to design: "
     r"expected toll = toll\{\}"),
    ("no parameters", ("game = batched_auction { mechanism = first_price {} }",
                       "objective = revenue {}"), PLACE + "batched_auction: there is nothing to "
     r"design: expected toll = toll\{\}, or an auction with mechanism = neural\{\} or static\{\}; "
     "reserves and prices are not designed, but can be swept"),
    ("entropy 0", (BEACH, CONGESTION, "method = implicit {}",
                   "learner = mirror_descent { entropy = 0 }"), PLACE + "implicit: expected a "
     r"learner with entropy > 0, got 0 \(amid\{\} can be used\)"),
    ("rate times entropy", (BEACH, CONGESTION, "learner = mirror_descent { rate = 3, entropy = 0.5 }"),
     PLACE + r"mirror_descent: entropy: expected rate \* entropy to be at most 1, got 1.5"),
    ("no game", (CONGESTION,), PLACE + "design: game: expected a game, got nothing .*"),
    ("no objective", (BEACH,), PLACE + "design: objective: expected an objective, got nothing .*"),
    ("objective's name", (BEACH, "objective = congestoin {}"),
     PLACE + r'unknown name "congestoin"; did you mean "congestion"\?'),
    ("method's name", (BEACH, CONGESTION, "method = amdi {}"),
     PLACE + r'unknown name "amdi"; did you mean "amid"\?'),
    ("optimizer's name", (BEACH, CONGESTION, "optimizer = adan {}"),
     PLACE + r'unknown name "adan"; did you mean "adam"\?'),
    ("objective of another kind", (BEACH, "objective = adam {}"), PLACE + "design: objective: expected "
     r"an objective \(.*\), got optimizer adam\{...\}"),
    ("another learner", (BEACH, CONGESTION, "learner = fictitious_play {}"), PLACE + "design: learner: "
     r"expected a response \(mirror_descent\), got learner fictitious_play\{...\}"),
    ("steps", (BEACH, CONGESTION, "steps = -1"),
     PLACE + r"design: steps: expected a whole number in \[0, \d+\], got -1"),
    ("every", (BEACH, CONGESTION, "evaluate = { every = -1 }"),
     PLACE + r"design: evaluate.every: expected a whole number in \[0, \d+\], got -1"),
    ("evaluate", (BEACH, CONGESTION, "evaluate = { evry = 1 }"),
     PLACE + r'design: evaluate: unknown parameter "evry"; did you mean "every"\?'),
    ("seconds", (BEACH, CONGESTION, "seconds = -1"),
     PLACE + "design: seconds: expected a number of at least 0, got -1"),
    ("decay", (BEACH, CONGESTION, "optimizer = adam { decay = 0 }"),
     PLACE + r"adam: decay: expected a number in \[1e-12, 1\], got 0"),
    ("rate of the optimizer", (BEACH, CONGESTION, "optimizer = sgd { rate = -1 }"),
     PLACE + "sgd: rate: expected a number of at least 0, got -1"),
    ("radius", (BEACH, CONGESTION, "method = zeroth_order { radius = 0 }"),
     PLACE + "zeroth_order: radius: expected a number of at least 1e-300, got 0"),
    ("tolerance", (BEACH, CONGESTION, "method = implicit { tolerance = 0 }"),
     PLACE + r"implicit: tolerance: expected a number in \[1e-14, 1\], got 0"),
    ("memory's name", (BEACH, CONGESTION, "method = amid { memory = 'revers' }"), PLACE +
     r'amid: memory: expected one of \w+(, \w+)*, got "revers"; did you mean "reverse"\?'),
    ("a learner that forgets", (BEACH, CONGESTION, "method = amid { memory = 'reverse' }",
                                "learner = mirror_descent { rate = 1, entropy = 1 }"), PLACE +
     r"amid: memory: a learner with rate \* entropy = 1 forgets its policy: it cannot be reversed "
     r'\(memory = "sqrt" can be used\)'),
    ("a game that reads the policy", ("game = treasure_hunting { toll = toll {} }", CONGESTION,
                                      "method = amid { memory = 'reverse' }", QUICK), PLACE +
     "amid: memory: the rewards of the game treasure_hunting depend on its policy: its learner "
     r'cannot be reversed \(memory = "sqrt" can be used\)'),
    ("shape of a flow", (BEACH, "objective = target_flow { flow = {{ 1, 2 }} }"),
     PLACE + "target_flow: flow: expected 3 x 4 numbers, got 1 x 2"),
    ("no weights", (BEACH, "objective = weights {}"), PLACE + "weights: weight: expected .*, got nothing .*"),
    ("weight that is no number",
     (BEACH, "objective = weights { weight = function(h, s, a) return 0/0 end }"), PLACE +
     r"weights: weight: element \[0\]\[0\]\[0\] \(counted from 0\): expected a finite number, got .*"),
    ("place of the toll", ("game = beach_bar { toll = toll { on = 'stat' } }", CONGESTION),
     PLACE + r'toll: on: expected one of state, state_action, got "stat"; did you mean "state"\?'),
]
# Found only when the learner, or what it remembers, is made: not by walras check.
FOUND_LATE = {"entropy 0", "a learner that forgets", "a game that reads the policy"}
# Beside those, also told by two ranks, once: one of each way in which a mistake is found.
ON_RANKS = {"no derivatives", "scripted mechanism", "objective of another game", "no toll",
            "no objective", "weight that is no number"}
if SANITIZED:
    REFUSED = [case for case in REFUSED if case[0] in ON_RANKS | FOUND_LATE]


class Refused(unittest.TestCase):
    def one(self, case):
        place = folder("refused")
        write(os.path.join(place, "bad.lua"), "return design { " + ", ".join(case[1]) + " }")
        several = (2,) if case[0] in FOUND_LATE or case[0] in ON_RANKS else ()
        results = {ranks: walras("run", "bad.lua", "-q", cwd=place, ranks=ranks)
                   for ranks in (None, *several)}
        results["check"] = walras("check", "bad.lua", cwd=place)
        return place, results

    def test_refused(self):
        for case, (place, results) in zip(REFUSED, at_once(self.one, REFUSED)):
            for how, result in results.items():
                if how == "check" and case[0] in FOUND_LATE:
                    continue
                with self.subTest(case=case[0], how=how):
                    self.assertEqual(result.status, 65, result)
                    self.assertEqual(result.out, "")
                    lines = own_lines(result.err)
                    self.assertEqual(len(lines), 1, result)
                    self.assertRegex(lines[0], f"^{case[2]}$")
            self.assertEqual(left(place), ["bad.lua"])

    def test_no_derivatives_are_needed_by_others(self):
        for number, parts in enumerate(((CUSTOM, CONGESTION), (SCRIPTED, "objective = revenue {}"))):
            for method in ("zeroth_order", "anneal"):
                name = f"other-{number}-{method}"
                write(f"{name}.lua", "return design { " + ", ".join(
                    (*parts, QUICK, f"method = {method} {{}}", "steps = 1",
                     "evaluate = { iterations = 10 }")) + " }")
                result = walras("run", f"{name}.lua", "-q")
                self.assertEqual((result.status, result.err), (0, ""), result)


# (scenario, exit status, line, rows)
ENDED = {
    "diverges": ("""return design { game = predator_prey { toll = toll {} },
  objective = congestion {}, learner = mirror_descent { rate = 30, entropy = 0.01, iterations = 10 },
  steps = 3, evaluate = { every = 1, iterations = 30 } }""", 2,
                 r"walras: predator_prey: the learner diverges: exploitability \S+ after 30 "
                 r"iterations, \S+ at the uniform policy; a smaller rate may help", 1),
    # Its charges grow until the learner cannot follow them.
    "diverges later": ("""return design {
  game = beach_bar { states = 12, horizon = 8, bar = 6, toll = toll { max = 60, start = 0.001 } },
  objective = weights { weight = function(h, s, a) return s == 11 and 1 or 0 end },
  learner = mirror_descent { rate = 10, entropy = 0.02, iterations = 10 },
  optimizer = adam { rate = 2 }, steps = 15, evaluate = { every = 1, iterations = 20 } }""", 2,
                       r"walras: beach_bar: the learner diverges: exploitability \S+ after 20 "
                       r"iterations, \S+ at the uniform policy; a smaller rate may help", 5),
    "no equilibrium": ("""return design { game = beach_bar { toll = toll {} },
  objective = congestion {}, learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 50 },
  method = implicit { iterations = 2, tolerance = 1e-12, accepted = 1e-9 }, steps = 3,
  evaluate = { every = 1, iterations = 50 } }""", 2,
                       r"walras: beach_bar: the learner has not found its equilibrium after 2 "
                       r"iterations: .*", 1),
    "overflow": ("""return design { game = beach_bar { states = 20, bar = 10, toll = toll {} },
  objective = congestion {}, learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 20 },
  optimizer = sgd { rate = 1e308 }, steps = 3, evaluate = { every = 1, iterations = 30 } }""", 3,
                 r"walras: beach_bar: the next value .*", 1),
    # The first step is as large as numbers go: what comes of it is not finite.
    "weights": ("""return design { game = batched_auction { rounds = 2, values = 8, bids = 8,
    mechanism = neural { hidden = 4, slope = "free" } }, objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 20 },
  optimizer = sgd { rate = 1e155 }, steps = 5, evaluate = { every = 0, iterations = 30 } }""", 3,
                r"walras: batched_auction: .*not finite.*", 1),
}


class Ended(unittest.TestCase):
    """Designs that had to end before their last step: all that was found is in the run file."""

    @classmethod
    def setUpClass(cls):
        cls.folder = folder("ended")
        cls.jobs = [(name, ranks) for name in ENDED for ranks in (None, 2)[SANITIZED:]]
        for name, case in ENDED.items():
            write(os.path.join(cls.folder, f"{name}.lua"), case[0])
        cls.results = dict(zip(cls.jobs, at_once(cls.run_one, cls.jobs)))

    @classmethod
    def path(cls, name, ranks=None):
        return os.path.join(cls.folder, f"{name}-{ranks}.h5")

    @classmethod
    def run_one(cls, job):
        return walras("run", f"{job[0]}.lua", "-q", "-o", cls.path(*job), ranks=job[1],
                      cwd=cls.folder)

    def test_status_and_line(self):
        for (name, ranks), result in self.results.items():
            with self.subTest(name=name, ranks=ranks):
                _, status, line, _ = ENDED[name]
                self.assertEqual(result.status, status, result)
                lines = own_lines(result.err)
                self.assertEqual(len(lines), 1, result)
                self.assertRegex(lines[0], f"^{line}$")
                self.assertIn("  start  ", result.out)

    def test_the_file_has_what_was_found(self):
        for name, (_, status, _, rows) in ENDED.items():
            with self.subTest(name=name), h5py.File(self.path(name), "r") as file:
                d = file["design"]
                self.assertEqual(file.attrs["complete"], 1)
                self.assertEqual(d.attrs["status"], status)
                said = own_lines(self.results[(name, None)].err)[0]
                self.assertEqual(said, f"walras: {d.attrs['error']}")
                self.assertEqual(d["step"].shape, (rows,))
                for group in ("parameters", "best/parameters"):
                    for part in d[group].values():
                        self.assertTrue(numpy.isfinite(part[:]).all())
                if status == 3:
                    self.assertTrue(numpy.isfinite(d["objective"][:]).all())
                    self.assertTrue(numpy.isfinite(d["gradient_norm"][:]).all())
                self.assertEqual(run_file_compare.differences(self.path(name), self.path(name, 2)),
                                 [])
                info = walras("info", self.path(name))
                self.assertEqual((info.status, info.err), (0, ""), info)
                self.assertRegex(info.out, r"(?m)^design, .*, " + {
                    2: "NOT converged: the learner diverged", 3: "ended by what is NOT finite"}[
                        status] + "$")

    def test_a_learner_that_diverges_has_a_last_row(self):
        for name in ("diverges", "diverges later"):
            with self.subTest(name=name), h5py.File(self.path(name), "r") as file:
                d = file["design"]
                self.assertTrue(numpy.isnan(d["objective"][-1]))
                before = d["exploitability"][:-1]
                self.assertGreater(d["exploitability"][-1], numpy.append(before, 0).max())
                self.assertLess(d["best"].attrs.get("step", -1), d["step"][-1])

    def test_the_last_parameters_are_those_of_the_last_good_row(self):
        """Taken up again from there, its first row is that row."""
        name = "diverges later"
        with h5py.File(self.path(name), "r") as file:
            xi = file["design/parameters/toll"][:]
            rows = file["design/step"].shape[0]
            last = file["design/objective"][-2]
        steps = rows - 2  # as many, and the design comes to its end there; rates are the same
        result = walras("run", f"{name}.lua", "-q", "-o", "short.h5", "-P", f"steps={steps}",
                        cwd=self.folder)
        self.assertEqual(result.status, 0, result)
        with h5py.File(os.path.join(self.folder, "short.h5"), "r") as file:
            numpy.testing.assert_array_equal(file["design/parameters/toll"][:], xi)
            self.assertEqual(file["design/objective"][-1], last)

    def test_in_a_sweep(self):
        """One that diverges has not converged, one that is not finite has failed."""
        of = {name: ENDED[name][0].removeprefix("return ") for name in ("diverges", "overflow")}
        good = DESIGNS["beach"][0].removeprefix("return ")
        write(os.path.join(self.folder, "sweep.lua"),
              "return { " + ", ".join((good, of["diverges"], of["overflow"])) + " }")
        result = walras("run", "sweep.lua", "-q", cwd=self.folder)
        self.assertEqual(result.status, 2, result)
        with h5py.File(os.path.join(self.folder, "sweep.h5"), "r") as file:
            summary = file["summary"]
            self.assertEqual(summary["status"][:].tolist(), [0, 2, 3])
            self.assertEqual(sorted(file["runs"]), ["run_000000", "run_000001"])
            self.assertTrue(numpy.isfinite(summary["objective"][:2]).all())
            self.assertIn("next value", summary["error"].asstr()[2])
            self.assertEqual(file["runs/run_000001/design"].attrs["status"], 2)


class Notes(unittest.TestCase):
    """What is said of a design that found nothing, or designs less than it seems to."""

    def one(self, text, status=0):
        place = folder("notes")
        write(os.path.join(place, "s.lua"), f"return design {{ {text} }}")
        result = walras("run", "s.lua", "-q", cwd=place)
        self.assertEqual(result.status, status, result)
        return re.findall("(?m)^  note: (.*)$", result.out), own_lines(result.err)

    def test_no_step_is_better(self):
        learner = "learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 20 }"
        toll = ("game = beach_bar { states = 9, horizon = 4, bar = 4, toll = toll {} }, "
                f"{CONGESTION}, {learner}, ")
        rules = ("game = batched_auction { rounds = 2, values = 10, bids = 10, mechanism = static { "
                 "payment = function(h, b) return 0.1 * b end } }, objective = revenue {}, "
                 "learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 20 }, ")
        hint = "another optimizer.rate or learner.rate may help"
        for text, told in (
                (toll + "optimizer = sgd { rate = 0 }, steps = 2, evaluate = { every = 1 }",
                 [f"no step was better than the start; {hint}"]),
                (toll + "optimizer = sgd { rate = 0 }, steps = 2, "
                 "evaluate = { every = 1, exploitability = 1000 }",
                 [f"no step that has settled was better than the start; {hint}"]),
                (toll + "method = anneal { sigma = 1e-300 }, steps = 2, evaluate = { every = 1 }",
                 ["no step was better than the start; another learner.rate may help"]),
                (rules + "optimizer = adam { rate = 1e-4 }, steps = 2, evaluate = { every = 1 }",
                 [f"no step was better than first price; {hint}"]),
                (toll + "optimizer = adam { rate = 0.1 }, steps = 2, evaluate = { every = 1 }", []),
                (toll + "steps = 0", [])):
            with self.subTest(text=text):
                self.assertEqual(self.one(text), (told, []))

    def test_a_toll_beside_a_mechanism(self):
        text = ("game = batched_auction { rounds = 2, values = 8, bids = 8, toll = toll {}, "
                "mechanism = %s }, objective = revenue {}, steps = 1, "
                "learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 10 }, "
                "evaluate = { iterations = 10 }")
        for mechanism, told in (
                ("static {}", [r"walras: warning: \S*s\.lua:1: batched_auction: toll: only the toll "
                               "is designed: the mechanism, with its 18 parameters, stays as it "
                               "starts"]),
                ("first_price {}", [])):
            with self.subTest(mechanism=mechanism):
                _, lines = self.one(text % mechanism)
                self.assertEqual(len(lines), len(told), lines)
                for line, pattern in zip(lines, told):
                    self.assertRegex(line, f"^{pattern}$")


# No population settles so far; an exploitability of 1000 has anybody.
TOLERANCE = ("""design { game = batched_auction { rounds = 2, values = 8, bids = 8,
    mechanism = neural { hidden = 4 } }, objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 20 },
  optimizer = adam { rate = 0.01 }, steps = 2,
  evaluate = { every = 1, iterations = 30, exploitability = 1e-30 } }""")
NOTE = (r"  note: the population has not settled: exploitability with entropy (\S+), "
        r"asked for 1e-30")


class Tolerance(unittest.TestCase):
    """A design whose best has more exploitability than was asked for has not converged."""

    @classmethod
    def setUpClass(cls):
        cls.place = folder("tolerance")
        write(os.path.join(cls.place, "s.lua"), "return " + TOLERANCE)
        write(os.path.join(cls.place, "sweep.lua"), f"""return sweep {{ base = {TOLERANCE},
          vary = {{ ["evaluate.exploitability"] = {{ 1e-30, 1000, 0 }} }} }}""")

    def run_it(self, output, *options, status=2, scenario="s.lua", ranks=None):
        result = walras("run", scenario, "-q", "-o", output, *options, cwd=self.place, ranks=ranks)
        self.assertEqual((result.status, own_lines(result.err)), (status, []), result)
        info = walras("info", output, cwd=self.place)
        self.assertEqual(info.status, 0, info)
        return result.out, info.out

    def test_it_is_told(self):
        for output, options in (("s.h5", ()), ("restarts.h5", ("-P", "restarts=2"))):
            with self.subTest(output=output):
                out, info = self.run_it(output, *options, ranks=2 if options else None)
                with h5py.File(os.path.join(self.place, output)) as file:
                    self.assertEqual(file["design"].attrs["status"], 0)
                    left = f'{file["design/reference/exploitability"][2]:.3g}'
                    if options:
                        self.assertEqual(file["restarts/status"][:].tolist(), [2, 2])
                        self.assertEqual(sorted(file["restarts/rank"]), [1, 2])
                self.assertRegex(out, r"(?m)batched_auction, revenue by amid: 2 steps over \d+ "
                                 r"parameters, NOT converged$")
                self.assertEqual(re.findall(f"(?m)^{NOTE}$", out), [left])
                self.assertLess(out.index("best design"), out.index("note: "))
                self.assertLess(out.index("note: "), out.index("mean_payment"))
                self.assertRegex(info, r"(?m)^design, .* under the usual rules, NOT converged: "
                                 rf"exploitability with entropy {left}, asked for 1e-30$")

    def test_one_that_has_settled(self):
        for asked in ("1000", "0"):
            out, info = self.run_it("settled.h5", "--force", "-P",
                                    f"evaluate.exploitability={asked}", status=0)
            self.assertNotIn("NOT converged", out + info)
            self.assertNotIn("note: ", out)
            self.assertRegex(info, r"(?m)^design, .* under the usual rules"
                             + {"1000": ", converged$", "0": "$"}[asked])

    def test_in_a_sweep(self):
        out, info = self.run_it("sweep.h5", scenario="sweep.lua")
        with h5py.File(os.path.join(self.place, "sweep.h5")) as file:
            summary = {name: file[f"summary/{name}"][:].tolist()
                       for name in ("status", "converged", "rank", "best_step")}
            self.assertEqual(summary["status"], [2, 0, 0])
            self.assertEqual(summary["converged"], [0, 1, 0])
            self.assertEqual(summary["rank"], [3, 1, 2])
            self.assertIn("run_000000", file["runs"])
        self.assertRegex(out, r"(?m)^ +3 +0 .*  NOT converged$")
        self.assertEqual(out.splitlines()[-1], "3 runs, 1 NOT converged; file sweep.h5")
        self.assertRegex(info, r"(?m)^sweep: 3 runs, 0 failed, 1 not converged$")


class Interrupted(unittest.TestCase):
    """Whatever happens on the way, the file is that of the undisturbed design."""

    @classmethod
    def setUpClass(cls):
        cls.place = folder("interrupted")
        write(os.path.join(cls.place, "s.lua"), LONG)
        cls.reference = os.path.join(cls.place, "reference.h5")
        result = walras("run", "s.lua", "-q", "-o", cls.reference, cwd=cls.place)
        assert result.status == 0, result

    def check_resumed(self, run, ranks):
        result = fault_runs.resume(run, ranks=ranks)
        self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
        self.assertEqual(run_file_compare.differences(self.reference, run), [])
        self.assertEqual(fault_runs.checkpoints(run), {})
        self.assertEqual(fault_runs.leftovers(run), [])

    def begin(self):
        place = folder("run")
        write(os.path.join(place, "s.lua"), LONG)
        return place, os.path.join(place, "s.h5")

    def check_stopped(self, result, run, reason):
        self.assertEqual(result.status, 75, result)
        lines = fault_runs.own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        found = re.fullmatch(rf"walras: stopped by {reason} at iteration (\d+); to go on: walras "
                             rf"resume {re.escape(run)}", lines[0])
        self.assertTrue(found, result)
        self.assertIn(int(found[1]), fault_runs.checkpoints(run))

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
        write(os.path.join(place, "s.lua"), LONG.replace("iterations = 60", "iterations = 3000"))
        result = walras("run", "s.lua", "-q", "-o", run, "--max-walltime", "1s", cwd=place)
        self.check_stopped(result, run, ".*walltime.*")

    def test_killed(self):
        for ranks, after in ((None, 2), (2, None)):
            with self.subTest(ranks=ranks):
                run = fault_runs.until_caught(lambda: fault_runs.killed(self.begin()[1], ranks))
                self.check_resumed(run, after)

    def test_one_that_cannot_go_on_ends_the_same(self):
        """Stopped before the step at which its learner diverges, and resumed."""
        for name, (text, status, _, _) in ENDED.items():
            if name not in ("diverges later", "weights"):
                continue
            with self.subTest(name=name):
                place, run = self.begin()
                write(os.path.join(place, "s.lua"), text)
                whole = os.path.join(place, "whole.h5")
                self.assertEqual(walras("run", "s.lua", "-q", "-o", whole, cwd=place).status, status)
                write(os.path.join(place, "s.STOP"), "")
                result = walras("run", "s.lua", "-q", "-o", run, cwd=place)
                self.check_stopped(result, run, ".*STOP.*")
                result = fault_runs.resume(run, ranks=2)
                self.assertEqual(result.status, status, result)
                self.assertEqual(run_file_compare.differences(whole, run), [])


if __name__ == "__main__":
    unittest.main()
