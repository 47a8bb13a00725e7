-- An auction of your own: who bids, what they want, who pays what. Copy this file, change the
-- functions, and check it with `walras check FILE`. Values and bids are in [0, 1), rounds count
-- from 0.
return solve {
  game = batched_auction {
    rounds = 4, goods = 0.6,
    prior = function(value) return value * (1 - value) end, -- any weights >= 0: they are normalized
    utility = function(value, payment, round) -- a loss counts twice; later is worth less
      local surplus = value - payment
      return 0.9 ^ round * (surplus < 0 and 2 * surplus or surplus)
    end,
    mechanism = scripted {
      payment = function(bid, round) return round == 0 and 0.8 * bid or bid end, -- early birds save
      goods = function(round, left) return round == 3 and left or left / 3 end,
    },
  },
  learner = mirror_descent { rate = 100, entropy = 1e-3 },
  stop = { iterations = 5000, every = 10, regularized = 1e-6 },
}
