# SPDX-License-Identifier: GPL-3.0-or-later
"""What README.md and docs/ claim: the scenario is the file, its printed result is what the program
prints, the Python runs, links lead somewhere, documented commands exist."""
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


def without_seconds(text):
    return re.sub(r"^( +seconds +).*$", r"\1", text, flags=re.M)


def documents():
    yield "README.md"
    for name in sorted(os.listdir(os.path.join(SOURCE, "docs"))):
        if name.endswith(".md"):
            yield "docs/" + name


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.readme = read("README.md")
        cls.result = cls.run_scenario("auction")
        cls.run_scenario("crowd_motion")  # docs/run-file.md reads it

    @staticmethod
    def run_scenario(name):
        return subprocess.run(
            MPIRUN + ["-n", "2", WALRAS, "run", os.path.join(SOURCE, f"scenarios/{name}.lua")],
            capture_output=True, text=True, check=True).stdout

    def test_scenario_is_the_file(self):
        self.assertEqual(blocks(self.readme, "lua"), [read("scenarios/auction.lua")])

    def test_result_is_what_is_printed(self):
        shown = blocks(self.readme, "console")[0]
        command, _, result = shown.partition("\n")
        self.assertEqual(command, "$ mpirun -n 2 build/walras run scenarios/auction.lua")
        self.assertEqual(without_seconds(result), without_seconds(self.result))

    def test_python_runs(self):
        script = blocks(self.readme, "python")[0]
        self.assertEqual(len([line for line in script.splitlines() if line]), 6)
        subprocess.run([sys.executable, "-c", script], check=True,
                       env=dict(os.environ, MPLBACKEND="Agg"))
        self.assertGreater(os.path.getsize("bids.png"), 5000)

    def test_run_file_snippets_run(self):
        subprocess.run([WALRAS, "run", os.path.join(SOURCE, "scenarios/rate_sweep.lua"), "-q"],
                       check=True, stdout=subprocess.DEVNULL, env=walras_cli.environment())
        self.addCleanup(os.remove, "rate_sweep.h5")
        with open("run.progress.jsonl", "w", encoding="utf-8") as file:  # of a run still going on
            file.write('{"format":"walras progress","version":1}\n{"iteration":0,"seconds":0}\n{"ite')
        self.addCleanup(os.remove, "run.progress.jsonl")
        for script in blocks(read("docs/run-file.md"), "python"):
            subprocess.run([sys.executable, "-c", script], check=True)

    def test_shell_commands_run(self):
        for line in blocks(self.readme, "sh")[1].splitlines():
            command = shlex.split(line, comments=True)
            if "other.h5" in command:
                command = ["b.h5" if word == "other.h5" else word for word in command]
            self.assertEqual(command[0], "build/walras")
            words = [os.path.join(SOURCE, w) if w.startswith("scenarios/") else w
                     for w in command[1:]]
            done = subprocess.run([WALRAS] + words, capture_output=True, text=True,
                                  env=walras_cli.environment())
            self.assertEqual(done.returncode, 0, line + "\n" + done.stderr)
            self.assertNotEqual(done.stdout, "", line)

    def test_links_lead_somewhere(self):
        for document in documents():
            folder = os.path.dirname(os.path.join(SOURCE, document))
            for target in re.findall(r"\]\(([^)#]+)\)", read(document)):
                if "://" not in target:
                    self.assertTrue(os.path.exists(os.path.join(folder, target)),
                                    document + ": " + target)

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
