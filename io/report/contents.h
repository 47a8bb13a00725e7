// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_REPORT_CONTENTS_H
#define WALRAS_IO_REPORT_CONTENTS_H

#include "io/report/read.h"

/* The parts of a page, each a function that adds what the run files have of it, and nothing if they
 * have none. Private to io/report/. */

void wal_page_head(wal_page *page);
void wal_page_differences(wal_page *page);
void wal_page_trace(wal_page *page);
void wal_page_solution(wal_page *page);
void wal_page_auction(wal_page *page);
void wal_page_design(wal_page *page);
/** Of a design, within its section, what was designed, before and after: a figure beside that of
 * the objective, if there is one (true), and those that need lines of their own. */
bool wal_page_rules_beside(wal_page *page);
void wal_page_rules(wal_page *page);
/** What a design designs, for the head, and in `more` of how much. */
const char *wal_page_designed(wal_page *page, int run, const char **more);
void wal_page_population(wal_page *page);
void wal_page_steering(wal_page *page);
void wal_page_transfer(wal_page *page);
/** Names of the methods of a transfer: of those that differ in their parameters only with what
 * differs, "tpo (mode=count)". */
wal_texts wal_page_methods(wal_page *page, int run);
/** That of the method which the file calls `name`; NULL of NULL. */
const char *wal_page_method(wal_page *page, int run, const char *name);
void wal_page_sweep(wal_page *page);
/** The best run of a sweep: its result, in `name` what that is ("Most revenue"), and in `more` what
 * the run has of the varied values; NULL if none is better than others. */
const char *wal_page_sweep_best(wal_page *page, int run, const char **name, const char **more);
void wal_page_one_shot(wal_page *page);
void wal_page_origin(wal_page *page);

#endif
