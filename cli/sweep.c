// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep.h"

#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"

enum { GOT = 160, VALUE_SHOWN = 120, LABEL_SHOWN = 300 };

// ---- Form -------------------------------------------------------------------------------------

static bool is_empty_table(const wal_node *node) {
  return node->kind == WAL_NODE_NUMBERS && node->count == 0;
}

/* Whether a node is a task that can be one run of a sweep. `what` names it in the error. */
static wal_status check_task(wal_ctx *ctx, const wal_params *params, const char *what,
                             const wal_node *node) {
  char got[GOT];
  const wal_task_type *type = node->kind == WAL_NODE_COMPONENT ? wal_task_find(node->text) : NULL;
  if (!type)
    return wal_params_fail(ctx, params, what, "expected a task such as solve{...}, got %s",
                           wal_node_describe(node, got, sizeof got));
  if (!type->work && strcmp(node->text, "sweep") == 0)
    return wal_params_fail(ctx, params, what, "expected a single task, got another %s{...}",
                           node->text);
  if (!type->work)
    return wal_params_fail(ctx, params, what,
                           "expected a task that can be swept, as solve{...}, got %s{...}; vary it "
                           "by `walras run` with -P",
                           node->text);
  return WAL_OK;
}

static wal_status check_list(wal_ctx *ctx, const wal_sweep *s) {
  char got[GOT], what[48];
  if (s->list->kind != WAL_NODE_ITEMS)
    return wal_params_fail(ctx, s->params, "runs", "expected a list of tasks, got %s",
                           wal_node_describe(s->list, got, sizeof got));
  for (int64_t i = 0; i < s->list->count; i++) {
    snprintf(what, sizeof what, "runs[%lld]", (long long)i + 1);
    WAL_TRY(check_task(ctx, s->params, what, s->list->items[i]));
  }
  return WAL_OK;
}

static wal_status check_vary(wal_ctx *ctx, const wal_sweep *s) {
  char got[GOT];
  if (s->vary->kind != WAL_NODE_FIELDS)
    return wal_params_fail(
        ctx, s->params, "vary",
        "expected a table of lists, as { [\"learner.rate\"] = {0.1, 1} }, got %s",
        wal_node_describe(s->vary, got, sizeof got));
  for (int64_t i = 0; i < s->vary->count; i++) {
    const wal_node *values = s->vary->items[i];
    if ((values->kind == WAL_NODE_NUMBERS || values->kind == WAL_NODE_ITEMS) && values->count > 0)
      continue;
    char key[GOT], what[GOT + 8];
    wal_quoted_text(s->vary->keys[i], key, sizeof key);
    snprintf(what, sizeof what, "vary[%s]", key);
    return wal_params_fail(ctx, s->params, what, "expected a list of values, got %s",
                           wal_node_describe(values, got, sizeof got));
  }
  return WAL_OK;
}

static wal_status count_runs(wal_ctx *ctx, wal_sweep *s) {
  double runs = (double)s->seeds;  // may exceed what integers hold
  s->settings = 1;
  if (s->list) s->settings = s->list->count;
  if (s->list) runs *= (double)s->list->count;
  for (int64_t i = 0; s->vary && i < s->vary->count; i++) runs *= (double)s->vary->items[i]->count;
  if (runs > WAL_SWEEP_RUNS)
    return wal_params_fail(ctx, s->params, NULL, "expected at most 10^6 runs, got %.15g", runs);
  for (int64_t i = 0; s->vary && i < s->vary->count; i++) s->settings *= s->vary->items[i]->count;
  s->count = s->settings * s->seeds;
  return WAL_OK;
}

wal_status wal_sweep_open(wal_ctx *ctx, const wal_params *params, wal_sweep *out) {
  *out = (wal_sweep){.params = params,
                     .base = wal_params_node(params, "base"),
                     .vary = wal_params_node(params, "vary"),
                     .list = wal_params_node(params, "runs"),
                     .seeds = wal_params_integer(params, "seeds"),
                     .ranks_per_run = wal_params_integer(params, "ranks_per_run"),
                     .keeps = strcmp(wal_params_text(params, "keep"), "all") == 0,
                     .noun = "run"};
  if (!out->base == !out->list)
    return wal_params_fail(ctx, params, out->base ? "runs" : "base",
                           "expected either a base that varies or a list of runs, got %s",
                           out->base ? "both" : "neither");
  if (out->vary && is_empty_table(out->vary)) out->vary = NULL;
  if (out->list && out->vary)
    return wal_params_fail(ctx, params, "vary", "expected a base to vary, got a list of runs");
  if (out->base) WAL_TRY(check_task(ctx, params, "base", out->base));
  if (out->list) WAL_TRY(check_list(ctx, out));
  if (out->vary) WAL_TRY(check_vary(ctx, out));
  return count_runs(ctx, out);
}

// ---- One run ----------------------------------------------------------------------------------

int64_t wal_sweep_choice(const wal_sweep *s, int64_t key, int64_t run) {
  int64_t setting = run / s->seeds;
  for (int64_t i = s->vary->count - 1; i > key; i--) setting /= s->vary->items[i]->count;
  return setting % s->vary->items[key]->count;
}

static wal_status no_memory(wal_ctx *ctx, const wal_sweep *s) {
  return wal_params_fail(ctx, s->params, NULL, "not enough memory");
}

static wal_node *number_node(double number, int line) {
  wal_node *node = wal_node_create(WAL_NODE_NUMBER, line);
  if (node) node->number = number;
  return node;
}

static wal_status set_varied(wal_ctx *ctx, const wal_sweep *s, int64_t run, wal_node *tree) {
  char where[512], key[GOT], line[32] = "";
  for (int64_t i = 0; s->vary && i < s->vary->count; i++) {
    const wal_node *values = s->vary->items[i];
    const int64_t choice = wal_sweep_choice(s, i, run);
    wal_node *value = values->kind == WAL_NODE_NUMBERS
                          ? number_node(values->numbers[choice], values->line)
                          : wal_node_copy(values->items[choice]);
    if (!value) return no_memory(ctx, s);
    if (values->line > 0) snprintf(line, sizeof line, "%d:", values->line);
    snprintf(where, sizeof where, "%s:%s sweep: vary[%s]", wal_params_file(s->params), line,
             wal_quoted_text(s->vary->keys[i], key, sizeof key));
    wal_status status =
        wal_scenario_set(ctx, wal_catalogue_all(), tree, s->vary->keys[i], value, where);
    if (status != WAL_OK) return WAL_EINPUT;  // of a path, too, which here the scenario has
  }
  return WAL_OK;
}

/* Seeds follow the one that the run has, which is that of the sweep, the base's or a varied one. */
static wal_status add_to_seed(wal_ctx *ctx, const wal_sweep *s, int64_t more, wal_node *tree) {
  const wal_node *written = wal_node_field(tree, "seed");
  if (more == 0 || (written && written->kind != WAL_NODE_NUMBER)) return WAL_OK;
  double seed = written ? written->number : 0;
  for (const wal_param *p = wal_task_find(tree->text)->component.params; !written && p->name; p++)
    if (strcmp(p->name, "seed") == 0) seed = p->number;
  wal_node *value = number_node(seed + (double)more, written ? written->line : tree->line);
  return wal_node_set_field(tree, "seed", value) ? WAL_OK : no_memory(ctx, s);
}

wal_status wal_sweep_tree(wal_ctx *ctx, const wal_sweep *s, int64_t run, wal_node **out) {
  const wal_node *task = s->base ? s->base : s->list->items[run / s->seeds];
  wal_node *tree = wal_node_copy(task);
  wal_status status = tree ? WAL_OK : no_memory(ctx, s);
  if (status == WAL_OK && wal_params_given(s->params, "seed")) {
    wal_node *seed = number_node((double)wal_params_integer(s->params, "seed"), tree->line);
    if (!wal_node_set_field(tree, "seed", seed)) status = no_memory(ctx, s);
  }
  if (status == WAL_OK) status = set_varied(ctx, s, run, tree);
  if (status == WAL_OK) status = add_to_seed(ctx, s, run % s->seeds, tree);
  if (status != WAL_OK) wal_node_destroy(tree);
  *out = status == WAL_OK ? tree : NULL;
  return status;
}

wal_status wal_sweep_resolve(wal_ctx *ctx, const wal_sweep *s, int64_t run,
                             const wal_task_type **type, wal_params **out) {
  wal_node *tree = NULL;
  *out = NULL;
  WAL_TRY(wal_sweep_tree(ctx, s, run, &tree));
  *type = wal_task_find(tree->text);
  wal_status status = wal_params_resolve(ctx, wal_params_file(s->params), &(*type)->component, tree,
                                         wal_catalogue_all(), out);
  wal_node_destroy(tree);
  return status == WAL_OK ? WAL_OK : wal_sweep_blame(ctx, s, run, status);
}

// ---- Texts ------------------------------------------------------------------------------------

static void add_value(wal_text *text, const wal_node *node, int64_t choice) {
  char number[32];
  const bool named = node->kind == WAL_NODE_FIELDS || node->kind == WAL_NODE_COMPONENT;
  switch (node->kind) {
    case WAL_NODE_FLAG:
      wal_text_add(text, "%s", node->flag ? "true" : "false");
      return;
    case WAL_NODE_NUMBER:
      wal_text_add(text, "%s", wal_number_text(node->number, number, sizeof number));
      return;
    case WAL_NODE_TEXT:
      wal_text_add(text, "%s", node->text ? node->text : "");
      return;
    case WAL_NODE_FUNCTION:
      wal_text_add(text, "function %lld", (long long)choice + 1);
      return;
    case WAL_NODE_NUMBERS:
    case WAL_NODE_ITEMS:
    case WAL_NODE_FIELDS:
    case WAL_NODE_COMPONENT:
      break;
  }
  wal_text_add(text, "%s{", node->kind == WAL_NODE_COMPONENT ? node->text : "");
  for (int64_t i = 0; i < node->count && text->length <= VALUE_SHOWN; i++) {
    wal_text_add(text, "%s%s%s", i ? ", " : "", named ? node->keys[i] : "", named ? "=" : "");
    if (node->kind == WAL_NODE_NUMBERS)
      wal_text_add(text, "%s", wal_number_text(node->numbers[i], number, sizeof number));
    else
      add_value(text, node->items[i], choice);
  }
  wal_text_add(text, "}");
}

void wal_sweep_value_text(wal_text *text, const wal_node *value, int64_t choice) {
  wal_text whole = {0};
  add_value(&whole, value, choice);
  if (whole.bytes && whole.length > VALUE_SHOWN) {
    size_t end = VALUE_SHOWN - 3;
    while (end > 0 && ((unsigned char)whole.bytes[end] & 0xC0U) == 0x80U) end--;
    whole.bytes[end] = '\0';
    wal_text_add(text, "%s...", whole.bytes);
  } else if (whole.bytes) {
    wal_text_add(text, "%s", whole.bytes);
  }
  wal_text_free(&whole);
}

void wal_sweep_run_text(wal_text *text, const wal_sweep *s, int64_t run) {
  wal_text label = {0};
  for (int64_t i = 0; s->vary && i < s->vary->count; i++) {
    const wal_node *values = s->vary->items[i];
    const int64_t choice = wal_sweep_choice(s, i, run);
    wal_text_add(&label, "%s%s=", i ? ", " : "", s->vary->keys[i]);
    if (values->kind == WAL_NODE_NUMBERS) {
      const wal_node number = {.kind = WAL_NODE_NUMBER, .number = values->numbers[choice]};
      wal_sweep_value_text(&label, &number, choice);
    } else {
      wal_sweep_value_text(&label, values->items[choice], choice);
    }
  }
  char line[LABEL_SHOWN];
  snprintf(line, sizeof line, "%s", label.bytes ? label.bytes : "");
  for (char *c = line; *c; c++)
    if ((unsigned char)*c < 0x20U || *c == 0x7F) *c = '?';
  wal_text_free(&label);
  wal_text_add(text, "%s", line);
}

wal_status wal_sweep_blame(wal_ctx *ctx, const wal_sweep *s, int64_t run, wal_status status) {
  wal_text text = {0};
  wal_sweep_run_text(&text, s, run);
  const char *varied = text.bytes ? text.bytes : "";
  wal_fail(ctx, status, "%s (run %lld%s%s)", wal_ctx_error(ctx), (long long)run,
           *varied ? ": " : "", varied);
  wal_text_free(&text);
  return status;
}

// ---- All runs ---------------------------------------------------------------------------------

/* Groups of ranks have no groups of their own; a table of all seeds has more to tell, too. */
static wal_status refuse_restarts(wal_ctx *ctx, const wal_task_type *type,
                                  const wal_params *params) {
  for (const wal_param *p = type->component.params; p->name; p++)
    if (strcmp(p->name, "restarts") == 0 && wal_params_integer(params, "restarts") > 1)
      return wal_params_fail(ctx, params, "restarts",
                             "expected 1 in a sweep, got %lld; sweep{seeds = %lld} has them",
                             (long long)wal_params_integer(params, "restarts"),
                             (long long)wal_params_integer(params, "restarts"));
  return WAL_OK;
}

static wal_status check_run(wal_ctx *ctx, const wal_sweep *s, int64_t run) {
  const wal_task_type *type = NULL;
  wal_params *params = NULL;
  WAL_TRY(wal_sweep_resolve(ctx, s, run, &type, &params));
  wal_ctx_set_seed(ctx, (uint64_t)wal_params_integer(params, "seed"));
  wal_status status = refuse_restarts(ctx, type, params);
  if (status == WAL_OK) status = type->check(ctx, params);
  if (status != WAL_OK) status = wal_sweep_blame(ctx, s, run, status);
  wal_params_destroy(&params);
  return status;
}

wal_status wal_sweep_check(wal_ctx *ctx, const wal_sweep *s) {
  const uint64_t seed = wal_ctx_seed(ctx);
  wal_status status = WAL_OK;
  int64_t run = wal_ctx_rank(ctx);
  for (; run < s->count && status == WAL_OK; run += wal_ctx_size(ctx))
    status = check_run(ctx, s, run);
  wal_ctx_set_seed(ctx, seed);
  // The first wrong run is the one that is told, on any number of ranks.
  const int64_t wrong = status == WAL_OK ? s->count : run - wal_ctx_size(ctx);
  int64_t first = wrong;
  WAL_TRY(wal_ctx_least_integer(ctx, &first));
  return wal_agree(ctx, wrong == first ? status : WAL_OK);
}
