// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_SCHEMA_H
#define WALRAS_IO_RUN_SCHEMA_H

#include <stdio.h>

#include "sim/core/context.h"

/*
 * The layout of run files: one table (io/run_schema_table.c) of what is in the file of each kind of
 * run. docs/run-file.md tells the same in words; a test compares the two, and the table with files.
 */

/** Kinds of files, as bits; a task may have several. */
typedef enum wal_run_form {
  WAL_FORM_SOLVE = 1u << 0,
  WAL_FORM_SWEEP = 1u << 1,
  WAL_FORM_DESIGN = 1u << 2,
  WAL_FORM_STEER = 1u << 3,
  WAL_FORM_AUCTION = 1u << 4,    /**< simulate{} of an auction among a few */
  WAL_FORM_POPULATION = 1u << 5, /**< simulate{} of populations */
  WAL_FORM_TRANSFER = 1u << 6,
  WAL_FORM_CHECKPOINT = 1u << 7,
  WAL_FORM_WHOLE = 1u << 8, /**< of a rule: not in a group that holds a run of a sweep */
} wal_run_form;

/** How a kind of file is told from others: by its attribute `task` and a group that it has. */
typedef struct wal_run_form_name {
  unsigned form;
  const char *task;  /**< NULL: any */
  const char *group; /**< NULL: any */
  const char *name;  /**< as "solve", "simulate (populations)" */
} wal_run_form_name;

typedef enum wal_run_item {
  WAL_ITEM_GROUP,
  WAL_ITEM_REAL,    /**< 64-bit */
  WAL_ITEM_STORED,  /**< reals of 64 or 32 bits */
  WAL_ITEM_INTEGER, /**< 64-bit; an attribute may have 8 bits */
  WAL_ITEM_NUMBER,  /**< reals or integers of 64 bits */
  WAL_ITEM_TEXT,
  WAL_ITEM_ANY
} wal_run_item;

/** One line of the layout: objects or attributes of a group that are alike. */
typedef struct wal_run_rule {
  unsigned forms;
  const char *group; /**< as "/solution", with * for any part of a name; "" for the file's root */
  const char *names; /**< "policy,value"; "@name": an attribute of the group; * for any part;
                          "**": all that lies below */
  wal_run_item item;
  const char *dims;  /**< names of the dimension scales, "stage,state"; "" for a scalar; "~game": a
                          dimension without scale; "-": any number of such; "=": is itself a scale,
                          "=step" one of another name; alternatives behind ";". NULL: no dataset */
  const char *units; /**< NULL: any */
  bool must;         /**< must be there if its group is */
} wal_run_rule;

extern const wal_run_rule wal_run_rules[];
extern const int wal_run_rule_count;
extern const wal_run_form_name wal_run_forms[];
extern const int wal_run_form_count;

/** Whether a name is one of "a,b*". */
bool wal_run_name_matches(const char *names, const char *name);

/** Prints the table, a line a rule and kind of file, fields apart by tabs. */
void wal_run_schema_print(FILE *out);

/**
 * Compares a run file with the layout, and reads all of it. Prints one line for each thing that is
 * not as it should be, as "/trace/best: units: expected "reward", got "1"", and "FILE: as
 * documented: ..." if there is none. Rank-local.
 * WAL_EINPUT if anything was found; WAL_ENOTFOUND if the file is missing, WAL_EIO if it is damaged
 * or no run file.
 */
wal_status wal_run_schema_check(wal_ctx *ctx, const char *path, FILE *out);

#endif
