// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/bandit.h"
#include "sim/core/memory.h"

/* A reward of its own for every pair: N(0,1), shifted and scaled so that they span [0, R]. */

enum { STAGE_REWARDS = 3 };

static const wal_param PARAMS[] = {WAL_BANDIT_SHAPE_PARAMS, WAL_BANDIT_REWARD_PARAMS, {0}};

static wal_status draw(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit *out) {
  wal_bandit_arrays a = {.prompts = wal_params_integer(params, "prompts"),
                         .responses = wal_params_integer(params, "responses")};
  double *raw = NULL;
  WAL_TRY(wal_acquire(ctx, "rewards", a.prompts * a.responses, sizeof *raw, &raw));
  wal_bandit_normals(seed, STAGE_REWARDS, a.prompts * a.responses, 1, raw);
  const wal_status status = wal_bandit_finish_draw(ctx, params, seed, &a, raw, out);
  wal_release(ctx, &raw);
  return status;
}

const wal_bandit_type wal_bandit_tabular = {
    .struct_size = sizeof(wal_bandit_type),
    .component = {.name = "tabular",
                  .kind = "bandit",
                  .summary = "rewards that are independent, one for each prompt and response",
                  .source = "docs/transfer.md",
                  .params = PARAMS},
    .draw = draw};
