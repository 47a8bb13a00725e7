-- Who answers is a crowd: a thousand annotators, one of whom is asked in each round, each with rewards
-- of their own (0.5 around the true ones, which go from 0 to 4) and answers more or less at random.
-- Result: it hardly matters. tpo has 0.38 (0.36 .. 0.41) of greedy's regret after 512 rounds, 0.54
-- (0.48 .. 0.60) after 2000, as with one annotator who has the true rewards. Ten seconds on two cores.
return transfer {
  bandit = log_linear {},
  sources = mixtures { 0.9, 0.75, 0.4, -0.5 },
  methods = { tpo {}, empirical_tpo {}, greedy {}, xpo {} },
  annotators = annotators { count = 1000, spread = 0.5, noise = 0.5 },
  rounds = 2000, seeds = 10, seed = 5001,
}
