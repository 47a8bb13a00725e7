// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_TABLE_FILE_H
#define WALRAS_IO_TABLE_FILE_H

#include "sim/core/context.h"

/**
 * An HDF5 file of numbers that another program wrote, open for reading. Everything here is
 * rank-local: every rank opens the file for itself, with HDF5's ordinary driver.
 *
 * Only whole and real numbers (of any width and byte order), h5py's truth values and texts of fixed
 * length are read, kept in the file itself, with no filters but gzip, shuffle and fletcher32.
 * Nothing is allocated before its size was held against what a file of this length can hold.
 * Errors name file and dataset: WAL_ENOTFOUND (no such file), WAL_EINPUT (not HDF5; a dataset is
 * missing, misshapen, of the wrong kind or has wrong numbers), WAL_EIO (reading failed).
 */
typedef struct wal_table_file wal_table_file;

enum { WAL_TABLE_RANK = 4, WAL_TABLE_SHAPE = 128 };

wal_status wal_table_file_open(wal_ctx *ctx, const char *path, wal_table_file **out);
void wal_table_file_close(wal_table_file **file);

/** What stands under a name. */
typedef enum wal_table_kind {
  WAL_TABLE_NOTHING,
  WAL_TABLE_GROUP,
  WAL_TABLE_DATASET
} wal_table_kind;

/** `name` is relative to the file, as "kernel/indptr"; its group must exist. */
wal_status wal_table_file_kind(wal_table_file *file, const char *name, wal_table_kind *out);

/** Refuses a name in a group ("/" for the file's own) that is not among `known` but so near to one
 *  of them that it must be a slip; of the file also names of attributes. */
wal_status wal_table_file_refuse_slips(wal_table_file *file, const char *group, int64_t count,
                                       const char *const *known);

/** The shape of a dataset of numbers with at most WAL_TABLE_RANK dimensions. */
wal_status wal_table_file_shape(wal_table_file *file, const char *name, int *rank,
                                int64_t extent[WAL_TABLE_RANK]);

/** "5 x 3", for error texts. */
const char *wal_table_shape_text(int rank, const int64_t *extent, char out[WAL_TABLE_SHAPE]);

/** Fails unless the dataset has this shape. */
wal_status wal_table_file_expect(wal_table_file *file, const char *name, int rank,
                                 const int64_t *extent);

/* Parts [first, first + count) of dimension 0 of a dataset, row-major. */

wal_status wal_table_file_reals(wal_table_file *file, const char *name, int64_t first,
                                int64_t count, double *out);
/** The numbers must be whole, and in low .. high. */
wal_status wal_table_file_integers(wal_table_file *file, const char *name, int64_t first,
                                   int64_t count, int64_t low, int64_t high, int64_t *out);

/** Texts of fixed length, cut to width - 1 bytes each, at out + i * width. */
wal_status wal_table_file_texts(wal_table_file *file, const char *name, int64_t count, size_t width,
                                char *out);

/** A whole number among the file's own attributes, in low .. high; *out is left as it is if there
 *  is no attribute of this name. */
wal_status wal_table_file_attribute(wal_table_file *file, const char *name, int64_t low,
                                    int64_t high, int64_t *out);

/** A number, whole or not, likewise. */
wal_status wal_table_file_real_attribute(wal_table_file *file, const char *name, double *out);

/** Fails with `PATH: NAME: ` before the text. */
wal_status wal_table_file_fail(wal_table_file *file, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
