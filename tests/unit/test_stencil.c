// SPDX-License-Identifier: GPL-3.0-or-later
#include <stdlib.h>

#include "sim/core/random.h"
#include "sim/game/stencil.h"
#include "tests/support/harness.h"

enum { SIZE = 200, PARTS = 3, MOST = 40 };

static const int64_t CUTS[PARTS + 1] = {0, 90, 90, SIZE};

static int64_t whole(int item, uint32_t stage, int64_t below) {
  return (int64_t)(wal_random_uniform(9, WAL_PURPOSE_TEST, (uint64_t)item, stage, 0) *
                   (double)below);
}

/* Random stretches, many over the same outputs, some outputs under none: added in their order. */
static void stencils_are_their_stretches(void **state) {
  (void)state;
  wal_ctx *ctx = wal_test_ctx(1);
  for (int count = 0; count <= MOST; count += 8) {
    wal_stencil *stencil = NULL;
    wal_stretch stretches[MOST];
    double in[SIZE], out[SIZE], expected[SIZE] = {0};
    for (int i = 0; i < SIZE; i++) in[i] = (double)whole(i, 1, 1000) / 7, out[i] = 1e9;
    WAL_ASSERT_OK(ctx, wal_stencil_create(ctx, &stencil));
    for (int part = 0; part < PARTS; part++) {
      const int64_t size = CUTS[part + 1] - CUTS[part];
      const int n = size > 0 ? count : 0;
      for (int k = 0; k < n; k++) {
        const int item = part * MOST + k;
        const int64_t length = 1 + whole(item, 2, k % 4 == 0 ? 3 : size / 3);
        const int64_t to = CUTS[part] + whole(item, 3, size - length);
        stretches[k] =
            (wal_stretch){to, whole(item, 4, SIZE - length), length, (double)whole(item, 5, 9) / 9};
        for (int64_t i = 0; i < length; i++)
          expected[to + i] += stretches[k].weight * in[stretches[k].from + i];
      }
      WAL_ASSERT_OK(ctx, wal_stencil_add(stencil, CUTS[part], CUTS[part + 1], n, stretches));
    }
    for (int part = 0; part < PARTS; part++) wal_stencil_apply(stencil, part, in, out);
    for (int i = 0; i < SIZE; i++) WAL_ASSERT_SAME(out[i], expected[i]);
    wal_stencil_destroy(&stencil);
  }
  wal_ctx_destroy(&ctx);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(stencils_are_their_stretches)};
WAL_TEST_MAIN(tests)
