// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/building.h"

#include "sim/core/hot.h"
#include "sim/core/vector_math.h"

const wal_grid_move wal_building_moves[WAL_BUILDING_DOWNSTAIRS] = {
    {1, 0, "down"}, {-1, 0, "up"}, {0, -1, "left"}, {0, 1, "right"}};

WAL_HOT static void raise_to(int64_t n, const double *restrict x, double low, double *restrict y) {
  for (int64_t i = 0; i < n; i++) y[i] = x[i] > low ? x[i] : low;
}

void wal_building_aversion(int64_t count, const double *mass, double least, double weight,
                           double *reward) {
  raise_to(count, mass, least, reward);
  wal_vector_log(count, reward, reward);
  wal_game_scale(count, -weight, reward);
}

void wal_building_action_name(const void *self, int action, char *buffer, size_t size) {
  static const char *const STAIRS[] = {"downstairs", "upstairs"};
  (void)self;
  if (action < WAL_BUILDING_DOWNSTAIRS)
    wal_game_label(&wal_building_moves[action].name, 0, buffer, size);
  else
    wal_game_label(STAIRS, action - WAL_BUILDING_DOWNSTAIRS, buffer, size);
}
