# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a scenario or a command line is said in one line, with the right exit status,
and leaves nothing behind. Tables of cases: add a line for a new one.
"""

import dataclasses
import os
import unittest

from walras_cli import SANITIZED, at_once, folder, left, own_lines, walras, write

USAGE, BAD, MISSING, CREATE, NONFINITE = 64, 65, 66, 73, 3
FILE = "scenario.lua"
GOOD = "return solve { game = beach_bar {}, stop = { iterations = 2 } }"


@dataclasses.dataclass
class Case:
    """A command in a folder that holds `files`, and how it must end. A `message` that begins with
    ":" follows the scenario's name."""

    name: str
    scenario: object
    status: int
    message: str
    args: tuple = ("run", FILE)
    files: dict = dataclasses.field(default_factory=dict)
    out: str = ""  # stdout, as a regular expression
    alone_only: bool = False  # too slow, or too large, to be done by three ranks at once
    seconds: float = 90  # a refusal that takes longer is none, also on a busy machine


def scenario(name, text, message, **more):
    """A scenario that is wrong."""
    return Case(name, text, BAD, message, **more)


def game(name, text, message, **more):
    """A scenario of one line whose game is wrong."""
    return scenario(name, f"return solve {{ game = {text} }}", message, **more)


def line(name, status, message, *args, files=None, **more):
    """A command line that is wrong, beside a good scenario."""
    return Case(name, GOOD, status, message, args, files or {}, **more)


def override(name, message, *assignments, status=BAD):
    args = [word for assignment in assignments for word in ("-P", assignment)]
    return line(name, status, message, "run", FILE, *args)


NAMES = [
    game("unknown game", "beech_bar {}", r':1: unknown name "beech_bar"; did you mean "beach_bar"\?'),
    scenario("unknown learner",
             "return solve {\n  game = beach_bar {},\n  learner = miror_descent {},\n}",
             r':3: unknown name "miror_descent"; did you mean "mirror_descent"\?'),
    scenario("unknown task", "return sovle { game = beach_bar {} }",
             r':1: unknown name "sovle"; did you mean "solve"\?'),
    game("nothing like it", "xylophone {}", r':1: unknown name "xylophone"'),
    game("unknown parameter", "beach_bar { sates = 3 }",
         r':1: beach_bar: unknown parameter "sates"; did you mean "states"\?'),
    scenario("unknown parameter of a learner",
             "return solve {\n  game = beach_bar {},\n  learner = mirror_descent { rte = 1 } }",
             r':3: mirror_descent: unknown parameter "rte"; did you mean "rate"\?'),
    scenario("unknown parameter of the task", "return solve { game = beach_bar {}, sead = 1 }",
             r':1: solve: unknown parameter "sead"; did you mean "seed"\?'),
    scenario("unknown parameter of a record",
             "return solve { game = beach_bar {}, stop = { iteration = 1 } }",
             r':1: solve: stop: unknown parameter "iteration"; did you mean "iterations"\?'),
    scenario("parameter of a record", "return solve { game = beach_bar {}, iterations = 1 }",
             r':1: solve: unknown parameter "iterations"; it belongs in stop = \{ iterations = ... \}'),
    game("other name", "batched_auction { mechanism = second_price {} }",
         r':1: unknown name "second_price"; write uniform_price \{ rule = "highest_losing" \}'),
    game("other name as a text", "batched_auction { mechanism = 'second_price' }",
         r':1: batched_auction: mechanism: unknown mechanism "second_price"; write uniform_price '
         r'\{ rule = "highest_losing" \}'),
    game("other name of another kind", "'second_price'",
         r':1: solve: game: expected a game \(.*\), got "second_price"'),
    game("name of what needs parameters", "'custom'",
         r':1: custom: states: expected a whole number, got nothing \(.*\)'),
    game("capital letter", "beach_bar { States = 3 }",
         r':1: beach_bar: unknown parameter "States"; did you mean "states"\?'),
    game("name in other letters", 'beach_bar { ["äöü\\n\\27[31m"] = 3 }',
         r':1: beach_bar: unknown parameter "[^\x00-\x1f\x7f]*"; .*'),
]

VALUES = [
    game("text for a number", 'beach_bar { states = "ten" }',
         r':1: beach_bar: states: expected a whole number, got "ten"'),
    game("number in quotation marks", 'beach_bar { states = "10" }',
         r':1: beach_bar: states: expected a whole number, got "10"'),
    game("flag for a number", "beach_bar { stay = true }",
         r":1: beach_bar: stay: expected a number, got true"),
    game("table for a number", "beach_bar { stay = {} }",
         r":1: beach_bar: stay: expected a number, got .*"),
    game("function for a number", "beach_bar { stay = function() return 1 end }",
         r":1: beach_bar: stay: expected a number, got a function"),
    game("fraction", "beach_bar { states = 2.5 }",
         r":1: beach_bar: states: expected a whole number, got 2.5"),
    game("zero states", "beach_bar { states = 0 }",
         r":1: beach_bar: states: expected a whole number in \[1, \d+\], got 0"),
    game("negative", "beach_bar { horizon = -1 }",
         r":1: beach_bar: horizon: expected a whole number in \[1, \d+\], got -1"),
    game("too large", "beach_bar { stay = 1.5 }",
         r":1: beach_bar: stay: expected a number in \[0, 1\], got 1.5"),
    game("not a number", "beach_bar { stay = 0/0 }",
         r":1: beach_bar: stay: expected a finite number, got -?nan"),
    game("infinite", "beach_bar { stay = math.huge }",
         r":1: beach_bar: stay: expected a finite number, got inf"),
    game("minus infinity", "crowd_motion { attraction = -math.huge }",
         r":1: crowd_motion: attraction: expected a finite number, got -inf"),
    game("whole number beyond doubles", "beach_bar { states = 2^53 + 2 }",
         r":1: .*states: expected a whole number .*, got .*"),
    game("depends on another", "beach_bar { states = 4, bar = 4 }",
         r":1: beach_bar: bar: expected a place from 0 to 3, got 4"),
    scenario("rates that do not go together",
             "return solve { game = beach_bar {},\n"
             "  learner = mirror_descent { rate = 4, entropy = 0.5 } }",
             r":2: mirror_descent: entropy: expected rate \* entropy to be at most 1, got 2"),
    scenario("negative iterations",
             "return solve { game = beach_bar {}, stop = { iterations = -1 } }",
             r":1: solve: stop.iterations: expected a whole number .*, got -1"),
    scenario("number for a record", "return solve { game = beach_bar {}, stop = 5 }",
             r":1: solve: stop: expected a table with names, got 5"),
    scenario("list for a record", "return solve { game = beach_bar {}, stop = { 5 } }",
             r":1: solve: stop: expected a table with names, got .*"),
    scenario("text for a component", 'return solve { game = "beach bar" }',
             r':1: solve: game: unknown game "beach bar"; did you mean "beach_bar"\?'),
    scenario("component of another kind",
             "return solve { game = beach_bar {}, learner = left_right {} }",
             r":1: solve: learner: expected a learner \(.*\), got game left_right\{\.\.\.\}"),
    scenario("number for a component", "return solve { game = 3 }",
             r":1: solve: game: expected a game \(.*\), got 3"),
]

LISTS = [
    game("negative mass", "beach_bar { initial = { 0.5, 0.6, -0.1, 0 } }",
         r":1: beach_bar: initial: element 2 \(counted from 0\): expected .*, got -0.1"),
    game("sum above 1", "beach_bar { initial = { 0.5, 0.6, 0, 0 } }",
         r":1: beach_bar: initial: expected a distribution with sum 1, got the sum 1.1"),
    game("sum 0", "beach_bar { initial = { 0, 0, 0, 0 } }",
         r":1: beach_bar: initial: expected a distribution with sum 1, got the sum 0"),
    game("sum of a function", "beach_bar { initial = function(s) return s / 4 end }",
         r":1: beach_bar: initial: expected a distribution with sum 1, got the sum 1.5"),
    game("short list", "beach_bar { initial = { 0.5, 0.5 } }",
         r":1: beach_bar: initial: expected 4 numbers, got 2"),
    game("empty list", "beach_bar { initial = {} }",
         r":1: beach_bar: initial: expected 4 numbers, got 0"),
    game("long list", "left_right { initial = { 1, 0, 0, 0 } }",
         r":1: left_right: initial: expected 3 numbers, got 4"),
    game("nan in a list", "beach_bar { initial = { 0/0, 1, 0, 0 } }",
         r":1: beach_bar: initial: element 0 \(counted from 0\): expected a finite number, got -?nan"),
    game("text in a list", 'beach_bar { initial = { 1, "x", 0, 0 } }',
         r':1: beach_bar: initial: element 1 \(counted from 0\): expected a number, got "x"'),
    game("hole in a list", "beach_bar { initial = { 1, nil, 0, 0 } }",
         r":1: .*initial: expected a list without gaps, .*"),
    game("names in a list", "beach_bar { initial = { 1, 0, 0, 0, last = 0 } }",
         r":1: .*initial: expected either names or a list, got both"),
    game("number for a list", "beach_bar { initial = 1 }",
         r":1: beach_bar: initial: expected a list of numbers or a function, got 1"),
    game("ragged table", "crowd_motion { bar_path = { {1, 2}, {1}, {1, 2}, {1, 2} } }",
         r":1: crowd_motion: bar_path: row 1 \(counted from 0\): expected 2 numbers, got 1"),
    game("number for a row", "crowd_motion { bar_path = { {1, 2}, 3, {1, 2}, {1, 2} } }",
         r":1: crowd_motion: bar_path: row 1 \(counted from 0\): expected a list of numbers, got 3"),
    game("list for a table", "crowd_motion { bar_path = { 1, 2, 3, 4 } }",
         r":1: crowd_motion: bar_path: .*expected .*, got .*"),
    game("too few rows", "crowd_motion { bar_path = { {1, 2}, {1, 2} } }",
         r":1: crowd_motion: bar_path: expected 4 x 2 numbers, got 2 x 2"),
    game("off the grid", "crowd_motion { bar_path = { {1, 2}, {1, 2}, {1, 40}, {1, 2} } }",
         r":1: crowd_motion: bar_path: expected cells of the 20 x 20 grid, got \(1, 40\) at stage 2"),
    game("ragged in depth", "random_linear { states = 2, transition_slope = "
         "{ { {1, 2}, {1, 2} }, { {1, 2}, {1} } } }",
         r":1: random_linear: transition_slope: row \[1\]\[1\] .*: expected 2 numbers, got 1"),
    game("populations and starts", "predator_prey { starts = { {0, 0}, {4, 0} } }",
         r":1: predator_prey: starts: expected .*, got .*"),
    scenario("function fails", "return solve {\n  game = beach_bar {\n"
             "    initial = function(s)\n      return s.x\n    end } }",
             r":4: beach_bar: initial\(0\): attempt to index a number value \(local 's'\)"),
    game("function gives a text", 'beach_bar { initial = function(s) return "x" end }',
         r':1: beach_bar: initial\(0\): expected 1 number, got "x"'),
    game("function gives nothing", "beach_bar { initial = function(s) end }",
         r":1: beach_bar: initial\(0\): expected 1 number, got nothing"),
    game("function gives two", "beach_bar { initial = function(s) return 1, 2 end }",
         r":1: beach_bar: initial\(0\): expected 1 number, got 2 values"),
]

TASKS = [
    scenario("missing required", "\n\nreturn solve {}",
             r":3: solve: game: expected a game, got nothing \(.*\)"),
    scenario("two tables", "return solve({ game = beach_bar {} }, {})",
             r":1: solve: expected one table, got 2 values"),
    scenario("no table", "return solve()", r":1: solve: expected one table, got nothing"),
    scenario("no table of a game", "return solve { game = beach_bar }",
             r":1: game: expected a value, got a constructor; write beach_bar\{\}"),
    scenario("a list", "return solve { beach_bar {} }",
             r":1: solve: expected names \(name = value\), got a value without one .*"),
    scenario("not a task", "return beach_bar {}",
             r":1: expected a task such as solve\{\.\.\.\}, got beach_bar\{\.\.\.\}"),
    scenario("a number", "return 5",
             r": expected one task, as return solve \{ \.\.\. \}, got 5"),
    scenario("a plain table", "return { game = beach_bar {} }",
             r": expected one task, as return solve \{ \.\.\. \}, got a table"),
    scenario("return forgotten", "local x = solve { game = beach_bar {} }",
             r": expected one task, as return solve \{ \.\.\. \}, got nothing"),
    scenario("two tasks", "return solve { game = beach_bar {} }, solve { game = beach_bar {} }",
             r": expected one task, as return solve \{ \.\.\. \}, got 2 values"),
    scenario("empty file", "", r": expected one task, .*, got nothing"),
    scenario("only a comment", "-- nothing", r": expected one task, .*, got nothing"),
    scenario("binary file", bytes(range(256)) * 8, r":\d+: .*"),
    scenario("compiled Lua", b"\x1bLua\x54\x00\x19\x93\r\n\x1a\n" + bytes(64),
             r":1: expected a text, got compiled Lua"),
    scenario("syntax error", "return solve {\n  game = beach_bar {\n  }\n",
             r":\d: '}' expected \(to close '\{' at line 1\) near <eof>"),
    scenario("syntax error in the middle", "local x = = 1\nreturn solve { game = beach_bar {} }",
             r":1: unexpected symbol near '='"),
    scenario("own error", 'error("the price must fall")', r":1: the price must fall"),
    scenario("own error of two lines", 'error("one\\ntwo")', r":1: one two"),
    scenario("undefined variable", "return solve { game = beach_bar { states = n } }",
             r':1: unknown name "n".*'),
    scenario("nothing in it", "local t = {}\nreturn solve { game = beach_bar { states = t.x.y } }",
             r":2: attempt to index a nil value \(field 'x'\)"),
    Case("not JSON", None, BAD, r"s\.json:1:.*", ("run", "s.json"), {"s.json": '{"solve": {'}),
    Case("unknown game in JSON", None, BAD, r's\.json:.*"beech_bar".*did you mean "beach_bar".*',
         ("run", "s.json"), {"s.json": '{"solve":\n  {"game": {"beech_bar": {}}}}'}),
    Case("wrong type in JSON", None, BAD,
         r's\.json:(\d:)? beach_bar: states: expected a whole number, got "x"',
         ("run", "s.json"), {"s.json": '{"solve": {"game": {"beach_bar": {"states": "x"}}}}'}),
]

BASE = "base = solve { game = beach_bar {} }"


def sweep(name, text, message, **more):
    """A sweep on line 2 that is wrong."""
    return scenario(name, f"\nreturn sweep {{ {text} }}", message, **more)


SWEEPS = [
    sweep("sweep of nothing", "", r":2: sweep: base: expected either a base .*, got neither"),
    sweep("sweep of two kinds", f"{BASE}, runs = {{ solve {{ game = beach_bar {{}} }} }}",
          r":2: sweep: runs: expected either a base .*, got both"),
    sweep("base that is no task", "base = beach_bar {}",
          r":2: sweep: base: expected a task such as solve\{\.\.\.\}, got beach_bar\{\.\.\.\}"),
    sweep("sweep in a sweep", f"base = sweep {{ {BASE} }}",
          r":2: sweep: base: expected a single task, got another sweep\{\.\.\.\}"),
    sweep("empty list of values", f'{BASE}, vary = {{ ["learner.rate"] = {{}} }}',
          r':2: sweep: vary\["learner.rate"\]: expected a list of values, got an empty list'),
    sweep("value that is no list", f'{BASE}, vary = {{ ["learner.rate"] = 1 }}',
          r':2: sweep: vary\["learner.rate"\]: expected a list of values, got 1'),
    sweep("unknown beginning of a path", f'{BASE}, vary = {{ ["gmae.states"] = {{5}} }}',
          r':2: sweep: vary\["gmae.states"\]: nothing is named "gmae"; did you mean "game"\?'),
    sweep("unknown end of a path", f'{BASE}, vary = {{ ["game.sates"] = {{5}} }}',
          r':2: beach_bar: unknown parameter "sates"; did you mean "states"\? \(run 0: .*\)'),
    sweep("wrong value of one run", f'{BASE}, vary = {{ ["learner.rate"] = {{1, 2, -1}} }}',
          r":2: mirror_descent: rate: expected .*, got -1 \(run 2: learner\.rate=-1\)"),
    sweep("wrong game of one run", f'{BASE}, vary = {{ ["game.bar"] = {{1, 9}} }}, seeds = 3',
          r":2: beach_bar: bar: expected a place from 0 to 3, got 9 \(run 3: game\.bar=9\)"),
    sweep("too many runs", f'{BASE}, seeds = 500001, vary = {{ ["learner.rate"] = {{1, 2}} }}',
          r":2: sweep: expected at most 10\^6 runs, got 1000002"),
    sweep("too many seeds", f"{BASE}, seeds = 1e9",
          r":2: sweep: seeds: expected a whole number in \[1, 1000000\], got 1000000000"),
    sweep("unknown parameter of a sweep", f"{BASE}, sedes = 2",
          r':2: sweep: unknown parameter "sedes"; did you mean "seeds"\?'),
    scenario("list with something else", "return { solve { game = beach_bar {} }, 5 }",
             r":1: sweep: runs\[2\]: expected a task such as solve\{\.\.\.\}, got 5"),
    scenario("list with a wrong task",
             "return {\n solve { game = beach_bar {} },\n solve { game = beach_bar { bar = 9 } } }",
             r":3: beach_bar: bar: expected a place from 0 to 3, got 9 \(run 1\)"),
]

SANDBOX = [
    scenario("endless loop", "\nwhile true do end", r":2: stopped after .* steps; .*",
             alone_only=True),
    scenario("endless loop in pcall",
             "while true do\n  pcall(function() while true do end end)\nend",
             r":2: stopped after .* steps; .*", alone_only=True),
    game("endless loop in a function", "beach_bar { initial = function() while true do end end }",
         r":1: beach_bar: initial\(0\): stopped after .* steps; .*", alone_only=True),
    scenario("endless recursion", "local function f() return 1 + f() end\nf()",
             r":1: stack overflow.*"),
    scenario("memory bomb", "local t = {}\nwhile true do t[#t + 1] = { 1, 2, 3 } end",
             r":(\d:)? more than 256 MiB of memory would be needed", alone_only=True),
    scenario("memory bomb in pcall",
             "local t = {}\nwhile true do pcall(function() t[#t + 1] = {} end) end",
             r":(\d:)? (more than 256 MiB of memory would be needed|stopped after .*)",
             alone_only=True),
    scenario("long text", 'local s = "x"\nwhile true do s = s .. s end',
             r":(\d:)? a text longer than 1 MiB is not possible here"),
    scenario("repeated text", 'local s = ("x"):rep(1e9)',
             r":1: string.rep: expected a result of at most 1 MiB, got a longer one"),
    scenario("table of tables", "local t = {}\nfor i = 1, 100 do t = { x = t } end\n"
             "return solve { game = beach_bar { initial = t } }",
             r":\d: .*expected at most 64 levels of tables, got more"),
    scenario("table in itself", "local t = {}\nt.x = t\nreturn solve { game = beach_bar { initial "
             "= t } }", r":\d: .*expected a value, got a table that contains itself"),
    scenario("os", 'os.execute("touch was-here")', r':1: unknown name "os".*'),
    scenario("io", 'io.open("was-here", "w")', r':1: unknown name "io".*'),
    scenario("require", 'require "os"', r':1: unknown name "require".*'),
    scenario("package", "package.loadlib('x', 'y')", r':1: unknown name "package".*'),
    scenario("load", 'load("return 1")()', r':1: unknown name "load".*'),
    scenario("dofile", 'dofile("/etc/hostname")', r':1: unknown name "dofile".*'),
    scenario("loadfile", 'loadfile("/etc/hostname")', r':1: unknown name "loadfile".*'),
    scenario("debug", "debug.sethook()", r':1: unknown name "debug".*'),
    scenario("coroutine", "coroutine.wrap(function() end)", r':1: unknown name "coroutine".*'),
    scenario("print", 'print("hello")', r':1: unknown name "print".*'),
    scenario("io by way of _G", '_G["i" .. "o"].write("x")', r':1: unknown name "io".*'),
    scenario("patterns", '("x"):rep(50):find(("x*"):rep(50) .. "y")',
             r":1: attempt to call a nil value \((method|field) 'find'\)"),
    scenario("random numbers", "math.random()",
             r":1: attempt to call a nil value \(field 'random'\)"),
    scenario("finalizer", "setmetatable({}, { __gc = function() while true do end end })",
             r":1: __gc is not possible here"),
]

SIZES = [
    game("overflow", "beach_bar { states = 2147483000, horizon = 1000000 }",
         r":1: beach_bar: .*\b(GiB|overflow).*", seconds=10),
    game("overflow of a grid", "crowd_motion { rows = 1000000, columns = 1000000 }",
         r":1: crowd_motion: expected 1 to \d+ states, got 1000000000000", seconds=10),
    game("overflow of a building",
         "building_evacuation { floors = 1000000, rows = 1000000, columns = 1000000 }",
         r":1: building_evacuation: .*", seconds=10),
    game("larger than memory", "beach_bar { states = 1000000000, horizon = 1000 }",
         r":1: beach_bar: .*\bGiB\b.*", seconds=10),
    game("a function for more than memory holds",
         "beach_bar { states = 2000000000, horizon = 1000,\n"
         "  initial = function(s) return 5e-10 end }", r":1: beach_bar: .*\bGiB\b.*",
         seconds=10, alone_only=True),
    line("dry run of what is larger than memory", BAD, FILE + r":1: beach_bar: .*\bGiB\b.*",
         "run", FILE, "--dry-run", "-P", "game.states=1000000000", "-P", "game.horizon=1000",
         out=r"beach_bar: 1000000000 states, 3 actions, 1000 stages on .*\n"
             r"  memory +at least .*\bTiB\b.*\n"),
]

NO_FILE = [
    Case("no such file", None, MISSING, r"nothing\.lua: no such file",
         ("run", "nothing.lua")),
    Case("no such folder", None, MISSING, r"a/b\.lua: no such file",
         ("check", "a/b.lua")),
    line("a folder", MISSING, r"/: .*it is a folder", "run", "/"),
    line("a device", MISSING, r"/dev/zero: .*it is not a regular file", "run", "/dev/zero"),
    line("name of many bytes", MISSING, r"n+\.lua: .*File name too long", "run", "n" * 300 + ".lua"),
]

OVERRIDES = [
    override("no value", r'walras: -P: expected path=value, .* got "game\.states"', "game.states",
             status=USAGE),
    override("empty value", r"walras: -P game\.states: expected one value, got nothing",
             "game.states="),
    override("no path", r"walras: -P ?: expected .*", "=3", status=USAGE),
    override("only dots", r"walras: -P \.: expected names .*", ".=3", status=USAGE),
    override("two values", r"walras: -P game\.states: expected one value, got 2 values",
             "game.states=1, 2"),
    override("syntax of the value", r"walras: -P game\.states: .*", "game.states=3)("),
    override("code", r'walras: -P game\.states: unknown name "os".*',
             "game.states=os.execute('touch was-here')"),
    override("unknown name", rf'{FILE}:1: beach_bar: unknown parameter "sates"; '
             r'did you mean "states"\?', "game.sates=3"),
    override("unknown part of a path",
             r'walras: -P gam\.states: nothing is named "gam"; did you mean "game"\?',
             "gam.states=3"),
    override("deeper than there is", r'walras: -P game\.states\.x: expected a table as "states".*',
             "game.states.x=3"),
    override("deeper than a number",
             r'walras: -P game\.states\.x: expected a table as "states", got 3',
             "game.states=3", "game.states.x=3"),
    override("wrong type", r'.*\bstates: expected a whole number, got "ten"', "game.states=ten"),
    override("list for a number", r".*\bstates: expected a whole number, got a list of 2 numbers",
             "game.states={1,2}"),
    override("out of range", r".*\bstay: expected a number in \[0, 1\], got 2", "game.stay=2"),
    override("not a number", r".*\bstay: expected a finite number, got -?nan", "game.stay=0/0"),
    override("unknown game", r'.*\bgame: .*"crowd_moton".*did you mean "crowd_motion"\?',
             "game=crowd_moton"),
    override("unknown learner", r'.*\blearner: .*"miror_descent".*did you mean "mirror_descent"\?',
             "learner=miror_descent"),
    override("learner for a game", r".*\bgame: expected a game .*, got learner mirror_descent.*",
             "game=mirror_descent"),
    override("required taken away", r".*\bgame: expected a game, got nothing .*", "game=nil"),
    line("seed of letters", BAD, r'.*\bseed: expected a whole number, got "x"',
         "run", FILE, "--seed", "x"),
    line("broken seed", BAD, r".*\bseed: expected a whole number, got 1\.5",
         "run", FILE, "--seed", "1.5"),
    line("negative seed", BAD, r".*\bseed: expected a whole number .*, got -3",
         "run", FILE, "--seed=-3"),
    line("-P of check", BAD, rf"{FILE}:1: beach_bar: states: expected .*, got 0",
         "check", FILE, "-P", "game.states=0"),
]

COMMANDS = [
    line("unknown command", USAGE, r'walras: unknown command "rn"; did you mean "run"\?', "rn"),
    line("nothing like it", USAGE, r'walras: unknown command "xylophone"; see walras --help',
         "xylophone", FILE),
    line("file without a command", USAGE,
         r'walras: unknown command "a\.lua"; a file follows its command: walras run a\.lua', "a.lua"),
    line("empty command", USAGE, r'walras: unknown command "".*', ""),
    line("unknown option", USAGE, r'walras: unknown option "--ouput"; did you mean "--output"\?',
         "run", FILE, "--ouput", "x.h5"),
    line("unknown letter", USAGE, r'walras: unknown option "-x".*', "run", FILE, "-x"),
    line("option without value", USAGE, r"walras: --output: expected FILE, got nothing", "run", FILE, "-o"),
    line("-P without value", USAGE, r"walras: --parameter: expected PATH=VALUE, got nothing", "run", FILE, "-P"),
    line("value for a flag", USAGE, r'walras: --quiet: expected no value, got "yes"', "run", FILE, "--quiet=yes"),
    line("unknown log", USAGE, r'walras: --log: expected json, got "xml"',
         "run", FILE, "--log", "xml"),
    line("no operand", USAGE, r"walras run: expected FILE, got nothing; see walras run --help", "run"),
    line("too many operands", USAGE, r'walras run: unexpected "b\.lua"; see walras run --help',
         "run", FILE, "b.lua"),
    line("one file to compare", USAGE, r"walras diff: expected A\.h5 B\.h5, got one file only; see .*",
         "diff", "a.h5"),
    line("option of another command", USAGE, r"walras check does not take --output",
         "check", FILE, "-o", "x.h5"),
    line("option of another command, before it", USAGE, r"walras list does not take --quiet",
         "-q", "list"),
    line("kind for a name", USAGE,
         r'walras describe: "mechanisms" is a kind; see walras list mechanisms',
         "describe", "mechanisms"),
    line("kind misspelled", USAGE, r'walras list: unknown kind "gmaes"; did you mean "games"\?',
         "list", "gmaes"),
    line("nothing to generate", USAGE,
         r'walras generate: expected man, bash or zsh, got "fish"', "generate", "fish"),
    line("info without a file", USAGE, r"walras info: expected RUN\.h5, got nothing; see .*", "info"),
    line("unknown kind", USAGE, r'walras list: unknown kind "nonsense"; there are: .*games.*',
         "list", "nonsense"),
    line("part of a name", USAGE,
         r'walras describe: unknown name "beach"; did you mean "beach_bar"\?',
         "describe", "beach"),
    line("command for a name", USAGE,
         r'walras describe: unknown name "run"; it is a command: see walras run --help',
         "describe", "run"),
    line("help of nothing", USAGE, r'walras: unknown command "nothing"; see walras --help',
         "help", "nothing"),
    line("unknown component", USAGE,
         r'walras describe: unknown name "beech_bar"; did you mean "beach_bar"\?',
         "describe", "beech_bar"),
    line("300 parameters", USAGE, r"walras: expected at most 256 times -P",
         "run", FILE, *(["-P", "seed=1"] * 300)),
]

OUTPUTS = [
    line("missing folder", CREATE, r"walras: cannot create no/o\.h5: the folder no does not exist",
         "run", FILE, "-o", "no/o.h5"),
    line("a folder", CREATE, r"walras: cannot create /: it is a folder", "run", FILE, "-o", "/"),
    line("this folder", CREATE, r"walras: cannot create \.: it is a folder", "run", FILE, "-o", "."),
    line("a folder with force", CREATE, r"walras: cannot create \.\./: it is a folder",
         "run", FILE, "-f", "-o", "../"),
    line("a file as a folder", CREATE, rf"walras: cannot create {FILE}/o\.h5: .*is not a folder",
         "run", FILE, "-o", f"{FILE}/o.h5"),
    line("force over the scenario itself", CREATE,
         r"walras: cannot create scenario\.lua: it is the scenario", "run", FILE, "--force", "-o", FILE),
    line("file exists", CREATE, r"walras: cannot create o\.h5: file exists \(.*--force.*\)",
         "run", FILE, "-o", "o.h5", files={"o.h5": b"keep\0me"}),
    line("file of the default name exists", CREATE,
         r"walras: cannot create scenario\.h5: file exists \(.*--force.*\)", "run", FILE,
         files={"scenario.h5": b"keep me"}),
    line("empty name", CREATE, r"walras: cannot create .*the name is empty", "run", FILE, "-o", ""),
    line("long name", CREATE, r"walras: cannot create n+\.h5: the name is too long \(.*\)",
         "run", FILE, "-o", "n" * 300 + ".h5"),
    line("long path", CREATE, r"walras: cannot create .*too long.*",
         "run", FILE, "-o", "n/" * 3000 + "o.h5"),
    line("a device", CREATE, r"walras: cannot create /dev/null: it is not a regular file",
         "run", FILE, "-f", "-o", "/dev/null"),
    line("no folder of files", CREATE, r"walras: cannot create /proc/o\.h5: .*",
         "run", FILE, "-o", "/proc/o.h5"),
]

NONFINITES = [
    Case("log of 0 at the start", "return solve { game = beach_bar { log_offset = 0, "
         "initial = { 1, 0, 0, 0 } } }", NONFINITE,
         r"walras: beach_bar: iteration 0: the value at stage \d, state \d is not finite"),
    Case("log of 0 later", "return solve {\n  game = crowd_motion { log_offset = 0, stay = 1 },\n"
         "  learner = fixed_point {}, stop = { iterations = 3 } }", NONFINITE,
         r"walras: crowd_motion: iteration 1: the value at stage 3, "
         r"state 0 \(row 0, column 0\) is not finite"),
    Case("huge rate", "return solve { game = beach_bar {}, learner = mirror_descent { rate = 1e308 "
         "}, stop = { iterations = 5 } }", NONFINITE,
         r"walras: beach_bar: iteration 1: the (mass|value) at stage \d, state \d is not finite"),
    Case("huge rewards", "return solve { game = crowd_motion { attraction = 1e308 } }", NONFINITE,
         r"walras: crowd_motion: iteration \d: the value at stage \d, state \d+ \(row \d+, "
         r"column \d+\) is not finite"),
    Case("an old file stays", "return solve { game = beach_bar {}, learner = mirror_descent { rate "
         "= 1e308 } }", NONFINITE, r"walras: beach_bar: iteration 1: .* is not finite",
         ("run", FILE, "-f", "-o", "o.h5"), {"o.h5": b"old"}),
]


def auction(name, fields, message, status=BAD):
    return Case(name, f"return solve {{ game = batched_auction {{ {fields} }} }}", status, message)


AUCTIONS = [
    auction("unknown name", "gods = 1",
            r':1: batched_auction: unknown parameter "gods"; did you mean "goods"\?'),
    auction("negative goods", "goods = -0.1",
            r":1: batched_auction: goods: expected a number in \[0, 1000000\], got -0\.1"),
    auction("no whole number of rounds", "rounds = 4.5",
            r":1: batched_auction: rounds: expected a whole number, got 4\.5"),
    auction("re-entry of those who stay", 'winners = "stay", reentry = 0.1',
            r':1: batched_auction: reentry: expected 0 with winners = "stay", who never leave, '
            r'got 0\.1'),
    auction("winners", 'winners = "stays"',
            r':1: batched_auction: winners: expected one of leave, stay, got "stays"; did you '
            r'mean "stay"\?'),
    auction("split and goods", "mechanism = first_price { split = { 0.2, 0.2, 0.2, 0.1 } }",
            r":1: first_price: split: expected goods with the sum 0\.8 \(goods\), got the sum "
            r"0\.7"),
    auction("split and rounds", "mechanism = first_price { split = { 0.4, 0.4 } }",
            r":1: first_price: split: expected 4 numbers, got 2"),
    auction("constructor alone", "mechanism = first_price",
            r":1: game\.mechanism: expected a value, got a constructor; write first_price\{\}"),
    auction("function for a mechanism", "mechanism = function() end",
            r":1: batched_auction: mechanism: expected a mechanism \(first_price.*\), got a "
            r"function"),
    auction("unknown mechanism", 'mechanism = "firstprice"',
            r':1: batched_auction: mechanism: unknown mechanism "firstprice"; did you mean '
            r'"first_price"\?'),
    auction("prior of another length", "prior = { 0.5, 0.5 }",
            r":1: batched_auction: prior: expected 100 numbers, got 2"),
    auction("prior with another sum", "prior = { 0.5, 0.4 }, values = 2",
            r":1: batched_auction: prior: expected a distribution with sum 1, got the sum 0\.9"),
    auction("negative weight", "prior = function(v) return v - 0.5 end",
            r":1: batched_auction: prior: element 0 \(counted from 0\): expected a number of at least 0, "
            r"got -0\.5"),
    auction("drift for a prior", "prior = gaussian {}",
            r":1: batched_auction: prior: expected a prior or a value_law \(.*\), .*got drift gaussian\{\.\.\.\}"),
    auction("drift of another shape", "drift = { { 1 } }, values = 2",
            r":1: batched_auction: drift: expected 2 x 2 numbers, got 1 x 1"),
    auction("drift row with another sum", "drift = { { 0.5, 0.4 }, { 0.5, 0.5 } }, values = 2",
            r":1: batched_auction: drift: row 0 \(counted from 0\): expected a distribution with sum 1, "
            r"got the sum 0\.9"),
    auction("drift to nowhere", "drift = function(v, w) return w > v and 1 or 0 end",
            r":1: batched_auction: drift: row 99 \(counted from 0\): expected weights with a positive "
            r"sum, got 0"),
    auction("list for a utility", "utility = { 1, 2 }",
            r":1: batched_auction: utility: expected a function, got a list of 2 numbers"),
    auction("utility of nothing", "utility = function(v, p, h) end",
            r":1: batched_auction: utility\(value=0, payment=0, round=0\): expected a number, got "
            r"nothing"),
    auction("utility with an unknown name", "utility = function(v, p, h) return value - p end",
            r':1: batched_auction: utility\(value=0, payment=0, round=0\): unknown name "value"'),
    auction("infinite utility", "utility = function(v, p, h) return math.log(v - p) end",
            r":1: batched_auction: utility\(value=0, payment=0, round=0\): expected a finite "
            r"number, "
            r"got -inf", NONFINITE),
    override("function from outside",
             r":?\d*: batched_auction: utility: expected a function written in the scenario, got "
             r"one from elsewhere \(-P\), which a run file could not keep",
             "game=batched_auction{utility=function(v, p, h) return v - p end}"),
]


def contents(place):
    """{path: bytes} of all files in a folder, but for live views: on a slow machine any run has one."""
    found = {}
    for where, folders, files in os.walk(place):
        for name in folders:
            found[os.path.relpath(os.path.join(where, name), place)] = None
        for name in files:
            path = os.path.join(where, name)
            if name.endswith(".progress.jsonl"):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, place)] = file.read()
    return found


def set_up(case):
    place = folder(case.name)
    if case.scenario is not None:
        write(os.path.join(place, FILE), case.scenario)
    for name, content in case.files.items():
        write(os.path.join(place, name), content)
    return place


class BadInput(unittest.TestCase):
    def run_case(self, case, ranks=None, leaks=True):
        place = set_up(case)
        before = contents(place)
        seconds = case.seconds * (5 if SANITIZED else 1)
        result = walras(*case.args, ranks=ranks, cwd=place, leaks=leaks, timeout=seconds)
        return result, before, contents(place)

    def check(self, case, result, before, after):
        self.assertEqual(result.status, case.status, result)
        message = (FILE + case.message) if case.message.startswith(":") else case.message
        lines = own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        self.assertRegex(lines[0], f"^(?:{message})$")
        self.assertRegex(result.out, f"^{case.out}$")
        self.assertEqual(after, before, "files were made, changed or removed")

    def check_all(self, cases, together=1):
        """Every case alone, and every `together`-th by three ranks, which must speak once."""
        # Endless loops and memory bombs allocate too much for leaks to be looked for in time.
        if SANITIZED and len(cases) > 12:
            cases = cases[::2]
        watched = [case for case in cases if not case.alone_only][::2]
        runs = at_once(lambda case: self.run_case(case, leaks=case in watched), cases)
        for case, (result, before, after) in zip(cases, runs):
            with self.subTest(case=case.name):
                self.check(case, result, before, after)
        step = together * (3 if SANITIZED else 1)
        several = [case for case in cases if not case.alone_only][::step]
        runs = at_once(lambda case: self.run_case(case, 3), several)
        for case, (result, before, after) in zip(several, runs):
            with self.subTest(case=case.name, ranks=3):
                self.check(case, result, before, after)

    def test_names(self):
        self.check_all(NAMES, together=4)

    def test_values(self):
        self.check_all(VALUES, together=4)

    def test_lists(self):
        self.check_all(LISTS, together=4)

    def test_auctions(self):
        self.check_all(AUCTIONS, together=4)

    def test_tasks(self):
        self.check_all(TASKS, together=4)

    def test_sweeps(self):
        self.check_all(SWEEPS, together=4)

    def test_sandbox(self):
        self.check_all(SANDBOX, together=4)

    def test_sizes(self):
        self.check_all(SIZES)

    def test_no_file(self):
        self.check_all(NO_FILE)

    def test_overrides(self):
        self.check_all(OVERRIDES, together=4)

    def test_commands(self):
        self.check_all(COMMANDS, together=4)

    def test_outputs(self):
        self.check_all(OUTPUTS)

    def test_nonfinite(self):
        self.check_all(NONFINITES)

    def test_good_scenario_is_good(self):
        """The command lines above are wrong for the reason that is given."""
        place = set_up(line("good", 0, "", "run"))
        result = walras("run", FILE, cwd=place)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertEqual(left(place), ["scenario.h5", FILE])

    @unittest.skipIf(os.geteuid() == 0, "root may do everything")
    def test_no_permission(self):
        place = set_up(line("permission", 0, "", "run"))
        secret = write(os.path.join(place, "secret.lua"), GOOD)
        os.chmod(secret, 0)
        closed = os.path.join(place, "closed")
        os.mkdir(closed, 0o500)
        case = line("unreadable", MISSING, r"secret\.lua: .*Permission denied", "run", "secret.lua")
        result = walras("run", "secret.lua", cwd=place)
        self.check(case, result, {}, {})
        case = line("read-only", CREATE, r"walras: cannot create closed/o\.h5: .*Permission denied",
                    "run", FILE, "-o", "closed/o.h5")
        result = walras(*case.args, cwd=place)
        self.check(case, result, {}, {})
        self.assertEqual(left(closed), [])


if __name__ == "__main__":
    unittest.main()
