// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_SIM_CORE_MAILBOX_H
#define WALRAS_SIM_CORE_MAILBOX_H

#include "sim/core/context.h"

/**
 * Brings blocks of bytes of any length from the ranks to rank 0 while all of them work: nobody
 * waits for anybody, unless rank 0 says how much it can hold. Every block has a number. Blocks may
 * come in any order, those of one rank as well: a small one may overtake a large one. What MPI
 * cannot do without the two sides it does in these calls, so each side calls one now and then.
 */
typedef struct wal_mailbox wal_mailbox;

/** @collective ctx, which must outlive it */
wal_status wal_mailbox_create(wal_ctx *ctx, wal_mailbox **out);

/** Sends a block to rank 0; a rank's numbers rise from block to block. Takes it over, whatever
 *  happens: `*bytes` is of wal_acquire() in the mailbox's context, and becomes NULL. Waits only
 *  where more than 256 MiB, or a quarter of the memory that the rank may have, are under way. */
wal_status wal_mailbox_post(wal_mailbox *mailbox, int64_t number, char **bytes, int64_t length);

/**
 * On rank 0: from now on a block is let come only while those that come, and those that have come
 * and were not taken, are fewer than `room` bytes; the others stay where they are. Those numbered up
 * to `turn` come in any case. At first there is no limit.
 */
void wal_mailbox_limit(wal_mailbox *mailbox, int64_t room, int64_t turn);

/** The next block that has come to rank 0, to be released by the caller; NULL if none has. */
wal_status wal_mailbox_take(wal_mailbox *mailbox, char **bytes, int64_t *length);

/** Lets go on what is under way. Takes a microsecond or so. */
wal_status wal_mailbox_progress(wal_mailbox *mailbox);

/** Waits until all blocks of this rank have gone. */
wal_status wal_mailbox_flush(wal_mailbox *mailbox);

/** Blocks that are still under way are lost. Rank-local. */
void wal_mailbox_destroy(wal_mailbox **mailbox);

#endif
