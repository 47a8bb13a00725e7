// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/design_check.h"

#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/design_parts.h"
#include "incentives/design/gradient_check.h"

static const char *name_of(const wal_params *params, const char *part) {
  return wal_params_component(wal_params_child(params, part))->name;
}

/* What rounding, and kinks that a step crosses, may leave. */
static const double GRADIENT_TOLERANCE = 1e-5;

/* Components that are given by name only get a node of their own. */
static bool be_precise(const wal_params *of_game, wal_node *game) {
  wal_node *old = wal_node_field(game, "mechanism");
  wal_node *precision = wal_node_create(WAL_NODE_TEXT, old ? old->line : 0);
  if (!precision || !wal_node_set_text(precision, "double", 6)) return false;
  if (old && old->kind == WAL_NODE_COMPONENT)
    return wal_node_set_field(old, "precision", precision);
  const char *name = name_of(of_game, "mechanism");
  wal_node *made = wal_node_create(WAL_NODE_COMPONENT, 0);
  return made && wal_node_set_text(made, name, strlen(name)) &&
         wal_node_set_field(made, "precision", precision) &&
         wal_node_set_field(game, "mechanism", made);
}

/* Whether the game's mechanism computes in single precision. */
static bool is_single(const wal_job *job) {
  const wal_params *of_game = wal_params_child(job->params, "game");
  return strcmp(name_of(job->params, "game"), "batched_auction") == 0 &&
         strcmp(name_of(of_game, "mechanism"), "neural") == 0 &&
         strcmp(wal_params_text(wal_params_child(of_game, "mechanism"), "precision"), "single") ==
             0;
}

/* The same problem, all of it in double precision; `params` hold its game's. */
static wal_status create_precise(const wal_job *job, wal_params **params, wal_problem **out) {
  const wal_params *of_game = wal_params_child(job->params, "game");
  wal_node *node = wal_node_copy(wal_node_field(wal_scenario_root(job->scenario), "game"));
  wal_status status =
      node && be_precise(of_game, node)
          ? wal_params_resolve(job->ctx, wal_params_file(of_game), wal_params_component(of_game),
                               node, wal_catalogue_all(), params)
          : wal_fail(job->ctx, WAL_EINPUT, "not enough memory");
  status = wal_agree(job->ctx, status);
  if (status == WAL_OK) status = wal_design_parts_problem(job, *params, out);
  wal_node_destroy(node);
  return status;
}

/* Values that differences are taken of are in double precision, also where gradients are not. */
static wal_status compare_with_differences(const wal_job *job, wal_problem *problem,
                                           int64_t directions, wal_gradient_check *found) {
  const wal_design_plan plan = wal_design_parts_plan(job->params);
  wal_params *params = NULL;
  wal_problem *precise = NULL;
  wal_method *method = NULL, *reference = NULL;
  wal_status status = wal_method_create(problem, plan.method, plan.method_params, 0, &method);
  if (status == WAL_OK && is_single(job)) {
    status = create_precise(job, &params, &precise);
    if (status == WAL_OK)
      status = wal_method_create(precise, plan.method, plan.method_params, 0, &reference);
  }
  if (status == WAL_OK)
    status = wal_gradient_check_run(method, reference ? reference : method,
                                    wal_problem_start(problem), directions, found);
  wal_method_destroy(&reference);
  wal_method_destroy(&method);
  wal_problem_destroy(&precise);
  wal_params_destroy(&params);
  return status;
}

wal_status wal_design_check_gradients(wal_job *job, int64_t directions) {
  wal_problem *problem = NULL;
  wal_gradient_check found;
  wal_status status =
      wal_design_parts_problem(job, wal_params_child(job->params, "game"), &problem);
  if (status == WAL_OK) status = compare_with_differences(job, problem, directions, &found);
  if (status == WAL_OK && wal_ctx_rank(job->ctx) == 0)
    printf(
        "gradient over %lld parameters, of length %.6g: largest relative error %.2g in %lld "
        "directions (step %g)%s\n",
        (long long)wal_problem_count(problem), found.norm, found.error, (long long)directions,
        found.step, found.beside ? ", beside the start: that may be at a kink" : "");
  if (status == WAL_OK && !(found.error <= GRADIENT_TOLERANCE))
    status = wal_fail(job->ctx, WAL_EINTERNAL,
                      "the gradient differs from central differences by %.2g, more than %g",
                      found.error, GRADIENT_TOLERANCE);
  wal_problem_destroy(&problem);
  return status;
}
