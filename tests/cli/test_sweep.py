# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps: the same bytes as the single runs, on every number of ranks; tables; failed runs."""

import os
import re
import subprocess
import unittest

import h5py
import numpy

import run_file_compare
from walras_cli import (MPIRUN, SANITIZED, WALRAS, at_once, environment, folder, own_lines, walras,
                        write)

RANKS = (2, 3) if SANITIZED else (2, 3, 4, 7)

SWEEP = """return sweep {
  base = solve { game = beach_bar { horizon = 4 }, seed = 5, stop = { iterations = 6 },
                 store = { value = false } },
  vary = { ["learner.rate"] = {0.1, 1}, ["game.states"] = {10, 20},
           ["game.initial"] = { function(s) return s == 0 and 1 or 0 end,
                                function(s) return s == 5 and 1 or 0 end } },
  seeds = 2,
}"""
LIST = """return {
  solve { game = crowd_motion { rows = 6, columns = 7 }, stop = { iterations = 4 } },
  solve { game = predator_prey { horizon = 5 }, learner = fictitious_play {}, seed = 3,
          stop = { iterations = 5, every = 2 } },
  solve { game = crowd_motion { rows = 5 }, learner = mirror_descent { entropy = 0.1 },
          stop = { iterations = 3 } },
}"""
# The second overflows; the third stops before it has converged.
FAILING = """return sweep {
  base = solve { game = beach_bar { states = 30 }, stop = { iterations = 30, exploitability = 0.05 } },
  vary = { learner = { mirror_descent { rate = 1 }, mirror_descent { rate = 1e308 },
                       mirror_descent { rate = 1e-4 } } },
}"""


def rows_of(out):
    """The lines of the table that show a run."""
    return [line.split() for line in out.splitlines() if re.match(r"^ *\d+  ", line)]


class Sweeps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder("sweep")
        cls.scenarios = {name: write(cls.path(f"{name}.lua"), text) for name, text in
                         {"sweep": SWEEP, "list": LIST, "failing": FAILING}.items()}
        jobs = [(name, ranks) for name in cls.scenarios for ranks in (None, *RANKS)]
        cls.results = dict(zip(jobs, at_once(cls.run_one, jobs)))

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    @classmethod
    def file(cls, name, ranks=None):
        return cls.path(f"{name}-{ranks or 'alone'}.h5")

    @classmethod
    def run_one(cls, job):
        name, ranks = job
        return walras("run", cls.scenarios[name], "-q", "-o", cls.file(name, ranks), ranks=ranks)

    def test_all_end_as_they_should(self):
        for (name, ranks), result in self.results.items():
            with self.subTest(name=name, ranks=ranks):
                self.assertEqual(result.status, 2 if name == "failing" else 0, result)
                self.assertEqual(own_lines(result.err), [], result)

    def test_same_bytes_on_every_number_of_ranks(self):
        for name in self.scenarios:
            for ranks in RANKS:
                with self.subTest(name=name, ranks=ranks):
                    self.assertEqual(run_file_compare.differences(
                        self.file(name), self.file(name, ranks)), [])

    def test_groups_of_several_ranks_make_the_same(self):
        for name in ("sweep", "list"):
            other = self.path(f"{name}-groups.h5")
            result = walras("run", self.scenarios[name], "-q", "-o", other, "-P",
                            "ranks_per_run=2", ranks=3 if SANITIZED else 5)
            self.assertEqual(result.status, 0, result)
            found = run_file_compare.differences(self.file(name), other)
            self.assertEqual([line for line in found if "/scenario/resolved" not in line], [])

    def single(self, name, run):
        """The resolved scenario of a run, run alone."""
        with h5py.File(self.file(name), "r") as file:
            group = file[f"runs/run_{run:06d}"]
            scenario = write(self.path(f"{name}-single-{run}.json"),
                             group["scenario/resolved"].asstr()[()])
        output = self.path(f"{name}-single-{run}.h5")
        return walras("run", scenario, "-q", "-o", output), output

    def check_single(self, name, run):
        result, output = self.single(name, run)
        self.assertEqual(result.status, 0, result)
        with h5py.File(self.file(name), "r") as swept, h5py.File(output, "r") as alone:
            group = swept[f"runs/run_{run:06d}"]
            self.assertEqual(group.attrs["seed"], alone.attrs["seed"])
            self.assertEqual(group.attrs["task"], alone.attrs["task"])
            ours = {path[len(group.name):]: item for path, item in
                    run_file_compare.objects(swept).items() if path.startswith(group.name + "/")}
            theirs = {path: item for path, item in run_file_compare.objects(alone).items()
                      if path != "/" and not path.startswith("/run")}
            self.assertEqual(set(ours), set(theirs))
            for path, item in theirs.items():
                if not isinstance(item, h5py.Dataset):
                    continue
                self.assertEqual(run_file_compare.layout(ours[path]),
                                 run_file_compare.layout(item), path)
                self.assertEqual(run_file_compare.raw(ours[path][()]),
                                 run_file_compare.raw(item[()]), path)
                for attribute in ("units", "long_name"):
                    self.assertEqual(ours[path].attrs[attribute], item.attrs[attribute])
                scales = [[scale.name for scale in dim.values()] for dim in item.dims]
                self.assertEqual([[scale.name[len(group.name):] for scale in dim.values()]
                                  for dim in ours[path].dims], scales)

    def test_runs_equal_single_runs(self):
        for name, runs in (("sweep", (0, 3, 6, 15)), ("list", (0, 1, 2))):
            for run in runs:
                with self.subTest(name=name, run=run):
                    self.check_single(name, run)

    def test_order_and_table(self):
        with h5py.File(self.file("sweep"), "r") as file:
            table = file["summary"]
            self.assertEqual(file.attrs["task"], "sweep")
            self.assertEqual(file.attrs["seed"], 5)
            self.assertEqual(file["runs"].keys(), {f"run_{i:06d}" for i in range(16)})
            numpy.testing.assert_array_equal(table["run"], range(16))
            numpy.testing.assert_array_equal(table["seed"], [5, 6] * 8)
            numpy.testing.assert_array_equal(table["learner_rate"], [0.1, 0.1, 1, 1] * 4)
            numpy.testing.assert_array_equal(table["game_states"], ([10] * 4 + [20] * 4) * 2)
            self.assertEqual(list(table["game_initial"].asstr()),
                             ["function 1"] * 8 + ["function 2"] * 8)
            self.assertEqual(table["game_states"].attrs["long_name"], "game.states")
            numpy.testing.assert_array_equal(table["status"], [0] * 16)
            for i in range(16):
                trace = file[f"runs/run_{i:06d}/trace"]
                values = trace["exploitability"][:]
                self.assertEqual(table["exploitability_first"][i], values[0])
                self.assertEqual(table["exploitability_best"][i], values.min())
                self.assertEqual(table["exploitability_last"][i], values[-1])
                self.assertEqual(table["value"][i], trace["value"][-1])
                self.assertEqual(table["iterations"][i], trace["iteration"][-1])
                self.assertEqual(file[f"runs/run_{i:06d}"].attrs["seed"], table["seed"][i])
            self.assertNotIn("value", file["runs/run_000000/solution"])
            for name, column in table.items():
                self.assertTrue({"units", "long_name"} <= set(column.attrs), name)
                self.assertTrue(name == "run" or column.dims[0][0].name == "/summary/run", name)
            self.assertEqual(file["run/seconds"].shape, (16,))
            self.assertEqual(file["run"].attrs["ranks"], 1)
        with h5py.File(self.file("sweep", 3), "r") as file:
            self.assertEqual((file["run"].attrs["ranks"], file["run"].attrs["groups"]), (3, 3))

    def test_columns_of_a_list(self):
        with h5py.File(self.file("list"), "r") as file:
            table = file["summary"]
            self.assertEqual(list(table["game"].asstr()),
                             ["crowd_motion", "predator_prey", "crowd_motion"])
            numpy.testing.assert_array_equal(table["game_rows"][:], [6, 5, 5])
            numpy.testing.assert_array_equal(table["learner_entropy"][:], [0, numpy.nan, 0.1])
            numpy.testing.assert_array_equal(table["seed"][:], [1, 3, 1])

    def test_failed_runs_are_rows(self):
        for ranks in (None, *RANKS):
            with h5py.File(self.file("failing", ranks), "r") as file:
                table = file["summary"]
                numpy.testing.assert_array_equal(table["status"], [0, 3, 2])
                numpy.testing.assert_array_equal(table["converged"], [1, 0, 0])
                errors = list(table["error"].asstr())
                self.assertEqual((errors[0], errors[2]), ("", ""))
                self.assertRegex(errors[1], r"^beach_bar: iteration \d+: .*not finite")
                self.assertEqual(file["runs"].keys(), {"run_000000", "run_000002"})
                self.assertEqual(table["iterations"][1], -1)
                self.assertTrue(numpy.isnan(table["exploitability_last"][1]))
                self.assertEqual(file.attrs["complete"], 1)
        out = self.results["failing", None].out
        self.assertRegex(out, r"(?m)^ *1 .* failed: beach_bar: iteration")
        self.assertRegex(out, r"(?m)^ *2 .* NOT converged$")
        self.assertRegex(out, r"(?m)^3 runs, 1 failed, 1 NOT converged; file ")

    def test_resolved_sweep_runs_again(self):
        for name in ("sweep", "list"):
            with h5py.File(self.file(name), "r") as file:
                again = write(self.path(f"{name}-again.json"),
                              file["scenario/resolved"].asstr()[()])
            output = self.path(f"{name}-again.h5")
            result = walras("run", again, "-q", "-o", output)
            self.assertEqual(result.status, 0, result)
            self.assertEqual(run_file_compare.differences(self.file(name), output), [])
            check = walras("check", again)
            self.assertEqual(check.status, 0, check)
            with open(again) as file:
                self.assertEqual(check.out.strip(), file.read().strip())

    def test_printed_table(self):
        out = self.results["sweep", None].out
        rows = rows_of(out)
        self.assertEqual([int(row[0]) for row in rows], list(range(16)))
        lines = out.splitlines()
        left = [re.search(r"  (\S+) % left$", line) for line in lines[:17]]
        self.assertEqual(len({len(line[:at.start() if at else None])
                              for line, at in zip(lines, left)}), 1, out)
        heads = lines[0].split()[::-1]  # from the end: lists of numbers have blanks
        for row, at in zip(rows, left[1:]):
            row = row[::-1][3:] if at else row[::-1]
            share = 100 * float(row[heads.index("last")]) / float(row[heads.index("first")])
            self.assertAlmostEqual((float(at[1]) if at else 0) / share, 1 if at else 0, delta=0.06)
        self.assertTrue(any(left))
        self.assertRegex(lines[-2], r"^first, best, last: exploitability; left: of the first, ")
        self.assertEqual(lines[0].split()[:4], ["run", "seed", "game.initial", "game.states"])
        self.assertRegex(lines[-1], r"^16 runs; file .*sweep-alone\.h5$")

    def test_long_table_is_cut(self):
        result = walras("run", self.scenarios["failing"], "-q", "-o", self.path("long.h5"),
                        "-P", "vary={}", "-P", "seeds=60", "-P", "base.stop.iterations=1",
                        "-P", "base.stop.exploitability=0", "-P", "keep=summary")
        self.assertEqual(result.status, 0, result)
        numbers = [int(row[0]) for row in rows_of(result.out)]
        self.assertEqual(numbers, [*range(37), 57, 58, 59])
        self.assertIn("(20 more runs are in the file: /summary)", result.out)
        with h5py.File(self.path("long.h5"), "r") as file:
            self.assertNotIn("runs", file)
            numpy.testing.assert_array_equal(file["summary/seed"], range(1, 61))

    def test_overrides(self):
        output = self.path("overrides.h5")
        result = walras("run", self.scenarios["sweep"], "-q", "-o", output, "--seed", "40",
                        "-P", "seeds=3", "-P", "base.stop.iterations=2",
                        "-P", 'vary={["game.states"]={7,8}}', ranks=2)
        self.assertEqual(result.status, 0, result)
        with h5py.File(output, "r") as file:
            numpy.testing.assert_array_equal(file["summary/seed"], [40, 41, 42] * 2)
            numpy.testing.assert_array_equal(file["summary/game_states"], [7] * 3 + [8] * 3)
            numpy.testing.assert_array_equal(file["summary/iterations"], [2] * 6)
            self.assertEqual(file.attrs["seed"], 40)

    def test_info_and_diff(self):
        info = walras("info", self.file("sweep"))
        self.assertEqual((info.status, info.err), (0, ""), info)
        for text in ("/summary/learner_rate", "16 runs, of which this is the first",
                     "/runs/run_000000/solution/policy"):
            self.assertIn(text, info.out)
        self.assertNotIn("run_000001", info.out)
        same = walras("diff", self.file("sweep"), self.file("sweep", 2))
        self.assertEqual(same.status, 0, same)
        other = self.path("other.h5")
        walras("run", self.scenarios["list"], "-q", "-o", other, "-P", "runs=nil", "-P",
               "base=solve{game=crowd_motion{rows=6,columns=7},stop={iterations=4}}")
        self.assertEqual(walras("diff", self.file("list"), other).status, 1)
        changed = write(self.path("changed.lua"), LIST.replace("horizon = 5", "horizon = 6"))
        walras("run", changed, "-q", "-o", self.path("changed.h5"))
        different = walras("diff", self.file("list"), self.path("changed.h5"))
        self.assertEqual(different.status, 1, different)
        self.assertRegex(different.out, r"(?m)^first difference: /runs/run_000001/")

    def test_dry_run(self):
        for ranks in (None, 2):
            result = walras("run", self.scenarios["sweep"], "--dry-run", ranks=ranks)
            self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
            self.assertRegex(result.out, r"^16 runs, [12] at once: a run takes at most about "
                                         r"\S+ [KM]iB of memory a rank; the file has at most about "
                                         r"\S+ [KM]iB\n$")

    def test_dry_run_names_what_does_not_fit(self):
        """As in the sweep itself, such a run does not stop the others."""
        for values, told in (("100, 2000000000", "1 run does not fit into memory and will fail: "
                                                 "run 1 (game.states=2000000000)"),
                             ("2000000000, 100, 2000000001", "2 runs do not fit into memory and "
                              "will fail: the first is run 0 (game.states=2000000000)")):
            scenario = write(self.path("large.lua"), """return sweep {
  base = solve { game = beach_bar { horizon = 2000 }, stop = { iterations = 2 } },
  vary = { ["game.states"] = {%s} } }""" % values)
            for ranks in (None, 2):
                result = walras("run", scenario, "--dry-run", ranks=ranks)
                self.assertEqual((result.status, own_lines(result.err)), (0, []), result)
                self.assertRegex(result.out, r"^\d runs, [12] at once: a run takes at most about "
                                             r"\S+ [KM]iB of memory a rank; the file has at most "
                                             r"about \S+ [KM]iB\n" + re.escape(told) + r"\n$")
        result = walras("run", write(self.path("none.lua"), """return sweep { seeds = 2,
  base = solve { game = beach_bar { states = 2000000000, horizon = 2000 } } }"""), "--dry-run")
        self.assertEqual((result.status, result.out),
                         (0, "2 runs, 1 at once\n2 runs do not fit into memory and will fail: the "
                             "first is run 0\n"), result)

    def test_progress_counts_runs(self):
        result = walras("run", self.scenarios["list"], "--log", "json", "-o",
                        self.path("progress.h5"), ranks=2)
        self.assertEqual(result.status, 0, result)
        self.assertRegex(result.err, r'\{"event":"end","task":"sweep","run":3,"failed":0,')
        self.assertNotIn('"task":"solve"', result.err)

    def test_a_full_disk_ends_the_sweep(self):
        """Rank 0 writes alone; its failure must end the others, too."""
        if SANITIZED:
            self.skipTest("limits do not go with sanitizers")
        scenario = write(self.path("full.lua"), """return sweep { seeds = 60, base = solve {
          game = beach_bar { states = 20000, bar = 10, horizon = 4 },
          stop = { iterations = 1 } } }""")
        # The limit is above what MPI itself needs, and that of rank 0 alone.
        limit = write(self.path("limit.sh"), 'if [ "$OMPI_COMM_WORLD_RANK" = 0 ]; then\n'
                      '  trap "" XFSZ; ulimit -f 65536\nfi\nexec "$@"\n')
        command = [*MPIRUN, "-n", "3", "bash", limit, WALRAS, "run", scenario, "-q", "-o",
                   self.path("full.h5")]
        done = subprocess.run(command, env=environment(3), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 74, done)
        self.assertIn("write failed", done.stderr)
        self.assertFalse(os.path.exists(self.path("full.h5")))


if __name__ == "__main__":
    unittest.main()
