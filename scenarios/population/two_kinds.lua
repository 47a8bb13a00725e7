-- Nine of ten bidders bid as in the equilibrium of the auction among their like; the tenth bids
-- anything up to its value or more, at random. How do both fare among 30 to 10000 bidders, and in
-- the limit of many?
-- Result: the nine get 0.176 each, those who bid at random -0.182 (they pay more than the good is
-- worth to them). The gaps of return, revenue and masses fall as N^-0.489, N^-0.502, N^-0.505.
-- By the best response to all of them the nine could gain 0.009 each, those who bid at random 0.37.
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
