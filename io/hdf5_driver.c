// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include "io/hdf5_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct driver_file {
  H5FD_t base; /* HDF5's part, first */
  int handle;
  haddr_t eoa, eof; /* what HDF5 has given away; where the file ends */
  wal_hdf5_aside aside;
} driver_file;

static const haddr_t FARTHEST = ((haddr_t)1 << 63) - 1;

/* On HDF5's stack of errors, where wal_hdf5_reason() finds it. */
static herr_t failed(const char *what, int error) {
  H5Epush2(H5E_DEFAULT, __FILE__, __func__, __LINE__, H5E_ERR_CLS, H5E_IO, H5E_WRITEERROR, "%s: %s",
           what, strerror(error));
  return -1;
}

static H5FD_t *open_file(const char *name, unsigned flags, hid_t access, haddr_t most) {
  (void)access;
  (void)most;
  const int how = (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) |
                  (flags & H5F_ACC_TRUNC ? O_TRUNC : 0) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) |
                  (flags & H5F_ACC_EXCL ? O_EXCL : 0) | O_CLOEXEC;
  struct stat info;
  driver_file *file = calloc(1, sizeof *file);
  const int handle = file ? open(name, how, 0666) : -1;
  if (handle < 0 || fstat(handle, &info) != 0) {
    failed("file open failed", errno);
    if (handle >= 0) close(handle);
    free(file);
    return NULL;
  }
  file->handle = handle;
  file->eof = (haddr_t)info.st_size;
  return &file->base;
}

static herr_t close_file(H5FD_t *base) {
  driver_file *file = (driver_file *)base;
  const int result = close(file->handle), error = errno;
  free(file);
  return result == 0 ? 0 : failed("file close failed", error);
}

static herr_t query(const H5FD_t *base, unsigned long *flags) {
  (void)base;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE |
           H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t get_eoa(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const driver_file *)base)->eoa;
}

static herr_t set_eoa(H5FD_t *base, H5FD_mem_t type, haddr_t address) {
  (void)type;
  ((driver_file *)base)->eoa = address;
  return 0;
}

static haddr_t get_eof(const H5FD_t *base, H5FD_mem_t type) {
  (void)type;
  return ((const driver_file *)base)->eof;
}

static herr_t get_handle(H5FD_t *base, hid_t access, void **out) {
  (void)access;
  *out = &((driver_file *)base)->aside;
  return 0;
}

static herr_t read_bytes(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                         void *out) {
  (void)type;
  (void)transfer;
  const driver_file *file = (const driver_file *)base;
  for (size_t done = 0; done < size;) {
    const ssize_t got = pread(file->handle, (char *)out + done, size - done, (off_t)(at + done));
    if (got < 0 && errno != EINTR) return failed("file read failed", errno);
    // What lies behind the end is zero.
    if (got == 0) memset((char *)out + done, 0, size - done);
    done = got == 0 ? size : got > 0 ? done + (size_t)got : done;
  }
  return 0;
}

static herr_t write_bytes(H5FD_t *base, H5FD_mem_t type, hid_t transfer, haddr_t at, size_t size,
                          const void *bytes) {
  (void)transfer;
  driver_file *file = (driver_file *)base;
  const bool aside = file->aside.on && type == H5FD_MEM_DRAW;
  if (aside) {
    file->aside.writes++;
    file->aside.at = at;
    file->aside.size = size;
  }
  for (size_t done = aside ? size : 0; done < size;) {
    const ssize_t put =
        pwrite(file->handle, (const char *)bytes + done, size - done, (off_t)(at + done));
    if (put == 0 || (put < 0 && errno != EINTR))
      return failed("file write failed", put == 0 ? ENOSPC : errno);
    if (put > 0) done += (size_t)put;
  }
  if (at + size > file->eof) file->eof = at + size;
  return 0;
}

/* Makes the file as long as what HDF5 has given away of it. */
static herr_t fit(H5FD_t *base, hid_t transfer, hbool_t closing) {
  (void)transfer;
  (void)closing;
  driver_file *file = (driver_file *)base;
  if (file->eof == file->eoa) return 0;
  if (ftruncate(file->handle, (off_t)file->eoa) != 0) return failed("file write failed", errno);
  file->eof = file->eoa;
  return 0;
}

herr_t wal_hdf5_driver_use(hid_t access) {
  const H5FD_class_t driver = {.name = "walras",
                               .maxaddr = FARTHEST,
                               .fc_degree = H5F_CLOSE_WEAK,
                               .open = open_file,
                               .close = close_file,
                               .query = query,
                               .get_eoa = get_eoa,
                               .set_eoa = set_eoa,
                               .get_eof = get_eof,
                               .get_handle = get_handle,
                               .read = read_bytes,
                               .write = write_bytes,
                               .truncate = fit,
                               .fl_map = H5FD_FLMAP_DICHOTOMY};
  const hid_t id = H5FDregister(&driver);
  if (id < 0) return -1;
  // The list keeps what it uses.
  const herr_t result = H5Pset_driver(access, id, NULL);
  H5FDunregister(id);
  return result;
}

wal_hdf5_aside *wal_hdf5_driver_aside(hid_t file) {
  void *out = NULL;
  return H5Fget_vfd_handle(file, H5P_DEFAULT, &out) < 0 ? NULL : out;
}
