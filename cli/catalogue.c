// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/catalogue.h"

#include "auctions/components.h"
#include "auctions/one_shot.h"
#include "cli/bandit_file.h"
#include "cli/policy_source.h"
#include "cli/task.h"
#include "games/game_list.h"
#include "incentives/design/components.h"
#include "incentives/steer/components.h"
#include "rlhf/components.h"
#include "sim/learn/learner.h"

enum { MOST = 256 };

static const wal_other_name OTHER_NAMES[] = {
    {"second_price", "mechanism", "uniform_price { rule = \"highest_losing\" }"},
    {"vickrey", "mechanism", "uniform_price { rule = \"highest_losing\" }"},
};

const wal_catalogue *wal_catalogue_all(void) {
  static const wal_component *components[MOST];
  static wal_catalogue catalogue;
  if (catalogue.count > 0) return &catalogue;
  int64_t n = 0;
  for (int64_t i = 0; i < wal_task_count() && n < MOST; i++)
    components[n++] = &wal_task_at(i)->component;
  for (int64_t i = 0; i < wal_game_count() && n < MOST; i++)
    components[n++] = &wal_game_at(i)->component;
  for (int64_t i = 0; i < wal_learner_count() && n < MOST; i++)
    components[n++] = &wal_learner_at(i)->component;
  for (int64_t i = 0; i < wal_auction_component_count() && n < MOST; i++)
    components[n++] = wal_auction_component_at(i);
  components[n++] = &wal_toll_component;
  components[n++] = &wal_one_shot_component;
  for (int64_t i = 0; i < wal_one_shot_part_count() && n < MOST; i++)
    components[n++] = wal_one_shot_part_at(i);
  for (int64_t i = 0; i < wal_policy_source_count() && n < MOST; i++)
    components[n++] = wal_policy_source_at(i);
  for (int64_t i = 0; i < wal_design_component_count() && n < MOST; i++)
    components[n++] = wal_design_component_at(i);
  for (int64_t i = 0; i < wal_steer_component_count() && n < MOST; i++)
    components[n++] = wal_steer_component_at(i);
  components[n++] = &wal_bandit_file_component;
  for (int64_t i = 0; i < wal_rlhf_component_count() && n < MOST; i++)
    components[n++] = wal_rlhf_component_at(i);
  catalogue = (wal_catalogue){.components = components,
                              .count = n,
                              .other_names = OTHER_NAMES,
                              .other_count = sizeof OTHER_NAMES / sizeof *OTHER_NAMES};
  return &catalogue;
}
