// SPDX-License-Identifier: GPL-3.0-or-later
/* Scenario texts to parameters and games. An input is a scenario in Lua or, if it begins with "{",
 * in JSON; a last line "--P path=value" is an override. What is accepted must come back the same
 * from its own JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/task.h"
#include "io/json.h"
#include "tests/fuzz/fuzz.h"

/* How large the games of a scenario would be: the product of all their whole numbers. */
typedef struct sizes {
  int inside; /**< depth below a game's constructor */
  double product;
} sizes;

static void open_part(void *user, const char *name, const wal_component *component, bool record) {
  sizes *s = user;
  (void)name, (void)record;
  if (s->inside > 0 || strcmp(component->kind, "game") == 0) s->inside++;
}
static void close_part(void *user, bool record) {
  sizes *s = user;
  (void)record;
  if (s->inside > 0) s->inside--;
}
static void see_number(void *user, const char *name, double value, bool whole) {
  sizes *s = user;
  (void)name;
  if (s->inside > 0 && whole && fabs(value) > 1) s->product *= fabs(value);
}
/* The runs of a sweep are not known before they are expanded: they may be of any size. */
static void see_node(void *user, const char *name, const wal_node *node) {
  (void)name, (void)node;
  ((sizes *)user)->product = HUGE_VAL;
}

static bool is_small(const wal_params *params) {
  sizes s = {.product = 1};
  const wal_params_visitor visitor = {
      .user = &s, .open = open_part, .close = close_part, .number = see_number, .node = see_node};
  wal_params_visit(params, &visitor);
  return s.product <= 20000;
}

/** Parses, overrides, resolves and checks; NULL if something is wrong with it, as it may be. */
static char *to_json(const char *name, const char *text, size_t length, const char *override,
                     bool must) {
  wal_ctx *ctx = fuzz_ctx();
  const wal_catalogue *catalogue = wal_catalogue_all();
  wal_scenario *scenario = NULL;
  wal_params *params = NULL;
  wal_text json = {0};
  wal_status status = wal_scenario_parse(ctx, name, text, length, catalogue, &scenario);
  if (status == WAL_OK && override) {
    status = wal_scenario_override(ctx, scenario, override);
    if (status == WAL_EUSAGE) status = WAL_EINPUT;
  }
  const wal_node *root = status == WAL_OK ? wal_scenario_root(scenario) : NULL;
  const wal_task_type *type = root && root->text ? wal_task_find(root->text) : NULL;
  if (type) status = wal_params_resolve(ctx, name, &type->component, root, catalogue, &params);
  if (type && status == WAL_OK && is_small(params)) {
    wal_ctx_set_seed(ctx, (uint64_t)wal_params_integer(params, "seed"));
    status = type->check(ctx, params);
    if (status == WAL_OK) wal_json_task(&json, params, wal_scenario_script(scenario));
  }
  if (status != WAL_OK) fuzz_check_failure(ctx, status);
  if (must) FUZZ_CHECK(status == WAL_OK && json.bytes);
  char *out = json.bytes ? strdup(json.bytes) : NULL;
  wal_text_free(&json);
  wal_params_destroy(&params);
  wal_scenario_destroy(&scenario);
  return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  char *text = malloc(count + 1);
  if (!text) return 0;
  memcpy(text, bytes, count);
  text[count] = '\0';
  const char *override = NULL;
  size_t length = count;
  for (char *line = strstr(text, "\n--P "); line; line = strstr(line + 1, "\n--P ")) {
    override = line + 5;
    length = (size_t)(line - text);
  }
  const int64_t before = wal_ctx_memory(fuzz_ctx());
  char *once = to_json(text[0] == '{' ? "fuzz.json" : "fuzz.lua", text, length, override, false);
  if (once) {
    char *twice = to_json("again.json", once, strlen(once), NULL, true);
    FUZZ_CHECK(strcmp(once, twice) == 0);
    free(twice);
  }
  FUZZ_CHECK(wal_ctx_memory(fuzz_ctx()) == before);
  free(once);
  free(text);
  return 0;
}
