# SPDX-License-Identifier: GPL-3.0-or-later
"""Games from tables: the example of docs/tabulated.md, agreement with built-in games and with a
solver in numpy, all the ways to write the same tables, and files that are wrong."""

import json
import os
import re
import subprocess
import sys
import unittest

import h5py
import numpy
import run_file_compare
from walras_cli import (MPIRUN, SANITIZED, SOURCE, at_once, environment, folder, left, own_lines,
                        walras, write)

RANKS = (1, 2, 3, 4, 7)
FILE = "scenario.lua"


def scenario(place, text):
    return write(os.path.join(place, FILE), f"return solve {{ {text} }}\n")


def csr(matrix):
    """data, indices, indptr of rows."""
    rows, columns = matrix.nonzero()
    return matrix[rows, columns], columns, numpy.searchsorted(rows, numpy.arange(len(matrix) + 1))


def save(place, tables, name="tables.h5", **how):
    """A file of these tables. Matrices are full: [S,A,S], or with stages in front."""
    path = os.path.join(place, name)
    with h5py.File(path, "w") as file:
        for name, value in tables.items():
            if name == "horizon":
                file.attrs[name] = value
            elif name in ("kernel", "reward_mass") and not how.get("full"):
                parts = csr(value.reshape(-1, value.shape[-1]))
                for part, numbers in zip(("data", "indices", "indptr"), parts):
                    file[f"{name}/{part}"] = numbers
            else:
                file[name] = value
    return path


def random_game(seed, states=11, actions=4, horizon=5, varies=False):
    rng = numpy.random.default_rng(seed)
    stages = (horizon - 1,) if varies else ()
    kernel = rng.random((*stages, states, actions, states))
    kernel *= rng.random(kernel.shape) < 0.3
    kernel[..., 0] += 0.05
    kernel /= kernel.sum(axis=-1, keepdims=True)
    legal = rng.random((states, actions)) < 0.7
    legal[numpy.arange(states), numpy.arange(states) % actions] = True
    shape = (horizon, states, actions) if varies else (states, actions)
    initial = rng.random(states)
    matrix = rng.normal(size=(*((horizon,) if varies else ()), states, actions, states))
    matrix *= rng.random(matrix.shape) < 0.4
    return {"horizon": horizon, "initial": initial / initial.sum(), "kernel": kernel,
            "reward": rng.normal(size=shape), "reward_mass": matrix, "legal": legal}


def solve(tables, rate, steps):
    """Mirror descent in numpy: exploitabilities, and the last policy's mean field and values."""
    horizon, legal = tables["horizon"], tables["legal"]
    states, actions = legal.shape
    layer = lambda table, rank, h: table[h] if table.ndim > rank else table
    y = numpy.zeros((horizon, states, actions))
    trace = []
    for step in range(steps + 1):
        weight = numpy.where(legal, numpy.exp(y - y.max(axis=2, keepdims=True)), 0)
        policy = weight / weight.sum(axis=2, keepdims=True)
        mass = [tables["initial"]]
        for h in range(horizon - 1):
            mass.append(numpy.einsum("s,sa,sat->t", mass[h], policy[h],
                                     layer(tables["kernel"], 3, h)))
        value, best = numpy.zeros(states), numpy.zeros(states)
        q, values = numpy.zeros_like(y), numpy.zeros((horizon, states))
        for h in reversed(range(horizon)):
            reward = layer(tables["reward"], 2, h) + layer(tables["reward_mass"], 3, h) @ mass[h]
            kernel = layer(tables["kernel"], 3, h if h < horizon - 1 else 0)
            q[h] = reward + kernel @ value
            value = (policy[h] * numpy.where(legal, q[h], 0)).sum(axis=1)
            best = numpy.where(legal, reward + kernel @ best, -numpy.inf).max(axis=1)
            values[h] = value
        trace.append(tables["initial"] @ (best - value))
        if step < steps:
            y = numpy.where(legal, y + rate * q, -numpy.inf)
    return numpy.array(trace), policy, numpy.array(mass), values


class Example(unittest.TestCase):
    """docs/tabulated.md"""

    @classmethod
    def setUpClass(cls):
        with open(os.path.join(SOURCE, "docs/tabulated.md"), encoding="utf-8") as file:
            cls.text = file.read()
        cls.place = folder("example")
        cls.script = re.search(r"^```python\n(.*?)^```", cls.text, re.M | re.S).group(1)
        subprocess.run([sys.executable, "-c", cls.script], cwd=cls.place, check=True)
        lua = re.search(r"^```lua\n(.*?)^```", cls.text, re.M | re.S).group(1)
        write(os.path.join(cls.place, "ring.lua"), lua)

    def test_it_is_solved_and_the_same_on_every_number_of_ranks(self):
        jobs = [None, *RANKS]
        results = at_once(lambda n: walras("run", "ring.lua", "-q", "-o", f"run-{n}.h5", ranks=n,
                                           cwd=self.place), jobs, 2)
        for ranks, result in zip(jobs, results):
            self.assertEqual((result.status, result.err), (0, ""), (ranks, result))
            self.assertEqual(run_file_compare.differences(
                os.path.join(self.place, "run-None.h5"),
                os.path.join(self.place, f"run-{ranks}.h5")), [])
        with h5py.File(os.path.join(self.place, "run-None.h5")) as run:
            gap = run["trace/exploitability"][:]
            self.assertLess(gap[-1], gap[0] / 50)
            self.assertEqual(run["axes/action_name"].asstr()[:].tolist(), ["back", "stay", "on"])
            mass = run["solution/mean_field"][-1]
            self.assertLess(abs(mass[1:] - mass[:0:-1]).max(), 1e-12)  # left is as good as right

    def test_messages_are_what_is_printed(self):
        shown = re.findall(r"^ring\.lua:1: .*", self.text, re.M)
        self.assertEqual(len(shown), 2)

        def shorter(file):
            indptr = file["kernel/indptr"][:-1]
            del file["kernel/indptr"]
            file["kernel/indptr"] = indptr

        def lighter(file):
            row = file["kernel/indptr"][3 * 3 + 1]
            file["kernel/data"][row] -= 0.1

        for message, change in zip(shown, (shorter, lighter)):
            place = folder("message")
            subprocess.run([sys.executable, "-c", self.script], cwd=place, check=True)
            write(os.path.join(place, "ring.lua"),
                  'return solve { game = tabulated { file = "tables.h5" } }')
            with h5py.File(os.path.join(place, "tables.h5"), "r+") as file:
                change(file)
            self.assertEqual(walras("check", "ring.lua", cwd=place).err.splitlines(), [message])


class Agreement(unittest.TestCase):
    """With built-in games, and with numpy."""

    def traces(self, built_in, tables, learner, tolerance):
        place = folder("agreement")
        save(place, tables)
        runs = []
        for name, game in (("a", built_in), ("b", 'tabulated { file = "tables.h5" }')):
            write(os.path.join(place, name + ".lua"),
                  f"return solve {{ game = {game}, learner = {learner}, stop = {{ iterations = "
                  "20 } }")
            result = walras("run", name + ".lua", cwd=place)
            self.assertEqual(result.status, 0, result)
            runs.append(h5py.File(os.path.join(place, name + ".h5")))
        for path in ("trace/exploitability", "solution/policy", "solution/mean_field",
                     "solution/value"):
            a, b = (run[path][:] for run in runs)
            numpy.testing.assert_allclose(b, a, rtol=0, atol=tolerance, err_msg=path)
        for run in runs:
            run.close()

    def test_left_right(self):
        kernel = numpy.zeros((3, 2, 3))
        kernel[:, 0, 1] = kernel[:, 1, 2] = 1
        mass = numpy.zeros((3, 2, 3))
        mass[1, :, 1], mass[2, :, 2] = -1, -2
        tables = {"horizon": 2, "initial": [1.0, 0, 0], "kernel": kernel, "reward_mass": mass,
                  "reward": numpy.zeros((3, 2))}
        for learner in ("mirror_descent {}", "fictitious_play {}", "prior_descent {}"):
            self.traces("left_right {}", tables, learner, 1e-14)

    def test_rock_paper_scissors(self):
        kernel = numpy.zeros((4, 3, 4))
        mass = numpy.zeros((4, 3, 4))
        for a in range(3):
            kernel[:, a, a + 1] = 1
        for s, x, payment in ((1, 3, 2), (1, 2, -1), (2, 1, 4), (2, 3, -2), (3, 2, 6), (3, 1, -3)):
            mass[s, :, x] = payment
        tables = {"horizon": 2, "initial": [1.0, 0, 0, 0], "kernel": kernel, "reward_mass": mass,
                  "reward": numpy.zeros((4, 3))}
        for learner in ("mirror_descent {}", "mirror_descent { rate = 0.1, entropy = 0.5 }"):
            self.traces("rock_paper_scissors {}", tables, learner, 1e-14)

    def test_random_games(self):
        for varies in (False, True):
            tables = random_game(3, varies=varies)
            gaps, policy, mass, value = solve(tables, 0.3, 12)
            place = folder("random")
            save(place, tables)
            scenario(place, 'game = tabulated { file = "tables.h5" }, learner = mirror_descent { '
                            "rate = 0.3 }, stop = { iterations = 12 }")
            results = at_once(lambda n: walras("run", FILE, "-o", f"{n}.h5", ranks=n, cwd=place),
                              RANKS, 2)
            for ranks, result in zip(RANKS, results):
                self.assertEqual((result.status, result.err), (0, ""), result)
                self.assertEqual(run_file_compare.differences(os.path.join(place, "1.h5"),
                                                              os.path.join(place, f"{ranks}.h5")),
                                 [])
            with h5py.File(os.path.join(place, "1.h5")) as run:
                for path, expected in (("trace/exploitability", gaps), ("solution/policy", policy),
                                       ("solution/mean_field", mass), ("solution/value", value)):
                    numpy.testing.assert_allclose(run[path][:], expected, rtol=1e-12, atol=1e-13,
                                                  err_msg=path)


class Forms(unittest.TestCase):
    """The same tables, however they are written, have the same checksum, which guards reruns."""

    def checksum(self, place, name):
        path = os.path.join(place, name)
        result = walras("check", FILE, "-P", f'game.file="{path}"', cwd=place)
        self.assertEqual((result.status, result.err), (0, ""), (name, result))
        game = json.loads(result.out)["solve"]["game"]["tabulated"]
        self.assertEqual(game["file"], path)
        return game["checksum"], game["horizon"]

    def test_forms(self):
        place = folder("forms")
        scenario(place, 'game = tabulated { file = "?" }')
        for varies in (False, True):
            tables = random_game(4, varies=varies)
            halves = {name: numpy.round(tables[name] * 64) / 64 for name in ("reward", "reward_mass")}
            tables.update(halves)
            save(place, tables, "usual.h5")
            usual = self.checksum(place, "usual.h5")
            self.assertEqual(usual[1], 5)
            save(place, tables, "full.h5", full=True)
            save(place, {**tables, "legal": tables["legal"].astype("u8")}, "whole.h5")
            save(place, {**tables, "reward": halves["reward"].astype("f2")}, "half.h5")
            save(place, {**tables, "reward": halves["reward"].astype(">f4")}, "big.h5")
            save(place, tables, "narrow.h5")
            with h5py.File(os.path.join(place, "narrow.h5"), "r+") as file:
                for name, kind in (("kernel/indptr", ">i4"), ("kernel/indices", "u1"),
                                   ("reward_mass/indices", ">u2"), ("initial", ">f8")):
                    numbers = file[name][:]
                    del file[name]
                    file.create_dataset(name, data=numbers.astype(kind), chunks=(7,), shuffle=True,
                                        compression="gzip", fletcher32=True)
                file.attrs["author"] = "somebody"
                file["notes/anything"] = 3
                file["legal_soft"] = h5py.SoftLink("/legal")
                file.move("legal", "real_thing")
                file["legal"] = h5py.SoftLink("/real_thing")
                del file["legal_soft"]
            nothing = tables["kernel"].copy()
            nothing[..., ~tables["legal"], :] = numpy.nan
            rewards = numpy.where(tables["legal"], tables["reward"], numpy.nan)
            save(place, {**tables, "kernel": nothing, "reward": rewards}, "illegal.h5")
            names = ["full", "whole", "half", "big", "narrow", "illegal"]
            for name, sums in zip(names, at_once(lambda n: self.checksum(place, n + ".h5"), names)):
                self.assertEqual(sums, usual, name)

    def test_horizon(self):
        place = folder("horizon")
        scenario(place, 'game = tabulated { file = "?" }')
        for varies, expected in ((False, None), (True, 5)):
            tables = random_game(5, varies=varies)
            del tables["horizon"]
            kernel_only = {**tables, "reward": numpy.zeros((11, 4))}
            del kernel_only["reward_mass"]
            for i, some in enumerate((tables, kernel_only)):
                path = save(place, some, f"{varies}-{i}.h5")
                result = walras("check", FILE, "-P", f'game.file="{path}"', cwd=place)
                if expected is None:
                    self.assertIn("horizon: expected an attribute of the file", result.err)
                else:
                    self.assertEqual(self.checksum(place, path)[1], expected)
                given = walras("check", FILE, "-P", f'game.file="{path}"', "-P", "game.horizon=7",
                               cwd=place)
                self.assertEqual(given.status, 65 if varies else 0, given)

    def test_a_rerun_with_other_tables_is_refused(self):
        place = folder("rerun")
        tables = random_game(6)
        save(place, tables)
        scenario(place, 'game = tabulated { file = "tables.h5" }, stop = { iterations = 3 }')
        self.assertEqual(walras("run", FILE, cwd=place).status, 0)
        write(os.path.join(place, "again.json"), walras("check", FILE, cwd=place).out)
        self.assertEqual(walras("run", "again.json", cwd=place).status, 0)
        same = walras("diff", "scenario.h5", "again.h5", cwd=place)
        self.assertEqual(same.status, 0, same)
        tables["reward"][2, 1] += 1e-9
        save(place, tables)
        result = walras("run", "-f", "again.json", cwd=place)
        self.assertEqual(result.status, 65)
        self.assertRegex(result.err, r"^again\.json: tabulated: checksum: expected tables with "
                                     r"this checksum, got those of tables\.h5 with [0-9a-f]{16}\n$")
        result = walras("run", "-f", "again.json", "-P", "game.checksum=nil", cwd=place)
        self.assertEqual(result.status, 0, result)


def put(name, value, **more):
    """Replaces a dataset."""
    def change(file):
        if name in file:
            del file[name]
        file.create_dataset(name, data=value, **more)
    return change


def part(name, index, value):
    def change(file):
        file[name][index] = value
    return change


def drop(*names):
    def change(file):
        for name in names:
            del file[name]
    return change


def rename(old, new):
    return lambda file: file.move(old, new)


def resize(name, by):
    """Cuts numbers off, or adds zeros."""
    def change(file):
        numbers = file[name][:]
        put(name, numbers[:by] if by < 0 else numpy.append(numbers, numbers[:by]))(file)
    return change


def unwritten(name):
    def change(file):
        shape = file[name].shape
        del file[name]
        file.create_dataset(name, shape, "f8")
    return change


def huge(file):
    del file["initial"]
    file.create_dataset("initial", (1 << 40,), "f8", chunks=(1024,), compression="gzip")[0] = 1


def elsewhere(file):
    del file["reward"]
    file["reward"] = h5py.ExternalLink("other.h5", "/reward")


def virtual(file):
    layout = h5py.VirtualLayout((11, 4), "f8")
    layout[:] = h5py.VirtualSource("other.h5", "reward", (11, 4))
    del file["reward"]
    file.create_virtual_dataset("reward", layout)


WHERE = r" \(state \d+, action \d\)"

# What is done to the tables of random_game(7), and what must then be said of the file.
WRONG = [
    (drop("initial"), "initial: expected a dataset of this name, got none"),
    (drop("kernel"), "kernel: expected a dataset of this name, got none"),
    (drop("kernel/data"), "kernel/data: expected a dataset of this name, got none"),
    (rename("reward", "rewards"), r'unknown name "rewards"; did you mean "reward"\?'),
    (rename("reward_mass", "mass_reward_table"), None),
    (rename("legal", "lega"), r'unknown name "lega"; did you mean "legal"\?'),
    (rename("kernel/indptr", "kernel/intptr"),
     r'unknown name "kernel/intptr"; did you mean "indptr"\?'),
    (resize("kernel/indptr", -1), "kernel/indptr: expected 45 numbers, or 177 for 4 stages, got 44"),
    (resize("kernel/data", 1), r"kernel/data: expected \d+ numbers, got \d+"),
    (resize("initial", 1), "reward: expected 12 states x actions numbers, or stages x 12 "
                           "states x actions, got 11 x 4"),
    (put("reward_mass", numpy.zeros((11, 4, 10))),
     "reward_mass: expected 11 x 4 x 11 numbers, got 11 x 4 x 10"),
    (put("legal", numpy.ones((4, 11), int)), "legal: expected 11 x 4 numbers, got 4 x 11"),
    (put("legal", numpy.eye(11, 4)), "legal: expected whole numbers, got real numbers"),
    (put("legal", 2 * numpy.ones((11, 4), int)),
     r"legal: expected whole numbers from 0 to 1, got 2 \(element 0, counted from 0\)"),
    (part("legal", 6, False), "legal: expected a legal action in every state, got none in state 6"),
    (part("kernel/indices", 3, 11),
     r"kernel/indices: expected whole numbers from 0 to 10, got 11 \(element 3, counted from 0\)"),
    (part("kernel/indices", 4, -1), r"kernel/indices: expected .* got -1 \(element 4, .*\)"),
    (part("kernel/indptr", 7, 1 << 40), r"kernel/indptr: expected .* got 1099511627776 .*"),
    (part("kernel/indptr", 0, 1), r"kernel/indptr: expected numbers from 0 to \d+, the length of "
                                  r"kernel/indices, got 1 to \d+"),
    (part("kernel/indptr", 5, 0), r"kernel/indptr: expected numbers that do not fall, got 0 after "
                                  r"\d+ \(element 5, counted from 0\)"),
    (part("kernel/data", 0, -0.25),
     r"kernel: expected probabilities of at least 0, got -0\.25 \(state 0, action 0\)"),
    (part("kernel/data", 0, numpy.nan), "kernel: expected probabilities .* got nan" + WHERE),
    (part("kernel/data", -1, 2.0), "kernel: expected probabilities with the sum 1, got 2.*" + WHERE),
    (part("initial", 3, -0.1), r"initial: expected masses of at least 0, got -0\.1 \(state 3\)"),
    (part("initial", 3, 1.0), r"initial: expected a sum of 1, got 1\.\d+"),
    (part("initial", 3, numpy.nan), r"initial: expected masses of at least 0, got nan \(state 3\)"),
    (part("reward", (0, 0), numpy.inf), r"reward: expected finite numbers, got inf \(state 0, "
                                        r"action 0\)"),
    (part("reward_mass/data", 0, numpy.nan), "reward_mass: expected finite numbers, got nan" + WHERE),
    (put("kernel/indptr", numpy.arange(45.0)), "kernel/indptr: expected whole numbers, got real "
                                               "numbers"),
    (put("kernel/indices", [0.5, 1]), "kernel/data: expected 2 numbers, got .*"),
    (put("reward", numpy.full((11, 4), b"much")), "reward: expected numbers, got texts"),
    (put("reward", numpy.ones((11, 4), complex)),
     "reward: expected numbers, got items of another kind"),
    (put("initial", "everywhere"), "initial: expected numbers .*"),
    (put("initial", 1.0), "initial: expected an array, got a single value"),
    (put("initial", h5py.Empty("f8")), "initial: expected an array, got nothing"),
    (put("initial", numpy.zeros(0)), "initial: expected one number a state, got .*"),
    (put("reward", numpy.zeros((1, 1, 1, 11, 4))), "reward: expected at most 4 dimensions, got 5"),
    (put("reward", numpy.zeros((3, 11, 4))), "reward: expected 5 x 11 x 4 numbers, got 3 x 11 x 4"),
    (put("axis_sizes", [2, 5]), "axis_sizes: expected sizes whose product is the 11 states, got 10"),
    (put("axis_sizes", [11]), "axis_names: expected a dataset of this name, got none"),
    (put("axis_names", numpy.array(["x"], "S")),
     "axis_sizes: expected a dataset of this name, got none"),
    (put("action_names", ["a", "b", "c", "d"]),
     "action_names: expected numbers or texts of fixed length, got texts of any length"),
    (put("action_names", numpy.array(["a", "b"], "S")), "action_names: expected 4 texts, got 2"),
    (put("action_names", numpy.array(["a", "b", "", "d"], "S")),
     r"action_names: expected names .* \(action 2\)"),
    (lambda file: file.attrs.modify("horizon", 0),
     "horizon: expected a whole number from 1 to 1000000, got 0"),
    (lambda file: file.attrs.create("horizon", 2.5),
     "horizon: expected one whole number, got real numbers"),
    (lambda file: file.attrs.create("horizon", "five"), "horizon: expected one whole number, got .*"),
    (lambda file: file.attrs.__delitem__("horizon"), "horizon: expected an attribute of the file, .*"),
    (lambda file: file["kernel"].move("data", "/data2") or drop("kernel")(file),
     "kernel: expected a dataset of this name, got none"),
    (put("reward", numpy.zeros((11, 4)), compression="lzf"),
     "reward: expected no filters but gzip, shuffle and fletcher32, got filter number 32000"),
    (unwritten("reward"), "reward: expected numbers, got none: they were never written"),
    (huge, "initial: expected no more numbers than a file of this length can hold"),
    (elsewhere, "reward: expected a dataset of this file, got a link to another"),
    (virtual, "reward: expected numbers kept in this file, got a reference to other files"),
]


class BadFiles(unittest.TestCase):
    def outcome(self, place, ranks=None):
        result = walras("run", FILE, cwd=place, ranks=ranks)
        lines = own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        self.assertEqual(result.out, "")
        self.assertEqual(sorted(set(left(place)) - {FILE, "tables.h5"}), [])
        return result.status, lines[0]

    def place_with(self, change):
        place = folder("wrong")
        scenario(place, '\n game = tabulated { file = "tables.h5" }')
        with h5py.File(save(place, random_game(7)), "r+") as file:
            change(file)
        return place

    def test_wrong_tables(self):
        wrong = [(change, text) for change, text in WRONG if text]
        places = [self.place_with(change) for change, _ in wrong]
        start = FILE + ":2: tabulated: file: tables.h5: "
        for (_, text), (status, line) in zip(wrong, at_once(self.outcome, places)):
            with self.subTest(text=text):
                self.assertEqual(status, 65, line)
                self.assertTrue(line.startswith(start), line)
                self.assertRegex(line[len(start):], f"^{text}$")

    def test_said_once_by_three_ranks(self):
        status, line = self.outcome(self.place_with(drop("initial")), 3)
        self.assertEqual(status, 65)
        self.assertIn("initial: expected a dataset", line)

    def test_machines_that_see_different_files(self):
        place = folder("machines")
        start = write(os.path.join(place, "start"),
                      "#!/bin/sh\ncd $OMPI_COMM_WORLD_RANK && exec \"$WALRAS\" run scenario.lua\n")
        os.chmod(start, 0o700)
        for rank in (0, 1):
            os.mkdir(os.path.join(place, str(rank)))
            save(os.path.join(place, str(rank)), random_game(10 + rank))
            scenario(os.path.join(place, str(rank)), 'game = tabulated { file = "tables.h5" }')
        result = subprocess.run([*MPIRUN, "-n", "2", start], cwd=place, capture_output=True,
                                text=True, timeout=60, env=environment(2, leaks=False))
        self.assertEqual(result.returncode, 65)
        self.assertEqual(own_lines(result.stderr), [FILE + ": the files that it names differ between "
                                                           "the machines"])

    def test_a_stage_is_named(self):
        place = folder("stage")
        tables = random_game(8, varies=True)
        tables["legal"][:] = True
        tables["kernel"][2, 3, 1] *= 0.5
        save(place, tables)
        scenario(place, 'game = tabulated { file = "tables.h5" }')
        self.assertRegex(self.outcome(place)[1],
                         r"the sum 1, got 0\.5 \(stage 2, state 3, action 1\)$")

    def test_no_tables(self):
        place = folder("none")
        scenario(place, 'game = tabulated { file = "no/tables.h5" }')
        self.assertEqual(self.outcome(place), (66, FILE + ":1: tabulated: file: no/tables.h5: no "
                                                          "such file"))
        scenario(place, "game = tabulated {}")
        self.assertEqual(self.outcome(place)[0], 65)
        scenario(place, 'game = tabulated { file = "." }')
        self.assertEqual(self.outcome(place), (66, FILE + ":1: tabulated: file: .: not a regular "
                                                          "file"))
        for content in (b"", b"text", b"\x89HDF\r\n\x1a"):
            scenario(place, 'game = tabulated { file = "tables.h5" }')
            write(os.path.join(place, "tables.h5"), content)
            self.assertEqual(self.outcome(place), (65, FILE + ":1: tabulated: file: tables.h5: not "
                                                              "an HDF5 file"))

    def test_damaged_files(self):
        """Cut short, or with a byte changed: an error, or other numbers, but never a crash."""
        place = folder("damaged")
        scenario(place, 'game = tabulated { file = "?" }')
        with open(save(place, random_game(9)), "rb") as file:
            whole = file.read()
        rng = numpy.random.default_rng(1)
        paths = []
        for i in range(20 if SANITIZED else 40):
            damaged = bytearray(whole)
            if i % 4 == 0:
                del damaged[int(rng.integers(8, len(whole))):]
            else:
                damaged[int(rng.integers(8, len(whole)))] ^= int(rng.integers(1, 256))
            paths.append(write(os.path.join(place, f"{i}.h5"), bytes(damaged)))
        check = lambda path: walras("check", FILE, "-P", f'game.file="{path}"', cwd=place,
                                    leaks=False)
        for path, result in zip(paths, at_once(check, paths)):
            self.assertIn(result.status, (0, 65, 74), (path, result))
            self.assertEqual(len(result.err.splitlines()), result.status != 0, (path, result))
            self.assertNotIn("unknown reason", result.err)  # HDF5 has one


if __name__ == "__main__":
    unittest.main()
