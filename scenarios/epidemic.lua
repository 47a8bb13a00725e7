-- Susceptible people go out or stay at home for 50 days; who goes out among many infected is likely
-- to be infected. The entropy of the policy counts a little, so that people mix their choices
-- smoothly: exploitability falls to what that smoothness costs, and with entropy counted to zero.
return solve {
  game = susceptible_infected { horizon = 51, initial = { 0.9, 0.1 } },
  learner = mirror_descent { rate = 0.1, entropy = 0.1 },
  stop = { iterations = 2000, every = 20 },
}
