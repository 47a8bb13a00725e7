// SPDX-License-Identifier: GPL-3.0-or-later
#include <string.h>

#include "sim/core/dispatch.h"
#include "sim/core/mailbox.h"
#include "sim/core/memory.h"
#include "tests/support/harness.h"

WAL_TEST_CTX(9)

static void groups_are_contexts_of_their_own(void **state) {
  (void)state;
  const int rank = wal_ctx_rank(ctx), size = wal_ctx_size(ctx), group = rank % 2;
  wal_ctx *part = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_split(ctx, group, &part));
  WAL_ASSERT_ALL(ctx, wal_ctx_size(part) == (size + 1 - group) / 2);
  WAL_ASSERT_ALL(ctx, wal_ctx_rank(part) == rank / 2);
  WAL_ASSERT_ALL(ctx, wal_ctx_seed(part) == 9);
  WAL_ASSERT_ALL(ctx, wal_ctx_node_size(part) == wal_ctx_node_size(ctx));
  // a failure in one group is nothing to the other
  wal_status status = wal_agree(part, group == 1 ? wal_fail(part, WAL_EINPUT, "odd") : WAL_OK);
  WAL_ASSERT_ALL(ctx, status == (group == 1 ? WAL_EINPUT : WAL_OK));
  const int64_t before = wal_ctx_memory(ctx);
  char *block = NULL;
  WAL_ASSERT_ALL(ctx, wal_acquire(part, "a block", 100, 1, &block) == WAL_OK);
  WAL_ASSERT_ALL(ctx, wal_ctx_memory(ctx) == before + 100);
  wal_release(part, &block);
  WAL_ASSERT_ALL(ctx, wal_ctx_memory(ctx) == before);
  wal_ctx_destroy(&part);
}

static void every_number_is_handed_out_once(void **state) {
  (void)state;
  enum { COUNT = 500 };
  int64_t taken[COUNT] = {0};
  wal_dispatch *dispatch = NULL;
  WAL_ASSERT_OK(ctx, wal_dispatch_create(ctx, &dispatch));
  int64_t number = -1, last = -1;
  bool rising = true, good = true;
  while (good && number < COUNT) {
    good = wal_dispatch_next(dispatch, &number) == WAL_OK;
    rising = rising && number > last;
    last = number;
    if (good && number < COUNT) taken[number]++;
  }
  WAL_ASSERT_ALL(ctx, good && rising);
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, COUNT, taken));
  for (int i = 0; i < COUNT; i++) assert_int_equal(taken[i], 1);
  wal_dispatch_destroy(&dispatch);
}

// Block k of a rank: k * 5000 + 8 bytes that say whose it is, then rank + k over and over.
static void blocks_come_whole(void **state) {
  (void)state;
  enum { BLOCKS = 12 };
  const int rank = wal_ctx_rank(ctx), size = wal_ctx_size(ctx);
  wal_mailbox *box = NULL;
  bool good = true;
  WAL_ASSERT_OK(ctx, wal_mailbox_create(ctx, &box));
  for (int k = 0; rank != 0 && k < BLOCKS; k++) {
    char *bytes = NULL;
    const int64_t length = k * 5000 + 8;
    const int who[2] = {rank, k};
    good = good && wal_acquire(ctx, "a block", length, 1, &bytes) == WAL_OK;
    if (!good) break;
    memset(bytes, rank + k, (size_t)length);
    memcpy(bytes, who, sizeof who);
    good = wal_mailbox_post(box, k, &bytes, length) == WAL_OK && !bytes;
  }
  good = good && wal_mailbox_flush(box) == WAL_OK;
  int next[64] = {0}, seen = 0;
  while (rank == 0 && good && seen < (size - 1) * BLOCKS) {
    char *bytes = NULL;
    int64_t length = 0;
    good = wal_mailbox_take(box, &bytes, &length) == WAL_OK;
    if (!bytes) continue;
    int who[2];
    memcpy(who, bytes, sizeof who);
    good = good && who[0] > 0 && who[0] < size && length == who[1] * 5000 + 8;
    for (int64_t i = sizeof who; good && i < length; i++) good = bytes[i] == who[0] + who[1];
    if (good) next[who[0]]++;
    seen++;
    wal_release(ctx, &bytes);
  }
  for (int r = 1; rank == 0 && r < size && r < 64; r++) good = good && next[r] == BLOCKS;
  WAL_ASSERT_ALL(ctx, good);
  wal_mailbox_destroy(&box);
  WAL_ASSERT_ALL(ctx, wal_ctx_memory(ctx) == 0);
}

// Numbers go round the ranks. Some blocks of rank 1 are so large that it must wait with more.
static void without_room_blocks_come_in_their_turn(void **state) {
  (void)state;
  enum { BLOCKS = 30 };
  const int rank = wal_ctx_rank(ctx), size = wal_ctx_size(ctx);
  wal_mailbox *box = NULL;
  bool good = true;
  WAL_ASSERT_OK(ctx, wal_mailbox_create(ctx, &box));
  for (int k = 0; rank != 0 && good && k < BLOCKS; k++) {
    char *bytes = NULL;
    const int64_t number = (int64_t)k * (size - 1) + rank - 1;
    const int64_t length = rank == 1 && k % 3 == 0 ? (int64_t)40 << 20 : 8 + 100 * k;
    good = wal_acquire(ctx, "a block", length, 1, &bytes) == WAL_OK;
    if (!good) break;
    memcpy(bytes, &number, sizeof number);
    good = wal_mailbox_post(box, number, &bytes, length) == WAL_OK;
    good = good && wal_ctx_memory(ctx) < (int64_t)300 << 20;
  }
  good = good && wal_mailbox_flush(box) == WAL_OK;
  for (int64_t turn = 0; rank == 0 && good && turn < (int64_t)BLOCKS * (size - 1);) {
    char *bytes = NULL;
    int64_t length = 0, number = -1;
    wal_mailbox_limit(box, 0, turn);
    good = wal_mailbox_take(box, &bytes, &length) == WAL_OK;
    if (!bytes) continue;
    memcpy(&number, bytes, sizeof number);
    good = good && number == turn++ && wal_ctx_memory(ctx) < (int64_t)50 << 20;
    wal_release(ctx, &bytes);
  }
  WAL_ASSERT_ALL(ctx, good);
  wal_mailbox_destroy(&box);
  WAL_ASSERT_ALL(ctx, wal_ctx_memory(ctx) == 0);
}

int main(int argc, char **argv) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(groups_are_contexts_of_their_own),
      cmocka_unit_test(every_number_is_handed_out_once),
      cmocka_unit_test(blocks_come_whole),
      cmocka_unit_test(without_room_blocks_come_in_their_turn),
  };
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
