# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual page and the completions are those that `walras generate` prints, tell what --help tells,
and work: man formats the page without a warning, and bash completes."""

import os
import re
import shutil
import subprocess
import unittest

from walras_cli import SOURCE, WALRAS, environment, folder, listed, walras, write

FILES = {"man": "docs/walras.1", "bash": "tools/completion/walras.bash",
         "zsh": "tools/completion/_walras"}


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def commands():
    return re.findall(r"(?m)^  walras (\w+)", walras("--help").out)


def options(command=None):
    """{name: letter or ""} of the help of a command."""
    out = walras(*([command] if command else []), "--help").out
    return {name: letter for letter, name in
            re.findall(r"(?m)^  (?:-(\w),|   ) --([a-z-]+)", out)}


class Generated(unittest.TestCase):
    def test_files_are_what_is_printed(self):
        """If this fails: walras generate man > docs/walras.1, and so on."""
        for what, path in FILES.items():
            result = walras("generate", what)
            self.assertEqual((result.status, result.err), (0, ""), result)
            self.assertEqual(result.out, read(path), path)

    def test_they_are_installed(self):
        text = read("CMakeLists.txt")
        for path in (*FILES.values(), "tools/walras.py"):
            self.assertIn(path, text)

    def test_the_page_tells_what_the_help_tells(self):
        page = read(FILES["man"]).replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
        for command in commands():
            self.assertIn(f"\n.B walras {command}\n", page)
        for name, letter in options().items():
            self.assertIn(f"--{name}", page)
            self.assertTrue(not letter or f"-{letter}, --{name}" in page)
        statuses = re.findall(r"X\(WAL_\w+, (\d+),", read("sim/core/status.h"))
        for status in statuses:
            self.assertIn(f"\n.B {status}\n", page)

    def test_man_formats_it(self):
        if not shutil.which("groff"):
            self.skipTest("there is no groff")
        done = subprocess.run(["groff", "-ww", "-man", "-Tutf8", os.path.join(SOURCE, FILES["man"])],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "max-walltime"):
            self.assertIn(word, re.sub(".\b", "", done.stdout))

    def complete(self, *words):
        """What bash would offer in place of the last word."""
        script = (f"source {os.path.join(SOURCE, FILES['bash'])}\n"
                  'COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _walras\n'
                  'printf "%s\\n" "${COMPREPLY[@]}"')
        path = os.path.dirname(WALRAS) + ":" + os.environ["PATH"]
        done = subprocess.run(["bash", "-c", script, "bash", "walras", *words], cwd=self.place,
                              capture_output=True, text=True, env=environment(changes={"PATH": path}),
                              check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return sorted(filter(None, done.stdout.split("\n")))

    def test_bash_completes(self):
        self.place = folder("complete")
        for name in ("a.lua", "b.json", "r.h5", "two words.h5", "note.txt"):
            write(os.path.join(self.place, name), "")
        os.mkdir(os.path.join(self.place, "sub"))
        self.assertEqual(self.complete(""), sorted(commands()))
        self.assertEqual(self.complete("de"), ["describe"])
        self.assertEqual(self.complete("--v"), ["--version"])
        for command in commands():
            own = options(command)
            self.assertEqual(self.complete(command, "-"), sorted(
                [f"--{name}" for name in own] + [f"-{letter}" for letter in own.values() if letter]))
        for command in ("run", "check"):
            self.assertEqual(self.complete(command, ""), ["a.lua", "b.json", "sub"])
        for command in ("info", "diff", "resume"):
            self.assertEqual(self.complete(command, ""), ["r.h5", "sub", "two words.h5"])
        self.assertEqual(self.complete("run", "a.lua", "-o", "r"), ["r.h5"])
        self.assertEqual(self.complete("run", "--log", ""), ["json"])
        self.assertEqual(self.complete("run", "--seed", ""), [])
        self.assertEqual(self.complete("generate", "z"), ["zsh"])
        self.assertEqual(self.complete("list", "gam"), ["games"])
        self.assertEqual(self.complete("describe", "beach"), ["beach_bar"])
        self.assertEqual(sorted(set(self.complete("describe", ""))), sorted({name for name, _ in listed()}))

    def test_zsh_reads_it(self):
        text = read(FILES["zsh"])
        self.assertTrue(text.startswith("#compdef walras\n"))
        for command in commands():
            self.assertRegex(text, rf"(?m)^    {command}\)$")
        if not shutil.which("zsh"):
            self.skipTest("there is no zsh")
        done = subprocess.run(["zsh", "-n", os.path.join(SOURCE, FILES["zsh"])], capture_output=True,
                              text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
