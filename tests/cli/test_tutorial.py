# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/tutorial.md: its files are made and its commands run, in their order and in a fresh folder, and
what they print is what stands there, to the last digit, but for seconds.

`test_tutorial.py update`, run with the environment of the tests, writes what is printed now into the
tutorial; its sentences are yours to mend.
"""

import os
import re
import shlex
import subprocess
import sys
import unittest

from walras_cli import MPIRUN, SOURCE, WALRAS, environment

TUTORIAL = os.path.join(SOURCE, "docs/tutorial.md")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
FILE = re.compile(r"[Ss]ave this as `([\w.]+)`")


def blocks(text):
    """(language, body, name of the file that the sentence before says) of each block."""
    end = 0
    for block in BLOCK.finditer(text):
        names = FILE.findall(text[end:block.start()])
        yield block[1], block[2], names[-1] if names else None
        end = block.end()


def commands(body):
    """(command, what it is said to print) of a console block."""
    parts = re.split(r"^\$ (.*)\n", body, flags=re.M)
    assert parts[0] == "", "output before the first command: " + parts[0]
    return list(zip(parts[1::2], parts[2::2]))


def timeless(text):
    """The lines without what differs from run to run, each with single blanks."""
    lines, column = [], False
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["seconds"]:
            words[1:] = ["..."]
        column = words[-1:] == ["seconds"] or (column and words[:1] != ["first,"])
        lines.append(" ".join(words[:-1] if column else words))
    return lines


def played(command):
    """What the shell prints for a command of the tutorial."""
    env = environment()
    env["PATH"] = os.path.dirname(WALRAS) + os.pathsep + env["PATH"]
    command = re.sub(r"^mpirun ", " ".join(map(shlex.quote, MPIRUN)) + " ", command)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env,
                          timeout=200)
    return done.stdout, done


class Tutorial(unittest.TestCase):
    def test_every_command(self):
        with open(TUTORIAL, encoding="utf-8") as file:
            text = file.read()
        count = 0
        for language, body, name in blocks(text):
            if language == "console":
                for command, shown in commands(body):
                    with self.subTest(command=command):
                        out, done = played(command)
                        self.assertEqual(done.returncode, 0, done.stderr)
                        self.assertEqual(shown == "", " > " in command)
                        self.assertEqual(timeless(out), timeless(shown))
                    count += 1
            elif language in ("lua", "python"):
                self.assertIsNotNone(name, "no name for\n" + body)
                with open(name, "w", encoding="utf-8") as file:
                    file.write(body)
            else:
                self.assertEqual(language, "sh")  # how to get there: the tests are there
                self.assertIn("tools/quickstart\n", body)
        self.assertEqual(count, 9)

    def test_what_is_compared(self):
        """Another digit is seen; other seconds and widths are not."""
        table = "run  sold  seconds\n  0   0.8    0.220\nfirst, best\n  seconds   0.1\n"
        other = "run sold seconds\n0 0.8 11.5\nfirst, best\nseconds 7\n"
        self.assertEqual(timeless(table), timeless(other))
        self.assertNotEqual(timeless(table), timeless(other.replace("0.8", "0.9")))
        self.assertNotEqual(timeless(table), timeless(other.replace("first", "last")))


def update():
    """Runs all and writes what is printed into the tutorial."""
    with open(TUTORIAL, encoding="utf-8") as file:
        text = file.read()
    for language, body, name in list(blocks(text)):
        if language == "console":
            shown = "".join(f"$ {command}\n{played(command)[0]}" for command, _ in commands(body))
            text = text.replace(f"```console\n{body}```", f"```console\n{shown}```")
        elif name:
            with open(name, "w", encoding="utf-8") as file:
                file.write(body)
    with open(TUTORIAL, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    if sys.argv[1:] == ["update"]:
        update()
    else:
        unittest.main()
