return solve {
  game = combination_lock { rest = 0 },
  learner = mirror_descent { rate = 1 },
  stop = { iterations = 300 },
}
