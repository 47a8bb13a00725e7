// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/learn/learner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/learn/learner_list.h"

static const wal_learner_type *const LEARNERS[] = {
#define WAL_LEARNER_ENTRY(name) &wal_learner_##name,
    WAL_LEARNER_LIST(WAL_LEARNER_ENTRY)
#undef WAL_LEARNER_ENTRY
};

int64_t wal_learner_count(void) { return (int64_t)(sizeof LEARNERS / sizeof LEARNERS[0]); }

const wal_learner_type *wal_learner_at(int64_t index) { return LEARNERS[index]; }

const wal_learner_type *wal_learner_find(const char *name) {
  for (int64_t i = 0; i < wal_learner_count(); i++)
    if (strcmp(LEARNERS[i]->component.name, name) == 0) return LEARNERS[i];
  return NULL;
}

wal_ties wal_ties_read(const wal_params *params) {
  return strcmp(wal_params_text(params, "ties"), "first") == 0 ? WAL_TIES_FIRST : WAL_TIES_SHARE;
}

static unsigned bit(wal_value value) { return 1u << value; }

static unsigned measured_values(const wal_learner *l) {
  unsigned soft = bit(WAL_VALUE_SOFT_POLICY) | bit(WAL_VALUE_SOFT_BEST);
  return bit(WAL_VALUE_POLICY) | bit(WAL_VALUE_BEST) | (l->entropy > 0 ? soft : 0);
}

wal_status wal_learner_create(const wal_space *space, const wal_learner_type *type,
                              wal_params *params, wal_learner **out) {
  wal_ctx *ctx = space->ctx;
  wal_learner *l = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "learner", 1, sizeof *l, &l);
  if (status == WAL_OK) {
    l->type = type;
    l->space = space;
    status = type->create(ctx, params, l);
  }
  if (status == WAL_OK) status = wal_policy_create(space, l->kind, &l->policy);
  if (status == WAL_OK && l->keeps_prior)
    status = wal_acquire(ctx, "prior policy", space->game->shape.horizon * space->pairs,
                         sizeof(double), &l->prior);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_flow_create(space, wal_policy_rereads(&l->policy), &l->flow);
  if (status == WAL_OK && l->follows_response) status = wal_flow_create(space, false, &l->response);
  if (status == WAL_OK)
    status =
        wal_values_create(space, measured_values(l) | bit(l->needs),
                          l->needs == WAL_VALUE_POLICY ? WAL_VALUE_POLICY : WAL_VALUES, &l->values);
  if (status == WAL_OK)
    *out = l;
  else
    wal_learner_destroy(&l);
  return status;
}

void wal_learner_declare(wal_learner *l, wal_state *state) {
  wal_state_add_integer(state, "steps", &l->steps);
  wal_policy_declare(l->space, l->policy.values, "policy", state);
  if (l->prior) wal_policy_declare(l->space, l->prior, "prior_policy", state);
}

void wal_learner_restored(wal_learner *l) { wal_policy_restored(&l->policy); }

static void add_traffic(wal_traffic *sum, wal_traffic more) {
  sum->bytes += more.bytes;
  sum->messages += more.messages;
  sum->collectives += more.collectives;
}

wal_status wal_learner_plan(const wal_space *space, const wal_learner_type *type,
                            wal_params *params, wal_learner_cost *out) {
  wal_learner *l = NULL;
  wal_ctx_plan_begin(space->ctx);
  wal_status status = wal_learner_create(space, type, params, &l);
  *out = (wal_learner_cost){0};
  if (status == WAL_OK) {
    add_traffic(&out->traffic, wal_flow_traffic(space));
    add_traffic(&out->traffic, wal_values_traffic(space, measured_values(l) | bit(l->needs)));
    if (l->follows_response) {
      add_traffic(&out->traffic, wal_flow_traffic(space));
      for (int h = 0; h + 1 < space->game->shape.horizon; h++)
        wal_space_add_traffic(space, h, false, &out->traffic);
    }
  }
  wal_learner_destroy(&l);
  out->bytes = wal_ctx_plan_end(space->ctx);
  return status;
}

void wal_learner_destroy(wal_learner **learner) {
  if (!learner || !*learner) return;
  wal_learner *l = *learner;
  wal_ctx *ctx = l->space->ctx;
  wal_policy_destroy(&l->policy);
  wal_flow_destroy(&l->flow);
  wal_flow_destroy(&l->response);
  wal_values_destroy(&l->values);
  wal_release(ctx, &l->prior);
  wal_release(ctx, &l->self);
  wal_release(ctx, learner);
}

/* Position, in the order that a sweep computes them, of the first number of [H][S] that is not
   finite on any rank; -1 if all are. */
static wal_status find_nonfinite(const wal_learner *l, const double *x, bool backward,
                                 int64_t *found) {
  const int64_t states = l->space->states.count, all = l->space->states.size;
  const int horizon = l->space->game->shape.horizon;
  *found = INT64_MAX;
  for (int i = 0; i < horizon && *found == INT64_MAX; i++) {
    const double *stage = x + (backward ? horizon - 1 - i : i) * l->space->row;
    for (int64_t s = 0; s < states && *found == INT64_MAX; s++)
      if (!isfinite(stage[s])) *found = i * all + l->space->states.first + s;
  }
  WAL_TRY(wal_ctx_least_integer(l->space->ctx, found));
  if (*found == INT64_MAX) *found = -1;
  return WAL_OK;
}

static void describe_state(const wal_shape *shape, int64_t state, char *text, size_t size) {
  int n = snprintf(text, size, "state %lld", (long long)state);
  if (shape->axes < 2 || n < 0) return;
  int64_t rest = shape->states;
  for (int i = 0; i < shape->axes && (size_t)n < size; i++) {
    rest /= shape->axis[i].size;
    n += snprintf(text + n, size - (size_t)n, "%s%s %lld", i == 0 ? " (" : ", ",
                  shape->axis[i].name, (long long)(state / rest % shape->axis[i].size));
  }
  if ((size_t)n + 1 < size) strcpy(text + n, ")");
}

wal_status wal_learner_check_finite(const wal_learner *l) {
  const wal_shape *shape = &l->space->game->shape;
  static const char *const WHAT[] = {"mass", "value"};
  for (int backward = 0; backward < 2; backward++) {
    int64_t found = -1;
    WAL_TRY(find_nonfinite(l, backward ? l->values.kept : l->flow.mass, backward, &found));
    if (found < 0) continue;
    int64_t stage = found / shape->states;
    char state[160];
    describe_state(shape, found % shape->states, state, sizeof state);
    return wal_fail(l->space->ctx, WAL_ENONFINITE,
                    "%s: iteration %lld: the %s at stage %lld, %s is not finite",
                    l->space->game->type->component.name, (long long)l->steps, WHAT[backward],
                    (long long)(backward ? shape->horizon - 1 - stage : stage), state);
  }
  return WAL_OK;
}

static wal_status report_nonfinite(const wal_learner *l) {
  WAL_TRY(wal_learner_check_finite(l));
  return wal_fail(l->space->ctx, WAL_ENONFINITE, "%s: iteration %lld: a total is not finite",
                  l->space->game->type->component.name, (long long)l->steps);
}

wal_status wal_learner_sweep(wal_learner *l, bool measure, bool update, wal_measure *out) {
  const int populations = l->space->game->shape.populations;
  wal_value_totals totals;
  wal_value_request request = {.entropy = l->entropy, .user = l};
  if (measure) request.which = measured_values(l);
  if (update || !measure) request.which |= bit(l->needs);
  request.keep = update || !measure ? l->needs : WAL_VALUE_POLICY;
  if (update && l->steps_logits)
    request.step = &l->step;
  else if (update)
    request.visit = l->type->visit;
  if (request.visit) request.visits = bit(l->needs);
  WAL_TRY(wal_flow_run(&l->flow, &l->policy));
  WAL_TRY(wal_values_run(&l->values, &l->flow, &l->policy, &request, &totals));

  *out = (wal_measure){.iteration = l->steps, .populations = populations};
  double all = 0;
  for (int p = 0; p < populations; p++) {
    for (int c = 0; c < WAL_VALUES; c++) all += totals.value[c][p];
    out->exploitability_of[p] = totals.exploitability[p];
    out->exploitability += totals.exploitability[p];
    out->soft_exploitability += totals.soft_exploitability[p];
    out->value_of[p] = totals.value[WAL_VALUE_POLICY][p];
    out->value += out->value_of[p];
  }
  if (!isfinite(all + out->exploitability)) return report_nonfinite(l);
  if (!update) return WAL_OK;
  if (l->type->finish) WAL_TRY(l->type->finish(l));
  l->steps++;
  return WAL_OK;
}
