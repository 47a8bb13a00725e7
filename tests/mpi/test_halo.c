// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/core/block_sum.h"
#include "sim/core/halo.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"
#include "tests/support/harness.h"

enum { STATES = 203, BLOCK = 8, RUNS_A_BLOCK = 4 };

static double draw(int64_t item, uint32_t stage) {
  return wal_random_uniform(9, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0) - 0.5;
}

/* Away runs of a block, the same on whichever rank it lies: up to RUNS_A_BLOCK other blocks. */
static int block_runs(const wal_partition *p, int64_t block, wal_away *runs) {
  int n = 0;
  int64_t last = -1;
  for (int k = 0; k < RUNS_A_BLOCK; k++) {
    double u = draw(block * RUNS_A_BLOCK + k, 1) + 0.5;
    int64_t other = last + 1 + (int64_t)(u * 5);
    if (other == block) other++;
    if (other >= p->blocks) break;
    int64_t cut = wal_partition_cut(p, other);
    int64_t room = wal_partition_cut(p, other + 1) - cut;
    int64_t skip = room > 2 ? (int64_t)((draw(block * RUNS_A_BLOCK + k, 2) + 0.5) * 2) : 0;
    runs[n++] = (wal_away){cut + skip, room - skip};
    last = other;
  }
  return n;
}

static wal_halo *make_halo(wal_ctx *ctx, const wal_partition *p) {
  wal_away *runs = malloc(sizeof *runs * RUNS_A_BLOCK * (size_t)(p->blocks + 1));
  int64_t count = 0;
  for (int64_t b = p->first_block; b < p->end_block; b++) count += block_runs(p, b, runs + count);
  wal_halo *halo = NULL;
  wal_status status = wal_halo_create(ctx, p, count, runs, &halo);
  free(runs);
  WAL_ASSERT_OK(ctx, status);
  return halo;
}

static double *make_array(wal_halo *halo) {
  return calloc((size_t)(wal_halo_own(halo) + wal_halo_away(halo) + 1), sizeof(double));
}

static void pull_brings_the_owners_values(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  wal_partition p = wal_partition_states(ctx, STATES, 1, 1, 1, BLOCK);
  wal_halo *halo = make_halo(ctx, &p);
  double *x = make_array(halo);
  for (int64_t i = 0; i < p.count; i++) x[i] = draw(p.first + i, 3);
  WAL_ASSERT_OK(ctx, wal_halo_pull(halo, x));
  int64_t at = p.count, wrong = 0;
  for (int64_t b = p.first_block; b < p.end_block; b++) {
    wal_away runs[RUNS_A_BLOCK];
    int n = block_runs(&p, b, runs);
    for (int k = 0; k < n; k++)
      for (int64_t i = 0; i < runs[k].count; i++) wrong += x[at++] != draw(runs[k].first + i, 3);
  }
  WAL_ASSERT_ALL(ctx, wrong == 0);
  WAL_ASSERT_ALL(ctx, at == p.count + wal_halo_away(halo));
  int64_t sent[2] = {0};
  for (int push = 0; push < 2; push++) {  // what the plan says is what is sent
    const wal_traffic before = wal_ctx_traffic(ctx), said = wal_halo_traffic(halo, push);
    WAL_ASSERT_OK(ctx, push ? wal_halo_push(halo, x) : wal_halo_pull(halo, x));
    const wal_traffic after = wal_ctx_traffic(ctx);
    WAL_ASSERT_ALL(ctx, after.bytes - before.bytes == said.bytes);
    WAL_ASSERT_ALL(ctx, after.messages - before.messages == said.messages);
    sent[push] = said.bytes;
  }
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, 2, sent));
  assert_true(sent[0] == sent[1] && (wal_ctx_size(ctx) > 1) == (sent[0] > 0));
  free(x);
  wal_halo_destroy(&halo);
  wal_ctx_destroy(&ctx);
}

/* push is the transpose, and its sums are those of one rank in every bit. */
static void push_adds_in_the_order_of_blocks(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1), *alone = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 1, &alone));
  wal_partition p = wal_partition_states(ctx, STATES, 1, 1, 1, BLOCK);
  wal_partition whole = wal_partition_states(alone, STATES, 1, 1, 1, BLOCK);
  double expected[STATES];
  for (int64_t i = 0; i < STATES; i++) expected[i] = draw(i, 4);
  int64_t entry = 0;  // by hand: home first, then block after block
  for (int64_t b = 0; b < whole.blocks; b++) {
    wal_away runs[RUNS_A_BLOCK];
    int n = block_runs(&whole, b, runs);
    for (int k = 0; k < n; k++)
      for (int64_t i = 0; i < runs[k].count; i++) {
        expected[runs[k].first + i] += draw(1000 * b + 100 * k + i, 5);
        entry++;
      }
  }
  assert_true(entry > STATES);
  wal_halo *halo = make_halo(ctx, &p);
  double *x = make_array(halo);
  for (int64_t i = 0; i < p.count; i++) x[i] = draw(p.first + i, 4);
  int64_t at = p.count;
  for (int64_t b = p.first_block; b < p.end_block; b++) {
    wal_away runs[RUNS_A_BLOCK];
    int n = block_runs(&p, b, runs);
    for (int k = 0; k < n; k++)
      for (int64_t i = 0; i < runs[k].count; i++) x[at++] = draw(1000 * b + 100 * k + i, 5);
  }
  WAL_ASSERT_OK(ctx, wal_halo_push(halo, x));
  WAL_ASSERT_ALL(ctx,
                 p.count == 0 || memcmp(x, expected + p.first, (size_t)p.count * sizeof *x) == 0);
  free(x);
  wal_halo_destroy(&halo);
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&ctx);
}

static void block_sums_are_the_same_everywhere(void **state) {
  (void)state;
  enum { WIDTH = 3 };
  wal_ctx *ctx = wal_test_ctx(1), *alone = NULL;
  WAL_ASSERT_OK(ctx, wal_ctx_create(MPI_COMM_SELF, 1, &alone));
  double total[2][WIDTH];
  for (int k = 0; k < 2; k++) {
    wal_ctx *c = k ? alone : ctx;
    wal_partition p = wal_partition_states(c, STATES, 1, 1, 1, BLOCK);
    wal_block_sum *sum = NULL;
    WAL_ASSERT_OK(c, wal_block_sum_create(c, &p, WIDTH, &sum));
    for (int again = 0; again < 2; again++) {
      wal_block_sum_start(sum);
      for (int64_t b = p.first_block; b < p.end_block; b++)
        for (int j = 0; j < WIDTH; j++) wal_block_sum_row(sum, b)[j] += draw(b, (uint32_t)j) * 1e6;
      WAL_ASSERT_OK(c, wal_block_sum_finish(sum, total[k]));
    }
    wal_block_sum_destroy(&sum);
  }
  WAL_ASSERT_ALL(ctx, memcmp(total[0], total[1], sizeof total[0]) == 0);
  wal_ctx_destroy(&alone);
  wal_ctx_destroy(&ctx);
}

/* One rank fails: all fail alike, with its words. */
static void a_local_failure_becomes_common(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  const int size = wal_ctx_size(ctx), rank = wal_ctx_rank(ctx);
  WAL_ASSERT_OK(ctx, wal_agree(ctx, WAL_OK));
  for (int bad = 0; bad < size; bad++) {
    wal_status mine = WAL_OK;
    if (rank >= bad) mine = wal_fail(ctx, WAL_EIO, "rank %d broke", rank);
    wal_status all = wal_agree(ctx, mine);
    char expected[32];
    snprintf(expected, sizeof expected, "rank %d broke", bad);
    WAL_ASSERT_ALL(ctx, all == WAL_EIO && strcmp(wal_ctx_error(ctx), expected) == 0);
  }
  int64_t numbers[2] = {rank, 1}, least = 10 - rank;
  WAL_ASSERT_OK(ctx, wal_ctx_sum_integers(ctx, 2, numbers));
  WAL_ASSERT_OK(ctx, wal_ctx_least_integer(ctx, &least));
  assert_int_equal(numbers[0], size * (size - 1) / 2);
  assert_int_equal(numbers[1], size);
  assert_int_equal(least, 10 - (size - 1));
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(pull_brings_the_owners_values),
    cmocka_unit_test(push_adds_in_the_order_of_blocks),
    cmocka_unit_test(block_sums_are_the_same_everywhere),
    cmocka_unit_test(a_local_failure_becomes_common),
};
WAL_TEST_MAIN(tests)
