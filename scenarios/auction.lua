-- 40 goods for every 100 bidders are sold in four rounds, to the highest bids, at the price bid.
-- Every bidder wants one, and values it less from round to round. How to bid, and when, if all the
-- others think the same?
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.4,
    prior = function(value) return 1.2 - value end, -- the higher a value, the rarer
    drift = gaussian { slope = 0.9, width = 0.05 }, -- from a round to the next
    mechanism = first_price {},
  },
  learner = mirror_descent { rate = 100, entropy = 1e-3 },
  stop = { iterations = 5000, every = 10, regularized = 1e-6 },
}
