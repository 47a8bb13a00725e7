-- Ways to sell the same goods to the same bidders (setting A1, see a1.lua), and a table of them. All
-- that hand the goods to the highest values earn about the same, 0.16 in the limit of fine grids:
-- revenue equivalence. Those that leave goods unsold earn more; none earns more than 0.25, the
-- revenue of the price 0.5 (Myerson 1981). All-pay bids need a rate below 10 to settle.
return sweep {
  base = solve {
    game = batched_auction { rounds = 4, goods = 0.8 },
    learner = mirror_descent { rate = 3, entropy = 1e-3 },
    stop = { iterations = 1500, every = 10 },
  },
  vary = {
    ["game.mechanism"] = {
      first_price {},
      uniform_price { rule = "lowest_winning" },
      uniform_price { rule = "highest_losing" },
      all_pay {},
      first_price { split = { 0.5, 0.1, 0.1, 0.1 } }, -- most goods first
      first_price { reserve = 0.5 },
      posted_price { price = 0.5 },
    },
  },
}
