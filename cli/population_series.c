// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/population_series.h"

#include <math.h>
#include <string.h>

#include "cli/machine.h"
#include "cli/rows.h"
#include "sim/agents/enumeration.h"
#include "sim/core/memory.h"

enum { ROWS = 24 };  // of a printed table

// ---- Reading ----------------------------------------------------------------------------------

const wal_crowd_type *wal_population_series_mode(const wal_params *params) {
  const bool counts = strcmp(wal_params_text(params, "mode"), "counts") == 0;
  return counts ? &wal_crowd_counts : &wal_crowd_individual;
}

static wal_status read_agents(wal_ctx *ctx, wal_params *params, int64_t *count,
                              const double **numbers) {
  int64_t extent[3];
  const wal_crowd_type *mode = wal_population_series_mode(params);
  if (!wal_params_given(params, "agents"))
    return wal_params_fail(ctx, params, "agents", "expected how many agents play, got nothing");
  wal_params_extent(params, "agents", extent);
  *count = extent[0] > 0 ? extent[0] : 1;
  WAL_TRY(wal_params_array(ctx, params, "agents", *count, 0, 0, numbers));
  for (int64_t i = 0; i < *count; i++) {
    const double n = (*numbers)[i];
    if (!(n >= 1) || n != floor(n) || n > (double)mode->most)
      return wal_params_fail(ctx, params, "agents",
                             "expected whole numbers in [1, %lld] in mode \"%s\", got %.17g",
                             (long long)mode->most, mode->name, n);
  }
  return WAL_OK;
}

wal_status wal_population_series_check(wal_ctx *ctx, wal_params *params) {
  const double *agents;
  int64_t count;
  if (!wal_params_given(params, "mode"))
    WAL_TRY(wal_params_fill_text(ctx, params, "mode", "individual"));
  if (!wal_params_given(params, "episodes")) wal_params_fill_integer(params, "episodes", 100);
  return read_agents(ctx, params, &count, &agents);
}

wal_status wal_population_series_read(wal_ctx *ctx, wal_params *params,
                                      wal_population_series *out) {
  const double *agents = NULL;
  out->episodes = wal_params_integer(params, "episodes");
  WAL_TRY(read_agents(ctx, params, &out->count, &agents));
  WAL_TRY(wal_acquire(ctx, "agents", out->count, sizeof(int64_t), &out->agents));
  for (int64_t i = 0; i < out->count; i++) out->agents[i] = (int64_t)agents[i];
  return WAL_OK;
}

void wal_population_series_free(wal_ctx *ctx, wal_population_series *series) {
  wal_population_rows_free(ctx, &series->rows);
  wal_population_destroy(&series->population);
  wal_release(ctx, &series->agents);
  wal_release(ctx, &series->estimate);
}

int64_t wal_population_series_most(const wal_population_series *series) {
  int64_t most = 0;
  for (int64_t i = 0; i < series->count; i++)
    most = series->agents[i] > most ? series->agents[i] : most;
  return most;
}

double wal_population_series_stages(const wal_population_series *series, const wal_shape *shape) {
  double stages = 0;
  for (int64_t i = 0; i < series->count; i++)
    stages +=
        (double)series->agents[i] * (double)series->episodes * shape->horizon * shape->populations;
  return stages;
}

wal_status wal_population_series_fits(wal_ctx *ctx, const wal_params *params, double bytes) {
  const double limit = (double)wal_ctx_memory_limit(ctx);
  const bool individual = wal_population_series_mode(params) == &wal_crowd_individual;
  char text[2][32];
  if (limit == 0 || bytes <= limit) return WAL_OK;
  return wal_params_fail(ctx, params, "agents",
                         "expected a population that fits into memory, got one that needs about "
                         "%s a process, each of which may have %s%s",
                         wal_size_text(bytes, text[0], 32), wal_size_text(limit, text[1], 32),
                         individual ? "; mode = \"counts\" needs less" : "");
}

// ---- Playing ----------------------------------------------------------------------------------

int64_t wal_population_series_done(const wal_population_series *series) {
  return series->row * series->episodes + series->rows.count;
}

void wal_population_series_declare(wal_population_series *series, wal_state *state) {
  wal_state_add_integer(state, "row", &series->row);
  wal_state_add_items(state, "estimates", &series->estimate, &series->done, &series->room,
                      sizeof *series->estimate);
  wal_population_rows_declare(&series->population, &series->rows, state);
}

wal_status wal_population_series_play(wal_population_series *s, const wal_population_watch *watch) {
  wal_population *p = &s->population;
  const int width = wal_population_width(p);
  while (s->row < s->count) {
    WAL_TRY(wal_population_run(p, s->agents[s->row], s->episodes, watch, &s->rows));
    WAL_TRY_ALL(p->ctx, wal_grow(p->ctx, "estimates", &s->estimate, s->done, s->done + width,
                                 &s->room, sizeof *s->estimate));
    for (int i = 0; i < width; i++)
      s->estimate[s->done++] = wal_population_estimate_of(p, &s->rows, i);
    wal_population_rows_free(p->ctx, &s->rows);
    s->row++;
  }
  return WAL_OK;
}

// ---- The result -------------------------------------------------------------------------------

wal_status wal_population_series_agree(wal_ctx *ctx, const wal_ctx *alone, wal_status status) {
  if (status != WAL_OK) status = wal_fail(ctx, status, "%s", wal_ctx_error(alone));
  return wal_agree(ctx, status);
}

/* Of a few agents all is known exactly. Every rank finds the same. */
static wal_status find_exact(wal_population *p, wal_population_results *r) {
  for (int64_t i = 0; i < r->count; i++) {
    wal_population_result *row = &r->row[i];
    wal_enumeration all, deviating = {NAN, NAN};
    row->exact_return = row->exact_gain = row->exact_best = NAN;
    if (p->plan.groups > 1 || !wal_enumeration_possible(p->plan.space, row->agents)) continue;
    const double *const *policy = p->plan.group[0].policy, *const *best = NULL;
    if (p->best) best = (const double *const *)p->best;
    WAL_TRY(wal_enumeration_run(&p->arena, row->agents, policy, policy, &all));
    if (best) WAL_TRY(wal_enumeration_run(&p->arena, row->agents, best, policy, &deviating));
    row->exact_return = all.value;
    row->exact_gain = deviating.value - all.value;
    row->exact_best = all.best - all.value;
    r->exact = true;
  }
  return WAL_OK;
}

wal_status wal_population_series_results(wal_ctx *ctx, wal_population_series *series,
                                         wal_population_results *out) {
  wal_population *p = &series->population;
  *out = (wal_population_results){
      .population = p, .count = series->count, .episodes = series->episodes};
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "rows", series->count, sizeof *out->row, &out->row));
  for (int64_t i = 0; i < series->count; i++)
    out->row[i] = (wal_population_result){
        .agents = series->agents[i], .estimate = series->estimate + i * wal_population_width(p)};
  return wal_population_series_agree(ctx, p->plan.space->ctx, find_exact(p, out));
}

static void print_number(const wal_population_estimate *e, FILE *out) {
  fprintf(out, "  %11.6g %9.2g", e->mean, e->error);
}

static void print_slope(const wal_population_results *r, int quantity, const char *name,
                        FILE *out) {
  const wal_population_slope s = wal_population_results_slope(r, quantity);
  if (isnan(s.slope)) return;
  fprintf(out, "  %-20s N^%.3f", name, s.slope);
  if (!isnan(s.low)) fprintf(out, "  (95 %%: %.3f to %.3f)", s.low, s.high);
  fprintf(out, "\n");
}

static void print_rows(const wal_population_results *r, FILE *out) {
  const wal_population *p = r->population;
  const bool objective = p->plan.objective.measure != NULL, deviates = p->plan.deviates;
  fprintf(out, "  %16s  %21s  %21s", "agents", "return  +-", "gap  +-");
  if (objective) fprintf(out, "  %21s  %21s", "objective  +-", "gap  +-");
  if (deviates) fprintf(out, "  %21s", "deviation gain  +-");
  fprintf(out, "\n");
  for (int64_t i = 0; i < r->count; i++) {
    const wal_population_estimate *e = r->row[i].estimate;
    if (!wal_row_shown(out, i, r->count, ROWS, "/population")) continue;
    fprintf(out, "  %16lld", (long long)r->row[i].agents);
    print_number(&e[WAL_POPULATION_RETURN], out);
    print_number(&e[WAL_POPULATION_RETURN_GAP], out);
    if (objective) print_number(&e[WAL_POPULATION_OBJECTIVE], out);
    if (objective) print_number(&e[WAL_POPULATION_OBJECTIVE_GAP], out);
    if (deviates) print_number(&e[WAL_POPULATION_GAIN], out);
    fprintf(out, "\n");
  }
  fprintf(out, "  %16s  %11.6g %9s  %11s %9s", "infinitely many", p->value, "", "", "");
  if (objective) fprintf(out, "  %11.6g %9s  %11s %9s", p->objective, "", "", "");
  if (deviates) fprintf(out, "  %11.6g", p->deviation_gain);
  fprintf(out, "\n");
}

void wal_population_series_print(const wal_population_results *r, FILE *out) {
  const wal_population *p = r->population;
  print_rows(r, out);
  for (int64_t i = 0; i < r->count && r->exact; i++)
    if (!isnan(r->row[i].exact_return)) {
      fprintf(out, "  %lld agents exactly: return %.6g", (long long)r->row[i].agents,
              r->row[i].exact_return);
      if (!isnan(r->row[i].exact_gain)) fprintf(out, ", deviation gain %.6g", r->row[i].exact_gain);
      fprintf(out, ", exploitability %.6g\n", r->row[i].exact_best);
    }
  print_slope(r, WAL_POPULATION_RETURN_GAP, "return gap", out);
  if (p->plan.objective.measure) print_slope(r, WAL_POPULATION_OBJECTIVE_GAP, "objective gap", out);
  print_slope(r, WAL_POPULATION_DISTANCE, "mean field distance", out);
  for (int g = 0; p->plan.groups > 1 && g < p->plan.groups; g++)
    fprintf(out, "  group %d, share %.4g: return %.6g of %lld agents, %.6g in the limit\n", g,
            p->plan.group[g].share,
            r->row[r->count - 1].estimate[wal_population_group_return(p, g)].mean,
            (long long)r->row[r->count - 1].agents, p->group_value[g]);
}
