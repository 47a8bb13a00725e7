// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdlib.h>

#include "auctions/one_shot_simulate.h"
#include "sim/core/hot.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/*
 * Where higher values never bid less, only the highest levels matter: they are found while levels
 * are drawn, bidder after bidder, for many samples side by side, and values and bids are worked out
 * for them alone. Ties need no draw then: whoever of equal bids wins, has the same value. Bids of a
 * script are worked out one by one, and ties drawn.
 */

enum { SIZE = 256, MOST_STREAMED = 24, CELLS = 65536 };

struct wal_one_shot_chunk {
  const wal_one_shot *a;
  int64_t size, depth; /* samples; highest levels, or all bidders, that are kept of each */
  bool streamed;
  double *top;         /* [depth][size]; all levels where they are not streamed */
  double *value, *bid; /* [size], of a script [bidders][size] */
  double *own, *second, *paid, *price;
  double *picked;         /* [bidders] */
  struct bidder *bidders; /* [bidders], of a script */
};

/* One who bids, in one sample. */
typedef struct bidder {
  double bid, value, gain;
  double order; /* among equal bids */
  int64_t index;
} bidder;

static bool is_script(const wal_one_shot *a) { return a->rule == WAL_BID_SCRIPT; }

static bool pays_bid(const wal_one_shot *a) {
  return a->format == WAL_FIRST_PRICE || a->format == WAL_PAY_AS_BID;
}

/* Winners, the highest loser, and the one after him where the third price is paid. */
static int64_t depth_of(const wal_one_shot *a) {
  int64_t depth = a->format == WAL_THIRD_PRICE ? 3 : a->units + 1;
  return depth < a->bidders ? depth : a->bidders;
}

static bool is_streamed(const wal_one_shot *a) {
  return !is_script(a) && depth_of(a) <= MOST_STREAMED;
}

int64_t wal_one_shot_chunk_size(const wal_one_shot *a) {
  if (is_streamed(a)) return SIZE;
  const int64_t size = CELLS / a->bidders / 8 * 8;
  return size < 8 ? 8 : size > SIZE ? SIZE : size;
}

static int64_t rows_of(const wal_one_shot *a) {
  return is_streamed(a) ? depth_of(a) : a->bidders + 1;  // draws come in pairs
}

double wal_one_shot_chunk_memory(const wal_one_shot *a) {
  const double size = (double)wal_one_shot_chunk_size(a), n = (double)a->bidders;
  const double all = is_script(a) ? n : 1;
  return 8 * size * ((double)rows_of(a) + 2 * all + 4) +
         n * (is_script(a) ? 8 + (double)sizeof(bidder) : 8);
}

wal_status wal_one_shot_chunk_create(wal_ctx *ctx, const wal_one_shot *a,
                                     wal_one_shot_chunk **out) {
  wal_one_shot_chunk *c = NULL;
  *out = NULL;
  WAL_TRY(wal_acquire(ctx, "samples", 1, sizeof *c, &c));
  *c = (wal_one_shot_chunk){
      .a = a, .size = wal_one_shot_chunk_size(a), .depth = depth_of(a), .streamed = is_streamed(a)};
  const int64_t all = (is_script(a) ? a->bidders : 1) * c->size;
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", rows_of(a) * c->size, sizeof *c->top, &c->top));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", all, sizeof *c->value, &c->value));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", all, sizeof *c->bid, &c->bid));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", c->size, sizeof *c->own, &c->own));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", c->size, sizeof *c->second, &c->second));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", c->size, sizeof *c->paid, &c->paid));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", c->size, sizeof *c->price, &c->price));
  WAL_TRY_GOTO(wal_acquire(ctx, "samples", a->bidders, sizeof *c->picked, &c->picked));
  if (is_script(a))
    WAL_TRY_GOTO(wal_acquire(ctx, "samples", a->bidders, sizeof *c->bidders, &c->bidders));
  *out = c;
  c = NULL;

cleanup:
  wal_one_shot_chunk_destroy(ctx, &c);
  return status;
}

void wal_one_shot_chunk_destroy(wal_ctx *ctx, wal_one_shot_chunk **chunk) {
  wal_one_shot_chunk *c = *chunk;
  if (!c) return;
  wal_release(ctx, &c->top);
  wal_release(ctx, &c->value);
  wal_release(ctx, &c->bid);
  wal_release(ctx, &c->own);
  wal_release(ctx, &c->second);
  wal_release(ctx, &c->paid);
  wal_release(ctx, &c->price);
  wal_release(ctx, &c->picked);
  wal_release(ctx, &c->bidders);
  wal_release(ctx, chunk);
}

// ---- Drawing ----------------------------------------------------------------------------------

/* Keeps the `depth` highest of each column, in falling order. */
WAL_HOT static void insert(int64_t depth, int64_t stride, int64_t count, double *restrict u,
                           double *restrict top) {
  for (int64_t r = 0; r < depth; r++) {
    double *restrict row = top + r * stride;
#pragma omp simd
    for (int64_t i = 0; i < count; i++) {
      const double high = row[i] > u[i] ? row[i] : u[i];
      u[i] = row[i] > u[i] ? u[i] : row[i];
      row[i] = high;
    }
  }
}

/* The two highest in one pass: by far the most frequent case. */
WAL_HOT static void insert_two(int64_t count, const double *restrict u, double *restrict first,
                               double *restrict second) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const double low = first[i] > u[i] ? u[i] : first[i];
    first[i] = first[i] > u[i] ? first[i] : u[i];
    second[i] = second[i] > low ? second[i] : low;
  }
}

static wal_status add_paid(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t count, const double *u) {
  wal_value_law_values(c->a->law, count, u, c->value);
  WAL_TRY(wal_one_shot_bids(ctx, c->a, count, u, c->value, c->bid));
  for (int64_t i = 0; i < count; i++) c->paid[i] += c->bid[i] >= c->a->reserve ? c->bid[i] : 0;
  return WAL_OK;
}

static wal_status take(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t count, int64_t number,
                       double *u) {
  if (number == 0)
    for (int64_t i = 0; i < count; i++) c->own[i] = u[i];
  if (c->a->format == WAL_ALL_PAY) WAL_TRY(add_paid(ctx, c, count, u));
  if (!c->streamed) return WAL_OK;
  if (c->depth == 2)
    insert_two(count, u, c->top, c->top + c->size);
  else
    insert(c->depth, c->size, count, u, c->top);
  return WAL_OK;
}

static wal_status draw(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t first, int64_t count) {
  const int64_t n = c->a->bidders;
  for (int64_t i = 0; c->streamed && i < c->depth * c->size; i++) c->top[i] = -1;
  for (int64_t i = 0; i < count; i++) c->paid[i] = 0;
  for (int64_t j = 0; j < n; j += 2) {
    double *one = c->streamed ? c->price : c->top + j * c->size;
    double *two = c->streamed ? c->second : c->top + (j + 1) * c->size;
    wal_random_reals(wal_ctx_seed(ctx), WAL_PURPOSE_ONE_SHOT_VALUES, (uint64_t)first, count,
                     (uint32_t)(j / 2), 0, one, two);
    if (is_script(c->a)) continue;
    WAL_TRY(take(ctx, c, count, j, one));
    if (j + 1 < n) WAL_TRY(take(ctx, c, count, j + 1, two));
  }
  return WAL_OK;
}

/* Puts the `k` largest of x first and the (k+1)-st largest at x[k] (Hoare 1961). */
static void select_largest(double *x, int64_t n, int64_t k) {
  int64_t low = 0, high = n - 1;
  while (low < high) {
    const double pivot = x[low + (high - low) / 2];
    int64_t i = low, j = high;
    while (i <= j) {
      while (x[i] > pivot) i++;
      while (x[j] < pivot) j--;
      if (i > j) break;
      const double swapped = x[i];
      x[i++] = x[j];
      x[j--] = swapped;
    }
    if (k <= j)
      high = j;
    else if (k >= i)
      low = i;
    else
      return;
  }
}

/* The first rows become the highest levels of each sample: row k the highest loser, row k - 1 the
 * lowest winner; the other winners in any order. */
static void select_top(wal_one_shot_chunk *c, int64_t count) {
  const int64_t n = c->a->bidders, k = c->a->units;
  double *x = c->picked;
  for (int64_t i = 0; i < count; i++) {
    for (int64_t j = 0; j < n; j++) x[j] = c->top[j * c->size + i];
    if (k < n) select_largest(x, n, k);
    const int64_t winners = k < n ? k : n;
    int64_t lowest = 0;
    for (int64_t j = 1; j < winners; j++)
      if (x[j] < x[lowest]) lowest = j;
    const double swapped = x[lowest];
    x[lowest] = x[winners - 1];
    x[winners - 1] = swapped;
    for (int64_t j = 0; j < c->depth; j++) c->top[j * c->size + i] = x[j];
  }
}

// ---- Bids that rise with values ---------------------------------------------------------------

/* Values and bids of row r of the highest levels; bid -1 where there is none. */
static wal_status bids_of_row(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t r, int64_t count) {
  const double *u = c->top + r * c->size;
  wal_value_law_values(c->a->law, count, u, c->value);
  return wal_one_shot_bids(ctx, c->a, count, u, c->value, c->bid);
}

/* The price where it is not the winner's bid: bid of row r, at least the reserve. */
static wal_status common_price(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t r, int64_t count) {
  const double reserve = c->a->reserve;
  if (r >= c->depth) {
    for (int64_t i = 0; i < count; i++) c->price[i] = reserve;
    return WAL_OK;
  }
  WAL_TRY(bids_of_row(ctx, c, r, count));
  for (int64_t i = 0; i < count; i++) c->price[i] = c->bid[i] > reserve ? c->bid[i] : reserve;
  return WAL_OK;
}

WAL_HOT static void add_winners(int64_t count, double reserve, bool own, const double *restrict v,
                                const double *restrict b, const double *restrict price,
                                double *restrict revenue, double *restrict welfare,
                                double *restrict gain) {
#pragma omp simd
  for (int64_t i = 0; i < count; i++) {
    const double wins = b[i] >= reserve ? 1 : 0, pays = own ? b[i] : price[i];
    revenue[i] += wins * pays;
    welfare[i] += wins * v[i];
    gain[i] = wins * (v[i] - pays);
  }
}

static wal_status settle_rows(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t count,
                              double *const amounts[3]) {
  const wal_one_shot *a = c->a;
  double *revenue = amounts[0], *welfare = amounts[1], *utility = amounts[2];
  const double each = 1 / (double)a->bidders;
  if (a->format == WAL_ALL_PAY) {
    for (int64_t i = 0; i < count; i++) c->price[i] = 0;  // paid already, by all
  } else if (!pays_bid(a)) {
    WAL_TRY(common_price(ctx, c, a->format == WAL_THIRD_PRICE ? 2 : a->units, count));
  }
  for (int64_t i = 0; i < count; i++) {
    revenue[i] = c->paid[i];
    welfare[i] = utility[i] = 0;
  }
  for (int64_t r = 0; r < a->units && r < a->bidders; r++) {
    WAL_TRY(bids_of_row(ctx, c, r, count));
    add_winners(count, a->reserve, pays_bid(a), c->value, c->bid, c->price, revenue, welfare,
                c->second);
    if (a->risk == 0) continue;
    wal_one_shot_utilities(a, count, c->second, c->second);
    for (int64_t i = 0; i < count; i++) utility[i] += c->second[i] * each;
  }
  for (int64_t i = 0; a->risk == 0 && i < count; i++) utility[i] = (welfare[i] - revenue[i]) * each;
  return WAL_OK;
}

/* The first bidder is told from the rest by his level. */
static wal_status rivals_of_rows(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t count,
                                 wal_one_shot_rival *rivals) {
  const wal_one_shot *a = c->a;
  const int64_t k = a->units, next = a->format == WAL_THIRD_PRICE ? 1 : 0;
  double *const levels[2] = {c->price, c->second};
  for (int64_t i = 0; i < count; i++)
    for (int64_t which = 0; which <= next; which++) {
      int64_t row = k - 1 + which;  // among all bidders, if the first one is below
      if (row < c->depth && c->own[i] >= c->top[row * c->size + i]) row++;
      levels[which][i] = k < a->bidders && row < c->depth ? c->top[row * c->size + i] : -1;
    }
  for (int64_t which = next; which >= 0; which--) {
    wal_value_law_values(a->law, count, levels[which], c->value);
    WAL_TRY(wal_one_shot_bids(ctx, a, count, levels[which], c->value, c->bid));
    for (int64_t i = 0; i < count; i++) {
      const double bid = levels[which][i] >= 0 && c->bid[i] >= a->reserve ? c->bid[i] : -1;
      if (which == next) rivals[i].price = bid > a->reserve ? bid : a->reserve;
      if (which == 0) rivals[i].threshold = bid;
      rivals[i].share = 0.5;
    }
  }
  return WAL_OK;
}

// ---- Bids of a script -------------------------------------------------------------------------

static int compare_bidders(const void *a, const void *b) {
  const bidder *x = a, *y = b;
  if (x->bid != y->bid) return x->bid > y->bid ? -1 : 1;
  if (x->order != y->order) return x->order < y->order ? -1 : 1;
  return x->index < y->index ? -1 : 1;
}

static void sort_bidders(bidder *list, int64_t count) {
  enum { FEW = 16 };
  if (count > FEW) {
    qsort(list, (size_t)count, sizeof *list, compare_bidders);
    return;
  }
  for (int64_t i = 1; i < count; i++) {
    const bidder moved = list[i];
    int64_t j = i;
    for (; j > 0 && compare_bidders(&moved, &list[j - 1]) < 0; j--) list[j] = list[j - 1];
    list[j] = moved;
  }
}

/* Those of equal bids among whom the last goods are drawn get an order. */
static void draw_ties(wal_ctx *ctx, const wal_one_shot *a, int64_t sample, bidder *list,
                      int64_t count) {
  const int64_t k = a->units;
  if (count <= k || list[k - 1].bid != list[k].bid) return;
  int64_t from = k - 1, to = k;
  while (from > 0 && list[from - 1].bid == list[k].bid) from--;
  while (to + 1 < count && list[to + 1].bid == list[k].bid) to++;
  for (int64_t i = from; i <= to; i++)
    list[i].order = wal_random_uniform(wal_ctx_seed(ctx), WAL_PURPOSE_ONE_SHOT_TIES,
                                       (uint64_t)sample, (uint32_t)list[i].index, 0);
  sort_bidders(list + from, to - from + 1);
}

static void settle_sample(const wal_one_shot *a, bidder *list, int64_t count, double *revenue,
                          double *welfare, double *utility) {
  const int64_t next = a->format == WAL_THIRD_PRICE ? 2 : a->units;
  const double price = next < count ? list[next].bid : a->reserve;
  *revenue = *welfare = *utility = 0;
  for (int64_t i = 0; i < count; i++) {
    const bool wins = i < a->units, all = a->format == WAL_ALL_PAY;
    const double paid = all ? list[i].bid : !wins ? 0 : pays_bid(a) ? list[i].bid : price;
    double gain = (wins ? list[i].value : 0) - paid;
    *revenue += paid;
    *welfare += wins ? list[i].value : 0;
    wal_one_shot_utilities(a, 1, &gain, &gain);
    *utility += gain;
  }
  *utility /= (double)a->bidders;
}

static wal_one_shot_rival rival_of_sample(const wal_one_shot *a, const bidder *list,
                                          int64_t count) {
  const int64_t k = a->units, next = a->format == WAL_THIRD_PRICE ? k : k - 1;
  wal_one_shot_rival r = {.threshold = -1, .price = a->reserve, .share = 0};
  int64_t seen = 0, above = 0, equal = 0;
  for (int64_t i = 0; i < count; i++) {
    if (list[i].index == 0) continue;
    if (seen == k - 1) r.threshold = list[i].bid;
    if (seen == next) r.price = list[i].bid;
    seen++;
  }
  for (int64_t i = 0; i < count; i++) {
    above += list[i].index != 0 && list[i].bid > r.threshold;
    equal += list[i].index != 0 && list[i].bid == r.threshold;
  }
  r.share = (double)(k - above) / (double)(equal + 1);
  return r;
}

static wal_status settle_script(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t first, int64_t count,
                                double *const amounts[3], int64_t told,
                                wal_one_shot_rival *rivals) {
  const wal_one_shot *a = c->a;
  for (int64_t j = 0; j < a->bidders; j++) {
    const int64_t at = j * c->size;
    wal_value_law_values(a->law, count, c->top + at, c->value + at);
    WAL_TRY(wal_one_shot_bids(ctx, a, count, c->top + at, c->value + at, c->bid + at));
  }
  for (int64_t i = 0; i < count; i++) {
    int64_t bidding = 0;
    for (int64_t j = 0; j < a->bidders; j++) {
      const int64_t at = j * c->size + i;
      if (c->bid[at] >= a->reserve)
        c->bidders[bidding++] = (bidder){.bid = c->bid[at], .value = c->value[at], .index = j};
    }
    sort_bidders(c->bidders, bidding);
    draw_ties(ctx, a, first + i, c->bidders, bidding);
    settle_sample(a, c->bidders, bidding, &amounts[0][i], &amounts[1][i], &amounts[2][i]);
    if (i < told) rivals[i] = rival_of_sample(a, c->bidders, bidding);
  }
  return WAL_OK;
}

wal_status wal_one_shot_chunk_draw(wal_ctx *ctx, wal_one_shot_chunk *c, int64_t first,
                                   int64_t count, double *const amounts[3], int64_t told,
                                   wal_one_shot_rival *rivals) {
  WAL_TRY(draw(ctx, c, first, count));
  if (is_script(c->a)) return settle_script(ctx, c, first, count, amounts, told, rivals);
  if (!c->streamed) select_top(c, count);
  WAL_TRY(settle_rows(ctx, c, count, amounts));
  return told > 0 ? rivals_of_rows(ctx, c, told, rivals) : WAL_OK;
}
