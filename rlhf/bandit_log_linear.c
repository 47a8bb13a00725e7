// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "rlhf/bandit.h"
#include "sim/core/memory.h"

/* r*(s,a) = theta' phi(s,a), with N(0,1) features over sqrt(d) and an N(0, I) theta, shifted and
 * scaled so that the rewards span [0, R]. */

enum { STAGE_THETA = 1, STAGE_FEATURES = 2 };

static const wal_param PARAMS[] = {
    WAL_BANDIT_SHAPE_PARAMS,
    {.name = "features",
     .type = WAL_INTEGER,
     .number = 60,
     .low = 1,
     .high = 1e4,
     .meaning = "number d of features of a pair of prompt and response"},
    WAL_BANDIT_REWARD_PARAMS,
    {.name = "phi",
     .type = WAL_ARRAY,
     .rank = 3,
     .optional = true,
     .low = -HUGE_VAL,
     .high = HUGE_VAL,
     .meaning = "phi[prompt][response][feature]; left out: drawn. A reward that is given together "
                "with it need not be linear in it"},
    {0}};

static wal_status draw_arrays(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit_arrays *a,
                              double *phi, double *theta, double *raw, wal_bandit *out) {
  const int64_t pairs = a->prompts * a->responses, d = a->features;
  WAL_TRY(wal_params_array(ctx, params, "phi", a->prompts, a->responses, d, &a->phi));
  if (!a->phi) {
    wal_bandit_normals(seed, STAGE_FEATURES, pairs * d, 1 / sqrt((double)d), phi);
    a->phi = phi;
  }
  wal_bandit_normals(seed, STAGE_THETA, d, 1, theta);
  for (int64_t i = 0; i < pairs; i++)
    for (int64_t k = 0; k < d; k++) raw[i] += theta[k] * a->phi[i * d + k];
  return wal_bandit_finish_draw(ctx, params, seed, a, raw, out);
}

static wal_status draw(wal_ctx *ctx, wal_params *params, uint64_t seed, wal_bandit *out) {
  wal_bandit_arrays a = {.prompts = wal_params_integer(params, "prompts"),
                         .responses = wal_params_integer(params, "responses"),
                         .features = wal_params_integer(params, "features")};
  const int64_t pairs = a.prompts * a.responses;
  double *phi = NULL, *theta = NULL, *raw = NULL;
  int64_t of_phi = 0;
  wal_status status = WAL_OK;
  if (wal_params_given(params, "reward") && !wal_params_given(params, "phi"))
    return wal_params_fail(ctx, params, "reward",
                           "expected features \"phi\" together with it, which a reward is learnt "
                           "by, got none");
  if (!wal_multiply(pairs, a.features, &of_phi)) of_phi = INT64_MAX;
  WAL_TRY_GOTO(wal_acquire(ctx, "features", of_phi, sizeof *phi, &phi));
  WAL_TRY_GOTO(wal_acquire(ctx, "features", a.features, sizeof *theta, &theta));
  WAL_TRY_GOTO(wal_acquire(ctx, "rewards", pairs, sizeof *raw, &raw));
  WAL_TRY_GOTO(draw_arrays(ctx, params, seed, &a, phi, theta, raw, out));
cleanup:
  wal_release(ctx, &phi);
  wal_release(ctx, &theta);
  wal_release(ctx, &raw);
  return status;
}

const wal_bandit_type wal_bandit_log_linear = {
    .struct_size = sizeof(wal_bandit_type),
    .component = {.name = "log_linear",
                  .kind = "bandit",
                  .summary = "rewards that are linear in features",
                  .source = "docs/transfer.md",
                  .params = PARAMS},
    .draw = draw};
