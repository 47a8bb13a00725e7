-- Does it help to have reward models that are not quite right? Ten prompts with 200 responses each;
-- comparisons are asked for one by one, and policies are tuned to what the answers say. There are
-- four reward models of unknown quality, of which one is good and one the opposite of what is liked.
-- The setting is that of docs/transfer.md; Huang et al. 2025 (arXiv:2502.19255) have the question and
-- the answer, TPO, in other words: bounds of tpo{}, and all numbers, are ours.
-- Result: tpo has 0.37 (0.35 .. 0.39) of greedy's regret after 512 rounds, 0.43 (0.40 .. 0.46) after
-- 1024, 0.76 (0.72 .. 0.81) after 4000: it finds the best source after twenty trials, and stays with
-- it for longer than would be best. Counting instead of widths gains nothing; transfer by win rates
-- gains early (0.91), by the best of eight much (0.54), but its answers tell more. Optimism is no
-- better than greed. DPO whose reference moves wins most comparisons, and has the worst value.
-- With bad sources only (-P sources='{0.4, -0.5}'): 1.05 and 1.04. About a minute on two cores.
return transfer {
  bandit = log_linear { prompts = 10, responses = 200, features = 60, reward_bound = 4, beta = 0.4 },
  sources = mixtures { 0.9, 0.75, 0.4, -0.5 },
  methods = {
    tpo {}, tpo { mode = "count" }, empirical_tpo {}, empirical_tpo { mode = "best_of" },
    greedy {}, dpo {}, dpo { reference = "previous" }, ipo {}, xpo {}, vpo {}, ucb {}, gshf {},
    pure_source { source = 1 }, pure_source { source = 4 },
  },
  rounds = 4000, refit = 50, seeds = 20, seed = 5001,
}
