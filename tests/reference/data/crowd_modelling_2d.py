# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints exploitability of the uniform policy and after some steps of mirror descent in
crowd_modelling_2d, from the definition of that game and with dense matrices: what test_openspiel.c
expects. Needs numpy; no test runs it. It shares no code with the program. Sums are in long double:
at rate 1 the policy jumps from cell to cell and round-off grows twentyfold a step."""

import numpy as np

REAL = np.longdouble

MOVES = [(0, -1), (-1, 0), (0, 0), (1, 0), (0, 1)]  # (x, y), in OpenSpiel's order


def four_rooms():
    wall = np.zeros((13, 13), bool)
    wall[[0, 6, 12], :] = True
    wall[:, [0, 6, 12]] = True
    wall[6, [3, 9]] = wall[[3, 9], 6] = False
    return wall


def transitions(wall, noise):
    """Legal actions [S, A] and probabilities [S, A, S]."""
    rows, columns = wall.shape
    states = rows * columns
    legal = np.zeros((states, 5), bool)
    target = np.zeros((states, 5), int)
    for y, x in zip(*np.nonzero(~wall)):
        for a, (dx, dy) in enumerate(MOVES):
            to = (y + dy) % rows, (x + dx) % columns
            if not wall[to]:
                legal[y * columns + x, a] = True
                target[y * columns + x, a] = to[0] * columns + to[1]
    noisy = (1 - REAL(noise)) * np.eye(states, dtype=REAL)
    for s in range(states):
        for a in np.nonzero(legal[s])[0]:
            noisy[s, target[s, a]] += REAL(noise) / REAL(legal[s].sum())
    moves = np.where(legal[:, :, None], noisy[target], 0)
    return legal, moves


def solve(wall, horizon, start, rate, steps, noise=1.0, aversion=1.0, bars=None, near=True):
    legal, moves = transitions(wall, noise)
    rows, columns = wall.shape
    free = ~wall.ravel()
    liking = np.zeros(rows * columns, REAL)
    for s in range(rows * columns) if near else ():
        y, x = divmod(s, columns)
        liking[s] = 2 - sum(
            2 * v / columns * abs(x - bx) + 2 * v / rows * abs(y - by)
            for by, bx, v in bars or [(rows // 2, columns // 2, 1.0)])
    logits = np.zeros((horizon, rows * columns, 5), REAL)
    exploitability = []
    for _ in range(steps + 1):
        top = np.where(legal, logits, -1e300).max(2)[:, :, None]
        policy = np.where(legal, np.exp(np.where(legal, logits - top, 0)), 0)
        policy /= np.where(free, policy.sum(2), 1)[:, :, None]
        mass = [start]
        for h in range(horizon - 1):
            mass.append(np.einsum("s,sa,sat->t", mass[-1], policy[h], moves))
        own = best = np.zeros(rows * columns, REAL)
        for h in reversed(range(horizon)):
            reward = (liking - aversion * np.log(mass[h] + REAL("1e-25"))) * free
            q = reward[:, None] + moves @ own
            q_best = reward[:, None] + moves @ best
            own = (policy[h] * q).sum(1)
            best = np.where(free, np.where(legal, q_best, -1e300).max(1), 0)
            logits[h] += REAL(rate) * q
        exploitability.append(start @ (best - own))
    return exploitability


def main():
    rooms, corner = four_rooms(), np.eye(169, dtype=REAL)[14]
    runs = {
        "four_rooms, distribution_only, rate 0.01": solve(rooms, 40, corner, 0.01, 10, near=False),
        "four_rooms, distribution_only, rate 1": solve(rooms, 40, corner, 1, 5, near=False),
        "four_rooms, rate 0.01": solve(rooms, 40, corner, 0.01, 10),
        "10 x 10, rate 0.01": solve(np.zeros((10, 10), bool), 10, np.full(100, 0.01), 0.01, 10),
    }
    wall = np.zeros((4, 6), bool)
    wall[[1, 1, 3], [2, 3, 0]] = True
    runs["small torus, rate 0.3"] = solve(
        wall, 6, 0.25 * np.eye(24)[0] + 0.75 * np.eye(24)[11], 0.3, 10, noise=0.3, aversion=0.7,
        bars=[(0, 1, 1.0), (2, 5, 0.5)])
    for name, values in runs.items():
        print(f"{name}: {float(values[0])!r} {float(values[-1])!r}")


if __name__ == "__main__":
    main()
