-- A crowd on a square of 20 x 20 cells is drawn to a spot that moves, and each walker dislikes
-- crowded cells. Which way does everybody go when everybody else thinks the same?
return solve {
  game = crowd_motion {
    rows = 20, columns = 20, horizon = 4,
    bar_path = { {10, 10}, {10, 10}, {9, 11}, {9, 11} }, -- (row, column) at each stage
  },
  learner = mirror_descent { rate = 1.0 },
  stop = { iterations = 500, exploitability = 2e-3 },
}
