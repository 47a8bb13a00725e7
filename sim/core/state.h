// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_STATE_H
#define WALRAS_SIM_CORE_STATE_H

#include "sim/core/context.h"

/**
 * What a task needs to go on later as if it had never stopped: a list of named fields. Whoever owns
 * a number that a step leaves behind for the next one declares it, in one place; writing it to a
 * checkpoint and reading it back are then nobody's business but io/checkpoint.h's.
 *
 * Fields are declared in the same order, with the same names and global sizes, on all ranks.
 */
typedef enum wal_field_kind {
  WAL_FIELD_INTEGER, /**< one int64_t, the same on all ranks */
  WAL_FIELD_ITEMS,   /**< a list of structs that grows, the same on all ranks but for clocks */
  WAL_FIELD_SPREAD,  /**< rows of reals, of each row a range a rank */
} wal_field_kind;

enum { WAL_FIELDS = 64, WAL_FIELD_NAME = 48 };

/** A field: what is to be kept, and where it stands in memory. */
typedef struct wal_field {
  char name[WAL_FIELD_NAME]; /**< [a-z][a-z0-9_]* */
  wal_field_kind kind;       /**< which of the following count */
  int64_t *integer;          /**< INTEGER; of ITEMS the count (lists may share it, and the room) */
  void *array;               /**< ITEMS: address of the pointer to them, which wal_acquire() made */
  int64_t *room;             /**< ITEMS: for how many there is room */
  size_t item;          /**< ITEMS: bytes of one, a multiple of 8 without padding that varies */
  double *values;       /**< SPREAD: own range of row 0 */
  int64_t rows, stride; /**< SPREAD: how many; numbers from one row to the next in memory */
  int64_t whole, first, count; /**< SPREAD: numbers of a row over all ranks, and the own range */
} wal_field;

/** The list. */
typedef struct wal_state {
  wal_ctx *ctx;                /**< whose ranks have the fields */
  int count;                   /**< of fields */
  wal_field field[WAL_FIELDS]; /**< [count] */
} wal_state;

/** An empty list, whose fields are those of all ranks of ctx. */
wal_state wal_state_start(wal_ctx *ctx);

/* Declare a field. What they point to must outlive the list. A field too many, or a name twice, is
 * a mistake of the program and aborts. */

/** A WAL_FIELD_INTEGER. */
void wal_state_add_integer(wal_state *state, const char *name, int64_t *value);
/** A WAL_FIELD_ITEMS of structs of `item` bytes; `array` is the address of the pointer to them. */
void wal_state_add_items(wal_state *state, const char *name, void *array, int64_t *count,
                         int64_t *room, size_t item);
/** A WAL_FIELD_SPREAD. */
void wal_state_add_spread(wal_state *state, const char *name, double *values, int64_t rows,
                          int64_t stride, int64_t whole, int64_t first, int64_t count);

/** Bytes of all fields over all ranks. */
double wal_state_bytes(const wal_state *state);

#endif
