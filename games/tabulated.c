// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <string.h>

#include "games/common.h"
#include "games/game_list.h"
#include "games/tables.h"
#include "sim/core/memory.h"

/* P_h(.|s,a) are rows of the file's kernel, and
 *   r_h(s,a) = R_h(s,a) + sum_x G_h(s,a,x) mu_h(x).
 * Where every row has one entry they are maps; else the post-decision state of (s,a) is s*A + a,
 * and its noise is the row. Illegal pairs, whose rows are empty, stay where they are. */

static const wal_param PARAMS[] = {
    {.name = "file",
     .type = WAL_TEXT,
     .required = true,
     .meaning = "HDF5 file with the tables (docs/tabulated.md)"},
    {.name = "horizon",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = WAL_GAME_MOST_STAGES,
     .unit = "stages",
     .meaning = "decision stages; if left out, as many as the file says"},
    {.name = "checksum",
     .type = WAL_TEXT,
     .optional = true,
     .meaning = "of the tables, filled in when they are read; other tables are then refused"},
    WAL_TOLL_PARAM,
    {.name = NULL}};

typedef struct tabulated {
  wal_tables tables;
  int longest; /**< row of the kernel */
  bool maps;   /**< every row of the kernel has one entry */
  bool own;    /**< rewards depend on the mass of the own state only */
} tabulated;

static void destroy(wal_ctx *ctx, void *self) {
  tabulated *game = self;
  if (game) wal_tables_free(ctx, &game->tables);
  wal_release(ctx, &game);
}

/** A failure in the file is one of the parameter `file`; of what kind it is remains. */
static wal_status in_parameter(wal_ctx *ctx, const wal_params *params, wal_status status) {
  char text[1024];
  snprintf(text, sizeof text, "%s", wal_ctx_error(ctx));
  wal_params_fail(ctx, params, "file", "%s", text);
  return status;
}

static wal_status read_tables(wal_ctx *ctx, wal_params *params, tabulated *game) {
  const char *path = wal_params_text(params, "file");
  const bool given = wal_params_given(params, "horizon");
  wal_table_file *file = NULL;
  wal_status status = wal_table_file_open(ctx, path, &file);
  if (status == WAL_OK)
    status = wal_tables_read(ctx, file, given ? (int)wal_params_integer(params, "horizon") : 0,
                             &game->tables);
  wal_table_file_close(&file);
  return status == WAL_OK ? WAL_OK : in_parameter(ctx, params, status);
}

static wal_status check_checksum(wal_ctx *ctx, wal_params *params, const wal_tables *tables) {
  char sum[17];
  wal_tables_checksum(tables, sum);
  if (!wal_params_given(params, "checksum"))
    return wal_params_fill_text(ctx, params, "checksum", sum);
  if (strcmp(wal_params_text(params, "checksum"), sum) == 0) return WAL_OK;
  return wal_params_fail(ctx, params, "checksum",
                         "expected tables with this checksum, got those of %.300s with %s",
                         wal_params_text(params, "file"), sum);
}

/** Looks at the rows: the longest, whether all are maps, whether rewards are local. */
static void survey(tabulated *game) {
  const wal_tables *t = &game->tables;
  const wal_sparse *kernel = &t->kernel, *reward = &t->mass_reward;
  int64_t longest = 1;
  game->maps = true;
  for (int64_t row = 0; row < kernel->rows; row++) {
    const int64_t entries = kernel->start[row + 1] - kernel->start[row];
    if (entries > longest) longest = entries;
    if (entries > 0 && kernel->weight[kernel->start[row]] != 1) game->maps = false;
  }
  game->maps = game->maps && longest == 1;
  game->own = true;
  for (int64_t row = 0; row < reward->rows && game->own; row++)
    for (int64_t i = reward->start[row]; i < reward->start[row + 1]; i++)
      game->own = game->own && reward->column[i] == row / t->actions % t->states;
  game->longest = longest < INT32_MAX ? (int)longest : INT32_MAX;
}

static void fill_shape(const tabulated *game, wal_shape *shape) {
  const wal_tables *t = &game->tables;
  shape->horizon = t->horizon;
  shape->states = t->states;
  shape->actions = t->actions;
  shape->post_states = game->maps ? 0 : t->states * t->actions;
  shape->noise_terms = game->maps ? 0 : game->longest;
  shape->varies = t->kernel.stages > 1;
  shape->whole = !game->own;
  shape->axes = t->axes;
  for (int i = 0; i < t->axes; i++)
    shape->axis[i] = (wal_axis){.name = t->axis[i], .size = t->size[i]};
}

static wal_status create(wal_ctx *ctx, wal_params *params, wal_shape *shape, void **self) {
  tabulated *game = NULL;
  wal_status status = WAL_OK;
  WAL_TRY(wal_acquire(ctx, "tabulated", 1, sizeof *game, &game));
  WAL_TRY_GOTO(read_tables(ctx, params, game));
  WAL_TRY_GOTO(check_checksum(ctx, params, &game->tables));
  wal_params_fill_integer(params, "horizon", game->tables.horizon);
  survey(game);
  fill_shape(game, shape);
  *self = game;
  return WAL_OK;
cleanup:
  destroy(ctx, game);
  return status;
}

static void initial_mass(const void *self, int64_t first, int64_t count, double *mass) {
  const wal_tables *t = &((const tabulated *)self)->tables;
  wal_game_start(t->initial, t->states, first, count, mass);
}

static void move(const void *self, int h, int outcome, int action, int64_t first, int64_t count,
                 int64_t *post) {
  const tabulated *game = self;
  const wal_tables *t = &game->tables;
  const wal_sparse *kernel = &t->kernel;
  (void)outcome;
  if (!game->maps) {
    for (int64_t i = 0; i < count; i++) post[i] = (first + i) * t->actions + action;
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    const int64_t row = wal_tables_row(t, kernel, h, first + i, action);
    const bool empty = kernel->start[row] == kernel->start[row + 1];
    post[i] = empty ? first + i : kernel->column[kernel->start[row]];
  }
}

static int row_length(const void *self, int h, int64_t first, int64_t count) {
  const tabulated *game = self;
  const wal_tables *t = &game->tables;
  int64_t longest = 1;
  for (int64_t m = first; m < first + count; m++) {
    const int64_t row = wal_tables_row(t, &t->kernel, h, m / t->actions, (int)(m % t->actions));
    const int64_t entries = t->kernel.start[row + 1] - t->kernel.start[row];
    longest = entries > longest ? entries : longest;
  }
  return (int)longest;
}

static void noise(const void *self, int h, int64_t first, int64_t count, int64_t *target,
                  double *weight) {
  const tabulated *game = self;
  const wal_tables *t = &game->tables;
  const wal_sparse *kernel = &t->kernel;
  const int terms = row_length(self, h, first, count);
  for (int64_t i = 0; i < count; i++) {
    const int64_t state = (first + i) / t->actions;
    const int64_t row = wal_tables_row(t, kernel, h, state, (int)((first + i) % t->actions));
    const int64_t start = kernel->start[row], entries = kernel->start[row + 1] - start;
    for (int64_t e = 0; e < terms; e++) {
      target[e * count + i] = e < entries ? kernel->column[start + e] : state;
      weight[e * count + i] = e < entries ? kernel->weight[start + e] : 0;
    }
    if (entries == 0) weight[i] = 1;
  }
}

static void legal_pairs(const void *self, int action, int64_t first, int64_t count,
                        unsigned char *legal) {
  const wal_tables *t = &((const tabulated *)self)->tables;
  if (t->legal)
    memcpy(legal, t->legal + action * t->states + first, (size_t)count);
  else
    memset(legal, 1, (size_t)count);
}

static void stage(const void *self, const wal_slab *slab, const double *mass, const double *policy,
                  const double *statistic, double *reward, double *outcome) {
  const tabulated *game = self;
  const wal_tables *t = &game->tables;
  const wal_sparse *matrix = &t->mass_reward;
  (void)policy, (void)outcome;
  if (!reward) return;
  const int64_t layer = t->reward_stages > 1 ? slab->stage : 0;
  for (int a = 0; a < t->actions; a++) {
    const double *from = t->reward + (layer * t->actions + a) * t->states + slab->first;
    double *to = reward + a * slab->stride;
    memcpy(to, from, (size_t)slab->count * sizeof *to);
    for (int64_t i = 0; matrix->stages > 0 && i < slab->count; i++) {
      const int64_t row = wal_tables_row(t, matrix, slab->stage, slab->first + i, a);
      double total = 0;
      for (int64_t e = matrix->start[row]; e < matrix->start[row + 1]; e++)
        total += matrix->weight[e] * (game->own ? mass[i] : statistic[matrix->column[e]]);
      to[i] += total;
    }
  }
}

static void stage_vjp(const void *self, const wal_slab *slab, const double *mass,
                      const double *policy, const double *statistic, const double *reward_bar,
                      const double *outcome_bar, double *mass_bar, double *policy_bar,
                      double *statistic_bar) {
  (void)mass, (void)policy, (void)statistic, (void)outcome_bar, (void)policy_bar;
  const tabulated *game = self;
  const wal_tables *t = &game->tables;
  const wal_sparse *matrix = &t->mass_reward;
  if (!reward_bar || matrix->stages == 0) return;
  for (int a = 0; a < t->actions; a++)
    for (int64_t i = 0; i < slab->count; i++) {
      const double bar = reward_bar[a * slab->stride + i];
      const int64_t row = wal_tables_row(t, matrix, slab->stage, slab->first + i, a);
      for (int64_t e = matrix->start[row]; e < matrix->start[row + 1]; e++)
        *(game->own ? mass_bar + i : statistic_bar + matrix->column[e]) += matrix->weight[e] * bar;
    }
}

static void action_name(const void *self, int action, char *buffer, size_t size) {
  const wal_tables *t = &((const tabulated *)self)->tables;
  if (t->action)
    snprintf(buffer, size, "%s", t->action[action]);
  else
    snprintf(buffer, size, "%d", action);
}

const wal_game_type wal_game_tabulated = {
    .struct_size = sizeof(wal_game_type),
    .component = {.name = "tabulated",
                  .kind = "game",
                  .summary =
                      "play a game given by tables in an HDF5 file; rewards are linear in the mass",
                  .source = "docs/tabulated.md",
                  .params = PARAMS},
    .create = create,
    .destroy = destroy,
    .initial = initial_mass,
    .move = move,
    .stage = stage,
    .stage_vjp = stage_vjp,
    .noise = noise,
    .row_length = row_length,
    .legal = legal_pairs,
    .action_name = action_name};
