// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "sim/core/memory.h"
#include "sim/core/random.h"

static const wal_param MIXTURES_PARAMS[] = {
    {.name = "correlations",
     .type = WAL_ARRAY,
     .rank = 1,
     .required = true,
     .low = -1,
     .high = 1,
     .meaning = "m of each source: 1 is the true reward, 0 noise, -1 its opposite"},
    {0}};

const wal_component wal_mixtures_component = {
    .name = "mixtures",
    .kind = "source",
    .summary = "mixtures of the true reward and noise; a list of numbers may stand for it",
    .source = "docs/transfer.md",
    .params = MIXTURES_PARAMS};

static const wal_param TABLES_PARAMS[] = {
    {.name = "rewards",
     .type = WAL_ARRAY,
     .rank = 3,
     .required = true,
     .low = -HUGE_VAL,
     .high = HUGE_VAL,
     .meaning =
         "r[source][prompt][response]; those of a prompt may be as far apart as the bandit's "
         "reward bound"},
    {.name = "count",
     .type = WAL_INTEGER,
     .optional = true,
     .low = 1,
     .high = 1e4,
     .meaning = "number of sources, where rewards are a function"},
    {0}};

const wal_component wal_tables_component = {.name = "tables",
                                            .kind = "source",
                                            .summary = "reward models as they are given",
                                            .source = "docs/transfer.md",
                                            .params = TABLES_PARAMS};

static bool is_mixtures(const wal_params *params) {
  return wal_params_component(params) == &wal_mixtures_component;
}

int64_t wal_sources_count(const wal_params *params) {
  int64_t extent[3];
  if (!params) return 0;
  if (!is_mixtures(params) && wal_params_given(params, "count"))
    return wal_params_integer(params, "count");
  wal_params_extent(params, is_mixtures(params) ? "correlations" : "rewards", extent);
  return extent[0];
}

// ---- Made -------------------------------------------------------------------------------------

/* Memory for `count` sources. */
static wal_status acquire(wal_ctx *ctx, const wal_bandit_known *known, int64_t count,
                          wal_sources *out) {
  const int64_t pairs = known->prompts * known->responses;
  int64_t all = 0;
  *out = (wal_sources){.ctx = ctx, .count = count};
  if (!wal_multiply(pairs, 3 * count, &all)) all = INT64_MAX;
  WAL_TRY(wal_acquire(ctx, "sources", all, sizeof(double), &out->block));
  WAL_TRY(wal_acquire(ctx, "sources", count, sizeof *out->policy, &out->policy));
  out->reward = out->block;
  for (int64_t w = 0; w < count; w++)
    out->policy[w] = (wal_responder){.log_p = out->block + (count + 2 * w) * pairs,
                                     .p = out->block + (count + 2 * w + 1) * pairs};
  return WAL_OK;
}

static void find_policies(const wal_bandit_known *known, wal_sources *sources) {
  for (int64_t w = 0; w < sources->count; w++)
    wal_responder_gibbs(known, sources->reward + w * known->prompts * known->responses,
                        &sources->policy[w], NULL);
}

static wal_status check(wal_ctx *ctx, const wal_bandit_known *known, int64_t w,
                        const double *reward) {
  const double rounding = 1 + 1e-12;
  for (int64_t s = 0; s < known->prompts; s++) {
    double least = INFINITY, most = -INFINITY;
    for (int64_t a = 0; a < known->responses; a++) {
      const double r = reward[s * known->responses + a];
      if (!isfinite(r))
        return wal_fail(ctx, WAL_EINPUT,
                        "rewards: expected finite numbers, got %g of source %lld for prompt %lld, "
                        "response %lld",
                        r, (long long)w + 1, (long long)s, (long long)a);
      least = r < least ? r : least;
      most = r > most ? r : most;
    }
    if (most - least > known->reward_bound * rounding)
      return wal_fail(ctx, WAL_EINPUT,
                      "rewards: expected those of a prompt to be at most %g apart, which is the "
                      "reward bound, got %g of source %lld for prompt %lld",
                      known->reward_bound, most - least, (long long)w + 1, (long long)s);
  }
  return WAL_OK;
}

wal_status wal_sources_of_arrays(wal_ctx *ctx, const wal_bandit_known *known, int64_t count,
                                 const double *reward, wal_sources *out) {
  const int64_t pairs = known->prompts * known->responses;
  *out = (wal_sources){0};
  for (int64_t w = 0; w < count; w++) WAL_TRY(check(ctx, known, w, reward + w * pairs));
  const wal_status status = acquire(ctx, known, count, out);
  if (status == WAL_OK) {
    if (count > 0) memcpy(out->reward, reward, (size_t)(count * pairs) * sizeof *reward);
    find_policies(known, out);
  } else {
    wal_sources_destroy(out);
  }
  return status;
}

void wal_sources_destroy(wal_sources *sources) {
  if (sources->ctx) {
    wal_release(sources->ctx, &sources->block);
    wal_release(sources->ctx, &sources->policy);
  }
  *sources = (wal_sources){0};
}

// ---- Drawn ------------------------------------------------------------------------------------

/* Mean of the rewards, and their standard deviation between the responses to a prompt. */
static void moments(const wal_bandit *bandit, double *mean, double *deviation) {
  const wal_bandit_known *known = &bandit->known;
  const int64_t n = known->responses, pairs = known->prompts * n;
  double variance = 0;
  *mean = 0;
  for (int64_t s = 0; s < known->prompts; s++) {
    double here = 0;
    for (int64_t a = 0; a < n; a++) here += bandit->reward[s * n + a];
    *mean += here;
    here /= (double)n;
    for (int64_t a = 0; a < n; a++)
      variance += (bandit->reward[s * n + a] - here) * (bandit->reward[s * n + a] - here);
  }
  *mean /= (double)pairs;
  *deviation = sqrt(variance / (double)pairs);
}

static wal_status draw_mixtures(wal_ctx *ctx, wal_params *params, const wal_bandit *bandit,
                                uint64_t seed, wal_sources *out) {
  const int64_t count = wal_sources_count(params);
  const int64_t pairs = bandit->known.prompts * bandit->known.responses;
  const double *m = NULL, bound = bandit->known.reward_bound;
  double mean, deviation;
  WAL_TRY(wal_params_array(ctx, params, "correlations", count, 0, 0, &m));
  WAL_TRY(acquire(ctx, &bandit->known, count, out));
  moments(bandit, &mean, &deviation);
  for (int64_t w = 0; w < count; w++)
    for (int64_t i = 0; i < pairs; i++) {
      const double noise = wal_random_normal(
          wal_random_uniform(seed, WAL_PURPOSE_SOURCE, (uint64_t)i, (uint32_t)w, 0));
      const double r =
          mean + m[w] * (bandit->reward[i] - mean) + sqrt(1 - m[w] * m[w]) * deviation * noise;
      out->reward[w * pairs + i] = fmin(fmax(r, 0), bound);
    }
  find_policies(&bandit->known, out);
  return WAL_OK;
}

wal_status wal_sources_draw(wal_ctx *ctx, wal_params *params, const wal_bandit *bandit,
                            uint64_t seed, wal_sources *out) {
  char text[WAL_ERROR_LENGTH];
  const wal_bandit_known *known = &bandit->known;
  const double *reward = NULL;
  *out = (wal_sources){0};
  if (!params) return acquire(ctx, known, 0, out);
  const int64_t count = wal_sources_count(params);
  if (is_mixtures(params) && wal_params_is_function(params, "correlations"))
    return wal_params_fail(ctx, params, "correlations",
                           "expected a list of numbers, got a function");
  if (is_mixtures(params)) {
    const wal_status status = draw_mixtures(ctx, params, bandit, seed, out);
    if (status != WAL_OK) wal_sources_destroy(out);
    return status;
  }
  if (count == 0)
    return wal_params_fail(ctx, params, "count",
                           "expected the number of sources together with a function, got none");
  WAL_TRY(
      wal_params_array(ctx, params, "rewards", count, known->prompts, known->responses, &reward));
  const wal_status status = wal_sources_of_arrays(ctx, known, count, reward, out);
  if (status == WAL_OK) return WAL_OK;
  snprintf(text, sizeof text, "%s", wal_ctx_error(ctx));
  return wal_params_fail(ctx, params, NULL, "%s", text);
}
