// SPDX-License-Identifier: GPL-3.0-or-later
#include "library/study.h"

#include <string.h>

#include "cli/catalogue.h"
#include "cli/design_parts.h"
#include "cli/design_restarts.h"
#include "cli/solve_stop.h"
#include "sim/core/gather.h"
#include "sim/core/memory.h"

const char *wal_version(void) { return WAL_VERSION; }

/* What all scenarios may name, and own games. */
static wal_status make_catalogue(wal_study *s, const wal_game_type *const *games) {
  const wal_catalogue *usual = wal_catalogue_all();
  int64_t own = 0;
  while (games && games[own]) own++;
  const wal_component **list = NULL;
  WAL_TRY(wal_acquire(s->ctx, "catalogue", 1, sizeof *s->known, &s->known));
  WAL_TRY(wal_acquire(s->ctx, "catalogue", usual->count + own, sizeof *list, &list));
  memcpy(list, usual->components, (size_t)usual->count * sizeof *list);
  *s->known = *usual;
  s->known->components = list;
  for (int64_t i = 0; i < own; i++) {
    const wal_component *game = &games[i]->component;
    if (games[i]->struct_size != sizeof *games[i])
      return wal_fail(s->ctx, WAL_EINTERNAL, "a game's table of operations is of another version");
    if (!game->name || !game->kind || strcmp(game->kind, "game") != 0)
      return wal_fail(
          s->ctx, WAL_EINPUT, "%s: expected a component of the kind \"game\", got \"%s\"",
          game->name ? game->name : "a game without a name", game->kind ? game->kind : "");
    if (wal_catalogue_find(s->known, game->name))
      return wal_fail(s->ctx, WAL_EINPUT, "%s: expected a name that nothing else has", game->name);
    list[s->known->count++] = game;
  }
  return WAL_OK;
}

static bool is_design(const wal_study *s) {
  return strcmp(wal_scenario_root(s->scenario)->text, "design") == 0;
}

static wal_status check_task(wal_study *s, const char *name) {
  const wal_node *root = wal_scenario_root(s->scenario);
  if (!is_design(s) && strcmp(root->text, "solve") != 0)
    return wal_fail(s->ctx, WAL_EINPUT, "%s:%d: expected design{...} or solve{...}, got %s{...}",
                    name, root->line, root->text);
  const wal_task_type *task = wal_task_find(root->text);
  WAL_TRY(wal_params_resolve(s->ctx, name, &task->component, root, s->known, &s->params));
  if (is_design(s) && wal_design_restarts_wanted(s->params))
    return wal_params_fail(s->ctx, s->params, "restarts",
                           "expected none in a program of one's own: make a study of each seed");
  if (wal_params_given(s->params, "seed"))
    wal_ctx_set_seed(s->ctx, (uint64_t)wal_params_integer(s->params, "seed"));
  return task->check(s->ctx, s->params);
}

/* Rank-local: all that can be wrong with the text. */
static wal_status read_text(wal_study *s, const char *name, const char *text,
                            const wal_game_type *const *games) {
  WAL_TRY(make_catalogue(s, games));
  WAL_TRY(wal_scenario_parse(s->ctx, name, text, strlen(text), s->known, &s->scenario));
  return check_task(s, name);
}

/* @collective */
static wal_status make_design(wal_study *s) {
  const wal_job job = {.ctx = s->ctx, .scenario = s->scenario, .params = s->params};
  const wal_design_plan plan = wal_design_parts_plan(s->params);
  WAL_TRY(wal_design_parts_problem(&job, wal_params_child(s->params, "game"), &s->problem));
  return wal_design_create(s->problem, &plan, &s->design);
}

/* @collective */
static wal_status make_solve(wal_study *s) {
  wal_params *of_game = wal_params_child(s->params, "game");
  wal_params *of_learner = wal_params_child(s->params, "learner");
  WAL_TRY_ALL(s->ctx, wal_game_create(s->ctx, wal_game_of(of_game), of_game, &s->game));
  WAL_TRY(wal_space_create(s->ctx, &s->game, NULL, &s->space));
  return wal_learner_create(s->space, wal_learner_find(wal_params_component(of_learner)->name),
                            of_learner, &s->learner);
}

wal_status wal_study_create(wal_ctx *ctx, const char *name, const char *text,
                            const wal_game_type *const *games, wal_study **out) {
  wal_study *s = NULL;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "study", 1, sizeof *s, &s);
  if (status == WAL_OK) {
    s->ctx = ctx;
    status = read_text(s, name, text, games);
  }
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = is_design(s) ? make_design(s) : make_solve(s);
  if (status == WAL_OK)
    *out = s;
  else
    wal_study_destroy(&s);
  return status;
}

void wal_study_destroy(wal_study **study) {
  if (!study || !*study) return;
  wal_study *s = *study;
  wal_ctx *ctx = s->ctx;
  wal_design_destroy(&s->design);
  wal_problem_destroy(&s->problem);
  wal_trace_free(ctx, &s->trace);
  wal_learner_destroy(&s->learner);
  wal_space_destroy(&s->space);
  wal_game_destroy(ctx, &s->game);
  wal_params_destroy(&s->params);
  wal_scenario_destroy(&s->scenario);
  if (s->known) {
    const wal_component **list = (const wal_component **)s->known->components;
    wal_release(ctx, &list);
  }
  wal_release(ctx, &s->known);
  wal_release(ctx, study);
}

wal_status wal_study_run(wal_study *s, wal_assessment *start, wal_assessment *best) {
  if (!s->design)
    return wal_fail(s->ctx, WAL_EINPUT,
                    "wal_study_run: expected the study of design{...}, got that "
                    "of solve{...}: wal_study_solve()");
  const int64_t iterations = s->design->plan.iterations;
  WAL_TRY(wal_design_run(s->design, NULL));
  const wal_status at_start =
      wal_problem_assess(s->problem, wal_problem_start(s->problem), iterations, start);
  if (at_start != WAL_OK && at_start != WAL_ENOCONV) return at_start;
  return wal_problem_assess(s->problem, s->design->best_theta, iterations, best);
}

wal_status wal_study_solve(wal_study *s) {
  if (!s->learner)
    return wal_fail(s->ctx, WAL_EINPUT,
                    "wal_study_solve: expected the study of solve{...}, got that "
                    "of design{...}: wal_study_run()");
  if (s->trace.count > 0) return WAL_OK;
  const wal_stop stop = wal_solve_stop_read(s->params);
  WAL_TRY(wal_solve(s->learner, &stop, NULL, &s->trace));
  return wal_learner_check_finite(s->learner);
}

wal_status wal_study_mass(const wal_study *s, int stage, double *mass) {
  const wal_learner *learner = s->learner ? s->learner : wal_problem_learner(s->problem);
  const bool played = s->learner ? s->trace.count > 0 : s->design->row_count > 0;
  const wal_space *space = learner->space;
  wal_gather *gather = NULL;
  if (!played) return wal_fail(s->ctx, WAL_EINPUT, "wal_study_mass: nothing has been played yet");
  if (stage < 0 || stage >= space->game->shape.horizon)
    return wal_fail(s->ctx, WAL_EINPUT, "wal_study_mass: expected a stage from 0 to %d, got %d",
                    (int)space->game->shape.horizon - 1, stage);
  WAL_TRY(wal_gather_create(s->ctx, &space->states, &gather));
  const wal_status status = wal_gather_run(gather, wal_flow_mass(&learner->flow, stage), mass);
  wal_gather_destroy(&gather);
  return status;
}
