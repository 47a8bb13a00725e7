// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_FLETCHER_H
#define WALRAS_IO_FLETCHER_H

#include <stddef.h>
#include <stdint.h>

/** The checksum of HDF5's filter fletcher32, which it keeps behind each chunk, low byte first. */
uint32_t wal_fletcher32(const void *bytes, size_t count);

#endif
