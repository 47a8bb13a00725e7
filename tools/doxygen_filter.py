#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows a header to Doxygen as the house means it (docs/Doxyfile).

usage: doxygen_filter.py HEADER
The comment at a declaration of several names, `int64_t first, count; /**< own indices */`, is that
of each of them; Doxygen would take it for that of one. Every header is documented as a file. What
lists of names declare (WAL_GAME_LIST) is told of at the list. Lines keep their numbers.
"""

import re
import sys

NAME = r"\**\w+(?:\[[\w\]\[]*\])?"
SEVERAL = re.compile(
    rf"^  (?P<type>(?:const |struct |unsigned )*\w+) (?P<names>{NAME}(?:, {NAME})+);"
    r"(?P<after>[ \t]*/\*\*<.*?\*/)?", re.M | re.S)
DECLARED = re.compile(r"^WAL_\w+_LIST\(WAL_\w+_DECLARE\)$", re.M)
LONG = re.compile(r"\s*\n\s*")


def each(match: re.Match) -> str:
    text = match.group("after") or ""
    comment = LONG.sub(" ", text)
    names = match.group("names").split(", ")
    if not comment:
        return match.group()
    spread = " ".join(f"{match.group('type')} {name};{comment}" for name in names)
    return "  " + spread + "\n" * text.count("\n")


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"\A//[^\n]*", "/** @file */", text)
    text = DECLARED.sub("", text)
    sys.stdout.write(SEVERAL.sub(each, text))


if __name__ == "__main__":
    main()
