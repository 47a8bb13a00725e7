-- Setting A10 of Corecco et al. 2025 (arXiv:2510.21442): winners come back with probability 0.3 a
-- round. Who comes back competes again, so that prices are well above those of A1; they fall from
-- round to round, as the chance to come back is worth less and less.
-- The paper's choices: four rounds, re-entry, neutral bidders, rate, entropy, iterations; a
-- mechanism that ignores the bids' distribution, of which first price is one (docs/auctions.md).
-- Ours: 0.8 goods, uniform prior; who re-enters draws a value from the prior; equally many goods in
-- every round.
-- NOT CONVERGED to the last digit after the paper's 500 iterations; `-P learner.rate=300` converges
-- in as many, to revenue 0.35244, efficiency 0.54798.
-- Result: revenue 0.35438, efficiency 0.54857, regularized exploitability 3.89e-04.
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.8,
    reentry = 0.3,
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
