-- Setting A6 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with impatient bidders, whose
-- surplus of round h counts 1/(1 + lambda h). They pay well for what they get early.
-- The paper's choices: the game (scenarios/auctions/a6.lua), the learner's rate, entropy and
-- iterations, the network's inputs and width, Adam.
-- Ours: the formula of the utility; the network's activations and start, steps and rate, as in
-- a1.lua.
-- Result (100 steps, seed 1): revenue 0.30215 against 0.26666 at first price. Exploitability with
-- entropy 7.4e-05; half a second a step on one core.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = hyperbolic { lambda = 1 },
    mechanism = neural {},
  },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 1e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
