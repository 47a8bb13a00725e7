-- Must a mediator explore? Agents are to dial a lock of five positions, though every dial may jam
-- it (0.4) and who stays outside is paid 1 in every stage: hardly any does unpaid. A dial must be
-- paid for with all that a jam costs. Who has seen a few dials that did not jam believes it to be
-- harmless and pays too little, nobody dials, and it learns no better.
-- Result: optimistic succeeds with all of ten seeds (gap of 0.17 to 0.34 an episode in the second
-- half, 4.35 unpaid; exponent 0.67, 0.60 .. 0.74), greedy with none: 4.35, as if unpaid, with four
-- of them, 2.4 with the others (exponent 0.96). With the game known: 0.02. The cheapest stabilizer
-- costs 17.93 an episode, optimistic 16.3: whose agents are not quite there costs less. Half a
-- minute on two cores.
local dials = { 4, 3, 0, 4 } -- the right action in each position of combination_lock{} but the last

local function play(stage, state, action)
  local dial = dials[state + 1]
  if not dial then return 1 / 5 end -- open, outside, jammed: all actions are alike
  return action == dial and 1 or 0
end

return steer {
  game = combination_lock { length = 5, actions = 5 },
  target = given { probability = play },
  agents = hedge { rate = 1 },
  mediator = { none {}, known_model {}, optimistic {}, greedy {} },
  episodes = 10000, seeds = 10,
}
