# SPDX-License-Identifier: GPL-3.0-or-later
"""`walras info --schema`: its table says what docs/run-file.md says; the files of all tasks are as
it says; what is changed in one is told by name, and what is damaged is noticed."""

import fnmatch
import os
import re
import shutil
import unittest

import h5py
import numpy

from run_file_docs import SECTIONS, documented, documented_of
from walras_cli import SANITIZED, at_once, folder, listed, walras, write

BEACH = "game = beach_bar { states = 12, horizon = 5, bar = 4 }"
RULE = "learner = mirror_descent { rate = 1, entropy = 0.05 }, stop = { iterations = 20 }"
ANSWER = "learner = mirror_descent { rate = 1, entropy = 0.05, iterations = 20 }"
TOLL = f"game = beach_bar {{ toll = toll {{ on = 'state_action' }} }}, {ANSWER}"
RULES = ("game = batched_auction { rounds = 2, values = 8, bids = 6, mechanism = neural "
         "{ hidden = 4 } }, objective = revenue {}, " + ANSWER)
CONGESTION = "objective = congestion { sharpness = 20 }"

# name: (kind, scenario). Every part of a file that the layout has stands in one of them.
SCENARIOS = {
    "grid": ("solve", "solve { game = crowd_motion {}, stop = { iterations = 3 } }"),
    "kinds": ("solve", "solve { game = predator_prey { horizon = 4 }, learner = mirror_descent { "
              "entropy = 0.1 }, stop = { iterations = 3 }, store = { precision = 'single' } }"),
    "auction": ("solve", "solve { game = batched_auction { values = 10, bids = 8 }, "
                "stop = { iterations = 3 } }"),
    "bounded": ("solve", "solve { game = bounded { game = beach_bar {}, low = -100, high = 100 }, "
                "stop = { iterations = 3 }, store = { policy = false } }"),
    "sweep": ("sweep", "sweep { base = solve { game = beach_bar {}, stop = { iterations = 3 } }, "
              "vary = { ['game.states'] = { 5, 6 }, learner = { 'mirror_descent {}', "
              "'fictitious_play {}' } } }".replace("'mirror_descent {}', 'fictitious_play {}'",
                                                   "mirror_descent {}, fictitious_play {}")),
    "sweep of designs": ("sweep", f"sweep {{ base = design {{ {TOLL}, {CONGESTION}, steps = 2 }}, "
                         "seeds = 2 }"),
    "table": ("sweep", "sweep { base = solve { game = beach_bar {}, stop = { iterations = 3 } }, "
              "seeds = 2, keep = 'summary' }"),
    "toll": ("design", f"design {{ {TOLL}, {CONGESTION}, steps = 2 }}"),
    "bounded toll": ("design", f"design {{ game = bounded {{ game = beach_bar {{}}, low = -100, "
                     f"high = 100, toll = toll {{}} }}, {ANSWER}, {CONGESTION}, steps = 1 }}"),
    "restarts": ("design", f"design {{ {RULES}, steps = 2, restarts = 2 }}"),
    "draws": ("design", f"design {{ {RULES}, draw = {{ goods = {{ 0.6, 0.9 }} }}, batch = 2, "
              "evaluate = { draws = 3 }, steps = 2 }"),
    "played": ("design", f"design {{ {BEACH[:-1]}, toll = toll {{}} }}, {ANSWER}, {CONGESTION}, "
               "steps = 2, agents = { 3, 9 }, episodes = 4 }"),
    "played solve": ("solve", f"solve {{ {BEACH}, {RULE}, agents = {{ 3, 9 }}, episodes = 4 }}"),
    "steered": ("steer", "steer { game = bounded { game = beach_bar { log_offset = 0.01 }, "
                "low = -6, high = 5 }, target = softmax_target {}, mediator = { none {}, "
                "optimistic {} }, episodes = 20, seeds = 2 }"),
    "preferences": ("transfer", "transfer { bandit = log_linear { prompts = 2, responses = 6, "
                    "features = 3 }, sources = mixtures { 0.9, -0.5 }, methods = { greedy {}, tpo {} "
                    "}, rounds = 20, seeds = 2 }"),
    "one shot": ("simulate (auction)", "simulate { game = one_shot_auction {}, samples = 1000 }"),
    "agents": ("simulate (populations)",
               f"simulate {{ {BEACH}, policy = equilibrium {{ {RULE} }}, agents = {{ 1, 3, 9 }}, "
               f"episodes = 9, record = 1, {CONGESTION} }}"),
}


def run(name):
    return walras("run", f"{name}.lua", "-q", "-o", f"{name}.h5")


def schema(path):
    return walras("info", "--schema", path)


class Layouts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.before, cls.folder = os.getcwd(), folder("schema")
        os.chdir(cls.folder)
        for name, (_, text) in SCENARIOS.items():
            write(f"{name}.lua", f"return {text}")
        cls.results = dict(zip(SCENARIOS, at_once(run, SCENARIOS)))
        printed = walras("info", "--schema").out.splitlines()
        cls.heading = printed[0]
        cls.rules = [line.split("\t") for line in printed[1:]]

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)

    def kinds(self):
        """Of the tasks that there are; checkpoints last."""
        tasks = {name for name, _ in listed("task")}
        return [kind for kind in SECTIONS if kind.split()[0] in tasks | {"checkpoint"}]

    def of_kind(self, kind):
        return {path: dims for form, path, what, dims, _, _ in self.rules
                if form == kind and what != "group"}

    # ---- the table and the document -----------------------------------------------------------

    def test_every_task_has_a_layout(self):
        self.assertEqual(self.heading, "file\tpath\ttype\tdimensions\tunits\tneed")
        self.assertEqual(sorted({rule[0] for rule in self.rules}), sorted(SECTIONS))
        self.assertLessEqual({name for name, _ in listed("task")},
                             {kind.split()[0] for kind in SECTIONS})

    def same(self, path, wanted, told):
        """Whether the table's dimensions are those of the document."""
        wanted, told = wanted.replace("~", ""), told.replace(", or ", ";").replace(", ", ",")
        if wanted.startswith("="):
            return told in ("", wanted[1:] or path.rpartition("/")[2])
        return told == {"": "" if "@" in path else "scalar", "-": "as the part"}.get(wanted, wanted)

    def test_the_document_says_what_the_table_says(self):
        for kind in self.kinds():
            rules, own = self.of_kind(kind), documented_of(kind)
            for path, dims in own.items():
                with self.subTest(kind=kind, path=path):
                    plain = path.replace("PART", "*").removesuffix("...")
                    plain = re.sub(r"run_\d+", "run_*", plain)
                    fits = [rule for rule in rules if rule == plain] or \
                        [rule for rule in rules if rule.rpartition("/")[0] == plain.rpartition("/")[0]
                         and fnmatch.fnmatchcase(plain, rule)]
                    if path.startswith("/runs/run_000000"):
                        continue  # a group
                    if kind == "checkpoint" and "@" not in path:
                        self.assertTrue(path.startswith("/checkpoint/"))  # of any shape
                        continue
                    self.assertTrue(fits, "not in the table")
                    if not path.endswith("..."):
                        self.assertTrue(self.same(fits[0], rules[fits[0]], dims),
                                        f"{dims} against {rules[fits[0]]}")

    def test_the_table_says_nothing_else(self):
        common = documented(SECTIONS["solve"])
        for kind in self.kinds():
            told = common | documented_of(kind)
            told = {re.sub(r"run_\d+", "run_*", path.replace("PART", "*")) for path in told}
            groups = {path.rpartition("/")[0] for path in told if path.endswith("...")}
            for path in self.of_kind(kind):
                if path.rpartition("/")[0] in groups or path.endswith("*"):
                    continue
                if path.rpartition("@")[0] in ("/restarts/run_*", "/run", "/scenario", "/checkpoint"):
                    continue  # the first are those of /design; the others are told in the text
                with self.subTest(kind=kind, path=path):
                    self.assertIn(path, told)

    # ---- files --------------------------------------------------------------------------------

    def test_files_of_all_tasks_are_as_documented(self):
        self.assertLessEqual(set(self.kinds()) - {"checkpoint"},
                             {kind for kind, _ in SCENARIOS.values()})
        for name, result in zip(SCENARIOS, at_once(lambda n: schema(f"{n}.h5"), SCENARIOS)):
            with self.subTest(name=name):
                self.assertEqual(self.results[name].status, 0, self.results[name])
                self.assertEqual((result.status, result.err), (0, ""), result)
                kind = re.escape(SCENARIOS[name][0])
                self.assertRegex(result.out, rf"^{name}\.h5: as documented: {kind}, format 1, "
                                             r"\d+ groups and datasets\n$")

    def test_all_of_the_table_is_in_a_file(self):
        """A rule that no file needs may be wrong unseen."""
        seen = set()
        for name, (kind, _) in SCENARIOS.items():
            with h5py.File(f"{name}.h5", "r") as file:
                def visit(path, item, kind=kind, seen=seen):
                    path = "/" + path
                    run = re.match(r"/runs/run_\d+(?=/)", path)
                    if run:
                        kind, path = item.file[run[0]].attrs["task"], path[run.end():]
                    seen.add((kind, re.sub(r"run_\d+", "run_*", path)))
                file.visititems(visit)
                for group in [group for group in file.values() if isinstance(group, h5py.Group)]:
                    seen.update((kind, f"{group.name}/{name}") for name in group)
        for kind, path, _, dims, _, _ in self.rules:
            if "@" in path or path.endswith("*") or kind == "checkpoint":
                continue
            with self.subTest(kind=kind, path=path):
                self.assertIn((kind, path), seen)

    def test_checkpoints(self):
        write("c.lua", "return solve { game = crowd_motion {}, stop = { iterations = 100000 } }")
        stopped = walras("run", "c.lua", "--max-walltime", "1s")
        self.assertEqual(stopped.status, 75, stopped)
        [checkpoint] = [name for name in os.listdir(".") if name.startswith("c.checkpoint")]
        result = schema(checkpoint)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn("as documented: checkpoint,", result.out)

    # ---- altered ones -------------------------------------------------------------------------

    SEAL = "/: its seal is gone: another program has written to the file"

    def altered(self, case):
        """What is found in a copy of a file after a change, but for the seal, which is told first
        of all."""
        number, (name, change, _) = case
        path = f"altered-{number}.h5"
        shutil.copy(f"{name}.h5", path)
        with h5py.File(path, "r+") as file:
            change(file)
        return path, schema(path)

    def check_altered(self, cases):
        copies = at_once(self.altered, enumerate(cases))
        for (name, _, expected), (path, result) in zip(cases, copies):
            with self.subTest(name=name, expected=expected):
                self.assertEqual(result.status, 65, result)
                self.assertEqual(result.out.splitlines(), [self.SEAL, *expected])
                count = "1 finding" if not expected else f"{len(expected) + 1} findings"
                self.assertEqual(result.err, f"walras: {path}: not as documented: {count}\n")

    def test_what_is_altered_is_told(self):
        def delete(path):
            return lambda file: file.__delitem__(path)

        def attribute(path, name, value):
            return lambda file: file[path].attrs.__setitem__(name, value)

        def without(path, name):
            return lambda file: file[path].attrs.__delitem__(name)

        def replace(path, value, **attributes):
            def change(file):
                old = dict(file[path].attrs)
                del file[path]
                file[path] = value
                for name, word in {"units": old["units"], "long_name": old["long_name"],
                                   **attributes}.items():
                    file[path].attrs[name] = word
            return change

        def other_length(file):
            units, long_name = (file["trace/best"].attrs[name] for name in ("units", "long_name"))
            del file["trace/best"]
            new = file.create_dataset("trace/best", data=numpy.zeros(7))
            new.attrs["units"], new.attrs["long_name"] = units, long_name
            new.dims[0].attach_scale(file["trace/iteration"])

        none = "not in the layout of"
        cases = [
            ("grid", lambda file: None, []),
            ("grid", delete("trace/best"), ["/trace/best: missing"]),
            ("grid", delete("trace"), ["/trace: missing"]),
            ("grid", lambda file: file.create_group("extra"), [f"/extra: {none} solve"]),
            ("grid", lambda file: file["trace"].create_dataset("x", data=1.0),
             [f"/trace/x: {none} solve"]),
            ("grid", lambda file: file.__setitem__("trace/soft", h5py.SoftLink("/trace/best")),
             ["/trace/soft: expected a group or dataset, got a link"]),
            ("grid", attribute("trace/best", "units", "1"),
             ['/trace/best: units: expected "reward", got "1"']),
            ("grid", without("trace/best", "units"), ["/trace/best: units: missing"]),
            ("grid", without("trace/best", "long_name"), ["/trace/best: long_name: missing"]),
            ("grid", attribute("trace/best", "long_name", ""),
             ["/trace/best: long_name: expected a text"]),
            ("grid", attribute("trace/best", "note", "mine"),
             [f"/trace/best: attribute note: {none} solve"]),
            ("grid", attribute("/", "note", "mine"), [f"/: attribute note: {none} solve"]),
            ("grid", without("trace", "converged"), ["/trace: attribute converged: missing"]),
            ("grid", attribute("trace", "converged", "yes"),
             ["/trace: attribute converged: expected one of 64-bit integers, got text"]),
            ("grid", without("/", "seed"), ["/: attribute seed: missing"]),
            ("grid", attribute("/", "task", "knit"),
             ["/: attribute task: expected the name of a task"]),
            ("grid", attribute("/", "complete", numpy.uint8(0)),
             ["/: attribute complete: expected 1 (the run was ended well), got 0"]),
            ("grid", attribute("/", "format_version", 2),
             ["/: attribute format_version: expected 1, got 2"]),
            ("grid", replace("trace/best", numpy.zeros(4)),
             ["/trace/best: dimensions: expected [iteration], got [4]"]),
            ("grid", other_length, ["/trace/best: dimension 0: expected 4, the length of "
                                    "/run/iteration, got 7"]),
            ("grid", replace("trace/best", 1.0),
             ["/trace/best: dimensions: expected [iteration], got a scalar"]),
            ("grid", replace("scenario/source", numpy.bytes_("solve {}")),
             ["/scenario/source: type: expected texts, got c8"]),
            ("grid", replace("axes/row", numpy.zeros(400, "f4")),
             ["/axes/row: type: expected 64-bit numbers, got f32",
              "/axes/row: dimensions: expected [state;=], got [400]"]),
            ("sweep", delete("runs/run_000001/trace/best"),
             ["/runs/run_000001/trace/best: missing"]),
            ("sweep", attribute("runs/run_000001", "task", "knit"),
             ["/runs/run_000001: attribute task: expected the name of a task"]),
            ("sweep", lambda file: file["runs/run_000001"].create_group("run"),
             [f"/runs/run_000001/run: {none} solve"]),
            ("sweep", delete("summary/status"), ["/summary/status: missing"]),
            ("restarts", delete("restarts/run_000000/objective"),
             ["/restarts/run_000000/objective: missing"]),
            ("restarts", delete("design/best/parameters"), ["/design/best/parameters: missing"]),
            ("agents", delete("population/mean_field"), ["/population/mean_field: missing"]),
            ("one shot", delete("simulation/estimate"), ["/simulation/estimate: missing"]),
            ("steered", delete("steering/summary/gap_exponent"),
             ["/steering/summary/gap_exponent: missing"]),
            ("preferences", delete("transfer/final_gap"), ["/transfer/final_gap: missing"]),
        ]
        self.check_altered(cases)

    def test_damage_is_noticed(self):
        """A flipped byte anywhere, also in a large array, which no seal covers."""
        with open("grid.h5", "rb") as file:
            good = file.read()
        places = range(0, len(good), len(good) // (8 if SANITIZED else 32) + 1)

        def damage(place):
            name = write(f"damaged-{place}.h5",
                         good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1:])
            return schema(name)

        noticed = 0
        for place, result in zip(places, at_once(damage, places)):
            with self.subTest(place=place):
                self.assertIn(result.status, (0, 74), result)  # 0: where nothing is
                noticed += result.status == 74
        self.assertGreater(noticed, 0.9 * len(places))

    def test_what_is_no_run_file(self):
        write("text.h5", "hello")
        with h5py.File("foreign.h5", "w") as file:
            file["x"] = [1.0, 2.0]
        write("empty.h5", "")
        for whole, half in (("grid.h5", "cut.h5"), ("foreign.h5", "half.h5")):
            with open(whole, "rb") as file:
                write(half, file.read(os.path.getsize(whole) // 2))
        for name, status, line in (
                ("empty.h5", 74, "walras: empty.h5: not a walras run file (not HDF5)\n"),
                ("cut.h5", 74, "walras: cut.h5: damaged: cut short\n"),
                ("half.h5", 74, "walras: half.h5: cannot be read: truncated file: "),
                ("text.h5", 74, "walras: text.h5: not a walras run file (not HDF5)\n"),
                ("foreign.h5", 74, 'walras: foreign.h5: not a walras run file (its attribute '
                                   '`format` is not "walras")\n'),
                ("nothing.h5", 66, "walras: nothing.h5: no such file\n")):
            result = schema(name)
            self.assertEqual((result.status, result.out, result.err.count("\n")), (status, "", 1))
            self.assertIn(line, result.err)
            self.assertTrue(result.err.startswith("walras: "), result)

    def test_the_option_is_for_info_alone(self):
        result = walras("run", "--schema", "grid.lua")
        self.assertEqual((result.status, result.err),
                         (64, "walras run does not take --schema\n"))
        result = walras("info")
        self.assertEqual((result.status, result.err),
                         (64, "walras info: expected RUN.h5, got nothing; see walras info --help\n"))


if __name__ == "__main__":
    unittest.main()
