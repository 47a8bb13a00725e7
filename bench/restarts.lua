-- Four restarts of a small A1, for bench/run.
return design {
  game = batched_auction { values = 50, bids = 50, mechanism = neural { hidden = 64 } },
  objective = revenue {},
  learner = mirror_descent { rate = 10, entropy = 0.001, iterations = 200 },
  optimizer = adam { rate = 0.003 },
  steps = 40,
  evaluate = { iterations = 200, every = 10 },
  restarts = 4,
}
