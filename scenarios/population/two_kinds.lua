-- X
return simulate {
  game = batched_auction { values = 40, bids = 40, rounds = 3, goods = 0.6 },
  groups = {
    { share = 0.9, policy = equilibrium {
        learner = mirror_descent { rate = 10, entropy = 1e-3 }, stop = { iterations = 300, every = 100 } } },
    { share = 0.1, policy = "uniform" },
  },
  agents = { 30, 100, 1000, 10000 },
  episodes = 100,
  objective = revenue {},
}
