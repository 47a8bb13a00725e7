// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/run_file_private.h"

/*
 * A plan is an HDF5 file in memory, made by the calls that make one on disk, but for the values of
 * arrays, and large arrays do not get their room. What the superblock says of its length, and the
 * large arrays, are the bytes of the file.
 */

enum { GROWTH = 64 << 10, SUPERBLOCK_END = 28 };

/* HDF5 lets the program give the memory of such a file; this is malloc(), but what a file had when
 * it was closed is kept. */

/* The file's own memory is known by these two: others are copies that HDF5 makes and drops. */
static void *give(size_t size, H5FD_file_image_op_t when, void *user) {
  void *memory = malloc(size);
  if (memory && when == H5FD_FILE_IMAGE_OP_FILE_OPEN) ((wal_run_file *)user)->image_size = size;
  return memory;
}

static void *regrow(void *memory, size_t size, H5FD_file_image_op_t when, void *user) {
  void *larger = realloc(memory, size);
  if (larger && when == H5FD_FILE_IMAGE_OP_FILE_RESIZE) ((wal_run_file *)user)->image_size = size;
  return larger;
}

static herr_t take(void *memory, H5FD_file_image_op_t when, void *user) {
  wal_run_file *file = user;
  if (when == H5FD_FILE_IMAGE_OP_FILE_CLOSE) {
    free(file->image);
    file->image = memory;
  } else {
    free(memory);
  }
  return 0;
}

static void *same_user(void *user) { return user; }

static herr_t leave_user(void *user) {
  (void)user;
  return 0;
}

/** Makes the file of a plan. */
static void make_image(wal_run_file *file) {
  char name[64];
  H5FD_file_image_callbacks_t calls = {.image_malloc = give,
                                       .image_realloc = regrow,
                                       .image_free = take,
                                       .udata_copy = same_user,
                                       .udata_free = leave_user,
                                       .udata = file};
  hid_t access = wal_run_file_must(file, H5Pcreate(H5P_FILE_ACCESS));
  wal_run_file_must(file, H5Pset_fapl_core(access, GROWTH, false));
  wal_run_file_must(file, H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110));
  wal_run_file_must(file, H5Pset_file_image_callbacks(access, &calls));
  // HDF5 looks on the disk for a file of this name first, and tells files in memory by their names.
  snprintf(name, sizeof name, "/dev/null/%p", (void *)file);
  hid_t creation = wal_run_file_timeless(file, H5P_FILE_CREATE);
  file->file = wal_run_file_must(file, H5Fcreate(name, H5F_ACC_TRUNC, creation, access));
  H5Pclose(creation);
  H5Pclose(access);
}

/** Closes it; its length. */
static uint64_t close_image(wal_run_file *file) {
  uint64_t size = 0;
  wal_run_file_leave_group(file);
  if (file->file >= 0) wal_run_file_must(file, H5Fclose(file->file));
  file->file = -1;
  for (int i = 0; file->image && file->image_size >= SUPERBLOCK_END + 8 && i < 8; i++)
    size |= (uint64_t)file->image[SUPERBLOCK_END + i] << (8 * i);
  return file->failed ? 0 : size;
}

wal_status wal_run_file_plan(wal_ctx *ctx, wal_run_file **out) {
  WAL_TRY(wal_run_file_new(ctx, WAL_RUN_PLANNED, "(a plan)", out));
  wal_hdf5_quiet();
  make_image(*out);
  wal_run_file_share(*out);
  wal_status status = wal_run_file_put_head(*out);
  if (status != WAL_OK) wal_run_file_discard(out);
  return status;
}

wal_status wal_run_file_planned(wal_run_file *file, double *bytes) {
  *bytes = 0;
  if (file->kind != WAL_RUN_PLANNED)
    return wal_fail(file->ctx, WAL_EINTERNAL, "%s: is not a plan", file->path);
  if (file->planned == 0) {
    wal_run_file_put_waiting(file);
    const uint64_t size = close_image(file);
    file->planned = (double)size + file->away + wal_run_seal_size(file->chunked_count);
  }
  *bytes = file->planned;
  return wal_run_file_outcome(file);
}
