# SPDX-License-Identifier: GPL-3.0-or-later
"""What a solve stores, what /run tells of the exchange, and recorded runs read with h5py."""

import json
import os
import subprocess
import unittest

import h5py
import numpy

import run_file_compare
from walras_cli import MPIRUN, WALRAS, environment, walras, write

SCENARIO = """return solve {
  game = crowd_motion { rows = 30, columns = 30 }, stop = { iterations = 10 } %s }"""
ARRAYS = {"policy", "mean_field", "value"}


def run(name, store="", ranks=None):
    scenario, output = write(f"{name}.lua", SCENARIO % store), f"{name}.h5"
    result = walras("run", scenario, "-q", "-o", output, ranks=ranks)
    assert result.status == 0, result
    return output


def arrays(file):
    return {name for name in file.get("solution", ()) if name in ARRAYS}


class Stored(unittest.TestCase):
    def test_all_is_stored_unless_said(self):
        with h5py.File(run("all"), "r") as file:
            self.assertEqual(arrays(file), ARRAYS)
            store = json.loads(file["scenario/resolved"][()])["solve"]["store"]
            self.assertEqual(store, {"policy": True, "mean_field": True, "value": True,
                                     "precision": "double"})

    def test_what_is_left_out_is_absent(self):
        whole = run("whole")
        for left_out in ({"policy"}, {"value"}, {"mean_field", "value"}, ARRAYS):
            store = ", store = {" + ", ".join(f"{name} = false" for name in left_out) + "}"
            part = run("part", store)
            with self.subTest(left_out=left_out), h5py.File(part, "r") as file, \
                    h5py.File(whole, "r") as full:
                self.assertEqual(arrays(file), ARRAYS - left_out)
                self.assertEqual("solution" in file, left_out != ARRAYS)
                if left_out != ARRAYS:
                    self.assertEqual("action" in file["solution"], "policy" not in left_out)
                for name in arrays(file):
                    self.assertTrue((file["solution"][name][:] == full["solution"][name][:]).all())
                for name in full["trace"]:
                    self.assertTrue((file["trace"][name][:] == full["trace"][name][:]).all())
            self.assertEqual(walras("info", part).status, 0)
            result = walras("diff", whole, part)
            self.assertNotEqual(result.status, 0, result)
            self.assertIn("differ", result.out + result.err)
            os.remove(part)

    def test_single_precision_is_of_the_solution_alone(self):
        with h5py.File(run("double"), "r") as double, \
                h5py.File(run("single", ', store = { precision = "single" }'), "r") as single:
            for name in ARRAYS:
                stored = single["solution"][name]
                self.assertEqual(stored.dtype, numpy.float32)
                expected = double["solution"][name][:].astype(numpy.float32)
                self.assertTrue((stored[:] == expected).all())
            self.assertEqual(single["trace/exploitability"].dtype, numpy.float64)

    def test_the_same_bytes_on_several_ranks(self):
        store = ', store = { value = false, precision = "single" }'
        self.assertEqual(run_file_compare.differences(run("one", store), run("two", store, 2)), [])

    def test_mistakes_are_told(self):
        for store, said in (("{ polcy = false }", 'store: unknown parameter "polcy"; did you mean '
                             '"policy"?'), ('{ precision = "half" }', "precision"),
                            ("{ value = 1 }", "value")):
            result = walras("check", write("bad.lua", SCENARIO % f", store = {store}"))
            self.assertEqual(result.status, 65, result)
            self.assertIn(said, result.err)
            self.assertEqual(len(result.err.splitlines()), 1, result)


class Traffic(unittest.TestCase):
    NAMES = ("bytes_per_iteration", "messages_per_iteration", "collectives_per_iteration")

    def test_run_tells_what_is_exchanged(self):
        store = ", store = { policy = false }"
        with h5py.File(run("alone", store), "r") as file:
            self.assertEqual([file["run"].attrs[name] for name in self.NAMES], [0, 0, 0])
        with h5py.File(run("several", store, 2), "r") as file:
            for name in self.NAMES:
                self.assertEqual(file["run"].attrs[name].dtype, numpy.float64)
            self.assertGreater(file["run"].attrs["bytes_per_iteration"], 0)
            self.assertGreater(file["run"].attrs["collectives_per_iteration"], 0)


class Recorded(unittest.TestCase):
    """The files that tests/mpi/test_run_record.c makes: written, and recorded and replayed."""

    def test_a_replayed_run_equals_the_one_written(self):
        program = os.path.join(os.path.dirname(WALRAS), "tests", "mpi", "test_run_record")
        for ranks in (1, 3):
            folder = os.path.abspath(f"kept-{ranks}")
            os.mkdir(folder)
            subprocess.run([*MPIRUN, "-n", str(ranks), program, "kept_for_others"], check=True,
                           env=environment(ranks, {"WALRAS_KEEP": folder}), timeout=200,
                           stdout=subprocess.DEVNULL)
            direct, replayed = (os.path.join(folder, f"{name}.h5")
                                for name in ("direct", "replayed"))
            for group in ("/runs/run_000007", "/runs/run_000008"):
                self.assertEqual(
                    run_file_compare.part_differences(direct, replayed, group), [])


if __name__ == "__main__":
    unittest.main()
