-- Setting A9 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with an objective of revenue
-- plus efficiency, the value of the goods to those who get them. All goods at once to the highest
-- values would give an efficiency of 0.476, of which no seller can have all.
-- The paper's choices: the game (scenarios/auctions/a9.lua), an objective of the two, the learner's
-- rate, entropy and iterations, the network's inputs and width, Adam.
-- Ours: equal weights of the two; the network's activations and start, steps and rate, as in
-- a1.lua.
-- Result (100 steps, seed 1): objective 0.65538 against 0.62717 at first price. Exploitability with
-- entropy 1.1e-02: under the best design the learner does not settle (0.64822 and 4.2e-05 at the
-- start of the search). Half a second a step on one core.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    mechanism = neural {},
  },
  objective = mix { revenue = 1, efficiency = 1 },
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 1e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
