// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_HDF5_HELPERS_H
#define WALRAS_IO_HDF5_HELPERS_H

/* Addresses of objects are numbers in this version of the interface, which later ones keep. */
#ifndef H5_USE_110_API
#define H5_USE_110_API
#endif
#include <hdf5.h>
#include <stdio.h>

#include "sim/core/context.h"

/* What the readers and the writer of run files share. Private to io/. */

/** Longest path of an object in a run file, with its end. */
enum { WAL_HDF5_PATH = 512 };

/** HDF5 stops printing its errors by itself. */
void wal_hdf5_quiet(void);

/** The innermost message on HDF5's error stack, on one line; "unknown reason" if there is none. */
void wal_hdf5_reason(char *out, size_t size);

/** A copy of `text` that is one printable line: control characters become spaces, and what does not
 *  fit is cut between characters and ends in "...". */
void wal_hdf5_one_line(const char *text, char *out, size_t size);

/** Gives an array of wal_acquire() room for one more item, twice the room when it is full. */
wal_status wal_hdf5_grow(wal_ctx *ctx, const char *what, void *array, int64_t count,
                         int64_t *capacity, size_t size);

/** Opens a finished run file for reading on this rank alone. WAL_ENOTFOUND, or WAL_EIO if it cannot
 *  be read or is no run file. */
wal_status wal_hdf5_open(wal_ctx *ctx, const char *path, hid_t *out);

/** What the items of a dataset or attribute are, as far as walras writes such. */
typedef enum wal_hdf5_kind {
  WAL_HDF5_REAL,
  WAL_HDF5_INTEGER,
  WAL_HDF5_TEXT,       /**< variable length */
  WAL_HDF5_CHARACTERS, /**< fixed length */
  WAL_HDF5_REFERENCES, /**< variable-length lists of object references */
  WAL_HDF5_OTHER
} wal_hdf5_kind;

/** Type, shape and size of a dataset or attribute. */
typedef struct wal_hdf5_shape {
  wal_hdf5_kind kind;
  char type[16]; /**< "f64", "i64", "u8", "text", ... */
  size_t item;   /**< bytes an item in the file */
  int rank;
  hsize_t extent[H5S_MAX_RANK];
  int64_t items; /**< the product of the extents */
} wal_hdf5_shape;

/** False if it cannot be read. `object` is a dataset or an attribute. */
bool wal_hdf5_shape_of(hid_t object, wal_hdf5_shape *out);

/** One name in a file. */
typedef struct wal_hdf5_entry {
  char *path;
  bool group, dataset; /**< neither: a soft or external link */
  haddr_t address;     /**< of the object: the same for all its hard links */
} wal_hdf5_entry;

/** Where a name leads. */
typedef struct wal_hdf5_place {
  haddr_t address;
  const char *path;
} wal_hdf5_place;

/** All names of a file in byte order of their paths. Starts zeroed. */
typedef struct wal_hdf5_tree {
  wal_hdf5_entry *entries;
  int64_t count, capacity;
  wal_hdf5_place *places; /**< in order of addresses, then of paths */
} wal_hdf5_tree;

/** Reads the names of an open file; unless `all`, without /run and /scenario/source. */
wal_status wal_hdf5_tree_read(wal_ctx *ctx, const char *path, hid_t file, bool all,
                              wal_hdf5_tree *out);
void wal_hdf5_tree_free(wal_ctx *ctx, wal_hdf5_tree *tree);
/** First path of the object at an address, NULL if none. */
const char *wal_hdf5_tree_path(const wal_hdf5_tree *tree, haddr_t address);

/** Writes an attribute's value as text: numbers so that different ones look different, references
 *  as the first path of what they point at, several values in brackets. False if it cannot be read.
 *  Values of WAL_HDF5_OTHER are left out. */
bool wal_hdf5_attribute_value(hid_t attribute, const wal_hdf5_tree *tree, FILE *out);

/** Prints a number of the file's type held in memory in the native one. */
void wal_hdf5_print_number(FILE *out, const wal_hdf5_shape *shape, const void *item);
/** The native memory type of numbers of this shape. */
hid_t wal_hdf5_native(const wal_hdf5_shape *shape);
/** A number of the file's type, rounded to double. */
double wal_hdf5_number(const wal_hdf5_shape *shape, const void *item);

#endif
