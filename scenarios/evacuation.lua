-- People leave a building of three floors by its stairs and two exits. Floors stand one below the
-- other, the ground floor first, apart by an empty line: # wall, . free, S somebody starts here,
-- E exit, U stairs up, D stairs down, X both. Stairs lead to the same place on the next floor.
return solve {
  game = evacuation {
    map = [[
      ###########
      E....#....#
      #.........#
      #U...#...U#
      #######E###

      ###########
      #S.S.#S.S.#
      #.........#
      #X...#...X#
      ###########

      ###########
      #SSS...SSS#
      #...###...#
      #D..###..D#
      ###########
    ]],
    horizon = 24,
    exit_reward = 5, -- for each stage spent on an exit
    crowd_weight = 1,
  },
  learner = fictitious_play {},
  stop = { iterations = 400, relative = 0.02 },
}
