-- Of 30 to 30000 people among whom an infection spreads for 50 days, playing as infinitely many would
-- in equilibrium: every one is followed, and five of the thirty are written down day by day
-- (/population/record).
-- Result, with 95 % intervals: the return is off by N^-0.577 (-0.645 to -0.509), the shares of the
-- infected by N^-0.529 (-0.556 to -0.503): among thirty the infection may die out early, which makes
-- both gaps larger there. What one could gain by other choices tends to 0.78, what the entropy of
-- the policy costs.
return simulate {
  game = susceptible_infected { horizon = 51, initial = { 0.9, 0.1 } },
  policy = equilibrium {
    learner = mirror_descent { rate = 0.1, entropy = 0.1 },
    stop = { iterations = 1000, every = 200 },
  },
  agents = { 30, 100, 300, 1000, 3000, 10000, 30000 },
  episodes = 100, record = 5,
}
