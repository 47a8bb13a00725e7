# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports: a page for the run file of every task, whole and sound, that needs nothing else; the numbers
behind its figures are those of the file; Chromium shows it without complaint, on a phone, in the dark and
on paper, too; every mistake is one line with its exit status, and leaves nothing behind.
"""

import functools
import html
import os
import re
import shutil
import stat
import subprocess
import sys
import unittest

import h5py
import numpy

from browser import CHROMIUM, Browser
from report_page import Page, pixels
from report_runs import FIGURES, HEADINGS, PAIRS, SCENARIOS
from walras_cli import SOURCE, at_once, folder, left, own_lines, walras, write

MISSING, BAD, UNAVAILABLE, BUG, CREATE, BROKEN, USAGE = 66, 65, 69, 70, 73, 74, 64


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def shown(value):
    return "-" if numpy.isnan(value) else f"{value:.0f}" if value == int(value) else f"{value:.6g}"


def make_tables(place):
    """The example of docs/tabulated.md."""
    text = read(os.path.join(SOURCE, "docs/tabulated.md"))
    script = re.search(r"^```python\n(.*?)^```", text, re.M | re.S).group(1)
    subprocess.run([sys.executable, "-c", script], cwd=place, check=True)


@functools.cache
def made():
    """The folder with a run of each kind and its page, and how making these ended; once for all tests."""
    place = folder("reports")
    make_tables(place)
    for name, text in SCENARIOS.items():
        write(os.path.join(place, name + ".lua"), text + "\n")
    runs = dict(zip(SCENARIOS, at_once(
        lambda name: walras("run", name + ".lua", "-q", cwd=place), SCENARIOS)))
    jobs = [(name,) for name in SCENARIOS] + PAIRS
    results = dict(zip(map("-".join, jobs), at_once(
        lambda names: walras("report", *(name + ".h5" for name in names), cwd=place), jobs)))
    return place, runs, results


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place, cls.runs, cls.results = made()
        cls.pages = {name: Page(read(cls.path(name))) for name, result in cls.results.items()
                     if result.status == 0}

    @classmethod
    def path(cls, name, end=".report.html"):
        return os.path.join(cls.place, name + end)

    def test_all_succeed(self):
        for name, result in self.runs.items():
            self.assertIn(result.status, (0, 2, 3) if name == "ended" else (0, 2), f"{name}: {result}")
        for name, result in self.results.items():
            self.assertEqual(result.status, 0, f"{name}: {result}")
            self.assertEqual(result.err, "", name)
            self.assertEqual(result.out, f"report  {name}.report.html\n")
        self.assertEqual([name for name in os.listdir(self.place) if name.startswith(".")], [])

    def test_pages_are_sound(self):
        for name, page in self.pages.items():
            self.assertEqual(page.wrong, [], name)
            self.assertEqual(len(page.ids), len(set(page.ids)), f"{name}: ids that stand twice")
            for asked in page.asks:
                self.assertRegex(asked, r"^(#f\d+[wn]\d+|data:image/png;base64,[\w+/=]+)$", name)
                if asked.startswith("#"):
                    self.assertIn(asked[1:], page.ids, name)
            self.assertNotIn("http", re.sub(r"(?s)<(pre|td)\b.*?</\1>", "", read(self.path(name))))

    def test_figures_have_sentence_and_numbers(self):
        for name, page in self.pages.items():
            self.assertTrue(page.figures, name)
            titles = [figure["h3"] for figure in page.figures]
            self.assertEqual(len(titles), len(set(titles)), f"{name}: {titles}")
            for figure in page.figures:
                what = f"{name}: {figure}"
                self.assertRegex(figure["p"].strip(), r"^[A-Z].{30,}\.$", what)
                self.assertEqual(figure["svg"], 2, what)  # for wide and for narrow screens
                self.assertEqual(figure["label"], figure["h3"], what)
                self.assertGreater(figure["tables"], 0, what)
                self.assertGreater(figure["rows"], 0, what)

    def test_contents(self):
        for name, headings in HEADINGS.items():
            self.assertEqual(self.pages[name].headings, [*headings, "Where this comes from"], name)
        for name, figures in FIGURES.items():
            titles = [figure["h3"] for figure in self.pages[name].figures]
            for figure in figures:
                self.assertIn(figure, titles, name)

    def test_units(self):
        text = read(self.path("line"))
        for label in ("exploitability (reward)", "seconds (s)"):
            self.assertIn(f"<text>{label}</text>", text)

    def test_the_end_tells_how_to_repeat(self):
        for name in SCENARIOS:
            text = "".join(self.pages[name].text)
            with h5py.File(self.path(name, ".h5")) as run:
                self.assertIn(run["scenario/resolved"].asstr()[()], text, name)
                self.assertIn(run["scenario/source"].asstr()[()], text, name)
                self.assertIn(run["run"].attrs["command"], text, name)
                facts = dict(self.pages[name].table("of the run"))
                self.assertEqual(facts["seed"], str(run.attrs["seed"]), name)
                self.assertEqual(facts["ranks"], str(run["run"].attrs["ranks"]), name)
                self.assertEqual(facts["walras"], run.attrs["walras_version"], name)

    def test_the_commands_at_the_end_repeat_it(self):
        commands = re.search(r"(?s)<pre>(python3 -c .*?)</pre>", read(self.path("line"))).group(1)
        lines = html.unescape(commands).splitlines()
        done = subprocess.run(["sh", "-ec", lines[0].replace("python3", "/usr/bin/python3")],
                              cwd=self.place, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(lines[1], "walras run again.json -o again.h5")
        self.assertEqual(lines[2], "walras diff line.h5 again.h5")
        result = walras("run", "again.json", "-o", "again.h5", "-q", cwd=self.place)
        self.assertIn(result.status, (0, 2), result)
        self.assertEqual(walras("diff", "line.h5", "again.h5", cwd=self.place).status, 0)

    def test_numbers_are_those_of_the_file(self):
        rows = self.pages["line"].table("iteration", "exploitability")
        with h5py.File(self.path("line", ".h5")) as run:
            trace = run["trace"]
            expected = [[shown(a), shown(b)] for a, b in zip(trace["iteration"][:],
                                                             trace["exploitability"][:])]
        self.assertEqual(rows, expected)

    def test_long_tables_are_thinned(self):
        page = self.pages["long"]
        rows = page.table("iteration", "exploitability")
        with h5py.File(self.path("long", ".h5")) as run:
            last = run["trace/exploitability"].shape[0] - 1
        self.assertEqual(len(rows), 200)
        self.assertEqual([rows[0][0], rows[-1][0]], ["0", str(last)])
        self.assertIn(f"200 of {last + 1} rows", "".join(page.text))

    def test_mass_is_that_of_the_file(self):
        """The maps hold the mass of each stage, cell by cell."""
        page = self.pages["map"]
        tables = [table for table in page.tables if table[0][0] == r"row \ column"][:3]
        with h5py.File(self.path("map", ".h5")) as run:
            mass = run["solution/mean_field"][:].reshape(-1, 6, 8)
        self.assertEqual(len(tables), len(mass))
        for stage, table in enumerate(tables):
            self.assertEqual([row[1:] for row in table[1:]],
                             [[shown(value) for value in row] for row in mass[stage]])

    def test_policy_is_that_of_the_file(self):
        """The likeliest action, by name."""
        tables = [table for table in self.pages["map"].tables if table[0][0] == r"row \ column"][3:]
        with h5py.File(self.path("map", ".h5")) as run:
            policy = run["solution/policy"][0]
            names = run["axes/action_name"].asstr()[:]
        cells = [cell for row in tables[0][1:] for cell in row[1:]]
        for cell, row in zip(cells, policy):
            clear = row.max() - row.min() > 1e-3 / len(row)
            self.assertEqual(cell, names[row.argmax()] if clear else "-")

    def test_design_is_that_of_the_file(self):
        rows = self.pages["designed"].table("rules", "objective", "exploitability with entropy")
        with h5py.File(self.path("designed", ".h5")) as run:
            reference = run["design/reference"]
            names, objective = reference["name"].asstr()[:], reference["objective"][:]
        self.assertEqual([row[:2] for row in rows], [[a, shown(b)] for a, b in zip(names, objective)])
        better = 100 * (objective[-1] / objective[0] - 1)
        self.assertIn(f"{better:+.1f} %", "".join(self.pages["designed"].text))

    def test_bands_are_those_of_the_seeds(self):
        rows = self.pages["steered"].table("episode", "none", "low", "high")
        with h5py.File(self.path("steered", ".h5")) as run:
            gap = run["steering/gap"][0]
        self.assertEqual([row[1:4] for row in rows],
                         [[shown(f(axis)) for f in (numpy.mean, numpy.min, numpy.max)]
                          for axis in gap.T])

    def test_many_mediators_and_sums_of_rounding(self):
        """The head has room for eleven; a sum near zero does not stretch the axis of the others."""
        place = folder("mediators")
        one = SCENARIOS["steered"].replace("none {}, known_model {}, optimistic {}",
                                           ", ".join(12 * ["none {}"]))
        write(os.path.join(place, "s.lua"), one + "\n")
        self.assertEqual(walras("run", "s.lua", "-q", cwd=place).status, 0)
        shutil.copy(self.path("steered", ".h5"), place)
        with h5py.File(os.path.join(place, "steered.h5"), "r+") as run:
            run["steering/gap"][2, :, 0] = 1e-14
        done = at_once(lambda name: walras("report", name + ".h5", cwd=place).status, ("s", "steered"))
        self.assertEqual(list(done), [0, 0])
        many, sums = (read(os.path.join(place, name + ".report.html")) for name in ("s", "steered"))
        self.assertEqual(many.count("<dt>Gap an episode"), 10)
        self.assertIn("<dt>Other mediators</dt><dd class=\"muted\">2 more", many)
        self.assertIn("What is less than a millionth of the largest lies below the axis", sums)
        self.assertNotIn("What is less than a millionth", read(self.path("steered")))
        ticks = re.findall(r"<text>([\de.+-]+)</text>", sums.split("<h3>Distance from the target</h3>")[1]
                           .split("</svg>")[0])
        self.assertGreater(min(float(tick) for tick in ticks), 1e-4)

    def test_sweep_is_ranked(self):
        rows = self.pages["swept"].table("place", "run")
        with h5py.File(self.path("swept", ".h5")) as run:
            last = run["summary/exploitability_last"][:]
        self.assertEqual([int(row[1]) for row in rows], list(numpy.argsort(last, kind="stable")))

    def test_sweep_of_auctions_is_ranked_by_revenue(self):
        """Those that have not converged behind the others, whatever they earn, and marked."""
        page = self.pages["reserves"]
        rows = page.table("place", "run", "game.mechanism.reserve", "revenue", "efficiency", "surplus",
                          "sold", "exploitability")
        with h5py.File(self.path("reserves", ".h5")) as run:
            status, revenue = run["summary/status"][:], run["summary/revenue"][:]
            reserve = run["summary/game_mechanism_reserve"][:]
        self.assertEqual(set(status), {0, 2})
        order = sorted(range(4), key=lambda i: (status[i], -revenue[i], i))
        self.assertNotEqual(order[0], revenue.argmax())
        self.assertEqual([int(row[1]) for row in rows], order)
        self.assertEqual([row[-1] for row in rows],
                         [["done", "", "not converged"][status[i]] for i in order])
        self.assertIn(f"<dt>Most revenue</dt><dd>{revenue[order[0]]:.4g}<small>game.mechanism.reserve = "
                      f"{reserve[order[0]]:.6g}</small>", read(self.path("reserves")))
        figure = page.table("game.mechanism.reserve", "revenue", "efficiency", "surplus")
        self.assertEqual([row[:2] for row in figure],
                         [[shown(a), shown(b)] for a, b in zip(reserve, revenue)])
        self.assertEqual(len(page.table("game.mechanism.reserve", "not converged")),
                         3 * list(status).count(2))

    def test_sweep_in_which_all_converged_has_no_best(self):
        place = folder("converged")
        write(os.path.join(place, "s.lua"), "return sweep { base = solve { game = beach_bar { states = 4, "
              "horizon = 2 }, stop = { iterations = 200, exploitability = 1 } }, vary = { "
              '["learner.rate"] = { 0.5, 0.1, 1 } } }\n')
        self.assertEqual(walras("run", "s.lua", "-q", cwd=place).status, 0)
        self.assertEqual(walras("report", "s.h5", cwd=place).status, 0)
        page = Page(read(os.path.join(place, "s.report.html")))
        self.assertNotIn("Least exploitability", "".join(page.text))
        self.assertEqual([figure["h3"] for figure in page.figures],
                         ["Value against learner.rate", "Exploitability against learner.rate"])
        self.assertEqual([row[1] for row in page.table("place", "run")], ["0", "1", "2"])

    def test_what_the_rules_come_to_is_that_of_the_file(self):
        """Before and after: payments by bid, and revenue by round, of first price, start and best."""
        with h5py.File(self.path("designed", ".h5")) as run:
            table = run["design/reference/auction"]
            payment, revenue = table["payment"][:], table["revenue"][:]
            bid, rules = run["axes/bid"][:], run["design/reference/name"].asstr()[:]
            self.assertEqual(payment.shape, (3, 2, len(bid)))
            # The last row is what /auction has; first price is what it says.
            numpy.testing.assert_array_equal(payment[2], run["auction/payment"][:])
            numpy.testing.assert_array_equal(revenue[2], run["auction/revenue"][:])
            numpy.testing.assert_allclose(payment[0], [bid, bid], atol=1e-15)
            numpy.testing.assert_allclose(revenue.sum(axis=1), run["design/reference/objective"][:],
                                          rtol=1e-12)
        rows = self.pages["designed"].table("bid (value)", *rules)
        self.assertEqual(rows, [[shown(b), *map(shown, row)] for b, row in zip(bid, payment[:, 0].T)])

    def test_tolls_are_those_of_the_file(self):
        with h5py.File(self.path("tolls", ".h5")) as run:
            toll = run["design/toll"][:].reshape(-1, 4, 5)
            names = ["before: no toll", *run["axes/action_name"].asstr()[:]]
        self.assertIn("on 5 actions in 20 states", "".join(self.pages["tolls"].text))
        tables = [table for table in self.pages["tolls"].tables if table[0][0] == r"row \ column"]
        for name, cells, table in zip(names, [0 * toll[0], *toll], tables):
            self.assertEqual([row[1:] for row in table[1:]],
                             [[shown(value) for value in row] for row in cells], name)

    def test_the_head_says_what_matters(self):
        """Did it converge, what was designed, how much better is it."""
        def facts(name):
            return dict(re.findall(r"<dt>(.*?)</dt><dd[^>]*>(.*?)(?:<small>|</dd>)",
                                   read(self.path(name))))
        with h5py.File(self.path("line", ".h5")) as run:
            self.assertEqual(facts("line")["Did it converge?"],
                             "yes" if run["trace"].attrs["converged"] else "no")
        self.assertEqual(facts("designed")["What was designed"], "payments and goods")
        self.assertEqual(facts("designed")["Has the population settled?"], "not asked")
        self.assertEqual(facts("tolls")["What was designed"], "a toll")
        self.assertEqual(facts("ended")["How much better?"], "no better")
        self.assertEqual(facts("ended")["Did it end well?"], "no")
        with h5py.File(self.path("designs", ".h5")) as run:
            self.assertEqual(facts("designs")["Best objective"],
                             f"{numpy.nanmax(run['summary/objective'][:]):.4g}")
            self.assertEqual(facts("designs")["Runs"], "4")
        self.assertEqual(facts("transferred")["Rounds"], "60")

    def test_a_population_that_has_not_settled(self):
        """Whether it has is not whether the search has ended; what is gained then is not praised."""
        place = folder("settled")

        def head(wanted):
            name = f"s{wanted}"
            write(os.path.join(place, name + ".lua"), SCENARIOS["toll"].replace(
                "every = 1 ", f"every = 1, exploitability = {wanted} ") + "\n")
            self.assertIn(walras("run", name + ".lua", "-q", cwd=place).status, (0, 2))
            self.assertEqual(walras("report", name + ".h5", cwd=place).status, 0)
            found = re.findall(r'<dt>(.*?)</dt><dd(?: class="(\w+)")?>(.*?)(?:<small>(.*?)</small>)?</dd>',
                               read(os.path.join(place, name + ".report.html")))
            with h5py.File(os.path.join(place, name + ".h5")) as run:
                reached = run["design/reference/exploitability"][-1]
            return {name: rest for name, *rest in found}, f"with entropy: {reached:.3g}"

        (open_, reached), (settled, close) = at_once(head, ("1e-09", "1000"))
        self.assertEqual(open_["Has the population settled?"],
                         ["bad", "no", reached + ", asked for: 1e-09"])
        self.assertEqual(open_["How much better?"][0], "muted")
        self.assertEqual(open_["Best step"][2], "of 3")
        self.assertEqual(settled["Has the population settled?"],
                         ["good", "yes", close + ", asked for: 1000"])
        self.assertEqual(settled["How much better?"][0], "good")
        self.assertRegex(settled["Best step"][2], "^of 3, still rising: .* % of the rise in the last "
                         "quarter$")

    def test_first_price_needs_no_figure(self):
        self.assertIn("Winners pay their bids (first price).", "".join(self.pages["first"].text))
        self.assertNotIn("What a winner pays for each bid",
                         [figure["h3"] for figure in self.pages["first"].figures])

    def test_a_single_place_is_no_figure(self):
        titles = [figure["h3"] for figure in self.pages["ended"].figures]
        self.assertNotIn("Objective against steps", titles)
        self.assertIn("Objective against steps: there is one place only, step 0.",
                      "".join(self.pages["ended"].text))

    def test_runs_without_a_common_result(self):
        text = "".join(self.pages["steered-transferred"].text)
        self.assertIn("There is no result that both runs have.", text)

    def test_slopes_are_drawn(self):
        with h5py.File(self.path("agents", ".h5")) as run:
            slope = run["population"].attrs["return_slope"]
        self.assertIn(f"return: N^{slope:.2f}", "".join(self.pages["agents"].text))

    def test_selection_shares(self):
        with h5py.File(self.path("transferred", ".h5")) as run:
            arms = list(run["transfer/arm"].asstr()[:])
            method = list(run["transfer/method"].asstr()[:]).index("tpo")
            chosen = run["transfer/selection"][method]
            rounds = run["transfer/round"][:]
        rows = self.pages["transferred"].table("round", *arms)
        shares = (chosen / chosen.sum(axis=2, keepdims=True)).mean(axis=0)
        self.assertEqual(rows, [[shown(t), *map(shown, row)] for t, row in zip(rounds, shares)])

    def test_methods_are_told_apart(self):
        """Those of one kind by the parameters in which they differ."""
        names = ["greedy", "tpo", "xpo", "tpo (mode=count)"]
        page = self.pages["transferred"]
        self.assertEqual([row[0] for row in page.table("method", "regret")], names)
        self.assertTrue(page.table("round", *[part for name in names for part in (name, "low", "high")]))

    def test_comparison(self):
        page = self.pages["line-line2"]
        self.assertEqual(page.headings[:3], ["A: line.h5", "B: line2.h5", "What is different"])
        parameters = {row[0]: row[1:] for row in page.table("parameter", "A", "B")}
        self.assertEqual(parameters["solve.stop.iterations"], ["20", "12"])
        results = {row[0]: row[1:] for row in page.table("result", "A", "B")}
        with h5py.File(self.path("line", ".h5")) as a, h5py.File(self.path("line2", ".h5")) as b:
            ends = [run["trace/exploitability"][-1] for run in (a, b)]
        self.assertEqual(results["exploitability at the end"][:3],
                         [shown(ends[0]), shown(ends[1]), shown(ends[1] - ends[0])])
        text = "".join(page.text)
        self.assertIn("A: exploitability", text)
        self.assertIn("B: exploitability", text)

    def test_comparison_of_equal_runs(self):
        page = self.pages["designed-designed"]
        self.assertIn("The scenarios are the same", "".join(page.text))
        for row in page.table("result", "A", "B"):
            self.assertEqual(row[1], row[2])

    def test_names_are_escaped(self):
        """Whatever stands in names of files and in scenarios is shown, and does nothing."""
        name, evil = "a<b>&'c", "<script>alert(1)</script>"
        place = folder("names")
        write(os.path.join(place, "s.lua"), f"-- {evil}\n" + SCENARIOS["line"])
        self.assertIn(walras("run", "s.lua", "-o", name + ".h5", "-q", cwd=place).status, (0, 2))
        result = walras("report", name + ".h5", cwd=place)
        self.assertEqual(result.status, 0, result)
        page = Page(read(os.path.join(place, name + ".report.html")))
        self.assertEqual(page.wrong, [])
        self.assertIn(evil, "".join(page.text))

    def test_ranks_and_output(self):
        result = walras("report", "line.h5", "-o", "two.html", ranks=2, cwd=self.place)
        self.assertEqual((result.status, result.out), (0, "report  two.html\n"), result)
        self.assertEqual(read(self.path("two", ".html")), read(self.path("line")))


@unittest.skipIf(CHROMIUM is None, "chromium is not installed")
class Shown(unittest.TestCase):
    """Pages as one Chromium shows them, one after the other."""

    # Of each figure that is shown in one of its two widths: its title if that is not the case, if it is
    # low, or if a text of it is too small or lies outside the window.
    POOR = """[...document.querySelectorAll('figure')].filter(f => {
      const seen = [...f.querySelectorAll('svg')].filter(s => s.getBoundingClientRect().height > 0);
      return seen.length != 1 || seen[0].getBoundingClientRect().height < 90 ||
        [...seen[0].querySelectorAll('text')].some(t => {
          const box = t.getBoundingClientRect();
          return box.width > 0 && (box.left < 0 || box.right > innerWidth + 1 || box.height < 10);
        });
    }).map(f => f.querySelector('h3').textContent).join(', ')"""
    # Texts of the ticks of an axis that touch each other.
    CROWDED = """[...document.querySelectorAll('figure')].filter(f => {
      const seen = [...f.querySelectorAll('svg')].find(s => s.getBoundingClientRect().height > 0);
      const boxes = [...seen.querySelectorAll('text')].map(t => t.getBoundingClientRect())
        .filter(b => b.width > 0);
      return boxes.some((a, i) => boxes.slice(i + 1).some(b =>
        Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
        Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4));
    }).map(f => f.querySelector('h3').textContent).join(', ')"""

    @classmethod
    def setUpClass(cls):
        cls.place, _, cls.results = made()
        cls.browser = Browser(folder("browser"))

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()

    def show(self, name):
        self.browser.show(os.path.join(self.place, name + ".report.html"))
        self.assertEqual(self.browser.complaints, [], name)

    def check(self, name):
        """Nothing is wider than the window, and all figures are to be seen."""
        self.assertEqual(self.browser.evaluate("document.documentElement.scrollWidth - innerWidth"), 0,
                         name)
        self.assertEqual(self.browser.evaluate(self.POOR), "", name)
        self.assertEqual(self.browser.evaluate(self.CROWDED), "", name)
        self.assertEqual(self.browser.evaluate("document.querySelectorAll('figure').length"),
                         read(os.path.join(self.place, name + ".report.html")).count("<figure"), name)

    def seen(self):
        """A small picture of what is in the window: its most frequent colour, and the share of others."""
        colours, counts = numpy.unique(pixels(self.browser.picture(0.25)).reshape(-1, 3), axis=0,
                                       return_counts=True)
        return colours[counts.argmax()], 1 - counts.max() / counts.sum()

    def test_wide_and_on_a_phone(self):
        for name in self.results:
            self.browser.look(1200)
            self.show(name)
            for width in (1200, 700, 390):
                self.browser.look(width)
                self.check(name)

    def test_pages_are_not_blank(self):
        self.browser.look(1200)
        for name in ("line", "map", "designed", "steered", "transferred", "swept", "agents"):
            self.show(name)
            paper, other = self.seen()
            self.assertEqual(paper.tolist(), [255, 255, 255], name)
            self.assertGreater(other, 0.03, name)

    def test_figures_stand_side_by_side(self):
        """Those against iterations and against time do on wide screens, not on phones."""
        beside = """(() => { const [a, b] = [...document.querySelectorAll('figure')].slice(0, 2)
            .map(f => f.getBoundingClientRect()); return a.top == b.top && a.right < b.left; })()"""
        for width, expected in ((1200, True), (390, False)):
            self.browser.look(width)
            self.show("line")
            self.assertEqual(self.browser.evaluate(beside), expected)

    def test_dark(self):
        self.browser.look(1200, dark=True)
        for name in ("line", "designed"):
            self.show(name)
            paper, other = self.seen()
            self.assertLess(paper.sum(), 150, name)
            self.assertGreater(other, 0.03, name)

    def test_on_paper(self):
        self.browser.look(1200)
        self.show("designed")
        paper = self.browser.paper()
        self.assertTrue(paper.startswith(b"%PDF-"))
        self.assertIn(len(re.findall(rb"/Type\s*/Page\b", paper)), range(3, 12))


class Refused(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = folder("refused")
        write(os.path.join(cls.place, "line.lua"), SCENARIOS["line"] + "\n")
        walras("run", "line.lua", "-q", cwd=cls.place)
        write(os.path.join(cls.place, "text.h5"), "no HDF5\n")
        with h5py.File(os.path.join(cls.place, "other.h5"), "w") as file:
            file["x"] = 1
        shutil.copy(os.path.join(cls.place, "line.h5"), os.path.join(cls.place, "open.h5"))
        with h5py.File(os.path.join(cls.place, "open.h5"), "r+") as file:
            file.attrs["complete"] = numpy.uint8(0)
        write(os.path.join(cls.place, "killed.progress.jsonl"), "{}\n")
        with open(os.path.join(cls.place, "line.h5"), "rb") as file:
            data = bytearray(file.read())
        data[len(data) // 2] ^= 1
        write(os.path.join(cls.place, "damaged.h5"), bytes(data))
        cls.before = sorted(os.listdir(cls.place))

    def refuse(self, status, line, *args, env=None, ranks=None):
        result = walras("report", *args, cwd=self.place, env=env, ranks=ranks)
        self.assertEqual(result.status, status, result)
        self.assertEqual(result.out, "")
        lines = own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        self.assertRegex(lines[0], f"^{line}$")
        self.assertEqual(sorted(os.listdir(self.place)), self.before)

    def programs(self, gnuplot=None):
        """A PATH with nothing on it but this gnuplot, and what Open MPI starts."""
        place = folder("programs")
        for name in ("orted", "ssh", "rsh"):
            if shutil.which(name):
                os.symlink(shutil.which(name), os.path.join(place, name))
        if gnuplot:
            path = write(os.path.join(place, "gnuplot"), gnuplot)
            os.chmod(path, os.stat(path).st_mode | stat.S_IXUSR)
        return {"PATH": place}

    def test_usage(self):
        self.refuse(USAGE, r"walras report: expected A.h5 \[B.h5\], got nothing; see .*")
        self.refuse(USAGE, r'walras report: unexpected "c"; see .*', "a", "b", "c")
        self.refuse(USAGE, "walras report does not take --seed", "line.h5", "--seed", "1")

    def test_run_files(self):
        self.refuse(MISSING, "walras: gone.h5: no such file", "gone.h5")
        self.refuse(MISSING, "walras: gone.h5: no such file", "line.h5", "gone.h5")
        self.refuse(MISSING, r"walras: killed.h5: no such file: the run has not ended \(walras info "
                    r"killed.h5 tells where it stands\)", "killed.h5")
        self.refuse(BROKEN, r"walras: text.h5: not a walras run file \(not HDF5\)", "text.h5")
        self.refuse(BROKEN, r"walras: other.h5: not a walras run file .*", "other.h5")
        self.refuse(BROKEN, r"walras: damaged.h5: .*", "damaged.h5")
        self.refuse(BAD, "walras: open.h5: expected the file of a run that has ended, got an incomplete "
                    "file", "open.h5")
        self.refuse(MISSING, "walras: gone.h5: no such file", "gone.h5", ranks=2)

    def test_outputs(self):
        self.refuse(CREATE, r"walras: cannot create line.lua: file exists \(use --force to overwrite "
                    r"it\)", "line.h5", "-o", "line.lua")
        self.refuse(CREATE, "walras: cannot create line.h5: it is the run file", "line.h5", "-o",
                    "line.h5", "--force")
        self.refuse(CREATE, "walras: cannot create no/page.html: the folder no does not exist",
                    "line.h5", "-o", "no/page.html")
        self.refuse(CREATE, r"walras: cannot create \.: it is a folder", "line.h5", "-o", ".", "--force")

    def test_without_gnuplot(self):
        self.refuse(UNAVAILABLE, "walras: gnuplot, which draws the figures of reports, is not installed "
                    r"\(Debian: apt-get install gnuplot-nox\)", "line.h5",
                    env=self.programs())

    def test_gnuplot_that_fails(self):
        self.refuse(BUG, r"walras: gnuplot failed \(exit status 3\): line 7: no", "line.h5",
                    env=self.programs("#!/bin/sh\necho 'line 7: no' >&2\nexit 3\n"))
        self.refuse(BUG, r"walras: gnuplot drew something that is not understood", "line.h5",
                    env=self.programs("#!/bin/sh\necho '<svg>'\nexit 0\n"))

    def test_gnuplot_that_is_killed(self):
        """In the middle of a figure, after it has begun to draw."""
        self.refuse(BUG, r"walras: gnuplot was killed \(signal 9\)", "line.h5", env=self.programs(
            "#!/bin/sh\nread first\n[ \"$first\" = exit ] && exit 0\necho '<svg viewBox=\"0\"'\n"
            "kill -9 $$\n"))

    def test_a_full_disk(self):
        """A file system of 32 KiB, where a user may make one."""
        place = folder("full")
        shutil.copy(os.path.join(self.place, "line.h5"), place)
        os.mkdir(os.path.join(place, "small"))
        done = subprocess.run(["unshare", "--mount", "sh", "-c", "mount -t tmpfs -o size=32k none small "
                               '|| exit 99; "$@"; status=$?; ls -A small; exit $status', "sh",
                               os.environ["WALRAS"], "report", "line.h5", "-o", "small/page.html"],
                              cwd=place, capture_output=True, text=True)
        if done.returncode in (1, 99):
            self.skipTest("no file system can be made here")
        self.assertEqual(done.returncode, BROKEN, done)
        self.assertEqual(own_lines(done.stderr),
                         ["walras: small/page.html: cannot be written: No space left on device"])
        self.assertEqual(done.stdout, "")

    def test_force(self):
        place = folder("force")
        shutil.copy(os.path.join(self.place, "line.h5"), place)
        write(os.path.join(place, "line.report.html"), "mine\n")
        self.assertEqual(walras("report", "line.h5", cwd=place).status, CREATE)
        self.assertEqual(read(os.path.join(place, "line.report.html")), "mine\n")
        self.assertEqual(walras("report", "line.h5", "--force", cwd=place).status, 0)
        self.assertTrue(read(os.path.join(place, "line.report.html")).startswith("<!DOCTYPE html>"))
        self.assertEqual(left(place), ["line.h5", "line.report.html"])

    def test_help(self):
        result = walras("report", "--help")
        self.assertEqual(result.status, 0)
        self.assertIn("walras report A.h5 [B.h5]", result.out)
        self.assertIn("--output", result.out)


if __name__ == "__main__":
    unittest.main()
