# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts of a design: the best one is what it would be alone, on every number of ranks, also when
it was stopped in between; what cannot be is refused by name; sweeps of designs are ranked."""

import glob
import os
import re
import signal
import subprocess
import time
import unittest

import h5py
import numpy

import run_file_compare
from walras_cli import (SANITIZED, at_once, command_line, environment, folder, own_lines, stop,
                        walras, write)

RESTARTS, SEED = 4, 7
DESIGN = """return design {
  game = batched_auction { values = 10, bids = 10, rounds = 2, mechanism = neural { hidden = 8 } },
  objective = revenue {}, learner = mirror_descent { rate = 10, entropy = 0.01, iterations = 50 },
  optimizer = adam { rate = 0.01 }, steps = %d, evaluate = { iterations = 60, every = 3 },
  restarts = %d, seed = %d,
}"""
SWEEP = """return sweep {
  base = design {
    game = batched_auction { values = 10, bids = 10, mechanism = neural { hidden = 8 } },
    objective = revenue {}, learner = mirror_descent { entropy = 0.01, iterations = 20 },
    steps = 4, evaluate = { iterations = 30, every = 2 } },
  vary = { ["optimizer.rate"] = { 0.001, 0.1, 1e308 } },
  seeds = 2,
}"""
DIVERGING = """return design { game = predator_prey { toll = toll {} },
  objective = congestion {}, learner = mirror_descent { rate = 30, entropy = 0.01, iterations = 10 },
  steps = 3, evaluate = { every = 1, iterations = 30 }, restarts = 3 }"""
TABLE = ("restart", "seed", "rank", "status", "error", "objective", "exploitability",
         "plain_exploitability", "best_step", "steps")
TRACE = {"step", "objective", "gradient_norm", "assessed_objective", "exploitability",
         "plain_exploitability", "residual"}


def is_of_restarts(path):
    return path == "/restarts" or path.startswith("/restarts/")


class Restarts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder("restarts")
        cls.scenario = write(cls.path("design.lua"), DESIGN % (9, RESTARTS, SEED))
        cls.results = dict(zip((None, 2, 3), at_once(cls.run_on, (None, 2, 3))))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def file(cls, ranks=None):
        return cls.path(f"on{ranks or 1}.h5")

    @classmethod
    def run_on(cls, ranks):
        return walras("run", cls.scenario, "-q", "-o", cls.file(ranks), ranks=ranks)

    def refused(self, status, line, *args):
        result = walras("run", self.scenario, "-o", self.path("refused.h5"), *args)
        self.assertEqual(result.status, status, result)
        self.assertEqual([text.replace(self.scenario, "FILE") for text in own_lines(result.err)],
                         [line], result)
        self.assertFalse(os.path.exists(self.path("refused.h5")))

    def test_same_bytes_on_every_number_of_ranks(self):
        for ranks, result in self.results.items():
            self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
            self.assertEqual(run_file_compare.differences(self.file(), self.file(ranks)), [])
        result = walras("diff", self.file(), self.file(3))
        self.assertEqual(result.status, 0, result)

    def test_the_best_restart_is_what_it_would_be_alone(self):
        with h5py.File(self.file(), "r") as file:
            best = int(file["restarts"].attrs["best"])
            seed = int(file["restarts/seed"][best])
            self.assertEqual(file.attrs["seed"], SEED)
            self.assertEqual(seed, SEED + best)
        alone = self.path("alone.h5")
        result = walras("run", self.scenario, "-q", "-o", alone, "-P", "restarts=1", "-P",
                        f"seed={seed}")
        self.assertEqual(result.status, 0, result)
        found = [line for line in run_file_compare.differences(alone, self.file())
                 if not is_of_restarts(line.split(":")[0])]
        self.assertEqual(len(found), 2, found)
        self.assertRegex(found[0], "^/: attributes .*'seed'")
        self.assertEqual(found[1].split(":")[0], "/scenario/resolved")
        # As is what is printed of it.
        lines = lambda text, first: re.sub(r"  seconds .*(\n.*)*", "", text[text.index(first):])
        self.assertEqual(lines(self.results[None].out, "batched_auction"),
                         lines(result.out, "batched_auction"))
        with h5py.File(self.file(), "r") as file, h5py.File(alone, "r") as single:
            self.assertEqual(file["run/seconds"].shape, single["run/seconds"].shape)
            self.assertEqual(set(file[f"restarts/run_{best:06d}"]), TRACE)
            for name in TRACE:
                numpy.testing.assert_array_equal(file[f"restarts/run_{best:06d}/{name}"],
                                                 single[f"design/{name}"])

    def test_the_table_ranks_the_restarts(self):
        with h5py.File(self.file(), "r") as file:
            table = {name: file[f"restarts/{name}"][()] for name in TABLE}
            self.assertEqual(table["seed"].tolist(), [SEED + r for r in range(RESTARTS)])
            order = numpy.argsort(-table["objective"])
            self.assertEqual(table["rank"][order].tolist(), [*range(1, RESTARTS + 1)])
            self.assertEqual(file["restarts"].attrs["best"], order[0])
            self.assertEqual(len(set(table["objective"])), RESTARTS)
            self.assertEqual(table["status"].tolist(), [0] * RESTARTS)
            self.assertEqual(set(table["steps"]), {9})
            names = file["design/reference/name"].asstr()[()].tolist()
            self.assertEqual(names, ["first price", "start", "best design"])
            for r in range(RESTARTS):
                trace = file[f"restarts/run_{r:06d}"]
                row = trace["step"][()].tolist().index(table["best_step"][r])
                self.assertEqual(trace["assessed_objective"][row], table["objective"][r])
                self.assertEqual(trace["exploitability"][row], table["exploitability"][r])
                self.assertEqual(file[f"run/run_{r:06d}/seconds"].shape, trace["step"].shape)
            self.assertEqual(file["run/restart_seconds"].shape, (RESTARTS,))
        rows = [line.split() for line in self.results[2].out.splitlines()[2:2 + RESTARTS]]
        self.assertEqual([row[:3] for row in rows],
                         [[str(i + 1), str(r), str(SEED + r)] for i, r in enumerate(order)])

    def test_the_file_can_be_made_again_from_itself(self):
        with h5py.File(self.file(), "r") as file:
            again = write(self.path("again.json"), file["scenario/resolved"].asstr()[()])
            self.assertEqual(file["scenario/source"].asstr()[()], DESIGN % (9, RESTARTS, SEED))
        result = walras("run", again, "-q", "-o", self.path("again.h5"))
        self.assertEqual(result.status, 0, result)
        self.assertEqual(run_file_compare.differences(self.file(), self.path("again.h5")), [])

    def test_several_ranks_a_restart(self):
        result = walras("run", self.scenario, "-q", "-o", self.path("groups.h5"), "-P",
                        "ranks_per_restart=2", ranks=3)
        self.assertEqual(result.status, 0, result)
        found = run_file_compare.differences(self.file(), self.path("groups.h5"))
        self.assertEqual([line.split(":")[0] for line in found], ["/scenario/resolved"])
        with h5py.File(self.path("groups.h5"), "r") as file:
            self.assertEqual((file["run"].attrs["groups"], file["run"].attrs["ranks"]), (1, 3))

    def test_what_is_refused(self):
        self.refused(65, "FILE:1: design: restarts: expected a whole number in [1, 1000000], got 0",
                     "-P", "restarts=0")
        self.refused(65, "FILE:1: design: restarts: expected seeds up to 2^53, got 4 of them from "
                     "9007199254740990 on", "-P", "seed=9007199254740990")
        sweep = write(self.path("nested.lua"), SWEEP)
        result = walras("run", sweep, "-o", self.path("nested.h5"), "-P", "base.restarts=3")
        self.assertEqual(result.status, 65, result)
        self.assertRegex(result.err, r"nested.lua:\d+: design: restarts: expected 1 in a sweep, got "
                         r"3; sweep\{seeds = 3\} has them \(run 0: optimizer.rate=0.001\)\n$")

    def test_all_restarts_fail(self):
        for ranks in (None, 2):
            result = walras("run", self.scenario, "-q", "-o", self.path(f"failed{ranks}.h5"),
                            "-P", "optimizer.rate=1e308", ranks=ranks)
            self.assertEqual(result.status, 3, result)
            self.assertEqual(own_lines(result.err), [
                "walras: batched_auction: the next value is too large (all 4 restarts failed)"])
            self.assertFalse(os.path.exists(self.path(f"failed{ranks}.h5")))

    def test_all_restarts_diverge(self):
        scenario = write(self.path("diverging.lua"), DIVERGING)
        result = walras("run", scenario, "-q", "-o", self.path("diverging.h5"), ranks=2)
        self.assertEqual(result.status, 2, result)
        lines = own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        self.assertRegex(lines[0], r"^walras: predator_prey: the learner diverges: .* \(all 3 "
                         r"restarts failed\)$")
        self.assertFalse(os.path.exists(self.path("diverging.h5")))
        # In a sweep such a design has no objective, and the others are ranked.
        sweep = write(self.path("diverging-sweep.lua"), DIVERGING.replace(
            "return", "return sweep { base =").replace("restarts = 3", "restarts = 1") +
            ', vary = { ["learner.rate"] = { 30, 0.01 } } }')
        result = walras("run", sweep, "-q", "-o", self.path("diverging-sweep.h5"))
        self.assertEqual(result.status, 2, result)
        with h5py.File(self.path("diverging-sweep.h5"), "r") as file:
            self.assertEqual(file["summary/rank"][()].tolist(), [0, 1])
            self.assertEqual(file["summary/status"][()].tolist(), [2, 0])

    def test_restarts_that_are_alike_are_told(self):
        scenario = write(self.path("alike.lua"), """return design {
          game = beach_bar { states = 10, bar = 5, toll = toll {} }, objective = congestion {},
          learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 10 }, steps = 2,
          restarts = 2 }""")
        result = walras("run", scenario, "-q", "-o", self.path("alike.h5"))
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r"^walras: warning: \S+alike.lua:1: design: restarts: all came "
                         r"to the same: nothing in this design seems to be drawn\n$")

    def test_dry_run(self):
        result = walras("run", self.scenario, "-o", self.path("dry.h5"), "--dry-run", ranks=2)
        self.assertEqual(result.status, 0, result)
        # What is in the file is not much less than was told.
        told = float(re.search(r"file has at most about (\S+) KiB", result.out)[1]) * 1024
        self.assertLess(os.path.getsize(self.file()), told)
        self.assertLess(told, 3 * os.path.getsize(self.file()))
        self.assertRegex(result.out, r"^4 restarts, 2 at once: a restart takes at most about \S+ "
                         r"\S+ of memory a rank; the file has at most about \S+ \S+\n$")

    def test_games_that_differ_are_told(self):
        result = walras("run", self.scenario, "-q", "-o", self.path("drawn.h5"), "-P",
                        "game.prior=dirichlet{}", "-P", "restarts=2", "-P", "steps=1")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(len(own_lines(result.err)), 1, result)
        self.assertIn("design: restarts: dirichlet{} is drawn with the seed", result.err)

    def test_stopped_and_resumed(self):
        steps = 60 if SANITIZED else 300
        scenario = write(self.path("long.lua"), DESIGN % (steps, RESTARTS, SEED))
        whole, part = self.path("whole.h5"), self.path("part.h5")
        result = walras("run", scenario, "-q", "-o", whole, ranks=2)
        self.assertEqual(result.status, 0, result)
        line = command_line(["run", scenario, "-q", "-o", part, "--checkpoint-every",
                             f"{steps // 6}it"], 2)
        with subprocess.Popen(line, env=environment(2, leaks=False), start_new_session=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            end = time.monotonic() + 60
            while (not glob.glob(self.path("part.run-*.checkpoint-*")) and process.poll() is None
                   and time.monotonic() < end):
                time.sleep(0.004)
            process.send_signal(signal.SIGUSR1)
            try:
                _, err = process.communicate(timeout=60)
            except subprocess.TimeoutExpired:
                stop(process)
                raise
        self.assertEqual(process.returncode, 75, err)
        self.assertRegex(err, r"walras: stopped by a signal with \d of 4 restarts finished; to go "
                         r"on: walras resume \S+part.h5")
        result = walras("resume", part, "-q", ranks=3)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(run_file_compare.differences(whole, part), [])
        self.assertEqual(glob.glob(self.path("part.*checkpoint*")), [])

    def test_sweeps_of_designs_are_ranked(self):
        sweep = write(self.path("sweep.lua"), SWEEP)
        result = walras("run", sweep, "-q", "-o", self.path("sweep.h5"), ranks=2)
        self.assertEqual(result.status, 2, result)  # the last rate is too large
        with h5py.File(self.path("sweep.h5"), "r") as file:
            summary = {name: file[f"summary/{name}"][()] for name in
                       ("objective", "rank", "best_step", "iterations", "value")}
            for run in range(4):
                self.assertEqual(file[f"runs/run_{run:06d}/design/reference/objective"][-1],
                                 summary["objective"][run])
        self.assertTrue(numpy.isnan(summary["objective"][4:]).all())
        self.assertTrue(numpy.isnan(summary["value"]).all())
        order = numpy.argsort(-summary["objective"][:4])
        self.assertEqual(summary["rank"][order].tolist(), [1, 2, 3, 4])
        self.assertEqual(summary["rank"][4:].tolist(), [0, 0])
        rows = [line.split() for line in result.out.splitlines()[1:7]]
        self.assertEqual([row[:2] for row in rows],
                         [[str(i + 1), str(run)] for i, run in enumerate(order)] +
                         [["-", "4"], ["-", "5"]])
        lines = result.out.splitlines()
        head = lines.index("mean objective of the 2 seeds (least to most):")
        means = sorted(((-summary["objective"][2 * i:2 * i + 2].mean(), rate)
                        for i, rate in enumerate(("0.001", "0.1"))))
        for line, (mean, rate) in zip(lines[head + 1:head + 3], means):
            self.assertRegex(line, rf"^ +{-mean:.6g}  \(\S+ to \S+\)  optimizer.rate={rate}$")
        self.assertEqual(lines[head + 3], "6 runs, 2 failed; file " + self.path("sweep.h5"))
        self.assertEqual([float(row[5]) for row in rows[:4]],
                         [float(f"{x:.6g}") for x in summary["objective"][order]])


if __name__ == "__main__":
    unittest.main()
