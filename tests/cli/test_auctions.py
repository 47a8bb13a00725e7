# SPDX-License-Identifier: GPL-3.0-or-later
"""The auctions of scenarios/auctions: against a second implementation of the model (below, from the
formulas of docs/auctions.md), against theory, and against what their comments and docs/auctions.md
say of them."""

import json
import os
import re
import unittest

import h5py
import numpy

from walras_cli import SANITIZED, SOURCE, at_once, folder, walras

SETTINGS = [f"a{i}" for i in range(1, 11)]
ENTROPY = 1e-3
# By what two masses of a state may differ, a round: its mass is at most 1, a sum of a hundred products
# that is off by a few units of 2^-53, in a stationary market to the same side in all rounds.
ROUNDING = 2**-50


def scenario(name):
    return os.path.join(SOURCE, "scenarios", "auctions", f"{name}.lua")


def text(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


def drift_rows(game, values):
    if "none" in game["drift"]:
        return numpy.eye(len(values))
    drift = game["drift"]["gaussian"]
    far = (drift["slope"] * values[:, None] - values) / drift["width"]
    rows = numpy.exp((far**2).min(1, keepdims=True) / 2 - far**2 / 2)
    return rows / rows.sum(1, keepdims=True)


def utility(game, value, payment, stage):
    gain = value[:, None] - payment
    (name,) = game["utility"]
    return {"neutral": gain, "risk_averse": 1 - numpy.exp(-gain),
            "risk_seeking": numpy.exp(gain) - 1, "hyperbolic": gain / (1 + stage)}[name]


class Market:
    """What follows from the policy of a run with first price and as many goods in every round."""

    def __init__(self, run, task):
        game = task["solve"]["game"]["batched_auction"]
        self.stay, reentry = game["winners"] == "stay", game["reentry"]
        self.values = numpy.arange(game["values"]) / game["values"]
        bids = numpy.arange(game["bids"]) / game["bids"]
        self.policy = run["solution/policy"][:, : game["values"]]
        self.drift = drift_rows(game, self.values)
        mean_field = run["solution/mean_field"][:]
        prior = mean_field[0, : game["values"]]
        mass, won = prior, 0.0
        self.mass_error, self.revenue, self.efficiency, self.thresholds, self.mass = 0, 0, 0, [], []
        wins = []
        for stage in range(game["rounds"]):
            self.mass.append(mass)
            at = numpy.append(mass, won)[: mean_field.shape[1]]
            self.mass_error = max(self.mass_error, abs(mean_field[stage] - at).max())
            bidders = mass[:, None] * self.policy[stage]
            bid_mass = bidders.sum(0)
            left = game["goods"] / game["rounds"] - (bid_mass[::-1].cumsum()[::-1] - bid_mass)
            win = numpy.where(bid_mass > left, left / numpy.maximum(bid_mass, 1e-300), 1).clip(0, 1)
            wins.append(win)
            self.thresholds.append(bids[numpy.nonzero(win)[0].min()])
            self.revenue += (bid_mass * win * bids).sum()
            self.efficiency += (self.values @ bidders @ win).item()
            winners = bidders @ win
            if self.stay:
                mass = mass @ self.drift
            else:
                gone = won + winners.sum()
                mass = (mass - winners) @ self.drift + reentry * gone * prior
                won = (1 - reentry) * gone
        # Value of the policy, and of the best one, with entropy; the last entry is "won".
        own, best = numpy.zeros(len(prior) + 1), numpy.zeros(len(prior) + 1)
        for stage in reversed(range(game["rounds"])):
            policy = self.policy[stage]
            plogp = policy * numpy.log(numpy.where(policy > 0, policy, 1))
            gain = utility(game, self.values, bids, stage)
            for value in (own, best):
                keep = (self.drift @ value[:-1])[:, None]
                gone = reentry * prior @ value[:-1] + (1 - reentry) * value[-1]
                win = wins[stage]
                q = win * (gain + (keep if self.stay else gone)) + (1 - win) * keep
                if value is own:
                    value[:-1] = (policy * q).sum(1) - ENTROPY * plogp.sum(1)
                else:
                    top = q.max(1)
                    value[:-1] = top + ENTROPY * numpy.log(
                        numpy.exp((q - top[:, None]) / ENTROPY).sum(1))
                value[-1] = gone + ENTROPY * numpy.log(len(bids))
        self.exploitability = prior @ (best - own)[:-1]


def run(name, *more, label=None):
    """A run of a scenario: its file's path."""
    base = "base." if name in ("a3", "mechanisms") else ""
    short = ["-P", f"{base}stop.iterations=20"] if SANITIZED else []
    path = os.path.join(run.folder, f"{label or name}.h5")
    result = walras("run", scenario(name), "-q", "-o", path, *short, *more, timeout=200)
    assert result.status == 0, result
    run.printed[label or name] = result.out
    return path


class Settings(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run.folder, run.printed = folder("settings"), {}
        cls.files = dict(zip(SETTINGS, at_once(run, SETTINGS, 2)))
        cls.markets = {}
        for name, path in cls.files.items():
            with h5py.File(path) as file:
                groups = file["runs"].values() if name == "a3" else [file]
                for i, group in enumerate(groups):
                    task = json.loads(group["scenario/resolved"].asstr()[()])
                    cls.markets[f"{name} run {i}" if name == "a3" else name] = (
                        Market(group, task), group["auction"].attrs["total_revenue"],
                        group["auction"].attrs["total_efficiency"], group["auction/threshold"][:],
                        group["trace/regularized_exploitability"][-1])

    def test_second_implementation(self):
        self.assertEqual(len(self.markets), 9 + 12)
        for name, (market, revenue, efficiency, thresholds, exploitability) in self.markets.items():
            with self.subTest(name=name):
                self.assertLess(market.mass_error, ROUNDING * len(thresholds))
                self.assertAlmostEqual(revenue, market.revenue, delta=1e-13)
                self.assertAlmostEqual(efficiency, market.efficiency, delta=1e-13)
                self.assertAlmostEqual(exploitability, market.exploitability, delta=1e-12)
                numpy.testing.assert_allclose(thresholds, market.thresholds, atol=1e-12)

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_numbers_found_before(self):
        """Computed with a program of its own before this one was written."""
        for name, revenue, exploitability in (("a1", 0.15209324116978, 2.9434831e-5),
                                              ("a4", 0.15366519819727, 7.5476500e-5)):
            self.assertAlmostEqual(self.markets[name][1] / revenue, 1, delta=1e-9)
            self.assertAlmostEqual(self.markets[name][4] / exploitability, 1, delta=1e-7)

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_comments_say_what_comes_out(self):
        for name in SETTINGS:
            with self.subTest(name=name):
                said = re.search(r"\n-- Result: revenue (.*)\.\n",
                                 text("scenarios/auctions", name + ".lua"))
                self.assertIsNotNone(said)
                if name == "a3":
                    revenues = [self.markets[f"a3 run {i}"][1] for i in range(12)]
                    self.assertEqual(said[1], f"from {revenues[2]:.3f} (0.6 goods, seed 3) to "
                                              f"{revenues[9]:.3f} (1.2 goods, seed 1)")
                    self.assertEqual((min(revenues), max(revenues)), (revenues[2], revenues[9]))
                    continue
                _, revenue, efficiency, _, exploitability = self.markets[name]
                self.assertEqual(said[1], f"{revenue:.5f}, efficiency {efficiency:.5f}, "
                                          f"regularized exploitability {exploitability:.2e}")

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_documented_table(self):
        rows = re.findall(r"^\| A(\d+) \| [^|]* \| ([^|]*) \| (\S*) \| (\S*) \| (\S+) \| (\S*) \|$",
                          text("docs/auctions.md"), re.M)
        self.assertEqual([f"a{row[0]}" for row in rows if row[0] != "3"],
                         [name for name in SETTINGS if name != "a3"])
        names = [f"a{row[0]}" for row in rows]
        converged = at_once(lambda name: run(name, "-P", "learner.rate=300", label=name + "-300"),
                            names, 2)
        for name, path, row in zip(names, converged, rows):
            _, thresholds, revenue, efficiency, last, end = row
            with self.subTest(name=name), h5py.File(path) as file:
                found = self.markets[name]
                self.assertEqual((f"{found[1]:.5f}", f"{found[2]:.5f}", f"{found[4]:.1e}"),
                                 (revenue, efficiency, last))
                self.assertEqual(f'{file["auction"].attrs["total_revenue"]:.5f}', end)
                self.assertLess(file["trace/regularized_exploitability"][-1], 1e-13)
                said = [float(x) for x in re.findall(r"[\d.]+", thresholds)]
                at = [round(x, 9) for x in found[3]]
                if "always" in thresholds:
                    self.assertEqual(set(at), set(said))
                elif "rising" in thresholds:
                    self.assertEqual([at[0], at[-1]], said)
                else:
                    self.assertEqual(at, said)

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_documented_output(self):
        shown = re.search(r"```console\n\$ walras run \S*a1.lua\n(.*?)```",
                          text("docs/auctions.md"), re.S)[1]
        kept = lambda out: re.sub(r"(?m)^ +(seconds|file) .*\n", "", out)
        self.assertEqual(kept(shown), kept(run.printed["a1"]))

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_theory(self):
        """Prices of fine grids; the quantiles of A7."""
        fine = ["-P", "game.values=200", "-P", "game.bids=200", "-P", "learner.rate=1000", "-P",
                "learner.entropy=2e-4", "-P", "stop.every=100"]
        for name, limit in (("a1", 0.16), ("a6", 0.28)):
            with h5py.File(run(name, *fine, label=name + "-fine")) as file:
                revenue = file["auction"].attrs["total_revenue"]
            # A step of the grid is 0.005, times 0.8 goods; entropy adds a little.
            self.assertLess(abs(revenue - (limit - 0.004)), 0.001, name)
        with h5py.File(run("a7", "-P", "learner.rate=300", label="a7-end")) as file:
            thresholds = file["auction/threshold"][:]
        market = self.markets["a7"][0]
        for mass, threshold in zip(market.mass, thresholds):
            above = mass[::-1].cumsum()[::-1]
            last = market.values[numpy.nonzero(above >= 0.8 / 6)[0].max()]
            self.assertAlmostEqual(threshold, last - 0.01, delta=1e-12)

    @unittest.skipIf(SANITIZED, "shortened runs")
    def test_mechanisms(self):
        with h5py.File(run("mechanisms")) as file:
            revenue = dict(zip(file["summary/game_mechanism"].asstr()[:],
                               file["summary/revenue"][:]))
        self.assertEqual(len(revenue), 7)
        for name, found in revenue.items():
            with self.subTest(name=name):
                if "0.5}" in name:  # a price or reserve of 0.5: the monopoly's
                    self.assertAlmostEqual(found, 0.25, delta=0.005)
                else:  # revenue equivalence, within a step of the grid
                    self.assertAlmostEqual(found, 0.16, delta=0.01)
                self.assertLess(found, 0.25)


if __name__ == "__main__":
    unittest.main()
