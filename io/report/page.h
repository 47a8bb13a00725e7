// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_PAGE_H
#define WALRAS_IO_REPORT_PAGE_H

#include <jansson.h>

#include "io/hdf5_helpers.h"
#include "io/json.h"

/*
 * A page of HTML that tells what one run file holds, or compares two. Private to io/report/.
 *
 * What goes wrong is kept in the page: the first failure stays, and whatever is called afterwards
 * does nothing of consequence. Only who writes the page asks for it.
 */

enum { WAL_PAGE_RUNS = 2, WAL_PAGE_NAME = 96 };

/** An open run file. */
typedef struct wal_page_run {
  const char *path;
  char name[WAL_PAGE_NAME]; /**< the path's last part */
  const char *mark;         /**< "" of a single run, else "A" or "B" */
  hid_t file;
  json_t *scenario;   /**< all of /scenario/resolved; NULL if it cannot be read */
  json_t *parameters; /**< of the task */
  const char *task;   /**< "" if it is not known */
} wal_page_run;

typedef struct wal_page_block wal_page_block;

typedef struct wal_page {
  wal_ctx *ctx;
  wal_status status; /**< of the first failure */
  wal_text html;
  int runs;
  wal_page_run run[WAL_PAGE_RUNS];
  int figures;            /**< so far */
  wal_page_block *blocks; /**< memory that goes with the page */
} wal_page;

/** Cleared memory that goes with the page; NULL if there is none. */
void *wal_page_acquire(wal_page *page, int64_t count, size_t size);
/** A text in such memory, printf style; "" if there is none. */
const char *wal_page_print(wal_page *page, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void wal_page_free(wal_page *page);

/* ---- HTML; all texts are plain, and escaped here ---- */

/** Adds a text. */
void wal_page_escaped(wal_page *page, const char *text);
/** Adds markup as it is. */
void wal_page_markup(wal_page *page, const char *markup);
/** A section with a heading and, unless NULL, a paragraph about what follows. */
void wal_page_section(wal_page *page, const char *heading, const char *about);
void wal_page_section_end(wal_page *page);
void wal_page_paragraph(wal_page *page, const char *text);
/** Small print. */
void wal_page_note(wal_page *page, const char *text);

/** Number to read: six digits, "-" if it is not a number. */
const char *wal_page_number(double value, char out[32]);

/** A collapsible part; closed with wal_page_details_end(). */
void wal_page_details(wal_page *page, const char *summary);
void wal_page_details_end(wal_page *page);

/** A table, row by row: cells that are numbers are set to the right. */
void wal_page_table(wal_page *page, const char *caption, int columns, const char *const *heads);
void wal_page_row(wal_page *page);
void wal_page_cell(wal_page *page, const char *text);
void wal_page_cell_number(wal_page *page, double value);
void wal_page_row_end(wal_page *page);
void wal_page_table_end(wal_page *page);

/** Adds the style sheet. */
void wal_page_style(wal_page *page);

#endif
