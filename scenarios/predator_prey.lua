-- Three populations on a 5 x 5 square chase and flee each other: each is drawn to one of the others
-- and avoids the third. Exploitability is the sum over the populations (NashConv).
return solve {
  game = predator_prey { horizon = 10 },
  learner = mirror_descent { rate = 0.02 },
  stop = { iterations = 400, relative = 0.01 },
}
