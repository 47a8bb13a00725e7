# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that are asked to stop: by signals, a file, the walltime; and what resume says and refuses.
"""

import os
import re
import shutil
import signal
import unittest

import h5py

import fault_runs as f

AT_ONCE = 3


class Stopped(unittest.TestCase):
    def check_stopped(self, result, run, reason):
        """Exit 75, and one line that says why and how to go on."""
        self.assertEqual(result.status, 75, result)
        lines = f.own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        pattern = (rf"walras: stopped by {reason} at iteration (\d+); "
                   rf"to go on: walras resume {re.escape(run)}")
        found = re.fullmatch(pattern, lines[0])
        self.assertTrue(found, result)
        self.assertIn(int(found[1]), f.checkpoints(run))
        return int(found[1])

    def finish(self, run, kind, ranks=None):
        result = f.resume(run, ranks=ranks)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.differences(run, kind), [])
        self.assertEqual(f.leftovers(run), [])

    def signalled(self, number, ranks, kind):
        """(run, how it ended) of one that a signal has reached in time."""
        def attempt():
            _, run = f.case(kind)
            running = f.start(run, "--checkpoint-every", "5it", ranks=ranks)
            self.assertTrue(running.wait_for(lambda: f.has_come_to(run, 5)))
            running.send(number)
            result = running.end()
            return None if result.status == 0 else (run, result)

        return f.until_caught(attempt)

    def each(self, check, cases):
        """check(*case) of each, some at a time."""
        def outcome(case):
            try:
                check(*case)
            except Exception as error:  # told below, as that of its case
                return error
            return None

        for case, error in zip(cases, f.at_once(outcome, cases, 2)):
            with self.subTest(case=case):
                if error:
                    raise error

    def test_usr1_and_usr2(self):
        f.reference(**f.LONG)

        def check(number, ranks, after):
            run, result = self.signalled(number, ranks, f.LONG)
            self.check_stopped(result, run, "a signal")
            self.finish(run, f.LONG, after)

        self.each(check, ((signal.SIGUSR1, None, 4), (signal.SIGUSR1, 1, 2),
                          (signal.SIGUSR2, 2, None), (signal.SIGUSR1, 3, 1)))

    def test_term_and_int(self):
        """mpirun turns both into SIGTERM, kills a second later and has a status of its own."""
        f.reference(**f.LONG)

        def check(number, ranks):
            run, result = self.signalled(number, ranks, f.LONG)
            if ranks is None:
                self.check_stopped(result, run, "a signal")
            self.assertNotIn(result.status, (0, None), result)
            self.finish(run, f.LONG)

        self.each(check, ((signal.SIGTERM, None), (signal.SIGINT, None), (signal.SIGTERM, 1),
                          (signal.SIGINT, 2), (signal.SIGTERM, 3)))

    def test_a_second_signal_ends_at_once(self):
        _, run = f.case({"rows": 240, "iterations": 10**6})
        running = f.start(run, "--checkpoint-every", "5it")
        self.assertTrue(running.wait_for(lambda: f.checkpoints(run)))
        running.send(signal.SIGSTOP)  # both arrive before it can look
        running.send(signal.SIGTERM)
        running.send(signal.SIGCONT)
        for _ in range(200):
            running.send(signal.SIGTERM)
        self.assertIn(running.end().status, (-signal.SIGTERM, 75))

    def test_stop_files(self):
        f.reference(**f.SHORT)

        def check(name, ranks):
            place, run = f.case()
            f.write(os.path.join(place, name), "")
            result = f.walras("run", "s.lua", "-q", "-o", run, cwd=place, ranks=ranks)
            self.check_stopped(result, run, "the file STOP")
            self.assertFalse(os.path.exists(os.path.join(place, name)))
            self.finish(run, f.SHORT)

        self.each(check, (("STOP", 1), ("s.STOP", 2), ("STOP", 3), ("s.STOP", None)))

    def test_stop_file_later(self):
        place, run = f.case({"rows": 240, "iterations": 10**6})
        running = f.start(run, "--checkpoint-every", "50it", ranks=2)
        self.assertTrue(running.wait_for(lambda: f.checkpoints(run)))
        f.write(os.path.join(place, "s.STOP"), "")
        self.assertGreater(self.check_stopped(running.end(), run, "the file STOP"), 1)

    def test_walltime(self):
        f.reference(**f.SHORT)

        def check(ranks):
            place, run = f.case()
            result = f.walras("run", "s.lua", "-q", "-o", run, "--max-walltime", "0.5s",
                              cwd=place, ranks=ranks)
            self.check_stopped(result, run, "--max-walltime")
            at = max(f.checkpoints(run))  # each time at least an iteration
            result = f.resume(run, "--max-walltime", "1", ranks=1)
            self.assertGreater(self.check_stopped(result, run, "--max-walltime"), at)
            self.finish(run, f.SHORT)

        self.each(check, ((None,), (1,), (2,), (3,)))

    def test_walltime_is_used(self):
        """Not much too early; in time, but for what the machine's other work may cost once."""
        def attempt():
            place, run = f.case({"rows": 240, "iterations": 10**6})
            result = f.walras("run", "s.lua", "-q", "-o", run, "--max-walltime", "4s", cwd=place,
                              leaks=False)
            self.assertGreater(self.check_stopped(result, run, "--max-walltime"), 1)
            self.assertGreater(result.seconds, 1.5)
            return result if result.seconds < (4 if not f.SANITIZED else 10) else None

        f.until_caught(attempt, 5)

    def test_other_rank_counts(self):
        def check(before, after):
            run = f.stopped_run(f.SHORT, before, at=10)
            self.finish(run, f.SHORT, after)
            self.assertEqual(f.differences(run, f.SHORT, by_walras=True), [])

        self.each(check, ((3, 1), (1, 4), (None, 3)))


class Resumed(unittest.TestCase):
    def refused(self, result, status, *parts):
        self.assertEqual(result.status, status, result)
        lines = f.own_lines(result.err)
        self.assertEqual(len(lines), 1, result)
        for part in parts:
            self.assertIn(part, lines[0])

    def test_nothing_to_do(self):
        place, run = f.case()
        shutil.copy(f.reference(**f.SHORT), run)
        result = f.resume(run)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertIn(f"{run} is complete: there is nothing to resume", result.out)
        os.remove(run)
        self.refused(f.resume(run), 66, run, "no such run file, and no checkpoint of one")
        self.refused(f.resume(os.path.join(place, "s.lua")), 74, "s.lua")

    def test_changed_scenario(self):
        run = f.stopped_run()
        scenario = os.path.join(os.path.dirname(run), "s.lua")
        with open(scenario, "a", encoding="utf-8") as file:
            file.write("-- another\n")
        self.refused(f.resume(run), 65, "s.lua", "has changed", "--force")
        result = f.resume(run, "--force")
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.differences(run, f.SHORT), [])

    def test_scenario_that_is_gone(self):
        run = f.stopped_run()
        os.remove(os.path.join(os.path.dirname(run), "s.lua"))
        result = f.resume(run)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.differences(run, f.SHORT), [])

    def test_other_format(self):
        run = f.stopped_run()
        with h5py.File(next(iter(f.checkpoints(run).values())), "r+") as file:
            file.attrs.modify("format_version", 99)
        self.refused(f.resume(run), 74, "expected format_version 1, got 99", "checkpoint-")

    def test_a_run_does_not_overwrite_checkpoints(self):
        run = f.stopped_run()
        place = os.path.dirname(run)
        result = f.walras("run", "s.lua", "-q", "-o", run, cwd=place)
        self.refused(result, 73, "checkpoint-", "walras resume", "--force")
        result = f.walras("run", "s.lua", "-q", "--force", "-o", run, cwd=place)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.leftovers(run), [])

    def test_options(self):
        place, run = f.case()
        for option, value in (("--checkpoint-every", "0"), ("--checkpoint-every", "5x"),
                              ("--checkpoint-every", "0it"), ("--checkpoint-every", "1.5it"),
                              ("--checkpoint-every", "-3m"), ("--checkpoint-every", "inf"),
                              ("--checkpoint-every", ""), ("--checkpoint-every", "nan"),
                              ("--max-walltime", "3it"), ("--max-walltime", "0"),
                              ("--max-walltime", "soon")):
            with self.subTest(option=option, value=value):
                result = f.walras("run", "s.lua", "-o", run, option, value, cwd=place)
                self.refused(result, 64, option, f'got "{value}"')
        self.refused(f.walras("resume", cwd=place), 64, "walras resume: expected RUN.h5")
        self.refused(f.resume(run, "--seed", "3"), 64, "--seed")
        self.refused(f.walras("check", "s.lua", "--checkpoint-every", "5m", cwd=place), 64,
                     "does not take --checkpoint-every")


NAN = """return solve { game = custom {
    states = 2, actions = 2, horizon = 3, initial = { 0.5, 0.5 },
    moves = function(h, s, a) return a end,
    reward = function(h, s, a, mass) return s + 0.1 * math.sqrt(mass[0] - 0.2) end },
  learner = mirror_descent { rate = 0.1 }, stop = { iterations = 100 } }
"""


class NotFinite(unittest.TestCase):
    def test_a_number_that_is_not_finite(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                place = f.folder()
                run = os.path.join(place, "s.h5")
                f.write(os.path.join(place, "s.lua"), NAN)
                result = f.walras("run", "s.lua", "-q", "-o", run, "--checkpoint-every", "1it",
                                  cwd=place, ranks=ranks)
                self.assertEqual(result.status, 3, result)
                lines = f.own_lines(result.err)
                self.assertEqual(len(lines), 1, result)
                self.assertIn("s.lua:4: custom: reward(h=", lines[0])
                self.assertEqual(len(f.checkpoints(run)), 2)
                self.assertGreater(max(f.checkpoints(run)), 2)
                self.assertFalse(os.path.exists(run))
                again = f.resume(run, ranks=ranks)  # the same end
                self.assertEqual(again.status, 3, again)
                self.assertEqual(len(f.own_lines(again.err)), 1, again)
                self.assertIn(lines[0].split("custom: ")[1], again.err)


if __name__ == "__main__":
    unittest.main()
