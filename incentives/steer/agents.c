// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/agents.h"

#include <math.h>
#include <string.h>

static const wal_agents_type *const AGENTS[] = {
#define WAL_AGENTS_ENTRY(name) &wal_agents_##name,
    WAL_AGENTS_LIST(WAL_AGENTS_ENTRY)
#undef WAL_AGENTS_ENTRY
};

int64_t wal_agents_count(void) { return (int64_t)(sizeof AGENTS / sizeof AGENTS[0]); }

const wal_agents_type *wal_agents_at(int64_t index) { return AGENTS[index]; }

const wal_agents_type *wal_agents_find(const char *name) {
  for (int64_t i = 0; i < wal_agents_count(); i++)
    if (strcmp(AGENTS[i]->component.name, name) == 0) return AGENTS[i];
  return NULL;
}

double wal_agents_rate(const wal_agents *agents, int64_t t) {
  return agents->horizon_rate > 0 ? agents->horizon_rate : agents->rate / sqrt((double)t);
}

wal_status wal_agents_create(wal_ctx *ctx, const wal_agents_type *type, const wal_params *params,
                             int64_t episodes, wal_agents *out) {
  *out = (wal_agents){.type = type, .rate = wal_params_real(params, "rate")};
  WAL_TRY(type->create(ctx, params, out));
  if (out->share < 0) out->share = 1 / (double)episodes;
  out->horizon_rate *= out->rate / sqrt((double)episodes);
  return WAL_OK;
}
