-- An epidemic for 50 days. Every day people go out, and may catch it where many are ill, or stay at
-- home, which costs them 0.5; a day ill costs 1. Nobody counts that who falls ill infects others, so
-- that too many go out. What should people be paid for staying at home?
-- The game is MFGLib's (docs/games.md). The charges are four: on healthy and ill people who go out or stay at
-- home, the same every day. Only their differences matter, as what all pay or get changes nobody's mind:
-- a subsidy is a charge that is lower than others' are. The objective is what the epidemic costs all
-- people, days ill and days at home, a day and person summed over the days; who pays whom is left out.
-- Result: 17.31 against 22.78 without charges. People spend 2.1 of the 51 days ill, not 15.6, and 30.3 healthy
-- at home, not 14.3. Beside who is ill and out a healthy person gets 0.68 a day at home and 0.26 outside. Four
-- seconds on one core.
return design {
  game = susceptible_infected {
    horizon = 51, initial = { 0.9, 0.1 },
    toll = toll { on = "state_action", max = 1 },
  },
  objective = weights {
    weight = function(day, health, action) return -1 * health - 0.5 * action end, -- 1: ill; 1: at home
  },
  learner = mirror_descent { rate = 0.1, entropy = 0.1, iterations = 300 },
  optimizer = adam { rate = 0.3, decay = 0.1 },
  steps = 60,
  evaluate = { iterations = 1000, every = 20 },
}
