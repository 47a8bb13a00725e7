-- Setting A7 of Corecco et al. 2025 (arXiv:2510.21442): winners stay, so that a bid changes nothing
-- but its own round: six first-price auctions, each at the value of the last bidder served. Values
-- grow from round to round, and so do prices.
-- The paper's choices: rounds, goods, winners stay, prior 0.9^s, drift, rate, entropy, iterations.
-- Ours: s counts values from the lowest, 0; a winner keeps the value, which drifts as all do;
-- equally many goods in every round.
-- NOT CONVERGED to the last digit after the paper's 500 iterations; `-P learner.rate=300` converges
-- in as many, to revenue 0.47457, efficiency 0.56001.
-- Result: revenue 0.46998, efficiency 0.55795, regularized exploitability 4.96e-04.
return solve {
  game = batched_auction {
    rounds = 6, goods = 0.8,
    winners = "stay",
    prior = geometric { ratio = 0.9 },
    drift = gaussian { slope = 1.2, width = 0.2 },
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
