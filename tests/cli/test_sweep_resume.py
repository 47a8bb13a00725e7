# SPDX-License-Identifier: GPL-3.0-or-later
"""Sweeps that are stopped or killed, then resumed: the same bytes as an undisturbed one. What they
are disturbed at is not a time but how far they have come."""

import glob
import os
import re
import signal
import subprocess
import time
import unittest

import h5py

import run_file_compare
from walras_cli import (SANITIZED, at_once, command_line, environment, folder, own_lines, stop,
                        walras, write)

AT_ONCE = 3

STEPS = 300 if SANITIZED else 1000
# Of the learners the second overflows, so that failed runs are among the finished ones.
SWEEP = """return sweep {
  base = solve { game = beach_bar { states = 40, horizon = 40 }, seed = 5,
                 stop = { iterations = %d, every = 3 } },
  vary = { learner = { mirror_descent { rate = 1 }, mirror_descent { rate = 1e308 },
                       fictitious_play {} },
           ["game.initial"] = { function(s) return s == 0 and 1 or 0 end,
                                function(s) return s == 5 and 1 or 0 end } },
  seeds = 2,
  keep = "%s",
}"""
EVERY = STEPS // 4
# Runs that several ranks do together; the second overflows.
GROUPS = """return sweep {
  base = solve { game = crowd_motion { rows = 40, columns = 20, horizon = 3 },
                 stop = { iterations = %d, every = 3 } },
  vary = { ["learner.rate"] = { 0.3, 1e308, 0.1 } },
  seeds = 2,
  ranks_per_run = 2,
}""" % STEPS
# Where a sweep is disturbed: kind, ranks, ranks that resume it, at which of its 12 runs, scenario.
CASES = [
    ("USR1", 1, 3, 3, "all"), ("USR1", 2, None, 6, "summary"), ("USR1", 3, 2, 0, "all"),
    ("USR2", 2, 3, 1, "all"), ("FILE", 3, None, 0, "summary"),
    ("KILL", 1, 2, 7, "all"), ("KILL", 2, 3, 5, "all"), ("KILL", 3, None, 2, "summary"),
    ("KILL", None, 2, 10, "all"),
]
# Groups are of 2 ranks, of 3, of 2 and 3; and of 1 where one rank resumes.
GROUP_CASES = [
    ("USR1", 4, 3, 2, "groups"), ("USR2", 3, 4, 0, "groups"), ("FILE", 5, None, 0, "groups"),
    ("KILL", 4, 5, 2, "groups"),
]
if SANITIZED:
    CASES, GROUP_CASES = CASES[1:5:2] + CASES[4:9:2], GROUP_CASES[:1] + GROUP_CASES[3:]


def wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.004)
    return condition()


def kill(process):
    """Ends mpirun and its ranks, which have process groups of their own, without any warning."""
    ranks = []
    for listed in glob.glob(f"/proc/{process.pid}/task/*/children"):
        with open(listed, encoding="ascii") as file:
            ranks += map(int, file.read().split())
    for pid in [*ranks, process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in ranks))


class ResumedSweeps(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = folder("sweep-resume")
        texts = {"groups": GROUPS, **{keep: SWEEP % (STEPS, keep) for keep in ("all", "summary")}}
        cls.scenarios = {name: write(cls.path(f"{name}.lua"), text) for name, text in texts.items()}
        for result in at_once(lambda name: walras("run", cls.scenarios[name], "-q", "-o",
                                                  cls.path(f"{name}.h5")), texts):
            assert result.status == 2, result  # some runs fail

    @classmethod
    def path(cls, name):
        return os.path.join(cls.folder, name)

    def left(self, name):
        """What lies beside the run file of a sweep."""
        return sorted(os.path.basename(path) for path in
                      glob.glob(self.path(f"{name}.*")) if not path.endswith(f"/{name}.h5"))

    def assert_equal_files(self, keep, name):
        self.assertEqual(run_file_compare.differences(self.path(f"{keep}.h5"),
                                                      self.path(f"{name}.h5")), [])

    def assert_no_diff(self, keep, name):
        result = walras("diff", self.path(f"{keep}.h5"), self.path(f"{name}.h5"))
        self.assertEqual(result.status, 0, result)

    def has_come_to(self, name, run):
        """Whether a run of this number, or a later one, has checkpoints, or has finished."""
        numbers = [int(number) for entry in self.left(name)
                   for number in re.findall(r"\.run-(\d+)\.checkpoint-", entry)]
        return max(numbers, default=-1) >= run or os.path.exists(self.path(f"{name}.h5"))

    def disturb(self, case, name):
        """Starts a sweep, disturbs it, and gives its status and stderr."""
        kind, ranks, _, at, keep = case
        line = command_line(["run", self.scenarios[keep], "-q", "-o", self.path(f"{name}.h5"),
                             "--checkpoint-every", f"{EVERY}it"], ranks)
        with subprocess.Popen(line, env=environment(ranks, leaks=False), start_new_session=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            # The sweep's first checkpoint is there as soon as signals are heard.
            wait_for(lambda: (self.has_come_to(name, at) if at else self.left(name)) or
                     process.poll() is not None)
            if kind == "FILE":
                write(self.path(f"{name}.STOP"), "")
            elif kind == "KILL":
                kill(process)
            else:
                process.send_signal(getattr(signal, f"SIG{kind}"))
            try:
                _, err = process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                stop(process)
                raise
            return process.returncode, err

    def check(self, numbered):
        """Disturbs a sweep and resumes it; (kind, status, whether runs were in the midst)."""
        number, case = numbered
        kind, _, ranks, _, keep = case
        name = f"{keep}-case{number}"
        status, err = self.disturb(case, name)
        in_the_midst = any(".run-" in entry for entry in self.left(name))
        if kind != "KILL" and status != 2:  # else it had ended before
            self.assertEqual(status, 75, err)
            lines = [text for text in own_lines(err) if text.startswith("walras")]
            self.assertEqual(len(lines), 1, err)
            self.assertRegex(lines[0], "^walras: stopped by (a signal|the file STOP) with "
                                       r"\d+ of \d+ runs finished; to go on: walras resume ")
        if not os.path.exists(self.path(f"{name}.h5")):
            again = walras("run", self.scenarios[keep], "-q", "-o", self.path(f"{name}.h5"))
            self.assertEqual(again.status, 73, again)
            self.assertIn("walras resume", again.err)
        result = walras("resume", self.path(f"{name}.h5"), "-q", ranks=ranks)
        self.assertIn(result.status, (0, 2), result)
        self.assert_equal_files(keep, name)
        self.assertEqual([entry for entry in self.left(name) if "STOP" not in entry], [])
        return kind, status, in_the_midst

    def test_stopped_and_killed_sweeps_go_on(self):
        ended = at_once(self.check, list(enumerate(CASES)), workers=2)
        self.assertIn(75, [status for kind, status, _ in ended if kind.startswith("USR")])

    def test_sweeps_of_runs_by_several_ranks_go_on(self):
        ended = at_once(self.check, list(enumerate(GROUP_CASES)), workers=2)
        self.assertIn(75, [status for kind, status, _ in ended if kind.startswith("USR")])
        self.assertTrue(any(in_the_midst for _, _, in_the_midst in ended))

    def test_walltime_stops_in_time(self):
        result = walras("run", self.scenarios["all"], "-q", "-o", self.path("wall.h5"),
                        "--max-walltime", "1s", ranks=2)
        self.assertEqual(result.status, 75, result)
        self.assertIn("stopped by --max-walltime", result.err)
        result = walras("resume", self.path("wall.h5"), "-q")
        self.assertEqual(result.status, 2, result)
        self.assert_equal_files("all", "wall")
        self.assert_no_diff("all", "wall")

    def test_damaged_checkpoints_cost_only_time(self):
        self.disturb(("USR1", 2, None, 5, "all"), "hurt")
        for path in glob.glob(self.path("hurt.run-*")):
            with open(path, "r+b") as file:
                file.truncate(os.path.getsize(path) // 2)
        result = walras("resume", self.path("hurt.h5"), "-q", ranks=2)
        self.assertIn(result.status, (0, 2), result)
        self.assert_equal_files("all", "hurt")
        self.assertEqual(self.left("hurt"), [])

    def test_begun_anew_with_force(self):
        self.disturb(("USR1", 2, None, 2, "summary"), "anew")
        result = walras("run", self.scenarios["summary"], "-q", "--force", "-o",
                        self.path("anew.h5"), ranks=2)
        self.assertEqual(result.status, 2, result)
        self.assert_equal_files("summary", "anew")
        self.assertEqual(self.left("anew"), [])

    def test_lone_checkpoints_of_runs_are_not_overwritten(self):
        lone = write(self.path("lone.run-000003.checkpoint-7.h5"), "x")
        line = ["run", self.scenarios["summary"], "-q", "-o", self.path("lone.h5")]
        result = walras(*line, ranks=2)
        self.assertEqual(result.status, 73, result)
        self.assertEqual([text for text in own_lines(result.err) if text.startswith("walras")], [
            f"walras: cannot create {self.path('lone.h5')}: there is {lone} of a sweep that did "
            "not end; begin anew with --force"])
        self.assertEqual(walras(*line, "--force").status, 2)
        self.assertFalse(os.path.exists(lone))

    def stop_in_last(self, scenario, last):
        """Stops a sweep within its last run; False if it was too fast for that."""
        for path in glob.glob(self.path("again*")):
            os.remove(path)
        line = command_line(["run", scenario, "-q", "-o", self.path("again.h5"),
                             "--checkpoint-every", "10it"], 2)
        with subprocess.Popen(line, env=environment(2, leaks=False), start_new_session=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True) as process:
            wait_for(lambda: self.has_come_to("again", last) or process.poll() is not None)
            process.send_signal(signal.SIGUSR1)
            _, err = process.communicate(timeout=120)
        self.assertIn(process.returncode, (0, 75), err)
        return process.returncode == 75

    def test_much_is_kept_in_parts(self):
        # Runs of 4 MiB, in parts of 64 MiB; and a last one that lasts longer than those.
        counts = ", ".join(map(str, [*range(1, 19), 60 if SANITIZED else 250]))
        scenario = write(self.path("large.lua"), """return sweep {
          base = solve { game = beach_bar { states = 1000, horizon = 100 } },
          vary = { ["stop.iterations"] = { %s } } }""" % counts)
        result = walras("run", scenario, "-q", "-o", self.path("large.h5"), ranks=2)
        self.assertEqual(result.status, 0, result)
        self.assertTrue(any(self.stop_in_last(scenario, 18) for _ in range(5)))
        self.assertIn("again.part-000000.checkpoint-0.h5", self.left("again"))
        self.assertEqual(walras("resume", self.path("again.h5"), "-q", ranks=3).status, 0)
        self.assert_equal_files("large", "again")
        self.assertEqual(self.left("again"), [])
        with h5py.File(self.path("again.h5")) as file:
            self.assertEqual(len(file["runs"]), 19)


if __name__ == "__main__":
    unittest.main()
