# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are killed at once: all ranks at any instant, one rank of several."""

import os
import random
import signal
import time
import unittest

import fault_runs as f
from walras_cli import at_once

INSTANTS = 12 if f.SANITIZED else 50
AT_ONCE = 2


class Killed(unittest.TestCase):
    def kill_once(self, number):
        """Kills a run at an instant between two iterations; (whether it was in the midst, what is
        wrong afterwards)."""
        draw = random.Random(number)
        at = draw.randrange(f.SHORT["iterations"])
        _, run = f.case(name=f"kill{number}")
        running = f.start(run, "--checkpoint-every", "1it")
        running.wait_for(lambda: f.leftovers(run))
        begun = time.monotonic()
        running.wait_for(lambda: at == 0 or f.has_come_to(run, at))
        each = (time.monotonic() - begun) / at if at else 0.01
        time.sleep(draw.uniform(0, 1.5 * each))
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
        results = at_once(self.kill_once, range(INSTANTS), 4)
        for number, (_, wrong) in enumerate(results):
            with self.subTest(instant=number):
                self.assertEqual(wrong, [])
        self.assertGreater(sum(midst for midst, _ in results), INSTANTS // 2)

    def kill_rank(self, victim, at):
        """(run, how mpirun ended): by itself, and with all its ranks gone."""
        _, run = f.case()
        running = f.start(run, "--checkpoint-every", "1it", ranks=3)
        self.assertTrue(running.wait_for(lambda: f.has_come_to(run, at)))
        ranks = sorted(running.ranks())
        try:
            os.kill(ranks[victim], signal.SIGKILL)
        except (IndexError, ProcessLookupError):
            ranks = []
        result = running.end()
        self.assertIsNotNone(result.status, result)
        if len(ranks) != 3 or result.status == 0:
            return None  # it had ended
        end = time.monotonic() + 10
        while any(map(f.alive, ranks)) and time.monotonic() < end:
            time.sleep(0.01)
        self.assertFalse([rank for rank in ranks if f.alive(rank)])
        return run, result

    def test_one_rank_of_three(self):
        f.reference(**f.SHORT)
        for number, victim in enumerate((0, 2)):
            with self.subTest(victim=victim):
                run, result = f.until_caught(lambda: self.kill_rank(victim, 1 + 4 * number))
                self.assertLess(result.seconds, 60, result)  # from the very start
                result = f.resume(run, ranks=2)
                self.assertEqual(result.status, 0, result)
                self.assertEqual(f.differences(run, f.SHORT), [])
                self.assertEqual(f.leftovers(run), [])


if __name__ == "__main__":
    unittest.main()
