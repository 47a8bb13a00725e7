-- Setting A5 of Corecco et al. 2025 (arXiv:2510.21442): A1 with risk-seeking bidders. The opposite
-- of A4: they like to try their luck at the threshold, 0.19, and nobody bids more.
-- The paper's choices: those of A1, risk seeking, beta = 1.
-- Ours: the formula (exp(beta (value - payment)) - 1) / beta; equally many goods in every round.
-- Result: revenue 0.15200, efficiency 0.47514, regularized exploitability 3.33e-07.
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = risk_seeking { beta = 1 },
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
