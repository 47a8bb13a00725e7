-- People on a beach of 100 places walk towards a bar at place 50, a step at a time, against the
-- wind, and would rather not stand in the crowd. Fictitious play with a fixed weight finds the
-- equilibrium; the rate 1/(k+2) of the plain average would take longer here.
return solve {
  game = beach_bar { states = 100, horizon = 16, bar = 50 },
  learner = fictitious_play { rate = 0.1 },
  stop = { iterations = 200, relative = 1e-4 },
}
