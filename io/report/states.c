// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/report/states.h"

#include <math.h>
#include <string.h>

enum { MOST_AXES = 8, FEW_NAMES = 8 };

// ---- Axes -------------------------------------------------------------------------------------

static bool is_standard(const char *name) {
  static const char *const STANDARD[] = {"stage",       "state", "action",
                                         "action_name", "row",   "column"};
  for (size_t i = 0; i < sizeof STANDARD / sizeof STANDARD[0]; i++)
    if (strcmp(name, STANDARD[i]) == 0) return true;
  return false;
}

static bool is_whole(const wal_array *array) {
  for (int64_t i = 0; i < array->items; i++)
    if (array->values[i] != floor(array->values[i])) return false;
  return true;
}

/* Equal steps from the first on, but for NaN at the end (as of those who have won). */
static bool is_even(const wal_array *array, int64_t *sound) {
  *sound = array->items;
  while (*sound > 0 && isnan(array->values[*sound - 1])) --*sound;
  if (*sound < 2) return false;
  const double step = array->values[1] - array->values[0];
  for (int64_t i = 1; i < *sound; i++)
    if (!(fabs(array->values[i] - array->values[i - 1] - step) <= 1e-6 * fabs(step))) return false;
  return step > 0;
}

/* The axis of reals that `count` states or actions have; `not_this` belongs to others. */
static const wal_array *real_axis(wal_page *page, int run, int64_t count, const char *not_this,
                                  const char **name, int64_t *sound) {
  const wal_texts all = wal_page_children(page, run, "/axes");
  for (int64_t i = 0; i < all.count && i < 64; i++) {
    if (is_standard(all.text[i]) || (not_this && strcmp(all.text[i], not_this) == 0)) continue;
    const char *path = wal_page_print(page, "/axes/%s", all.text[i]);
    const wal_array *shape = wal_page_shape(page, run, path);
    if (!shape || shape->rank != 1 || shape->items != count) continue;
    const wal_array *axis = wal_page_array(page, run, path);
    if (!axis || !is_even(axis, sound) || (is_whole(axis) && strcmp(axis->units, "1") == 0))
      continue;
    *name = all.text[i];
    return axis;
  }
  return NULL;
}

// ---- Groups -----------------------------------------------------------------------------------

/* Coordinates beyond row and column: "population", "floor". */
static int extra_axes(wal_page *page, int run, const wal_states *states, const char **name,
                      const wal_array **axis) {
  int found = 0;
  const wal_texts all = wal_page_children(page, run, "/axes");
  for (int64_t i = 0; i < all.count && found < MOST_AXES; i++) {
    if (is_standard(all.text[i])) continue;
    const char *path = wal_page_print(page, "/axes/%s", all.text[i]);
    const wal_array *shape = wal_page_shape(page, run, path);
    if (!shape || shape->rank != 1 || shape->items != states->states) continue;
    const wal_array *values = wal_page_array(page, run, path);
    if (!values || !is_whole(values)) continue;
    name[found] = all.text[i];
    axis[found++] = values;
  }
  return found;
}

static const char *name_of(wal_page *page, int axes, const char *const *name,
                           const wal_array *const *axis, int64_t state) {
  const char *text = "";
  for (int a = 0; a < axes; a++)
    text = wal_page_print(page, "%s%s%s %.0f", text, *text ? ", " : "", name[a],
                          axis[a]->values[state]);
  return text;
}

/* The group of states with the coordinates of state `like`. */
static void add_group(wal_page *page, wal_states *out, int axes, const char *const *name,
                      const wal_array *const *axis, int64_t like, bool *taken) {
  int64_t *state = wal_page_acquire(page, out->states, sizeof *state);
  if (!state) return;
  wal_states_group group = {.name = name_of(page, axes, name, axis, like), .state = state};
  for (int64_t s = like; s < out->states; s++) {
    bool same = !taken[s];
    for (int a = 0; same && a < axes; a++) same = axis[a]->values[s] == axis[a]->values[like];
    if (!same) continue;
    state[group.count++] = s;
    taken[s] = true;
  }
  if (out->groups < WAL_STATES_GROUPS)
    out->group[out->groups++] = group;
  else
    out->more_groups++;
}

static void add_groups(wal_page *page, int run, wal_states *out) {
  const char *name[MOST_AXES];
  const wal_array *axis[MOST_AXES];
  const int axes = extra_axes(page, run, out, name, axis);
  bool *taken = wal_page_acquire(page, out->states, sizeof *taken);
  for (int64_t s = 0; taken && s < out->states && out->more_groups == 0; s++)
    if (!taken[s]) add_group(page, out, axes, name, axis, s, taken);
}

// ---- States -----------------------------------------------------------------------------------

static bool lies_on_map(wal_page *page, int run, wal_states *out) {
  const wal_array *row = wal_page_array(page, run, "/axes/row");
  const wal_array *column = wal_page_array(page, run, "/axes/column");
  if (!row || !column || row->items != out->states || column->items != out->states) return false;
  for (int64_t s = 0; s < out->states; s++) {
    if (!(row->values[s] >= 0 && column->values[s] >= 0)) return false;
    if (row->values[s] >= (double)out->rows) out->rows = (int64_t)row->values[s] + 1;
    if (column->values[s] >= (double)out->columns) out->columns = (int64_t)column->values[s] + 1;
  }
  out->row = row->values;
  out->column = column->values;
  return true;
}

static void lies_on_line(wal_page *page, int run, wal_states *out) {
  int64_t sound = 0;
  const char *name = NULL;
  const wal_array *axis = real_axis(page, run, out->states, "bid", &name, &sound);
  out->label = "state";
  out->step = 1;
  if (!axis) return;
  out->first = axis->values[0];
  out->step = axis->values[1] - axis->values[0];
  out->label = wal_page_label(page, name, axis->units);
  for (int g = 0; g < out->groups; g++)
    if (out->group[g].count == out->states) out->group[g].count = sound;
}

/* The first of these paths under which something of this rank is found. */
static const wal_array *find(wal_page *page, int run, int rank, const char *const *paths,
                             const char **path) {
  for (; *paths; paths++) {
    const wal_array *shape = wal_page_shape(page, run, *paths);
    if (!shape || shape->rank != rank) continue;
    *path = *paths;
    return shape;
  }
  return NULL;
}

bool wal_page_states(wal_page *page, int run, wal_states *out) {
  static const char *const MASS[] = {"/solution/mean_field", "/steering/target/mean_field",
                                     "/population/mean_field", NULL};
  static const char *const POLICY[] = {"/solution/policy", "/steering/target/policy", NULL};
  *out = (wal_states){.step = 1, .label = "state"};
  const wal_array *mass = find(page, run, 2, MASS, &out->mass);
  const wal_array *policy = find(page, run, 3, POLICY, &out->policy);
  const wal_array *shape = mass ? mass : policy;
  if (!shape) return false;
  out->stages = shape->extent[0];
  out->states = shape->extent[1];
  if (out->states > WAL_STATES_MOST) return false;
  if (policy && (policy->extent[0] != out->stages || policy->extent[1] != out->states))
    out->policy = NULL;
  add_groups(page, run, out);
  out->map = lies_on_map(page, run, out);
  if (!out->map) lies_on_line(page, run, out);
  return page->status == WAL_OK;
}

int wal_states_stages(const wal_states *states, int most, int64_t *stage) {
  const int64_t shown = wal_thinned_count(states->stages, most);
  for (int64_t k = 0; k < shown; k++) stage[k] = wal_thinned_row(states->stages, shown, k);
  return (int)shown;
}

// ---- Actions ----------------------------------------------------------------------------------

void wal_page_actions(wal_page *page, int run, int64_t count, wal_actions *out) {
  *out = (wal_actions){.count = count, .step = 1, .label = "action"};
  int64_t sound = 0;
  const char *name = "bid";
  const wal_array *axis = wal_page_array(page, run, "/axes/bid");
  if (!axis || axis->items != count || !is_even(axis, &sound) || sound != count) axis = NULL;
  if (!axis) axis = real_axis(page, run, count, "value", &name, &sound);
  if (axis && sound == count) {
    out->first = axis->values[0];
    out->step = axis->values[1] - axis->values[0];
    out->label = wal_page_label(page, name, axis->units);
  } else if (count <= FEW_NAMES) {
    out->names = wal_page_texts(page, run, "/axes/action_name");
    if (out->names.count != count) out->names.count = 0;
  }
}
