-- Setting A5 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with risk-seeking bidders.
-- The paper's choices: the game (scenarios/auctions/a5.lua), the learner's rate, entropy and
-- iterations, the network's inputs and width, Adam.
-- Ours: the formula of the utility; the network's activations and start and steps as in a1.lua;
-- three times its rate.
-- Result (12 seconds, seeds 1 to 5): revenue 0.24430 against 0.15200 at first price. At a constant
-- rate, 33 steps; exploitability with entropy 3.0e-05. The five have from 0.194 to 0.244: who likes
-- to gamble at the threshold bid keeps the learner from settling under many designs.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = risk_seeking { beta = 1 },
    mechanism = neural {},
  },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 3e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
