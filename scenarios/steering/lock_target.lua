-- The target of lock.lua: to dial, which is what agents do where nothing is paid outside.
-- walras run scenarios/steering/lock_target.lua     makes lock_target.h5, which lock.lua reads.
return solve {
  game = combination_lock { rest = 0 },
  learner = mirror_descent { rate = 1 },
  stop = { iterations = 300 },
}
