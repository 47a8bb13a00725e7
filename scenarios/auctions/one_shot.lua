-- Five bidders who bid higher than in equilibrium: what do they lose by it?
return simulate {
  game = one_shot_auction {
    format = "first_price",
    bidders = 5,
    reserve = 0.5,
    values = beta { a = 2, b = 2 },
    bids = function(v) return 0.5 + 0.6 * (v - 0.5) end,  -- "equilibrium" is the default
  },
  samples = 1000000,
}
