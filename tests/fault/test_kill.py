# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed at once: all ranks at any instant, one rank of several."""

import os
import random
import signal
import time
import unittest

import fault_runs as f
from walras_cli import at_once

INSTANTS = 50


class Killed(unittest.TestCase):
    def kill_once(self, number, span):
        """Kills a run; (whether it was in the midst, what is wrong afterwards)."""
        draw = random.Random(number)
        _, run = f.case(name=f"kill{number}")
        running = f.start(run, "--checkpoint-every", "1it")
        running.wait_for(lambda: f.leftovers(run))
        time.sleep(draw.uniform(0, span))
        running.send(signal.SIGKILL)
        running.end()
        in_the_midst = not os.path.exists(run)
        had_one = bool(f.checkpoints(run))
        result = f.resume(run, "--checkpoint-every", "5it")
        if not had_one and in_the_midst:  # killed within its first checkpoint
            if result.status != 66:
                return in_the_midst, [f"expected 66: {result}"]
            result = f.walras("run", "s.lua", "-q", "-o", run, cwd=os.path.dirname(run))
        if result.status != 0:
            return in_the_midst, [str(result)]
        wrong = f.differences(run, f.SHORT)
        if f.leftovers(run):
            wrong.append(f"left over: {f.leftovers(run)}")
        return in_the_midst, wrong

    def test_any_instant(self):
        f.reference(**f.SHORT)
        _, run = f.case()
        running = f.start(run, "--checkpoint-every", "1it")
        self.assertTrue(running.wait_for(lambda: f.leftovers(run)))
        begun = time.monotonic()
        self.assertEqual(running.end().status, 0)
        span = time.monotonic() - begun
        results = at_once(lambda number: self.kill_once(number, span), range(INSTANTS), 3)
        for number, (_, wrong) in enumerate(results):
            with self.subTest(instant=number):
                self.assertEqual(wrong, [])
        self.assertGreater(sum(midst for midst, _ in results), INSTANTS // 3)

    def test_one_rank_of_three(self):
        f.reference(**f.SHORT)
        for number, victim in enumerate((0, 2)):
            with self.subTest(victim=victim):
                _, run = f.case({**f.SHORT, "iterations": 40})
                running = f.start(run, "--checkpoint-every", "1it", ranks=3)
                self.assertTrue(running.wait_for(lambda: f.checkpoints(run)))
                ranks = running.ranks()
                self.assertEqual(len(ranks), 3)
                time.sleep(0.05 * number)
                os.kill(sorted(ranks)[victim], signal.SIGKILL)
                result = running.end(30)
                self.assertIsNotNone(result.status, result)
                self.assertFalse([rank for rank in ranks if f.alive(rank)])
                result = f.resume(run, ranks=2)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(f.differences(run, f.SHORT), [])
                self.assertEqual(f.leftovers(run), [])


if __name__ == "__main__":
    unittest.main()
