# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs walras alone and under mpirun, for the tests of this folder.

From the environment: WALRAS (the program), WALRAS_SOURCE (the repository), WALRAS_MPIRUN (mpirun
and its options), WALRAS_SANITIZED ("1" if the program carries sanitizers: it is slow then).
Every file is made in the current folder, which tests/support/run_in_fresh_folder.py removes.
"""

import dataclasses
import os
import re
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

WALRAS = os.path.abspath(os.environ["WALRAS"])
SOURCE = os.path.abspath(os.environ["WALRAS_SOURCE"])
MPIRUN = os.environ["WALRAS_MPIRUN"].split()
SANITIZED = os.environ.get("WALRAS_SANITIZED", "0") == "1"

# Starting a lone process is mostly waiting for MPI, so that more of them than cores pay off.
WORKERS = 4


@dataclasses.dataclass
class Result:
    """How a run ended. `status` is None if it had to be stopped after the time limit."""

    status: int
    out: str
    err: str
    seconds: float

    def __str__(self):
        return (f"status {self.status} after {self.seconds:.1f} s\n"
                f"stdout: {self.out[-1500:]}\nstderr: {self.err[-1500:]}")


def command_line(args, ranks=None):
    """The words that start walras, alone or on a number of ranks."""
    start = [] if ranks is None else [*MPIRUN, "-n", str(ranks)]
    return [*start, WALRAS, *map(str, args)]


def environment(ranks=None, changes=None, leaks=True):
    """This environment; what `changes` maps to None is taken out. Sanitized programs look for leaks
    at their end if `leaks`, on 1 and 2 ranks of mpirun: it takes a second or two a rank, and in
    lone MPI processes LeakSanitizer crashes on some systems."""
    env = dict(os.environ)
    if SANITIZED and (not leaks or ranks is None or ranks > 2):
        options = env.get("ASAN_OPTIONS", "")
        env["ASAN_OPTIONS"] = options + ":detect_leaks=0:fast_unwind_on_malloc=1"
    for name, value in (changes or {}).items():
        if value is None:
            env.pop(name, None)
        else:
            env[name] = value
    return env


def stop(process):
    """Ends a process that was started in a session of its own, and its children."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            pass


def walras(*args, ranks=None, cwd=None, env=None, leaks=True, timeout=120):
    """Runs walras to its end."""
    start = time.monotonic()
    with subprocess.Popen(
        command_line(args, ranks), cwd=cwd, env=environment(ranks, env, leaks),
        start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            out, err = process.communicate(timeout=timeout)
            status = process.returncode
        except subprocess.TimeoutExpired:
            stop(process)
            out, err = process.communicate()
            status = None
    decode = lambda text: text.decode("utf-8", "backslashreplace")
    return Result(status, decode(out), decode(err), time.monotonic() - start)


def own_lines(err):
    """The lines of a stderr that walras wrote: without the framed text that mpirun adds when a
    program fails."""
    lines, framed = [], False
    for line in err.splitlines():
        if re.fullmatch(r"-{60,}", line):
            framed = not framed
        elif not framed and line.strip():
            lines.append(line)
    return lines


def folder(name="case"):
    """A new empty folder below the current one."""
    return tempfile.mkdtemp(prefix=re.sub(r"\W+", "_", name)[:40] + "-", dir=os.getcwd())


def left(place):
    """What is in a folder, sorted, but for live views: a run that lasts a second has one, and keeps
    it when it fails; on a slow machine any run may."""
    return sorted(name for name in os.listdir(place) if not name.endswith(".progress.jsonl"))


def write(path, text):
    """Makes a file and gives its path."""
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    return path


def at_once(function, items, workers=WORKERS):
    """[function(item) for item in items], some at a time."""
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(function, items))


def listed(kind=None):
    """(name, kind) of all that `walras list` names, kind in the singular."""
    result = walras("list", *([kind] if kind else []))
    names, heading = [], None
    for line in result.out.splitlines():
        if line and not line.startswith(" "):
            heading = re.sub("ie$", "y", line.removesuffix("s"))
        elif line.strip():
            names.append((line.split()[0], heading))
    return names
