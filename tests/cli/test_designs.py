# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenarios of scenarios/design: that they are the settings of scenarios/auctions, that they
run, and what their comments and docs/design.md say of them."""

import glob
import json
import os
import re
import unittest

import h5py
import numpy

from walras_cli import SANITIZED, SOURCE, at_once, folder, walras

SETTINGS = [f"a{i}" for i in range(1, 11)]
TOLLS = ["beach_bar", "crowd_toll"]
QUICK = ["-P", "steps=2", "-P", "learner.iterations=20", "-P",
         "evaluate={iterations=30, every=1}"]
SMALL = {"game.values": 12, "game.bids": 12, "game.mechanism.hidden": 8}


def text(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def comment(name):
    """That of a scenario, in one line."""
    return text("scenarios/design", name + ".lua").split("return design")[0].replace("\n-- ", " ")


def scenario(name, kind="design"):
    return os.path.join(SOURCE, "scenarios", kind, f"{name}.lua")


def resolved(name, kind="design"):
    result = walras("check", scenario(name, kind), leaks=False)
    assert result.status == 0, result
    (task,) = json.loads(result.out).values()
    return task


def small(name):
    """Options that make a run short."""
    values = dict(SMALL)
    if name == "a10":
        del values["game.mechanism.hidden"]
    if name in TOLLS:
        values = {"crowd_toll": {"game.horizon": 4}, "beach_bar": {"game.horizon": 6}}[name]
    elif name not in ("a8", "a10"):
        values["restarts"] = 2
    if name == "a8":
        values["game.rounds"] = 20
    return QUICK + [word for path, value in values.items() for word in ("-P", f"{path}={value}")]


def run(name, *options, label=None):
    path = os.path.join(folder("designs"), f"{label or name}.h5")
    result = walras("run", scenario(name), "-q", "-o", path, *options, timeout=200)
    settled = "note: the population has not settled" not in result.out
    assert result.status == (0 if settled else 2), result
    return path, result.out


def table(out):
    """Of the printed table: objective and exploitability with entropy, by name without step."""
    rows = re.findall(r"^  (first price|no toll|start|best design)\S*(?: \(step \d+\))? +"
                      r"(\S+) +(\S+) +(\S+)$", out, re.M)
    return {name: (float(objective), float(entropy)) for name, objective, _, entropy in rows}


class Designs(unittest.TestCase):
    def test_all_are_here(self):
        names = {os.path.splitext(os.path.basename(path))[0]
                 for path in glob.glob(os.path.join(SOURCE, "scenarios/design/*.lua"))}
        self.assertEqual(names, {*SETTINGS, *TOLLS, "quick"})

    def test_settings_are_those_of_first_price(self):
        """The same game but for the mechanism, the same learner; quick is a1 in fewer, larger steps."""
        for name in SETTINGS:
            with self.subTest(name=name):
                design, solve = resolved(name), resolved(name, "auctions")
                if name == "a3":  # a sweep, whose base is as it is written
                    solve = solve["base"]["solve"]
                    written = solve["game"]["batched_auction"]
                    game = design["game"]["batched_auction"]
                    design["game"]["batched_auction"] = {
                        key: value for key, value in game.items()
                        if key in (*written, "mechanism")}
                games = [task["game"]["batched_auction"] for task in (design, solve)]
                self.assertIn(list(games[0].pop("mechanism"))[0], ("neural", "static"))
                self.assertEqual(list(games[1].pop("mechanism")), ["first_price"])
                self.assertEqual(games[0], games[1])
                learners = [task["learner"]["mirror_descent"] for task in (design, solve)]
                self.assertEqual(learners[0].pop("iterations"), 400)
                self.assertEqual(learners[0], {**learners[0], **learners[1]})
                self.assertEqual(design["evaluate"]["iterations"], solve["stop"]["iterations"])
        whole, quick = resolved("a1"), resolved("quick")
        for task in (whole, quick):
            for field in ("steps", "restarts", "optimizer"):
                task.pop(field)
        self.assertEqual(whole, quick)

    def test_all_run(self):
        names = [*SETTINGS, *TOLLS]
        runs = at_once(lambda name: run(name, *small(name)), names, 2)
        for name, (path, out) in zip(names, runs):
            with self.subTest(name=name), h5py.File(path) as file:
                usual = "no toll" if name in TOLLS else "first price"
                self.assertEqual(list(file["design/reference/name"].asstr()),
                                 [usual, "start", "best design"])
                objective = file["design/reference/objective"][:]
                self.assertGreaterEqual(objective[2], objective[1])
                self.assertEqual(len(file["design/objective"]), 3)
                self.assertTrue(numpy.isfinite(file["design/gradient_norm"][:2]).all())
                self.assertEqual(list(table(out)), [usual, "start", "best design"])

    @unittest.skipIf(SANITIZED, "whole runs")
    def test_first_price_is_that_of_the_auctions(self):
        names = [name for name in SETTINGS if name not in ("a3", "a8")]
        runs = at_once(lambda name: run(name, "-P", "steps=0", *(
            () if name == "a10" else ("-P", "restarts=1", "-P", "game.mechanism.hidden=1")),
            label=name + "-start"), names, 2)
        for name, (_, out) in zip(names, runs):
            revenue, efficiency, exploitability = map(float, re.search(
                r"Result: revenue (\S+), efficiency (\S+), regularized exploitability (\S+)\.\n",
                text("scenarios/auctions", name + ".lua")).groups())
            said = revenue + efficiency if name == "a9" else revenue
            with self.subTest(name=name):
                found = table(out)["first price"]
                self.assertAlmostEqual(found[0], said, delta=1.1e-5)
                self.assertAlmostEqual(found[1] / exploitability, 1, delta=5e-3)

    @unittest.skipIf(SANITIZED, "whole runs")
    def test_prices_on_the_beach(self):
        """The paper's claim: exploitability below 0.02 throughout; and what the comment says."""
        path, out = run("beach_bar")
        other, _ = run("beach_bar", "-P", "game.toll.max=0.8", label="beach_bar-0.8")
        said = re.search(r"Result: congestion (\S+) without prices, (\S+) with them \((\S+) with "
                         r"-P game.toll.max=0.8\)", comment("beach_bar"))
        objective = []
        for name in (path, other):
            with h5py.File(name) as file:
                self.assertLess(numpy.nanmax(file["design/plain_exploitability"][:]), 0.02)
                objective += list(file["design/reference/objective"][[0, 2]])
                toll = file["design/toll"][:]
                self.assertEqual(list(toll > 0.9 * toll.max()), [9 <= i < 12 for i in range(20)])
        self.assertEqual([f"{-objective[i]:.2f}" for i in (0, 1, 3)], list(said.groups()))
        self.assertAlmostEqual(table(out)["best design"][0], objective[1], delta=1e-4)

    @unittest.skipIf(SANITIZED, "whole runs")
    def test_lane_is_kept_free(self):
        _, out = run("crowd_toll", "-P", "steps=10", "-P", "evaluate.every=0", label="lane")
        before, after = (re.search(r"Result: (\S+) [^(]*\((\S+) ",
                                   comment("crowd_toll")).groups())
        found = table(out)
        self.assertEqual(f'{-found["no toll"][0]:.3f}', after)
        # Ten of fifty steps are most of the way.
        self.assertLess(-found["best design"][0], 0.5 * (float(before) + float(after)))

    def test_documented_table(self):
        """Rows of docs/design.md say what the comments of the scenarios do."""
        rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|$", text("docs/design.md"), re.M))
        for name in [*SETTINGS, "quick"]:
            with self.subTest(name=name):
                said = re.search(r"Result \(([^)]*)\): \w+ (\S+) against (\S+) at first price",
                                 comment(name))
                self.assertIsNotNone(said, comment(name))
                self.assertEqual(rows[name].split(" | ")[1:4], [said[3], said[2], said[1]])


if __name__ == "__main__":
    unittest.main()
