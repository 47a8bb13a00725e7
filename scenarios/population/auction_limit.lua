-- Setting A1 of Corecco et al. 2025 (scenarios/auctions/a1.lua) among finitely many bidders, 30 to a
-- million: how far are they from the mean field, which is solved first? Theory bounds the gaps by a
-- constant times 1/sqrt(N) (theorems 1 and 2 there).
-- Result, with 95 % intervals: a bidder's return is off by N^-0.512 (-0.524 to -0.501), the masses
-- by N^-0.496 (-0.500 to -0.491), revenue by N^-0.759 (-0.801 to -0.717). Revenue is close because
-- nearly all winners bid 0.19, whoever they are. In the last round only 0.3 % of N more bid that than
-- win. Up to 10^4 bidders these are too few in two to four of ten episodes and the last goods go
-- to lower bids, the lower the more are missing: that gap falls as 1/N, and is gone at 10^5. What
-- stays is the number of the few who bid 0.20: 7e-4/sqrt(N). docs/population.md has the table.
-- Counted by state: 20 seconds on one core. In mode "individual" the law is the same.
return simulate {
  game = batched_auction {
    values = 100, bids = 100, rounds = 4, goods = 0.8,
    prior = "uniform", utility = "neutral", drift = "none",
    mechanism = first_price {},
  },
  policy = equilibrium {
    learner = mirror_descent { rate = 10, entropy = 1e-3 },
    stop = { iterations = 500, every = 10 },
  },
  agents = { 30, 100, 300, 1000, 3000, 10000, 30000, 100000, 300000, 1000000 },
  episodes = 400, mode = "counts",
  objective = revenue {},
}
