// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_TESTS_SUPPORT_MAKE_TRANSFER_H
#define WALRAS_TESTS_SUPPORT_MAKE_TRANSFER_H

#include <stdio.h>
#include <string.h>

#include "io/scenario.h"
#include "rlhf/components.h"
#include "rlhf/transfer.h"

/* Transfers made from texts, as a scenario would have them: "log_linear{prompts=3}". */

enum { BENCH_COMPONENTS = 64 };

static inline const wal_catalogue *bench_catalogue(void) {
  static const wal_component *components[BENCH_COMPONENTS];
  static wal_catalogue catalogue;
  for (int64_t i = 0; i < wal_rlhf_component_count(); i++) components[i] = wal_rlhf_component_at(i);
  catalogue = (wal_catalogue){.components = components, .count = wal_rlhf_component_count()};
  return &catalogue;
}

/** Resolved parameters of what a text constructs; *scenario must live until functions in it are
 *  tabulated. */
static inline wal_status bench_params(wal_ctx *c, const char *text, wal_scenario **scenario,
                                      wal_params **out) {
  char whole[4096];
  *scenario = NULL;
  *out = NULL;
  snprintf(whole, sizeof whole, "return %s", text);
  WAL_TRY(wal_scenario_parse(c, "test.lua", whole, strlen(whole), bench_catalogue(), scenario));
  const wal_node *root = wal_scenario_root(*scenario);
  const wal_component *component = wal_catalogue_find(bench_catalogue(), root->text);
  if (!component) return wal_fail(c, WAL_EINPUT, "no component %s", root->text);
  return wal_params_resolve(c, "test.lua", component, root, bench_catalogue(), out);
}

typedef struct transfer_bench {
  wal_ctx *c;
  wal_scenario *scenario[3];
  wal_params *bandit, *sources, *annotators;
  wal_transfer transfer;
} transfer_bench;

static inline wal_status bench_make_bandit(void *user, wal_ctx *c, uint64_t seed, wal_bandit *out) {
  return wal_bandit_draw(c, ((transfer_bench *)user)->bandit, seed, out);
}

static inline wal_status bench_make_sources(void *user, wal_ctx *c, const wal_bandit *bandit,
                                            uint64_t seed, wal_sources *out) {
  return wal_sources_draw(c, ((transfer_bench *)user)->sources, bandit, seed, out);
}

typedef struct transfer_setting {
  const char *bandit, *sources, *annotators; /**< NULL: none of the latter two */
  int64_t rounds, refit;
} transfer_setting;

static inline wal_status transfer_bench_open(wal_ctx *c, const transfer_setting *setting,
                                             transfer_bench *b) {
  *b = (transfer_bench){.c = c};
  WAL_TRY(bench_params(c, setting->bandit, &b->scenario[0], &b->bandit));
  if (setting->sources) WAL_TRY(bench_params(c, setting->sources, &b->scenario[1], &b->sources));
  if (setting->annotators)
    WAL_TRY(bench_params(c, setting->annotators, &b->scenario[2], &b->annotators));
  const wal_transfer_plan plan = {.ctx = c,
                                  .user = b,
                                  .bandit = bench_make_bandit,
                                  .sources = bench_make_sources,
                                  .annotators = wal_annotators_of(b->annotators),
                                  .rounds = setting->rounds,
                                  .refit = setting->refit,
                                  .seed = 1};
  return wal_transfer_create(&plan, &b->transfer);
}

static inline void transfer_bench_close(transfer_bench *b) {
  wal_transfer_destroy(&b->transfer);
  wal_params_destroy(&b->bandit);
  wal_params_destroy(&b->sources);
  wal_params_destroy(&b->annotators);
  for (int i = 0; i < 3; i++) wal_scenario_destroy(&b->scenario[i]);
}

static inline wal_status transfer_bench_method(transfer_bench *b, const char *text,
                                               wal_transfer_method **out) {
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  const wal_transfer_method_setup setup = wal_transfer_setup(&b->transfer);
  *out = NULL;
  wal_status status = bench_params(b->c, text, &scenario, &params);
  if (status == WAL_OK)
    status = wal_transfer_method_create(
        &setup, wal_transfer_method_find(wal_params_component(params)->name), params, out);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return status;
}

#endif
