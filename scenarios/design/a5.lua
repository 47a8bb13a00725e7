-- Setting A5 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with risk-seeking bidders.
-- The paper's choices: the game (scenarios/auctions/a5.lua), the learner's rate, entropy and
-- iterations, the network's inputs and width, Adam.
-- Ours: the formula of the utility; the network's activations and start, steps and rate, as in
-- a1.lua.
-- Result (60 steps, seed 1): revenue 0.21911 against 0.15200 at first price. Still rising;
-- exploitability with entropy 5.5e-03: who likes to gamble at the threshold bid keeps the learner
-- from settling (3.3e-07 at first price). Half a second a step on one core.
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
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
