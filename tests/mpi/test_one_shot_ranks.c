// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>

#include "tests/support/make_auction.h"

WAL_TEST_CTX(20260)

/* One rank alone, each for itself, gets the bits that all get together; few samples, odd numbers.
 */
static void bits_do_not_depend_on_ranks(void **state) {
  (void)state;
  static const char *const AUCTIONS[] = {
      "bidders = 5", "bidders = 6, format = 'all_pay', values = exponential {}",
      "bidders = 90, units = 40, format = 'pay_as_bid'",
      "bidders = 3, bids = function(v) return v < 0.3 and 0.1 or v / 2 end"};
  static const int64_t COUNTS[] = {1, 2, 255, 5003};
  wal_ctx *alone;
  WAL_ASSERT_OK(ctx, wal_ctx_split(ctx, wal_ctx_rank(ctx), &alone));
  for (int k = 0; k < 4; k++)
    for (int c = 0; c < 4; c++) {
      wal_one_shot_result one, all;
      wal_theory_amounts t;
      wal_test_auction_simulate(ctx, AUCTIONS[k], COUNTS[c], &all, &t);
      wal_test_auction_simulate(alone, AUCTIONS[k], COUNTS[c], &one, &t);
      one.seconds = all.seconds;
      WAL_ASSERT_ALL(ctx, one.revenue.mean == all.revenue.mean);
      WAL_ASSERT_ALL(ctx, one.welfare.mean == all.welfare.mean);
      WAL_ASSERT_ALL(ctx, one.utility.mean == all.utility.mean);
      WAL_ASSERT_ALL(
          ctx, COUNTS[c] == 1 ? isnan(all.revenue.error) : one.revenue.error == all.revenue.error);
      const wal_one_shot_deviations *x = &one.deviations, *y = &all.deviations;
      WAL_ASSERT_ALL(ctx, x->rivals == y->rivals && x->rivals == COUNTS[c] / 2 * 2);
      WAL_ASSERT_ALL(ctx, memcmp(x->best, y->best, sizeof x->best) == 0);
      WAL_ASSERT_ALL(ctx, memcmp(x->gain, y->gain, sizeof x->gain) == 0);
    }
  wal_ctx_destroy(&alone);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(bits_do_not_depend_on_ranks)};

int main(int argc, char **argv) {
  wal_test_begin(&argc, &argv);
  return wal_test_end(cmocka_run_group_tests(tests, open_ctx, close_ctx));
}
