-- Setting A2 of Corecco et al. 2025 (arXiv:2510.21442): values are low at first and about triple
-- from round to round. Whoever wins early misses the high values: all bid 0 in the first round, yet
-- goods nobody wants are handed out. `-P game.mechanism.reserve=0.01` lets bidders stay out.
-- The paper's choices: rounds, goods, prior 0.9^s, drift, winners leave, rate, entropy, iterations.
-- Ours: s counts values from the lowest, 0; equally many goods in every round.
-- NOT CONVERGED after the paper's 500 iterations; `-P learner.rate=300` converges in as many, to
-- revenue 0.35201, efficiency 0.52088.
-- Result: revenue 0.30696, efficiency 0.51514, regularized exploitability 5.10e-03.
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    prior = geometric { ratio = 0.9 },
    drift = gaussian { slope = 3, width = 0.2 },
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
