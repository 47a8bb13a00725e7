// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_FILE_H
#define WALRAS_IO_RUN_FILE_H

#include "sim/core/context.h"

/** The format that is written, as the attribute format_version has it. */
enum { WAL_RUN_FILE_VERSION = 1 };

/**
 * Writes a run file (docs/run-file.md): one HDF5 file, written by all ranks together under a
 * temporary name in the folder of the final one, which appears only when all is complete and
 * verified: rank 0 makes the file with HDF5, each rank writes its part of the numbers of large
 * arrays. All calls are collective in the context, with the same arguments on every rank except
 * where a rank gives its own share. Bytes do not depend on the number of ranks as long as the
 * values do not.
 *
 * After a failure on one rank the others may already wait for it. So at the first failure to write, flush or close, the temporary file is removed, one line goes to stderr over all ranks,
 *   walras: FILE: write failed: REASON
 * and the job is ended with MPI_Abort() and WAL_EIO's exit status: the only place where the library
 * prints or exits. Whatever stood under the final name is intact. Wrong use (a path twice, a group
 * that is not there, ...) is an ordinary WAL_EINTERNAL on all ranks.
 *
 * The temporary name is .NAME.partial-HOST-PROCESS-NUMBER; what a killed job leaves under it is
 * removed by the next run that writes the same NAME on that host (or anywhere, an hour later).
 * Files end with a seal (io/run_seal.h), a checksum of what HDF5 itself does not check.
 */
typedef struct wal_run_file wal_run_file;

/** Whether `path` could be created: its folder exists and can be written, the name is not too long,
 *  no file is there unless `force`. Fails with WAL_ECREATE. To be asked before the work starts;
 *  leaves nothing behind. @collective */
wal_status wal_run_file_check(wal_ctx *ctx, const char *path, bool force);

/** Whether the disk of `path` has room for so many bytes more, as far as it tells. Fails with
 *  WAL_ECREATE, naming both. @collective */
wal_status wal_run_file_space(wal_ctx *ctx, const char *path, double bytes);

/** Removes what jobs that were killed have left of files in the folder of `path`.
 *  @param ours  whether a file of this name is meant. Rank-local. */
void wal_run_file_sweep(const char *path, bool (*ours)(const char *path, const char *name));


/** Opens the temporary file. @collective */
wal_status wal_run_file_create(wal_ctx *ctx, const char *path, bool force, wal_run_file **out);

/** Makes a group, as "/solution". Parents must exist. Names are [a-z][a-z0-9_]*. */
wal_status wal_run_file_group(wal_run_file *file, const char *path);

/* Attributes of a group or dataset that exists ("/" for the file). */
wal_status wal_run_file_attribute_text(wal_run_file *file, const char *object, const char *name,
                                       const char *value);
wal_status wal_run_file_attribute_integer(wal_run_file *file, const char *object, const char *name,
                                          int64_t value);
wal_status wal_run_file_attribute_real(wal_run_file *file, const char *object, const char *name,
                                       double value);

/** How a dataset keeps the real numbers that it is given. */
typedef enum wal_stored {
  WAL_STORED_DOUBLE,
  WAL_STORED_SINGLE, /**< rounded to single precision */
  WAL_STORED_WHOLE,  /**< as 64-bit integers; they must be whole and below 2^53 in size */
} wal_stored;

/** What a dataset is: every one has units and a long name, and named dimension scales. */
typedef struct wal_dataset {
  const char *path;  /**< as "/solution/policy"; group exists */
  const char *units; /**< "1" if dimensionless */
  const char *long_name;
  int rank; /**< 1 .. 4 dimensions (0: a scalar) */
  int64_t extent[4];
  const char *scale[4]; /**< path of the dimension scale of each dimension, NULL if none */
  bool is_scale;        /**< this one is itself a dimension scale, named after its last
                             path component */
  wal_stored stored;    /**< how real numbers are stored */
} wal_dataset;

/* Small datasets that every rank holds whole (rank 0's values are written). */
wal_status wal_run_file_reals(wal_run_file *file, const wal_dataset *what, const double *values);
wal_status wal_run_file_integers(wal_run_file *file, const wal_dataset *what,
                                 const int64_t *values);
/** Variable-length UTF-8 strings (rank 0's are written). */
wal_status wal_run_file_texts(wal_run_file *file, const wal_dataset *what,
                              const char *const *values);

/**
 * A large real array that is spread over the ranks along one dimension: rank by rank a contiguous
 * range, in rank order. It is written one index of dimension 0 after the other, so that a rank
 * holds only one of them in memory at a time, or as many small ones as make a chunk (of up to
 * 4 MiB).
 * @param split  dimension that is spread: 0 or 1
 * @param first,count  this rank's range of it (count may be 0)
 * @param fill   writes the own range at index i of dimension 0, row-major over the remaining
 *               dimensions, into `out`; with split = 0, i runs over the own range only
 */
wal_status wal_run_file_spread(wal_run_file *file, const wal_dataset *what, int split,
                               int64_t first, int64_t count,
                               void (*fill)(void *user, int64_t i, double *out), void *user);

/** The same of numbers that are in memory, which are written from where they are if they are stored
 *  in double precision.
 *  @param values  the own range at the first own index of dimension 0
 *  @param stride  from one index of dimension 0 to the next, in numbers */
wal_status wal_run_file_spread_array(wal_run_file *file, const wal_dataset *what, int split,
                                     int64_t first, int64_t count, const double *values,
                                     int64_t stride);

/** Bytes that a spread array takes on a rank of `ranks` while it is written, with `count` as its
 *  range of dimension `split`. */
double wal_run_file_buffer(const wal_dataset *what, int split, int64_t count, int ranks);

/** A second name for an existing object (hard link). */
wal_status wal_run_file_link(wal_run_file *file, const char *existing, const char *path);

/** Sets `complete`, closes, verifies by reopening, fsyncs, renames, fsyncs the
 * folder; frees *file in any case. */
wal_status wal_run_file_commit(wal_run_file **file);

/** Whether the finished run file at `path` opens, is complete and has all of its datasets.
 *  WAL_ENOTFOUND, or WAL_EIO naming what cannot be read. Rank-local. */
wal_status wal_run_file_verify(wal_ctx *ctx, const char *path);

/** Closes and removes the temporary file; sets *file to NULL. For failures before commit, and the
 *  end of records and plans. */
void wal_run_file_discard(wal_run_file **file);

/*
 * Two more kinds of run file take the same calls, so that what writes a file can record or plan it.
 * They cannot be committed, end with wal_run_file_discard(), and fail without ending the job.
 */

/** Keeps the calls, with all values, in memory instead of a file; spread arrays are gathered on
 *  rank 0 in pieces of 16 MiB (or of one index of dimension 0). @collective */
wal_status wal_run_file_record(wal_ctx *ctx, wal_run_file **out);

/** The calls so far as flat bytes on rank 0, to be kept or sent to another rank (of the same byte
 *  order); NULL and 0 on the others. Valid until the next call on the record. Rank-local. */
wal_status wal_run_file_recorded(wal_run_file *file, const void **bytes, int64_t *length);

/**
 * Does recorded calls below a group of another file, which is made by this call ("/" stands for the
 * file itself): attributes of the record's root become those of the group; links and scales lead to
 * what lies below it. What is there afterwards equals what the recorded calls would have written.
 * @param into  made on a context of one rank; of any kind
 * WAL_EINTERNAL if the bytes are damaged; `into` then has a part of them and should be discarded.
 */
wal_status wal_run_file_replay(wal_run_file *into, const char *group, const void *bytes,
                               int64_t length);

/**
 * Does a part of recorded calls: those on what lies at or below `from` in the record, which becomes
 * `group` in the file (made by the record's own call on `from`, if it has one). Scales that lie
 * elsewhere are left out.
 * @param takes  whether calls on the object at this path of the record are done; NULL: all
 */
wal_status wal_run_file_replay_part(wal_run_file *into, const char *from, const char *group,
                                    bool (*takes)(const char *path), const void *bytes,
                                    int64_t length);

/** Counts the bytes that the finished file will have: nothing is written, no `fill` is called, and
 *  numbers given as NULL are as good as others. Every rank plans for itself: calls are rank-local,
 *  and ranges of spread arrays are not looked at. */
wal_status wal_run_file_plan(wal_ctx *ctx, wal_run_file **out);

/** The bytes of a planned file, to be asked for when all calls are done. Within a few KiB for small
 *  files, a few permille for large ones. */
wal_status wal_run_file_planned(wal_run_file *file, double *bytes);

#endif
