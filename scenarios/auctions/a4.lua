-- Setting A4 of Corecco et al. 2025 (arXiv:2510.21442): A1 with bidders who are averse to risk.
-- The threshold bid wins only with some probability, so that some bid a step more, 0.20, to be
-- sure. On finer grids the step is less, and the prices tend to those of A1.
-- The paper's choices: those of A1, risk aversion, beta = 1.
-- Ours: the formula (1 - exp(-beta (value - payment))) / beta; equally many goods in every round.
-- Result: revenue 0.15367, efficiency 0.47532, regularized exploitability 7.55e-05.
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    utility = risk_averse { beta = 1 },
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
