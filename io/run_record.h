// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_IO_RUN_RECORD_H
#define WALRAS_IO_RUN_RECORD_H

/*
 * The calls of a recorded run file as flat bytes, between io/run_record.c and io/run_replay.c:
 *
 *   "WALRECO1", the bytes in all, then the calls: a wal_run_call and what it was given
 *
 * in items whose lengths are multiples of 8. Numbers have 8 bytes in the order of the machine. A
 * text is its length with its end, and its bytes. Of a dataset: path, units, long name, rank, four
 * extents, four scales ("" if none), whether it is a scale; then of numbers how they are stored,
 * their bytes in all and the bytes; of texts their bytes in all and the bytes, ends included.
 */

#define WAL_RUN_RECORD_MAGIC "WALRECO1"
enum { WAL_RUN_RECORD_HEAD = 16 };

typedef enum wal_run_call {
  WAL_RUN_CALL_GROUP = 1, /**< path */
  WAL_RUN_CALL_LINK,      /**< existing, path */
  WAL_RUN_CALL_TEXT,      /**< object, name, text */
  WAL_RUN_CALL_INTEGER,   /**< object, name, number */
  WAL_RUN_CALL_REAL,      /**< object, name, number */
  WAL_RUN_CALL_NUMBERS,
  WAL_RUN_CALL_TEXTS,
} wal_run_call;

#endif
