// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/method.h"

#include <string.h>

#include "sim/core/memory.h"

static const wal_transfer_method_type *const METHODS[] = {
#define WAL_TRANSFER_METHOD_ENTRY(name) &wal_transfer_method_##name,
    WAL_TRANSFER_METHOD_LIST(WAL_TRANSFER_METHOD_ENTRY)
#undef WAL_TRANSFER_METHOD_ENTRY
};

int64_t wal_transfer_method_count(void) { return (int64_t)(sizeof METHODS / sizeof METHODS[0]); }

const wal_transfer_method_type *wal_transfer_method_at(int64_t index) { return METHODS[index]; }

const wal_transfer_method_type *wal_transfer_method_find(const char *name) {
  for (int64_t i = 0; i < wal_transfer_method_count(); i++)
    if (strcmp(METHODS[i]->component.name, name) == 0) return METHODS[i];
  return NULL;
}

wal_status wal_transfer_method_create(const wal_transfer_method_setup *setup,
                                      const wal_transfer_method_type *type,
                                      const wal_params *params, wal_transfer_method **out) {
  wal_transfer_method *m = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(setup->ctx, "method", 1, sizeof *m, &m));
  *m = (wal_transfer_method){.type = type, .setup = *setup};
  const wal_status status = type->create ? type->create(params, m) : WAL_OK;
  if (status == WAL_OK)
    *out = m;
  else
    wal_transfer_method_destroy(&m);
  return status;
}

void wal_transfer_method_destroy(wal_transfer_method **method) {
  if (!method || !*method) return;
  wal_ctx *ctx = (*method)->setup.ctx;
  if ((*method)->type->destroy && (*method)->self) (*method)->type->destroy(*method);
  wal_release(ctx, &(*method)->self);
  wal_release(ctx, method);
}

wal_status wal_transfer_method_attach(wal_transfer_method *m,
                                      const wal_transfer_method_problem *problem, double *memory,
                                      bool fresh, int64_t fitted) {
  const wal_bandit_known *known = problem->known;
  m->problem = *problem;
  m->memory = memory;
  m->fitted = fitted;
  m->reference = (wal_responder){
      .log_p = (double *)known->log_reference, .p = (double *)known->reference, .version = 1};
  wal_fit_attach(m->setup.fit, known, &m->problem.data);
  if (fresh) memset(memory, 0, (size_t)m->memory_count * sizeof *memory);
  if (fresh && m->type->start) m->type->start(m);
  return m->type->derive(m);
}
