// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_execute.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/error.h"
#include "io/progress.h"
#include "io/run_file.h"
#include "sim/core/dispatch.h"
#include "sim/core/mailbox.h"
#include "sim/core/memory.h"

static const int64_t MOST_HELD = (int64_t)1 << 30;
static const double TICK_SECONDS = 0.002;

/* A run's result on its way to rank 0: this, the error's text (with its end), what it recorded. */
typedef struct packet {
  int64_t run, seed, error, recorded; /* the last two: bytes */
  wal_status status;
  wal_figures figures;
} packet;

typedef struct execution {
  wal_job *job; /* of the sweep */
  const wal_sweep *sweep;
  wal_ctx *group;
  wal_options quiet; /* of the runs, which say nothing themselves */
  wal_dispatch *numbers;
  wal_mailbox *mailbox;
  bool keeps, leads, collects;
  double ticked;
  /* of rank 0 */
  wal_run_file *file;
  wal_ctx *alone; /* of the file */
  wal_sweep_row *rows;
  int64_t done, failed, next; /* next: first run that is not in the file */
  int64_t held, most;         /* bytes that wait for their turn; let no more wait than */
  wal_status written;         /* how writing goes: after a failure nothing more is written */
  wal_progress progress;
  double start;
} execution;

int wal_sweep_groups(const wal_ctx *ctx, int64_t runs, int64_t ranks_per_run, int *own) {
  const int64_t ranks = wal_ctx_size(ctx);
  int64_t groups = ranks < runs ? ranks : runs;
  if (ranks_per_run > 0 && ranks / ranks_per_run < groups) groups = ranks / ranks_per_run;
  if (groups < 1) groups = 1;
  *own = (int)(wal_ctx_rank(ctx) * groups / ranks);
  return (int)groups;
}

/* Rank 0 would wait for ever for what a rank cannot send: nobody can carry on. */
static void must_deliver(execution *e, wal_status status) {
  if (status == WAL_OK) return;
  char line[1200];
  snprintf(line, sizeof line, "walras: a result was lost between the ranks: %s",
           wal_ctx_error(e->job->ctx));
  wal_error_print(e->job->options->json, WAL_EINTERNAL, line);
  wal_run_file_discard(&e->file);  // else its partial file stays
  wal_ctx_abort(e->job->ctx, WAL_EINTERNAL);
}

// ---- Rank 0: rows, and the file in order ------------------------------------------------------

static wal_status write_run(execution *e, int64_t run, const wal_sweep_row *row) {
  char path[32];
  snprintf(path, sizeof path, "/runs/run_%06lld", (long long)run);
  return wal_run_file_replay(e->file, path, row->recorded, row->length);
}

static void write_those_in_turn(execution *e) {
  for (; e->next < e->sweep->count && e->rows[e->next].done; e->next++) {
    wal_sweep_row *row = &e->rows[e->next];
    if (row->recorded && e->written == WAL_OK) e->written = write_run(e, e->next, row);
    if (row->recorded) e->held -= row->length;
    wal_release(e->job->ctx, &row->recorded);
  }
}

/* Takes a result apart; frees it. */
static wal_status open_packet(execution *e, char **bytes) {
  wal_ctx *ctx = e->job->ctx;
  packet p;
  memcpy(&p, *bytes, sizeof p);
  wal_sweep_row *row = &e->rows[p.run];
  row->seed = p.seed;
  row->status = p.status;
  row->figures = p.figures;
  row->length = p.recorded;
  wal_status status = WAL_OK;
  if (p.error > 0) status = wal_acquire(ctx, "a result", p.error, 1, &row->error);
  if (status == WAL_OK && p.error > 0) memcpy(row->error, *bytes + sizeof p, (size_t)p.error);
  if (status == WAL_OK && p.recorded > 0)
    status = wal_acquire(ctx, "a result", p.recorded, 1, &row->recorded);
  if (status == WAL_OK && p.recorded > 0)
    memcpy(row->recorded, *bytes + sizeof p + p.error, (size_t)p.recorded);
  wal_release(ctx, bytes);
  if (row->recorded) e->held += row->length;
  row->done = true;
  e->done++;
  if (row->status != WAL_OK) e->failed++;
  return status;
}

static void show(execution *e) {
  const wal_live_row row = {.done = e->done,
                            .figure = (double)e->failed,
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - e->start};
  wal_live_report(e->job->live, &row);
  wal_progress_report(&e->progress, e->done, e->sweep->count, "failed", (double)e->failed,
                      wal_clock() - e->start);
}

/* Takes in what has come, and writes what has its turn; false if nothing had come. What the file
 * waits for is always let come, so that it cannot wait for ever. */
static bool collect(execution *e) {
  bool any = false;
  for (;;) {
    write_those_in_turn(e);
    wal_mailbox_limit(e->mailbox, e->most - e->held, e->next);
    char *bytes = NULL;
    int64_t length = 0;
    must_deliver(e, wal_mailbox_take(e->mailbox, &bytes, &length));
    if (!bytes) return any;
    must_deliver(e, open_packet(e, &bytes));
    any = true;
  }
}

/* While a run of its own goes on, a rank lets messages go on, too. */
static void tick(void *user) {
  execution *e = user;
  const double now = wal_clock();
  if (now - e->ticked < TICK_SECONDS) return;
  e->ticked = now;
  must_deliver(e, wal_mailbox_progress(e->mailbox));
  if (e->collects) show(e);
}

// ---- One run ----------------------------------------------------------------------------------

static wal_status make_packet(execution *e, const packet *p, const char *error,
                              const void *recorded, char **out) {
  const int64_t length = (int64_t)sizeof *p + p->error + p->recorded;
  WAL_TRY(wal_acquire(e->job->ctx, "a result", length, 1, out));
  memcpy(*out, p, sizeof *p);
  if (p->error > 0) memcpy(*out + sizeof *p, error, (size_t)p->error);
  if (p->recorded > 0) memcpy(*out + sizeof *p + p->error, recorded, (size_t)p->recorded);
  return WAL_OK;
}

/* The leader hands the result of a run over to rank 0, or keeps it if it is rank 0. */
static void deliver(execution *e, packet p, const void *recorded) {
  char *bytes = NULL;
  const bool failed = p.status != WAL_OK && p.status != WAL_ENOCONV;
  const char *error = wal_ctx_error(e->group);
  if (failed && !*error) error = wal_status_text(p.status);
  p.error = failed ? (int64_t)strlen(error) + 1 : 0;
  if (failed) {
    p.recorded = 0;
    p.figures = (wal_figures){.iterations = -1,
                              .first = NAN,
                              .best = NAN,
                              .last = NAN,
                              .regularized = NAN,
                              .value = NAN,
                              .seconds = p.figures.seconds,
                              .game = -1};
  }
  must_deliver(e, make_packet(e, &p, error, recorded, &bytes));
  const int64_t length = (int64_t)sizeof p + p.error + p.recorded;
  if (e->collects)
    must_deliver(e, open_packet(e, &bytes));
  else
    must_deliver(e, wal_mailbox_post(e->mailbox, p.run, &bytes, length));
}

static wal_status record(execution *e, int64_t run, wal_run_file **file, packet *p) {
  wal_params *params = NULL;
  const wal_task_type *type = NULL;
  wal_status status =
      wal_agree(e->group, wal_sweep_resolve(e->group, e->sweep, run, &type, &params));
  if (status == WAL_OK) {
    wal_job job = *e->job;
    job.ctx = e->group;
    job.options = &e->quiet;
    job.derived = true;
    job.recorded = e->keeps;
    job.params = params;
    job.tick = tick;
    job.user = e;
    p->seed = wal_params_integer(params, "seed");
    wal_ctx_set_seed(e->group, (uint64_t)p->seed);
    // Where only the table is kept, nothing need be remembered of what a run writes.
    status = e->keeps ? wal_run_file_record(e->group, file) : wal_run_file_plan(e->group, file);
    if (status == WAL_OK) status = type->work(&job, file, &p->figures);
  }
  wal_params_destroy(&params);
  return status;
}

static void do_run(execution *e, int64_t run) {
  packet p;
  memset(&p, 0, sizeof p);  // its padding travels, too
  p.run = run;
  wal_run_file *file = NULL;
  const void *recorded = NULL;
  const double start = wal_clock();
  p.status = record(e, run, &file, &p);
  p.figures.seconds = wal_clock() - start;
  if (file && e->keeps && e->leads) {
    const wal_status status = wal_run_file_recorded(file, &recorded, &p.recorded);
    if (status != WAL_OK) p.status = status;
  }
  if (e->leads) deliver(e, p, recorded);
  wal_run_file_discard(&file);
}

static void collect_or_pause(execution *e) {
  const struct timespec pause = {.tv_nsec = 200000};
  if (!collect(e)) nanosleep(&pause, NULL);
  show(e);
}

/* Rank 0 begins no run while more wait than it may hold, or its own results would heap up. The run
 * that all of them wait for comes before `run`, so another rank has it. */
static void wait_for_room(execution *e, int64_t run) {
  while (e->held >= e->most && e->next < run) collect_or_pause(e);
}

/* The next run of this rank's group, the same on all its ranks. */
static int64_t next_run(execution *e) {
  int64_t run = INT64_MAX;
  if (e->leads) must_deliver(e, wal_dispatch_next(e->numbers, &run));
  if (e->collects && run < e->sweep->count) wait_for_room(e, run);
  const wal_status shared = wal_ctx_least_integer(e->group, &run);
  if (shared != WAL_OK)
    must_deliver(e, wal_fail(e->job->ctx, shared, "%s", wal_ctx_error(e->group)));
  return run;
}

// ---- All runs ---------------------------------------------------------------------------------

static void do_runs(execution *e) {
  for (;;) {
    const int64_t run = next_run(e);
    if (run >= e->sweep->count) break;
    do_run(e, run);
    if (!e->collects) continue;
    collect(e);
    show(e);
  }
  must_deliver(e, wal_mailbox_flush(e->mailbox));
  while (e->collects && e->done < e->sweep->count) collect_or_pause(e);
  if (e->collects) write_those_in_turn(e);
}

wal_status wal_sweep_execute(wal_job *job, const wal_sweep *sweep, wal_run_file *file,
                             wal_ctx *alone, wal_sweep_row *rows) {
  wal_ctx *ctx = job->ctx;
  execution e = {.job = job,
                 .sweep = sweep,
                 .quiet = *job->options,
                 .keeps = strcmp(wal_params_text(job->params, "keep"), "all") == 0,
                 .collects = wal_ctx_rank(ctx) == 0,
                 .file = file,
                 .alone = alone,
                 .rows = rows,
                 .most = wal_ctx_memory_limit(ctx) > 0 ? wal_ctx_memory_limit(ctx) / 4 : MOST_HELD,
                 .start = wal_clock()};
  int own = 0;
  e.quiet.quiet = true;
  wal_sweep_groups(ctx, sweep->count, wal_params_integer(job->params, "ranks_per_run"), &own);
  wal_status status = wal_ctx_split(ctx, own, &e.group);
  if (status == WAL_OK) status = wal_dispatch_create(ctx, &e.numbers);
  if (status == WAL_OK) status = wal_mailbox_create(ctx, &e.mailbox);
  if (status == WAL_OK) {
    wal_mailbox_limit(e.mailbox, e.most, 0);  // for the first run of rank 0, too
    e.leads = wal_ctx_rank(e.group) == 0;
    wal_progress_style style = WAL_PROGRESS_NONE;
    if (e.collects) style = wal_progress_choose(stderr, job->options->quiet, job->options->json);
    e.progress = wal_progress_start(stderr, style, "sweep");
    e.progress.noun = "run";
    wal_job_watch(
        job,
        &(wal_live_head){.noun = "run", .figure = "failed", .from = e.done, .total = sweep->count});
    do_runs(&e);
    wal_progress_end(&e.progress, e.done, "failed", (double)e.failed, wal_clock() - e.start);
  }
  if (status == WAL_OK && e.written != WAL_OK)
    status = wal_fail(ctx, e.written, "%s", wal_ctx_error(e.alone));
  for (int64_t i = 0; e.collects && i < sweep->count; i++) wal_release(ctx, &rows[i].recorded);
  status = wal_agree(ctx, status);
  wal_mailbox_destroy(&e.mailbox);
  wal_dispatch_destroy(&e.numbers);
  wal_ctx_destroy(&e.group);
  return status;
}
