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
