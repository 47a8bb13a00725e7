# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of this folder share: a scenario, runs that are interrupted, and their comparison
with undisturbed ones. Everything is seeded: the same instants and places every time. What a run is
disturbed at is never a time but how far it has come; a run that was faster nevertheless is begun
anew (until_caught)."""

import atexit
import functools
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.abspath(os.environ["WALRAS_SOURCE"]), "tests", "cli"))

import run_file_compare  # noqa: E402
import walras_cli  # noqa: E402
from walras_cli import (  # noqa: E402
    SANITIZED, Result, at_once, command_line, environment, folder, stop, walras, write)

SCENARIO = """return solve {
  game = crowd_motion { rows = %(rows)d, columns = 40, horizon = 4 },
  learner = mirror_descent { rate = 0.5 }, stop = { iterations = %(iterations)d, every = 3 } }
"""
SHORT = {"rows": 40, "iterations": 40}
ONE_AT_A_TIME = threading.Lock()
LONG = {"rows": 120, "iterations": 200}


def case(kind=SHORT, name="case"):
    """A new folder with the scenario s.lua, and the run file's path in it."""
    place = folder(name)
    write(os.path.join(place, "s.lua"), SCENARIO % kind)
    return place, os.path.join(place, "s.h5")


def own_lines(err):
    """The lines that walras wrote, not mpirun or Open MPI's own writing to files."""
    return [line for line in walras_cli.own_lines(err)
            if ": Forwarding signal" not in line and not line.startswith("mca_")]


def reference(rows, iterations):
    """The run file of an undisturbed run."""
    with ONE_AT_A_TIME:
        return make_reference(rows, iterations)


@functools.lru_cache(None)
def make_reference(rows, iterations):
    place, run = case({"rows": rows, "iterations": iterations}, "reference")
    result = walras("run", "s.lua", "-q", "-o", run, cwd=place)
    assert result.status == 0, result
    return run


def differences(run, kind, by_walras=False):
    """How a run file differs from that of the undisturbed run."""
    expected = reference(kind["rows"], kind["iterations"])
    found = run_file_compare.differences(expected, run)
    if by_walras and walras("diff", expected, run).status != 0:
        found.append("walras diff finds a difference")
    return found


def leftovers(run):
    """Names beside a run file that are neither it nor the scenario."""
    place = os.path.dirname(run)
    return sorted(set(os.listdir(place)) - {"s.lua", os.path.basename(run),
                                            os.path.basename(run)[:-3] + ".progress.jsonl"})


def checkpoints(run):
    """{iteration: path}"""
    paths = glob.glob(glob.escape(run[:-3]) + ".checkpoint-*.h5")
    return {int(re.search(r"checkpoint-(\d+)\.h5$", path)[1]): path for path in paths}


def until_caught(attempt, tries=10):
    """What attempt() gives that is not None, as it is if a run had ended before the disturbance
    reached it: of that nothing can be learnt."""
    for _ in range(tries):
        found = attempt()
        if found is not None:
            return found
    raise AssertionError(f"{tries} runs in turn had ended before they could be disturbed")


def has_come_to(run, iteration):
    """Whether there is a checkpoint of that iteration or a later one; or the run has ended."""
    return max(checkpoints(run), default=-1) >= iteration or os.path.exists(run)


def resume(run, *options, ranks=None, timeout=120):
    return walras("resume", run, "-q", *options, ranks=ranks, cwd=os.path.dirname(run),
                  timeout=timeout)


class Running:
    """walras at work, to be disturbed."""

    def __init__(self, *args, cwd, ranks=None, wrap=()):
        self.start = time.monotonic()
        words = command_line(args, ranks)
        if wrap:
            at = words.index(command_line([])[0])
            words[at:at] = wrap
        self.process = subprocess.Popen(
            words, cwd=cwd, env=environment(ranks, leaks=False), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        atexit.register(self.process.stdout.close)
        atexit.register(self.process.stderr.close)

    def wait_for(self, condition, timeout=120):
        """Until it holds; False if the program ended, or took too long, before."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if condition():
                return True
            if self.process.poll() is not None:
                return bool(condition())
            time.sleep(0.002)
        return False

    def send(self, number):
        try:
            self.process.send_signal(number)
        except ProcessLookupError:
            pass

    def ranks(self):
        """The processes of walras that mpirun has started."""
        found = []
        for status in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(status, encoding="utf-8", errors="replace") as file:
                    name, rest = re.fullmatch(r"\d+ \((.*)\) (.*)", file.read().strip(), re.S).groups()
                if int(rest.split()[1]) == self.process.pid and name == "walras":
                    found.append(int(status.split("/")[2]))
            except (OSError, AttributeError):
                continue
        return found

    def end(self, timeout=120):
        """Its result; status None if it had to be stopped."""
        status = None
        try:
            out, err = self.process.communicate(timeout=timeout)
            status = self.process.returncode
        except subprocess.TimeoutExpired:
            stop(self.process)
            out, err = self.process.communicate()
        return Result(status, out.decode(errors="replace"), err.decode(errors="replace"),
                      time.monotonic() - self.start)


def start(run, *options, ranks=None, wrap=(), verb="run"):
    """A run, or the resumption of one, that goes on in the background."""
    place = os.path.dirname(run)
    args = ("run", "s.lua", "-o", run) if verb == "run" else ("resume", run)
    return Running(*args, "-q", *options, cwd=place, ranks=ranks, wrap=wrap)


def stopped_run(kind=SHORT, ranks=None, at=None):
    """A run that stopped on request; its checkpoints are those of the iterations up to `at`."""
    place, run = case(kind)
    if at is None:
        write(os.path.join(place, "s.STOP"), "")
        result = walras("run", "s.lua", "-q", "-o", run, ranks=ranks, cwd=place)
        assert result.status == 75, result
        return run


    def attempt():
        if os.path.exists(run):
            os.remove(run)
        running = start(run, "--force", "--checkpoint-every", "1it", ranks=ranks)
        assert running.wait_for(lambda: has_come_to(run, at))
        running.send(signal.SIGUSR1)
        result = running.end()
        assert result.status in (0, 75), result
        return run if result.status == 75 else None

    return until_caught(attempt)


def killed(run, ranks=None, at=20):
    """A run that was killed once it had a checkpoint of iteration `at`, with all its ranks; None if
    it had ended before."""
    running = start(run, "--checkpoint-every", "5it", ranks=ranks)
    assert running.wait_for(lambda: has_come_to(run, at))
    for process in running.ranks() if ranks else [running.process.pid]:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass
    return None if running.end().status == 0 else run


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def mount(*options):
    """Why it cannot be mounted, "" if it was."""
    done = subprocess.run(["mount", *options], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False, text=True)
    return done.stderr.strip() or "mount failed" if done.returncode else ""


def small_disk(test, size):
    """A folder on a disk of its own, which goes at the end of the test; where none can be had the
    test is skipped."""
    place = tempfile.mkdtemp(prefix="disk-", dir=os.getcwd())
    why = mount("-t", "tmpfs", "-o", f"size={size}", "walras-test", place)
    if why:
        test.skipTest(f"no small disk can be mounted here: {why}")
    test.addCleanup(remove_disk, place)
    return place


def remove_disk(place):
    subprocess.run(["umount", "-l", place], check=False, capture_output=True)


def be_able_to_mount(path):
    """Who may not mount anything may, on most systems, be the root of a namespace of its own, where
    it can be done: the test file of this path then runs there."""
    place = tempfile.mkdtemp()
    why = mount("-t", "tmpfs", "walras-test", place)
    remove_disk(place)
    os.rmdir(place)
    enter = ["unshare", "--user", "--map-root-user", "--mount"]
    if not why or os.environ.get("WALRAS_NAMESPACE") or subprocess.run(
            [*enter, "true"], check=False, capture_output=True).returncode != 0:
        return
    os.environ["WALRAS_NAMESPACE"] = "own"
    runner = os.path.abspath(sys.modules["__main__"].__file__)
    sys.exit(subprocess.run([*enter, sys.executable, runner, os.path.abspath(path), *sys.argv[2:]],
                            check=False).returncode)
