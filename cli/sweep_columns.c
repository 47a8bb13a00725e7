// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"

enum { PATH = 400 };

/* Columns that a table has anyway. */
static const char *const FIXED[] = {"run",
                                    "seed",
                                    "status",
                                    "error",
                                    "iterations",
                                    "exploitability_first",
                                    "exploitability_best",
                                    "exploitability_last",
                                    "regularized_exploitability",
                                    "value",
                                    "objective",
                                    "best_step",
                                    "rank",
                                    "converged"};

static wal_status copy_text(wal_ctx *ctx, const char *text, char **out) {
  const size_t size = strlen(text) + 1;
  WAL_TRY(wal_acquire(ctx, "a table", (int64_t)size, 1, out));
  memcpy(*out, text, size);
  return WAL_OK;
}

// ---- Names ------------------------------------------------------------------------------------

static bool is_taken(const wal_sweep_columns *c, const char *name) {
  for (size_t i = 0; i < sizeof FIXED / sizeof FIXED[0]; i++)
    if (strcmp(FIXED[i], name) == 0) return true;
  for (int64_t i = 0; i < c->count; i++)
    if (c->list[i].name && strcmp(c->list[i].name, name) == 0) return true;
  return false;
}

/* Appends a column. Its name is its path in the letters that names in run files have. */
static wal_status add_column(wal_ctx *ctx, wal_sweep_columns *c, const char *path) {
  char base[PATH], name[PATH + 24];
  snprintf(base, sizeof base, "%s", path);
  for (char *b = base; *b; b++) {
    if (*b >= 'A' && *b <= 'Z') *b = (char)(*b - 'A' + 'a');
    const bool letter = *b >= 'a' && *b <= 'z';
    if (!letter && !(b > base && *b >= '0' && *b <= '9')) *b = b > base ? '_' : 'x';
  }
  snprintf(name, sizeof name, "%s", base);
  for (int i = 2; is_taken(c, name); i++) snprintf(name, sizeof name, "%s_%d", base, i);
  wal_sweep_column *one = &c->list[c->count];
  WAL_TRY(copy_text(ctx, path, &one->path));
  WAL_TRY(copy_text(ctx, name, &one->name));
  c->count++;
  WAL_TRY(wal_acquire(ctx, "a table", c->runs, sizeof(double), &one->numbers));
  return wal_acquire(ctx, "a table", c->runs, sizeof(char *), &one->texts);
}

// ---- What a list of tasks wrote differently ---------------------------------------------------

/* A path that some task has: its first value, in how many tasks it is, whether they differ. */
typedef struct place {
  char path[PATH];
  const wal_node *first;
  int64_t tasks;
  bool differs;
} place;

typedef struct places {
  wal_ctx *ctx;
  place *list;
  int64_t count, capacity;
} places;

static bool same_text(const char *a, const char *b) { return strcmp(a ? a : "", b ? b : "") == 0; }

bool wal_sweep_same_value(const wal_node *a, const wal_node *b) {
  if (a->kind != b->kind || a->count != b->count) return false;
  const bool named = a->kind == WAL_NODE_FIELDS || a->kind == WAL_NODE_COMPONENT;
  if (a->flag != b->flag || a->number != b->number) return false;
  if (a->kind == WAL_NODE_FUNCTION) return a->text && b->text && strcmp(a->text, b->text) == 0;
  if (a->kind == WAL_NODE_TEXT && !same_text(a->text, b->text)) return false;
  if (a->kind == WAL_NODE_COMPONENT && !same_text(a->text, b->text)) return false;
  for (int64_t i = 0; i < a->count; i++) {
    if (a->kind == WAL_NODE_NUMBERS) {
      if (a->numbers[i] != b->numbers[i]) return false;
      continue;
    }
    const wal_node *other = named ? wal_node_field(b, a->keys[i]) : b->items[i];
    if (!other || !wal_sweep_same_value(a->items[i], other)) return false;
  }
  return true;
}

/* At a place of its own: what is in a component has places, too. */
static bool same_here(const wal_node *a, const wal_node *b) {
  if (a->kind == WAL_NODE_COMPONENT && b->kind == WAL_NODE_COMPONENT)
    return same_text(a->text, b->text);
  return wal_sweep_same_value(a, b);
}

static wal_status more_places(places *all) {
  place *list = NULL;
  const int64_t capacity = all->capacity ? 2 * all->capacity : 64;
  WAL_TRY(wal_acquire(all->ctx, "a table", capacity, sizeof *list, &list));
  if (all->count) memcpy(list, all->list, (size_t)all->count * sizeof *list);
  wal_release(all->ctx, &all->list);
  all->list = list;
  all->capacity = capacity;
  return WAL_OK;
}

static wal_status note_value(places *all, const char *path, const wal_node *node) {
  int64_t i = 0;
  while (i < all->count && strcmp(all->list[i].path, path) != 0) i++;
  if (i == all->count) {
    if (all->count == all->capacity) WAL_TRY(more_places(all));
    place *p = &all->list[all->count++];
    *p = (place){.first = node};
    snprintf(p->path, sizeof p->path, "%s", path);
  }
  all->list[i].tasks++;
  if (!same_here(all->list[i].first, node)) all->list[i].differs = true;
  return WAL_OK;
}

static wal_status note_fields(places *all, const char *prefix, const wal_node *node) {
  char path[PATH];
  for (int64_t i = 0; i < node->count; i++) {
    const wal_node *field = node->items[i];
    const int length =
        snprintf(path, sizeof path, "%s%s%s", prefix, *prefix ? "." : "", node->keys[i]);
    if (length >= PATH || strcmp(path, "seed") == 0) continue;
    const bool nested = field->kind == WAL_NODE_FIELDS || field->kind == WAL_NODE_COMPONENT;
    if (field->kind != WAL_NODE_FIELDS) WAL_TRY(note_value(all, path, field));
    if (nested) WAL_TRY(note_fields(all, path, field));
  }
  return WAL_OK;
}

static wal_status find_places(wal_ctx *ctx, const wal_sweep *s, wal_sweep_columns *c) {
  places all = {.ctx = ctx};
  wal_status status = WAL_OK;
  for (int64_t i = 0; i < s->list->count; i++)
    WAL_TRY_GOTO(note_fields(&all, "", s->list->items[i]));
  WAL_TRY_GOTO(wal_acquire(ctx, "a table", all.count, sizeof *c->list, &c->list));
  for (int64_t i = 0; i < all.count; i++)
    if (all.list[i].differs || all.list[i].tasks < s->list->count)
      WAL_TRY_GOTO(add_column(ctx, c, all.list[i].path));
cleanup:
  wal_release(ctx, &all.list);
  return status;
}

// ---- Values -----------------------------------------------------------------------------------

/* Goes through resolved parameters and notes those that have a column. */
typedef struct reader {
  wal_ctx *ctx;
  const wal_sweep_columns *columns;
  int64_t run;
  char path[PATH];
  size_t length;
  wal_status status;
} reader;

static const wal_sweep_column *column_here(reader *r, const char *name) {
  char path[PATH];
  const int length =
      snprintf(path, sizeof path, "%.*s%s%s", (int)r->length, r->path, r->length ? "." : "", name);
  for (int64_t i = 0; length < PATH && i < r->columns->count; i++)
    if (strcmp(r->columns->list[i].path, path) == 0) return &r->columns->list[i];
  return NULL;
}

static void read_number(void *user, const char *name, double value, bool whole) {
  reader *r = user;
  (void)whole;
  const wal_sweep_column *c = column_here(r, name);
  if (c) c->numbers[r->run] = value;
}

static void read_text(void *user, const char *name, const char *value) {
  reader *r = user;
  const wal_sweep_column *c = column_here(r, name);
  if (c && r->status == WAL_OK) r->status = copy_text(r->ctx, value, &c->texts[r->run]);
}

static void read_flag(void *user, const char *name, bool value) {
  read_text(user, name, value ? "true" : "false");
}

static void read_node(void *user, const char *name, const wal_node *node) {
  wal_text text = {0};
  wal_sweep_value_text(&text, node, ((reader *)user)->run);
  read_text(user, name, text.bytes ? text.bytes : "");
  wal_text_free(&text);
}

static void read_array(void *user, const char *name, int rank, const int64_t extent[3],
                       const double *values) {
  int64_t count = 1;
  for (int i = 0; i < rank; i++) count *= extent[i];
  const wal_node node = {.kind = WAL_NODE_NUMBERS, .count = values ? count : 0};
  wal_node whole = node;
  double first[64];  // more are not shown
  if (whole.count > 64) whole.count = 64;
  for (int64_t i = 0; i < whole.count; i++) first[i] = values[i];
  whole.numbers = first;
  if (values)
    read_node(user, name, &whole);
  else
    read_text(user, name, "function");
}

static void read_open(void *user, const char *name, const wal_component *component, bool record) {
  reader *r = user;
  if (!name) return;
  if (!record) read_text(user, name, component->name);
  const size_t more = strlen(name) + (r->length ? 1 : 0);
  if (r->length + more < PATH)
    snprintf(r->path + r->length, PATH - r->length, "%s%s", r->length ? "." : "", name);
  r->length += more;
}

static void read_close(void *user, bool record) {
  reader *r = user;
  (void)record;
  const char *dot = r->length && r->length < PATH ? strrchr(r->path, '.') : NULL;
  r->length = dot ? (size_t)(dot - r->path) : 0;
  r->path[r->length] = '\0';
}

static wal_status read_resolved(wal_ctx *ctx, const wal_sweep *s, const wal_sweep_columns *c,
                                int64_t run) {
  const wal_task_type *type = NULL;
  wal_params *params = NULL;
  WAL_TRY(wal_sweep_resolve(ctx, s, run, &type, &params));
  reader r = {.ctx = ctx, .columns = c, .run = run};
  const wal_params_visitor visitor = {.user = &r,
                                      .open = read_open,
                                      .close = read_close,
                                      .flag = read_flag,
                                      .number = read_number,
                                      .text = read_text,
                                      .array = read_array,
                                      .function = read_text,
                                      .node = read_node};
  wal_params_visit(params, &visitor);
  wal_params_destroy(&params);
  return r.status;
}

static wal_status read_varied(wal_ctx *ctx, const wal_sweep *s, const wal_sweep_columns *c,
                              int64_t run) {
  for (int64_t i = 0, k = 0; s->vary && k < s->vary->count; k++) {
    if (strcmp(s->vary->keys[k], "seed") == 0) continue;
    const wal_sweep_column *to = &c->list[i++];
    const wal_node *values = s->vary->items[k];
    const int64_t choice = wal_sweep_choice(s, k, run);
    if (values->kind == WAL_NODE_NUMBERS) {
      to->numbers[run] = values->numbers[choice];
    } else if (values->items[choice]->kind == WAL_NODE_NUMBER) {
      to->numbers[run] = values->items[choice]->number;
    } else {
      wal_text text = {0};
      wal_sweep_value_text(&text, values->items[choice], choice);
      wal_status status = copy_text(ctx, text.bytes ? text.bytes : "", &to->texts[run]);
      wal_text_free(&text);
      WAL_TRY(status);
    }
  }
  return WAL_OK;
}

/* A column is of numbers if nothing in it is a text; otherwise all of it is text. */
static wal_status settle(wal_ctx *ctx, const wal_sweep_columns *c, wal_sweep_column *one) {
  bool texts = false, numbers = false;
  char number[32];
  for (int64_t i = 0; i < c->runs; i++) {
    texts = texts || one->texts[i];
    numbers = numbers || !isnan(one->numbers[i]);
  }
  if (!texts && numbers) {
    wal_release(ctx, &one->texts);
    return WAL_OK;
  }
  for (int64_t i = 0; i < c->runs; i++) {
    if (one->texts[i]) continue;
    const bool none = isnan(one->numbers[i]);
    WAL_TRY(copy_text(ctx, none ? "" : wal_number_text(one->numbers[i], number, sizeof number),
                      &one->texts[i]));
  }
  wal_release(ctx, &one->numbers);
  return WAL_OK;
}

wal_status wal_sweep_columns_create(wal_ctx *ctx, const wal_sweep *s, wal_sweep_columns *out) {
  *out = (wal_sweep_columns){.runs = s->count};
  wal_status status = WAL_OK;
  if (s->list) {
    WAL_TRY_GOTO(find_places(ctx, s, out));
  } else if (s->vary) {
    WAL_TRY_GOTO(wal_acquire(ctx, "a table", s->vary->count, sizeof *out->list, &out->list));
    for (int64_t i = 0; i < s->vary->count; i++)
      if (strcmp(s->vary->keys[i], "seed") != 0)
        WAL_TRY_GOTO(add_column(ctx, out, s->vary->keys[i]));
  }
  for (int64_t i = 0; i < out->count; i++)
    for (int64_t run = 0; run < s->count; run++) out->list[i].numbers[run] = NAN;
  for (int64_t run = 0; run < s->count && out->count > 0; run++)
    WAL_TRY_GOTO(s->list ? read_resolved(ctx, s, out, run) : read_varied(ctx, s, out, run));
  for (int64_t i = 0; i < out->count; i++) WAL_TRY_GOTO(settle(ctx, out, &out->list[i]));
cleanup:
  if (status != WAL_OK) wal_sweep_columns_free(ctx, out);
  return status;
}

void wal_sweep_columns_free(wal_ctx *ctx, wal_sweep_columns *c) {
  for (int64_t i = 0; c->list && i < c->count; i++) {
    wal_sweep_column *one = &c->list[i];
    for (int64_t run = 0; one->texts && run < c->runs; run++) wal_release(ctx, &one->texts[run]);
    wal_release(ctx, &one->texts);
    wal_release(ctx, &one->numbers);
    wal_release(ctx, &one->path);
    wal_release(ctx, &one->name);
  }
  wal_release(ctx, &c->list);
}
