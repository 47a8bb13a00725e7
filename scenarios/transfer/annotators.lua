-- Who answers is a crowd: a thousand annotators, one of whom is asked in each round, each with a
-- taste of their own (half as varied as responses are good) and an own share of guesses.
return transfer {
  bandit = log_linear {},
  sources = mixtures { 0.9, 0.75, 0.4, -0.5 },
  methods = { tpo {}, empirical_tpo {}, greedy {}, xpo {} },
  annotators = annotators { count = 1000, spread = 0.5, noise = 0.5 },
  rounds = 2000, seeds = 10,
}
