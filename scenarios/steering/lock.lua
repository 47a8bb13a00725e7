return steer {
  game = combination_lock {},
  target = from { file = "lock_target.h5" },
  agents = hedge { rate = 1 },
  mediator = { none {}, known_model {}, optimistic {}, greedy {} },
  episodes = 10000, seeds = 10,
}
