# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person at a terminal sees: help, lists, results, progress; and what scripts rely on."""

import fcntl
import functools
import glob
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
import unittest

import h5py

import run_file_compare
from walras_cli import (SANITIZED, SOURCE, WALRAS, at_once, command_line, environment, folder, left,
                        listed, own_lines, stop, walras, write)

COMMANDS = ("run", "resume", "check", "list", "describe", "info", "diff", "generate")
SHORT = "return solve { game = beach_bar {}, stop = { iterations = 20 } }"
# About a second, so that a bar is drawn some times.
SECOND = ("return solve { game = crowd_motion { rows = 100, columns = 100, horizon = 5 }, "
          f"stop = {{ iterations = {30 if SANITIZED else 400} }} }}")
# Ends when it is stopped.
LONG = ("return solve { game = crowd_motion { rows = 100, columns = 100 }, "
        "stop = { iterations = 1000000, every = 2 } }")
SLOW = 10  # seconds; alone it takes some hundredths of one


def run_short(*args, text=SHORT, **more):
    """`walras run` in a new folder: (result, the folder)."""
    place = folder("run")
    write(os.path.join(place, "s.lua"), text)
    return walras("run", "s.lua", *args, cwd=place, **more), place


@functools.lru_cache(None)
def described(name):
    """What `walras describe` says."""
    return walras("describe", name).out


class Watched:
    """walras with stderr on a pseudo-terminal or a pipe that is read as it goes."""

    def __init__(self, args, place, terminal, env=None, columns=80):
        self.parts, self.start = [], time.monotonic()
        changes = {"NO_COLOR": None, "TERM": "xterm", **(env or {})}
        reader, writer = pty.openpty() if terminal else os.pipe()
        if terminal:
            fcntl.ioctl(writer, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            command_line(args), cwd=place, env=environment(changes=changes),
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=writer)
        os.close(writer)
        self.reader = threading.Thread(target=self.read, args=(reader,), daemon=True)
        self.reader.start()

    def read(self, reader):
        try:
            while part := os.read(reader, 65536):
                self.parts.append(part)
        except OSError:  # the other end of a pseudo-terminal was closed
            pass
        os.close(reader)

    @property
    def text(self):
        return b"".join(self.parts).decode()

    def end(self, timeout=60):
        """Waits for the end; gives what stood on stderr."""
        try:
            self.out = self.process.communicate(timeout=timeout)[0].decode()
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        self.reader.join(10)
        return self.text

    def kill(self):
        stop(self.process)
        self.process.communicate()
        self.reader.join(10)


def screen(text):
    """The lines that a terminal shows after `text`: carriage returns and erasing are obeyed."""
    lines, column = [""], 0
    for piece in re.findall(r"\r|\n|\x1b\[K|\x1b\[[0-9;?]*[A-Za-z]|[^\r\n\x1b]", text):
        if piece == "\r":
            column = 0
        elif piece == "\n":
            lines.append("")
            column = 0
        elif piece == "\x1b[K":
            lines[-1] = lines[-1][:column]
        elif not piece.startswith("\x1b"):
            lines[-1] = lines[-1][:column] + piece + lines[-1][column + 1:]
            column += 1
    return [line for line in lines if line]


class Help(unittest.TestCase):
    """Needs no MPI: there is no mpirun to be found, and it takes no time."""

    BARE = {name: None for name in os.environ if not name.endswith("SAN_OPTIONS")} | {
        "PATH": "/nonexistent"}

    def bare(self, *args):
        result = walras(*args, env=self.BARE)
        self.assertLess(result.seconds, SLOW)
        return result

    def test_help(self):
        for flag in ("--help", "-h"):
            result = self.bare(flag)
            self.assertEqual((result.status, result.err), (0, ""), result)
            for command in COMMANDS:
                self.assertRegex(result.out, rf"(?m)^ +walras {command}\b.*\w")
            for status in (0, 2, 3, 64, 65, 66, 70, 73, 74):
                self.assertRegex(result.out, rf"\b{status} \w")

    def test_help_of_commands(self):
        everything = self.bare("--help").out
        self.assertEqual(self.bare("help").out, everything)
        for command in COMMANDS:
            for args in ((command, "--help"), ("--help", command), ("help", command),
                         (command, "-h", "x")):
                with self.subTest(args=args):
                    result = self.bare(*args)
                    self.assertEqual((result.status, result.err), (0, ""), result)
                    self.assertTrue(result.out.startswith(f"walras {command}"), result)
                    for option in re.findall(r"--[a-z-]+", result.out):
                        self.assertIn(option, everything)

    def test_help_names_the_options(self):
        out = self.bare("run", "--help").out
        for option in ("-o, --output", "-P, --parameter", "--seed", "--dry-run", "--quiet",
                       "--log json", "-f, --force"):
            self.assertIn(option, out)
        self.assertNotIn("--output", self.bare("diff", "--help").out)

    def test_lines_fit_a_terminal(self):
        for args in ((), *((command,) for command in COMMANDS)):
            for text in self.bare(*args, "--help").out.splitlines():
                self.assertLessEqual(len(text), 100)

    def test_version(self):
        for flag in ("--version", "-V"):
            result = self.bare(flag)
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertRegex(result.out, r"^walras \d+\.\d+\.\d+\S*\n$")

    def test_no_arguments(self):
        result = self.bare()
        self.assertEqual((result.status, result.out), (64, ""), result)
        self.assertLess(len(result.err.splitlines()), 24)
        commands = re.findall(r"(?m)^  ((?:echo|walras) .*?)(?:  .*)?$", result.err)
        self.assertEqual(len(commands), 6, result)
        place = folder("first")
        for command in commands:  # what it says can be done as it is
            done = subprocess.run(command.replace("walras ", f"{WALRAS} ", 1), shell=True,
                                  cwd=place, capture_output=True, env=environment(), check=False)
            self.assertEqual(done.returncode, 0, (command, done.stderr))
        self.assertEqual(left(place), ["first.h5", "first.lua"])

    def test_output_fits_a_terminal(self):
        """Lines of 100 columns, but for types that are wider."""
        for line in walras("list").out.splitlines():
            self.assertLessEqual(len(line), 100)
        for name in sorted({name for name, _ in listed()}):
            with self.subTest(name=name):
                out = described(name).splitlines()
                columns = [line.index("  meaning") + 2 for line in out if line.endswith("  meaning")]
                self.assertLessEqual(max(map(len, out)), max(100, 44 + max(columns, default=0)))

    def test_describe_tells_where(self):
        for name, where in (("solve", "what a scenario returns, base of sweep"),
                            ("steer", "what a scenario returns"),
                            ("greedy", "mediator of steer"), ("ucb", "methods of transfer"),
                            ("beach_bar", "game of solve, game of design, game of simulate, .*"),
                            ("adam", "optimizer of design"),
                            ("toll", r"toll of batched_auction, .*, \.\.\. \(\d+ games\)")):
            self.assertRegex(described(name), rf"(?m)^where: {where}$")

    def test_list_and_describe(self):
        for args in (("list",), ("describe", "beach_bar")):
            result = self.bare(*args)
            self.assertEqual((result.status, result.err), (0, ""), result)


class Components(unittest.TestCase):
    def test_list(self):
        everything = listed()
        self.assertLessEqual({"task", "game", "learner", "mechanism", "prior", "utility", "drift",
                              "auction", "value_law", "bid_rule"},
                             {kind for _, kind in everything})
        self.assertLessEqual({"solve", "beach_bar", "random_linear", "mirror_descent"},
                             {name for name, _ in everything})
        for line in walras("list").out.splitlines():
            self.assertRegex(line, r"^$|^[a-z_]+s$|^  [a-z][a-z0-9_]* +\S.*$")

    def test_list_of_a_kind(self):
        everything = listed()
        for kind in sorted({kind for _, kind in everything}):
            expected = [item for item in everything if item[1] == kind]
            for spelling in (kind, re.sub("y$", "ie", kind) + "s"):
                with self.subTest(spelling=spelling):
                    self.assertEqual(listed(spelling), expected)

    def test_every_game_has_a_file(self):
        """The list is complete: every game of games/ is in it."""
        with open(os.path.join(SOURCE, "games/game_list.h")) as file:
            names = re.findall(r"^ +X\((\w+)\)", file.read(), re.M)
        self.assertGreater(len(names), 5)
        self.assertEqual({name for name, _ in listed("games")}, set(names))

    @functools.cached_property
    def blocks(self):
        """(name, kind): what describe says of it."""
        found = {}
        for name in {name for name, _ in listed()}:
            for block in re.split(r"\n\n(?=\w+ \(\w+\): )", described(name)):
                found[re.match(r"(\w+) \((\w+)\): \S", block).groups()] = block
        return found

    def example(self, item):
        lines = re.search(r"(?m)^example: (return .*(?:\n {9}.*)*)", self.blocks[item])
        self.assertIsNotNone(lines, item)
        return " ".join(lines[1].split())

    def test_describe(self):
        everything = listed()
        self.assertEqual(set(self.blocks), set(everything))
        for item in everything:
            with self.subTest(item=item):
                for label in ("where", "example", "source"):
                    self.assertRegex(self.blocks[item], rf"(?m)^{label}: \S")
                self.assertRegex(self.blocks[item], rf"\n  parameter  |takes no .*: {item[0]}{{}}")

    def test_examples(self):
        """What describe shows can be done: those of one task that can be swept in one sweep."""
        texts, alone = {"solve": [], "design": []}, []
        for item in listed():
            text = self.example(item)
            if ".h5" in text:  # files of the reader's own
                continue
            task = text.split()[1]
            if task in texts:
                texts[task].append(text.removeprefix("return "))
            else:
                alone.append(text)
        texts = alone + [f"return sweep {{ runs = {{ {', '.join(texts[task])} }} }}"
                         for task in texts]
        self.assertGreater(len(alone), 30)

        def check(text):
            return walras("check", write(os.path.join(folder("example"), "s.lua"), text),
                          leaks=False)
        for text, result in zip(texts, at_once(check, texts)):
            self.assertEqual((result.status, result.err), (0, ""), (text, result))

    def test_describe_knows_all_parameters(self):
        """Names that a component takes, as it says when it is given another one; of one of each
        kind, as all are told by the same table."""
        firsts = {kind: (name, kind) for name, kind in reversed(listed())}

        def ask(item):
            text = self.example(item)
            made = text.replace(f"{item[0]} {{", f"{item[0]} {{ zzzzzzzzzzzzzzzzzzzzzzz = 1,", 1)
            path = write(os.path.join(folder("ask"), "s.lua"), made)
            return re.search(r"; it takes (.*)", walras("check", path, leaks=False).err)
        for item, found in zip(firsts.values(), at_once(ask, firsts.values())):
            with self.subTest(item=item):
                self.assertIsNotNone(found)
                for parameter in filter(None, found[1].replace("no parameters", "").split(", ")):
                    self.assertRegex(self.blocks[item],
                                     rf"(?m)^ +{re.escape(parameter)}  *(\S.*)  *\S.*$")

    def test_describe_words(self):
        """Parameters, columns of reports and a few terms are no components, but are told of."""
        for word, lines in (
                ("reserve", ["reserve", "  reserve of first_price       lowest bid that may win: one "
                             "for all rounds, or one for each"]),
                ("threshold", ["threshold", "  in the report of batched_auction  lowest bid that wins "
                               "with some probability; 1 if none does"]),
                ("exploitability", ["exploitability: what an agent gains by the best policy while "
                                    "all others keep to theirs; 0 at an", "                "
                                    "equilibrium (docs/theory.md, docs/tutorial.md)",
                                    "as a parameter"]),
                ("mean field", ["mean field: how many of infinitely many agents are in each state, "
                                "stage by stage (docs/theory.md)", "as a parameter"])):
            result = walras("describe", word)
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(result.out.splitlines()[:len(lines)], lines)
            self.assertLess(result.out.count("\n"), 30)
            for line in result.out.splitlines():
                self.assertLessEqual(len(line), 100)
        self.assertRegex(described("exploitability"),
                         r"(?m)^  evaluate\.exploitability of design +prefer designs ")
        unknown = "walras describe: unknown name "
        for word, told in (("reserv", '"reserv"; did you mean "reserve"?'),
                           ("exploitabilty", '"exploitabilty"; did you mean "exploitability"?'),
                           ("second_price",
                            '"second_price"; write uniform_price { rule = "highest_losing" }'),
                           ("xylophone", '"xylophone"; see walras list')):
            result = walras("describe", word)
            self.assertEqual((result.status, result.out, result.err),
                             (64, "", f"{unknown}{told}\n"))

    def test_names_in_quotation_marks(self):
        """Stand for components with all their defaults."""
        path = os.path.join(folder("quoted"), "s.lua")
        checked = [json.loads(walras("check", write(path, f"return solve {{ {text} }}")).out)
                   for text in ("game = 'beach_bar', learner = 'fixed_point'",
                                "game = beach_bar {}, learner = fixed_point {}")]
        self.assertEqual(*checked)

    def test_describe_tells_defaults_and_ranges(self):
        out = described("crowd_motion")
        self.assertRegex(out, r"(?m)^ +rows +whole number in \[1, \S+\] +20 +\S.*\[cells\]$")
        self.assertRegex(out, r"(?m)^ +stay +number in \[0, 1\] +0\.5 ")
        out = described("solve")
        self.assertTrue(out.endswith("\nnames: walras list games, walras list learners\n"), out)
        self.assertRegex(out, r"(?m)^ +game .*required")
        self.assertRegex(out, r"(?m)^ +iterations +whole number .* 1000 ")


class Pager(unittest.TestCase):
    """Long answers stop at the end of the screen; nothing else does."""

    PAGERS = {"PAGER": None, "WALRAS_PAGER": None, "LESS": None, "TERM": "xterm", "NO_COLOR": None}

    def show(self, *args, env=None, keys="", rows=24):
        """(status, what a terminal got) of walras with a terminal of its own; `keys` are pressed
        one by one when nothing more comes."""
        pid, terminal = pty.fork()
        if pid == 0:
            try:
                os.execve(WALRAS, [WALRAS, *args], environment(changes={**self.PAGERS, **(env or {})}))
            finally:
                os._exit(99)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 100, 0, 0))
        got, pressed, end = b"", list(keys), time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.5)[0]:
                try:
                    part = os.read(terminal, 65536)
                except OSError:  # all have closed it
                    break
                if not part:
                    break
                got += part
            elif pressed and b"PAGED" in got:
                os.write(terminal, pressed.pop(0).encode())
        else:
            os.kill(pid, signal.SIGKILL)
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), got.decode().replace("\r\n", "\n")

    @classmethod
    def setUpClass(cls):
        # A pager that says so, shows two lines and waits for a key.
        cls.pager = write(os.path.join(folder("pager"), "pager"),
                          "#!/bin/sh\necho PAGED \"$@\"\nhead -n 2\n"
                          "stty -icanon min 1 </dev/tty; dd bs=1 count=1 2>/dev/null </dev/tty\n"
                          "exit 7\n")
        os.chmod(cls.pager, 0o755)

    def test_long_answers_are_paged(self):
        for args in (("list",), ("--help",), ("describe", "design")):
            with self.subTest(args=args):
                status, shown = self.show(*args, env={"PAGER": f"{self.pager} -a  b"}, keys="q")
                self.assertEqual(status, 0)  # not that of the pager, which saw only a part
                self.assertTrue(shown.startswith("PAGED -a b\n"), shown)
                self.assertLess(shown.count("\n"), 5)

    def test_walras_pager_goes_before(self):
        status, shown = self.show("list", keys="q",
                                  env={"PAGER": "cat", "WALRAS_PAGER": self.pager})
        self.assertEqual((status, shown[:6]), (0, "PAGED\n"))

    def test_no_pager(self):
        everything = walras("list").out
        for env in ({"PAGER": ""}, {"PAGER": "cat"}, {"PAGER": self.pager, "WALRAS_PAGER": ""},
                    {"PAGER": self.pager, "TERM": "dumb"}, {"PAGER": "/nonexistent/pager -x"},
                    {"PATH": "/nonexistent"}):
            with self.subTest(env=env):
                self.assertEqual(self.show("list", env=env), (0, everything))
        result = walras("list", env={**self.PAGERS, "PAGER": self.pager})  # stdout is a pipe
        self.assertEqual((result.status, result.out), (0, everything))

    def test_what_fits_is_not_paged(self):
        env = {"PAGER": self.pager}
        self.assertEqual(self.show("list", "drifts", env=env), (0, walras("list", "drifts").out))
        lines = walras("list").out.count("\n")
        self.assertEqual(self.show("list", env=env, rows=lines + 1), (0, walras("list").out))
        status, shown = self.show("list", env=env, rows=lines, keys="q")
        self.assertEqual((status, shown[:6]), (0, "PAGED\n"))

    def test_errors_are_not_paged(self):
        status, shown = self.show("list", "nonsense", env={"PAGER": self.pager})
        self.assertEqual(status, 64)
        self.assertRegex(shown, r"^walras list: unknown kind .*\n$")

    def test_info(self):
        _, place = run_short()
        path = os.path.join(place, "s.h5")
        status, shown = self.show("info", path, env={"PAGER": self.pager}, keys="q")
        self.assertEqual((status, shown[:6]), (0, "PAGED\n"), shown)
        status, shown = self.show("info", path, rows=200)
        self.assertEqual((status, shown), (0, walras("info", path).out))


class Tables(unittest.TestCase):
    """What a run prints fits on a screen and says where the rest is."""

    def rows(self, text, lines):
        result, place = run_short(text=text)
        self.assertEqual(result.status, 0, result)
        self.assertLess(result.out.count("\n"), lines)
        return result.out, os.path.join(place, "s.h5")

    def test_agents(self):
        out, path = self.rows("local n = {} for i = 1, 30 do n[i] = i end return simulate { game = "
                              "beach_bar {}, agents = n, episodes = 2, deviation = false }", 40)
        shown = [int(line.split()[0]) for line in out.splitlines() if re.match(r" {9,}\d", line)]
        self.assertEqual(shown, [*range(1, 22), 28, 29, 30])
        self.assertIn("\n  ...  (6 more are in the file: /population)\n", out)
        with h5py.File(path, "r") as file:
            self.assertEqual(file["population/agents"][:].tolist(), [*range(1, 31)])

    def test_methods(self):
        out, _ = self.rows("local m = {} for i = 1, 26 do m[i] = xpo { alpha = i / 26 } end return "
                           "transfer { bandit = tabular { prompts = 2, responses = 2 }, seeds = 1, "
                           "methods = m, rounds = 10, refit = 5 }", 100)
        self.assertEqual(out.count("  ...  (8 more are in the file: /transfer/summary)\n"), 3)
        self.assertEqual(out.count("  ...  (8 more are in the scenario)\n"), 1)

    def test_info_of_restarts(self):
        _, path = self.rows("return design { game = beach_bar { toll = toll {} }, steps = 1, objective "
                            "= congestion {}, restarts = 9, method = anneal {}, learner = "
                            "mirror_descent { iterations = 2 }, evaluate = { iterations = 2 } }", 40)
        shown = walras("info", path).out
        self.assertIn("\n  9 restarts, of which this is the first:\n/restarts/run_000000", shown)
        self.assertNotIn("run_000001", shown)


# Parameters that parts of an auction cannot do without.
NEEDED_PARTS = {
    "weights": "mass = function(v) return 1 + v end",
    "custom_utility": "payoff = function(v, p, h) return v - p end",
    "transition": "rows = function(v, w) return 1 end",
    "scripted": "payment = function(b, h) return b end",
}


def needed(name, place):
    """The parameters that a component cannot do without, and what they name."""
    if name == "custom":
        return ("states = 2, actions = 1, horizon = 2, moves = function(h, s) return s end, "
                "reward = function() return 0 end")
    if name == "bounded":
        return "game = beach_bar {}, low = -100, high = 100"
    if name != "tabulated":
        return ""
    with h5py.File(os.path.join(place, "tables.h5"), "w") as file:
        file.attrs["horizon"] = 2
        file["initial"], file["kernel"], file["reward"] = [1.0], [[[1.0]]], [[1.0]]
    return 'file = "tables.h5"'


class Check(unittest.TestCase):
    def test_prints_what_runs(self):
        place = folder("check")
        path = lambda name: os.path.join(place, name)
        write(path("a.lua"), "return solve { game = beach_bar { initial = function(s) return s / 6 "
                             "end }, stop = { iterations = 3 } }")
        check = walras("check", path("a.lua"))
        self.assertEqual((check.status, check.err), (0, ""), check)
        tree = json.loads(check.out)
        self.assertEqual(list(tree), ["solve"])
        self.assertEqual(tree["solve"]["stop"]["iterations"], 3)
        self.assertEqual(tree["solve"]["seed"], 1)
        self.assertEqual(tree["solve"]["learner"], {"mirror_descent": {"rate": 1, "entropy": 0}})
        initial = tree["solve"]["game"]["beach_bar"]["initial"]
        self.assertEqual(initial, [s / 6 for s in range(4)])
        write(path("b.json"), check.out)
        self.assertEqual(walras("check", path("b.json")).out, check.out)
        for name in ("a.lua", "b.json"):
            result = walras("run", path(name), "-q", "-o", path(name[0] + ".h5"))
            self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(run_file_compare.differences(path("a.h5"), path("b.h5")), [])
        with h5py.File(path("a.h5"), "r") as file:
            self.assertEqual(json.loads(file["scenario/resolved"].asstr()[()]), tree)

    def test_takes_overrides(self):
        place = folder("check")
        write(os.path.join(place, "s.lua"), SHORT)
        result = walras("check", "s.lua", "--seed", "9", "-P", "game.states=7", "-P",
                        "learner=fictitious_play{rate=0.5}", "-P", "stop.every=2", cwd=place)
        task = json.loads(result.out)["solve"]
        self.assertEqual(task["seed"], 9)
        self.assertEqual(task["game"]["beach_bar"]["states"], 7)
        self.assertEqual(task["learner"]["fictitious_play"]["rate"], 0.5)
        self.assertEqual(task["stop"]["every"], 2)
        self.assertEqual(left(place), ["s.lua"])

    def test_every_component_has_defaults(self):
        """Every game with every default makes a scenario; numbers survive the JSON exactly."""
        def one(item):
            name, kind = item
            place = folder(name)
            needs = needed(name, place)
            game = f"{name} {{ {needs} }}" if kind == "game" else "beach_bar { stay = 1/3 }"
            learner = f"{name} {{}}" if kind == "learner" else "mirror_descent { rate = 1e-300 }"
            if kind not in ("game", "learner"):
                game = f"batched_auction {{ {kind} = {name} {{ {NEEDED_PARTS.get(name, '')} }} }}"
            write(os.path.join(place, "s.lua"),
                  f"return solve {{ game = {game}, learner = {learner} }}")
            return name, kind, walras("check", "s.lua", cwd=place, leaks=kind == "learner")

        items = [item for item in listed() if item[1] in ("game", "learner")]
        for name, kind, result in at_once(one, items):
            with self.subTest(name=name):
                self.assertEqual((result.status, result.err), (0, ""), result)
                task = json.loads(result.out)["solve"]
                if kind not in ("game", "learner"):
                    self.assertIn(name, task["game"]["batched_auction"][kind])
                    continue
                self.assertIn(name, task[kind])
                if kind == "learner":
                    self.assertEqual(task["game"]["beach_bar"]["stay"], 1 / 3)
                else:
                    self.assertEqual(task["learner"]["mirror_descent"]["rate"], 1e-300)

    def test_once_by_several_ranks(self):
        place = folder("check")
        write(os.path.join(place, "s.lua"), SHORT)
        result = walras("check", "s.lua", cwd=place, ranks=3)
        self.assertEqual((result.status, result.err), (0, ""), result)
        json.loads(result.out)


class Results(unittest.TestCase):
    def table(self, out):
        """The numbers of the table on stdout by their names."""
        find = lambda name: re.search(rf"(?m)^ +(?:exploitability +)?{name} +(\S+)", out)
        names = ("iterations", "first", "best", "last", "value", "seconds", "file")
        for name in names:
            self.assertIsNotNone(find(name), out)
        return {name: find(name)[1] for name in names}

    def test_table(self):
        result, place = run_short()
        self.assertEqual((result.status, result.err), (0, ""), result)
        table = self.table(result.out)
        self.assertEqual(table["iterations"], "20")
        self.assertEqual(table["file"], "s.h5")
        self.assertRegex(table["seconds"], r"^\d+\.\d+$")
        with h5py.File(os.path.join(place, "s.h5"), "r") as file:
            gap, value = file["trace/exploitability"][:], file["trace/value"][:]
        self.assertEqual(float(table["first"]), float(f"{gap[0]:.6g}"))
        self.assertEqual(float(table["best"]), float(f"{gap.min():.6g}"))
        self.assertEqual(float(table["last"]), float(f"{gap[-1]:.6g}"))
        self.assertAlmostEqual(float(table["value"]), value[-1], delta=1e-8 * abs(value[-1]))

    def test_once_by_several_ranks(self):
        result, place = run_short(ranks=3)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(result.out.count("iterations"), run_short()[0].out.count("iterations"))
        self.assertEqual(left(place), ["s.h5", "s.lua"])

    def test_populations(self):
        text = "return solve { game = predator_prey {}, stop = { iterations = 2 } }"
        result, place = run_short(text=text)
        parts = re.search(r"by population last +(\S+) (\S+) (\S+)", result.out)
        self.assertIsNotNone(parts, result)
        last = float(self.table(result.out)["last"])
        self.assertAlmostEqual(sum(map(float, parts.groups())), last, delta=1e-4 * last)

    def test_tolerance(self):
        for args, status, converged in (
                (("-P", "stop.exploitability=1e-9"), 2, 0), (("-P", "stop.relative=1e-9"), 2, 0),
                (("-P", "stop.exploitability=0.3"), 0, 1), (("-P", "stop.relative=0.3"), 0, 1),
                ((), 0, 0)):
            with self.subTest(args=args):
                result, place = run_short(*args)
                self.assertEqual((result.status, result.err), (status, ""), result)
                with h5py.File(os.path.join(place, "s.h5"), "r") as file:
                    self.assertEqual(file.attrs["complete"], 1)
                    self.assertEqual(file["trace"].attrs["converged"], converged)
                    gap, iteration = file["trace/exploitability"][:], file["trace/iteration"][:]
                limit = 0.3 * (gap[0] if "relative" in str(args) else 1)
                if converged:
                    self.assertLessEqual(gap[-1], limit)
                    self.assertTrue((gap[:-1] > limit).all() or iteration[-1] < 20)
                else:
                    self.assertEqual(iteration[-1], 20)
                said = re.search(r"(NOT )?converged", result.out)
                self.assertEqual(bool(said), bool(args))
                if said:
                    self.assertEqual(said[1] is None, converged == 1)

    def test_tolerance_by_several_ranks(self):
        result, place = run_short("-P", "stop.exploitability=1e-9", ranks=3)
        self.assertEqual(result.status, 2, result)
        self.assertEqual(own_lines(result.err), [])
        self.assertIn("s.h5", left(place))

    def test_every(self):
        for iterations, rows in ((30, [0, 10, 20, 30]), (25, [0, 10, 20, 25]), (0, [0])):
            with self.subTest(iterations=iterations):
                result, place = run_short("-P", "stop.every=10", "-P",
                                          f"stop.iterations={iterations}")
                self.assertEqual(result.status, 0, result)
                with h5py.File(os.path.join(place, "s.h5"), "r") as file:
                    self.assertEqual(file["trace/iteration"][:].tolist(), rows)
                    self.assertEqual(file["run/seconds"].shape, (len(rows),))

    def test_every_changes_no_number(self):
        places = [run_short("-P", f"stop.every={every}")[1] for every in (1, 10)]
        with h5py.File(os.path.join(places[0], "s.h5"), "r") as all_rows, \
                h5py.File(os.path.join(places[1], "s.h5"), "r") as some:
            self.assertEqual(all_rows["trace/exploitability"][::10].tolist(),
                             some["trace/exploitability"][:].tolist())
            self.assertTrue((all_rows["solution/policy"][:] == some["solution/policy"][:]).all())

    def test_dry_run(self):
        result, place = run_short("--dry-run")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, r"^beach_bar: 4 states, 3 actions, 3 stages on 1 rank\n"
                                     r"  memory +\S+ [KM]iB a rank, ")
        self.assertEqual(left(place), ["s.lua"])

    def test_seed(self):
        text = "return solve { game = random_linear {}, stop = { iterations = 3 } }"
        args = (("--seed", "5"), ("-P", "seed=5"), ("--seed=6",), ())
        files = [os.path.join(place, "s.h5")
                 for _, place in at_once(lambda a: run_short(*a, text=text), args)]
        seeds, first = [], []
        for path in files:
            with h5py.File(path, "r") as file:
                seeds.append(int(file.attrs["seed"]))
                first.append(file["trace/exploitability"][0])
        self.assertEqual(seeds, [5, 5, 6, 1])
        self.assertEqual(run_file_compare.differences(files[0], files[1]), [])
        self.assertEqual(len(set(first)), 3)

    def test_name_of_the_run_file(self):
        place = folder("name")
        elsewhere = folder("elsewhere")
        for name, output in (("two.words.lua", "two.words.h5"), ("plain", "plain.h5")):
            write(os.path.join(elsewhere, name), SHORT)
            result = walras("run", os.path.join(elsewhere, name), cwd=place)
            self.assertEqual(result.status, 0, result)
            self.assertTrue(h5py.is_hdf5(os.path.join(place, output)))
        self.assertEqual(left(place), ["plain.h5", "two.words.h5"])
        self.assertEqual(left(elsewhere), ["plain", "two.words.lua"])

    def test_force(self):
        result, place = run_short("-o", "o.h5")
        self.assertEqual(result.status, 0, result)
        with open(os.path.join(place, "o.h5"), "rb") as file:
            first = file.read()
        again = walras("run", "s.lua", "-o", "o.h5", cwd=place)
        self.assertEqual(again.status, 73, again)
        with open(os.path.join(place, "o.h5"), "rb") as file:
            self.assertEqual(file.read(), first)
        forced = walras("run", "s.lua", "--force", "-o", "o.h5", "--seed", "2", cwd=place)
        self.assertEqual(forced.status, 0, forced)
        with h5py.File(os.path.join(place, "o.h5"), "r") as file:
            self.assertEqual(file.attrs["seed"], 2)
        self.assertEqual(left(place), ["o.h5", "s.lua"])

    def test_scenarios(self):
        """Every scenario that users copy runs, and ends well: as it is, those that take up to a
        minute for fewer episodes or rounds (designs: test_designs.py)."""
        designs = os.path.join(SOURCE, "scenarios/design", "")
        paths = [path for path in sorted(glob.glob(os.path.join(SOURCE, "scenarios/**/*.lua"),
                                                   recursive=True))
                 if not path.startswith(designs)]
        self.assertGreater(len(paths), 0)

        def one(path):
            place = folder("scenario")
            kind = os.path.basename(os.path.dirname(path))
            short = {"population": ("-P", "episodes=20"),
                     "steering": ("-P", "episodes=100", "-P", "seeds=2"),
                     "transfer": ("-P", "rounds=200", "-P", "seeds=2")}.get(kind, ())
            return walras("run", path, *short, cwd=place, timeout=150), left(place)

        for path, (result, files) in zip(paths, at_once(one, paths, 2)):
            with self.subTest(path=os.path.relpath(path, SOURCE)):
                self.assertEqual(result.status, 0, result)
                self.assertEqual(files, [os.path.splitext(os.path.basename(path))[0] + ".h5"])


class Progress(unittest.TestCase):
    def watch(self, *args, text=SECOND, terminal=True, **more):
        place = folder("watch")
        write(os.path.join(place, "s.lua"), text)
        return Watched(("run", "s.lua", *args), place, terminal, **more)

    def test_bar(self):
        run = self.watch()
        text = run.end()
        self.assertEqual(run.process.returncode, 0, text)
        draws = [part for part in text.split("\r") if part.strip()]
        bars = [re.match(r"\S+ \[(#*)(\.*)\] (\d+)/(\d+) .*exploitability ([\d.e+-]+)", part)
                for part in draws if part != "\x1b[K"]
        self.assertGreater(len(bars), 2, text)
        self.assertTrue(all(bars), text)
        done = [int(bar[3]) for bar in bars]
        self.assertEqual(done, sorted(set(done)))
        for bar in bars:
            share = int(bar[3]) / int(bar[4])
            self.assertAlmostEqual(len(bar[1]), share * len(bar[1] + bar[2]), delta=1)
            self.assertGreater(float(bar[5]), 0)
        self.assertNotIn("\n", text)
        self.assertEqual(screen(text), [], "the bar is removed at the end")
        self.assertIn("iterations", run.out)

    def test_restarts_have_steps(self):
        """The first restart is long not done: its steps are shown."""
        run = self.watch(text="return design { game = batched_auction { values = 60, bids = 60, "
                              "mechanism = neural { hidden = 16 } }, objective = revenue {}, "
                              "learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = "
                              "100 }, steps = 40, restarts = 2, evaluate = { iterations = 10 } }")
        text = run.end()
        self.assertEqual(run.process.returncode, 0, text)
        shown = [(int(done), int(step))
                 for done, step in re.findall(r"\] (\d)/2  step (\d+)", text)]
        self.assertGreater(len({step for done, step in shown if done == 0}), 2, text)
        self.assertLessEqual(max(step for _, step in shown), 40)
        self.assertEqual(shown, sorted(shown))
        self.assertEqual(screen(text), [])

    def test_bar_fits_the_terminal(self):
        """A bar that breaks into two lines cannot be drawn over."""
        for columns in (80, 50):
            with self.subTest(columns=columns):
                run = self.watch(text=LONG, columns=columns)
                deadline = time.monotonic() + 20 * SLOW
                while run.text.count("\r") < 4 and time.monotonic() < deadline:
                    time.sleep(0.1)
                run.kill()
                draws = run.text.replace("\x1b[K", "").split("\r")[1:]
                self.assertGreater(len(draws), 2, run.text)
                for draw in draws[:-1]:
                    if draw.startswith("walras: stopped by a signal"):
                        continue
                    self.assertLessEqual(len(draw), columns, draw)

    def test_bar_is_removed_before_an_error(self):
        # Logits, which entropy asks for, leave the range of numbers after some hundred iterations.
        run = self.watch("-P", "learner=mirror_descent{rate=%s, entropy=1e-308}"
                         % (3e305 if SANITIZED else 1e304),
                         "-P", "stop.iterations=100000")
        text = run.end()
        self.assertEqual(run.process.returncode, 3, text)
        self.assertIn(" [", text, "no bar was drawn")
        shown = screen(text)
        self.assertEqual(len(shown), 1, shown)
        self.assertRegex(shown[0], r"^walras: crowd_motion: iteration \d+: .* is not finite$")

    def test_no_bar(self):
        for args, env in (((), {"NO_COLOR": "1"}), ((), {"TERM": "dumb"}), (("--quiet",), {}), (("-q",), {})):
            with self.subTest(args=args, env=env):
                run = self.watch(*args, env=env)
                text = run.end()
                self.assertEqual(run.process.returncode, 0, text)
                self.assertNotIn("\r", text.replace("\r\n", ""))
                self.assertNotIn("\x1b", text)
                if args:
                    self.assertEqual(text, "")
                self.assertIn("iterations", run.out)

    def test_empty_no_color_is_none(self):
        """NO_COLOR counts when it is not empty (no-color.org)."""
        self.assertIn("\r", self.watch(env={"NO_COLOR": ""}).end())

    def test_lines(self):
        """Where there is no terminal, a line every few seconds; in JSON likewise."""
        runs = {"pipe": self.watch(text=LONG, terminal=False),
                "json": self.watch("--log", "json", text=LONG, terminal=False),
                "no color": self.watch(text=LONG, env={"NO_COLOR": "1"})}
        deadline = time.monotonic() + 30
        while any(run.text.count("\n") < 2 for run in runs.values()) and \
                time.monotonic() < deadline:
            time.sleep(0.2)
        for run in runs.values():
            run.seconds = time.monotonic() - run.start
            run.kill()
        for name, run in runs.items():
            with self.subTest(name=name):
                self.assertNotIn("\x1b", run.text)
                self.assertNotIn("\r", run.text.replace("\r\n", "\n"))
                lines = [line for line in run.text.splitlines() if "stopped by a signal" not in line]
                self.assertGreaterEqual(len(lines), 2)
                self.assertLessEqual(len(lines), run.seconds / 3)
                for line in lines[:2]:
                    if name == "json":
                        told = json.loads(line)
                        self.assertEqual(told["event"], "progress")
                        self.assertGreater(told["iteration"], 0)
                        self.assertGreater(told["exploitability"], 0)
                        self.assertGreater(told["seconds"], 2)
                    else:
                        self.assertRegex(line, r"iteration \d+ of 1000000, exploitability \S+")

    def test_json(self):
        result, place = run_short("--log", "json")
        self.assertEqual(result.status, 0, result)
        events = [json.loads(line) for line in result.err.splitlines()]
        self.assertEqual(events[-1]["event"], "end")
        self.assertEqual(events[-1]["iteration"], 20)
        with h5py.File(os.path.join(place, "s.h5"), "r") as file:
            self.assertEqual(events[-1]["exploitability"], file["trace/exploitability"][-1])

    def test_json_errors(self):
        cases = ((("-P", "game.states=0"), 65, "states"), (("-P", "game.states"), 64, "path=value"),
                 (("-o", "no/o.h5"), 73, "folder"),
                 (("-P", 'game.initial="\\"\\\\\\n\\t"'), 65, "initial"),
                 (("-P", "learner.rate=1e308"), 3, "finite"))
        for args, status, word in cases:
            for ranks in (None,) if SANITIZED else (None, 3):
                with self.subTest(args=args, ranks=ranks):
                    result, _ = run_short("--log", "json", *args, ranks=ranks)
                    self.assertEqual(result.status, status, result)
                    events = [json.loads(line) for line in own_lines(result.err)]
                    errors = [event for event in events if event["event"] == "error"]
                    self.assertEqual(len(errors), 1, result)
                    self.assertEqual(errors[0]["exit"], status)
                    self.assertRegex(errors[0]["status"], r"^WAL_E[A-Z]+$")
                    self.assertIn(word, errors[0]["message"])
                    self.assertEqual(events[-1], errors[0])

    def test_json_errors_of_the_command_line(self):
        for args in (("run", "--log", "json", "--oops", "s.lua"), ("run", "--log", "json"),
                     ("run", "--log=json", "nothing.lua"), ("check", "--log", "json", "/")):
            with self.subTest(args=args):
                result = walras(*args)
                self.assertIn(result.status, (64, 66), result)
                self.assertEqual(result.out, "")
                events = [json.loads(line) for line in result.err.splitlines()]
                self.assertEqual([event["event"] for event in events], ["error"], result)
                self.assertEqual(events[0]["exit"], result.status)

    def test_json_not_converged(self):
        result, _ = run_short("--log", "json", "-P", "stop.exploitability=1e-9")
        self.assertEqual(result.status, 2, result)
        events = [json.loads(line) for line in result.err.splitlines()]
        self.assertEqual(events[-1]["event"], "end")

    def test_quiet(self):
        result, place = run_short("--quiet")
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn("iterations", result.out)
        result = walras("run", "s.lua", "-q", "-P", "game.states=0", "-f", cwd=place)
        self.assertEqual((result.status, len(result.err.splitlines())), (65, 1), result)


if __name__ == "__main__":
    unittest.main()
