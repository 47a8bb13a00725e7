# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the sources and fails where the house's floors are not kept.

A file includes only from its own folder or a lower floor; HDF5 and Lua stay in io/; MPI is called in
sim/core/ and io/ only; no sum of reals is left to MPI, whose order depends on the number of ranks.
"""

import os
import re
import tempfile
import unittest

FLOORS = {
    "sim/core": 0,
    "sim/game": 1,
    "io": 1,
    "sim/learn": 2,
    "sim/agents": 2,
    "games": 3,
    "auctions": 3,
    "incentives": 4,
    "rlhf": 4,
    "cli": 5,
    "library": 6,
}
# These need less than their floor would let them have.
ONLY = {"io": {"sim/core"}, "rlhf": {"sim/core"}}
# The engine has no file access, whatever the floor.
NEVER = {folder: {"io"} for folder in FLOORS if folder.startswith("sim/")}
# May include anything; nothing above includes them.
FREE = ("tests", "bench")

FILE_FORMAT_HEADER = re.compile(r"^(hdf5\w*|H5\w*|lua\w*|lauxlib)\.h$")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(?:"([^"\n]+)"|<([^>\n]+)>)', re.MULTILINE)
MPI_CALL = re.compile(r"\bP?MPI_[A-Z][a-z]\w*\s*\(")
MPI_REDUCTION = re.compile(r"\bP?MPI_(?:I?(?:all)?reduce\w*|I?(?:ex)?scan)\s*\(", re.IGNORECASE)
MPI_REAL = re.compile(r"\bMPI_(?:LONG_)?(?:DOUBLE|FLOAT)\b|\bMPI_C_\w*COMPLEX\b")
# Comments, and literals other than those of #include lines.
COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def blank(match: re.Match) -> str:
    """As many lines, nothing else."""
    return " " + "\n" * match.group().count("\n")


def without_comments(text: str) -> str:
    return COMMENT.sub(lambda m: m.group() if m.group()[0] in "\"'" else blank(m), text)


def without_literals(text: str) -> str:
    return COMMENT.sub(blank, text)


def folder_of(path: str) -> str | None:
    """The floor's folder that a path lies in, "tests" or "bench", or None."""
    for folder in (*FLOORS, *FREE):
        if path.startswith(folder + "/"):
            return folder
    return None


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def arguments(text: str, start: int) -> str:
    """What stands between the bracket that ends at `start` and its partner."""
    depth = 1
    for i in range(start, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return text[start:i]
    return text[start:]


def include_breach(root: str, folder: str, included: str) -> str | None:
    target = folder_of(included)
    if target is None or not os.path.isfile(os.path.join(root, included)):
        return f'"{included}" is not the path of a header from the root'
    if folder in FREE or target == folder:
        return None
    if target in FREE:
        return f"{folder} must not include {target}"
    if folder in ONLY and target not in ONLY[folder]:
        return f"{folder} may include only {' and '.join(sorted(ONLY[folder]))}, not {target}"
    if target in NEVER.get(folder, ()):
        return f"{folder} must not include {target}"
    if FLOORS[target] >= FLOORS[folder]:
        return (
            f"{folder} (floor {FLOORS[folder]}) must not include "
            f"{target} (floor {FLOORS[target]})"
        )
    return None


def file_breaches(root: str, path: str) -> list[str]:
    with open(os.path.join(root, path), encoding="utf-8") as file:
        text = file.read()
    folder = folder_of(path)
    found = []
    code = without_comments(text)
    for match in INCLUDE.finditer(code):
        own, system = match.groups()
        line = line_of(code, match.start())
        if own is not None:
            breach = include_breach(root, folder, own)
            if breach:
                found.append(f"{path}:{line}: {breach}")
        elif FILE_FORMAT_HEADER.search(system) and folder != "io" and folder not in FREE:
            found.append(f"{path}:{line}: <{system}> outside io/")
    code = without_literals(text)
    if folder not in ("sim/core", "io", *FREE):
        for match in MPI_CALL.finditer(code):
            call = match.group().rstrip("( \t\n")
            found.append(f"{path}:{line_of(code, match.start())}: {call} outside sim/core/ and io/")
    for match in MPI_REDUCTION.finditer(code):
        inside = arguments(code, match.end())
        if MPI_REAL.search(inside) and "MPI_SUM" in inside:
            found.append(
                f"{path}:{line_of(code, match.start())}: a sum of reals whose order MPI chooses"
            )
    return found


def sources(root: str) -> list[str]:
    paths = []
    for top in sorted({folder.split("/")[0] for folder in (*FLOORS, *FREE)}):
        for folder, _, names in os.walk(os.path.join(root, top)):
            paths += [
                os.path.relpath(os.path.join(folder, name), root)
                for name in names
                if name.endswith((".c", ".h"))
            ]
    return sorted(paths)


def breaches(root: str) -> list[str]:
    found = []
    for path in sources(root):
        if folder_of(path) is None:
            found.append(f"{path}:1: in no folder that has a floor")
        else:
            found += file_breaches(root, path)
    return found


class Project(unittest.TestCase):
    def test_floors_are_kept(self):
        here = os.path.dirname(os.path.abspath(__file__))
        root = os.environ.get("WALRAS_SOURCE") or os.path.dirname(os.path.dirname(here))
        self.assertTrue(sources(root), f"no sources under {root}")
        found = breaches(root)
        self.assertFalse(found, "\n" + "\n".join(found))


class Planted(unittest.TestCase):
    """The check itself: it finds each planted breach, and none where there is none."""

    HEADERS = (
        "sim/core/a.h sim/game/a.h sim/learn/a.h sim/agents/a.h io/a.h games/a.h auctions/a.h "
        "incentives/design/a.h incentives/steer/a.h rlhf/a.h cli/a.h tests/support/a.h"
    ).split()

    def look(self, path: str, text: str) -> list[str]:
        with tempfile.TemporaryDirectory() as root:
            for name in (*self.HEADERS, path):
                os.makedirs(os.path.join(root, os.path.dirname(name)), exist_ok=True)
                with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                    file.write(text if name == path else "\n")
            return breaches(root)

    def assert_clean(self, path: str, text: str):
        self.assertEqual(self.look(path, text), [], f"{path}: {text}")

    def assert_breach(self, path: str, text: str, said: str, line: int = 1):
        found = self.look(path, text)
        self.assertEqual(len(found), 1, f"{path}: {text}: {found}")
        self.assertTrue(found[0].startswith(f"{path}:{line}: "), found[0])
        self.assertIn(said, found[0])

    def test_own_folder_and_lower_floors_pass(self):
        for path, included in (
            ("sim/core/b.c", "sim/core/a.h"),
            ("sim/game/b.c", "sim/core/a.h"),
            ("sim/learn/b.c", "sim/game/a.h"),
            ("io/b.c", "sim/core/a.h"),
            ("games/b.c", "sim/learn/a.h"),
            ("incentives/design/b.c", "games/a.h"),
            ("incentives/design/b.c", "incentives/steer/a.h"),
            ("rlhf/b.c", "sim/core/a.h"),
            ("cli/b.c", "io/a.h"),
            ("tests/unit/b.c", "cli/a.h"),
            ("bench/b.c", "tests/support/a.h"),
        ):
            self.assert_clean(path, f'#include "{included}"\n')

    def test_higher_and_equal_floors_are_found(self):
        for path, included in (
            ("sim/core/b.h", "sim/game/a.h"),
            ("sim/game/b.c", "sim/learn/a.h"),
            ("sim/game/b.c", "io/a.h"),
            ("sim/learn/b.c", "sim/agents/a.h"),
            ("sim/learn/b.c", "io/a.h"),
            ("io/b.c", "sim/game/a.h"),
            ("games/b.c", "auctions/a.h"),
            ("games/b.c", "incentives/steer/a.h"),
            ("incentives/design/b.c", "rlhf/a.h"),
            ("rlhf/b.c", "sim/game/a.h"),
            ("rlhf/b.c", "cli/a.h"),
            ("cli/b.c", "tests/support/a.h"),
        ):
            self.assert_breach(path, f'// why\n  # include "{included}"\n', "include", line=2)

    def test_paths_not_from_the_root_are_found(self):
        for included in ("a.h", "../core/a.h", "sim/core/gone.h", "elsewhere/a.h"):
            self.assert_breach("sim/game/b.c", f'#include "{included}"\n', "from the root")

    def test_folders_without_a_floor_are_found(self):
        self.assert_breach("sim/other/b.c", "\n", "no folder that has a floor")

    def test_file_formats_outside_io_are_found(self):
        for header in ("hdf5.h", "hdf5_hl.h", "H5DSpublic.h", "lua.h", "lauxlib.h", "lualib.h"):
            text = f"#include <{header}>\n"
            self.assert_breach("cli/b.c", text, "outside io/")
            self.assert_breach("sim/core/b.h", text, "outside io/")
            self.assert_clean("io/b.c", text)
            self.assert_clean("tests/unit/b.c", text)

    def test_mpi_calls_are_found(self):
        call = "\n\nint f(void) { return MPI_Barrier (MPI_COMM_WORLD); }\n"
        self.assert_breach("sim/game/b.c", call, "MPI_Barrier", line=3)
        self.assert_breach("cli/main.c", "int x = MPI_Init(0, 0);\n", "MPI_Init")
        self.assert_clean("sim/core/b.c", call)
        self.assert_clean("io/b.c", call)
        self.assert_clean("tests/mpi/b.c", call)

    def test_mpi_types_and_words_pass(self):
        self.assert_clean(
            "sim/game/b.c",
            "#include <mpi.h>\n// MPI_Barrier(comm) is elsewhere\n/* MPI_Bcast(x) */\n"
            'MPI_Comm f(MPI_Comm comm);\nconst char *s = "MPI_Send(x)";\n',
        )

    def test_sums_of_reals_are_found(self):
        for call in (
            "MPI_Allreduce(a, b, 1, MPI_DOUBLE, MPI_SUM, f(comm));",
            "MPI_Reduce(a,\n  b, g(1), MPI_DOUBLE,\n  MPI_SUM, 0, comm);",
            "MPI_Iallreduce(a, b, 1, MPI_FLOAT, MPI_SUM, comm, &r);",
            "MPI_Exscan(a, b, 1, MPI_DOUBLE, MPI_SUM, comm);",
        ):
            self.assert_breach("sim/core/b.c", call, "sum of reals")
            self.assert_breach("tests/mpi/b.c", call, "sum of reals")

    def test_other_reductions_pass(self):
        for call in (
            "MPI_Allreduce(a, b, 1, MPI_DOUBLE, MPI_MAX, comm);",
            "MPI_Allreduce(a, b, 1, MPI_INT64_T, MPI_SUM, comm); x(MPI_DOUBLE);",
            "// MPI_Allreduce(a, b, 1, MPI_DOUBLE, MPI_SUM, comm)",
        ):
            self.assert_clean("sim/core/b.c", call)

    def test_commented_includes_pass(self):
        self.assert_clean("sim/core/b.c", '/*\n#include "cli/a.h"\n*/\n// #include <lua.h>\n')


if __name__ == "__main__":
    unittest.main()
