// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_READ_H
#define WALRAS_IO_REPORT_READ_H

#include "io/report/page.h"

/* What a report reads of its run files. Private to io/report/. `run` is the file's number. */

enum { WAL_ARRAY_RANK = 4 };

/** A dataset of numbers; belongs to the page. */
typedef struct wal_array {
  int rank;
  int64_t extent[WAL_ARRAY_RANK]; /**< 1 beyond the rank */
  int64_t items;
  double *values; /**< row-major */
  const char *units;
  const char *meaning; /**< its long_name */
} wal_array;

/** Texts of a dataset; belong to the page. */
typedef struct wal_texts {
  int64_t count;
  const char **text;
} wal_texts;

/** Opens the run files of a page and reads what they say of themselves. */
void wal_page_open_run(wal_page *page, const char *path);
void wal_page_close_runs(wal_page *page);

bool wal_page_has(const wal_page *page, int run, const char *path);
/** All numbers of a dataset; NULL if there is none of numbers with 1 to 4 dimensions under the
 * path, or none are in it. A scalar is an array of one. */
const wal_array *wal_page_array(wal_page *page, int run, const char *path);
/** The shape alone: values = NULL. */
const wal_array *wal_page_shape(wal_page *page, int run, const char *path);
/** Row `row` of dimension 0 into `out`, which has room for it; false if it cannot be read. */
bool wal_page_read_row(wal_page *page, int run, const char *path, int64_t row, double *out);

/** Texts of a dataset; count 0 if there is none. */
wal_texts wal_page_texts(wal_page *page, int run, const char *path);
/** A text that stands alone, or NULL. */
const char *wal_page_text(wal_page *page, int run, const char *path);

/** An attribute; NaN if there is none that is a number. */
double wal_page_attribute(const wal_page *page, int run, const char *object, const char *name);
/** NULL if there is none. */
const char *wal_page_attribute_text(wal_page *page, int run, const char *object, const char *name);

/** Names of an object's attributes in byte order; count 0 if there is none. */
wal_texts wal_page_attributes(wal_page *page, int run, const char *object);

/** Names of the children of a group in byte order; count 0 if there is none. */
wal_texts wal_page_children(wal_page *page, int run, const char *group);

/** A table with a row for each name: columns are datasets of a group, by name, and `heads` begins
 * with that of the names. Nothing without names. */
void wal_page_table_of(wal_page *page, int run, const char *caption, const char *group,
                       const wal_texts *names, int columns, const char *const *column,
                       const char *const *heads);

/** The last value, or one counted from the start; NaN if there is none. */
double wal_array_last(const wal_array *array);
double wal_array_at(const wal_array *array, int64_t i);

#endif
