# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs one unittest file in a new, empty folder, which is removed afterwards.

usage: run_in_fresh_folder.py tests/cli/test_NAME.py [CLASS.TEST ...]
The file's own folder and tests/support can be imported from. A file whose tests mostly wait may
set AT_ONCE, the number of its tests that run at a time, in threads.
"""

import importlib
import os
import sys
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor


def tests_in(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from tests_in(item)
        else:
            yield item


def run_alone(test, speaks):
    """Runs a test; its result and time, told as soon as it has ended."""
    result = unittest.TestResult()
    start = time.monotonic()
    test(result)
    word = "ok" if result.wasSuccessful() else "FAILED"
    if result.skipped:
        word = f"skipped: {result.skipped[0][1]}"
    with speaks:
        print(f"{test} ... {word} ({time.monotonic() - start:.1f} s)", file=sys.stderr, flush=True)
    return result


def run_class(kind, tests, workers):
    """Results of the tests of one class; a failure to set it up raises."""
    speaks = threading.Lock()
    try:
        kind.setUpClass()
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(lambda test: run_alone(test, speaks), tests))
    finally:
        kind.tearDownClass()
        kind.doClassCleanups()


def run_at_once(module, names, workers):
    """Whether all went well, and how many tests ran."""
    loader = unittest.TestLoader()
    suite = loader.loadTestsFromNames(names, module) if names else (
        loader.loadTestsFromModule(module))
    kinds = {}
    for test in tests_in(suite):
        kinds.setdefault(type(test), []).append(test)
    results = [result for kind, tests in kinds.items()
               for result in run_class(kind, tests, workers)]
    wrong = [line for result in results for line in result.errors + result.failures]
    for test, trace in wrong:
        print(f"{'=' * 70}\nFAIL: {test}\n{trace}", file=sys.stderr)
    print(f"Ran {len(results)} tests, {len(wrong)} failures", file=sys.stderr)
    return all(result.wasSuccessful() for result in results), len(results)


def run_in_turn(name, names):
    program = unittest.main(module=name, argv=[name, "-v", *names], exit=False, buffer=False)
    return program.result.wasSuccessful(), program.result.testsRun


def main() -> int:
    path = os.path.abspath(sys.argv[1])
    sys.path[:0] = [os.path.dirname(path), os.path.dirname(os.path.abspath(__file__))]
    name = os.path.splitext(os.path.basename(path))[0]
    with tempfile.TemporaryDirectory(prefix="walras-") as folder:
        os.chdir(folder)
        module = importlib.import_module(name)
        workers = getattr(module, "AT_ONCE", 0)
        good, count = (run_at_once(module, sys.argv[2:], workers) if workers
                       else run_in_turn(name, sys.argv[2:]))
        os.chdir("/")
    if count == 0:
        print(f"{path}: expected at least one test, got none", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
