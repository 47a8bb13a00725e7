// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <string.h>

#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/describe_word.h"
#include "cli/example.h"
#include "cli/rows.h"
#include "cli/task.h"
#include "io/json.h"
#include "sim/core/status.h"

static const char *component_name(const void *catalogue, int64_t i) {
  return ((const wal_catalogue *)catalogue)->components[i]->name;
}

static const char *component_kind(const void *catalogue, int64_t i) {
  return ((const wal_catalogue *)catalogue)->components[i]->kind;
}

enum { KIND = 64 };

/* "games", "utilities". */
static const char *plural(const char *kind, char out[KIND]) {
  const int length = (int)strlen(kind);
  const bool y = length > 0 && kind[length - 1] == 'y';
  snprintf(out, KIND, "%.*s%s", y ? length - 1 : length, kind, y ? "ies" : "s");
  return out;
}

static bool kind_matches(const char *kind, const char *wanted) {
  char all[KIND];
  return strcmp(kind, wanted) == 0 || strcmp(plural(kind, all), wanted) == 0;
}

int wal_command_list(const wal_options *options, int argc, char **argv) {
  (void)argc;
  (void)argv;
  const wal_catalogue *all = wal_catalogue_all();
  const char *wanted = options->operands > 0 ? options->operand[0] : NULL;
  const char *kind = "";
  char kinds[KIND];
  int printed = 0;
  for (int64_t i = 0; i < all->count; i++) {
    const wal_component *c = all->components[i];
    if (wanted && !kind_matches(c->kind, wanted)) continue;
    if (strcmp(kind, c->kind) != 0) printf("%s%s\n", printed ? "\n" : "", plural(c->kind, kinds));
    kind = c->kind;
    printf("  %-22s %s\n", c->name, c->summary);
    printed++;
  }
  if (printed > 0) return 0;
  const char *near_to = wal_nearest_name(wanted, all->count, component_kind, all);
  if (near_to) {
    fprintf(stderr, "walras list: unknown kind \"%s\"; did you mean \"%s\"?\n", wanted,
            plural(near_to, kinds));
    return wal_status_exit(WAL_EUSAGE);
  }
  fprintf(stderr, "walras list: unknown kind \"%s\"; there are", wanted);
  for (int64_t i = 0; i < all->count; i++) {
    if (strcmp(kind, all->components[i]->kind) != 0)
      fprintf(stderr, "%s %s", *kind ? "," : ":", plural(all->components[i]->kind, kinds));
    kind = all->components[i]->kind;
  }
  fprintf(stderr, "\n");
  return wal_status_exit(WAL_EUSAGE);
}

static void add_numbers(wal_text *text, const double *values, const int64_t *extent, int rank) {
  int64_t inner = 1;
  for (int i = 1; i < rank; i++) inner *= extent[i];
  wal_text_add(text, "{");
  for (int64_t i = 0; i < extent[0]; i++) {
    if (i > 0) wal_text_add(text, ", ");
    if (rank == 1)
      wal_json_number(text, values[i]);
    else
      add_numbers(text, values + i * inner, extent + 1, rank - 1);
  }
  wal_text_add(text, "}");
}

/* The default as a scenario would write it. */
static void add_default(wal_text *text, const wal_param *p) {
  if (p->required) {
    wal_text_add(text, "required");
  } else if (p->optional) {
    wal_text_add(text, "-");
  } else if (p->type == WAL_FLAG) {
    wal_text_add(text, p->number != 0 ? "true" : "false");
  } else if (p->type == WAL_INTEGER || p->type == WAL_REAL || p->spreads) {
    wal_json_number(text, p->number);
  } else if (p->type == WAL_TEXT) {
    wal_json_string(text, p->text);
  } else if (p->type == WAL_COMPONENT) {
    wal_text_add(text, p->named ? "\"%s\"" : "%s{}", p->text);
  } else if (p->type == WAL_ARRAY) {
    add_numbers(text, p->array, p->extent, p->rank);
  } else {
    wal_text_add(text, "{}");
  }
}

/* Whether the words that a text may be are told with its meaning: they would make the column of
   types too wide. */
static bool is_long(const wal_param *p) {
  enum { WIDE = 44 };
  return p->type == WAL_TEXT && p->choices && strlen(p->choices) > WIDE;
}

/* A bound: whole numbers as they are, others with six digits. */
static void add_bound(wal_text *text, double bound) {
  if (bound == rint(bound))
    wal_json_number(text, bound);
  else
    wal_text_add(text, "%.6g", bound);
}

static void add_type(wal_text *text, const wal_param *p) {
  static const char *const ARRAYS[] = {"", "list", "table", "3-level table"};
  char kinds[80];
  switch (p->type) {
    case WAL_INTEGER:
      wal_text_add(text, "whole number");
      break;
    case WAL_REAL:
      wal_text_add(text, "number");
      break;
    case WAL_FLAG:
      wal_text_add(text, "true or false");
      break;
    case WAL_TEXT:
      wal_text_add(text,
                   !p->choices  ? "text"
                   : is_long(p) ? "one of these"
                                : "one of %s",
                   p->choices);
      break;
    case WAL_ARRAY:
      wal_text_add(text, "%s%s or function", p->spreads ? "number, " : "", ARRAYS[p->rank]);
      break;
    case WAL_COMPONENT:
      wal_text_add(text, "%s%s", wal_kinds_text(p->choices, kinds, sizeof kinds),
                   wal_param_wrapped(p, wal_catalogue_all(), ", list or function", " or function"));
      break;
    case WAL_FUNCTION:
      wal_text_add(text, "function");
      break;
    case WAL_RECORD:
      wal_text_add(text, "table");
      break;
    case WAL_ANY:
      wal_text_add(text, "%s", p->choices ? p->choices : "any value");
      break;
  }
  if (p->type != WAL_INTEGER && p->type != WAL_REAL && p->type != WAL_ARRAY) return;
  const bool low = p->low > -HUGE_VAL, high = p->high < HUGE_VAL && p->high < 0x1p53;
  if (p->low == 0 && p->high == 0) return;
  wal_text_add(text, low && high ? " in [" : low ? " >= " : high ? " <= " : "");
  if (low) add_bound(text, p->low);
  if (low && high) wal_text_add(text, ", ");
  if (high) add_bound(text, p->high);
  if (low && high) wal_text_add(text, "]");
}

/* Columns of the table of parameters: name, type, default; the meaning needs no width. What is
   wider than these stands out of its column, and its meaning below. */
enum { COLUMNS = 3, LINE = 100, TYPE = 44, DEFAULT = 20 };

static int wider(int width, int64_t length, int64_t most) {
  return length > width && length <= most ? (int)length : width;
}

static void measure_params(const wal_param *params, int indent, int width[COLUMNS]) {
  for (const wal_param *p = params; p && p->name; p++) {
    wal_text type = {0}, fallback = {0};
    add_type(&type, p);
    add_default(&fallback, p);
    width[0] = wider(width[0], indent + (int64_t)strlen(p->name), LINE);
    width[1] = wider(width[1], (int64_t)type.length, TYPE);
    width[2] = wider(width[2], (int64_t)fallback.length, DEFAULT);
    wal_text_free(&type);
    wal_text_free(&fallback);
    if (p->type == WAL_RECORD) measure_params(p->record->params, indent + 2, width);
  }
}

/* The meaning with the words that it chooses among, if they stand nowhere else, and the unit. */
static void add_meaning(wal_text *text, const wal_param *p) {
  wal_text_add(text, "%s", p->meaning);
  const char *before = ": ";
  for (const char *word = is_long(p) ? p->choices : ""; *word;) {
    const int length = (int)strcspn(word, "|");
    wal_text_add(text, "%s%.*s", before, length, word);
    word += length + (word[length] == '|');
    before = strchr(word, '|') ? ", " : " or ";
  }
  if (p->unit) wal_text_add(text, " [%s]", p->unit);
}

static void describe_params(const wal_param *params, int indent, const int width[COLUMNS]) {
  for (const wal_param *p = params; p && p->name; p++) {
    wal_text type = {0}, fallback = {0}, meaning = {0};
    add_type(&type, p);
    add_default(&fallback, p);
    printf("%*s%-*s  %-*s  %-*s", indent, "", width[0] - indent, p->name, width[1], type.bytes,
           width[2], fallback.bytes);
    add_meaning(&meaning, p);
    const int column = width[0] + width[1] + width[2] + 6;
    const bool wide = type.length > (size_t)width[1] || fallback.length > (size_t)width[2];
    printf("%s%*s", wide ? "\n" : "", wide ? column : 2, "");
    wal_print_wrapped(meaning.bytes, column);
    wal_text_free(&meaning);
    wal_text_free(&type);
    wal_text_free(&fallback);
    if (p->type == WAL_RECORD) describe_params(p->record->params, indent + 2, width);
  }
}

/* Whether a parameter takes components of a kind; those of any type say so in words: "a task", "a
   mediator or a list of them". */
static bool takes(const wal_param *p, const char *kind) {
  char words[80];
  if (p->type == WAL_COMPONENT) return wal_kind_is(kind, p->choices);
  if (p->type != WAL_ANY || !p->choices) return false;
  const char *rest = p->choices;
  const size_t length = strlen(wal_kinds_text(kind, words, sizeof words));
  return strncmp(rest, words, length) == 0 && (rest[length] == '\0' || rest[length] == ' ');
}

/* Where the names are that parameters of a component type take. */
static void print_kinds(const wal_catalogue *all, const wal_param *params) {
  wal_text names = {0};
  for (const wal_param *p = params; p->name; p++) {
    char kinds[KIND];
    const char *last = "";
    for (int64_t i = 0; i < all->count; i++) {
      const char *kind = all->components[i]->kind;
      if (strcmp(kind, last) == 0 || !takes(p, kind)) continue;
      last = kind;
      wal_text_add(&names, "%swalras list %s", names.length ? ", " : "", plural(kind, kinds));
    }
  }
  if (names.length) {
    printf("\nnames: ");
    wal_print_wrapped(names.bytes, 7);
  }
  wal_text_free(&names);
}

/* Whether one of these parameters, or of the records in them, takes a kind; `name` is its path. */
static bool takes_kind(const wal_param *params, const char *kind, wal_text *name) {
  for (const wal_param *p = params; p && p->name; p++) {
    if (takes(p, kind)) {
      wal_text_add(name, "%s", p->name);
      return true;
    }
    wal_text below = {0};
    const bool found = p->type == WAL_RECORD && takes_kind(p->record->params, kind, &below);
    if (found) wal_text_add(name, "%s.%s", p->name, below.bytes);
    wal_text_free(&below);
    if (found) return true;
  }
  return false;
}

/* Where a component is written: what scenarios return, or a parameter of these components. */
static void print_places(const wal_catalogue *all, const wal_component *c) {
  enum { SOME = 3 };
  wal_text places = {0};
  int games = 0;
  const bool task = strcmp(c->kind, "task") == 0;
  if (task) wal_text_add(&places, "what a scenario returns");
  const bool inside = !task || wal_task_find(c->name)->work;  // others cannot be swept
  for (int64_t i = 0; inside && i < all->count; i++) {
    wal_text name = {0};
    const bool taken = takes_kind(all->components[i]->params, c->kind, &name);
    const bool game = strcmp(all->components[i]->kind, "game") == 0;
    games += taken && game;
    if (taken && !(game && games > SOME))
      wal_text_add(&places, "%s%s of %s", places.length ? ", " : "", name.bytes,
                   all->components[i]->name);
    wal_text_free(&name);
  }
  if (games > SOME) wal_text_add(&places, ", ... (%d games)", games);
  if (places.length) {
    printf("where: ");
    wal_print_wrapped(places.bytes, 7);
  }
  wal_text_free(&places);
}

static void describe(const wal_catalogue *all, const wal_component *c) {
  printf("%s (%s): %s\n", c->name, c->kind, c->summary);
  print_places(all, c);
  wal_text example = {0};
  wal_example_add(&example, c);
  if (example.length > 0) {
    printf("example: ");
    wal_print_wrapped(example.bytes, 9);
  }
  wal_text_free(&example);
  if (c->source) {
    printf("source: ");
    wal_print_wrapped(c->source, 8);
  }
  if (c->params && c->params->name) {
    int width[COLUMNS] = {11, 4, 8};
    measure_params(c->params, 2, width);
    printf("\n  %-*s  %-*s  %-*s  meaning\n", width[0] - 2, "parameter", width[1], "type", width[2],
           "default");
    describe_params(c->params, 2, width);
    print_kinds(all, c->params);
  } else {
    printf("takes no parameters: %s{}\n", c->name);
  }
}

/* The nearest name, or else one that has the word in it. */
static const char *near_name(const wal_catalogue *all, const char *name) {
  const char *near_to = wal_nearest_name(name, all->count, component_name, all);
  for (int64_t i = 0; !near_to && strlen(name) > 2 && i < all->count; i++)
    if (strstr(all->components[i]->name, name)) near_to = all->components[i]->name;
  return near_to ? near_to : wal_describe_nearest(all, name);
}

static int refuse_name(const wal_catalogue *all, const char *name) {
  const char *near_to = near_name(all, name);
  const char *otherwise = wal_catalogue_written(all, name, NULL);
  bool command = false;
  for (int i = 0; i < wal_command_count(); i++)
    command = command || strcmp(wal_command_at(i)->name, name) == 0;
  fprintf(stderr, "walras describe: unknown name \"%s\"; ", name);
  if (command)
    fprintf(stderr, "it is a command: see walras %s --help\n", name);
  else if (otherwise)
    fprintf(stderr, "write %s\n", otherwise);
  else if (near_to)
    fprintf(stderr, "did you mean \"%s\"?\n", near_to);
  else
    fprintf(stderr, "see walras list\n");
  return wal_status_exit(WAL_EUSAGE);
}

int wal_command_describe(const wal_options *options, int argc, char **argv) {
  (void)argc;
  (void)argv;
  const wal_catalogue *all = wal_catalogue_all();
  const char *name = options->operand[0];
  const bool known = wal_catalogue_find(all, name) != NULL;
  for (int64_t i = 0; !known && i < all->count; i++) {
    char kinds[KIND];
    if (!kind_matches(all->components[i]->kind, name)) continue;
    fprintf(stderr, "walras describe: \"%s\" is a kind; see walras list %s\n", name,
            plural(all->components[i]->kind, kinds));
    return wal_status_exit(WAL_EUSAGE);
  }
  if (!known) return wal_describe_word(all, name) ? 0 : refuse_name(all, name);
  for (int64_t i = 0, shown = 0; i < all->count; i++) {
    if (strcmp(all->components[i]->name, name) != 0) continue;
    if (shown++ > 0) printf("\n");
    describe(all, all->components[i]);
  }
  return 0;
}
