-- Setting A1 of Corecco et al. 2025 (arXiv:2510.21442): 80 goods for every 100 bidders are sold in
-- four rounds at first price. All bidders meet the same threshold, 0.19, in every round: the grid's
-- last bid below 0.2, the value of the last bidder served. On finer grids revenue tends to 0.16.
-- The paper's choices: grids, rounds, goods, prior, winners leave, rate, entropy, iterations.
-- Ours: equally many goods in every round (the paper states no split for first price).
-- Result: revenue 0.15209, efficiency 0.47507, regularized exploitability 2.94e-05.
return solve {
  game = batched_auction {
    values = 100, bids = 100, rounds = 4, goods = 0.8,
    prior = "uniform", utility = "neutral", drift = "none",
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
