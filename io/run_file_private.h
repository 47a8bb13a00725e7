// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_FILE_PRIVATE_H
#define WALRAS_IO_RUN_FILE_PRIVATE_H

#include "io/hdf5_helpers.h"
#include "io/run_file.h"
#include "io/run_seal.h"

/** Texts of a dataset, kept by rank 0 until the file is closed: HDF5 does not write variable-length
 *  items in parallel. */
typedef struct wal_run_texts {
  char *path;
  char *bytes; /**< one text after the other, each with its end */
  int64_t count;
} wal_run_texts;

/** Dimension `dimension` of a dataset is measured along a scale. Kept by rank 0 until the file is
 *  closed, when each scale is told who uses it. */
typedef struct wal_run_scale_use {
  hobj_ref_t scale, dataset;
  int dimension;
} wal_run_scale_use;

struct wal_run_file {
  wal_ctx *ctx;
  char *path;    /**< where it will appear */
  char *partial; /**< where it is written */
  bool force;
  hid_t file, transfer;
  wal_run_texts *texts;
  int64_t texts_count, texts_capacity;
  wal_run_scale_use *uses;
  int64_t uses_count, uses_capacity;
  wal_run_gaps gaps; /**< of rank 0: where the large arrays lie */
};

/** After an HDF5 failure nothing collective is safe any more (other ranks may already be waiting in
 *  the next call): removes the partial file, says why on stderr, once over all ranks, and ends
 *  the job with WAL_EIO's exit status. */
_Noreturn void wal_run_file_abort(wal_run_file *file);

/** Passes through what an HDF5 call returned, or aborts if that is a failure. */
static inline hid_t wal_run_file_must(wal_run_file *file, hid_t result) {
  if (result < 0) wal_run_file_abort(file);
  return result;
}

/** Creation list of groups, datasets or files without times: equal runs give equal bytes. */
hid_t wal_run_file_timeless(wal_run_file *file, hid_t class);

/** Whether a path is made of names [a-z][a-z0-9_]*, its group exists and it does not. */
wal_status wal_run_file_new_path(wal_run_file *file, const char *path);

/** Variable-length UTF-8 text; to be closed. */
hid_t wal_run_file_text_type(wal_run_file *file);

/* Attributes of an open object. */
void wal_run_file_put_text(wal_run_file *file, hid_t object, const char *name, const char *value);
void wal_run_file_put_number(wal_run_file *file, hid_t object, const char *name, hid_t file_type,
                             hid_t memory_type, const void *value);

/** Makes an open dataset a dimension scale. */
void wal_run_file_make_scale(wal_run_file *file, hid_t dataset, const char *name);
/** Whether the scales that a dataset names exist and are as long as its dimensions. */
wal_status wal_run_file_check_scales(wal_run_file *file, const wal_dataset *what);
/** Attaches them to the dataset. */
wal_status wal_run_file_attach_scales(wal_run_file *file, hid_t dataset, const wal_dataset *what);

/** Rank 0, alone, after the collective close: writes what waited for it and `complete`. */
void wal_run_file_finish_alone(wal_run_file *file);

/** On rank 0: whether `path` can be made; the name in its folder under which it will be written. */
wal_status wal_run_file_examine(wal_ctx *ctx, const char *path, bool force, char **partial);
/** On rank 0: the finished partial file takes its place. */
wal_status wal_run_file_publish(wal_run_file *file);

#endif
