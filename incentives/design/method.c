// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/method.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"

static const wal_method_type *const METHODS[] = {
#define WAL_METHOD_ENTRY(name) &wal_method_##name,
    WAL_METHOD_LIST(WAL_METHOD_ENTRY)
#undef WAL_METHOD_ENTRY
};

int64_t wal_method_count(void) { return (int64_t)(sizeof METHODS / sizeof METHODS[0]); }

const wal_method_type *wal_method_at(int64_t index) { return METHODS[index]; }

const wal_method_type *wal_method_find(const char *name) {
  for (int64_t i = 0; i < wal_method_count(); i++)
    if (strcmp(METHODS[i]->component.name, name) == 0) return METHODS[i];
  return NULL;
}

static wal_ctx *ctx_of(const wal_method *m) { return wal_problem_space(m->problem)->ctx; }

wal_status wal_method_check(wal_ctx *ctx, const wal_method_type *type, const wal_params *params,
                            const wal_game *game) {
  const wal_status status = type->exact ? wal_adjoint_check(ctx, game) : WAL_OK;
  char why[512], others[128] = "";
  if (status == WAL_OK) return WAL_OK;
  for (int64_t i = 0; i < wal_method_count(); i++) {
    const size_t used = strlen(others);
    if (!METHODS[i]->exact)
      snprintf(others + used, sizeof others - used, "%s%s{}", used > 0 ? " or " : "",
               METHODS[i]->component.name);
  }
  snprintf(why, sizeof why, "%s", wal_ctx_error(ctx));
  const char *file = wal_params_file(params);
  if (strncmp(why, file, strlen(file)) == 0)  // the game says where
    return wal_fail(ctx, status, "%s; method = %s can be used", why, others);
  return wal_params_fail(ctx, params, NULL, "%s; method = %s can be used", why, others);
}

wal_status wal_method_create(wal_problem *problem, const wal_method_type *type,
                             const wal_params *params, int64_t restart, wal_method **out) {
  wal_ctx *ctx = wal_problem_space(problem)->ctx;
  const int64_t count = wal_problem_count(problem);
  wal_method *m = NULL;
  *out = NULL;
  wal_status status = wal_method_check(ctx, type, params, wal_problem_game(problem));
  if (status == WAL_OK) status = wal_acquire(ctx, "method", 1, sizeof *m, &m);
  if (status == WAL_OK) {
    *m = (wal_method){.type = type, .problem = problem, .restart = restart};
    m->memory_count = m->memory_room = type->memory;
    status = wal_acquire(ctx, "method", type->memory, sizeof(double), &m->memory);
  }
  if (status == WAL_OK) status = wal_acquire(ctx, "method", count, sizeof(double), &m->drawn);
  if (status == WAL_OK) status = wal_acquire(ctx, "method", count, sizeof(double), &m->tried);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = type->create(params, m);
  if (status == WAL_OK)
    *out = m;
  else
    wal_method_destroy(&m);
  return status;
}

void wal_method_destroy(wal_method **method) {
  if (!method || !*method) return;
  wal_ctx *ctx = ctx_of(*method);
  wal_release(ctx, &(*method)->memory);
  wal_release(ctx, &(*method)->drawn);
  wal_release(ctx, &(*method)->tried);
  wal_release(ctx, method);
}

void wal_method_declare(wal_method *m, wal_state *state) {
  wal_problem_declare(m->problem, state);
  if (m->type->memory > 0)
    wal_state_add_items(state, "method", &m->memory, &m->memory_count, &m->memory_room,
                        sizeof *m->memory);
}

wal_status wal_method_step(wal_method *m, int64_t step, const double *theta, double *out,
                           wal_method_result *result) {
  *result = (wal_method_result){.gradient_norm = NAN, .residual = NAN};
  wal_problem_draw(m->problem, m->restart, step);
  WAL_TRY(m->type->step(m, step, theta, out, result));
  if (wal_problem_draws(m->problem)) result->exact = false;
  if (m->type->moves) return WAL_OK;
  return wal_problem_check_finite(m->problem, "derivative", wal_problem_count(m->problem), out,
                                  &result->gradient_norm);
}

void wal_method_draw(const wal_method *m, wal_purpose purpose, int64_t step, int64_t draw,
                     double *out) {
  const uint64_t seed = wal_ctx_seed(ctx_of(m)), first = (uint64_t)m->restart << 40;
  const int64_t count = wal_problem_count(m->problem);
  for (int64_t i = 0; i < count; i += 2) {
    const wal_random_words words =
        wal_random(seed, purpose, first + (uint64_t)i / 2, (uint32_t)step, (uint32_t)draw);
    out[i] = wal_random_normal(wal_random_real(&words, 0));
    if (i + 1 < count) out[i + 1] = wal_random_normal(wal_random_real(&words, 1));
  }
}
