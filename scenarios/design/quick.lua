-- a1.lua in a minute or two on two cores: two restarts, one for each of two ranks, 60 steps at
-- three times the rate. tools/quickstart runs it.
-- Result (60 steps, seeds 1 and 2): revenue 0.24616 against 0.15209 at first price. The other
-- restart has 0.24254; exploitability with entropy 2.3e-04 and 1.1e-04.
-- Played by 100, 1000 and 10000 bidders it has 0.2343, 0.2450 and 0.2460.
return design {
  game = batched_auction {
    values = 100, bids = 100, rounds = 4, goods = 0.8,
    prior = "uniform", utility = "neutral", drift = "none",
    mechanism = neural { hidden = 256 },
  },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 1e-3, iterations = 400 },
  method = amid {},
  optimizer = adam { rate = 3e-3, decay = 0.1 },
  steps = 60,
  restarts = 2,
  evaluate = { iterations = 500, every = 10, exploitability = 5e-4 },
  agents = { 100, 1000, 10000 }, episodes = 50,
}
