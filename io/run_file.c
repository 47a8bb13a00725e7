// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/run_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/hdf5_driver.h"
#include "io/run_file_private.h"
#include "sim/core/memory.h"

_Noreturn void wal_run_file_abort(wal_run_file *file) {
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  wal_run_file_abort_since(file, why);
}

_Noreturn void wal_run_file_abort_since(wal_run_file *file, const char *why) {
  // Several ranks may see the failure, and can no longer talk about it. The one that removes the
  // file speaks; the others give it time to.
  if (unlink(file->partial) == 0 || errno != ENOENT) {
    fprintf(stderr, "walras: %s: write failed: %s\n", file->path, why);
    fflush(stderr);
    char reason[1024];
    snprintf(reason, sizeof reason, "%.500s: write failed: %s", file->path, why);
    wal_ctx_tell_end(file->ctx, reason);
  } else {
    sleep(2);
  }
  // The context may have some of the job's ranks only.
  MPI_Abort(MPI_COMM_WORLD, wal_status_exit(WAL_EIO));
  _exit(wal_status_exit(WAL_EIO));
}

hid_t wal_run_file_timeless(wal_run_file *file, hid_t class) {
  hid_t list = wal_run_file_must(file, H5Pcreate(class));
  wal_run_file_must(file, H5Pset_obj_track_times(list, false));
  if (H5Pequal(class, H5P_DATASET_CREATE) <= 0)
    wal_run_file_must(
        file, H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED));
  return list;
}

wal_status wal_run_file_outcome(wal_run_file *file) {
  if (!file->failed) return WAL_OK;
  char why[400];
  wal_hdf5_reason(why, sizeof why);
  return wal_fail(file->ctx, WAL_EINTERNAL, "%s: %s", file->path, why);
}

void wal_run_file_share(wal_run_file *file) {
  wal_run_shared *shared = &file->shared;
  shared->text = wal_run_file_must(file, H5Tcopy(H5T_C_S1));
  wal_run_file_must(file, H5Tset_size(shared->text, H5T_VARIABLE));
  wal_run_file_must(file, H5Tset_cset(shared->text, H5T_CSET_UTF8));
  shared->references = wal_run_file_must(file, H5Tvlen_create(H5T_STD_REF_OBJ));
  shared->scalar = wal_run_file_must(file, H5Screate(H5S_SCALAR));
  shared->group_list = wal_run_file_timeless(file, H5P_GROUP_CREATE);
  shared->text_list = wal_run_file_timeless(file, H5P_DATASET_CREATE);
  wal_run_file_must(file, H5Pset_alloc_time(shared->text_list, H5D_ALLOC_TIME_EARLY));
  // Texts need the empty ones that HDF5 fills in: it looks at what they replace.
  shared->number_list = wal_run_file_must(file, H5Pcopy(shared->text_list));
  wal_run_file_must(file, H5Pset_fill_time(shared->number_list, H5D_FILL_TIME_NEVER));
}

void wal_run_file_unshare(wal_run_file *file) {
  const hid_t lists[] = {file->shared.group_list, file->shared.text_list, file->shared.number_list};
  for (int i = 0; i < 3; i++)
    if (lists[i] > 0) H5Pclose(lists[i]);
  if (file->shared.text > 0) H5Tclose(file->shared.text);
  if (file->shared.references > 0) H5Tclose(file->shared.references);
  if (file->shared.scalar > 0) H5Sclose(file->shared.scalar);
  memset(&file->shared, 0, sizeof file->shared);
}

wal_status wal_run_file_check(wal_ctx *ctx, const char *path, bool force) {
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    char *partial = NULL;
    status = wal_run_file_examine(ctx, path, force, &partial);
    if (partial) unlink(partial);
    wal_release(ctx, &partial);
  }
  return wal_agree(ctx, status);
}

static void free_file(wal_run_file **file_) {
  wal_run_file *file = *file_;
  wal_ctx *ctx = file->ctx;
  wal_run_file_unshare(file);
  wal_run_names_free(ctx, &file->names);
  wal_release(ctx, &file->uses);
  wal_release(ctx, &file->record);
  free(file->image);
  wal_release(ctx, &file->gaps.list);
  wal_release(ctx, &file->path);
  wal_release(ctx, &file->partial);
  wal_release(ctx, file_);
}

/** Rank 0 chooses the partial name and makes the empty file; all ranks learn the name and must be
 *  able to open it, so that opening it for the numbers does not fail on some of them only. */
static wal_status choose_partial(wal_run_file *file) {
  wal_ctx *ctx = file->ctx;
  int rank = wal_ctx_rank(ctx);
  wal_status status = WAL_OK;
  if (rank == 0) status = wal_run_file_examine(ctx, file->path, file->force, &file->partial);
  WAL_TRY_ALL(ctx, status);
  int64_t length = rank == 0 ? (int64_t)strlen(file->partial) + 1 : 0;
  if (MPI_Bcast(&length, 1, MPI_INT64_T, 0, wal_ctx_comm(ctx)) != MPI_SUCCESS)
    return wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  if (rank != 0) status = wal_acquire(ctx, "a file name", length, 1, &file->partial);
  status = wal_agree(ctx, status);
  if (status == WAL_OK &&
      MPI_Bcast(file->partial, (int)length, MPI_CHAR, 0, wal_ctx_comm(ctx)) != MPI_SUCCESS)
    status = wal_fail(ctx, WAL_EINTERNAL, "MPI_Bcast failed");
  if (status == WAL_OK) {
    int handle = open(file->partial, O_RDWR | O_CLOEXEC);
    if (handle < 0)
      status = wal_fail(ctx, WAL_ECREATE, "cannot create %s: rank %d cannot open it: %s",
                        file->path, rank, strerror(errno));
    else
      close(handle);
  }
  return wal_agree(ctx, status);
}

/** Rank 0. */
static wal_status open_file(wal_run_file *file) {
  wal_hdf5_quiet();
  hid_t access = wal_run_file_must(file, H5Pcreate(H5P_FILE_ACCESS));
  wal_run_file_must(file, wal_hdf5_driver_use(access));
  wal_run_file_must(file, H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110));
  hid_t creation = wal_run_file_timeless(file, H5P_FILE_CREATE);
  file->file = H5Fcreate(file->partial, H5F_ACC_TRUNC, creation, access);
  wal_status status = WAL_OK;
  if (file->file < 0) {
    char why[400];
    wal_hdf5_reason(why, sizeof why);
    status = wal_fail(file->ctx, WAL_ECREATE, "cannot create %s: %s", file->path, why);
  }
  H5Pclose(access);
  H5Pclose(creation);
  if (status == WAL_OK) wal_run_file_share(file);
  return status;
}

wal_status wal_run_file_new(wal_ctx *ctx, wal_run_kind kind, const char *path, wal_run_file **out) {
  wal_run_file *file = NULL;
  const bool planned = kind == WAL_RUN_PLANNED;
  *out = NULL;
  wal_status status = wal_acquire(ctx, "a run file", 1, sizeof *file, &file);
  if (status == WAL_OK) {
    *file = (wal_run_file){.ctx = ctx,
                           .kind = kind,
                           .rank = planned ? 0 : wal_ctx_rank(ctx),
                           .ranks = planned ? 1 : wal_ctx_size(ctx),
                           .file = -1,
                           .data = MPI_FILE_NULL,
                           .group = -1};
    status = wal_acquire(ctx, "a file name", path ? (int64_t)strlen(path) + 1 : 1, 1, &file->path);
    if (status == WAL_OK && path) memcpy(file->path, path, strlen(path));
    if (status == WAL_OK) status = wal_run_names_add(ctx, &file->names, "/", WAL_RUN_GROUP, -1);
  }
  if (!planned) status = wal_agree(ctx, status);
  if (status == WAL_OK)
    *out = file;
  else if (file)
    free_file(&file);
  return status;
}

wal_status wal_run_file_put_head(wal_run_file *file) {
  static const char *const NAMES[] = {"/@format", "/@format_version", "/@walras_version",
                                      "/@complete"};
  const int64_t version = WAL_RUN_FILE_VERSION;
  const uint8_t complete = 0;
  for (int i = 0; i < 4; i++) WAL_TRY(wal_run_file_name(file, NAMES[i], WAL_RUN_ATTRIBUTE, -1));
  if (!wal_run_file_builds(file)) return WAL_OK;
  wal_run_file_put_text(file, file->file, "format", "walras");
  wal_run_file_put_number(file, file->file, "format_version", H5T_STD_I64LE, H5T_NATIVE_INT64,
                          &version);
  wal_run_file_put_text(file, file->file, "walras_version", WAL_VERSION);
  wal_run_file_put_number(file, file->file, "complete", H5T_STD_U8LE, H5T_NATIVE_UINT8, &complete);
  return wal_run_file_outcome(file);
}

wal_status wal_run_file_create(wal_ctx *ctx, const char *path, bool force, wal_run_file **out) {
  *out = NULL;
  wal_run_file *file = NULL;
  WAL_TRY(wal_run_file_new(ctx, WAL_RUN_WRITTEN, path, &file));
  file->force = force;
  wal_status status = choose_partial(file);
  if (status == WAL_OK) status = wal_agree(ctx, file->rank == 0 ? open_file(file) : WAL_OK);
  if (status != WAL_OK) {
    if (file->rank == 0 && file->partial) unlink(file->partial);
    free_file(&file);
    return status;
  }
  *out = file;
  status = wal_run_file_put_head(file);
  if (status != WAL_OK) wal_run_file_discard(out);
  return status;
}

wal_status wal_run_file_record(wal_ctx *ctx, wal_run_file **out) {
  return wal_run_file_new(ctx, WAL_RUN_RECORDED, "(a record)", out);
}

/** Reads the last item of a dataset: of a file cut short, or a chunk that went astray, this
 *  fails. */
static bool last_item_reads(hid_t dataset) {
  wal_hdf5_shape shape;
  if (!wal_hdf5_shape_of(dataset, &shape) || shape.kind == WAL_HDF5_OTHER) return false;
  if (shape.items == 0) return true;
  hsize_t last[H5S_MAX_RANK], one[H5S_MAX_RANK];
  for (int d = 0; d < shape.rank; d++) {
    last[d] = shape.extent[d] - 1;
    one[d] = 1;
  }
  hid_t type = H5Dget_type(dataset), from = H5Dget_space(dataset), to = H5Screate(H5S_SCALAR);
  uint64_t item[2] = {0, 0};
  bool good = type >= 0 && from >= 0 && to >= 0;
  if (good && shape.rank)
    good = H5Sselect_hyperslab(from, H5S_SELECT_SET, last, NULL, one, NULL) >= 0;
  good =
      good && shape.item <= sizeof item && H5Dread(dataset, type, to, from, H5P_DEFAULT, item) >= 0;
  if (good && shape.kind == WAL_HDF5_TEXT) H5Dvlen_reclaim(type, to, H5P_DEFAULT, item);
  if (type >= 0) H5Tclose(type);
  if (from >= 0) H5Sclose(from);
  if (to >= 0) H5Sclose(to);
  return good;
}

/* Opens a file as a reader would: it is complete, and all of it is there. `name` is for texts. */
static wal_status verify(wal_ctx *ctx, const char *path, const char *name) {
  hid_t in = -1;
  wal_hdf5_tree tree = {0};
  uint8_t complete = 0;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_hdf5_open(ctx, path, &in));
  hid_t attribute = H5Aopen(in, "complete", H5P_DEFAULT);
  if (attribute >= 0) {
    H5Aread(attribute, H5T_NATIVE_UINT8, &complete);
    H5Aclose(attribute);
  }
  if (complete != 1) WAL_TRY_GOTO(wal_fail(ctx, WAL_EIO, "%s: the file is not complete", name));
  WAL_TRY_GOTO(wal_hdf5_tree_read(ctx, name, in, true, &tree));
  for (int64_t i = 0; i < tree.count; i++) {
    const wal_hdf5_entry *entry = &tree.entries[i];
    if (!entry->dataset || wal_hdf5_tree_path(&tree, entry->address) != entry->path) continue;
    hid_t dataset = H5Oopen_by_addr(in, entry->address);
    bool good = dataset >= 0 && last_item_reads(dataset);
    if (dataset >= 0) H5Dclose(dataset);
    if (!good) {
      char why[400];
      wal_hdf5_reason(why, sizeof why);
      WAL_TRY_GOTO(wal_fail(ctx, WAL_EIO, "%s: %s cannot be read: %s", name, entry->path, why));
    }
  }
cleanup:
  wal_hdf5_tree_free(ctx, &tree);
  if (in >= 0) H5Fclose(in);
  return status;
}

wal_status wal_run_file_verify(wal_ctx *ctx, const char *path) { return verify(ctx, path, path); }

/** Rank 0, or of a plan. */
static void close_file(wal_run_file *file) {
  wal_run_file_leave_group(file);
  if (file->file >= 0) wal_run_file_must(file, H5Fclose(file->file));
  file->file = -1;
}

/** Rank 0: writes what waited for the end and, when all else is in the file, `complete`. */
static void complete(wal_run_file *file) {
  const uint8_t yes = 1;
  wal_run_file_put_waiting(file);
  wal_run_file_must(file, H5Fflush(file->file, H5F_SCOPE_GLOBAL));
  hid_t attribute = wal_run_file_must(file, H5Aopen(file->file, "complete", H5P_DEFAULT));
  wal_run_file_must(file, H5Awrite(attribute, H5T_NATIVE_UINT8, &yes));
  wal_run_file_must(file, H5Aclose(attribute));
  close_file(file);
}

wal_status wal_run_file_commit(wal_run_file **file_) {
  wal_run_file *file = *file_;
  wal_ctx *ctx = file->ctx;
  if (file->kind != WAL_RUN_WRITTEN) {
    wal_run_file_discard(file_);
    return wal_fail(ctx, WAL_EINTERNAL, "a record or a plan is no file that could be committed");
  }
  // Brings every rank's own writes to disk, which rank 0's fsync may not.
  wal_run_file_close_data(file);
  wal_status status = wal_agree(ctx, WAL_OK);
  if (file->rank == 0) {
    complete(file);
    wal_run_seal_sort(&file->gaps);
    status = wal_run_seal_write(ctx, file->path, file->partial, &file->gaps);
    if (status == WAL_OK) status = verify(ctx, file->partial, file->path);
    if (status == WAL_OK) status = wal_run_file_publish(file);
    if (status != WAL_OK) unlink(file->partial);
  }
  status = wal_agree(ctx, status);
  free_file(file_);
  return status;
}

void wal_run_file_discard(wal_run_file **file_) {
  if (!file_ || !*file_) return;
  wal_run_file *file = *file_;
  wal_run_file_close_data(file);
  close_file(file);
  if (file->kind == WAL_RUN_WRITTEN && file->rank == 0) unlink(file->partial);
  free_file(file_);
}
