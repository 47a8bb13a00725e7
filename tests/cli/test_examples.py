# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/examples.md and the comments of scenarios/examples say: against theory, and against what
comes out. The lane of crowd_toll is in test_designs.py, steering and transfer in tests of their own."""

import os
import re
import unittest

import h5py
import numpy

from walras_cli import SOURCE, at_once, folder, walras

RUNS = {
    "spectrum": ("examples/spectrum.lua",),
    "stay_home": ("examples/stay_home.lua",),
    "evacuation": ("evacuation.lua",),
}


def text(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return " ".join(file.read().replace("\n-- ", " ").split())


def section(title):
    """That of docs/examples.md, in one line."""
    return text("docs/examples.md").split("## " + title)[1].split(" ## ")[0]


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        place = folder("examples")

        def one(name):
            path = os.path.join(place, name + ".h5")
            result = walras("run", os.path.join(SOURCE, "scenarios", RUNS[name][0]), "-q", "-o", path,
                            timeout=240)
            assert result.status == 0, result
            return path
        cls.path = dict(zip(RUNS, at_once(one, RUNS, 2)))

    def said(self, where, *numbers):
        """Each of the texts stands in `where` as a number of its own."""
        for number in numbers:
            self.assertRegex(where, r"(?<![\d.])" + re.escape(number) + r"(?!\d|\.\d)")

    def test_a_reserve_in_theory(self):
        """Price p = max(reserve, value of the last who is served), 1 - F(v) = (1 - v)^3. What differs is a
        step of the grids, 1/100."""
        with h5py.File(self.path["spectrum"]) as file:
            table = {name: file["summary"][name][:] for name in
                     ("game_mechanism_reserve", "sold", "revenue", "efficiency", "converged")}
        price = numpy.maximum(table["game_mechanism_reserve"], 1 - 0.8 ** (1 / 3))
        sold = (1 - price) ** 3
        self.assertTrue(table["converged"].all())
        self.assertLess(abs(table["sold"] - sold).max(), 0.013)
        self.assertLess(abs(table["revenue"] - price * sold).max(), 0.006)
        self.assertLess(abs(table["efficiency"] - price * sold - (1 - price) ** 4 / 4).max(), 0.006)
        best = table["revenue"].argmax()
        self.assertEqual(table["game_mechanism_reserve"][best], 0.25)
        self.assertLess(table["revenue"][best], 27 / 256)  # Myerson 1981
        surplus = table["efficiency"] - table["revenue"]
        self.said(section("Licences"), *(f"{x:.3f}" for i in (0, best) for x in
                                         (table["revenue"][i], surplus[i])),
                  f"{table['sold'][best]:.2f}")

    def test_an_epidemic(self):
        start = walras("run", os.path.join(SOURCE, "scenarios/examples/stay_home.lua"), "-q", "-o",
                       "start.h5", "-P", "steps=0")
        self.assertEqual(start.status, 0, start)
        texts = section("An epidemic"), text("scenarios/examples/stay_home.lua")
        for path in ("start.h5", self.path["stay_home"]):
            with h5py.File(path) as file:
                mass, policy = file["solution/mean_field"][:], file["solution/policy"][:]
                charge = file["design/toll"][:]
                objective = file["design/reference/objective"][2]
            ill, home = mass[:, 1].sum(), (mass[:, 0] * policy[:, 0, 1]).sum()
            cost = ill + 0.5 * (mass * policy[:, :, 1]).sum()
            self.assertAlmostEqual(cost, -objective, delta=1e-6)
            for where in texts:
                self.said(where, f"{cost:.2f}", f"{ill:.1f}", f"{home:.1f}")
            self.said(texts[0], f"{100 * mass[25, 1]:.0f}")
        paid = charge[0, 1] - charge
        for where in texts:
            self.said(where, f"{paid[1, 0]:.2f}", f"{paid[0, 0]:.2f}")

    def test_an_evacuation(self):
        with h5py.File(self.path["evacuation"]) as file:
            mass = file["solution/mean_field"][:]
            source = file["scenario/source"].asstr()[()]
        cells = "".join(source.split("[[")[1].split("]]")[0].split())
        self.assertEqual(len(cells), mass.shape[1])
        exits = [at for at, cell in enumerate(cells) if cell == "E"]
        self.assertEqual(len(exits), 2)
        self.assertGreater(mass[-1, exits].min(), 0.3)  # both are used
        there = mass[:, exits].sum(axis=1)
        self.assertTrue((there[:6] == 0).all() and there[6] > 0)
        self.said(section("An evacuation"), f"{100 * there[9]:.0f}", f"{100 * there[-1]:.0f}")

    def test_others_say_what_their_scenarios_do(self):
        for title, path, numbers in (
                ("A toll", "design/crowd_toll.lua", ("0.564", "0.385")),
                ("Steering", "steering/beach_bar.lua", ("20.3", "0.08", "3.82", "3.80")),
                ("Preferences", "transfer/reference.lua", ("0.37", "0.76"))):
            self.said(section(title), *numbers)
            self.said(text("scenarios/" + path), *numbers)

    def test_pictures_are_there(self):
        page = text("docs/examples.md")
        pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", page)
        self.assertEqual(len(pictures), 6)
        for picture in pictures:
            self.assertGreater(os.path.getsize(os.path.join(SOURCE, "docs", picture)), 5000)
        for scenario in re.findall(r"`(\w[\w/]*\.lua)`", page):
            self.assertTrue(os.path.exists(os.path.join(SOURCE, "scenarios", scenario)), scenario)

    def test_citation(self):
        """The version is that of the program; papers are those of the theory, by the same authors."""
        with open(os.path.join(SOURCE, "CITATION.cff"), encoding="utf-8") as file:
            whole = file.read()
        theory = text("docs/theory.md").split("## References")[1]
        papers = whole.split("references:")[1].split("  - type:")[1:]
        self.assertEqual(len(papers), 3)
        for paper in papers:
            number = re.search(r"arxiv.org/abs/(\d{4}\.\d{5})", paper)[1]
            entry = next(entry for entry in theory.split(" * ") if number in entry)
            names = [f"{given} {family}" for family, given in
                     re.findall(r"family-names: (\w+), given-names: (\w\.)", paper)]
            self.assertTrue(entry.startswith(", ".join(names) + ":"), entry)
            title = re.search(r"title: \"?(.*?)\"?$", paper, re.M)[1]
            self.assertIn(title.lower(), entry.lower())
        citation = dict(re.findall(r"^([\w-]+): *(.*)$", whole, re.M))
        self.assertLessEqual({"cff-version", "message", "title", "authors"}, citation.keys())
        self.assertIn(citation["version"], walras("--version").out)


if __name__ == "__main__":
    unittest.main()
