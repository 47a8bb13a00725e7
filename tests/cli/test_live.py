# SPDX-License-Identifier: GPL-3.0-or-later
"""The live view of a run (RUN.progress.jsonl), and what `walras info` makes of it."""

import glob
import json
import os
import re
import signal
import socket
import subprocess
import time
import unittest

from walras_cli import SANITIZED, command_line, environment, folder, own_lines, stop, walras, write

SOLVE = """return solve {
  game = crowd_motion { rows = 20, columns = 20 },
  learner = mirror_descent {}, stop = { iterations = %d }, seed = 7,
}
"""
ENDLESS = 10**9
AT_ONCE = 4
STEPS = 4000 if SANITIZED else 20000  # of a run that can be followed and waited for
SWEEP = """return sweep {
  base = solve { game = crowd_motion { rows = 12, columns = 12 }, stop = { iterations = 1000 } },
  seeds = 5000, keep = "summary",
}
"""
SIMULATE = """return simulate {
  game = one_shot_auction { format = "first_price", bidders = 4 }, samples = 2000000000 }
"""


class Live(unittest.TestCase):
    def setUp(self):
        self.place = folder(self.id().split(".")[-1])
        self.processes = []

    def tearDown(self):
        for process in self.processes:
            if process.poll() is None:
                stop(process)
            process.communicate()

    def path(self, name):
        return os.path.join(self.place, name)

    def files(self):
        return sorted(os.listdir(self.place))

    def start(self, *args, ranks=None):
        process = subprocess.Popen(
            command_line(args, ranks), cwd=self.place, env=environment(ranks),
            start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.processes.append(process)
        return process

    def wait_for(self, holds, seconds=120):
        end = time.monotonic() + seconds
        while not holds():
            self.assertLess(time.monotonic(), end, f"waited in vain: {self.files()}")
            time.sleep(0.02)

    def raw(self, name="s.progress.jsonl"):
        try:
            with open(self.path(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return b""

    def lines(self):
        return [json.loads(line) for line in self.raw().splitlines()]

    def wait_for_lines(self, count):
        self.wait_for(lambda: self.raw().count(b"\n") >= count)

    def caught(self, steps, options, holds):
        """A run that has its live view and `holds` before it ends, and its iterations; one that is
        too fast for that is begun anew with more of them."""
        for _ in range(8):
            write(self.path("s.lua"), SOLVE % steps)
            process = self.start("run", "s.lua", "-q", *options)
            self.wait_for(lambda: process.poll() is not None or holds())
            if process.poll() is None:
                return process, steps
            os.remove(self.path("s.h5"))
            steps *= 2
        raise AssertionError(f"too fast: {steps} iterations")

    def checkpoints(self):
        return glob.glob(self.path("s.checkpoint-*.h5"))

    def begin(self, *options, text=SOLVE % ENDLESS, ranks=None, lines=6, checkpoints=1):
        """A run of a scenario, with so much written."""
        write(self.path("s.lua"), text)
        every = ["--checkpoint-every", "0.3s"] if checkpoints else []
        process = self.start("run", "s.lua", "-q", *every, *options, ranks=ranks)
        self.wait_for_lines(lines)
        self.wait_for(lambda: len(self.checkpoints()) >= checkpoints)
        return process

    def kill(self, process):
        """And the ranks that it started, which have process groups of their own."""
        ranks = []
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    session = int(file.read().rsplit(")", 1)[1].split()[3])
            except (OSError, IndexError):
                continue
            if session == process.pid:
                ranks.append(path)
        for path in ranks:
            os.kill(int(path.split("/")[2]), signal.SIGKILL)
        process.communicate()
        def gone(path):
            try:
                with open(path) as file:
                    return file.read().rsplit(")", 1)[1].split()[0] in "ZX"
            except OSError:
                return True
        self.wait_for(lambda: all(map(gone, ranks)))

    def killed(self, *args, **kwargs):
        self.kill(self.begin(*args, **kwargs))

    def info(self, status=0, name="s.h5"):
        result = walras("info", name, cwd=self.place)
        self.assertEqual(result.status, status, result)
        self.assertEqual(len(own_lines(result.err)), status != 0, result)
        return result.out if status == 0 else result.err

    def check_lines(self, process, ranks):
        head, *rows = self.lines()
        wanted = {"format": "walras progress", "version": 1, "task": "solve",
                  "game": "crowd_motion", "learner": "mirror_descent", "seed": 7, "ranks": ranks,
                  "host": socket.gethostname(), "counts": "iteration", "watches": "exploitability",
                  "from": 0, "total": ENDLESS}
        self.assertEqual({key: head[key] for key in wanted}, wanted)
        self.assertRegex(head["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("run s.lua -q", head["command"])
        if ranks == 1:
            self.assertEqual(head["pid"], process.pid)
        for row in rows:
            self.assertEqual(set(row), {"iteration", "exploitability", "value", "seconds"})
        self.assertEqual(rows[0]["iteration"], 0)
        done = [row["iteration"] for row in rows]
        self.assertEqual(done, sorted(set(done)))
        seconds = [row["seconds"] for row in rows[1:]]  # the first is written with the second
        for before, after in zip(seconds, seconds[1:]):
            self.assertGreaterEqual(after - before, 0.0989)
        return rows

    def test_killed(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                self.place = folder("killed")
                process = self.begin(ranks=ranks)
                alive = self.info()
                self.assertIn("running (process", alive)
                self.assertIn("touch s.STOP", alive)
                self.assertNotIn("walras resume", alive)
                self.kill(process)
                rows = self.check_lines(process, ranks or 1)
                dead = self.info()
                self.assertIn("solve, crowd_motion, mirror_descent: dead: process", dead)
                best = min(row["exploitability"] for row in rows)
                for text in (f"first  {rows[0]['exploitability']:.6g}", f"best   {best:.6g}",
                             f"last   {rows[-1]['exploitability']:.6g}",
                             f"{rows[-1]['iteration']} of {ENDLESS}", "walras resume s.h5",
                             f"seconds               {rows[-1]['seconds']:.3f}"):
                    self.assertIn(text, dead)
                newest = max(self.checkpoints(), key=lambda p: int(re.findall(r"\d+", p)[-2]))
                self.assertRegex(dead, re.escape(os.path.basename(newest)) + r", [\d.]+ s old")

    def test_resumed_run_is_the_same_and_the_view_goes(self):
        """The killed run goes on with a second head; its file is that of an undisturbed one."""
        process, steps = self.caught(STEPS, ["--checkpoint-every", "0.2s"],
                                     lambda: self.checkpoints() and self.raw())
        self.kill(process)
        self.assertIn("s.progress.jsonl", self.files())
        with open(self.path("s.progress.jsonl"), "rb+") as file:
            file.truncate(len(self.raw()) - 7)  # cut as by a crash of the machine
        self.assertIn("dead", self.info())
        process = self.start("resume", "s.h5", "-q")
        self.wait_for(lambda: process.poll() is not None or
                      self.raw().count(b"walras progress") == 2)
        if process.poll() is None:
            again = self.info()
            if "not there yet" in again:
                self.assertIn("resumed 1 time, last at iteration", again)
        out, err = process.communicate(timeout=120)
        self.assertEqual((process.returncode, err), (0, b""))
        self.assertEqual(self.files(), ["s.h5", "s.lua"])
        quick = walras("run", "s.lua", "-q", "-o", "plain.h5", cwd=self.place)
        self.assertEqual(quick.status, 0, quick)
        self.assertEqual(self.files(), ["plain.h5", "s.h5", "s.lua"])
        same = walras("diff", "s.h5", "plain.h5", cwd=self.place)
        self.assertEqual(same.status, 0, same)
        self.assertRegex(self.info(), rf"(?m)^solve, crowd_motion, mirror_descent: {steps} "
                                      r"iterations, exploitability \S+ \(at the start .*no toler")

    def test_stopped(self):
        process = self.begin(lines=4)
        write(self.path("s.STOP"), "")
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 75)
        lines = self.lines()
        self.assertEqual(lines[-1], {"event": "stopped", "reason": "the file STOP"})
        newest = max(int(re.findall(r"\d+", p)[-2]) for p in self.checkpoints())
        self.assertEqual(lines[-2]["iteration"], newest - 1)  # the last one is there
        text = self.info()
        self.assertIn("stopped: the file STOP", text)
        self.assertIn("walras resume s.h5", text)
        resumed = self.start("resume", "s.h5", "-q")
        self.wait_for_lines(len(lines) + 3)
        self.assertIn("running (process", self.info())
        self.assertEqual(self.lines()[len(lines)]["from"], newest)
        self.kill(resumed)

    def test_failed(self):
        """The run file's name is taken while it runs."""
        process, _ = self.caught(STEPS, [], lambda: self.raw().count(b"\n") >= 2)
        write(self.path("s.h5"), "in the way")
        process.communicate(timeout=120)
        self.assertEqual(process.returncode, 73)
        last = self.lines()[-1]
        self.assertEqual(last["event"], "failed")
        self.assertIn("s.h5", last["reason"])
        os.remove(self.path("s.h5"))
        text = self.info()
        self.assertIn("failed: ", text)
        self.assertIn("there is no checkpoint: run it anew", text)

    def test_forced(self):
        """A run that will replace a run file: both are shown."""
        write(self.path("s.lua"), SOLVE % ENDLESS)
        first = walras("run", "s.lua", "-q", "-P", "stop.iterations=3", cwd=self.place)
        self.assertEqual(first.status, 0, first)
        self.killed("--force")
        text = self.info()
        self.assertIn("mirror_descent: 3 iterations", text)
        self.assertIn("s.h5 is of an earlier run", text)
        self.assertIn("dead: process", text)

    def test_cut_and_strange_lines(self):
        self.killed()
        whole = self.raw()
        last = json.loads(whole.splitlines()[-1])["iteration"]
        before = json.loads(whole.splitlines()[-2])["iteration"]
        end = len(whole) - whole.rstrip(b"\n").rfind(b"\n") - 1
        for cut in (1, 2, end // 2, end):
            write(self.path("s.progress.jsonl"), whole[:-cut])
            self.assertIn(f"{before} of", self.info())
        strange = (b"\x00\xff{]\n[1]\n7\nnull\n{}\n{\"iteration\":\"x\"}\n" + b"x" * 200000 +
                   b"\n{\"iteration\":3,\"iteration\":4\n")
        write(self.path("s.progress.jsonl"), whole + strange)
        self.assertIn(f"{last} of", self.info())

    def test_another_machine_and_another_process(self):
        self.killed()
        head, rest = self.raw().split(b"\n", 1)
        change = lambda **new: write(self.path("s.progress.jsonl"), json.dumps(
            {**json.loads(head), **new}).encode() + b"\n" + rest)
        change(host="elsewhere")
        self.assertIn("running, it seems, on elsewhere", self.info())
        os.utime(self.path("s.progress.jsonl"), (time.time() - 7300,) * 2)
        text = self.info()
        self.assertIn("perhaps dead on elsewhere, which cannot be asked from here: last line 2.0 h",
                      text.replace("121.7 min", "2.0 h"))
        self.assertIn("walras resume s.h5 (if it is dead)", text)
        change(pid=os.getpid())  # its number was given to another process
        self.assertIn("dead: process", self.info())
        change(pid=os.getpid(), pid_ticks=-1)
        self.assertIn("running (process", self.info())

    def test_garbage(self):
        for name, content in {"empty": b"", "text": b"hello\n", "zeros": bytes(100000),
                              "array": b"[]\n", "no-head": b'{"iteration":1}\n',
                              "later": b'{"format":"walras progress","version":99}\n',
                              "cut": b'{"format":"walras progress","version":1}'}.items():
            with self.subTest(name=name):
                write(self.path("s.progress.jsonl"), content)
                self.assertIn("s.progress.jsonl: not the live view", self.info(74))
        os.remove(self.path("s.progress.jsonl"))
        os.mkdir(self.path("s.progress.jsonl"))
        self.assertIn("s.progress.jsonl: cannot be read", self.info(74))
        os.rmdir(self.path("s.progress.jsonl"))
        self.assertIn("s.h5: no such file", self.info(66))

    def test_head_with_wrong_types(self):
        write(self.path("s.progress.jsonl"),
              '{"format":"walras progress","version":1,"task":5,"pid":"x","host":null,"total":1e9,'
              '"from":-7,"counts":[],"watches":{}}\n{"":1,"seconds":"x"}\n{"event":9}\n')
        self.assertIn("not there yet", self.info())

    def test_checkpoints_alone(self):
        self.killed()
        os.remove(self.path("s.progress.jsonl"))
        text = self.info()
        for part in ("not known (no live view)", "solve, seed 7, of s.lua", "s.checkpoint-",
                     "walras resume s.h5"):
            self.assertIn(part, text)
        write(self.path("s.progress.jsonl"), "hello\n")
        self.assertIn("not the live view of a run", self.info())
        for path in self.checkpoints():
            write(path, "damaged")
        self.assertIn("not a walras run file", self.info())

    def test_cannot_be_written(self):
        """One warning, and it goes on."""
        write(self.path("s.lua"), SOLVE % ENDLESS)
        os.mkdir(self.path("s.progress.jsonl"))
        result = walras("run", "s.lua", "-q", "--max-walltime", "3s", cwd=self.place)
        self.assertEqual(result.status, 75, result)
        warning, end = own_lines(result.err)
        self.assertIn("goes on without a live view", warning)
        self.assertIn("stopped by --max-walltime", end)
        write(self.path("s.lua"), SOLVE % 10)
        again = walras("run", "s.lua", "-q", "--force", cwd=self.place)
        self.assertEqual(again.status, 0, again)
        shown = walras("info", "s.h5", cwd=self.place)
        self.assertEqual((shown.status, len(own_lines(shown.err))), (0, 1), shown)
        os.rmdir(self.path("s.progress.jsonl"))

    def test_disk_full(self):
        self.killed()
        os.remove(self.path("s.progress.jsonl"))
        os.symlink("/dev/full", self.path("s.progress.jsonl"))
        result = walras("resume", "s.h5", "-q", "--max-walltime", "2s", cwd=self.place)
        self.assertEqual(result.status, 75, result)
        warning, end = own_lines(result.err)
        self.assertIn("s.progress.jsonl: cannot be written: No space left on device", warning)
        self.assertIn("stopped by --max-walltime", end)

    def test_sweep(self):
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                self.place = folder("sweep")
                self.killed(text=SWEEP, ranks=ranks, checkpoints=0)
                head, *rows = self.lines()
                self.assertEqual([head[key] for key in ("task", "counts", "watches", "total")],
                                 ["sweep", "run", "failed", 5000])
                self.assertNotIn("game", head)
                for row in rows:
                    self.assertEqual(set(row), {"run", "failed", "seconds"})
                self.assertEqual(rows[-1]["failed"], 0)
                text = self.info()
                self.assertIn("sweep: dead: process", text)
                self.assertRegex(text, rf"(?m)^  runs +{rows[-1]['run']} of 5000$")
                self.assertRegex(text, r"(?m)^  failed +0$")

    def test_simulation(self):
        self.killed(text=SIMULATE, checkpoints=0, lines=4)
        head, *rows = self.lines()
        self.assertEqual([head[key] for key in ("task", "game", "counts", "total")],
                         ["simulate", "one_shot_auction", "sample", 2000000000])
        for row in rows:
            self.assertEqual(set(row), {"sample", "seconds"})
        text = self.info()
        self.assertIn("simulate, one_shot_auction: dead", text)
        self.assertRegex(text, rf"(?m)^  samples +{rows[-1]['sample']} of 2000000000$")

    def test_quick_runs_leave_nothing(self):
        write(self.path("s.lua"), SOLVE % 10)
        self.assertEqual(walras("run", "s.lua", "--dry-run", cwd=self.place).status, 0)
        self.assertEqual(self.files(), ["s.lua"])
        write(self.path("s.progress.jsonl"), "of a run before\n")
        self.assertEqual(walras("run", "s.lua", cwd=self.place).status, 0)
        self.assertEqual(self.files(), ["s.h5", "s.lua"])


class Headline(unittest.TestCase):
    """What `walras info` says first of a run that has ended."""

    def line(self, text, *options, status=0):
        place = folder("headline")
        write(os.path.join(place, "s.lua"), text)
        run = walras("run", "s.lua", "-q", *options, cwd=place)
        self.assertEqual(run.status, status, run)
        info = walras("info", "s.h5", cwd=place)
        self.assertEqual((info.status, info.err), (0, ""), info)
        return info.out.splitlines()[1:3], run.out

    def test_solve(self):
        for tolerance, status, end in ((1e-1, 0, "converged"), (1e-9, 2, "NOT converged")):
            (line, _), out = self.line(SOLVE % 50, "-P", f"stop.exploitability={tolerance}",
                                       status=status)
            last = re.search(r"last +(\S+)", out)[1]
            count = re.search(r"iterations +(\d+)", out)[1]
            self.assertTrue(line.startswith(f"solve, crowd_motion, mirror_descent: {count} "
                                            f"iterations, exploitability {last} "), line)
            self.assertTrue(line.endswith(f", {end}"), line)

    def test_auction(self):
        (_, totals), out = self.line("return solve { game = batched_auction {}, "
                                     "stop = { iterations = 3 } }")
        numbers = re.search(r"(?m)^ +total +(.*)$", out)[1].split()
        for number in re.findall(r"(?:sold|revenue) (\S+?)(?:,|$)", totals):
            self.assertIn(number, numbers)
        self.assertIn(" revenue ", totals)

    def test_sweep_and_simulation(self):
        (line, _), _ = self.line("return sweep { base = solve { game = crowd_motion { rows = 5, "
                                 "columns = 5 }, stop = { iterations = 2 } }, seeds = 3 }")
        self.assertEqual(line, "sweep: 3 runs, 0 failed, 0 not converged")
        (line, _), out = self.line(SIMULATE.replace("2000000000", "1000"))
        revenue = re.search(r"revenue +(\S+)", out)[1]
        self.assertTrue(line.startswith("simulate, one_shot_auction: 1000 samples, revenue "
                                        f"{revenue} +- "), line)
        self.assertIn("(in theory ", line)


if __name__ == "__main__":
    unittest.main()
