# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and docs/ claim: the scenario is the file, its printed result is what the program
prints, the Python runs, links lead somewhere, documented commands exist."""
import glob
import os
import re
import shlex
import subprocess
import sys
import unittest

import walras_cli

SOURCE = os.environ["WALRAS_SOURCE"]
WALRAS = os.environ["WALRAS"]
MPIRUN = shlex.split(os.environ["WALRAS_MPIRUN"])


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def blocks(text, language):
    return re.findall(r"^```" + language + r"\n(.*?)^```", text, re.M | re.S)


def shape(text):
    """The text with all numbers alike, and blanks: what short runs and whole ones share."""
    number = r"-?(?:\d+\.?\d*(?:e[-+]\d+)?|nan)"
    lines = re.sub(r"(?<![\w.])" + number + r"(?![\w.])", "#", text).splitlines()
    return [" ".join(line.split()) for line in lines]


# A few seconds of the README's job, which takes minutes.
SHORT = ["-P", "steps=2", "-P", "learner.iterations=20", "-P", "evaluate={iterations=30}", "-P",
         "game.values=20", "-P", "game.bids=20", "-P", "game.mechanism.hidden=8"]


def documents():
    yield "README.md"
    for name in sorted(os.listdir(os.path.join(SOURCE, "docs"))):
        if name.endswith(".md"):
            yield "docs/" + name


def everything():
    """All documents of the repository; not of builds in it."""
    for place, folders, names in os.walk(SOURCE):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "build")))
        for name in sorted(names):
            if name.endswith(".md"):
                yield os.path.relpath(os.path.join(place, name), SOURCE)


def prose(document):
    """Without what stands in blocks."""
    return re.sub(r"^```.*?^```", "", read(document), flags=re.M | re.S)


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.readme = read("README.md")
        shown = blocks(cls.readme, "console")[0]
        cls.name = re.search(r"run scenarios/design/(\w+)\.lua", shown)[1]
        cls.result = cls.run_scenario("design/" + cls.name, *SHORT)
        cls.run_scenario("auction")  # docs/run-file.md reads these two
        cls.run_scenario("crowd_motion")

    @staticmethod
    def run_scenario(name, *options):
        path = os.path.join(SOURCE, f"scenarios/{name}.lua")
        return subprocess.run(MPIRUN + ["-n", "2", WALRAS, "run", path, *options],
                              capture_output=True, text=True, check=True).stdout

    def test_scenario_is_the_file(self):
        self.assertEqual(blocks(self.readme, "lua"), [read("scenarios/design/a1.lua")])

    def test_result_is_what_is_printed(self):
        """All but the numbers, which take minutes; of those, first price and the best design."""
        shown = blocks(self.readme, "console")[0]
        command, _, result = shown.partition("\n")
        self.assertEqual(command,
                         f"$ mpirun -n 2 build/walras run scenarios/design/{self.name}.lua")
        self.assertIn(self.name, ("a1", "quick"))
        self.assertEqual(shape(result), shape(self.result))
        row = r"^  (first price|start|best design).*? {2,}(0\.\d+) "
        found = dict(re.findall(row, result, re.M))
        self.assertEqual(found["first price"], "0.152093")  # also in scenarios/auctions/a1.lua
        self.assertLess(0.24, float(found["best design"]))
        self.assertLess(float(found["best design"]), 0.25)  # Myerson 1981

    def test_quickstart_runs_the_short_one(self):
        """Its last table is made of lines of what walras prints."""
        script = read("tools/quickstart")
        self.assertIn("run scenarios/design/quick.lua", script)
        pattern = re.search(r"grep -E '(.*)'", script)[1]
        printed = (self.result if self.name == "quick" else
                   self.run_scenario("design/quick", *SHORT))
        rows = subprocess.run(["grep", "-E", pattern], input=printed, text=True, check=True,
                              capture_output=True).stdout.splitlines()
        self.assertEqual([row.split()[0] for row in rows], ["objective", "first", "start", "best"])

    def test_python_runs(self):
        script = blocks(self.readme, "python")[0]
        self.assertEqual(len([line for line in script.splitlines() if line]), 6)
        subprocess.run([sys.executable, "-c", script], check=True,
                       env=dict(os.environ, MPLBACKEND="Agg"))
        self.assertGreater(os.path.getsize("payments.png"), 5000)

    def test_run_file_snippets_run(self):
        subprocess.run([WALRAS, "run", os.path.join(SOURCE, "scenarios/rate_sweep.lua"), "-q"],
                       check=True, stdout=subprocess.DEVNULL, env=walras_cli.environment())
        self.addCleanup(os.remove, "rate_sweep.h5")
        self.run_scenario("steering/beach_bar", "-o", "steered.h5", "-P", "episodes=20")
        self.addCleanup(os.remove, "steered.h5")
        with open("run.progress.jsonl", "w", encoding="utf-8") as file:  # of a run still going on
            file.write('{"format":"walras progress","version":1}\n{"iteration":0,"seconds":0}\n{"ite')
        self.addCleanup(os.remove, "run.progress.jsonl")
        for script in blocks(read("docs/run-file.md"), "python"):
            subprocess.run([sys.executable, "-c", script], check=True)

    def test_shell_commands_run(self):
        for line in blocks(self.readme, "sh")[-1].splitlines():
            command = shlex.split(line, comments=True)
            self.assertEqual(command[0], "build/walras")
            words = [os.path.join(SOURCE, w) if w.startswith("scenarios/") else w
                     for w in command[1:]]
            done = subprocess.run([WALRAS] + words, capture_output=True, text=True,
                                  env=walras_cli.environment())
            self.assertEqual(done.returncode, int(command[1] == "diff"), line + "\n" + done.stderr)
            self.assertNotEqual(done.stdout, "", line)

    def test_links_lead_somewhere(self):
        for document in everything():
            folder = os.path.dirname(os.path.join(SOURCE, document))
            for target in re.findall(r"\]\(([^)#]+)\)", read(document)):
                if "://" not in target:
                    self.assertTrue(os.path.exists(os.path.join(folder, target)),
                                    document + ": " + target)

    def test_links_lead_to_headings(self):
        slug = lambda line: re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-")
        for document in everything():
            for target, name in re.findall(r"\]\(([^)#]*)#([^)]+)\)", read(document)):
                if "://" in target:
                    continue
                path = os.path.join(os.path.dirname(document), target) if target else document
                headings = map(slug, re.findall(r"^#+ (.*)$", prose(path), re.M))
                self.assertIn(name, set(headings), document + ": " + target)

    def test_named_files_exist(self):
        """`docs/x.md`, `scenarios/x.lua`, `tests/x/`, `bench/x` (a program), `sim/x_NAME.c` (any)."""
        folders = {name for name in os.listdir(SOURCE)
                   if os.path.isdir(os.path.join(SOURCE, name))
                   and not name.startswith((".", "build"))}
        scenarios = set(os.listdir(os.path.join(SOURCE, "scenarios")))
        example = "games/ferry.c"  # that docs/extending.md has the reader write
        count = 0
        for document in everything():
            for quoted in re.findall(r"`([^`]+)`", prose(document)):
                for path in re.findall(r"(?<!\S)((?:[\w.-]+/)+[\w.*-]*)(?=[,;:)]|\.?(?!\S))", quoted):
                    first = path.split("/")[0]
                    if first in scenarios and path.endswith(".lua"):
                        path = "scenarios/" + path
                    elif first not in folders or path == example:
                        continue
                    pattern = os.path.join(SOURCE, path.replace("NAME", "*"))
                    self.assertTrue(glob.glob(pattern) or os.path.exists(pattern + ".c"),
                                    f"{document}: {path}")
                    count += 1
        self.assertGreater(count, 150)

    def test_documented_names_exist(self):
        listed = subprocess.run([WALRAS, "list"], capture_output=True, text=True,
                                env=walras_cli.environment()).stdout
        of_kind = {group.split("\n")[0]: set(re.findall(r"^  (\w+)", group, re.M))
                   for group in listed.split("\n\n")}
        rows = lambda document: set(re.findall(r"^\| `(\w+)[`{]", read(document), re.M))
        games = of_kind["games"] | of_kind["learners"]
        self.assertEqual(rows("docs/games.md"), games)
        others = set().union(*of_kind.values()) - games - of_kind["tasks"]
        named = lambda document: set(re.findall(r"`(\w+)[`{]", read(document)))
        self.assertLessEqual(others, set().union(*map(named, documents())))

    def test_exit_statuses_are_documented(self):
        header = read("sim/core/status.h")
        statuses = {int(n) for n in re.findall(r"X\(WAL_\w+, (\d+),", header)}
        table = read("docs/scenarios.md").split("## Exit status")[1]
        self.assertEqual({int(n) for n in re.findall(r"^\| (\d+) \|", table, re.M)}, statuses)


if __name__ == "__main__":
    unittest.main()
