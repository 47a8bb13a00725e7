# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/run-file.md says of run files, and what is in them, for tests that compare the two."""
import os
import re

import h5py

import run_file_compare

SOURCE = os.environ["WALRAS_SOURCE"]


def documented(heading):
    """{path: dimensions} of the table below the line that begins with "The file of `heading`";
    attributes as PATH@NAME."""
    with open(os.path.join(SOURCE, "docs/run-file.md"), encoding="utf-8") as file:
        text = file.read()
    table = re.search(rf"The file of {heading} .*?\n\n(\|.*?)\n\n", text, re.S)[1]
    found = {}
    for row in table.splitlines()[2:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        names = re.findall(r"`([^`]+)`", cells[0])
        if "attribute" in cells[0]:
            of_them = names[1:] or re.findall(r"`(\w+)`:", cells[2])
            found.update({f"{names[0]}@{name}": "" for name in of_them})
            continue
        group = names[0].rpartition("/")[0]
        for name in names:
            found[name if name.startswith("/") else f"{group}/{name}"] = cells[1]
    return found


def contents(file, group):
    """{path: shape} below a group, as documented() has it: parts of parameters as one."""
    found = {}
    own = {"CLASS", "NAME", "REFERENCE_LIST", "DIMENSION_LIST", "units", "long_name"}
    for path, item in run_file_compare.objects(file).items():
        if not path.startswith(group):
            continue
        found.update({f"{path}@{name}": "" for name in set(item.attrs) - own})
        if isinstance(item, h5py.Dataset):
            found[re.sub(r"/parameters/\w+$", "/parameters/PART", path)] = item.shape
    return found
