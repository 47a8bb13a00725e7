-- The congestion price of Corecco et al. 2025 (arXiv:2510.21442), section 5: people crowd around a
-- bar on a beach; each place gets a price of at most 0.5. Which prices spread the crowd the most?
-- The paper's choices: moves to the left, to the right or none, a uniform start, the bar in the
-- middle, a price max * sigmoid(xi) of every place, the soft maximum of the flow as what is to be
-- little.
-- Ours: MFGLib's beach bar (the reward of a place is minus its distance to the bar, less the
-- logarithm of the crowd there), 20 places, 20 stages, sharpness 20; rate, entropy and iterations
-- of the learner.
-- Result: congestion 5.62 without prices, 4.64 with them (3.92 with -P game.toll.max=0.8), of 1 in
-- a uniform crowd. The bar and its two neighbours cost the most, all else nothing; exploitability
-- stays below 0.007 throughout (the paper: below 0.02). Two seconds.
return design {
  game = beach_bar {
    states = 20, horizon = 20, bar = 10,
    toll = toll { on = "state", max = 0.5 },
  },
  objective = congestion { sharpness = 20 },
  learner = mirror_descent { rate = 0.5, entropy = 0.003, iterations = 200 },
  optimizer = adam { rate = 0.3, decay = 0.1 },
  steps = 100,
  evaluate = { iterations = 500, every = 10 },
}
