// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/bandit_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/table_file.h"
#include "sim/core/checksum.h"
#include "sim/core/memory.h"

static const wal_param PARAMS[] = {
    {.name = "file",
     .type = WAL_TEXT,
     .required = true,
     .meaning =
         "HDF5 file with reward, reference and perhaps features, weights (docs/transfer.md)"},
    {.name = "beta",
     .type = WAL_REAL,
     .optional = true,
     .low = -HUGE_VAL,
     .high = HUGE_VAL,
     .meaning = "weight of the divergence from the reference policy; left out: the file's "
                "attribute of this name"},
    {.name = "reward_bound",
     .type = WAL_REAL,
     .optional = true,
     .low = -HUGE_VAL,
     .high = HUGE_VAL,
     .meaning = "R: rewards lie in [0, R]; left out: the file's attribute of this name, or else "
                "the largest reward"},
    {.name = "ridge",
     .type = WAL_REAL,
     .optional = true,
     .low = 0,
     .high = HUGE_VAL,
     .meaning = "ridge of all fits, 1 / variance of the prior of a parameter; left out: by the "
                "true scale of the rewards"},
    {.name = "checksum",
     .type = WAL_TEXT,
     .optional = true,
     .meaning = "of the tables, filled in when they are read; other tables are then refused"},
    {0}};

const wal_component wal_bandit_file_component = {
    .name = "bandit_file",
    .kind = "bandit",
    .summary = "features, rewards and reference policy of an HDF5 file",
    .source = "docs/transfer.md",
    .params = PARAMS};

/* What is being read. */
typedef struct reader {
  wal_ctx *ctx;
  wal_params *params;
  wal_table_file *file;
  wal_bandit_arrays arrays;
  double *phi, *reward, *reference, *weight;
  double beta, bound; /* as the file has them; NaN: it does not */
} reader;

// ---- Datasets ---------------------------------------------------------------------------------

/* The numbers of a dataset of this shape; NULL if it may be left out and is. */
static wal_status read_table(reader *r, const char *name, bool needed, int rank,
                             const int64_t *extent, double **out) {
  wal_table_kind kind = WAL_TABLE_NOTHING;
  int64_t numbers = 1;
  if (!needed) WAL_TRY(wal_table_file_kind(r->file, name, &kind));
  if (!needed && kind == WAL_TABLE_NOTHING) return WAL_OK;
  WAL_TRY(wal_table_file_expect(r->file, name, rank, extent));
  for (int d = 0; d < rank; d++)
    if (!wal_multiply(numbers, extent[d], &numbers)) numbers = INT64_MAX;
  WAL_TRY(wal_acquire(r->ctx, name, numbers, sizeof(double), out));
  return wal_table_file_reals(r->file, name, 0, extent[0], *out);
}

/* The rewards tell prompts and responses. */
static wal_status read_shape(reader *r) {
  char text[WAL_TABLE_SHAPE] = "";
  int64_t extent[WAL_TABLE_RANK] = {0};
  int rank = 0;
  WAL_TRY(wal_table_file_shape(r->file, "reward", &rank, extent));
  if (rank != 2 || extent[0] < 1 || extent[1] < 2)
    return wal_table_file_fail(
        r->file, "reward", "expected prompts x responses numbers, at least 1 x 2, got %s",
        rank == 0 ? "a single one" : wal_table_shape_text(rank, extent, text));
  r->arrays.prompts = extent[0];
  r->arrays.responses = extent[1];
  return WAL_OK;
}

static wal_status read_features(reader *r) {
  char text[WAL_TABLE_SHAPE] = "";
  int64_t extent[WAL_TABLE_RANK] = {0};
  int rank = 0;
  wal_table_kind kind = WAL_TABLE_NOTHING;
  WAL_TRY(wal_table_file_kind(r->file, "features", &kind));
  if (kind == WAL_TABLE_NOTHING) return WAL_OK;
  WAL_TRY(wal_table_file_shape(r->file, "features", &rank, extent));
  if (rank != 3 || extent[0] != r->arrays.prompts || extent[1] != r->arrays.responses ||
      extent[2] < 1)
    return wal_table_file_fail(
        r->file, "features", "expected %" PRId64 " x %" PRId64 " x features numbers, got %s",
        r->arrays.prompts, r->arrays.responses,
        rank == 0 ? "a single one" : wal_table_shape_text(rank, extent, text));
  r->arrays.features = extent[2];
  return read_table(r, "features", true, 3, extent, &r->phi);
}

/* Distributions of single precision, or of other programs, sum to 1 up to rounding only; others are
 * left to be refused. */
static void settle(int64_t rows, int64_t count, double *p) {
  for (int64_t i = 0; p && i < rows; i++) {
    double sum = 0, *row = p + i * count;
    for (int64_t k = 0; k < count; k++) sum += row[k];
    for (int64_t k = 0; k < count && fabs(sum - 1) < 1e-5; k++) row[k] /= sum;
  }
}

static wal_status read_all(reader *r) {
  static const char *const names[] = {"features", "reward", "reference",
                                      "weights",  "beta",   "reward_bound"};
  WAL_TRY(wal_table_file_refuse_slips(r->file, "/", sizeof names / sizeof *names, names));
  WAL_TRY(read_shape(r));
  const int64_t pairs[] = {r->arrays.prompts, r->arrays.responses};
  WAL_TRY(read_table(r, "reward", true, 2, pairs, &r->reward));
  WAL_TRY(read_table(r, "reference", true, 2, pairs, &r->reference));
  WAL_TRY(read_table(r, "weights", false, 1, pairs, &r->weight));
  WAL_TRY(read_features(r));
  settle(pairs[0], pairs[1], r->reference);
  settle(1, pairs[0], r->weight);
  WAL_TRY(wal_table_file_real_attribute(r->file, "beta", &r->beta));
  return wal_table_file_real_attribute(r->file, "reward_bound", &r->bound);
}

// ---- The bandit -------------------------------------------------------------------------------

static bool given(const reader *r, const char *name) { return wal_params_given(r->params, name); }

static wal_status settle_numbers(reader *r) {
  double largest = 0;
  for (int64_t i = 0; i < r->arrays.prompts * r->arrays.responses; i++)
    largest = r->reward[i] > largest ? r->reward[i] : largest;
  if (!given(r, "beta") && isnan(r->beta))
    return wal_params_fail(r->ctx, r->params, "beta",
                           "expected a number here or as the attribute beta of %.300s, got neither",
                           wal_params_text(r->params, "file"));
  r->arrays.beta = given(r, "beta") ? wal_params_real(r->params, "beta") : r->beta;
  r->arrays.reward_bound = given(r, "reward_bound") ? wal_params_real(r->params, "reward_bound")
                           : isnan(r->bound)        ? largest
                                                    : r->bound;
  if (given(r, "ridge")) r->arrays.ridge = wal_params_real(r->params, "ridge");
  return WAL_OK;
}

static wal_status check_checksum(reader *r) {
  const wal_bandit_arrays *a = &r->arrays;
  const int64_t sizes[] = {a->prompts, a->responses, a->features}, pairs = sizes[0] * sizes[1];
  const double numbers[] = {a->beta, a->reward_bound};
  char text[17];
  uint64_t sum = wal_checksum(WAL_CHECKSUM_START, sizes, 3, sizeof *sizes);
  sum = wal_checksum(sum, numbers, 2, sizeof *numbers);
  sum = wal_checksum(sum, r->phi, pairs * a->features, sizeof *r->phi);
  sum = wal_checksum(sum, r->reward, pairs, sizeof *r->reward);
  sum = wal_checksum(sum, r->reference, pairs, sizeof *r->reference);
  sum = wal_checksum(sum, r->weight, a->prompts, sizeof *r->weight);
  snprintf(text, sizeof text, "%016" PRIx64, sum);
  if (!given(r, "checksum")) return wal_params_fill_text(r->ctx, r->params, "checksum", text);
  if (strcmp(wal_params_text(r->params, "checksum"), text) == 0) return WAL_OK;
  return wal_params_fail(r->ctx, r->params, "checksum",
                         "expected tables with this checksum, got those of %.300s with %s",
                         wal_params_text(r->params, "file"), text);
}

static bool is_about(const char *text, const char *name) {
  const size_t length = strlen(name);
  return strncmp(text, name, length) == 0 && text[length] == ':';
}

/* What is wrong with an array is a mistake in the file, with a number in what gave it. */
static wal_status make(reader *r, wal_bandit *out) {
  char text[WAL_ERROR_LENGTH];
  r->arrays.phi = r->phi;
  r->arrays.reward = r->reward;
  r->arrays.reference = r->reference;
  r->arrays.weight = r->weight;
  const wal_status status = wal_bandit_of_arrays(r->ctx, &r->arrays, out);
  if (status == WAL_OK) return WAL_OK;
  snprintf(text, sizeof text, "%s", wal_ctx_error(r->ctx));
  wal_bandit_destroy(out);
  const bool of_file = !(is_about(text, "beta") && given(r, "beta")) &&
                       !(is_about(text, "reward_bound") && given(r, "reward_bound")) &&
                       !is_about(text, "ridge");
  if (!of_file) return wal_params_fail(r->ctx, r->params, NULL, "%s", text);
  return wal_params_fail(r->ctx, r->params, "file", "%.300s: %s",
                         wal_params_text(r->params, "file"), text);
}

wal_status wal_bandit_file_read(wal_ctx *ctx, wal_params *params, wal_bandit *out) {
  reader r = {.ctx = ctx, .params = params, .beta = NAN, .bound = NAN};
  *out = (wal_bandit){0};
  wal_status status = wal_table_file_open(ctx, wal_params_text(params, "file"), &r.file);
  if (status == WAL_OK) status = read_all(&r);
  if (status != WAL_OK) {
    char text[WAL_ERROR_LENGTH];
    snprintf(text, sizeof text, "%s", wal_ctx_error(ctx));
    wal_params_fail(ctx, params, "file", "%s", text);
  }
  wal_table_file_close(&r.file);
  if (status == WAL_OK) status = settle_numbers(&r);
  if (status == WAL_OK) status = make(&r, out);
  if (status == WAL_OK) status = check_checksum(&r);
  if (status != WAL_OK) wal_bandit_destroy(out);
  wal_release(ctx, &r.phi);
  wal_release(ctx, &r.reward);
  wal_release(ctx, &r.reference);
  wal_release(ctx, &r.weight);
  return status;
}
