// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_NAMES_H
#define WALRAS_IO_RUN_NAMES_H

#include "io/hdf5_helpers.h"

/*
 * The names of a run file that is being made, kept in memory: asking HDF5 whether a path exists
 * takes longer than writing a small dataset. Attributes stand here as OBJECT@NAME. Private to io/.
 */

typedef enum wal_run_what {
  WAL_RUN_GROUP,
  WAL_RUN_DATASET,
  WAL_RUN_SCALE,
  WAL_RUN_ATTRIBUTE
} wal_run_what;

typedef struct wal_run_name {
  int64_t text;                /**< where its path begins in `texts` */
  int64_t object;              /**< first name of the same object */
  wal_run_what what;           /**< of the object */
  int64_t length;              /**< of a scale: its items */
  hobj_ref_t reference;        /**< of a dataset in a file */
  int64_t first_use, last_use; /**< of a scale: in the list of its users, -1 if none */
} wal_run_name;

/** Starts zeroed. */
typedef struct wal_run_names {
  wal_run_name *list;
  int64_t count, capacity;
  char *texts;
  int64_t texts_used, texts_room;
  int64_t *slots; /**< a hash table of 1 + indices into list, 0 where empty */
  int64_t slots_count;
} wal_run_names;

/** Index of the object at a path, through all its names; -1 if there is none. */
int64_t wal_run_names_find(const wal_run_names *names, const char *path);

/** Adds a name that is not there. `object` is the object that it is a further name of, -1: it is a
 *  new one. */
wal_status wal_run_names_add(wal_ctx *ctx, wal_run_names *names, const char *path,
                             wal_run_what what, int64_t object);

/** Path by which an object was made; valid until the next name is added. */
static inline const char *wal_run_names_path(const wal_run_names *names, int64_t object) {
  return names->texts + names->list[object].text;
}

void wal_run_names_free(wal_ctx *ctx, wal_run_names *names);

#endif
