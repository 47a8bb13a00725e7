-- Setting A8 of Corecco et al. 2025 (arXiv:2510.21442): a hundred rounds. More goods are sold
-- than bidders come back, 0.05 a round to 0.015: from round 23 on everybody wins, even with a bid
-- of 0, and the seller earns next to nothing. Nor can bidders wait for a higher value where every
-- bid wins: `-P game.mechanism.reserve=0.01` lets them stay out (docs/auctions.md).
-- The paper's choices: rounds, goods, re-entry, prior 0.9^s, drift, rate, entropy, iterations.
-- Ours: s counts values from the lowest, 0; who re-enters draws a value from the prior; goods that
-- find no buyer are lost; equally many goods in every round.
-- Result: revenue 0.00356, efficiency 0.67794, regularized exploitability 2.75e-08.
return solve {
  game = batched_auction {
    rounds = 100, goods = 5,
    reentry = 0.015,
    prior = geometric { ratio = 0.9 },
    drift = gaussian { slope = 1.2, width = 0.01 },
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 10, entropy = 1e-3 },
  stop = { iterations = 500, every = 10 },
}
