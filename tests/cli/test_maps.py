# SPDX-License-Identifier: GPL-3.0-or-later
"""Games on maps: what is wrong with a map is told with its line and column, what editors add is
forgiven, and the run file shows the map."""

import os
import unittest

import h5py

from walras_cli import at_once, folder, left, own_lines, walras, write

ROOMS = "crowd_modelling_2d"
BUILDING = "evacuation"

# name, game, the table's text, what stderr must say behind "scenario.lua:1: GAME: "
REFUSED = [
    ("ragged", ROOMS, "map = '.....\\n.....\\n....'",
     r"map: line 3: expected 5 columns as in line 1, got 4"),
    ("longer", ROOMS, "map = '...\\n....'", r"map: line 2: expected 3 columns as in line 1, got 4"),
    ("ragged after a first empty line", ROOMS, "map = [[\n\n  ...\n  ..\n]]",
     r"map: line 2: expected 3 columns as in line 1, got 2"),
    ("hole", ROOMS, "map = '...\\n\\n...'",
     r"map: line 2: expected 3 columns as in line 1, got an empty line"),
    ("unknown character", ROOMS, "map = '...\\n...\\n......x..'",
     r'map: line 3, column 7: expected one of "#.S", got "x"'),
    ("blank in a row", ROOMS, "map = '## ##\\n#...#'",
     r'map: line 1, column 3: expected one of "#.S", got " "'),
    ("tab in a row", ROOMS, "map = '#.\\t.#'",
     r'map: line 1, column 3: expected one of "#.S", got "\?"'),
    ("beyond ASCII", ROOMS, "map = '#..\\n#ü.'",
     r'map: line 2, column 2: expected one of "#.S", got "[^a-z]*"'),
    ("indented differently", ROOMS, "map = '  ...\\n   ...'",
     r'map: line 2, column 1: expected one of "#.S", got " "'),
    ("empty", ROOMS, "map = ''", r"map: expected a map, got no lines but empty ones"),
    ("blank", ROOMS, "map = ' \\n\\t\\r\\n  '",
     r"map: expected a map, got no lines but empty ones"),
    ("only walls", ROOMS, "map = '##\\n##'",
     r'map: expected at least one cell that is no wall, got only "#"'),
    ("name of no map", ROOMS, "map = 'four_room'",
     r'map: expected a map or one of "none", "four_rooms", got "four_room"; '
     r'did you mean "four_rooms"\?'),
    ("name like none", ROOMS, "map = 'labyrinth'",
     r'map: expected a map or one of "none", "four_rooms", got "labyrinth"'),
    ("a number", ROOMS, "map = 13", r"map: expected .*, got 13"),
    ("lines as a list", ROOMS, "map = { '..', '..' }", r"map: expected .*, got .*"),
    ("other rows", ROOMS, "map = 'four_rooms', rows = 12",
     r"rows: expected 13 as in the map, got 12"),
    ("other columns", ROOMS, "map = '...\\n...', rows = 2, columns = 4",
     r"columns: expected 3 as in the map, got 4"),
    ("start in a wall", ROOMS, "map = 'four_rooms', start = {{1, 1}, {6, 2}}",
     r"start: expected free cells, got \(6, 2\), a wall \(line 7, column 3 of the map\)"),
    ("start outside", ROOMS, "start = {{1, 10}}",
     r"start: expected cells of the 10 x 10 map \(counted from 0\), got \(1, 10\)"),
    ("start below", ROOMS, "start = {{-1, 3}}",
     r"start: .*expected a number of at least 0, got -1"),
    ("start between", ROOMS, "start = {{1, 2.5}}",
     r"start: expected cells of the 10 x 10 map .*, got \(1, 2.5\)"),
    ("start without weight", ROOMS, "start = {{1, 2, 0}}",
     r"start: expected shares with a positive sum, got 0"),
    ("start as a cell", ROOMS, "start = {1, 1}", r"start: .*"),
    ("start as nothing", ROOMS, "start = {}",
     r"start: expected a list of cells .*, got a function or no cells"),
    ("start of four numbers", ROOMS, "start = {{1, 1, 1, 1}}",
     r"start: expected a list of cells .*, got rows of another length"),
    ("start as a function", ROOMS, "start = function(i) return 1, 1 end",
     r"start: expected a list of cells .*, got a function or no cells"),
    ("bars outside", ROOMS, "map = 'four_rooms', bars = {{13, 1}}",
     r"bars: expected cells of the 13 x 13 map .*, got \(13, 1\)"),
    ("bars outside though not wanted", ROOMS, "distribution_only = true, bars = {{3, -1}}",
     r"bars: expected cells of the 10 x 10 map .*, got \(3, -1\)"),
    ("a torus too large", ROOMS, "rows = 1e6, columns = 1e6",
     r"expected 1 to 2147483647 states, got 1000000000000"),
    ("floors of other columns", BUILDING, "map = '..E\\n...\\n\\n....\\n....'",
     r"map: line 4: expected 3 columns as in line 1, got 4"),
    ("floors of other rows", BUILDING, "map = '..E\\n...\\n\\n...'",
     r"map: line 4: expected 2 rows on floor 1 as on floor 0, got 1"),
    ("more rows on a floor", BUILDING, "map = '..E\\n\\n...\\n...\\n\\n...'",
     r"map: line 3: expected 1 rows on floor 1 as on floor 0, got 2"),
    ("stairs under the ground", BUILDING, "map = '..E\\nD..'",
     r'map: line 2, column 1: expected a floor to which the stairs "D" lead down, got none'),
    ("stairs over the roof", BUILDING, "map = '..E\\n\\n.X.\\n'",
     r'map: line 3, column 2: expected a floor to which the stairs "X" lead up, got none'),
    ("stairs into a wall", BUILDING, "map = '..E\\n.U.\\n\\n...\\n.#.'",
     r'map: line 2, column 2: expected a free cell to which the stairs "U" lead up, '
     r"got a wall \(line 5\)"),
    ("no exit", BUILDING, "map = 'S..\\n...'",
     r"map: expected at least one exit \(E, or u, d, x\), got none"),
    ("letter of no cell", BUILDING, "map = 'S.E\\n..e'",
     r'map: line 2, column 3: expected one of "#.SEUDXudx", got "e"'),
    ("no such building", BUILDING, "map = 'ofice'",
     r'map: expected a map or one of "office", got "ofice"; did you mean "office"\?'),
]

# The same map in many coats: name, text
PLAIN = "#####\n#S..#\n#####"
COATS = [
    ("newline at the end", PLAIN + "\n"),
    ("newlines around", "\n\n" + PLAIN + "\n\n\n"),
    ("Windows", PLAIN.replace("\n", "\r\n") + "\r\n"),
    ("indented", "\n" + "\n".join("    " + line for line in PLAIN.split("\n")) + "\n  "),
    ("tabs", "\n".join("\t" + line for line in PLAIN.split("\n"))),
    ("blanks at the ends of lines", PLAIN.replace("\n", "  \t\n") + "   "),
]


def scenario(game, table):
    return (f"return solve {{ game = {game} {{ {table} }}, "
            "stop = { iterations = 2 } }")


def run(text, *args):
    where = folder("map")
    write(os.path.join(where, "scenario.lua"), text)
    return where, walras("run", "scenario.lua", *args, cwd=where)


def numbers(path, dataset):
    """The numbers of a dataset of a run file."""
    with h5py.File(path, "r") as file:
        return file[dataset][()].ravel().tolist()


class Maps(unittest.TestCase):

    def test_mistakes_are_told_with_their_place(self):
        results = at_once(lambda case: run(scenario(case[1], case[2])), REFUSED)
        for (name, game, _, message), (where, result) in zip(REFUSED, results):
            with self.subTest(name):
                lines = own_lines(result.err)
                self.assertEqual(result.status, 65, str(result))
                self.assertEqual(len(lines), 1, str(result))
                self.assertRegex(lines[0], rf"scenario\.lua:\d+: {game}: {message}$")
                self.assertEqual(left(where), ["scenario.lua"])

    def test_what_editors_add_is_forgiven(self):
        def resolved(text):
            return run(scenario(ROOMS, f"map = [[\n{text}]]"), "-q", "-o", "run.h5")
        results = at_once(resolved, [PLAIN] + [text for _, text in COATS])
        files = [os.path.join(where, "run.h5") for where, _ in results]
        for (name, _), (_, result), path in zip([("plain", PLAIN)] + COATS, results, files):
            with self.subTest(name):
                self.assertEqual(result.status, 0, str(result))
                for dataset in ("/solution/mean_field", "/solution/policy"):
                    self.assertEqual(numbers(path, dataset), numbers(files[0], dataset))

    def test_the_run_file_is_a_map(self):
        where, result = run(scenario(ROOMS, "map = 'four_rooms'"), "-q", "-o", "run.h5")
        self.assertEqual(result.status, 0, str(result))
        path = os.path.join(where, "run.h5")
        mass, policy = numbers(path, "/solution/mean_field"), numbers(path, "/solution/policy")
        self.assertEqual(len(mass), 40 * 13 * 13)
        self.assertEqual(mass[13 + 1], 1)
        wall = lambda r, c: (r in (0, 6, 12) or c in (0, 6, 12)) and (r, c) not in (
            (3, 6), (9, 6), (6, 3), (6, 9))
        for h in range(40):
            self.assertAlmostEqual(sum(mass[h * 169:(h + 1) * 169]), 1, delta=1e-12)
            for cell in range(169):
                row, column = divmod(cell, 13)
                chances = policy[(h * 169 + cell) * 5:][:5]
                moves = ((-1, 0), (0, -1), (0, 0), (0, 1), (1, 0))
                if wall(row, column):
                    self.assertEqual(mass[h * 169 + cell], 0)
                    self.assertEqual(chances, [0, 0, 1, 0, 0])
                    continue
                for (down, right), chance in zip(moves, chances):
                    if wall(row + down, column + right):
                        self.assertEqual(chance, 0)
                    else:
                        self.assertGreater(chance, 0)

    def test_a_resolved_scenario_gives_the_same_run(self):
        text = scenario(BUILDING, "map = [[\r\n  E..U\r\n  .#..\n\n  S..D\n  S...\n]]")
        where, result = run(text, "-q", "-o", "run.h5")
        self.assertEqual(result.status, 0, str(result))
        again = walras("check", "scenario.lua", cwd=where)
        write(os.path.join(where, "again.json"), again.out)
        result = walras("run", "again.json", "-q", "-o", "again.h5", cwd=where)
        self.assertEqual(result.status, 0, str(result))
        result = walras("diff", "run.h5", "again.h5", cwd=where)
        self.assertEqual(result.status, 0, str(result))

    def test_the_games_seed_names_a_garnet_and_the_tasks_does_not(self):
        values = []
        runs = ("seed = 1", ()), ("seed = 1", ("--seed", "9")), ("seed = 2", ())
        for table, args in runs:
            where, result = run(scenario("garnet", table), "-q", "-o", "run.h5", *args)
            self.assertEqual(result.status, 0, str(result))
            values.append(numbers(os.path.join(where, "run.h5"), "/trace/exploitability"))
        self.assertEqual(values[0], values[1])
        self.assertNotEqual(values[0], values[2])


if __name__ == "__main__":
    unittest.main()
