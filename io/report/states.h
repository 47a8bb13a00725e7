// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_STATES_H
#define WALRAS_IO_REPORT_STATES_H

#include "io/report/heat.h"

/* How the states of a game lie on paper: on a line, or as the cells of maps. Private to
 * io/report/. */

enum { WAL_STATES_MOST = 1 << 26, WAL_STATES_GROUPS = 4 };

/** A group of states that are drawn together: a population, a floor. */
typedef struct wal_states_group {
  const char *name; /**< "" if there is one alone */
  int64_t count;
  const int64_t *state; /**< their numbers, in order */
} wal_states_group;

typedef struct wal_states {
  int64_t stages, states;
  const char *mass, *policy; /**< their datasets; NULL: not there */
  bool map;                  /**< they have rows and columns */
  int64_t rows, columns;     /**< of a map */
  const double *row, *column;
  double first, step; /**< of a line: what its states stand for */
  const char *label;  /**< with units: "state", "value" */
  int groups;
  int64_t more_groups; /**< that are not drawn */
  wal_states_group group[WAL_STATES_GROUPS];
} wal_states;

/** Reads how they lie; false if the run has no solution that can be drawn. */
bool wal_page_states(wal_page *page, int run, wal_states *out);

/** Up to `most` stages from the first to the last, evenly: how many. */
int wal_states_stages(const wal_states *states, int most, int64_t *stage);

/** The items of an axis of actions: first, step, label, and their names if they are few. */
typedef struct wal_actions {
  int64_t count;
  double first, step;
  const char *label;
  wal_texts names; /**< count 0 if they have none, or too many */
} wal_actions;
void wal_page_actions(wal_page *page, int run, int64_t count, wal_actions *out);

#endif
