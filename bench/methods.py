#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Table and picture of what bench/methods ran: bench/methods.py FOLDER SECONDS"""
import glob
import os
import re
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt

folder, seconds = sys.argv[1], float(sys.argv[2])
ORDER = "amid", "implicit", "zeroth_order", "anneal"
runs, usual = {}, {}
for path in sorted(glob.glob(os.path.join(folder, "*-*-*.h5"))):
    setting, method, _ = re.fullmatch(r"(.*)-(.*)-(\d+)\.h5", os.path.basename(path)).groups()
    with h5py.File(path, "r") as file:
        objective = file["design/assessed_objective"][:]
        time = file["run/seconds"][:]
        names = file["design/reference/name"].asstr()[:]
        usual[setting] = file["design/reference/objective"][list(names).index("first price")]
    judged = numpy.isfinite(objective)
    best = numpy.maximum.accumulate(objective[judged])
    runs.setdefault(setting, {}).setdefault(method, []).append((time[judged], best))

print("|   | first price | " + " | ".join(ORDER) + " |")
print("|---|---|" + "---|" * len(ORDER))
for setting, found in sorted(runs.items()):
    cells = []
    for method in ORDER:
        ends = [best[-1] for _, best in found.get(method, [])]
        cells.append(f"{numpy.median(ends):.4f} ({min(ends):.4f} to {max(ends):.4f})" if ends else "-")
    print(f"| `{setting}` | {usual[setting]:.4f} | " + " | ".join(cells) + " |")

grid = numpy.linspace(0, seconds, 200)
figure, axes = plt.subplots(2, 4, figsize=(14, 6.5), sharex=True)
for axis, (setting, found) in zip(axes.flat, sorted(runs.items())):
    for color, method in enumerate(ORDER):
        curves = [numpy.interp(grid, time, best) for time, best in found.get(method, [])]
        if not curves:
            continue
        axis.plot(grid, numpy.median(curves, axis=0), color=f"C{color}", label=method)
        axis.fill_between(grid, numpy.min(curves, axis=0), numpy.max(curves, axis=0),
                          color=f"C{color}", alpha=0.2, linewidth=0)
    axis.axhline(usual[setting], color="gray", linewidth=0.8, linestyle="--", label="first price")
    axis.set_title(setting.upper())
    axis.grid(alpha=0.3)
for axis in axes[1]:
    axis.set_xlabel("seconds on one core")
for axis in axes[:, 0]:
    axis.set_ylabel("best objective so far")
axes.flat[0].legend(fontsize=8, loc="lower right")
axes.flat[-1].axis("off")
figure.tight_layout()
figure.savefig(os.path.join(folder, "methods.png"), dpi=90)
