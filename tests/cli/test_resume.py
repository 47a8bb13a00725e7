# SPDX-License-Identifier: GPL-3.0-or-later
"""What `walras resume`, and `walras run` where a run did not end, say on the command line. Runs are
stopped at their first iteration by a STOP file that is there before them."""
import glob
import os
import subprocess
import time
import unittest

from walras_cli import (
    SANITIZED, command_line, environment, folder, own_lines, stop, walras, write)

SCENARIO = """return solve {
  game = crowd_motion { rows = 20, columns = 20, horizon = 3 }, stop = { iterations = %d } }
"""
SHORT, ENDLESS = SCENARIO % 20, SCENARIO % 10**9
FAILING = """local calls = 0
return solve {
  game = custom {
    states = 4, actions = 2, horizon = 2,
    moves = function(h, s, a) return (s + a) % 4 end,
    reward = function(h, s, a, mass)
      calls = calls + 1
      if calls > 2000 then
        return s + nil -- line 9
      end
      return -mass[s]
    end,
  },
}
"""
SWEEP = """return sweep {
  base = solve { game = crowd_motion { rows = 60, columns = 40, horizon = 4 },
    stop = { iterations = 100000 } },
  vary = { seed = { 1, 2, 3 } } }
"""


class Resume(unittest.TestCase):
    def setUp(self):
        self.place = folder("resume")

    def path(self, name):
        return os.path.join(self.place, name)

    def write(self, name, text):
        return write(self.path(name), text)

    def walras(self, *args, **more):
        return walras(*args, cwd=self.place, **more)

    def says(self, status, line, *args, **more):
        """The run ends with a status and one line on stderr."""
        result = self.walras(*args, **more)
        self.assertEqual((result.status, own_lines(result.err)), (status, [line]), result)

    def stopped(self, output="s.h5", scenario=SHORT, stop_file="STOP"):
        self.write("s.lua", scenario)
        self.write(stop_file, "")
        result = self.walras("run", "s.lua", "-q", "-o", output)
        self.assertEqual(result.status, 75, result)
        self.assertFalse(os.path.exists(self.path(stop_file)))
        return result

    def test_names_that_are_no_runs(self):
        self.write("text.h5", "text")
        self.write("s.lua", SHORT)
        self.says(66, "none.h5: no such run file, and no checkpoint of one", "resume", "none.h5")
        self.says(66, "no/s.h5: no such run file, and no checkpoint of one", "resume", "no/s.h5")
        self.says(74, "text.h5: not a walras run file (not HDF5)", "resume", "text.h5")
        self.says(74, "s.lua: not a walras run file (not HDF5)", "resume", "s.lua")
        self.says(64, "walras resume: expected RUN.h5, got nothing; see walras resume --help", "resume")
        for option in ("--output", "--parameter"):
            self.says(64, f"walras resume does not take {option}", "resume", "s.h5", option, "x=1")

    def test_a_checkpoint_is_no_run(self):
        self.stopped()
        self.says(65, "s.checkpoint-1.h5: is a checkpoint; to go on: walras resume s.h5",
                  "resume", "s.checkpoint-1.h5")
        os.rename(self.path("s.checkpoint-1.h5"), self.path("other.h5"))
        self.says(65, "other.h5: is a checkpoint, under another name than it had: of s.h5",
                  "resume", "other.h5")

    def test_a_checkpoint_of_a_part_is_no_run(self):
        self.stopped(scenario=SWEEP)
        part, = glob.glob(self.path("s.run-000000.checkpoint-*.h5"))
        self.says(65, f"{os.path.basename(part)}: is a checkpoint; to go on: walras resume s.h5",
                  "resume", os.path.basename(part))

    def test_checkpoints_have_a_run_of_one_name(self):
        self.stopped("s", stop_file="s.STOP")
        self.says(66, "s.h5: its checkpoints are of another run: walras resume s",
                  "resume", "s.h5")
        self.assertEqual(self.walras("resume", "s", "-q").status, 0)
        self.stopped()
        self.says(66, "s: its checkpoints are of another run: walras resume s.h5", "resume", "s",
                  ranks=2)
        # Renamed all together they are of a run of that name.
        os.rename(self.path("s.checkpoint-1.h5"), self.path("t.checkpoint-1.h5"))
        self.assertEqual(self.walras("resume", "t.h5", "-q").status, 0)
        self.assertEqual(self.walras("diff", "s", "t.h5").status, 0)

    def test_the_file_that_stops_a_run_is_the_one_that_is_named(self):
        self.stopped("s.hdf5", stop_file="s.hdf5.STOP")
        self.stopped("t.h5", stop_file="t.STOP")

    def test_checkpoints_count_more_than_the_file_before_them(self):
        self.stopped()
        self.write("s.h5", "")
        line = ("walras: cannot create s.h5: there is s.checkpoint-1.h5 of a run that did not end; "
                "go on with walras resume s.h5, or begin anew with --force")
        self.says(73, line, "run", "s.lua", "-o", "s.h5")
        self.assertEqual(self.walras("run", "s.lua", "-q", "-o", "s.h5", "--force").status, 0)
        self.assertEqual(sorted(os.listdir(self.place)), ["s.h5", "s.lua"])

    def test_force_that_fails_gives_nothing_up(self):
        self.stopped()
        os.mkdir(self.path("s.h5"))
        self.says(73, "walras: cannot create s.h5: it is a folder",
                  "run", "s.lua", "-o", "s.h5", "-f")
        self.assertTrue(os.path.exists(self.path("s.checkpoint-1.h5")))

    def test_errors_of_functions_name_the_scenario(self):
        self.write("s.lua", FAILING)
        line = (r"s\.lua:9: custom: reward\(h=\d, s=\d, a=\d\): "
                r"attempt to perform arithmetic on a nil value")
        for words, ranks in ((("run", "s.lua", "--checkpoint-every", "5it"), None),
                             (("resume", "s.h5"), None), (("resume", "s.h5"), 2)):
            result = self.walras(*words, "-q", ranks=ranks)
            self.assertEqual((result.status, len(own_lines(result.err))), (65, 1), result)
            self.assertRegex(own_lines(result.err)[0], "^" + line + "$")
            self.assertTrue(glob.glob(self.path("s.checkpoint-*.h5")))

    def test_one_process_writes_a_run_file(self):
        self.write("s.lua", ENDLESS)
        with subprocess.Popen(command_line(["run", "s.lua", "-q"]), cwd=self.place,
                              env=environment(leaks=False), start_new_session=True,
                              stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
            try:
                end = time.monotonic() + 60
                view = self.path("s.progress.jsonl")
                while not (os.path.exists(view) and os.path.getsize(view) > 0):
                    self.assertLess(time.monotonic(), end)
                    self.assertIsNone(running.poll())
                    time.sleep(0.02)
                line = (f"walras: cannot create s.h5: process {running.pid} is writing it; to stop "
                        "that: touch s.STOP")
                self.says(73, line, "resume", "s.h5")
                self.says(73, line, "run", "s.lua", "-f")
                self.assertIsNone(running.poll())
                # One that ends is waited for.
                self.write("s.STOP", "")
                again = self.walras("resume", "s.h5", "-q", "--max-walltime",
                                    "20s" if SANITIZED else "8s")
                self.assertEqual(again.status, 75, again)
                self.assertEqual(running.wait(60), 75)
            finally:
                stop(running)

    def test_why_a_sweep_stopped(self):
        self.write("s.lua", SWEEP)
        for ranks in (None, 3):
            result = self.walras("run", "s.lua", "-q", "-f", "--max-walltime", "3s", ranks=ranks)
            self.assertEqual(result.status, 75, result)
            self.assertIn("stopped by --max-walltime with 0 of 3 runs", result.err)
            self.assertIn("stopped: --max-walltime", self.walras("info", "s.h5").out)
            self.write("STOP", "")
            result = self.walras("resume", "s.h5", "-q", ranks=ranks)
            self.assertEqual(result.status, 75, result)
            self.assertIn("stopped by the file STOP with 0 of 3 runs", result.err)
            self.assertFalse(os.path.exists(self.path("STOP")))


if __name__ == "__main__":
    unittest.main()
