// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/policy_source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/solve_stop.h"
#include "io/run_game.h"
#include "io/table_file.h"
#include "sim/core/gather.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "sim/core/vector_math.h"
#include "sim/learn/learner.h"

static const wal_component UNIFORM = {.name = "uniform",
                                      .kind = "policy",
                                      .summary = "all legal actions with the same probability",
                                      .source = "docs/population.md"};

static const wal_param EQUILIBRIUM_PARAMS[] = {
    {.name = "learner",
     .type = WAL_COMPONENT,
     .text = "mirror_descent",
     .choices = "learner",
     .meaning = "the learning rule that finds it"},
    {.name = "stop", .type = WAL_RECORD, .record = &wal_solve_stop, .meaning = "when to end"},
    {0}};

static const wal_component EQUILIBRIUM = {
    .name = "equilibrium",
    .kind = "policy",
    .summary = "an equilibrium of the game, which is solved first",
    .source = "docs/population.md",
    .params = EQUILIBRIUM_PARAMS};

static const wal_param FROM_PARAMS[] = {
    {.name = "file",
     .type = WAL_TEXT,
     .required = true,
     .meaning = "run file of a solve or a design of the same game"},
    {0}};

static const wal_component FROM = {
    .name = "from",
    .kind = "policy",
    .summary = "the policy in a run file; of a design, that under its best parameters",
    .source = "docs/population.md",
    .params = FROM_PARAMS};

#define TARGET_SEED_PARAM                                                            \
  {                                                                                  \
    .name = "seed", .type = WAL_INTEGER, .optional = true, .low = 0, .high = 0x1p53, \
    .meaning = "seed of its draws; that of the task if left out"                     \
  }

static const wal_param SOFTMAX_PARAMS[] = {{.name = "scale",
                                            .type = WAL_REAL,
                                            .number = 1,
                                            .low = 0,
                                            .high = 1e6,
                                            .meaning = "standard deviation of the logits"},
                                           TARGET_SEED_PARAM,
                                           {0}};

static const wal_component SOFTMAX = {.name = "softmax_target",
                                      .kind = "policy",
                                      .summary = "softmax of random logits, normally distributed",
                                      .source = "docs/steering.md",
                                      .params = SOFTMAX_PARAMS};

static const wal_param DETERMINISTIC_PARAMS[] = {TARGET_SEED_PARAM, {0}};

static const wal_component DETERMINISTIC = {
    .name = "deterministic_target",
    .kind = "policy",
    .summary = "one legal action in every stage and state, drawn at random",
    .source = "docs/steering.md",
    .params = DETERMINISTIC_PARAMS};

static const wal_param GIVEN_PARAMS[] = {
    {.name = "probability",
     .type = WAL_ARRAY,
     .rank = 3,
     .required = true,
     .low = 0,
     .high = 1,
     .meaning = "of each action: they sum to 1 in every stage and state"},
    {0}};

static const wal_component GIVEN = {.name = "given",
                                    .kind = "policy",
                                    .summary = "probabilities from a table or a function",
                                    .source = "docs/population.md",
                                    .params = GIVEN_PARAMS};

static const wal_component EQUILIBRIUM_TARGET = {
    .name = "equilibrium_target",
    .kind = "policy",
    .summary = "as equilibrium{}: what agents would play unpaid",
    .source = "docs/steering.md",
    .params = EQUILIBRIUM_PARAMS};

static const wal_component *const SOURCES[] = {
    &UNIFORM, &EQUILIBRIUM, &FROM, &GIVEN, &SOFTMAX, &DETERMINISTIC, &EQUILIBRIUM_TARGET};
enum { SOURCE_COUNT = sizeof SOURCES / sizeof *SOURCES };

int64_t wal_policy_source_count(void) { return SOURCE_COUNT; }
const wal_component *wal_policy_source_at(int64_t index) { return SOURCES[index]; }

bool wal_policy_source_solves(const wal_params *source) {
  const wal_component *of = source ? wal_params_component(source) : NULL;
  return of == &EQUILIBRIUM || of == &EQUILIBRIUM_TARGET;
}

wal_status wal_policy_source_check(wal_ctx *ctx, const wal_params *source) {
  if (!wal_policy_source_solves(source)) return WAL_OK;
  return wal_solve_stop_check(ctx, source);
}

// ---- Tables -----------------------------------------------------------------------------------

static wal_status acquire(wal_ctx *ctx, const wal_shape *shape, wal_policy_table *out) {
  *out = (wal_policy_table){.horizon = shape->horizon};
  WAL_TRY(wal_acquire(ctx, "policy", shape->horizon, sizeof *out->stage, &out->stage));
  for (int h = 0; h < shape->horizon; h++)
    WAL_TRY(
        wal_acquire(ctx, "policy", shape->states * shape->actions, sizeof(double), &out->stage[h]));
  return WAL_OK;
}

void wal_policy_table_free(wal_ctx *ctx, wal_policy_table *table) {
  for (int h = 0; table->stage && h < table->horizon; h++) wal_release(ctx, &table->stage[h]);
  wal_release(ctx, &table->stage);
}

/* A policy that is spread over the ranks, an action at a time. @collective */
static wal_status gather(wal_ctx *ctx, const wal_policy *policy, wal_policy_table *out) {
  const wal_partition *own = &policy->space->states;
  const int actions = policy->space->game->shape.actions;
  wal_gather *states = NULL;
  double *rows = NULL, *column = NULL, *whole = NULL;
  wal_status status = wal_acquire(ctx, "policy", own->count * actions, sizeof *rows, &rows);
  if (status == WAL_OK) status = wal_acquire(ctx, "policy", own->count, sizeof *column, &column);
  if (status == WAL_OK) status = wal_acquire(ctx, "policy", own->size, sizeof *whole, &whole);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = wal_gather_create(ctx, own, &states);
  for (int h = 0; h < out->horizon && status == WAL_OK; h++) {
    wal_policy_export(policy, h, rows);
    for (int a = 0; a < actions && status == WAL_OK; a++) {
      for (int64_t s = 0; s < own->count; s++) column[s] = rows[s * actions + a];
      status = wal_gather_run(states, column, whole);
      for (int64_t s = 0; s < own->size; s++) out->stage[h][s * actions + a] = whole[s];
    }
  }
  wal_gather_destroy(&states);
  wal_release(ctx, &rows);
  wal_release(ctx, &column);
  wal_release(ctx, &whole);
  return status;
}

static wal_status play_alike(const wal_space *whole, wal_policy_table *out) {
  wal_policy policy = {0};
  wal_status status = wal_policy_create(whole, WAL_POLICY_PROBABILITIES, &policy);
  for (int h = 0; h < out->horizon && status == WAL_OK; h++)
    wal_policy_export(&policy, h, out->stage[h]);
  wal_policy_destroy(&policy);
  return status;
}

typedef struct drawing {
  uint64_t seed;
  bool softmax; /* of logits; else one action */
  double scale;
  int actions;
} drawing;

/* A state's probabilities. legal[a * stride] tells of its actions; NULL: all are. */
static void draw_row(const drawing *d, int stage, int64_t state, const unsigned char *legal,
                     int64_t stride, double *row) {
  const uint64_t first = (uint64_t)(state * d->actions);
  double sum = 0, top = -HUGE_VAL;
  int count = 0, passed = 0;
  for (int a = 0; a < d->actions; a++) {
    const double u =
        wal_random_uniform(d->seed, WAL_PURPOSE_TARGET, first + (uint64_t)a, (uint32_t)stage, 0);
    const bool may = !legal || legal[a * stride];
    row[a] = !may ? -HUGE_VAL : d->softmax ? d->scale * wal_random_normal(u) : 0;
    top = row[a] > top ? row[a] : top;
    count += may;
  }
  const double place =
      count * wal_random_uniform(d->seed, WAL_PURPOSE_TARGET, first, (uint32_t)stage, 1);
  for (int a = 0; a < d->actions; a++) {
    const bool may = !legal || legal[a * stride];
    if (!d->softmax && may && passed++ != (int)place) row[a] = -HUGE_VAL;
    row[a] -= top;
  }
  wal_vector_exp(d->actions, row, row);
  for (int a = 0; a < d->actions; a++) sum += row[a];
  for (int a = 0; a < d->actions; a++) row[a] /= sum;
}

static void draw(wal_ctx *ctx, const wal_params *source, const wal_space *whole,
                 wal_policy_table *out) {
  drawing d = {wal_ctx_seed(ctx), wal_params_component(source) == &SOFTMAX, 0,
               whole->game->shape.actions};
  if (wal_params_given(source, "seed")) d.seed = (uint64_t)wal_params_integer(source, "seed");
  if (d.softmax) d.scale = wal_params_real(source, "scale");
  for (int h = 0; h < out->horizon; h++)
    for (int64_t tile = 0; tile < whole->tiles; tile++) {
      const wal_slab slab = wal_space_slab(whole, h, tile);
      const unsigned char *legal = wal_space_legal(whole, tile);
      for (int64_t i = 0; i < slab.count; i++)
        draw_row(&d, h, slab.first + i, legal ? legal + i : NULL, slab.stride,
                 out->stage[h] + (slab.first + i) * d.actions);
    }
}

static wal_status solve(wal_job *job, wal_params *source, const wal_space *space,
                        wal_policy_table *out) {
  wal_params *of_learner = wal_params_child(source, "learner");
  const wal_learner_type *type = wal_learner_find(wal_params_component(of_learner)->name);
  const wal_stop stop = wal_solve_stop_read(source);
  wal_learner *learner = NULL;
  wal_trace trace = {0};
  wal_status status = wal_learner_create(space, type, of_learner, &learner);
  if (status == WAL_OK) status = wal_solve(learner, &stop, NULL, &trace);
  if (status == WAL_OK) status = wal_learner_check_finite(learner);
  if (status == WAL_OK) status = gather(job->ctx, &learner->policy, out);
  if (status == WAL_OK && trace.tolerance && !trace.converged)
    wal_warn(job->ctx, "the equilibrium has not converged after %lld iterations: exploitability %g",
             (long long)stop.iterations, trace.rows[trace.count - 1].exploitability);
  wal_trace_free(job->ctx, &trace);
  wal_learner_destroy(&learner);
  return status;
}

// ---- Given probabilities ----------------------------------------------------------------------

/* Scales a row that sums to 1 up to rounding; false if it is no distribution. */
static bool settle_row(int actions, double *row) {
  double sum = 0;
  bool good = true;
  for (int a = 0; a < actions; a++) {
    good = good && row[a] >= 0;
    sum += row[a];
  }
  if (!good || !(fabs(sum - 1) < 1e-5)) return false;
  for (int a = 0; a < actions; a++) row[a] /= sum;
  return true;
}

wal_status wal_policy_table_gather(wal_ctx *ctx, const wal_policy *policy, wal_policy_table *out) {
  const wal_shape *shape = &policy->space->game->shape;
  WAL_TRY_ALL(ctx, acquire(ctx, shape, out));
  WAL_TRY(gather(ctx, policy, out));
  for (int h = 0; h < out->horizon; h++)
    for (int64_t s = 0; s < shape->states; s++)
      if (!settle_row(shape->actions, out->stage[h] + s * shape->actions))
        return wal_fail(ctx, WAL_ENONFINITE, "the policy at stage %d, state %lld is not finite", h,
                        (long long)s);
  return WAL_OK;
}

/* Nobody can play what the game does not allow. */
static wal_status check_legal(wal_ctx *ctx, const wal_params *source, const wal_space *whole,
                              const wal_policy_table *table) {
  const int actions = whole->game->shape.actions;
  for (int h = 0; whole->legal && h < table->horizon; h++)
    for (int64_t tile = 0; tile < whole->tiles; tile++) {
      const wal_slab slab = wal_space_slab(whole, h, tile);
      const unsigned char *legal = wal_space_legal(whole, tile);
      for (int64_t i = 0; i < slab.count * actions; i++) {
        const int64_t s = slab.first + i / actions, a = i % actions;
        if (table->stage[h][s * actions + a] > 0 && !legal[a * slab.stride + i / actions])
          return wal_params_fail(ctx, source, wal_params_component(source)->params[0].name,
                                 "expected legal actions only, got action %lld at stage %d, state "
                                 "%lld",
                                 (long long)a, h, (long long)s);
      }
    }
  return WAL_OK;
}

static wal_status copy_given(wal_ctx *ctx, wal_params *source, const wal_space *whole,
                             wal_policy_table *out) {
  const wal_shape *shape = &whole->game->shape;
  const double *given = NULL;
  WAL_TRY(wal_params_array(ctx, source, "probability", shape->horizon, shape->states,
                           shape->actions, &given));
  for (int h = 0; h < out->horizon; h++) {
    const int64_t pairs = shape->states * shape->actions;
    memcpy(out->stage[h], given + h * pairs, (size_t)pairs * sizeof *given);
    for (int64_t s = 0; s < shape->states; s++)
      if (!settle_row(shape->actions, out->stage[h] + s * shape->actions))
        return wal_params_fail(ctx, source, "probability",
                               "expected probabilities that sum to 1, got others at stage %d, "
                               "state %lld",
                               h, (long long)s);
  }
  return WAL_OK;
}

// ---- Files ------------------------------------------------------------------------------------

/* Rows of single precision, or of other programs, sum to 1 up to rounding only. */
static wal_status settle_rows(wal_ctx *ctx, const char *path, int stage, int64_t states,
                              int actions, double *rows) {
  for (int64_t s = 0; s < states; s++) {
    if (!settle_row(actions, rows + s * actions))
      return wal_fail(ctx, WAL_EINPUT,
                      "%s: solution/policy: expected probabilities, got others at stage %d, state "
                      "%lld",
                      path, stage, (long long)s);
  }
  return WAL_OK;
}

static wal_status read_policy(wal_ctx *ctx, wal_table_file *file, const char *path,
                              const wal_game *game, wal_policy_table *out) {
  const wal_shape *shape = &game->shape;
  const int64_t extent[3] = {shape->horizon, shape->states, shape->actions};
  WAL_TRY(wal_table_file_expect(file, "solution/policy", 3, extent));
  for (int h = 0; h < shape->horizon; h++) {
    WAL_TRY(wal_table_file_reals(file, "solution/policy", h, 1, out->stage[h]));
    WAL_TRY(settle_rows(ctx, path, h, shape->states, shape->actions, out->stage[h]));
  }
  return WAL_OK;
}

/* A game without what was designed would not be that of the file. */
static wal_status check_parts(wal_ctx *ctx, const wal_params *source, wal_table_file *file,
                              const wal_parameters *theta) {
  wal_table_kind toll = WAL_TABLE_NOTHING;
  bool has_toll = false;
  for (int i = 0; i < theta->parts; i++)
    has_toll = has_toll || strcmp(theta->part[i].name, "toll") == 0;
  WAL_TRY(wal_table_file_kind(file, "design/best/parameters/toll", &toll));
  if (theta->parts > 0 && has_toll == (toll != WAL_TABLE_NOTHING)) return WAL_OK;
  return wal_params_fail(
      ctx, source, "file", "expected the run of a game with the same things to design, got one %s",
      toll == WAL_TABLE_NOTHING ? "of a mechanism, without toll" : "with a toll");
}

/* The parts of the parameters of the best design, into the game. */
static wal_status read_parameters(wal_ctx *ctx, const wal_params *source, wal_table_file *file,
                                  const wal_game *game) {
  wal_table_kind kind = WAL_TABLE_NOTHING;
  wal_parameters theta;
  WAL_TRY(wal_table_file_kind(file, "design", &kind));
  if (kind != WAL_TABLE_GROUP) return WAL_OK;
  wal_game_parameters(game, &theta);
  WAL_TRY(check_parts(ctx, source, file, &theta));
  double *values = theta.values;
  for (int i = 0; i < theta.parts; i++) {
    const wal_parameter_part *part = &theta.part[i];
    char name[160];
    snprintf(name, sizeof name, "design/best/parameters/%s", part->name);
    WAL_TRY(wal_table_file_expect(file, name, part->rank, part->extent));
    WAL_TRY(wal_table_file_reals(file, name, 0, part->extent[0], values));
    values += part->extent[0] * (part->rank > 1 ? part->extent[1] : 1);
  }
  return WAL_OK;
}

static wal_status read_file(wal_ctx *ctx, const wal_params *source, const wal_game *game,
                            wal_policy_table *out) {
  const char *path = wal_params_text(source, "file");
  wal_table_file *file = NULL;
  char name[128];
  WAL_TRY(wal_run_game_name(ctx, path, name, sizeof name));
  if (strcmp(name, game->type->component.name) != 0)
    return wal_params_fail(ctx, source, "file", "expected a run of %s, got one of %s",
                           game->type->component.name, name);
  WAL_TRY(wal_table_file_open(ctx, path, &file));
  wal_status status = read_policy(ctx, file, path, game, out);
  if (status == WAL_OK) status = read_parameters(ctx, source, file, game);
  wal_table_file_close(&file);
  return status;
}

wal_status wal_policy_source_make(wal_job *job, wal_params *source, wal_game *game,
                                  const wal_space *space, const wal_space *whole,
                                  wal_policy_table *out) {
  wal_ctx *ctx = job->ctx;
  const char *name = source ? wal_params_component(source)->name : UNIFORM.name;
  WAL_TRY_ALL(ctx, acquire(ctx, &game->shape, out));
  if (wal_policy_source_solves(source)) return solve(job, source, space, out);
  if (strcmp(name, SOFTMAX.name) == 0 || strcmp(name, DETERMINISTIC.name) == 0) {
    draw(ctx, source, whole, out);
    return WAL_OK;
  }
  if (strcmp(name, UNIFORM.name) == 0) return wal_agree(ctx, play_alike(whole, out));
  const bool given = strcmp(name, GIVEN.name) == 0;
  wal_status status =
      given ? copy_given(ctx, source, whole, out) : read_file(ctx, source, game, out);
  if (status == WAL_OK) status = check_legal(ctx, source, whole, out);
  WAL_TRY(wal_agree(ctx, status));
  if (!given) wal_game_designed(game);
  return WAL_OK;
}
