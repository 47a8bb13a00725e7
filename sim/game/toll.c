// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/game/toll.h"

#include <math.h>
#include <string.h>

#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

static const wal_param PARAMS[] = {
    {.name = "on",
     .type = WAL_TEXT,
     .text = "state",
     .choices = "state|state_action",
     .meaning = "what is charged for: being in a state, or playing an action there"},
    {.name = "max",
     .type = WAL_REAL,
     .number = 0.5,
     .low = 0,
     .high = HUGE_VAL,
     .unit = "reward",
     .meaning = "no charge is higher"},
    {.name = "start",
     .type = WAL_REAL,
     .number = 0.5,
     .low = 0x1p-20,
     .high = 1 - 0x1p-20,
     .meaning = "all charges that are not designed, or before they are, as a share of max"},
    {0}};

const wal_component wal_toll_component = {
    .name = "toll",
    .kind = "toll",
    .summary = "a charge on states or actions, the same at all stages; can be designed",
    .source = "Corecco et al. 2025, section 5",
    .params = PARAMS};

wal_status wal_toll_create(wal_ctx *ctx, wal_params *params, int64_t states, int actions,
                           wal_toll *out) {
  memset(out, 0, sizeof *out);
  if (!params) return WAL_OK;
  const bool by_action = strcmp(wal_params_text(params, "on"), "state_action") == 0;
  int64_t count = states;
  if (by_action && !wal_multiply(states, actions, &count))
    return wal_params_fail(ctx, params, "on",
                           "there are too many states and actions for a charge "
                           "on each");
  const double start = wal_params_real(params, "start");
  *out = (wal_toll){.by_action = by_action,
                    .most = wal_params_real(params, "max"),
                    .states = states,
                    .actions = actions,
                    .count = count};
  wal_status status = wal_acquire(ctx, "toll", count, sizeof(double), &out->xi);
  if (status == WAL_OK) status = wal_acquire(ctx, "toll", count, sizeof(double), &out->charge);
  if (status != WAL_OK) {
    wal_toll_destroy(ctx, out);
    return status;
  }
  if (wal_ctx_planning(ctx)) return WAL_OK;
  for (int64_t i = 0; i < count; i++) out->xi[i] = log(start / (1 - start));
  wal_toll_renew(out);
  return WAL_OK;
}

void wal_toll_destroy(wal_ctx *ctx, wal_toll *toll) {
  wal_release(ctx, &toll->xi);
  wal_release(ctx, &toll->charge);
  memset(toll, 0, sizeof *toll);
}

void wal_toll_renew(wal_toll *toll) {
  for (int64_t i = 0; i < toll->count; i++) toll->charge[i] = -toll->xi[i];
  wal_vector_exp(toll->count, toll->charge, toll->charge);
  for (int64_t i = 0; i < toll->count; i++) toll->charge[i] = toll->most / (1 + toll->charge[i]);
}

WAL_HOT static void subtract(int64_t count, const double *restrict charge,
                             double *restrict reward) {
  for (int64_t i = 0; i < count; i++) reward[i] -= charge[i];
}

void wal_toll_take(const wal_toll *toll, int rows, int64_t first, int64_t count, int64_t stride,
                   double *reward) {
  for (int a = 0; toll->count > 0 && a < rows; a++)
    subtract(count, toll->charge + (toll->by_action ? a * toll->states : 0) + first,
             reward + a * stride);
}

void wal_toll_charge_bar(const wal_toll *toll, int64_t first, int64_t count, int64_t stride,
                         const double *reward_bar, int64_t first_own, int64_t own, double *bar) {
  for (int a = 0; a < toll->actions; a++)
    subtract(count, reward_bar + a * stride,
             bar + (toll->by_action ? a * own : 0) + (first - first_own));
}

void wal_toll_pull_back(const wal_toll *toll, const double *charge_bar, double *xi_bar) {
  for (int64_t i = 0; i < toll->count; i++) {
    const double share = toll->most > 0 ? toll->charge[i] / toll->most : 0;
    xi_bar[i] += charge_bar[i] * toll->charge[i] * (1 - share);
  }
}
