-- x
return simulate {
  game = batched_auction {
    values = 100, bids = 100, rounds = 4, goods = 0.8,
    prior = "uniform", utility = "neutral", drift = "none",
    mechanism = first_price {},
  },
  policy = equilibrium {
    learner = mirror_descent { rate = 10, entropy = 1e-3 },
    stop = { iterations = 500, every = 10 },
  },
  agents = { 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000 },
  episodes = 400, mode = "counts",
  objective = revenue {},
}
