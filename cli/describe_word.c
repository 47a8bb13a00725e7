// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/describe_word.h"

#include <stdio.h>
#include <string.h>

#include "cli/rows.h"
#include "games/game_list.h"

enum { PATH = 96, PLACE = 192, ROWS = 18, FOUND = 128 };

/* What stands in tables and texts, and is no name that a scenario would write. */
static const struct {
  const char *name, *meaning;
} TERMS[] = {
    {"exploitability",
     "what an agent gains by the best policy while all others keep to theirs; 0 at an equilibrium "
     "(docs/theory.md, docs/tutorial.md)"},
    {"mean_field",
     "how many of infinitely many agents are in each state, stage by stage (docs/theory.md)"},
    {"steering_gap",
     "how far what agents play is from the target policy: /steering/summary (docs/steering.md)"},
    {"with_entropy",
     "exploitability that counts the learner's entropy: how far it is from where it goes "
     "(docs/theory.md)"}};
enum { TERM_COUNT = sizeof TERMS / sizeof *TERMS };

/* Everything of a name, one line each: where it stands, and its meaning. */
typedef struct findings {
  int64_t count;
  struct {
    char place[PLACE];
    const char *meaning;
  } row[FOUND];
} findings;

typedef void (*visit)(void *user, const char *name, const char *path, const char *owner,
                      const char *meaning);

static void visit_params(const wal_param *params, const char *owner, const char *prefix, visit tell,
                         void *user) {
  char path[PATH];
  for (const wal_param *p = params; p && p->name; p++) {
    snprintf(path, sizeof path, "%s%s", prefix, p->name);
    tell(user, p->name, path, owner, p->meaning);
    if (p->type != WAL_RECORD) continue;
    snprintf(path, sizeof path, "%s%s.", prefix, p->name);
    visit_params(p->record->params, owner, path, tell, user);
  }
}

static void visit_all(const wal_catalogue *all, visit tell, void *user) {
  for (int64_t g = 0; g < wal_game_count(); g++) {
    const wal_report_form *form = wal_game_at(g)->report;
    for (int c = 0; form && c < form->columns; c++)
      tell(user, form->column[c].name, "in the report", wal_game_at(g)->component.name,
           form->column[c].meaning);
  }
  for (int64_t i = 0; i < all->count; i++)
    visit_params(all->components[i]->params, all->components[i]->name, "", tell, user);
}

/* ---- one word ---- */

typedef struct search {
  const char *word;
  findings found;
} search;

static void note(void *user, const char *name, const char *path, const char *owner,
                 const char *meaning) {
  search *s = user;
  if (strcmp(name, s->word) != 0 || s->found.count == FOUND) return;
  snprintf(s->found.row[s->found.count].place, PLACE, "%s of %.80s", path, owner);
  s->found.row[s->found.count++].meaning = meaning ? meaning : "";
}

/* Terms of several words may be written with blanks. */
static void spell(const char *word, char out[PATH]) {
  snprintf(out, PATH, "%s", word);
  for (char *c = out; *c; c++)
    if (*c == ' ' || *c == '-') *c = '_';
}

bool wal_describe_word(const wal_catalogue *all, const char *word) {
  char name[PATH];
  search s = {.word = name};
  int width = 0;
  bool known = false;
  spell(word, name);
  for (int i = 0; i < TERM_COUNT; i++) {
    if (strcmp(TERMS[i].name, name) != 0) continue;
    printf("%s: ", word);
    wal_print_wrapped(TERMS[i].meaning, (int)strlen(word) + 2);
    known = true;
  }
  visit_all(all, note, &s);
  if (s.found.count > 0) printf(known ? "as a parameter\n" : "%s\n", word);
  for (int64_t i = 0; i < s.found.count; i++) {
    const int length = (int)strlen(s.found.row[i].place);
    width = length > width ? length : width;
  }
  for (int64_t i = 0; i < s.found.count; i++) {
    if (!wal_row_shown(stdout, i, s.found.count, ROWS, "walras describe of a component")) continue;
    printf("  %-*s  ", width, s.found.row[i].place);
    wal_print_wrapped(s.found.row[i].meaning, width + 4);
  }
  return known || s.found.count > 0;
}

/* ---- the nearest ---- */

enum { NAMES = 2048 };

typedef struct names {
  int64_t count;
  const char *name[NAMES];
} names;

static void add(void *user, const char *name, const char *path, const char *owner,
                const char *meaning) {
  names *n = user;
  (void)path;
  (void)owner;
  (void)meaning;
  if (n->count < NAMES) n->name[n->count++] = name;
}

static const char *name_at(const void *user, int64_t i) { return ((const names *)user)->name[i]; }

const char *wal_describe_nearest(const wal_catalogue *all, const char *word) {
  char name[PATH];
  names n = {.count = 0};
  spell(word, name);
  for (int i = 0; i < TERM_COUNT; i++) n.name[n.count++] = TERMS[i].name;
  visit_all(all, add, &n);
  return wal_nearest_name(name, n.count, name_at, &n);
}
