-- Does what steers infinitely many agents steer a hundred? On a small beach each of them has a
-- policy of its own, is drawn through the game in every episode, and learns from the values of its
-- actions where the others were seen. The mediators see counts, which are noisy. Others:
--   -P agents.count=1000    -P agents.feedback=trajectory (an agent knows only what it met with)
-- Ours: all numbers; spread = 0 lets all begin alike, so that the limit is that of hedge{} alone.
-- Result (means of the second half; C* is 1.067): a hundred stay 0.21 (known_model) and 0.23
-- (optimistic) away from the target, 7.3 unpaid, and are paid 1.25 an episode. The mean field has
-- 0.003 and 0.086; docs/steering.md has other N. Ten seconds of processor time.
return steer {
  game = bounded {
    game = beach_bar { states = 8, horizon = 8, bar = 4, log_offset = 0.01 },
    low = -4.2, high = 4.7,
  },
  target = softmax_target { scale = 1, seed = 1 },
  agents = individuals { count = 100, spread = 0 },
  mediator = { none {}, known_model {}, optimistic {} },
  episodes = 2000, seeds = 3,
}
