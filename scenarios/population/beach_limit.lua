-- X
return simulate {
  game = beach_bar { states = 100, horizon = 16, bar = 50 },
  policy = equilibrium {
    learner = mirror_descent { rate = 1, entropy = 0.05 },
    stop = { iterations = 500, every = 100 },
  },
  agents = { 100, 300, 1000, 3000, 10000, 30000, 100000 },
  episodes = 50, mode = "counts",
  objective = congestion { sharpness = 20 },
}
