-- 1000 small games, for bench/run.
local rates = {}
for i = 1, 100 do rates[i] = i / 100 end
return sweep {
  base = solve {
    game = beach_bar { states = 100, horizon = 16, bar = 50 },
    stop = { iterations = 300 },
  },
  vary = { ["learner.rate"] = rates },
  seeds = 10,
}
