// SPDX-License-Identifier: GPL-3.0-or-later
#include "sim/core/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

wal_state wal_state_start(wal_ctx *ctx) { return (wal_state){.ctx = ctx}; }

static wal_field *add(wal_state *state, const char *name, wal_field_kind kind) {
  bool taken = state->count == WAL_FIELDS || strlen(name) >= WAL_FIELD_NAME;
  for (int i = 0; i < state->count && !taken; i++) taken = strcmp(state->field[i].name, name) == 0;
  if (taken) abort();
  wal_field *field = &state->field[state->count++];
  *field = (wal_field){.kind = kind};
  snprintf(field->name, sizeof field->name, "%s", name);
  return field;
}

void wal_state_add_integer(wal_state *state, const char *name, int64_t *value) {
  add(state, name, WAL_FIELD_INTEGER)->integer = value;
}

void wal_state_add_items(wal_state *state, const char *name, void *array, int64_t *count,
                         int64_t *room, size_t item) {
  wal_field *field = add(state, name, WAL_FIELD_ITEMS);
  if (item == 0 || item % sizeof(int64_t) != 0) abort();
  field->array = array;
  field->integer = count;
  field->room = room;
  field->item = item;
}

void wal_state_add_spread(wal_state *state, const char *name, double *values, int64_t rows,
                          int64_t stride, int64_t whole, int64_t first, int64_t count) {
  wal_field *field = add(state, name, WAL_FIELD_SPREAD);
  field->values = values;
  field->rows = rows;
  field->stride = stride;
  field->whole = whole;
  field->first = first;
  field->count = count;
}

double wal_state_bytes(const wal_state *state) {
  double bytes = 0;
  for (int i = 0; i < state->count; i++) {
    const wal_field *f = &state->field[i];
    if (f->kind == WAL_FIELD_INTEGER) bytes += sizeof(int64_t);
    if (f->kind == WAL_FIELD_ITEMS) bytes += (double)*f->integer * (double)f->item;
    if (f->kind == WAL_FIELD_SPREAD) bytes += 8.0 * (double)f->rows * (double)f->whole;
  }
  return bytes;
}
