// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "sim/core/parameter_private.h"

static const wal_param *param_of(const wal_params *params, const char *name, size_t length) {
  for (int64_t i = 0; i < params->count; i++) {
    const wal_param *param = &params->component->params[i];
    if (strncmp(param->name, name, length) == 0 && param->name[length] == '\0') return param;
  }
  return NULL;
}

const wal_param *wal_params_at(wal_params *params, const char *path, wal_params **owner,
                               const char **rest) {
  for (;;) {
    const size_t length = strcspn(path, ".");
    const wal_param *param = param_of(params, path, length);
    *owner = params;
    *rest = path;
    if (!param || path[length] == '\0') return param;
    const bool parted = param->type == WAL_COMPONENT || param->type == WAL_RECORD;
    wal_params *child = parted ? wal_params_child(params, param->name) : NULL;
    if (!child) return NULL;
    params = child;
    path += length + 1;
  }
}

wal_status wal_params_check_number(wal_ctx *ctx, const wal_params *params, const wal_param *param,
                                   int line, const char *where, double number) {
  return wal_param_check_number(ctx, params, param, line, where, number);
}

void wal_params_exchange(wal_params *params, const wal_param *param, bool *given, double *number) {
  wal_param_value *value = wal_param_find(params, param->name, param->type, NULL);
  const wal_param_value before = *value;
  value->given = *given;
  value->number = *number;
  *given = before.given;
  *number = before.number;
}
