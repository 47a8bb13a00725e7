#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of docs/examples.md: bench/examples.py WALRAS FOLDER OUT runs the scenarios, unless their
run files are in FOLDER already, and draws OUT/NAME.png (that of steering is made by bench/steering)."""
import os
import subprocess
import sys

import h5py
import matplotlib
import numpy

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SCENARIOS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scenarios")
walras, folder, out = sys.argv[1:]


def run(name, scenario, *options):
    path = os.path.join(folder, name + ".h5")
    if not os.path.exists(path):
        subprocess.run([walras, "run", os.path.join(SCENARIOS, scenario), "-q", "-o", path, *options],
                       check=True, stdout=subprocess.DEVNULL)
    return h5py.File(path)


def save(figure, name):
    figure.savefig(os.path.join(out, name + ".png"), dpi=90)
    plt.close(figure)


def spectrum():
    with run("spectrum", "examples/spectrum.lua") as file:
        table = file["summary"]
        reserve = table["game_mechanism_reserve"][:]
        found = {name: table[name][:] for name in ("revenue", "efficiency", "surplus", "sold")}
    r = numpy.linspace(0, 0.65, 300)
    price = numpy.maximum(r, 1 - 0.8 ** (1 / 3))
    sold = (1 - price) ** 3
    # The mean value above the price: 3 v (1 - v)^2, integrated.
    efficiency = sold * price + (1 - price) ** 4 / 4
    theory = {"revenue": price * sold, "efficiency": efficiency,
              "surplus": efficiency - price * sold, "sold": sold}
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for color, name in enumerate(("revenue", "efficiency", "surplus", "sold")):
        axis = axes[int(name == "sold")]
        axis.plot(r, theory[name], color=f"C{color}", linewidth=1)
        axis.plot(reserve, found[name], "o", color=f"C{color}", label=name)
    axes[0].axvline(0.25, color="gray", linewidth=0.8, linestyle=":")
    axes[0].set_ylabel("value a bidder")
    axes[1].set_ylabel("licences a bidder")
    for axis in axes:
        axis.set_xlabel("reserve")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend()
    save(figure, "spectrum")


def crowd_toll():
    with run("crowd_toll", "design/crowd_toll.lua") as file:
        after, charge = file["solution/mean_field"][:].sum(axis=0), file["design/toll"][:]
    # The search begins with the same charge everywhere, which changes nothing.
    with run("crowd_toll-start", "design/crowd_toll.lua", "-P", "steps=0") as file:
        before = file["solution/mean_field"][:].sum(axis=0)
    figure, axes = plt.subplots(1, 3, figsize=(12, 4.2), layout="constrained")
    most = max(before.max(), after.max())
    for axis, values, title, limit in zip(axes, (before, charge, after), (
            "crowd without charges, 12 stages", "charges", "crowd with charges, 12 stages"),
            (most, 1, most)):
        image = axis.imshow(values.reshape(20, 20), vmin=0, vmax=limit,
                            cmap="magma_r" if limit == 1 else "viridis")
        axis.axvline(9.5, color="red", linewidth=0.8)
        axis.axvline(10.5, color="red", linewidth=0.8)
        axis.set_title(title)
        axis.set_xlabel("column")
        figure.colorbar(image, shrink=0.8)
    axes[0].set_ylabel("row")
    save(figure, "crowd_toll")


def evacuation():
    with run("evacuation", "evacuation.lua") as file:
        mass = file["solution/mean_field"][:].reshape(24, 3, 5, 11)
        resolved = file["scenario/source"].asstr()[()]
    rows = [line.strip() for line in resolved.split("[[")[1].split("]]")[0].splitlines()]
    cells = numpy.array([list(row) for row in rows if row]).reshape(3, 5, 11)
    shown = 0, 3, 6, 9, 14, 23
    figure, axes = plt.subplots(3, len(shown), figsize=(13, 3.3), layout="constrained")
    for column, stage in enumerate(shown):
        for floor in range(3):
            axis = axes[2 - floor, column]
            values = numpy.ma.masked_array(mass[stage, floor], cells[floor] == "#")
            image = axis.imshow(numpy.sqrt(values), vmin=0, vmax=numpy.sqrt(mass.max()))
            axis.set_facecolor("black")
            axis.set_xticks([])
            axis.set_yticks([])
            for row, line in enumerate(cells[floor]):
                for place, cell in enumerate(line):
                    if cell in "EUDX":
                        axis.text(place, row, cell, color="white", ha="center", va="center",
                                  fontsize=6)
            if column == 0:
                axis.set_ylabel(("ground", "first", "second")[floor])
        out_now = mass[stage][cells == "E"].sum()
        axes[0, column].set_title(f"stage {stage}: {100 * out_now:.0f} % at exits", fontsize=9)
    bar = figure.colorbar(image, ax=axes, shrink=0.7, label="share of all people in the cell")
    ticks = numpy.array([0, 0.02, 0.1, 0.3])
    bar.set_ticks(numpy.sqrt(ticks), labels=ticks)
    save(figure, "evacuation")


def stay_home():
    figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained",
                                gridspec_kw={"width_ratios": (3, 3, 2)})
    runs = (("without", "stay_home-start", ("-P", "steps=0")), ("with payments", "stay_home", ()))
    for label, name, options in runs:
        with run(name, "examples/stay_home.lua", *options) as file:
            mass, policy = file["solution/mean_field"][:], file["solution/policy"][:]
            charge = file["design/toll"][:]
        axes[0].plot(mass[:, 1], label=label)
        axes[1].plot(policy[:, 0, 1], label=label)
    axes[0].set_ylabel("share of people who are ill")
    axes[1].set_ylabel("share of the healthy at home")
    for axis in axes[:2]:
        axis.set_xlabel("day")
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
        axis.legend()
    paid = charge[0, 1] - charge
    bars = axes[2].bar(["healthy\nat home", "healthy\nout", "ill\nat home"],
                       [paid[1, 0], paid[0, 0], paid[1, 1]], color="C1")
    axes[2].bar_label(bars, fmt="%.2f")
    axes[2].axhline(0, color="black", linewidth=0.8)
    axes[2].margins(y=0.15)
    axes[2].set_ylabel("paid a day, beside ill and out")
    save(figure, "stay_home")


def transfer():
    shown = {"tpo": "tpo", "empirical_tpo": "empirical_tpo", "greedy": "greedy",
             "pure_source": "the best source alone"}
    methods = "{tpo{}, empirical_tpo{}, greedy{}, pure_source{source=1}}"  # of fourteen
    with run("reference", "transfer/reference.lua", "-P", "methods=" + methods) as file:
        group = file["transfer"]
        names, rounds = list(group["method"].asstr()), group["round"][:]
        regret = group["regret"][:]
    figure, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    base = regret[names.index("greedy")]
    for color, (name, label) in enumerate(shown.items()):
        at = next(i for i, method in enumerate(names) if method.startswith(name))
        for axis, values in ((axes[0], regret[at]), (axes[1], regret[at] / base)):
            axis.plot(rounds, numpy.median(values, axis=0), color=f"C{color}", label=label)
            low, high = numpy.quantile(values, (0.05, 0.95), axis=0)
            axis.fill_between(rounds, low, high, color=f"C{color}", alpha=0.2, linewidth=0)
    axes[0].set(ylabel="regret so far", yscale="log", ylim=(1, 1000))
    axes[1].set(ylabel="over that of greedy with the same seed", ylim=(0, 2))
    for axis in axes:
        axis.set(xlabel="comparisons asked for", xscale="log", xlim=(30, rounds[-1]))
        axis.grid(alpha=0.3)
    axes[0].legend()
    save(figure, "transfer")


for draw in (spectrum, crowd_toll, evacuation, stay_home, transfer):
    draw()
