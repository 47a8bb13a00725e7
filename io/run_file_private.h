// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_FILE_PRIVATE_H
#define WALRAS_IO_RUN_FILE_PRIVATE_H

#include "io/hdf5_helpers.h"
#include "io/run_file.h"
#include "io/run_names.h"
#include "io/run_seal.h"

/** Indices of dimension 0 are sent to rank 0 together up to this many bytes. */
enum { WAL_RUN_FILE_TOGETHER = 16 << 20 };

/* Most bytes that a rank sends at once: MPI counts bytes in an int. */
#ifndef WAL_RUN_FILE_TRANSFER
#define WAL_RUN_FILE_TRANSFER ((int64_t)1 << 30)
#endif

typedef enum wal_run_kind {
  WAL_RUN_WRITTEN,
  WAL_RUN_RECORDED, /**< kept in memory as calls */
  WAL_RUN_PLANNED,  /**< an HDF5 file in memory, on every rank for itself, without large arrays */
} wal_run_kind;

/** Dimension `dimension` of a dataset is measured along a scale. Kept by rank 0 until the file is
 *  closed, when each scale is told who uses it. */
typedef struct wal_run_scale_use {
  int64_t scale; /**< in the list of names */
  int64_t next;  /**< next use of the same scale, -1: none */
  hobj_ref_t dataset;
  int dimension;
} wal_run_scale_use;

/** What HDF5 calls share, made once a file. */
typedef struct wal_run_shared {
  hid_t text, references;                   /**< types */
  hid_t scalar;                             /**< space */
  hid_t group_list, number_list, text_list; /**< creation lists */
} wal_run_shared;

struct wal_run_file {
  wal_ctx *ctx;
  wal_run_kind kind;
  int rank, ranks; /**< among those that make it together; of a plan 0 of 1 */
  char *path;      /**< where it will appear */
  char *partial;   /**< where it is written */
  bool force;
  bool failed;   /**< of a plan: HDF5 could not go on */
  hid_t file;    /**< of rank 0, of a plan; else -1 */
  MPI_File data; /**< for the numbers of large arrays; open when there is one */
  wal_run_shared shared;
  hid_t group; /**< the group that was used last, open; -1: none */
  int64_t group_name;
  wal_run_names names;
  wal_run_scale_use *uses;
  int64_t uses_count, uses_capacity;
  int64_t chunked_count; /**< datasets in chunks */
  wal_run_gaps gaps;     /**< of rank 0: where the large arrays lie */
  char *record;          /**< of rank 0: the calls so far */
  int64_t record_used, record_room;
  unsigned char *image; /**< of a plan: the file that HDF5 closed last; of malloc() */
  uint64_t image_size;  /**< bytes that it has */
  double away;          /**< of a plan: bytes of arrays that have no place in memory */
  double planned;       /**< of a plan: bytes in all; 0 until asked for */
};

/** After a failure to write nothing collective is safe any more (other ranks may already be waiting
 *  in the next call): removes the partial file, says why on stderr, once over all ranks, and ends
 *  the job with WAL_EIO's exit status. */
_Noreturn void wal_run_file_abort_since(wal_run_file *file, const char *why);
/** The same after a failure of HDF5, which says why. */
_Noreturn void wal_run_file_abort(wal_run_file *file);

/** Whether HDF5 makes the file on this rank; the others know its names only. */
static inline bool wal_run_file_builds(const wal_run_file *file) {
  return file->kind == WAL_RUN_PLANNED || (file->kind == WAL_RUN_WRITTEN && file->rank == 0);
}

/** Passes through what an HDF5 call returned. A failure aborts; in a plan, where there is nobody
 *  who waits, it is noted: HDF5 refuses what is then done to an object that is not there. */
static inline hid_t wal_run_file_must(wal_run_file *file, hid_t result) {
  if (result >= 0) return result;
  if (file->kind == WAL_RUN_WRITTEN) wal_run_file_abort(file);
  file->failed = true;
  return result;
}

/** The outcome common to those that make the file. */
static inline wal_status wal_run_file_agree(const wal_run_file *file, wal_status status) {
  return file->kind == WAL_RUN_PLANNED ? status : wal_agree(file->ctx, status);
}

/** A file that is not open yet and has the name "/" only. */
wal_status wal_run_file_new(wal_ctx *ctx, wal_run_kind kind, const char *path, wal_run_file **out);
/** Writes what every open file begins with. */
wal_status wal_run_file_put_head(wal_run_file *file);

/** WAL_EINTERNAL if HDF5 failed in a plan, else WAL_OK. */
wal_status wal_run_file_outcome(wal_run_file *file);

/** Creation list of groups, datasets or files without times: equal runs give equal bytes. */
hid_t wal_run_file_timeless(wal_run_file *file, hid_t class);

/** Makes and frees what HDF5 calls share. */
void wal_run_file_share(wal_run_file *file);
void wal_run_file_unshare(wal_run_file *file);

/** Whether a path is made of names [a-z][a-z0-9_]*, its group exists and it does not. */
wal_status wal_run_file_new_path(wal_run_file *file, const char *path);
/** Notes a new object or, unless object is -1, a further name of one. All ranks return the same. */
wal_status wal_run_file_name(wal_run_file *file, const char *path, wal_run_what what,
                             int64_t object);
/** The open group that a path, whose group exists, lies in. */
hid_t wal_run_file_group_of(wal_run_file *file, const char *path);
/** Closes the group that was used last. */
void wal_run_file_leave_group(wal_run_file *file);

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

/** Where the numbers of a dataset come from: this rank's range of dimension `split`. */
typedef struct wal_run_source {
  wal_stored stored;
  bool ready;   /**< `values` are as stored, else doubles */
  int64_t item; /**< bytes of a number in the file */
  int split;
  int64_t first, count;
  const int64_t *ranges; /**< first and count of every rank; NULL: rank 0 has all */
  void (*fill)(void *user, int64_t i, double *out); /**< or, also: */
  const char *values;                               /**< of the own indices of dimension 0 */
  int64_t stride; /**< from one of these to the next, in numbers */
  void *user;
} wal_run_source;

/** Product of the extents from dimension `from` on, in items. */
int64_t wal_run_file_items(const wal_dataset *what, int from);
/** Doubles to what is stored, in their own place. */
void wal_run_file_convert(wal_stored stored, char *data, int64_t count);
/** Writes a small dataset whose values are already as stored; they need not be aligned. */
wal_status wal_run_file_numbers(wal_run_file *file, const wal_dataset *what, wal_stored stored,
                                const void *values);

/** How the numbers of a dataset lie in the file: in chunks of consecutive ones, or all together. */
typedef struct wal_run_tiles {
  bool large; /**< in chunks */
  int rank;
  int axis;              /**< the dimension that chunks divide; whole ones behind it, 1 before */
  hsize_t shape[4];      /**< of a chunk */
  int64_t items;         /**< of a chunk, with those that stick out of the dataset */
  int64_t line, in_line; /**< consecutive numbers that chunks divide; chunks of them */
  int64_t count;         /**< chunks of the dataset */
} wal_run_tiles;

/** The shape of the chunks depends on the dataset's shape alone. */
wal_run_tiles wal_run_file_tiles(const wal_dataset *what, int64_t item);
/** Writes the numbers of a dataset that rank 0 has made and holds open. @collective */
wal_status wal_run_file_put_tiles(wal_run_file *file, const wal_dataset *what,
                                  const wal_run_tiles *tiles, const wal_run_source *from,
                                  hid_t dataset);
/** Brings what wal_run_file_put_tiles() wrote to disk. @collective */
void wal_run_file_close_data(wal_run_file *file);

/** Writes what waits for the end. */
void wal_run_file_put_waiting(wal_run_file *file);

/* What a record keeps of each call; all ranks return the same. */
wal_status wal_run_record_group(wal_run_file *file, const char *path);
wal_status wal_run_record_link(wal_run_file *file, const char *existing, const char *path);
wal_status wal_run_record_attribute_text(wal_run_file *file, const char *object, const char *name,
                                         const char *value);
wal_status wal_run_record_attribute_integer(wal_run_file *file, const char *object,
                                            const char *name, int64_t value);
wal_status wal_run_record_attribute_real(wal_run_file *file, const char *object, const char *name,
                                         double value);
wal_status wal_run_record_numbers(wal_run_file *file, const wal_dataset *what,
                                  const wal_run_source *from);
wal_status wal_run_record_texts(wal_run_file *file, const wal_dataset *what,
                                const char *const *values);

/** On rank 0: whether `path` can be made; the name in its folder under which it will be written. */
wal_status wal_run_file_examine(wal_ctx *ctx, const char *path, bool force, char **partial);
/** On rank 0: the finished partial file takes its place. */
wal_status wal_run_file_publish(wal_run_file *file);

#endif
