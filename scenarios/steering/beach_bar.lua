-- A crowd on a beach that would like to be near the bar is to play a policy drawn at random, in
-- which every place is taken. Who gets it there, and for how much? Eight mediators steer crowds of
-- their own, with the same five seeds: nobody (none), one that pays what makes the target an
-- equilibrium and no more (stabilizing), one that knows the game (known_model), some that know
-- nothing of it and see ten agents an episode (optimistic, equalizing, greedy), and two whose
-- incentive is not centred (constant_bribe, uncentred).
-- Ours: the place of the bar, the target, all numbers. Rewards of the beach are at least -10.06
-- and, with a log_offset of 0.01, at most 4.61: bounded maps [-10.1, 4.7] to [0, 1], clipping none.
-- Result: unpaid the crowd stays 20.3 away from the target in every episode (of at most 32), and
-- the gap grows as episodes^1.04. optimistic steers it to 0.08, exponent 0.41 (0.39 .. 0.44), and
-- pays 3.82 an episode; no payments that keep the crowd there are less than 3.80. Its excess over
-- that is 265 in 10000 episodes, against 55 of known_model. equalizing needs no transitions, and
-- pays twice as much for ever. stabilizing makes all actions worth the same: the target is an
-- equilibrium then, and so is all else, and the crowd stays where it began (8.8). A constant bribe
-- leads elsewhere. greedy does well here: nothing has to be explored (lock.lua has a game in which
-- it does not). 25 seconds of processor time; bench/steering.py draws docs/pictures/steering.png of
-- the run file.
return steer {
  game = bounded {
    game = beach_bar { states = 20, horizon = 16, bar = 10, log_offset = 0.01 },
    low = -10.1, high = 4.7,
  },
  target = softmax_target { scale = 1, seed = 1 },
  agents = hedge { rate = 1 },
  mediator = {
    none {}, stabilizing {}, known_model {}, optimistic {}, equalizing {},
    greedy {}, constant_bribe {}, uncentred {},
  },
  episodes = 10000, seeds = 5,
}
