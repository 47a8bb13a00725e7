# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports: a page for the run file of every task, whole and sound, that needs nothing else; the numbers
behind its figures are those of the file; Chromium shows it without complaint, on a phone too; every
mistake is one line with its exit status, and leaves nothing behind.
"""

import html.parser
import os
import re
import shutil
import stat
import subprocess
import unittest

import h5py
import numpy

from walras_cli import at_once, folder, left, own_lines, walras, write

MISSING, BAD, UNAVAILABLE, BUG, CREATE, BROKEN, USAGE = 66, 65, 69, 70, 73, 74, 64
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

BEACH = "beach_bar { states = 12, horizon = 5, bar = 6, log_offset = 0.01 }"
AUCTION = ('batched_auction { values = 12, bids = 12, rounds = 2, goods = 0.6, prior = "uniform", '
           'utility = "neutral", drift = "none"%s }')
DESIGN = ("return design { game = %s, objective = %s, learner = mirror_descent { rate = 1, entropy = "
          "0.01, iterations = 30 }, optimizer = adam { rate = 0.05 }, steps = 3, evaluate = { "
          "iterations = 40, every = 1 }%s }")
SCENARIOS = {
    "line": f"return solve {{ game = {BEACH}, stop = {{ iterations = 20, exploitability = 0.001 }} }}",
    "line2": f"return solve {{ game = {BEACH}, learner = fictitious_play {{ rate = 0.5 }}, stop = {{ "
             "iterations = 12 } }",
    "map": "return solve { game = crowd_motion { rows = 6, columns = 8, horizon = 3, bar_path = { {3, "
           "3}, {3, 3}, {2, 4} } }, stop = { iterations = 5 } }",
    "kinds": "return solve { game = predator_prey { horizon = 4 }, stop = { iterations = 3 } }",
    "long": "return solve { game = beach_bar { states = 4, horizon = 2, bar = 2 }, stop = { iterations "
            "= 300 } }",
    "auction": f"return solve {{ game = {AUCTION % ''}, stop = {{ iterations = 20 }} }}",
    "designed": DESIGN % (AUCTION % ", mechanism = neural { hidden = 4 }", "revenue {}",
                          ", restarts = 2"),
    "toll": DESIGN % ('beach_bar { states = 8, horizon = 4, bar = 4, toll = toll { on = "state", max '
                      "= 0.5 } }", "congestion { sharpness = 20 }", ""),
    "agents": f"return simulate {{ game = {BEACH}, policy = equilibrium {{ learner = mirror_descent {{ "
              "rate = 1, entropy = 0.05 }, stop = { iterations = 20 } }, agents = { 10, 30, 100 }, "
              'episodes = 6, mode = "counts", objective = congestion { sharpness = 20 } }',
    "steered": f"return steer {{ game = bounded {{ game = {BEACH}, low = -10.1, high = 4.7 }}, target = "
               "softmax_target { scale = 1, seed = 1 }, agents = hedge { rate = 1 }, mediator = { none "
               "{}, known_model {}, optimistic {} }, episodes = 40, seeds = 2 }",
    "swept": "return sweep { base = solve { game = beach_bar { states = 8, horizon = 3 }, stop = { "
             'iterations = 5 } }, vary = { ["learner.rate"] = { 0.01, 0.1, 1 }, ["game.states"] = { 8, '
             "10 } } }",
    "one_shot": 'return simulate { game = one_shot_auction { format = "first_price", bidders = 3 }, '
                "samples = 2000 }",
}
# What each report must speak of.
HEADINGS = {
    "line": ["Did it converge?", "How they play"],
    "map": ["Did it converge?", "How they play"],
    "kinds": ["Did it converge?", "How they play"],
    "long": ["Did it converge?", "How they play"],
    "auction": ["Did it converge?", "The auction", "How they play"],
    "designed": ["The design", "The auction", "How they play"],
    "toll": ["The design", "How they play"],
    "agents": ["Can it be believed for N agents?", "How they play"],
    "steered": ["The steering", "The target"],
    "swept": ["The sweep"],
    "one_shot": ["The auction, simulated"],
    "transferred": ["The transfer"],
}
FIGURES = {
    "line": ["Exploitability against iterations", "Exploitability against time", "Where the players are",
             "What the policy does"],
    "kinds": ["Exploitability by population"],
    "auction": ["What a winner pays for each bid", "How likely each bid wins", "How many bid what",
                "Revenue and welfare by round"],
    "designed": ["How much better is it?", "Objective against steps", "Objective against time",
                 "Exploitability against steps", "Exploitability against time", "Restarts"],
    "toll": ["The toll before and after"],
    "agents": ["Gaps to the limit against the number of agents", "What an agent gains by deviating"],
    "steered": ["Distance from the target", "Payments"],
    "swept": ["The runs in order of rank", "Result against learner.rate"],
    "one_shot": ["What the auction comes to", "Should anybody bid otherwise?"],
    "transferred": ["Regret", "Whom chooser asks", "Regret over that of the baseline"],
}
VOID = {"meta", "br", "hr", "img", "input", "link"}


def make_transfer(path):
    """A file of a transfer, as docs/run-file.md has it, of numbers made up here."""
    rng = numpy.random.default_rng(1)
    methods, seeds, arms = ["plain", "chooser"], 3, ["source 1", "online"]
    rounds = numpy.array([1, 2, 3, 4, 6, 8, 11])
    with h5py.File(path, "w") as file:
        file.attrs.update({"format": "walras", "walras_version": "0.1.0", "task": "transfer"})
        file.attrs["format_version"] = file.attrs["seed"] = file.attrs["complete"] = 1
        text = h5py.string_dtype()
        file.create_dataset("scenario/source", data="return transfer {}", dtype=text)
        file.create_dataset("scenario/resolved", data='{"transfer": {"rounds": 11}}', dtype=text)
        group = file.create_group("transfer")
        group.create_dataset("method", data=methods, dtype=text)
        group.create_dataset("arm", data=arms, dtype=text)
        group["seed"], group["round"] = numpy.arange(seeds), rounds
        group["regret"] = numpy.cumsum(rng.random((2, seeds, len(rounds))), axis=2)
        group["gap"] = rng.random((2, seeds, len(rounds)))
        chosen = numpy.zeros((2, seeds, len(rounds), 2), dtype="i8")
        chosen[0, :, :, 1] = rounds
        chosen[1, :, :, 0] = (rounds + 1) // 2
        chosen[1, :, :, 1] = rounds // 2
        group["selection"] = chosen
        ratio = numpy.ones((2, len(rounds)))
        group["ratio"], group["ratio_low"], group["ratio_high"] = ratio, 0.8 * ratio, 1.2 * ratio
        summary = group.create_group("summary")
        summary.attrs.update({"baseline": "plain", "least_regret": "chooser"})
        for name in ("regret", "regret_low", "regret_high", "ratio", "ratio_low", "ratio_high",
                     "exponent", "final_gap", "final_coverage"):
            summary[name] = rng.random(2)
        summary["win_rate"] = numpy.full((2, 2), 0.5)
    return path


class Page(html.parser.HTMLParser):
    """Walks through a page, and notes what is not sound, what it shows and what it asks for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.wrong, self.ids, self.asks = [], [], [], []
        self.figures, self.headings, self.text, self.tables = [], [], [], []
        self.feed(text)
        self.close()
        if self.open:
            self.wrong.append(f"never closed: {self.open}")

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "object", "embed", "foreignobject"):
            self.wrong.append(f"<{tag}>")
        self.wrong += [f"{name}=" for name in attributes if name.startswith("on")]
        if "id" in attributes:
            self.ids.append(attributes["id"])
        for name in ("href", "xlink:href", "src", "srcset", "action", "data", "poster"):
            if name in attributes:
                self.asks.append(attributes[name])
        if tag == "figure":
            self.figures.append({"h3": "", "p": "", "svg": 0, "tables": 0, "rows": 0, "label": ""})
        if "figure" in self.open:
            if tag == "svg":
                self.figures[-1]["svg"] += 1
                self.figures[-1]["label"] = attributes.get("aria-label", "")
            if tag == "table" and "details" in self.open:
                self.figures[-1]["tables"] += 1
            if tag == "tr" and "tbody" in self.open:
                self.figures[-1]["rows"] += 1
        if tag == "table":
            self.tables.append([])
            if "div" not in self.open:
                self.wrong.append("a table out of its box")
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag == "h2":
            self.headings.append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.wrong.append(f"</{tag}> in {self.open[-3:]} at {self.getpos()}")
        elif tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        if "style" in self.open:
            if "url(" in data or "@import" in data:
                self.wrong.append("a style that fetches")
            return
        self.text.append(data)
        inner = self.open[-1] if self.open else ""
        if "figcaption" in self.open and inner in ("h3", "p"):
            self.figures[-1][inner] += data
        if inner == "h2":
            self.headings[-1] += data
        if inner in ("td", "th"):
            self.tables[-1][-1][-1] += data

    def figure(self, title):
        return next(figure for figure in self.figures if figure["h3"] == title)

    def table(self, *heads):
        """The first table with these heads, as rows of texts."""
        return next(table[1:] for table in self.tables if table[0][: len(heads)] == list(heads))


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def shown(value):
    return "-" if numpy.isnan(value) else f"{value:.0f}" if value == int(value) else f"{value:.6g}"


class Reports(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.place = folder("reports")
        for name, text in SCENARIOS.items():
            write(os.path.join(cls.place, name + ".lua"), text + "\n")
        cls.runs = dict(zip(SCENARIOS, at_once(
            lambda name: walras("run", name + ".lua", "-q", cwd=cls.place), SCENARIOS)))
        make_transfer(os.path.join(cls.place, "transferred.h5"))
        cls.names = [*SCENARIOS, "transferred"]
        cls.results = dict(zip(cls.names, at_once(
            lambda name: walras("report", name + ".h5", cwd=cls.place), cls.names, workers=2)))
        cls.results["line-line2"] = walras("report", "line.h5", "line2.h5", cwd=cls.place)
        cls.results["designed-designed"] = walras("report", "designed.h5", "designed.h5", cwd=cls.place)
        cls.pages = {name: Page(read(cls.path(name))) for name, result in cls.results.items()
                     if result.status == 0}

    @classmethod
    def path(cls, name, end=".report.html"):
        return os.path.join(cls.place, name + end)

    def test_all_succeed(self):
        for name, result in self.runs.items():
            self.assertIn(result.status, (0, 2), f"{name}: {result}")
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

    def test_sweep_is_ranked(self):
        rows = self.pages["swept"].table("place", "run")
        with h5py.File(self.path("swept", ".h5")) as run:
            last = run["summary/exploitability_last"][:]
        self.assertEqual([int(row[1]) for row in rows], list(numpy.argsort(last, kind="stable")))

    def test_slopes_are_drawn(self):
        with h5py.File(self.path("agents", ".h5")) as run:
            slope = run["population"].attrs["return_slope"]
        self.assertIn(f"return: N^{slope:.2f}", "".join(self.pages["agents"].text))

    def test_selection_shares(self):
        rows = self.pages["transferred"].table("round", "source 1", "online")
        self.assertEqual(rows[0], ["1", "1", "0"])
        self.assertEqual(rows[-1], ["11", shown(6 / 11), shown(5 / 11)])

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
class Browser(unittest.TestCase):
    """Pages as Chromium shows them: made by Reports.setUpClass anew, of fewer runs."""

    NAMES = ("line", "map", "designed", "steered")
    MEASURE = ("<script>addEventListener('load', () => console.log('wide ' + "
               "document.documentElement.scrollWidth + ' of ' + innerWidth + ' figures ' + "
               "[...document.querySelectorAll('figure')].filter(f => [...f.querySelectorAll('svg')]"
               ".filter(s => s.getBoundingClientRect().height > 90).length == 1).length))</script>")

    @classmethod
    def setUpClass(cls):
        cls.place = folder("browser")
        for name in cls.NAMES:
            write(os.path.join(cls.place, name + ".lua"), SCENARIOS[name] + "\n")
            walras("run", name + ".lua", "-q", cwd=cls.place)
            result = walras("report", name + ".h5", cwd=cls.place)
            assert result.status == 0, result
            text = read(os.path.join(cls.place, name + ".report.html"))
            write(os.path.join(cls.place, name + ".measured.html"),
                  text.replace("</body>", cls.MEASURE + "</body>"))

    def show(self, page, width, *more):
        """Chromium's complaints, and what the page says on its console."""
        picture = os.path.join(self.place, "picture.png")
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--enable-logging=stderr", f"--user-data-dir={self.place}/profile",
             f"--window-size={width},1600", f"--screenshot={picture}", *more,
             f"file://{self.place}/{page}"],
            capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(picture, "rb") as file:
            self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")
        os.remove(picture)
        return re.findall(r'CONSOLE[^\]]*\] "(.*)", source', done.stderr)

    def test_pages_load_without_errors(self):
        for name in self.NAMES:
            self.assertEqual(self.show(name + ".report.html", 1000), [], name)

    def test_dark(self):
        self.assertEqual(self.show("line.report.html", 1000,
                                   "--blink-settings=preferredColorScheme=0"), [])

    def test_nothing_is_wider_than_a_phone(self):
        """Every figure is shown in just one of its widths."""
        for name in self.NAMES:
            for width in (360, 1000):
                # Windows have a least width; frames have not.
                write(os.path.join(self.place, "framed.html"),
                      f'<iframe src="{name}.measured.html" width="{width}" height="1500" '
                      'style="border:0"></iframe>')
                said = self.show("framed.html", 1100)
                self.assertEqual(len(said), 1, said)
                wide, window, figures = map(int, re.findall(r"\d+", said[0]))
                self.assertEqual(window, width)
                self.assertLessEqual(wide, window, name)
                self.assertEqual(figures, read(os.path.join(
                    self.place, name + ".report.html")).count("<figure>"), name)


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
