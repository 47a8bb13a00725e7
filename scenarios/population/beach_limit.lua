-- Of 100 to 100000 people on a beach who play as infinitely many would in equilibrium: how far are
-- their returns, their crowding and where they stand from the limit, and what would one of them
-- gain by doing otherwise? Counted by place: the cost does not depend on how many there are.
-- Result, with 95 % intervals: the return is off by N^-0.494 (-0.554 to -0.435), congestion by
-- N^-0.568 (-0.670 to -0.467), the masses by N^-0.491 (-0.499 to -0.482). Few people crowd more in
-- the mean, too: congestion is -0.307 of a hundred, -0.239 in the limit.
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
