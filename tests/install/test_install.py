# SPDX-License-Identifier: GPL-3.0-or-later
"""walras as a library: installed into a clean prefix, that prefix moved, a program of sixty lines built
with find_package and with pkg-config, another of thirty, both run on two ranks; every public header by itself; the
reference, which Doxygen makes without a warning."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import unittest

SOURCE = os.environ["WALRAS_SOURCE"]
BUILD = os.environ["WALRAS_BUILD"]
MPIRUN = shlex.split(os.environ["WALRAS_MPIRUN"])
CC = os.environ["WALRAS_CC"]
EXAMPLE = os.path.join(SOURCE, "tests/install/pigou")
SOLVED = os.path.join(SOURCE, "tests/install/home/home.c")
SAID = re.compile(r"toll: (0\.\d+) h more on the narrow road\n"
                  r"congestion (\d\.\d+) without a toll, (\d\.\d+) with it\n")


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=250, **options)


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def section(title, language):
    """The block of a language in a section of the documentation."""
    text = read(SOURCE + "/docs/library.md").split(f"\n## {title}\n")[1].split("\n## ")[0]
    return re.search(rf"^```{language}\n(.*?)^```", text, re.M | re.S)[1]


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.first, cls.prefix = os.path.abspath("first"), os.path.abspath("moved/here")
        done = run("cmake", "--install", BUILD, "--prefix", cls.first)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.said = done.stdout
        os.mkdir("moved")
        os.rename(cls.first, cls.prefix)
        cls.libraries = next(folder for folder, _, names in os.walk(cls.prefix)
                             if "libwalras.a" in names)
        cls.headers = sorted(os.path.relpath(os.path.join(folder, name), cls.include())
                             for folder, _, names in os.walk(cls.include()) for name in names)

    @classmethod
    def include(cls):
        return os.path.join(cls.prefix, "include/walras")

    def succeed(self, *command, **options):
        done = run(*command, **options)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def flags(self):
        environment = dict(os.environ, PKG_CONFIG_PATH=os.path.join(self.libraries, "pkgconfig"))
        return {what: shlex.split(self.succeed("pkg-config", f"--{what}", "walras",
                                               env=environment))
                for what in ("cflags", "libs", "modversion")}

    def check_run(self, program):
        """What it finds is in the textbooks (Pigou 1920), and the same on one and two ranks."""
        said = self.succeed(*MPIRUN, "-n", 2, program)
        match = SAID.fullmatch(said)
        self.assertTrue(match, said)
        toll, before, after = map(float, match.groups())
        self.assertAlmostEqual(toll, 0.5, delta=5e-3)
        self.assertAlmostEqual(before, 2, delta=0.05)
        self.assertAlmostEqual(after, 1.5, delta=1e-3)
        self.assertEqual(self.succeed(*MPIRUN, "-n", 1, program), said)

    def configure(self, folder, *options, source=EXAMPLE):
        return run("cmake", "-G", "Ninja", "-S", source, "-B", folder, f"-DCMAKE_C_COMPILER={CC}",
                   f"-DCMAKE_PREFIX_PATH={self.prefix}", *options)

    def test_nothing_is_installed_elsewhere(self):
        for path in re.findall(r"^-- (?:Installing|Up-to-date): (.*)$", self.said, re.M):
            self.assertTrue(path.startswith(self.first + "/"), path)

    def test_the_program_runs(self):
        said = self.succeed(os.path.join(self.prefix, "bin/walras"), "--version")
        version = re.search(r"project\(walras VERSION (\S+)", read(SOURCE + "/CMakeLists.txt"))[1]
        self.assertEqual(said, f"walras {version}\n")
        self.assertEqual(self.flags()["modversion"], [version])

    def test_found_by_cmake(self):
        done = self.configure("by_cmake")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.succeed("cmake", "--build", "by_cmake")
        self.check_run(os.path.abspath("by_cmake/pigou"))

    def compile(self, source, program):
        """By what pkg-config says."""
        flags = self.flags()
        self.succeed(CC, "-std=c11", "-O2", "-Wall", "-Wextra", "-Wno-unused-parameter",
                     "-Wno-missing-field-initializers", "-Wpedantic", "-Werror", source,
                     *flags["cflags"], *flags["libs"], "-o", program)
        return os.path.abspath(program)

    def test_found_by_pkg_config(self):
        self.check_run(self.compile(os.path.join(EXAMPLE, "pigou.c"), "by_pkg_config"))

    def test_a_game_is_solved(self):
        """mu for each on the left, 2 mu on the right: two thirds go left, at a cost of 2/3 for all;
        halves cost 3/4, and one gains 1/4 by going left. On any number of ranks."""
        program = self.compile(SOLVED, "home")
        said = self.succeed(*MPIRUN, "-n", 2, program)
        self.assertEqual(said, section("A solve in thirty lines", "text"))
        self.assertEqual(self.succeed(*MPIRUN, "-n", 1, program), said)
        left, right, end, start, gain, before = map(float, re.findall(r"-?\d+\.\d+", said))
        self.assertAlmostEqual(left, 2 / 3, delta=1e-3)
        self.assertAlmostEqual(right, 1 / 3, delta=1e-3)
        self.assertAlmostEqual(end, -2 / 3, delta=1e-3)
        self.assertLess(gain, 1e-3)
        self.assertEqual((start, before), (-0.75, 0.25))

    def test_other_versions_are_refused(self):
        for wanted in ("99", "0.2", "0.0.1"):
            os.makedirs(f"wants_{wanted}")
            with open(f"wants_{wanted}/CMakeLists.txt", "w", encoding="utf-8") as file:
                file.write("cmake_minimum_required(VERSION 3.16)\nproject(p LANGUAGES C)\n"
                           f"find_package(walras {wanted} CONFIG REQUIRED)\n")
            done = self.configure(f"wants_{wanted}/build", source=f"wants_{wanted}")
            self.assertNotEqual(done.returncode, 0, wanted)
            self.assertIn("requested version", " ".join(done.stderr.split()))

    def test_what_is_gone_is_named(self):
        config = os.path.join(self.libraries, "cmake/walras/walrasConfig.cmake")
        text = read(config)
        self.addCleanup(pathlib.Path(config).write_text, text, encoding="utf-8")
        with open(config, "w", encoding="utf-8") as file:
            file.write(re.sub(r'(set\(walras_libraries ")', r"\1/nowhere/libhdf5.so;", text))
        done = self.configure("gone")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("walras was built with /nowhere/libhdf5.so, which is not there",
                      " ".join(done.stderr.split()))

    def test_headers_stand_alone(self):
        """Each may be the first one that a file includes, and needs nothing that is not installed."""
        flags = self.flags()["cflags"]
        self.assertIn("walras.h", self.headers)
        self.assertIn("sim/game/game.h", self.headers)
        self.assertNotIn("private", " ".join(self.headers))
        for header in self.headers:
            self.succeed(CC, "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
                         "-fsyntax-only", "-x", "c", "-", *flags,
                         input=f"#include <{header}>\ntypedef int unit;\n")

    def test_all_headers_are_those_of_the_project(self):
        for header in self.headers:
            path = "library/walras.h" if header == "walras.h" else header
            self.assertEqual(read(os.path.join(self.include(), header)),
                             read(os.path.join(SOURCE, path)))


class Example(unittest.TestCase):
    def test_they_are_those_of_the_documentation(self):
        self.assertEqual(section("Sixty lines", "c"), read(EXAMPLE + "/pigou.c"))
        self.assertEqual(section("Sixty lines", "cmake"), read(EXAMPLE + "/CMakeLists.txt"))
        self.assertEqual(section("A solve in thirty lines", "c"), read(SOLVED))

    def test_they_are_short(self):
        self.assertLessEqual(len(read(EXAMPLE + "/pigou.c").splitlines()), 60)
        self.assertLessEqual(len(read(SOLVED).splitlines()), 30)


class Reference(unittest.TestCase):
    def doxygen(self, headers):
        """What Doxygen has to say of headers."""
        os.makedirs("reference", exist_ok=True)
        environment = dict(os.environ, WALRAS_HEADERS=headers, WALRAS_SOURCE=SOURCE,
                           WALRAS_REFERENCE="reference", WALRAS_VERSION="0")
        done = run("doxygen", SOURCE + "/docs/Doxyfile", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    @unittest.skipUnless(shutil.which("doxygen"), "doxygen is not installed")
    def test_no_warnings(self):
        self.assertEqual(self.doxygen(os.environ["WALRAS_HEADERS"]), "")
        for page in ("study_8h.html", "game_8h.html", "structwal__game__type.html"):
            self.assertTrue(os.path.exists("reference/html/" + page), page)

    @unittest.skipUnless(shutil.which("doxygen"), "doxygen is not installed")
    def test_planted_gaps_are_found(self):
        with open("planted.h", "w", encoding="utf-8") as file:
            file.write("// a header\n/** Told of. */\ntypedef struct told {\n"
                       "  int first, second; /**< both told of */\n  int third;\n} told;\n"
                       "int untold(void);\n/** @param none of this name */\nint wrong(int x);\n")
        said = self.doxygen("planted.h")
        for what in ("third", "untold", "none"):
            self.assertIn(what, said)
        self.assertNotIn("first", said)
        self.assertNotIn("second", said)


if __name__ == "__main__":
    sys.exit(unittest.main())
