-- Ways to sell the same goods to the same bidders (setting A1, see a1.lua), and a table of them.
-- Those that sell all goods to the highest values earn about the same, as revenue equivalence has
-- it: 0.16 in the limit of fine grids. Those that leave goods unsold earn more: nobody who pays
-- only for goods can be made to pay more than 0.25 in all, the revenue of the price 0.5.
return sweep {
  base = solve {
    game = batched_auction { rounds = 4, goods = 0.8 },
    learner = mirror_descent { rate = 10, entropy = 1e-3 },
    stop = { iterations = 500, every = 10 },
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
