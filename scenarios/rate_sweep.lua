-- How fast mirror descent learns: three rates on two beaches, six runs and a table of them.
-- walras run scenarios/rate_sweep.lua
return sweep {
  base = solve { game = beach_bar {}, stop = { iterations = 100 } },
  vary = {
    ["learner.rate"] = { 0.01, 0.1, 1 },
    ["game.states"] = { 10, 40 },
  },
}
