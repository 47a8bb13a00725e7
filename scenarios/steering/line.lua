-- A short line of eight places, written out as a game of one's own. An agent steps to the left,
-- stays, or steps to the right, and is carried one place further to either side with probability
-- 0.1 each, within the line. It is paid half of r0, drawn once for each place and action, and half
-- of what a place gains by being empty.
-- Ours: everything; rewards are in [0, 1] as they stand. The same with one action as the target:
--   walras run scenarios/steering/line.lua -P 'target=deterministic_target{seed=1}' -o line1.h5
-- Result (softmax target): with the game known the gap of 25600 episodes comes to 58 in all, with
-- nothing known to 1104 (exponent 0.46, 0.44 .. 0.49), unpaid to 256771. optimistic pays 1.595 an
-- episode in the second half, which is what the cheapest stabilizer costs. A hundred seconds of
-- processor time, most of it in the functions below.
local states, actions = 8, 3
local log, max, min = math.log, math.max, math.min
local r0, drawn = {}, 12345
for i = 0, states * actions - 1 do -- a generator by Park and Miller (1988)
  drawn = drawn * 16807 % 2147483647
  r0[i] = drawn / 2147483647
end
local function within(s) return min(max(s, 0), states - 1) end

return steer {
  game = custom {
    states = states, actions = actions, horizon = 8,
    moves = function(h, s, a)
      return { { within(s + a - 2), 0.1 }, { within(s + a - 1), 0.8 }, { within(s + a), 0.1 } }
    end,
    reward = function(h, s, a, mass)
      return r0[s * actions + a] / 2 + max(log(mass[s] + 0.01) / log(0.01), 0) / 2
    end,
  },
  target = softmax_target { scale = 1, seed = 1 },
  agents = hedge { rate = 1 },
  mediator = {
    none {}, stabilizing {}, known_model {}, optimistic {}, equalizing {},
    greedy {}, constant_bribe {}, uncentred {},
  },
  episodes = 25600, seeds = 5,
}
