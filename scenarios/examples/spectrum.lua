-- Licences are auctioned in three batches, 80 for every 100 bidders in all. Most bidders have little use
-- for one and few have much (values by beta{1, 3}); who wins a licence is out, what no one wins is on
-- sale again in the next batch. Bids below the reserve never win. Which reserve earns the most, and
-- what does it cost everybody else?
-- What to expect: every licence goes for the same price p, the larger one of the reserve and of the
-- value of the last bidder served, so that the revenue is p (1 - p)^3 a bidder: 0.0574 at p = 0.0717
-- without a reserve, 27/256 = 0.1055 at best, at p = 1/4 (Myerson 1981; 1 - F(v) = (1 - v)^3).
return sweep {
  base = solve {
    game = batched_auction {
      values = 100, bids = 100, rounds = 3, goods = 0.8,
      prior = beta { a = 1, b = 3 },
      unsold = "returned",
      mechanism = first_price {},
    },
    learner = mirror_descent { rate = 100, entropy = 1e-3 },
    stop = { iterations = 5000, every = 10, regularized = 1e-6 },
  },
  vary = {
    ["game.mechanism.reserve"] = { 0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6 },
  },
}
