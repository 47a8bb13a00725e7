-- Everybody starts in one corner of four rooms joined by doors and dislikes the crowd: how does it
-- spread? The walls are states that nobody reaches, so that every stage of /solution/mean_field is
-- a picture of the rooms. The map is the one named "four_rooms"; write your own in its place.
return solve {
  game = crowd_modelling_2d {
    map = [[
      #############
      #S....#.....#
      #.....#.....#
      #...........#
      #.....#.....#
      #.....#.....#
      ###.#####.###
      #.....#.....#
      #.....#.....#
      #...........#
      #.....#.....#
      #.....#.....#
      #############
    ]],
    horizon = 40,
    noise = 0.5, -- a step in two is followed by a random one
    distribution_only = true, -- no bar to be near
  },
  learner = mirror_descent { rate = 0.01 },
  stop = { iterations = 400, relative = 0.01 },
}
