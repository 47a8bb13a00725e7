// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/example.h"

#include <string.h>

/* What components stand in, by kind (and name, where one of the kind needs more than the others):
   the component takes the place of %s. */
static const struct {
  const char *kind, *name, *scenario;
} SCENARIOS[] = {
    {"task", NULL, "%s"},
    {"game", NULL, "solve { game = %s }"},
    {"learner", NULL, "solve { game = beach_bar {}, learner = %s }"},
    {"mechanism", NULL, "solve { game = batched_auction { mechanism = %s } }"},
    {"prior", NULL, "solve { game = batched_auction { prior = %s } }"},
    {"utility", NULL, "solve { game = batched_auction { utility = %s } }"},
    {"drift", NULL, "solve { game = batched_auction { drift = %s } }"},
    {"toll", NULL, "design { game = beach_bar { toll = %s }, objective = congestion {} }"},
    {"auction", NULL, "simulate { game = %s }"},
    {"value_law", NULL, "simulate { game = one_shot_auction { values = %s } }"},
    {"bid_rule", NULL, "simulate { game = one_shot_auction { bids = %s } }"},
    {"policy", NULL, "simulate { game = beach_bar {}, agents = 100, policy = %s }"},
    {"objective", "congestion", "design { game = beach_bar { toll = toll {} }, objective = %s }"},
    {"objective", "target_flow", "design { game = beach_bar { toll = toll {} }, objective = %s }"},
    {"objective", "weights", "design { game = beach_bar { toll = toll {} }, objective = %s }"},
    {"objective", NULL,
     "design { game = batched_auction { mechanism = neural {} }, objective = %s }"},
    {"response", NULL,
     "design { game = beach_bar { toll = toll {} }, objective = congestion {}, learner = %s }"},
    {"method", NULL,
     "design { game = beach_bar { toll = toll {} }, objective = congestion {}, method = %s }"},
    {"optimizer", NULL,
     "design { game = beach_bar { toll = toll {} }, objective = congestion {}, optimizer = %s }"},
    {"mediator", NULL, "steer { game = combination_lock {}, target = \"uniform\", mediator = %s }"},
    {"agent", NULL, "steer { game = combination_lock {}, target = \"uniform\", agents = %s }"},
    {"mixture", NULL, "steer { game = combination_lock {}, target = \"uniform\", agents = %s }"},
    {"crowd", NULL, "steer { game = combination_lock {}, target = \"uniform\", agents = %s }"},
    {"bandit", NULL, "transfer { bandit = %s }"},
    {"source", NULL, "transfer { sources = %s }"},
    {"annotator", NULL, "transfer { annotators = %s }"},
    {"transfer_method", NULL, "transfer { sources = {0.9, 0.5}, methods = %s }"},
};

/* What components cannot do without. */
static const struct {
  const char *kind, *name, *parameters;
} NEEDED[] = {
    {"task", "solve", "game = beach_bar {}"},
    {"task", "design", "game = beach_bar { toll = toll {} }, objective = congestion {}"},
    {"task", "simulate", "game = beach_bar {}, agents = 100"},
    {"task", "steer", "game = combination_lock {}, target = \"uniform\""},
    {"task", "transfer", "sources = {0.9, 0.5}"},
    {"task", "sweep",
     "base = solve { game = beach_bar {} }, vary = { [\"learner.rate\"] = {0.1, 1} }"},
    {"game", "bounded", "game = beach_bar {}, low = -10, high = 50"},
    {"game", "custom",
     "states = 2, actions = 2, horizon = 4, moves = function(h, s, a) return a end, "
     "reward = function(h, s, a, mass) return -mass[s] end"},
    {"game", "tabulated", "file = \"tables.h5\""},
    {"mechanism", "scripted", "payment = function(bid, round) return bid / 2 end"},
    {"prior", "weights", "mass = function(value) return 1 + value end"},
    {"utility", "custom_utility",
     "payoff = function(value, payment, round) return value - payment end"},
    {"drift", "transition", "rows = function(value, next) return 1 + value * next end"},
    {"value_law", "beta", "a = 2, b = 5"},
    {"value_law", "quantiles", "values = {0, 0.2, 1}"},
    {"bid_rule", "bid_function", "bid = function(v) return v / 2 end"},
    {"policy", "from", "file = \"run.h5\""},
    {"policy", "given", "probability = function(h, s, a) return 1 / 3 end"},
    {"objective", "target_flow", "flow = function(h, s) return 1 / 4 end"},
    {"objective", "weights", "weight = function(h, s, a) return s end"},
    {"mixture", "mixture",
     "groups = {{share=0.5, agents=hedge{}}, {share=0.5, agents=fixed_share{}}}"},
    {"crowd", "individuals", "count = 1000"},
    {"bandit", "bandit_file", "file = \"bandit.h5\""},
    {"source", "mixtures", "correlations = {0.9, 0.5}"},
    {"source", "tables", "rewards = function(i, s, a) return a / 200 end, count = 1"},
};

static void add_component(wal_text *text, const wal_component *c) {
  wal_text_add(text, "%s {", c->name);
  for (size_t i = 0; i < sizeof NEEDED / sizeof *NEEDED; i++)
    if (strcmp(NEEDED[i].kind, c->kind) == 0 && strcmp(NEEDED[i].name, c->name) == 0)
      wal_text_add(text, " %s ", NEEDED[i].parameters);
  wal_text_add(text, "}");
}

void wal_example_add(wal_text *text, const wal_component *c) {
  for (size_t i = 0; i < sizeof SCENARIOS / sizeof *SCENARIOS; i++) {
    if (strcmp(SCENARIOS[i].kind, c->kind) != 0) continue;
    if (SCENARIOS[i].name && strcmp(SCENARIOS[i].name, c->name) != 0) continue;
    const char *scenario = SCENARIOS[i].scenario, *place = strstr(scenario, "%s");
    wal_text_add(text, "return %.*s", (int)(place - scenario), scenario);
    add_component(text, c);
    wal_text_add(text, "%s", place + 2);
    return;
  }
}
