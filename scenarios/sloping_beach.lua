-- Functions stand where numbers are wanted: here the crowd starts on one side of the beach.
-- They are tabulated when the scenario is loaded.
local n = 60
local total = n * (n + 1) / 2
return solve {
  game = beach_bar {
    states = n, horizon = 20, bar = 45, stay = 0.8,
    initial = function(place) return (n - place) / total end,
  },
  learner = mirror_descent { rate = 0.2 },
  stop = { iterations = 1000, exploitability = 0.05 },
}
