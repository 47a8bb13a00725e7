// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/mediator.h"

#include <string.h>

#include "sim/core/memory.h"

static const wal_mediator_type *const MEDIATORS[] = {
#define WAL_MEDIATOR_ENTRY(name) &wal_mediator_##name,
    WAL_MEDIATOR_LIST(WAL_MEDIATOR_ENTRY)
#undef WAL_MEDIATOR_ENTRY
};

int64_t wal_mediator_count(void) { return (int64_t)(sizeof MEDIATORS / sizeof MEDIATORS[0]); }

const wal_mediator_type *wal_mediator_at(int64_t index) { return MEDIATORS[index]; }

const wal_mediator_type *wal_mediator_find(const char *name) {
  for (int64_t i = 0; i < wal_mediator_count(); i++)
    if (strcmp(MEDIATORS[i]->component.name, name) == 0) return MEDIATORS[i];
  return NULL;
}

/* What a mediator of this type with these parameters is allowed to ask. */
static wal_known_game known_to(const wal_mediator_setup *setup, const wal_mediator_type *type,
                               const wal_params *params) {
  const unsigned knows = type->knows ? type->knows(params) : 0;
  wal_known_game known = {0};
  if (knows & WAL_KNOWS_MODEL) known.expect = setup->known->expect;
  if (knows & WAL_KNOWS_REWARD) known.reward = setup->known->reward;
  if (knows) known.user = setup->known->user;
  return known;
}

wal_status wal_mediator_create(const wal_mediator_setup *setup, const wal_mediator_type *type,
                               const wal_params *params, wal_mediator **out) {
  wal_ctx *ctx = setup->ctx;
  const int64_t pairs = setup->horizon * setup->states * setup->actions;
  wal_mediator *m = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "mediator", 1, sizeof *m, &m));
  *m = (wal_mediator){.type = type, .setup = *setup, .known = known_to(setup, type, params)};
  m->setup.known = NULL;
  wal_status status = wal_acquire(ctx, "payments", pairs, sizeof(double), &m->payment);
  if (status == WAL_OK) status = wal_acquire(ctx, "payments", pairs, sizeof(double), &m->incentive);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "payments", (setup->horizon + 1) * setup->states, sizeof(double),
                         &m->potential);
  if (status == WAL_OK && type->create) status = type->create(params, m);
  if (status == WAL_OK)
    *out = m;
  else
    wal_mediator_destroy(&m);
  return status;
}

void wal_mediator_destroy(wal_mediator **mediator) {
  if (!mediator || !*mediator) return;
  wal_mediator *m = *mediator;
  wal_ctx *ctx = m->setup.ctx;
  if (m->type->destroy) m->type->destroy(m);
  wal_release(ctx, &m->self);
  wal_release(ctx, &m->payment);
  wal_release(ctx, &m->incentive);
  wal_release(ctx, &m->potential);
  wal_release(ctx, &m->reward_bound);
  wal_release(ctx, &m->expected_bound);
  wal_release(ctx, mediator);
}

void wal_mediator_attach(wal_mediator *m, double *memory, bool fresh) {
  m->memory = memory;
  if (fresh) memset(memory, 0, (size_t)m->memory_count * sizeof *memory);
  if (fresh && m->type->start) m->type->start(m);
  if (m->type->restored) m->type->restored(m);
}
