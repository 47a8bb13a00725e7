// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "incentives/steer/equalizer.h"

/* What makes the target an equilibrium, and no more: the baseline that costs are compared with. */

static const wal_param PARAMS[] = {
    {.name = "by",
     .type = WAL_TEXT,
     .text = "cheapest",
     .choices = "cheapest|equalizer",
     .meaning = "V - Q of the optimal values, which is the cheapest, or 1 - r"},
    {0}};

static bool cheapest(const wal_params *params) {
  return strcmp(wal_params_text(params, "by"), "cheapest") == 0;
}

static unsigned knows(const wal_params *params) {
  return cheapest(params) ? WAL_KNOWS_MODEL | WAL_KNOWS_REWARD : WAL_KNOWS_REWARD;
}

static wal_status create(const wal_params *params, wal_mediator *m) {
  const wal_equalizer like = {
      .model = WAL_KNOWLEDGE_EXACT, .reward = WAL_KNOWLEDGE_EXACT, .incentive = WAL_INCENTIVE_NONE};
  return wal_equalizer_create(params, m, &like);
}

/* r + payment = 1. */
static void complete_rewards(wal_mediator *m, const wal_observation *seen) {
  const wal_equalizer *e = m->self;
  const int64_t states = m->setup.states, pairs = states * m->setup.actions;
  wal_equalizer_rewards(m, seen);
  for (int h = m->setup.horizon - 1; h >= 0; h--) {
    for (int64_t s = 0; s < states; s++)
      m->potential[h * states + s] = 1 + m->potential[(h + 1) * states + s];
    for (int64_t i = 0; i < pairs; i++)
      m->payment[h * pairs + i] = wal_mediator_legal(m, i) ? 1 - e->reward_bound[h * pairs + i] : 0;
  }
}

/* Without transitions it cannot ask for what follows. */
static void pay(wal_mediator *m, const wal_observation *seen) {
  if (m->known.expect)
    wal_equalizer_pay(m, seen);
  else
    complete_rewards(m, seen);
}

const wal_mediator_type wal_mediator_stabilizing = {
    .struct_size = sizeof(wal_mediator_type),
    .component = {.name = "stabilizing",
                  .kind = "mediator",
                  .summary = "knows the game: pays what makes the target an equilibrium",
                  .source = "docs/steering.md",
                  .params = PARAMS},
    .knows = knows,
    .create = create,
    .destroy = wal_equalizer_destroy,
    .pay = pay};
