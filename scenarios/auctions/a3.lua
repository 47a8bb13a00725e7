-- Setting A3 of Corecco et al. 2025 (arXiv:2510.21442): the seller does not know the prior, nor how
-- many goods there will be. A table of three random priors with four supplies each: runs with the
-- same seed have the same prior.
-- The paper's choices: five rounds, priors uniform on the simplex, goods between 0.6 and 1.2,
-- winners re-enter with probability 0.3 a round, rate, entropy, iterations.
-- Ours: four fixed supplies in place of uniform draws; re-entrants draw their value from the prior,
-- other values stay; equally many goods in every round.
-- NOT CONVERGED with many goods: regularized exploitability up to 2e-3 after the paper's 500
-- iterations, below 1e-6 with `-P base.learner.rate=30`.
-- Result: revenue from 0.306 (0.6 goods, seed 3) to 0.489 (1.2 goods, seed 1).
return sweep {
  base = solve {
    game = batched_auction {
      rounds = 5, reentry = 0.3,
      prior = dirichlet { concentration = 1 },
      mechanism = first_price {},
    },
    learner = mirror_descent { rate = 10, entropy = 1e-3 },
    stop = { iterations = 500, every = 10 },
  },
  vary = { ["game.goods"] = { 0.6, 0.8, 1.0, 1.2 } },
  seeds = 3,
}
