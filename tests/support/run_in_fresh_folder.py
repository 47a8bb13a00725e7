# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one unittest file in a new, empty folder, which is removed afterwards.

usage: run_in_fresh_folder.py tests/cli/test_NAME.py [unittest arguments]
The file's own folder and tests/support can be imported from.
"""

import os
import sys
import tempfile
import unittest


def main() -> int:
    path = os.path.abspath(sys.argv[1])
    sys.path[:0] = [os.path.dirname(path), os.path.dirname(os.path.abspath(__file__))]
    name = os.path.splitext(os.path.basename(path))[0]
    with tempfile.TemporaryDirectory(prefix="walras-") as folder:
        os.chdir(folder)
        program = unittest.main(
            module=name, argv=[name, "-v", *sys.argv[2:]], exit=False, buffer=False
        )
        os.chdir("/")
    if program.result.testsRun == 0:
        print(f"{path}: expected at least one test, got none", file=sys.stderr)
        return 1
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
