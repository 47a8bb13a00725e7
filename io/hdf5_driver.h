// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_HDF5_DRIVER_H
#define WALRAS_IO_HDF5_DRIVER_H

#include "io/hdf5_helpers.h"

/*
 * How rank 0's HDF5 reaches the run file that is being written: as its own driver for POSIX files,
 * without locks, but raw data may be put aside: HDF5 then gives chunks their places, and whoever
 * has the numbers writes them there. Private to io/.
 */

/** What is put aside while `on`. */
typedef struct wal_hdf5_aside {
  bool on;
  int64_t writes;    /**< writes of raw data that were left out since `writes` was set */
  uint64_t at, size; /**< the last of them */
} wal_hdf5_aside;

/** Makes files of this access list use the driver; negative on failure. */
herr_t wal_hdf5_driver_use(hid_t access);

/** What an open file of the driver puts aside, to be changed by the caller; NULL on failure. */
wal_hdf5_aside *wal_hdf5_driver_aside(hid_t file);

#endif
