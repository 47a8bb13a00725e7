// SPDX-License-Identifier: GPL-3.0-or-later
#include "incentives/steer/society.h"

#include <math.h>
#include <string.h>

static const wal_param GROUP_PARAMS[] = {{.name = "share",
                                          .type = WAL_REAL,
                                          .required = true,
                                          .low = 0,
                                          .high = 1,
                                          .meaning = "share of the agents"},
                                         {.name = "agents",
                                          .type = WAL_COMPONENT,
                                          .text = "hedge",
                                          .choices = "agent",
                                          .named = true,
                                          .meaning = "how they learn"},
                                         {0}};

static const wal_component GROUP = {.name = "group",
                                    .kind = "record",
                                    .summary = "agents that learn by one rule",
                                    .params = GROUP_PARAMS};

static const wal_param MIXTURE_PARAMS[] = {
    {.name = "groups",
     .type = WAL_ANY,
     .required = true,
     .choices = "a list of tables, as {{share=0.5, agents=hedge{}}, ...}",
     .meaning = "shares of the agents, which sum to 1, and how they learn"},
    {0}};

const wal_component wal_mixture_component = {
    .name = "mixture",
    .kind = "mixture",
    .summary = "groups of agents, each with its own rule; a list may stand for it",
    .source = "docs/steering.md",
    .params = MIXTURE_PARAMS};

static const wal_param INDIVIDUALS_PARAMS[] = {
    {.name = "count",
     .type = WAL_INTEGER,
     .required = true,
     .low = 1,
     .high = 1e7,
     .meaning = "agents, of each population"},
    {.name = "agents",
     .type = WAL_COMPONENT,
     .text = "hedge",
     .choices = "agent|mixture",
     .named = true,
     .wraps = "mixture",
     .meaning = "how they learn"},
    {.name = "feedback",
     .type = WAL_TEXT,
     .text = "values",
     .choices = "values|trajectory",
     .meaning = "an agent is told what every action was worth to it, or learns from what it met "
                "with itself"},
    {.name = "spread",
     .type = WAL_REAL,
     .number = 1,
     .low = 0,
     .high = 100,
     .meaning = "standard deviation of the logits with which agents begin; 0: all actions alike"},
    {0}};

const wal_component wal_individuals_component = {
    .name = "individuals",
    .kind = "crowd",
    .summary = "a finite number of agents, each with its own policy, that meet in the game",
    .source = "docs/steering.md",
    .params = INDIVIDUALS_PARAMS};

wal_society wal_society_of(const wal_agents *agents) {
  return (wal_society){.groups = 1, .agents = {*agents}, .share = {1}};
}

int64_t wal_society_first(const wal_society *society, int group) {
  double sum = 0;
  if (group == society->groups) return society->count;
  for (int g = 0; g < group; g++) sum += society->share[g];
  return (int64_t)floor(sum * (double)society->count + 0.5);
}

static wal_status read_group(wal_ctx *ctx, const wal_params *mixture, const wal_node *node,
                             const wal_catalogue *catalogue, int64_t episodes, wal_society *out) {
  wal_params *params = NULL;
  const int g = out->groups;
  wal_status status =
      wal_params_resolve(ctx, wal_params_file(mixture), &GROUP, node, catalogue, &params);
  if (status != WAL_OK) return status;
  const wal_params *rule = wal_params_child(params, "agents");
  out->share[g] = wal_params_real(params, "share");
  if (!(out->share[g] > 0))
    status = wal_params_fail(ctx, params, "share", "expected more than 0, got %g", out->share[g]);
  if (status == WAL_OK)
    status = wal_agents_create(ctx, wal_agents_find(wal_params_component(rule)->name), rule,
                               episodes, &out->agents[g]);
  out->groups++;
  wal_params_destroy(&params);
  return status;
}

static wal_status read_mixture(wal_ctx *ctx, const wal_params *params,
                               const wal_catalogue *catalogue, int64_t episodes, wal_society *out) {
  const wal_node *list = wal_params_node(params, "groups");
  const double sum_off = 1e-9;
  char text[160];
  double sum = 0;
  if (list->kind != WAL_NODE_ITEMS || list->count == 0)
    return wal_params_fail(ctx, params, "groups",
                           "expected a list of tables, as {{share=0.5, agents=hedge{}}, ...}, "
                           "got %s",
                           wal_node_describe(list, text, sizeof text));
  if (list->count > WAL_SOCIETY_GROUPS)
    return wal_params_fail(ctx, params, "groups", "expected at most %d groups, got %lld",
                           WAL_SOCIETY_GROUPS, (long long)list->count);
  for (int64_t i = 0; i < list->count; i++) {
    WAL_TRY(read_group(ctx, params, list->items[i], catalogue, episodes, out));
    sum += out->share[i];
  }
  if (!(fabs(sum - 1) <= sum_off))
    return wal_params_fail(ctx, params, "groups", "expected shares that sum to 1, got %.12g", sum);
  return WAL_OK;
}

static wal_status read_individuals(wal_ctx *ctx, const wal_params *params, wal_society *out) {
  out->count = wal_params_integer(params, "count");
  out->spread = wal_params_real(params, "spread");
  out->own_trajectory = strcmp(wal_params_text(params, "feedback"), "trajectory") == 0;
  for (int g = 0; g < out->groups; g++)
    if (wal_society_first(out, g) == wal_society_first(out, g + 1))
      return wal_params_fail(ctx, params, "count",
                             "expected an agent at least for every group, got %lld agents, of "
                             "which a group has a share of %g",
                             (long long)out->count, out->share[g]);
  return WAL_OK;
}

wal_status wal_society_create(wal_ctx *ctx, const wal_params *params,
                              const wal_catalogue *catalogue, int64_t episodes, wal_society *out) {
  const wal_component *component = wal_params_component(params);
  *out = (wal_society){0};
  if (component == &wal_individuals_component) {
    WAL_TRY(wal_society_create(ctx, wal_params_child(params, "agents"), catalogue, episodes, out));
    return read_individuals(ctx, params, out);
  }
  if (component == &wal_mixture_component)
    return read_mixture(ctx, params, catalogue, episodes, out);
  *out = (wal_society){.groups = 1, .share = {1}};
  return wal_agents_create(ctx, wal_agents_find(component->name), params, episodes,
                           &out->agents[0]);
}
