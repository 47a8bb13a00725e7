-- Setting A4 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with bidders who are averse to
-- risk, who pay for being sure to win.
-- The paper's choices: the game (scenarios/auctions/a4.lua), the learner's rate, entropy and
-- iterations, the network's inputs and width, Adam.
-- Ours: the formula of the utility; the network's activations and start, steps and rate, as in
-- a1.lua.
-- Result (100 steps, seed 1): revenue 0.24630 against 0.15367 at first price. Exploitability with
-- entropy 3.9e-05, from step 50 on no more; half a second a step on one core.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = risk_averse { beta = 1 },
    mechanism = neural {},
  },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 1e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
