# SPDX-License-Identifier: GPL-3.0-or-later
"""Disks that are full, folders that cannot be written, names that are too long. Where nothing can
be mounted, not even in a namespace of its own, test_writing_fails is what a full disk is."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

import fault_runs as f

f.be_able_to_mount(__file__)
AT_ONCE = 3
RANKS = (1, 3) if f.SANITIZED else (1, 2, 3)

# Files may not grow beyond so many blocks of 512 bytes, on the rank that writes.
LIMITED = ["sh", "-c", 'export OMPI_MCA_btl=self,tcp; trap "" XFSZ; ulimit -f 256; exec "$@"',
           "limited"]


class Disk(unittest.TestCase):
    def check_failed(self, result, status, *parts, most=1):
        """One line, which has these parts; further ones, up to `most`, are alike. A run that lasts
        more than a second may find first that its live view cannot be written."""
        self.assertEqual(result.status, status, result)
        self.assertLess(result.seconds, 15 if not f.SANITIZED else 40)
        lines = [line for line in f.own_lines(result.err)
                 if not line.startswith("[") and "goes on without a live view" not in line]
        self.assertIn(len(lines), range(1, most + 1), result)
        for part in parts:
            for line in lines:
                self.assertRegex(line, part)

    def check_told(self, run, reason, task="solve, .*"):
        """The live view says how it ended, and walras info with it."""
        with open(run[:-3] + ".progress.jsonl", encoding="utf-8") as file:
            self.assertEqual(json.loads(file.readlines()[-1])["event"], "failed")
        result = f.walras("info", run)
        self.assertEqual((result.status, result.err), (0, ""), result)
        self.assertRegex(result.out, f"(?m)^{task}: {reason}")
        self.assertIn(f"walras resume {run}", result.out)

    def finish(self, run, ranks=None):
        result = f.resume(run, ranks=ranks)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.differences(run, f.SHORT), [])
        self.assertEqual(f.leftovers(run), [])

    def test_writing_fails(self):
        """What HDF5 does when the file may not grow; mpirun needs larger files of its own."""
        run = f.stopped_run(at=3)
        before = f.checkpoints(run)
        for ranks in RANKS:
            with self.subTest(ranks=ranks):
                result = f.start(run, "--checkpoint-every", "1it", ranks=ranks, wrap=LIMITED,
                                 verb="resume").end()
                self.check_failed(result, 74, r"checkpoint-\d+\.h5: write failed: .")
                self.assertEqual(f.checkpoints(run), before)
                self.check_told(run, r"failed: .*checkpoint-\d+\.h5: write failed: ")
        self.finish(run)

    def test_writing_a_sweep_fails(self):
        place = f.folder()
        run = os.path.join(place, "s.h5")
        f.write(os.path.join(place, "s.lua"),
                "return sweep { seeds = 4, base = " + (f.SCENARIO % f.SHORT)[len("return "):] + "}")
        f.write(os.path.join(place, "STOP"), "")
        result = f.walras("run", "s.lua", "-q", "-o", run, cwd=place)
        self.assertEqual(result.status, 75, result)
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                result = f.start(run, ranks=ranks, wrap=LIMITED, verb="resume").end()
                # mpirun's warning to the other ranks makes them write checkpoints of their runs.
                self.check_failed(result, 74, r"\.h5: write failed: .", most=ranks)
                self.check_told(run, r"failed: .*\.h5: write failed: ", "sweep")
        result = f.resume(run, ranks=2)
        self.assertEqual((result.status, f.leftovers(run)), (0, []), result)

    def test_no_room_for_a_checkpoint(self):
        # Two checkpoints of 307 KiB and nearly a third; the run file is larger than one.
        place = f.small_disk(self, "1100k")
        for ranks in (None, *RANKS):
            with self.subTest(ranks=ranks):
                for name in os.listdir(place):
                    os.remove(os.path.join(place, name))
                f.write(os.path.join(place, "s.lua"), f.SCENARIO % f.SHORT)
                run = os.path.join(place, "s.h5")
                f.write(os.path.join(place, "fill"), bytes(200 << 10))
                result = f.walras("run", "s.lua", "-q", "-o", run, "--checkpoint-every", "1it",
                                  cwd=place, ranks=ranks, leaks=False)
                self.check_failed(result, 74, "the disk is full", r"needs \d+(\.\d+)? KiB",
                                  r"\d+(\.\d+)? KiB are available")
                self.assertEqual(set(f.checkpoints(run)), {1, 2})
                self.assertEqual(f.leftovers(run), sorted(
                    [os.path.basename(path) for path in f.checkpoints(run).values()] + ["fill"]))
                os.remove(os.path.join(place, "fill"))
                elsewhere, moved = f.case()
                for path in f.checkpoints(run).values():
                    shutil.copy(path, elsewhere)
                f.write(os.path.join(elsewhere, "s.lua"), f.SCENARIO % f.SHORT)
                self.finish(moved, ranks)

    def test_disk_fills_while_writing(self):
        """Another program takes the room between the question and the writing."""
        place = f.small_disk(self, "1500k")
        f.write(os.path.join(place, "s.lua"), f.SCENARIO % {**f.SHORT, "iterations": 3000})
        run = os.path.join(place, "s.h5")
        for ranks in (1, 3):
            with self.subTest(ranks=ranks):
                running = f.start(run, "--force", "--checkpoint-every", "1it", ranks=ranks)
                self.assertTrue(running.wait_for(lambda: len(f.checkpoints(run)) == 2))
                filled = time.monotonic()
                subprocess.run(["dd", "if=/dev/zero", "bs=4k", "of=" + os.path.join(place, "fill")],
                               check=False, capture_output=True)
                result = running.end()
                result.seconds = time.monotonic() - filled
                self.check_failed(result, 74, "write failed|the disk is full|cannot be")
                os.remove(os.path.join(place, "fill"))
                self.assertGreaterEqual(len(f.checkpoints(run)), 1)
                f.write(os.path.join(place, "STOP"), "")
                self.assertEqual(f.resume(run, ranks=1).status, 75)

    def test_no_room_for_the_run_file(self):
        place = f.small_disk(self, "100k")
        for ranks in (None, 2):
            with self.subTest(ranks=ranks):
                scenario = f.write(os.path.join(f.folder(), "s.lua"), f.SCENARIO % f.SHORT)
                run = os.path.join(place, "s.h5")
                result = f.walras("run", scenario, "-q", "-o", run, ranks=ranks)
                self.check_failed(result, 73, re.escape(f"cannot create {run}: the disk is full"),
                                  r"needs \d+(\.\d+)? KiB, \d+(\.\d+)? KiB are available")
                self.assertEqual(os.listdir(place), [])

    def test_read_only_folder(self):
        run = f.stopped_run()
        place = os.path.dirname(run)
        os.chmod(place, 0o555)
        self.addCleanup(os.chmod, place, 0o755)
        # Who may write anywhere is root; not without that capability.
        wrap = [] if os.geteuid() else ["setpriv", "--bounding-set", "-dac_override",
                                        "--inh-caps", "-dac_override"]
        for ranks in (None, 2):
            result = f.start(run, ranks=ranks, wrap=wrap, verb="resume").end()
            self.check_failed(result, 73, "cannot create", "cannot be written")
        if not f.mount("--bind", "-o", "ro", place, place):
            self.addCleanup(f.remove_disk, place)
            self.check_failed(f.resume(run), 73, "cannot create", "[Rr]ead-only|cannot be written")

    def test_folder_that_is_gone(self):
        place, run = f.case({"rows": 240, "iterations": 10**6})
        running = f.start(run, "--checkpoint-every", "20it")
        self.assertTrue(running.wait_for(lambda: f.checkpoints(run)))
        os.rename(place, place + ".gone")
        result = running.end()
        self.assertIn(result.status, (73, 74), result)
        self.check_failed(result, result.status, "cannot create .*does not exist|write failed|"
                          "cannot be|No such file")
        missing = os.path.join(f.folder(), "missing", "s.h5")
        self.check_failed(f.walras("resume", missing), 66, "no such run file")

    def test_names_that_are_too_long(self):
        """At the start, not at the first checkpoint, whose name is longer than the run file's."""
        place, _ = f.case()
        for length in (245, 300):
            run = os.path.join(place, "x" * (length - 3) + ".h5")
            result = f.walras("run", "s.lua", "-q", "-o", run, cwd=place)
            self.check_failed(result, 73, "cannot create", "the name is too long")
        run = os.path.join(place, "x" * 190 + ".h5")
        result = f.walras("run", "s.lua", "-q", "-o", run, "--checkpoint-every", "20it", cwd=place)
        self.assertEqual(result.status, 0, result)
        self.check_failed(f.resume(os.path.join(place, "x" * 4500)), 74)

    def test_what_was_left_is_removed(self):
        run = f.stopped_run(at=4)
        place = os.path.dirname(run)
        host = os.uname().nodename[:47]
        gone = subprocess.Popen(["true"])
        gone.wait()
        left = [f".s.checkpoint-{k}.h5.partial-{host}-{gone.pid}-0" for k in (7, 99)]
        kept = [f".s.checkpoint-7.h5.partial-{host}-{os.getpid()}-0",
                ".s.checkpoint-7.h5.partial-elsewhere-3-0",
                f".t.checkpoint-7.h5.partial-{host}-{gone.pid}-0", ".s.checkpoint-7.h5", "s.check"]
        old = ".s.checkpoint-8.h5.partial-elsewhere-4-0"
        for name in [*left, *kept, old]:
            f.write(os.path.join(place, name), b"x")
        os.utime(os.path.join(place, old), (time.time() - 7200,) * 2)
        result = f.resume(run)
        self.assertEqual(result.status, 0, result)
        self.assertEqual(f.leftovers(run), sorted(kept))


if __name__ == "__main__":
    unittest.main()
