// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/component_list.h"

#include <stdio.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/rows.h"

enum { NAME = WAL_COMPONENT_LIST_NAME };

void wal_component_list_number(int64_t count, char (*name)[WAL_COMPONENT_LIST_NAME]) {
  char *last = name[count - 1];
  const int length = (int)strnlen(last, NAME - 5);
  int same = 1;
  for (int64_t i = 0; i < count - 1; i++)
    same += strncmp(name[i], last, (size_t)length) == 0 &&
            (name[i][length] == '\0' || name[i][length] == ' ');
  if (same > 1) snprintf(last + length, (size_t)(NAME - length), " %d", same % 1000);
}

/* ---- one of them ---- */

typedef struct names {
  const wal_catalogue *catalogue;
  const char *kind;
} names;

/* Names of the kind, others as one that nothing is near to. */
static const char *name_at(const void *user, int64_t i) {
  const names *n = user;
  const wal_component *c = n->catalogue->components[i];
  return strcmp(c->kind, n->kind) == 0 ? c->name : "";
}

static wal_status unknown(wal_ctx *ctx, const wal_params *params, const char *param,
                          const char *noun, const names *n, const wal_node *node) {
  char text[160];
  const char *nearest = wal_nearest_name(node->text, n->catalogue->count, name_at, n);
  const bool told = nearest && nearest[0];
  return wal_params_fail(ctx, params, param, "expected %s, got %s%s%s%s", noun,
                         wal_node_describe(node, text, sizeof text),
                         told ? "; did you mean \"" : "", told ? nearest : "", told ? "\"?" : "");
}

static wal_status read_one(wal_ctx *ctx, const wal_params *params, const char *param,
                           const char *kind, const char *noun, const wal_node *node,
                           wal_params **out) {
  const names n = {wal_catalogue_all(), kind};
  const bool word = node->kind == WAL_NODE_TEXT;
  char text[160];
  if (!word && node->kind != WAL_NODE_COMPONENT)
    return wal_params_fail(ctx, params, param, "expected %s or a list of them, got %s", noun,
                           wal_node_describe(node, text, sizeof text));
  const wal_component *component = wal_catalogue_find_kind(n.catalogue, node->text, kind);
  if (!component) return unknown(ctx, params, param, noun, &n, node);
  wal_node *made = word ? wal_node_create(WAL_NODE_COMPONENT, node->line) : wal_node_copy(node);
  wal_status status = WAL_OK;
  if (!made || (word && !wal_node_set_text(made, node->text, strlen(node->text))))
    status = wal_fail(ctx, WAL_EINPUT, "not enough memory");
  if (status == WAL_OK)
    status = wal_params_resolve(ctx, wal_params_file(params), component, made, n.catalogue, out);
  wal_node_destroy(made);
  return status;
}

/* ---- all of them ---- */

static void add_name(wal_component_list *list) {
  const int64_t last = list->count - 1;
  snprintf(list->name[last], NAME, "%s", wal_params_component(list->params[last])->name);
  wal_component_list_number(list->count, list->name);
}

static wal_status read_usual(wal_ctx *ctx, const wal_params *params, const char *param,
                             const char *kind, const char *noun, int64_t count,
                             const char *const *usual, wal_component_list *out) {
  for (int64_t i = 0; i < count; i++) {
    char name[NAME];
    snprintf(name, sizeof name, "%s", usual[i]);
    const wal_node node = {.kind = WAL_NODE_TEXT, .text = name};
    WAL_TRY(read_one(ctx, params, param, kind, noun, &node, &out->params[i]));
    out->count = i + 1;
    add_name(out);
  }
  return WAL_OK;
}

wal_status wal_component_list_read(wal_ctx *ctx, const wal_params *params, const char *param,
                                   const char *kind, const char *noun, int64_t usual_count,
                                   const char *const *usual, wal_component_list *out) {
  const wal_node *node = wal_params_node(params, param);
  out->count = 0;
  if (!node) return read_usual(ctx, params, param, kind, noun, usual_count, usual, out);
  const bool list = node->kind == WAL_NODE_ITEMS;
  const int64_t count = list ? node->count : 1;
  if (count > WAL_COMPONENT_LIST_MOST)
    return wal_params_fail(ctx, params, param, "expected at most %d %ss, got %lld",
                           WAL_COMPONENT_LIST_MOST, noun + strcspn(noun, " ") + 1,
                           (long long)count);
  for (int64_t i = 0; i < count; i++) {
    const wal_node *item = list ? node->items[i] : node;
    WAL_TRY(read_one(ctx, params, param, kind, noun, item, &out->params[i]));
    out->count = i + 1;
    add_name(out);
  }
  return WAL_OK;
}

/* Whether another one is of the same component, so that names alone do not tell them apart. */
static bool is_one_of_several(const wal_component_list *list, int64_t i) {
  for (int64_t k = 0; k < list->count; k++)
    if (k != i && wal_params_component(list->params[k]) == wal_params_component(list->params[i]))
      return true;
  return false;
}

void wal_component_list_legend(const wal_component_list *list, const wal_node *node, FILE *out) {
  if (!node || node->kind != WAL_NODE_ITEMS) return;
  for (int64_t i = 0; i < list->count; i++) {
    const wal_node *item = node->items[i];
    const char *before = "";
    if (!is_one_of_several(list, i)) continue;
    if (!wal_row_shown(out, i, list->count, WAL_COMPONENT_LIST_SHOWN, "in the scenario")) continue;
    fprintf(out, "  %-18s  ", list->name[i]);
    for (int64_t k = 0; item->kind == WAL_NODE_COMPONENT && k < item->count; k++) {
      char text[160];
      wal_node_describe(item->items[k], text, sizeof text);
      fprintf(out, "%s%s = %s", before, item->keys[k], text);
      before = ", ";
    }
    fprintf(out, "%s\n", before[0] ? "" : "with its defaults");
  }
}

void wal_component_list_free(wal_component_list *list) {
  for (int64_t i = 0; i < list->count; i++) wal_params_destroy(&list->params[i]);
  list->count = 0;
}
