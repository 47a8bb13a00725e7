# SPDX-License-Identifier: GPL-3.0-or-later
"""What --dry-run says beforehand against what the run then takes, within 10 %."""

import os
import re
import unittest

import h5py

from walras_cli import SANITIZED, folder, left, walras, write

CASES = {  # name: (what `solve` is given, ranks)
    "grid": ("game = crowd_motion { rows = 150, columns = 150, horizon = 5 }", (None, 2, 3)),
    "entropy": ("game = crowd_motion { rows = 90, columns = 70 }, "
                "learner = mirror_descent { entropy = 0.1 }", (2,)),
    "response": ("game = beach_bar { states = 30000 }, learner = fictitious_play {}", (2,)),
    "prior": ("game = beach_bar { states = 30000 }, learner = prior_descent { inner = 2 }", (3,)),
    "statistic": ("game = equilibrium_price { inventory = 20000 }", (2,)),
    "dense": ("game = random_linear { states = 100 }", (2,)),
    "populations": ("game = predator_prey { rows = 50, columns = 50 }", (2,)),
    "illegal": ('game = crowd_modelling_2d { map = "four_rooms" }', (None,)),
    "auction": ("game = batched_auction { values = 1000 }, "
                "learner = mirror_descent { rate = 10, entropy = 1e-3 }", (2,)),
    "drift": ('game = batched_auction { values = 2000, bids = 10, drift = "gaussian" }', (None, 2)),
    "asked": ("game = batched_auction { rounds = 40, bids = 200, mechanism = static {}, "
              "utility = function(v, p, h) return v - p end }", (2,)),
    "little": ("game = crowd_motion { rows = 200, columns = 200 }, "
               "store = { policy = false, precision = \"single\" }", (2,)),
}
if SANITIZED:
    CASES = {name: CASES[name] for name in ("entropy", "statistic", "illegal")}


def amount(text):
    """Bytes of a text such as "12.5 MiB"."""
    number, unit = text.split()
    return float(number) * 1024 ** ["B", "KiB", "MiB", "GiB", "TiB"].index(unit)


class DryRun(unittest.TestCase):
    def check(self, name, text, ranks):
        place = folder(name)
        write(os.path.join(place, "s.lua"),
              f"return solve {{ {text}, stop = {{ iterations = 10 }} }}")
        dry = walras("run", "s.lua", "--dry-run", ranks=ranks, cwd=place)
        self.assertEqual((dry.status, dry.err), (0, ""), dry)
        self.assertEqual(left(place), ["s.lua"])
        said = {name: re.search(rf"^  {name} +(.*)$", dry.out, re.M).group(1)
                for name in ("memory", "file", "work", "communication")}
        result = walras("run", "s.lua", "-q", ranks=ranks, cwd=place, timeout=200)
        self.assertEqual(result.status, 0, result)
        path = os.path.join(place, "s.h5")
        with h5py.File(path, "r") as file:
            run = dict(file["run"].attrs)
            states, actions = len(file["axes/state"]), len(file["axes/action"])
            stages = len(file["axes/stage"])
        numbers = re.fullmatch(r"(.*) in (\d+) messages? and (\d+) collectives? a rank and iteration",
                               said["communication"]).groups()
        pairs = {
            "memory": (amount(said["memory"].split(" a rank")[0]), run["peak_bytes"]),
            "file": (amount(said["file"]), os.path.getsize(path)),
            "work": (float(said["work"].split()[0]), states * actions * stages),
            "bytes": (amount(numbers[0]), run["bytes_per_iteration"]),
            "messages": (int(numbers[1]), run["messages_per_iteration"]),
            "collectives": (int(numbers[2]), run["collectives_per_iteration"]),
        }
        for what, (before, after) in pairs.items():
            self.assertLessEqual(abs(before - after), 0.1 * after, (name, ranks, what, before, after))
        os.remove(path)

    def test_says_what_is_taken(self):
        for name, (text, counts) in CASES.items():
            for ranks in counts:
                with self.subTest(name=name, ranks=ranks):
                    self.check(name, text, ranks)


if __name__ == "__main__":
    unittest.main()
