// SPDX-License-Identifier: GPL-3.0-or-later
#include "games/tables.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "games/common.h"
#include "sim/core/checksum.h"
#include "sim/core/memory.h"

enum { PLACE = 96, PIECE = 1 << 18 };

static const double SUM_TOLERANCE = 1e-9;

static const char *const NAMES[] = {"initial",     "kernel",       "reward",
                                    "reward_mass", "legal",        "axis_names",
                                    "axis_sizes",  "action_names", "horizon"};
static const char *const PARTS[] = {"data", "indices", "indptr"};

/* What is being read. */
typedef struct reader {
  wal_ctx *ctx;
  wal_table_file *file;
  wal_tables *tables;
  int64_t pairs; /**< S * A */
} reader;

static int64_t at_most(int64_t a, int64_t b) { return a < b ? a : b; }

/** "(stage 2, state 3, action 1)" of a row; without the stage if there is only one. */
static const char *place_of(const reader *r, int stages, int64_t row, char out[PLACE]) {
  const int64_t state = row % r->pairs / r->tables->actions;
  char stage[32] = "";
  if (stages > 1) snprintf(stage, sizeof stage, "stage %" PRId64 ", ", row / r->pairs);
  snprintf(out, PLACE, "(%sstate %" PRId64 ", action %" PRId64 ")", stage, state,
           row % r->tables->actions);
  return out;
}

static bool is_legal(const reader *r, int64_t row) {
  const wal_tables *t = r->tables;
  const int64_t pair = row % r->pairs;
  return !t->legal || t->legal[pair % t->actions * t->states + pair / t->actions];
}

/* ---- sizes ---- */

/** Stages of a matrix as the file has it, 0 if it is not there. */
static wal_status matrix_stages(const reader *r, const char *name, int64_t *stages) {
  wal_table_kind kind;
  int rank = 0;
  int64_t extent[WAL_TABLE_RANK] = {0};
  char starts[PLACE];
  *stages = 0;
  WAL_TRY(wal_table_file_kind(r->file, name, &kind));
  if (kind == WAL_TABLE_NOTHING) return WAL_OK;
  snprintf(starts, sizeof starts, "%s/indptr", name);
  WAL_TRY(wal_table_file_shape(r->file, kind == WAL_TABLE_GROUP ? starts : name, &rank, extent));
  *stages = kind == WAL_TABLE_GROUP ? (extent[0] - 1) / r->pairs : rank == 4 ? extent[0] : 1;
  return WAL_OK;
}

/** The horizon: as the scenario says, or the file's attribute, or the first table that has
 *  stages. */
static wal_status read_horizon(const reader *r, int given, int reward_rank, int64_t reward_stages) {
  int64_t horizon = given, stages = 0;
  if (horizon == 0)
    WAL_TRY(wal_table_file_attribute(r->file, "horizon", 1, WAL_GAME_MOST_STAGES, &horizon));
  if (horizon == 0 && reward_rank == 3) horizon = reward_stages;
  if (horizon == 0) {
    WAL_TRY(matrix_stages(r, "kernel", &stages));
    if (stages > 1) horizon = stages + 1;
  }
  if (horizon == 0) {
    WAL_TRY(matrix_stages(r, "reward_mass", &stages));
    if (stages > 1) horizon = stages;
  }
  if (horizon == 0)
    return wal_table_file_fail(r->file, "horizon",
                               "expected an attribute of the file, or a horizon in the scenario, "
                               "got neither (and no table has stages)");
  if (horizon > WAL_GAME_MOST_STAGES)
    return wal_table_file_fail(r->file, "horizon", "expected at most %d stages, got %" PRId64,
                               WAL_GAME_MOST_STAGES, horizon);
  r->tables->horizon = (int)horizon;
  return WAL_OK;
}

/** States are as many as `initial` has numbers, actions as many as `reward` has columns. */
static wal_status read_sizes(reader *r, int horizon) {
  wal_tables *t = r->tables;
  char shape[WAL_TABLE_SHAPE];
  int rank = 0;
  int64_t extent[WAL_TABLE_RANK] = {0};
  WAL_TRY(wal_table_file_shape(r->file, "initial", &rank, extent));
  if (rank != 1 || extent[0] < 1 || extent[0] > INT32_MAX)
    return wal_table_file_fail(r->file, "initial", "expected one number a state, got %s numbers",
                               wal_table_shape_text(rank, extent, shape));
  t->states = extent[0];
  WAL_TRY(wal_table_file_shape(r->file, "reward", &rank, extent));
  const int64_t actions = rank > 1 ? extent[rank - 1] : 0;
  if (rank < 2 || rank > 3 || extent[rank - 2] != t->states || actions < 1 ||
      !wal_multiply(t->states, actions, &r->pairs) || r->pairs > INT32_MAX)
    return wal_table_file_fail(r->file, "reward",
                               "expected %" PRId64 " states x actions numbers, or stages x %" PRId64
                               " states x actions, got %s",
                               t->states, t->states, wal_table_shape_text(rank, extent, shape));
  t->actions = (int)actions;
  WAL_TRY(read_horizon(r, horizon, rank, extent[0]));
  t->reward_stages = rank == 3 ? t->horizon : 1;
  const int64_t wanted[] = {t->horizon, t->states, t->actions};
  return wal_table_file_expect(r->file, "reward", rank, wanted + 3 - rank);
}

/* ---- tables ---- */

static wal_status read_initial(const reader *r) {
  wal_tables *t = r->tables;
  double sum = 0;
  WAL_TRY(wal_acquire(r->ctx, "initial", t->states, sizeof *t->initial, &t->initial));
  WAL_TRY(wal_table_file_reals(r->file, "initial", 0, t->states, t->initial));
  for (int64_t s = 0; s < t->states; s++) {
    if (!(t->initial[s] >= 0))
      return wal_table_file_fail(r->file, "initial",
                                 "expected masses of at least 0, got %.9g (state %" PRId64 ")",
                                 t->initial[s], s);
    sum += t->initial[s];
  }
  if (!(fabs(sum - 1) <= SUM_TOLERANCE))
    return wal_table_file_fail(r->file, "initial", "expected a sum of 1, got %.12g", sum);
  return WAL_OK;
}

static wal_status read_legal(const reader *r) {
  wal_tables *t = r->tables;
  wal_table_kind kind;
  WAL_TRY(wal_table_file_kind(r->file, "legal", &kind));
  if (kind == WAL_TABLE_NOTHING) return WAL_OK;
  const int64_t extent[] = {t->states, t->actions};
  WAL_TRY(wal_table_file_expect(r->file, "legal", 2, extent));
  WAL_TRY(wal_acquire(r->ctx, "legal", r->pairs, 1, &t->legal));
  int64_t *part = NULL;
  const int64_t most = at_most(t->states, PIECE / t->actions + 1);
  wal_status status = wal_acquire(r->ctx, "legal", most * t->actions, sizeof *part, &part);
  for (int64_t s = 0; s < t->states && status == WAL_OK; s += most) {
    const int64_t count = at_most(most, t->states - s);
    status = wal_table_file_integers(r->file, "legal", s, count, 0, 1, part);
    for (int64_t i = 0; i < count && status == WAL_OK; i++) {
      bool some = false;
      for (int a = 0; a < t->actions; a++) {
        t->legal[a * t->states + s + i] = part[i * t->actions + a] == 1;
        some = some || part[i * t->actions + a] == 1;
      }
      if (!some)
        status = wal_table_file_fail(r->file, "legal",
                                     "expected a legal action in every state, got none in state "
                                     "%" PRId64,
                                     s + i);
    }
  }
  wal_release(r->ctx, &part);
  return status;
}

/** Puts rewards of `count` pairs from `row` on in their places. */
static wal_status place_rewards(const reader *r, int64_t row, int64_t count, const double *part) {
  wal_tables *t = r->tables;
  char place[PLACE];
  for (int64_t i = 0; i < count; i++) {
    const int64_t stage = (row + i) / r->pairs, pair = (row + i) % r->pairs;
    const bool legal = is_legal(r, row + i);
    if (legal && !isfinite(part[i]))
      return wal_table_file_fail(r->file, "reward", "expected finite numbers, got %g %s", part[i],
                                 place_of(r, t->reward_stages, row + i, place));
    t->reward[stage * r->pairs + pair % t->actions * t->states + pair / t->actions] =
        legal ? part[i] : 0;
  }
  return WAL_OK;
}

static wal_status read_reward(const reader *r) {
  wal_tables *t = r->tables;
  int64_t numbers = 0;
  if (!wal_multiply(t->reward_stages, r->pairs, &numbers))
    return wal_table_file_fail(r->file, "reward", "it is too large");
  WAL_TRY(wal_acquire(r->ctx, "reward", numbers, sizeof *t->reward, &t->reward));
  int rank = 0;
  int64_t extent[WAL_TABLE_RANK];
  WAL_TRY(wal_table_file_shape(r->file, "reward", &rank, extent));
  const int64_t row = rank == 3 ? r->pairs : t->actions;  // of a stage, or of a state
  const int64_t most = at_most(extent[0], PIECE / row + 1);
  double *part = NULL;
  wal_status status = wal_acquire(r->ctx, "reward", most * row, sizeof *part, &part);
  for (int64_t i = 0; i < extent[0] && status == WAL_OK; i += most) {
    const int64_t count = at_most(most, extent[0] - i);
    status = wal_table_file_reals(r->file, "reward", i, count, part);
    if (status == WAL_OK) status = place_rewards(r, i * row, count * row, part);
  }
  wal_release(r->ctx, &part);
  return status;
}

/* ---- matrices ---- */

static void free_sparse(wal_ctx *ctx, wal_sparse *m) {
  wal_release(ctx, &m->start);
  wal_release(ctx, &m->column);
  wal_release(ctx, &m->weight);
}

static wal_status acquire_entries(const reader *r, const char *name, int64_t entries,
                                  wal_sparse *m) {
  WAL_TRY(wal_acquire(r->ctx, name, entries, sizeof *m->column, &m->column));
  return wal_acquire(r->ctx, name, entries, sizeof *m->weight, &m->weight);
}

/* The arrays that scipy.sparse.csr_matrix keeps, as paths. */
typedef struct csr {
  char data[PLACE], indices[PLACE], indptr[PLACE];
  int64_t entries;
} csr;

/** Finds out how many rows and entries there are. */
static wal_status measure_sparse(const reader *r, const char *name, int most_stages, wal_sparse *m,
                                 csr *c) {
  int rank = 0;
  int64_t extent[WAL_TABLE_RANK] = {0};
  char shape[WAL_TABLE_SHAPE];
  snprintf(c->data, PLACE, "%s/data", name);
  snprintf(c->indices, PLACE, "%s/indices", name);
  snprintf(c->indptr, PLACE, "%s/indptr", name);
  WAL_TRY(wal_table_file_refuse_slips(r->file, name, 3, PARTS));
  WAL_TRY(wal_table_file_shape(r->file, c->indptr, &rank, extent));
  const int64_t all = r->pairs * most_stages + 1;  // below 2^31 * 10^6
  m->stages = rank == 1 && extent[0] == all ? most_stages : 1;
  m->rows = r->pairs * m->stages;
  if (m->stages == 1 && most_stages > 1 && (rank != 1 || extent[0] != m->rows + 1))
    return wal_table_file_fail(
        r->file, c->indptr, "expected %" PRId64 " numbers, or %" PRId64 " for %d stages, got %s",
        m->rows + 1, all, most_stages, wal_table_shape_text(rank, extent, shape));
  WAL_TRY(wal_table_file_expect(r->file, c->indptr, 1, &(int64_t){m->rows + 1}));
  WAL_TRY(wal_table_file_shape(r->file, c->indices, &rank, extent));
  c->entries = extent[0];
  WAL_TRY(wal_table_file_expect(r->file, c->indices, 1, &c->entries));
  return wal_table_file_expect(r->file, c->data, 1, &c->entries);
}

static wal_status read_starts(const reader *r, const csr *c, wal_sparse *m) {
  WAL_TRY(wal_acquire(r->ctx, c->indptr, m->rows + 1, sizeof *m->start, &m->start));
  WAL_TRY(wal_table_file_integers(r->file, c->indptr, 0, m->rows + 1, 0, c->entries, m->start));
  if (m->start[0] != 0 || m->start[m->rows] != c->entries)
    return wal_table_file_fail(r->file, c->indptr,
                               "expected numbers from 0 to %" PRId64
                               ", the length of %s, got %" PRId64 " to %" PRId64,
                               c->entries, c->indices, m->start[0], m->start[m->rows]);
  for (int64_t i = 0; i < m->rows; i++)
    if (m->start[i + 1] < m->start[i])
      return wal_table_file_fail(r->file, c->indptr,
                                 "expected numbers that do not fall, got %" PRId64 " after %" PRId64
                                 " (element %" PRId64 ", counted from 0)",
                                 m->start[i + 1], m->start[i], i + 1);
  return WAL_OK;
}

static wal_status read_columns(const reader *r, const csr *c, wal_sparse *m) {
  int64_t *wide = NULL;
  wal_status status =
      wal_acquire(r->ctx, c->indices, at_most(c->entries, PIECE), sizeof *wide, &wide);
  for (int64_t i = 0; i < c->entries && status == WAL_OK; i += PIECE) {
    const int64_t count = at_most(PIECE, c->entries - i);
    status = wal_table_file_integers(r->file, c->indices, i, count, 0, r->tables->states - 1, wide);
    for (int64_t j = 0; j < count && status == WAL_OK; j++) m->column[i + j] = (int32_t)wide[j];
  }
  wal_release(r->ctx, &wide);
  return status;
}

static wal_status read_sparse(const reader *r, const char *name, int most_stages, wal_sparse *m) {
  csr c;
  WAL_TRY(measure_sparse(r, name, most_stages, m, &c));
  WAL_TRY(read_starts(r, &c, m));
  WAL_TRY(acquire_entries(r, name, c.entries, m));
  WAL_TRY(wal_table_file_reals(r->file, c.data, 0, c.entries, m->weight));
  return read_columns(r, &c, m);
}

/** Takes the entries of full rows from `row` on; without room for any it only counts them. False if
 *  there are more than there is room for. */
static bool take_full_rows(wal_sparse *m, int64_t row, int64_t count, int64_t states,
                           const double *part, int64_t room, int64_t *entries) {
  for (int64_t j = 0; j < count; j++) {
    for (int64_t x = 0; x < states; x++) {
      const double weight = part[j * states + x];
      if (weight == 0) continue;
      if (m->weight) {
        if (*entries == room) return false;
        m->column[*entries] = (int32_t)x;
        m->weight[*entries] = weight;
      }
      (*entries)++;
    }
    m->start[row + j + 1] = *entries;
  }
  return true;
}

/** Reads a dataset [S][A][S] or [stages][S][A][S], some rows at a time. */
static wal_status pass_full(const reader *r, const char *name, int rank, wal_sparse *m,
                            int64_t *entries) {
  const int64_t states = r->tables->states, room = *entries;
  const int64_t layers = rank == 4 ? m->stages : states;
  const int64_t rows = m->rows / layers;
  const int64_t most = at_most(layers, PIECE / (rows * states) + 1);
  double *part = NULL;
  wal_status status = wal_acquire(r->ctx, name, most * rows * states, sizeof *part, &part);
  *entries = 0;
  for (int64_t i = 0; i < layers && status == WAL_OK; i += most) {
    const int64_t count = at_most(most, layers - i);
    status = wal_table_file_reals(r->file, name, i, count, part);
    if (status == WAL_OK && !take_full_rows(m, i * rows, count * rows, states, part, room, entries))
      status = wal_table_file_fail(r->file, name, "it changed while it was read");
  }
  wal_release(r->ctx, &part);
  return status;
}

static wal_status read_full(const reader *r, const char *name, int most_stages, wal_sparse *m) {
  const wal_tables *t = r->tables;
  int rank = 0;
  int64_t got[WAL_TABLE_RANK] = {0}, entries = 0;
  WAL_TRY(wal_table_file_shape(r->file, name, &rank, got));
  m->stages = rank == 4 ? most_stages : 1;
  m->rows = r->pairs * m->stages;
  const int64_t wanted[] = {most_stages, t->states, t->actions, t->states};
  if (rank == 4)
    WAL_TRY(wal_table_file_expect(r->file, name, 4, wanted));
  else
    WAL_TRY(wal_table_file_expect(r->file, name, 3, wanted + 1));
  WAL_TRY(wal_acquire(r->ctx, name, m->rows + 1, sizeof *m->start, &m->start));
  WAL_TRY(pass_full(r, name, rank, m, &entries));
  WAL_TRY(acquire_entries(r, name, entries, m));
  return pass_full(r, name, rank, m, &entries);
}

/** Takes out entries of weight 0 and those of illegal actions. */
static void compact(const reader *r, wal_sparse *m) {
  int64_t kept = 0, from = 0;
  for (int64_t row = 0; row < m->rows; row++) {
    const int64_t end = m->start[row + 1];
    const bool legal = is_legal(r, row);
    for (; from < end; from++) {
      if (!legal || m->weight[from] == 0) continue;
      m->column[kept] = m->column[from];
      m->weight[kept++] = m->weight[from];
    }
    m->start[row + 1] = kept;
  }
}

/** Reads a matrix, which may have one row a (state, action) or `most_stages` times as many. */
static wal_status read_matrix(const reader *r, const char *name, int most_stages, wal_sparse *m) {
  wal_table_kind kind;
  WAL_TRY(wal_table_file_kind(r->file, name, &kind));
  if (kind == WAL_TABLE_GROUP)
    WAL_TRY(read_sparse(r, name, most_stages, m));
  else
    WAL_TRY(read_full(r, name, most_stages, m));
  compact(r, m);
  return WAL_OK;
}

static wal_status read_kernel(const reader *r) {
  wal_tables *t = r->tables;
  wal_sparse *m = &t->kernel;
  char place[PLACE];
  WAL_TRY(read_matrix(r, "kernel", t->horizon > 2 ? t->horizon - 1 : 1, m));
  for (int64_t row = 0; row < m->rows; row++) {
    double sum = 0;
    if (!is_legal(r, row)) continue;
    for (int64_t i = m->start[row]; i < m->start[row + 1]; i++) {
      if (!(m->weight[i] >= 0))
        return wal_table_file_fail(r->file, "kernel",
                                   "expected probabilities of at least 0, got %.9g %s",
                                   m->weight[i], place_of(r, m->stages, row, place));
      sum += m->weight[i];
    }
    if (!(fabs(sum - 1) <= SUM_TOLERANCE))
      return wal_table_file_fail(r->file, "kernel",
                                 "expected probabilities with the sum 1, got %.12g %s", sum,
                                 place_of(r, m->stages, row, place));
  }
  return WAL_OK;
}

static wal_status read_mass_reward(const reader *r) {
  wal_tables *t = r->tables;
  wal_sparse *m = &t->mass_reward;
  wal_table_kind kind;
  char place[PLACE];
  WAL_TRY(wal_table_file_kind(r->file, "reward_mass", &kind));
  if (kind == WAL_TABLE_NOTHING) return WAL_OK;
  WAL_TRY(read_matrix(r, "reward_mass", t->horizon, m));
  for (int64_t row = 0; row < m->rows; row++)
    for (int64_t i = m->start[row]; i < m->start[row + 1]; i++)
      if (!isfinite(m->weight[i]))
        return wal_table_file_fail(r->file, "reward_mass", "expected finite numbers, got %g %s",
                                   m->weight[i], place_of(r, m->stages, row, place));
  return WAL_OK;
}

/* ---- names ---- */

/** Names of data sets in run files. */
static bool is_plain(const char *name) {
  static const char *const TAKEN[] = {"stage", "state", "action", "action_name"};
  bool plain = name[0] >= 'a' && name[0] <= 'z';
  for (const char *c = name; *c; c++)
    plain = plain && ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_');
  for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++)
    plain = plain && strcmp(name, TAKEN[i]) != 0;
  return plain;
}

static bool is_printable(const char *name) {
  for (const char *c = name; *c; c++)
    if (*c < ' ' || *c > '~') return false;
  return name[0] != '\0';
}

static wal_status read_axes(const reader *r) {
  wal_tables *t = r->tables;
  wal_table_kind names, sizes;
  char shape[WAL_TABLE_SHAPE];
  int rank = 0;
  int64_t extent[WAL_TABLE_RANK] = {0}, product = 1;
  WAL_TRY(wal_table_file_kind(r->file, "axis_sizes", &sizes));
  WAL_TRY(wal_table_file_kind(r->file, "axis_names", &names));
  if (names == WAL_TABLE_NOTHING && sizes == WAL_TABLE_NOTHING) return WAL_OK;
  WAL_TRY(wal_table_file_shape(r->file, "axis_sizes", &rank, extent));
  if (rank != 1 || extent[0] < 1 || extent[0] > WAL_AXES)
    return wal_table_file_fail(r->file, "axis_sizes", "expected 1 to %d numbers, got %s", WAL_AXES,
                               wal_table_shape_text(rank, extent, shape));
  t->axes = (int)extent[0];
  WAL_TRY(wal_table_file_integers(r->file, "axis_sizes", 0, t->axes, 1, t->states, t->size));
  for (int i = 0; i < t->axes; i++)
    if (!wal_multiply(product, t->size[i], &product)) product = 0;
  if (product != t->states)
    return wal_table_file_fail(
        r->file, "axis_sizes",
        "expected sizes whose product is the %" PRId64 " states, got %" PRId64, t->states, product);
  WAL_TRY(wal_table_file_texts(r->file, "axis_names", t->axes, WAL_TABLES_NAME, t->axis[0]));
  for (int i = 0; i < t->axes; i++) {
    bool good = is_plain(t->axis[i]);
    for (int j = 0; j < i; j++) good = good && strcmp(t->axis[i], t->axis[j]) != 0;
    if (!good)
      return wal_table_file_fail(r->file, "axis_names",
                                 "expected different names of small letters, digits and _, such "
                                 "as row and column (not stage, state, action), at place %d",
                                 i);
  }
  return WAL_OK;
}

static wal_status read_action_names(const reader *r) {
  wal_tables *t = r->tables;
  wal_table_kind kind;
  WAL_TRY(wal_table_file_kind(r->file, "action_names", &kind));
  if (kind == WAL_TABLE_NOTHING) return WAL_OK;
  WAL_TRY(wal_acquire(r->ctx, "action_names", t->actions, sizeof *t->action, &t->action));
  WAL_TRY(wal_table_file_texts(r->file, "action_names", t->actions, WAL_TABLES_NAME, t->action[0]));
  for (int a = 0; a < t->actions; a++)
    if (!is_printable(t->action[a]))
      return wal_table_file_fail(r->file, "action_names",
                                 "expected names of ASCII characters, got another one or none "
                                 "(action %d)",
                                 a);
  return WAL_OK;
}

static wal_status read_all(reader *r, int horizon) {
  WAL_TRY(
      wal_table_file_refuse_slips(r->file, "/", (int64_t)(sizeof NAMES / sizeof *NAMES), NAMES));
  WAL_TRY(read_sizes(r, horizon));
  WAL_TRY(read_initial(r));
  WAL_TRY(read_legal(r));
  WAL_TRY(read_reward(r));
  WAL_TRY(read_kernel(r));
  WAL_TRY(read_mass_reward(r));
  WAL_TRY(read_axes(r));
  return read_action_names(r);
}

wal_status wal_tables_read(wal_ctx *ctx, wal_table_file *file, int horizon, wal_tables *out) {
  reader r = {.ctx = ctx, .file = file, .tables = out};
  memset(out, 0, sizeof *out);
  wal_status status = read_all(&r, horizon);
  if (status != WAL_OK) wal_tables_free(ctx, out);
  return status;
}

void wal_tables_free(wal_ctx *ctx, wal_tables *t) {
  wal_release(ctx, &t->initial);
  wal_release(ctx, &t->reward);
  wal_release(ctx, &t->legal);
  wal_release(ctx, &t->action);
  free_sparse(ctx, &t->kernel);
  free_sparse(ctx, &t->mass_reward);
}

static uint64_t hash_sparse(uint64_t sum, const wal_sparse *m) {
  if (m->stages == 0) return sum;
  sum = wal_checksum(sum, m->start, m->rows + 1, sizeof *m->start);
  sum = wal_checksum(sum, m->column, m->start[m->rows], sizeof *m->column);
  return wal_checksum(sum, m->weight, m->start[m->rows], sizeof *m->weight);
}

void wal_tables_checksum(const wal_tables *t, char out[17]) {
  const int64_t pairs = t->states * t->actions;
  const int64_t sizes[] = {t->states,        t->actions,       t->axes,
                           t->kernel.stages, t->reward_stages, t->mass_reward.stages};
  uint64_t sum = WAL_CHECKSUM_START;
  sum = wal_checksum(sum, sizes, (int64_t)(sizeof sizes / sizeof *sizes), sizeof *sizes);
  sum = wal_checksum(sum, t->initial, t->states, sizeof *t->initial);
  sum = hash_sparse(sum, &t->kernel);
  sum = wal_checksum(sum, t->reward, t->reward_stages * pairs, sizeof *t->reward);
  sum = hash_sparse(sum, &t->mass_reward);
  sum = wal_checksum(sum, t->legal, pairs, 1);
  sum = wal_checksum(sum, t->size, t->axes, sizeof *t->size);
  sum = wal_checksum(sum, t->axis, t->axes, sizeof *t->axis);
  sum = wal_checksum(sum, t->action, t->actions, sizeof *t->action);
  snprintf(out, 17, "%016" PRIx64, sum);
}
