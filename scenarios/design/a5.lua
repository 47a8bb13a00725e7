-- Setting A5 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with risk-seeking bidders.
-- The paper's choices: the game (scenarios/auctions/a5.lua), the learner's rate, entropy and iterations, the
-- network's inputs and width, Adam.
-- Ours: the formula of the utility; the network's activations and start, steps and rate, as in a1.lua.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = risk_seeking { beta = 1 },
    mechanism = neural {},
  },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 1e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10 },
}
