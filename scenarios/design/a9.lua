-- Setting A9 of Corecco et al. 2025 (arXiv:2510.21442), designed: A1 with an objective of revenue
-- plus efficiency, the value of the goods to those who get them. All goods at once to the highest
-- values would give an efficiency of 0.476, of which no seller can have all.
-- The paper's choices: the game (scenarios/auctions/a9.lua), an objective of the two, the learner's
-- rate, entropy and iterations, the network's inputs and width, Adam.
-- Ours: equal weights of the two; the network's activations and start, steps, as in a1.lua; three times
-- its rate.
-- Result (12 seconds, seeds 1 to 5): objective 0.65560 against 0.62717 at first price. At a constant
-- rate, 39 steps; exploitability with entropy 2.0e-05. The start of the search has 0.648, the five
-- from there to 0.656.
return design {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    mechanism = neural {},
  },
  objective = mix { revenue = 1, efficiency = 1 },
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  optimizer = adam { rate = 3e-3, decay = 0.1 },
  steps = 300,
  restarts = 5,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
}
