// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/design/optimizer.h"

#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/vector_math.h"

static const wal_optimizer_type *const OPTIMIZERS[] = {
#define WAL_OPTIMIZER_ENTRY(name) &wal_optimizer_##name,
    WAL_OPTIMIZER_LIST(WAL_OPTIMIZER_ENTRY)
#undef WAL_OPTIMIZER_ENTRY
};

int64_t wal_optimizer_count(void) { return (int64_t)(sizeof OPTIMIZERS / sizeof OPTIMIZERS[0]); }

const wal_optimizer_type *wal_optimizer_at(int64_t index) { return OPTIMIZERS[index]; }

const wal_optimizer_type *wal_optimizer_find(const char *name) {
  for (int64_t i = 0; i < wal_optimizer_count(); i++)
    if (strcmp(OPTIMIZERS[i]->component.name, name) == 0) return OPTIMIZERS[i];
  return NULL;
}

wal_status wal_optimizer_create(wal_ctx *ctx, const wal_optimizer_type *type,
                                const wal_params *params, int64_t count, int64_t steps,
                                wal_optimizer **out) {
  wal_optimizer *o = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "optimizer", 1, sizeof *o, &o));
  *o = (wal_optimizer){.type = type,
                       .ctx = ctx,
                       .count = count,
                       .rate = wal_params_real(params, "rate"),
                       .decay = wal_params_real(params, "decay"),
                       .planned = steps > 0 ? steps : 1};
  o->memory_count = o->memory_room = type->memory * count;
  if (type->create) type->create(params, o);
  const wal_status status =
      wal_acquire(ctx, "optimizer", o->memory_count, sizeof(double), &o->memory);
  if (status == WAL_OK)
    *out = o;
  else
    wal_optimizer_destroy(&o);
  return status;
}

void wal_optimizer_destroy(wal_optimizer **optimizer) {
  if (!optimizer || !*optimizer) return;
  wal_ctx *ctx = (*optimizer)->ctx;
  wal_release(ctx, &(*optimizer)->memory);
  wal_release(ctx, optimizer);
}

void wal_optimizer_declare(wal_optimizer *o, wal_state *state) {
  wal_state_add_integer(state, "optimizer_steps", &o->steps);
  if (o->type->memory > 0)
    wal_state_add_items(state, "optimizer", &o->memory, &o->memory_count, &o->memory_room,
                        sizeof *o->memory);
}

double wal_optimizer_power(double base, double exponent) {
  double x = base;
  wal_vector_log(1, &x, &x);
  x *= exponent;
  wal_vector_exp(1, &x, &x);
  return x;
}

void wal_optimizer_step(wal_optimizer *o, const double *direction, double *theta) {
  const double rate =
      o->rate * wal_optimizer_power(o->decay, (double)o->steps / (double)o->planned);
  o->steps++;
  o->type->step(o, rate, direction, theta);
}
