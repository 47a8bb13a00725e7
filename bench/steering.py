#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture of gap, payments and excess in the run file of a steering, on log axes; bands are the
least and the most of the seeds: bench/steering.py RUN.h5 OUT.png"""
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SHOWN = "none", "stabilizing", "equalizing", "known_model", "optimistic", "greedy"

with h5py.File(sys.argv[1]) as file:
    steering = file["steering"]
    episode = steering["episode"][:]
    names = list(steering["mediator"].asstr()[:])
    gap, cost, excess = (steering[column][:] for column in ("gap", "cost", "running_excess"))
    cheapest = steering["target"].attrs["cheapest_cost"]
PANELS = [(gap, "gap, sum over the episodes"),
          (cost / episode, "payments, mean of the episodes"),
          (excess, "payments beyond the exploitability, sum")]

figure, axes = plt.subplots(1, 3, figsize=(14, 4.6), sharex=True)
for axis, (values, title) in zip(axes, PANELS):
    for color, name in enumerate(SHOWN):
        if name not in names:
            continue
        # What is not positive, but for rounding, has no place on log axes.
        seeds = numpy.ma.masked_less_equal(values[names.index(name)], 1e-6)
        if seeds.count() == 0:
            continue
        axis.plot(episode, seeds.mean(axis=0), color=f"C{color}", label=name,
                  linestyle="--" if name == "greedy" else "-")
        axis.fill_between(episode, seeds.min(axis=0), seeds.max(axis=0), color=f"C{color}",
                          alpha=0.2, linewidth=0)
    axis.set(xscale="log", yscale="log", xlabel="episodes")
    axis.set_title(title, fontsize=11)
    axis.grid(alpha=0.3)
gray = {"color": "gray", "linewidth": 0.9, "linestyle": ":"}
axes[0].plot(episode, gap[:, :, 0].max() * episode**0.75, label="slope 3/4", **gray)
axes[1].axhline(cheapest, label="cheapest stabilizer", **gray)
axes[1].set_yticks([3, 4, 5, 6, 8, 10, 15], labels=[3, 4, 5, 6, 8, 10, 15])
axes[1].minorticks_off()
axes[0].legend(fontsize=8, loc="upper left")
axes[1].legend(*([drawn[-1]] for drawn in axes[1].get_legend_handles_labels()), fontsize=8)
figure.tight_layout()
figure.savefig(sys.argv[2], dpi=90)
