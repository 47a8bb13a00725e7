#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of gap, cost and excess of the mediators of a steering: bench/steering.py RUN.h5 OUT.png"""
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = "none", "stabilizing", "equalizing", "known_model", "optimistic", "greedy"
STYLES = dict(zip(SHOWN, ("-", "-", "-", "-", "-", "--")))

with h5py.File(sys.argv[1]) as file:
    steering = file["steering"]
    episode = steering["episode"][:]
    names = list(steering["mediator"].asstr()[:])
    sums = {column: steering[column][:] for column in ("gap", "cost", "excess")}
    cheapest = steering["target"].attrs["cheapest_cost"]

figure, axes = plt.subplots(1, 3, figsize=(14, 4.6), sharex=True)
TITLES = {"gap": "gap, summed over the episodes", "cost": "payments",
          "excess": "payments beyond those of the cheapest stabilizer"}
for axis, (column, title) in zip(axes, TITLES.items()):
    for color, name in enumerate(SHOWN):
        if name not in names:
            continue
        seeds = sums[column][names.index(name)]
        curve = numpy.ma.masked_less_equal(seeds, 0)    # log axes; an excess may be negative
        if curve.count() == 0:
            continue
        axis.plot(episode, curve.mean(axis=0), color=f"C{color}", linestyle=STYLES[name],
                  label=name)
        if len(seeds) > 1 and numpy.ptp(seeds[:, -1]) > 0:
            axis.fill_between(episode, curve.min(axis=0), curve.max(axis=0), color=f"C{color}",
                              alpha=0.2, linewidth=0)
    axis.set(xscale="log", yscale="log", xlabel="episodes", title=title)
    axis.grid(alpha=0.3)
first = sums["gap"][:, :, 0].max()
axes[0].plot(episode, first * episode**0.75, color="gray", linewidth=0.8, linestyle=":",
             label="slope 3/4 (the bound)")
axes[1].plot(episode, cheapest * episode, color="gray", linewidth=0.8, linestyle=":",
             label="cheapest stabilizer")
for axis in axes[:2]:
    axis.legend(fontsize=8, loc="upper left")
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=90)
