# SPDX-License-Identifier: GPL-3.0-or-later
"""Checkpoints that are cut short or have flipped bytes: found, named, and passed over for an older
one."""

import os
import random
import re
import shutil
import unittest

import h5py

import fault_runs as f
from walras_cli import at_once

CUTS, FLIPS = 20, 24 if f.SANITIZED else 40
AT_ONCE = 2


class Damaged(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_file = f.stopped_run(at=3)
        found = f.checkpoints(cls.run_file)
        cls.older, cls.newer = sorted(found)
        with open(found[cls.newer], "rb") as file:
            cls.good = file.read()
        with h5py.File(found[cls.newer]) as file:
            policy = file["/checkpoint/policy"]
            assert policy.chunks and policy.fletcher32
            chunk = policy.id.get_chunk_info(0)
            cls.chunks = (chunk.byte_offset, chunk.byte_offset + chunk.size)

    def resumed(self, data, with_older):
        """Resumes beside a newest checkpoint of these bytes; (result, run)."""
        place, run = f.case(name="damage")
        found = f.checkpoints(self.run_file)
        if with_older:
            shutil.copy(found[self.older], place)
        newest = os.path.join(place, os.path.basename(found[self.newer]))
        f.write(newest, data)
        f.write(os.path.join(place, "STOP"), "")  # to go on for an iteration is enough
        return f.resume(run), run

    def check(self, job):
        """What is wrong with what resume makes of damaged bytes."""
        what, data, with_older = job
        result, run = self.resumed(data, with_older)
        lines = f.own_lines(result.err)
        name = re.escape(f"{run[:-3]}.checkpoint-{self.newer}.h5: ")
        wrong = []
        if with_older:
            if result.status != 75 or len(lines) != 2:
                wrong.append("expected a warning, and that it goes on")
            if not lines or not re.search(rf"warning: {name}.*; going back to iteration "
                                          rf"{self.older}$", lines[0]):
                wrong.append("expected a warning that names the file")
        elif result.status != 74 or len(lines) != 1 or not re.search(name, lines[0]):
            wrong.append("expected one line that names the file, and 74")
        return [f"{what}: {', '.join(wrong)}: {result}"] if wrong else []

    def check_all(self, jobs):
        wrong = [line for lines in at_once(self.check, jobs) for line in lines]
        self.assertEqual(wrong[:3], [])

    def test_cut_short(self):
        draw = random.Random(1)
        size = len(self.good)
        places = [0, 1, 8, 47, 48, 600, size - 1, size - 9, size - 40]
        places += [draw.randrange(size) for _ in range(CUTS - len(places))]
        self.check_all([(f"cut at {at}", self.good[:at], i % 4 == 0)
                        for i, at in enumerate(places)])

    def test_flipped_bytes(self):
        draw = random.Random(2)
        size = len(self.good)
        low, high = self.chunks
        places = [draw.randrange(1200) for _ in range(10)]  # superblock, root
        places += [draw.randrange(low, high) for _ in range(6)]  # an array
        places += [size - 1 - draw.randrange(60) for _ in range(6)]  # the seal
        outside = [at for at in range(size) if not low <= at < high]
        places += [draw.choice(outside) for _ in range(FLIPS - len(places))]
        jobs = []
        for i, at in enumerate(places):
            data = bytearray(self.good)
            data[at] ^= 1 << draw.randrange(8)
            jobs.append((f"flip at {at}", bytes(data), i % 5 == 0))
        self.check_all(jobs)

    def test_a_damaged_array_is_named(self):
        data = bytearray(self.good)
        data[self.chunks[0] + 1000] ^= 4
        result, _ = self.resumed(bytes(data), False)
        self.assertEqual(result.status, 74, result)
        self.assertIn("/checkpoint/policy cannot be read", result.err)

    def test_from_the_older_one_the_same_bytes(self):
        _, run = f.case(name="damage")
        found = f.checkpoints(self.run_file)
        for path in found.values():
            shutil.copy(path, os.path.dirname(run))
        with open(f.checkpoints(run)[self.newer], "r+b") as file:
            file.truncate(len(self.good) // 2)
        result = f.resume(run, ranks=2)
        self.assertEqual(result.status, 0, result)
        self.assertIn(f"going back to iteration {self.older}", result.err)
        self.assertEqual(f.differences(run, f.SHORT, by_walras=True), [])
        self.assertEqual(f.leftovers(run), [])

    def test_a_state_of_another_shape(self):
        """Sound files that are not of this run."""
        _, run = f.case(name="damage")
        place = os.path.dirname(run)
        path = os.path.join(place, os.path.basename(f.checkpoints(self.run_file)[self.newer]))
        for change, part in ((lambda file: file.__delitem__("/checkpoint/policy"), "policy"),
                             (lambda file: file.__delitem__("/checkpoint/trace"), "trace"),
                             (lambda file: file["/checkpoint"].attrs.__delitem__("steps"), "steps"),
                             (lambda file: file.attrs.__delitem__("seed"), "seed"),
                             (lambda file: file.__delitem__("/scenario/resolved"), "resolved"),
                             (lambda file: file["/checkpoint"].move("policy", "other"), "policy"),
                             (lambda file: file["/checkpoint"].move("seconds", "s2") or
                              file["/checkpoint"].__setitem__("seconds", [1.0, 2.0]), "seconds")):
            with self.subTest(part=part):
                f.write(path, self.good)
                with h5py.File(path, "r+") as file:
                    change(file)
                result = f.resume(run)
                self.assertEqual(result.status, 74, result)
                lines = f.own_lines(result.err)
                self.assertEqual(len(lines), 1, result)
                self.assertIn(path, lines[0])
                self.assertIn(part, lines[0])


if __name__ == "__main__":
    unittest.main()
