# SPDX-License-Identifier: GPL-3.0-or-later
"""The batch script of docs/operations.md, with a scheduler that is none: bin/ has `mpirun`, and an
`scontrol` that writes down what it was asked. Signals come as SLURM sends them, to the script."""
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

import run_file_compare
from walras_cli import MPIRUN, SANITIZED, SOURCE, WALRAS, environment, folder, stop, walras, write

SCENARIO = """return solve {
  game = crowd_motion { rows = %d, columns = 40, horizon = 4 },
  learner = mirror_descent { rate = 0.5 }, stop = { iterations = %d, every = 3 } }
""" % ((60, 4000) if SANITIZED else (240, 4000))  # seconds: a signal comes in time on a busy machine
JOB = "7342"


def documented_script():
    with open(os.path.join(SOURCE, "docs", "operations.md"), encoding="utf-8") as file:
        return re.search(r"^```sh\n(#!/bin/bash\n.*?)^```", file.read(), re.M | re.S)[1]


def executable(path, text):
    os.chmod(write(path, text), 0o755)


class Batch(unittest.TestCase):
    def setUp(self):
        if sys.platform != "linux" or not shutil.which("bash"):
            self.skipTest("no bash")
        self.place = folder("batch")
        tools = os.path.join(self.place, "bin")
        os.mkdir(tools)
        os.symlink(WALRAS, os.path.join(tools, "walras"))
        executable(os.path.join(tools, "mpirun"),
                   "#!/bin/sh\nexec " + " ".join(
                       [shutil.which(MPIRUN[0]), *MPIRUN[1:], "-n", "1"]) + ' "$@"\n')
        executable(os.path.join(tools, "scontrol"),
                   '#!/bin/sh\necho "$@" >> "%s"\n' % os.path.join(self.place, "asked"))
        self.env = environment(1, {"SLURM_JOB_ID": JOB,
                                   "PATH": tools + os.pathsep + os.environ["PATH"]}, leaks=False)
        write(os.path.join(self.place, "market.lua"), SCENARIO)
        write(os.path.join(self.place, "job.sh"), documented_script())

    def asked(self):
        """What the scheduler was asked, and forgets."""
        path = os.path.join(self.place, "asked")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        os.remove(path)
        return lines

    def files(self, ending):
        return sorted(name for name in os.listdir(self.place) if name.endswith(ending))

    def batch(self, *signals):
        """A start of the script, which gets the signals once the run goes on; (status, output)."""
        process = subprocess.Popen(
            ["bash", "job.sh"], cwd=self.place, env=self.env, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        view = os.path.join(self.place, "market.progress.jsonl")
        before = os.path.getsize(view) if os.path.exists(view) else 0
        try:
            end = time.monotonic() + 60
            while signals and process.poll() is None and time.monotonic() < end:
                if os.path.exists(view) and os.path.getsize(view) > before:
                    for number in signals:
                        process.send_signal(number)
                    break
                time.sleep(0.01)
            out, _ = process.communicate(timeout=120)
            return process.returncode, out
        finally:
            stop(process)
            process.stdout.close()

    def test_what_the_shell_thinks_of_it(self):
        checker = ["shellcheck", "-S", "warning"] if shutil.which("shellcheck") else ["bash", "-n"]
        done = subprocess.run([*checker, "job.sh"], cwd=self.place, capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_requeues_itself_and_ends_as_if_undisturbed(self):
        status, out = self.batch(signal.SIGUSR1)
        self.assertEqual(status, 75, out)
        self.assertIn("to go on: walras resume market.h5", out)
        self.assertEqual(self.asked(), ["requeue " + JOB])
        self.assertEqual(len(self.files(".h5")), 1)  # the checkpoint
        # Warned again, of the end of its time and then by the end: one checkpoint, not none.
        status, out = self.batch(signal.SIGUSR1, signal.SIGTERM)
        self.assertEqual(status, 75, out)
        self.assertEqual(self.asked(), [])  # whoever ends a job decides whether it comes back
        status, out = self.batch()
        self.assertEqual(status, 0, out)
        self.assertEqual((self.asked(), self.files(".h5")), ([], ["market.h5"]))
        alone = walras("run", "market.lua", "-q", "-o", "alone.h5", cwd=self.place, timeout=120)
        self.assertEqual(alone.status, 0, alone)
        paths = [os.path.join(self.place, name) for name in ("alone.h5", "market.h5")]
        self.assertEqual(run_file_compare.differences(*paths), [])
        status, out = self.batch()
        self.assertEqual(status, 0, out)
        self.assertIn("market.h5 is complete: there is nothing to resume", out)

    def test_what_fails_is_not_requeued(self):
        write(os.path.join(self.place, "market.lua"), "return solve { game = beech_bar {} }")
        status, out = self.batch()
        self.assertEqual(status, 65, out)
        self.assertIn('"beech_bar"', out)
        self.assertEqual(self.asked(), [])


if __name__ == "__main__":
    unittest.main()
