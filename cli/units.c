// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/units.h"

#include <math.h>
#include <stdio.h>

#include "cli/saving.h"
#include "io/progress.h"
#include "sim/core/memory.h"

// ---- Dealt ------------------------------------------------------------------------------------

/* Where a unit's memory is in that of all. */
static int64_t place_of(const wal_units *u, int64_t unit) {
  return wal_units_seed(u, unit) * u->start[u->components] + u->start[wal_units_component(u, unit)];
}

static int64_t own_numbers(const wal_units *u) {
  return place_of(u, u->first + u->own) - place_of(u, u->first);
}

wal_status wal_units_deal(wal_units *u) {
  const int64_t rank = wal_ctx_rank(u->job->ctx), ranks = wal_ctx_size(u->job->ctx);
  u->count = u->seeds * u->components;
  u->first = u->count * rank / ranks;
  u->own = u->count * (rank + 1) / ranks - u->first;
  return wal_acquire(u->alone, "units", own_numbers(u), sizeof(double), &u->memory);
}

void wal_units_free(wal_units *u) {
  if (u->alone) wal_release(u->alone, &u->memory);
}

uint64_t wal_units_seed_at(const wal_units *u, int64_t seed) {
  return wal_ctx_seed(u->job->ctx) + (uint64_t)seed;
}

int64_t wal_units_most(const wal_units *u) {
  const int64_t ranks = wal_ctx_size(u->job->ctx);
  return (u->count + ranks - 1) / ranks;
}

int wal_units_rank(const wal_units *u, int64_t unit) {
  const int64_t ranks = wal_ctx_size(u->job->ctx);
  int64_t rank = unit * ranks / u->count;
  while (u->count * (rank + 1) / ranks <= unit) rank++;
  return (int)rank;
}

double *wal_units_memory(const wal_units *u, int64_t unit) {
  return u->memory + (place_of(u, unit) - place_of(u, u->first));
}

// ---- At work ----------------------------------------------------------------------------------

typedef struct work {
  wal_units *units;
  wal_saving *saving;
  wal_progress progress;
  bool speaks;
} work;

static void declare(wal_units *u, wal_state *state) {
  const int64_t own = own_numbers(u);
  wal_state_add_integer(state, "steps", &u->played);
  wal_state_add_spread(state, "units", u->memory, 1, own, place_of(u, u->count),
                       place_of(u, u->first), own);
}

static wal_status begin_all(wal_units *u) {
  for (int64_t i = u->first; i < u->first + u->own; i++)
    WAL_TRY(u->begin(u->user, wal_units_component(u, i), wal_units_seed_at(u, wal_units_seed(u, i)),
                     wal_units_memory(u, i)));
  return WAL_OK;
}

static wal_status run_until(wal_units *u, int64_t until) {
  for (int64_t i = u->first; i < u->first + u->own; i++)
    WAL_TRY(u->run(u->user, wal_units_component(u, i), wal_units_seed_at(u, wal_units_seed(u, i)),
                   until, wal_units_memory(u, i)));
  return WAL_OK;
}

/* Of rank 0's first unit. */
static double figure_now(const wal_units *u) {
  return u->own > 0 && u->played > 0 ? u->now(u->user, u->played, u->memory) : NAN;
}

static wal_status pause_all(work *w, bool *stop) {
  wal_units *u = w->units;
  wal_job *job = u->job;
  const wal_live_row row = {.done = u->played,
                            .figure = figure_now(u),
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - job->started};
  wal_live_report(job->live, &row);
  if (w->speaks)
    wal_progress_report(&w->progress, u->played, u->steps, u->figure, row.figure, row.seconds);
  if (job->tick) job->tick(job->user);
  wal_state state = wal_state_start(job->ctx);
  declare(u, &state);
  return wal_saving_pause(w->saving, u->played, &state, stop);
}

static wal_status play(work *w) {
  wal_units *u = w->units;
  const int64_t cadence = u->job->options->checkpoint_every.iterations;
  const int64_t slice = cadence > 0 && cadence < u->slice ? cadence : u->slice;
  while (u->played < u->steps) {
    bool stop = false;
    const int64_t left = u->steps - u->played;
    const int64_t until = u->played + (slice < left ? slice : left);
    WAL_TRY(u->agree(u->user, run_until(u, until)));
    u->played = until;
    if (until < u->steps) WAL_TRY(pause_all(w, &stop));
    if (stop) return WAL_ESTOPPED;
  }
  return WAL_OK;
}

wal_status wal_units_run(wal_units *u) {
  wal_job *job = u->job;
  work w = {.units = u, .speaks = wal_ctx_rank(job->ctx) == 0};
  bool restored = false;
  wal_state state = wal_state_start(job->ctx);
  WAL_TRY(wal_saving_check(job, u->steps));
  WAL_TRY(u->agree(u->user, begin_all(u)));
  declare(u, &state);
  WAL_TRY(wal_saving_restore(job, &state, &restored));
  wal_saving saving = wal_saving_begin(job, u->played);
  w.saving = &saving;
  w.progress = wal_progress_start(
      stderr, wal_progress_choose(stderr, job->options->quiet, job->options->json), u->task);
  w.progress.noun = u->noun;
  wal_job_watch(job, &(wal_live_head){.game = u->subject,
                                      .noun = u->noun,
                                      .figure = u->figure,
                                      .from = u->played,
                                      .total = u->steps});
  wal_status status = play(&w);
  if (w.speaks && status == WAL_OK)
    wal_progress_end(&w.progress, u->steps, u->figure, figure_now(u), wal_clock() - job->started);
  if (status == WAL_ESTOPPED) status = wal_saving_stopped(&saving, u->played);
  wal_saving_end(&saving);
  return status;
}

// ---- Done -------------------------------------------------------------------------------------

wal_status wal_units_share(const wal_units *u, int64_t size,
                           void (*read)(void *user, const double *memory, double *out),
                           double *out) {
  for (int64_t i = 0; i < u->count; i++) {
    double *to = out + (wal_units_component(u, i) * u->seeds + wal_units_seed(u, i)) * size;
    if (wal_units_are_own(u, i)) read(u->user, wal_units_memory(u, i), to);
    WAL_TRY(wal_ctx_share_reals(u->job->ctx, wal_units_rank(u, i), size, to));
  }
  return WAL_OK;
}
