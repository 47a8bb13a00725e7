-- X
return simulate {
  game = susceptible_infected { horizon = 51, initial = { 0.9, 0.1 } },
  policy = equilibrium {
    learner = mirror_descent { rate = 0.1, entropy = 0.1 },
    stop = { iterations = 1000, every = 200 },
  },
  agents = { 30, 100, 300, 1000, 3000, 10000, 30000 },
  episodes = 100, record = 5,
}
