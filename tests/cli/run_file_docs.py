# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/run-file.md says of run files, and what is in them, for tests that compare the two."""
import os
import re

import h5py

import run_file_compare

SOURCE = os.environ["WALRAS_SOURCE"]
# Where the table of each kind of file begins, by its name in `walras info --schema`.
SECTIONS = {
    "solve": "One HDF5 file a run",
    "sweep": "The file of a sweep",
    "design": "The file of a design",
    "steer": "The file of a steering",
    "simulate (auction)": "The file of a simulated auction",
    "simulate (populations)": "The file of simulated populations",
    "transfer": "The file of a transfer",
    "checkpoint": "A checkpoint `RUN",
}
RESTARTS = "With restarts the file of a design"


def documented(beginning):
    """{path: dimensions} of the first table below the line that begins so; attributes as
    PATH@NAME. Paths of a row that goes on with "..." are examples: they end in "..."."""
    with open(os.path.join(SOURCE, "docs/run-file.md"), encoding="utf-8") as file:
        text = file.read()
    table = re.search(rf"^{re.escape(beginning)}.*?\n\n(\| Path.*?)\n\n", text, re.S | re.M)[1]
    found = {}
    for row in table.splitlines()[2:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        names = re.findall(r"`([^`]+)`", cells[0])
        if "attribute" in cells[0]:
            of_them = names[1:] or re.findall(r"`(\w+)`:", cells[2])
            found.update({f"{names[0]}@{name}": "" for name in of_them})
            continue
        group, more = names[0].rpartition("/")[0], "..." if "..." in cells[0] else ""
        for name in names:
            found[(name if name.startswith("/") else f"{group}/{name}") + more] = cells[1]
    return found


def documented_of(kind):
    """All that the tables say of a kind of file. A solve or a design may have been played."""
    found = documented(SECTIONS[kind])
    if kind == "design":
        found |= documented(RESTARTS)
    if kind in ("solve", "design"):
        played = documented(SECTIONS["simulate (populations)"])
        found |= {path: dims for path, dims in played.items() if "/record/" not in path
                  and not (kind == "solve" and "objective" in path)}
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
