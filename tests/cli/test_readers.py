# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/walras.py and the examples of docs/readers.md: they run, and give known values: those that
h5py reads, MFGLib's exploitabilities, and distributions that sum to 1."""

import json
import os
import re
import shutil
import subprocess
import sys
import unittest

import h5py
import numpy

from walras_cli import SOURCE, at_once, folder, walras, write

sys.path.insert(0, os.path.join(SOURCE, "tools"))
os.environ["MPLBACKEND"] = "Agg"
import walras as reader  # noqa: E402  tools/walras.py

SCENARIOS = {
    # What tests/reference/data/mfglib_traces.json calls crowd_motion_default_20x20.
    "crowd_motion": """return solve {
      game = crowd_motion { bar_path = { {10, 10}, {10, 10}, {9, 11}, {9, 11} } },
      learner = mirror_descent {}, stop = { iterations = 10 } }""",
    "rate_sweep": """return sweep {
      base = solve { game = beach_bar {}, stop = { iterations = 5 } },
      vary = { ["learner.rate"] = { 0.01, 1 }, ["game.states"] = { 6, 9, 12 } } }""",
    # Of first price: winners pay their bid.
    "auction": """return solve { game = batched_auction { values = 10, bids = 8, rounds = 3 },
      stop = { iterations = 4 } }""",
    "design": """return design { game = beach_bar { toll = toll {} }, objective = congestion {},
      learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 20 }, steps = 3 }""",
    "steered": """return steer { game = bounded { game = beach_bar { log_offset = 0.01 }, low = -6,
      high = 5 }, target = softmax_target {}, mediator = { none {}, optimistic {} },
      episodes = 20, seeds = 2 }""",
    "agents": """return simulate { game = beach_bar {}, policy = "uniform", agents = { 1, 10 },
      episodes = 5, deviation = false }""",
    "designs": """return sweep { base = design { game = beach_bar { toll = toll {} },
      objective = congestion {}, learner = mirror_descent { entropy = 0.05, iterations = 9 },
      steps = 1 }, seeds = 2 }""",
    "preferences": """return transfer { bandit = log_linear { prompts = 2, responses = 6,
      features = 3 }, sources = mixtures { 0.9 }, methods = { greedy {}, tpo {} }, rounds = 20,
      seeds = 2 }""",
    "one_shot": "return simulate { game = one_shot_auction {}, samples = 2000 }",
    "predators": "return solve { game = predator_prey {}, stop = { iterations = 2 } }",
}


def blocks(language):
    with open(os.path.join(SOURCE, "docs/readers.md"), encoding="utf-8") as file:
        return re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)


class Readers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.folder = os.getcwd(), folder("readers")
        os.chdir(cls.folder)
        for name, text in SCENARIOS.items():
            write(f"{name}.lua", text)
        for result in at_once(lambda name: walras("run", f"{name}.lua", "-q"), SCENARIOS):
            assert result.status == 0, result
        with open(os.path.join(SOURCE, "tests/reference/data/mfglib_traces.json"),
                  encoding="utf-8") as file:
            case = json.load(file)["crowd_motion_default_20x20"]
        cls.reference = case["traces"]["OMD(alpha=1)"]["exploitability"][:11]

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    # ---- tools/walras.py ----------------------------------------------------------------------

    def test_what_ran(self):
        run = reader.load("crowd_motion.h5")
        self.assertEqual((run.task, run.seed), ("solve", 1))
        self.assertEqual(run.attributes["walras_version"], walras("--version").out.split()[1])
        self.assertEqual(run.scenario["solve"]["game"]["crowd_motion"]["rows"], 20)
        self.assertEqual(run.groups(), ["axes", "run", "scenario", "solution", "trace"])
        self.assertEqual(run.array("axes/action_name").tolist(),
                         ["down", "up", "right", "left", "stay"])
        self.assertEqual(run.attribute("trace", "converged"), 0)

    def test_frame_of_a_trace(self):
        trace = reader.load("crowd_motion.h5").frame("trace")
        self.assertEqual(trace.index.name, "iteration")
        self.assertEqual(trace.index.tolist(), list(range(11)))
        self.assertEqual(trace.columns.tolist(), ["exploitability", "ratio", "best", "value"])
        numpy.testing.assert_allclose(trace.exploitability, self.reference, rtol=0, atol=1e-9)

    def test_frames_of_more_dimensions(self):
        run = reader.load("crowd_motion.h5")
        frame = run.frame("solution")
        self.assertEqual(frame.index.names, ["stage", "state"])
        self.assertEqual(frame.columns.tolist(), ["mean_field", "value"])
        numpy.testing.assert_allclose(frame.mean_field.groupby("stage").sum(), 1, rtol=1e-12)
        with h5py.File("crowd_motion.h5", "r") as file:
            self.assertEqual(frame.value[2, 37], file["solution/value"][2, 37])
            policy = run.frame("solution", ("stage", "state", "action")).policy
            self.assertEqual(policy[1, 5, 3], file["solution/policy"][1, 5, 3])
        numpy.testing.assert_allclose(policy.groupby(["stage", "state"]).sum(), 1, rtol=1e-12)
        with self.assertRaisesRegex(KeyError, "trace: no dataset has .*'stage'.* there are"):
            run.frame("trace", "stage")

    def test_frame_of_populations_goes_by_iteration(self):
        frame = reader.load("predators.h5").frame("trace")
        parts = reader.load("predators.h5").frame("trace", ("iteration", "population"))
        numpy.testing.assert_allclose(
            parts.exploitability_by_population.groupby("iteration").sum(), frame.exploitability,
            rtol=1e-12)

    def test_dataset(self):
        solution = reader.load("crowd_motion.h5").dataset("solution")
        self.assertEqual(dict(solution.sizes), {"stage": 4, "state": 400, "action": 5})
        self.assertEqual(solution.policy.dims, ("stage", "state", "action"))
        self.assertEqual(solution.value.attrs["units"], "reward")
        self.assertEqual(solution.row.values.tolist(), [s // 20 for s in range(400)])
        self.assertEqual(solution.action_name.values.tolist()[4], "stay")
        self.assertAlmostEqual(float(solution.mean_field.sel(stage=3).sum()), 1, delta=1e-12)
        self.assertEqual(solution.attrs["task"], "solve")
        auction = reader.load("auction.h5").dataset("solution")
        self.assertEqual(auction.state_value.values[:3].tolist(), [0, 0.1, 0.2])

    def test_sweep(self):
        sweep = reader.load("rate_sweep.h5")
        table = sweep.frame("summary")
        self.assertEqual(table.index.tolist(), list(range(6)))
        self.assertEqual(sorted(zip(table.learner_rate, table.game_states)),
                         [(rate, n) for rate in (0.01, 1) for n in (6, 9, 12)])
        self.assertEqual(table.error.tolist(), [""] * 6)
        runs = sweep.runs()
        self.assertEqual(list(runs), list(range(6)))
        for number, run in runs.items():
            trace = run.frame("trace")
            self.assertEqual(trace.exploitability.iloc[-1], table.exploitability_last[number])
            self.assertEqual(run.scenario["solve"]["game"]["beach_bar"]["states"],
                             table.game_states[number])
            self.assertEqual(run.dataset("solution").sizes["state"], table.game_states[number])

    def test_auction(self):
        run = reader.load("auction.h5")
        rounds = run.frame("auction")
        self.assertEqual(rounds.index.tolist(), [0, 1, 2])
        self.assertAlmostEqual(rounds.revenue.sum(), run.attribute("auction", "total_revenue"),
                               delta=1e-15)
        payment = run.frame("auction", ("stage", "bid")).payment  # of first price: the bid
        numpy.testing.assert_array_equal(payment, payment.index.get_level_values("bid"))

    def test_steering(self):
        run = reader.load("steered.h5")
        gap = run.frame("steering").gap
        self.assertEqual(gap.index.names, ["mediator", "seed", "episode"])
        with h5py.File("steered.h5", "r") as file:
            self.assertEqual(gap["optimistic", 1, 20], file["steering/gap"][1, 1, -1])
        summary = run.frame("steering/summary")
        self.assertEqual(summary.index.tolist(), ["none", "optimistic"])
        self.assertEqual(summary.cost_per_episode["none"], 0)

    def test_transfer(self):
        run = reader.load("preferences.h5")
        with h5py.File("preferences.h5", "r") as file:
            regret = file["transfer/regret"][:]
            self.assertEqual(run.frame("transfer").regret["tpo", 1, 20], regret[1, 1, -1])
            wins = file["transfer/win_rate"][:]
        win_rate = run.dataset("transfer").win_rate  # of a method against a method
        self.assertEqual(win_rate.dims, ("seed", "method", "method_2"))
        numpy.testing.assert_array_equal(win_rate, wins)
        numpy.testing.assert_allclose(wins + wins.transpose(0, 2, 1), 1, rtol=1e-12)
        medians = run.frame("transfer/summary").regret
        self.assertEqual(medians.index.tolist(), ["greedy", "tpo"])
        numpy.testing.assert_allclose(medians, regret[:, :, -1].mean(axis=1), rtol=1e-12)

    def test_scalars_are_a_row(self):
        best = reader.load("design.h5").frame("design/best")
        self.assertEqual((best.shape, best.columns.tolist()), ((1, 1), ["objective"]))
        with h5py.File("design.h5", "r") as file:
            self.assertEqual(best.objective[0], file["design/best/objective"][()])
        texts = reader.load("design.h5").frame("scenario")
        self.assertTrue(texts.source[0].startswith("return design"))
        charges = reader.load("design.h5").frame("design/parameters").toll
        self.assertEqual(charges.tolist(), reader.load("design.h5").array("design/parameters/toll").tolist())

    def test_no_run_file(self):
        with h5py.File("foreign.h5", "w") as file:
            file["x"] = [1.0]
        with self.assertRaisesRegex(ValueError, "foreign.h5: not a walras run file"):
            reader.load("foreign.h5")
        with self.assertRaises(FileNotFoundError):
            reader.load("nothing.h5")

    def test_plots(self):
        """What is drawn is what is in the file."""
        def lines(name, what=None):
            return reader.load(f"{name}.h5").plot(what).get_lines()

        [line] = lines("crowd_motion")
        numpy.testing.assert_allclose(line.get_ydata(), self.reference, rtol=0, atol=1e-9)
        self.assertEqual(line.axes.get_yscale(), "log")
        self.assertEqual(line.axes.get_ylabel(), "exploitability [reward]")
        self.assertEqual(line.axes.get_xlabel(), "iteration")
        drawn = reader.load("crowd_motion.h5").plot("mean_field").get_images()[0].get_array()
        with h5py.File("crowd_motion.h5", "r") as file:
            numpy.testing.assert_array_equal(
                drawn, file["solution/mean_field"][-1].reshape(20, 20))
        with h5py.File("steered.h5", "r") as file:
            none, optimistic = lines("steered")
            numpy.testing.assert_array_equal(optimistic.get_ydata(),
                                             file["steering/gap"][1].mean(axis=0))
            self.assertEqual(none.get_label(), "mediator none")
        payments = lines("auction", "payment")
        self.assertEqual([line.get_label() for line in payments], [f"stage {h}" for h in range(3)])
        numpy.testing.assert_array_equal(payments[0].get_ydata(), payments[0].get_xdata())
        [points] = lines("agents")
        self.assertEqual(points.get_xdata().tolist(), [1, 10])
        self.assertEqual(len(lines("predators", "exploitability_by_population")), 3)
        self.assertEqual(len(lines("rate_sweep")[0].get_ydata()), 6)
        self.assertEqual(len(lines("design")[0].get_ydata()), 4)
        with h5py.File("designs.h5", "r") as file:
            numpy.testing.assert_array_equal(lines("designs")[0].get_ydata(),
                                             file["summary/objective"])
        greedy, tpo = lines("preferences")
        self.assertEqual([greedy.get_label(), tpo.get_label()], ["method greedy", "method tpo"])
        self.assertEqual(len(lines("one_shot")[0].get_ydata()), 5)
        with self.assertRaisesRegex(KeyError, "no dataset nonsense"):
            lines("design", "nonsense")
        with self.assertRaisesRegex(ValueError, "plot a part of"):
            lines("crowd_motion", "policy")

    def test_it_is_short(self):
        with open(os.path.join(SOURCE, "tools/walras.py"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertLess(len(lines), 200)
        self.assertLessEqual(max(map(len, lines)), 100)

    # ---- docs/readers.md ----------------------------------------------------------------------

    def run_example(self, command, suffix, text):
        """Two numbers that an example prints: the last exploitability, the mass of stage 0."""
        write(f"example{suffix}", text)
        done = subprocess.run([*command, f"example{suffix}"], capture_output=True, text=True,
                              timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        last, mass = map(float, done.stdout.split())
        self.assertAlmostEqual(last, self.reference[-1], delta=1e-6 * self.reference[-1])
        self.assertAlmostEqual(mass, 1, delta=1e-6)

    def test_python(self):
        scripts = blocks("python")
        self.assertEqual(len(scripts), 3)
        printed = []
        for script in scripts:
            done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                                  env=dict(os.environ, PYTHONPATH=os.path.join(SOURCE, "tools")),
                                  check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            printed.append(done.stdout.split())
        for name in ("exploitability.png", "mass.png", "payment.png"):
            self.assertGreater(os.path.getsize(name), 5000)
        self.assertAlmostEqual(float(printed[1][0]), self.reference[-1], delta=1e-9)
        with h5py.File("crowd_motion.h5", "r") as file:
            mass = file["solution/mean_field"][-1]
        self.assertEqual([float(word) for word in printed[2]], [mass.max(), mass.argmax()])

    def test_r(self):
        if not shutil.which("Rscript"):
            self.skipTest("there is no R: apt install r-base-core r-cran-hdf5r")
        there = subprocess.run(["Rscript", "-e", "library(hdf5r)"], capture_output=True, check=False)
        if there.returncode != 0:
            self.skipTest("R has no hdf5r: apt install r-cran-hdf5r")
        [script] = blocks("r")
        self.run_example(["Rscript"], ".R", script)

    def test_octave(self):
        if not shutil.which("octave-cli"):
            self.skipTest("there is no Octave: apt install octave")
        [script] = blocks("octave")
        self.run_example(["octave-cli", "--norc"], ".m", script)

    def test_julia(self):
        if not shutil.which("julia"):
            self.skipTest("there is no Julia, which Debian 12 does not have")
        [script] = blocks("julia")
        self.run_example(["julia"], ".jl", script)


if __name__ == "__main__":
    unittest.main()
