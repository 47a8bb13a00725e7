-- A game of your own. Commuters live on a ring of 24 places; the office is at place 6. Each hour
-- they wait, walk a place to the left or to the right, or take the tram, which goes three places to
-- the right but does not come one time in five. Crowds slow everybody down. Copy this file, change
-- the functions, and check it with `walras check FILE`. States, actions and stages count from 0.
local places, office = 24, 6
local step = { [0] = 0, -1, 1, 3 } -- of the actions wait, left, right, tram
local fare = { [0] = 0, 0.1, 0.1, 0.2 }

return solve {
  game = custom {
    states = places, actions = 4, horizon = 12,
    -- the mass of each state at stage 0; left out, it is uniform
    initial = function(s) return s >= 12 and 1 / 12 or 0 end,
    -- where action a leads from state s at stage h: {target, probability} pairs, or one target
    moves = function(h, s, a)
      local target = (s + step[a]) % places
      if a < 3 then return target end
      return { { target, 0.8 }, { s, 0.2 } }
    end,
    -- what it pays; mass[s] is the share of all commuters who are at place s now
    reward = function(h, s, a, mass)
      local away = math.abs(s - office)
      away = math.min(away, places - away)
      return 1 - away / 12 - 2 * mass[s] - fare[a]
    end,
  },
  learner = mirror_descent { rate = 1 },
  stop = { iterations = 2000, exploitability = 0.01 },
}
