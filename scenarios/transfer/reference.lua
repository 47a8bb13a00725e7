-- Does it help to have reward models that are not quite right? Ten prompts with 200 responses each;
-- comparisons are asked for one by one, and policies are tuned to what the answers say. There are
-- four reward models of unknown quality, of which one is good and one the opposite of what is liked.
return transfer {
  bandit = log_linear { prompts = 10, responses = 200, features = 60, reward_bound = 4, beta = 0.4 },
  sources = mixtures { 0.9, 0.75, 0.4, -0.5 },
  methods = {
    tpo {}, tpo { mode = "count" }, empirical_tpo {}, empirical_tpo { mode = "best_of" },
    greedy {}, dpo {}, dpo { reference = "previous" }, ipo {}, xpo {}, vpo {}, ucb {}, gshf {},
    pure_source { source = 1 }, pure_source { source = 4 },
  },
  rounds = 4000, refit = 50, seeds = 20,
}
