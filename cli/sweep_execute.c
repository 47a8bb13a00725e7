// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_execute.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/error.h"
#include "cli/sweep_saving.h"
#include "io/checkpoint_parts.h"
#include "io/progress.h"
#include "io/run_file.h"
#include "sim/core/dispatch.h"
#include "sim/core/mailbox.h"
#include "sim/core/memory.h"

static const int64_t MOST_HELD = (int64_t)1 << 30;
static const double TICK_SECONDS = 0.002, LISTEN_SECONDS = 0.05;

/* A run's result on its way to rank 0: this, a text (with its end: why it failed, or what it said),
   what it recorded. At the end each group tells how many it has sent: run is -1, and seed that
   number. */
typedef struct packet {
  int64_t run, seed, text, recorded; /* the last two: bytes */
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
  bool leads, collects;
  double ticked, listened;
  bool stopping;
  wal_reason reason;    /* why, as far as this rank knows */
  const bool *finished; /* [runs]: before a resumed sweep goes on; NULL: none */
  char run_name[WAL_CHECKPOINT_PATH];
  int64_t sent; /* results, to rank 0 */
  int64_t step; /* of the restart that goes on here; -1: none, or it is no restart */
  /* of rank 0 */
  wal_run_file *file;
  wal_ctx *alone; /* of the file */
  const wal_sweep_taker *taker;
  wal_sweep_row *rows;
  int64_t done, failed, next; /* next: first run that is not in the file */
  int64_t held, most;         /* bytes that wait for their turn; let no more wait than */
  wal_status written;         /* how writing goes: after a failure nothing more is written */
  wal_sweep_saving saving;
  bool saves;                         /* the above was begun */
  bool spilled;                       /* results are in checkpoints only: the file cannot end */
  int64_t received, promised, groups; /* results from others; groups that have not ended */
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
  wal_ctx_tell_end(e->job->ctx, line + strlen("walras: "));
  wal_ctx_abort(e->job->ctx, WAL_EINTERNAL);
}

// ---- Rank 0: rows, and the file in order ------------------------------------------------------

static wal_status write_run(execution *e, int64_t run, const wal_sweep_row *row) {
  char path[32];
  if (e->taker) return e->taker->take(e->taker->user, run, row);
  snprintf(path, sizeof path, "/runs/run_%06lld", (long long)run);
  return wal_run_file_replay(e->file, path, row->packet + row->recorded_at, row->recorded);
}

static void write_those_in_turn(execution *e) {
  for (; e->next < e->sweep->count && e->rows[e->next].done && !e->spilled; e->next++) {
    wal_sweep_row *row = &e->rows[e->next];
    if (row->recorded > 0 && e->written == WAL_OK) e->written = write_run(e, e->next, row);
    e->held -= row->recorded;
    row->written = true;
    if (row->stored) wal_release(e->job->ctx, &row->packet);
  }
}

/* Of failed runs there are no figures. */
static bool has_failed(const wal_figures *figures) { return figures->iterations < 0; }

/* Takes a result apart and keeps it. */
static wal_status keep_packet(execution *e, char **bytes, int64_t length) {
  wal_ctx *ctx = e->job->ctx;
  packet p;
  memcpy(&p, *bytes, sizeof p);
  wal_sweep_row *row = &e->rows[p.run];
  row->seed = p.seed;
  row->status = p.status;
  row->figures = p.figures;
  row->length = length;
  row->recorded_at = (int64_t)sizeof p + p.text;
  row->recorded = p.recorded;
  row->packet = *bytes;
  *bytes = NULL;
  char **text = has_failed(&p.figures) ? &row->error : &row->said;
  if (p.text > 0) WAL_TRY(wal_acquire(ctx, "a result", p.text, 1, text));
  if (p.text > 0) memcpy(*text, row->packet + sizeof p, (size_t)p.text);
  e->held += row->recorded;
  row->done = true;
  e->done++;
  if (row->status != WAL_OK) e->failed++;
  return WAL_OK;
}

static wal_status open_packet(execution *e, char **bytes, int64_t length) {
  packet p;
  memcpy(&p, *bytes, sizeof p);
  if (p.run < 0) {
    e->promised += p.seed + 1;  // with this
    e->groups--;
    wal_release(e->job->ctx, bytes);
    return WAL_OK;
  }
  WAL_TRY(keep_packet(e, bytes, length));
  return wal_sweep_saving_note(&e->saving, p.run);
}

/* One from a checkpoint. */
static wal_status accept_packet(void *user, char **bytes, int64_t length, int64_t *run) {
  execution *e = user;
  packet p = {.run = -1};
  if (length >= (int64_t)sizeof p) memcpy(&p, *bytes, sizeof p);
  const bool good = p.run >= 0 && p.run < e->sweep->count && !e->rows[p.run].done && p.text >= 0 &&
                    p.recorded >= 0 && p.text <= length && p.recorded <= length &&
                    (int64_t)sizeof p + p.text + p.recorded == length &&
                    (p.text == 0 || (*bytes)[(int64_t)sizeof p + p.text - 1] == '\0');
  if (!good) wal_release(e->job->ctx, bytes);
  if (!good) return WAL_OK;
  *run = p.run;
  WAL_TRY(keep_packet(e, bytes, length));
  write_those_in_turn(e);
  return WAL_OK;
}

static void show(execution *e) {
  const wal_live_row row = {.done = e->done,
                            .figure = (double)e->failed,
                            .regularized = NAN,
                            .value = NAN,
                            .seconds = wal_clock() - e->start};
  wal_live_report(e->job->live, &row);
  // A restart takes long: what this rank does is shown while there is nothing worse to tell.
  const bool step = e->step >= 0 && e->failed == 0 && e->progress.style != WAL_PROGRESS_JSON;
  wal_progress_report(&e->progress, e->done, e->sweep->count, step ? "step" : "failed",
                      (double)(step ? e->step : e->failed), wal_clock() - e->start);
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
    e->received++;
    must_deliver(e, open_packet(e, &bytes, length));
    any = true;
  }
}

/* Writes the sweep's checkpoint; a failure is told, and no reason to give up what goes well. */
static wal_status save(execution *e, bool part) {
  const wal_status status = wal_sweep_saving_write(&e->saving, e->done, part);
  if (status != WAL_OK) wal_warn(e->job->ctx, "%s", wal_ctx_error(e->alone));
  return status;
}

/* Of a sweep that stops nothing more need be written: what waits makes room for what comes. */
static void spill(execution *e) {
  if (save(e, true) != WAL_OK) return;
  for (int64_t run = e->next; run < e->sweep->count; run++) {
    wal_sweep_row *row = &e->rows[run];
    if (!row->stored || !row->packet) continue;
    wal_release(e->job->ctx, &row->packet);
    e->held -= row->recorded;
    e->spilled = true;
  }
}

static void stop(execution *e) {
  if (e->leads) must_deliver(e, wal_dispatch_stop(e->numbers));
  e->stopping = true;
}

/* Of a leader: whether another group, or rank 0, has said that the sweep stops. */
static bool listen(execution *e) {
  const double now = wal_clock();
  if (e->stopping || now - e->listened < LISTEN_SECONDS) return e->stopping;
  e->listened = now;
  must_deliver(e, wal_dispatch_stopped(e->numbers, &e->stopping));
  return e->stopping;
}

static wal_reason told(void *user) { return listen(user) ? WAL_REASON_SIGNAL : WAL_REASON_NONE; }

/* What rank 0 does now and then: saves, and looks whether to stop. */
static void look_after(execution *e) {
  wal_order order = WAL_ORDER_GO_ON;
  listen(e);
  must_deliver(e, wal_sweep_saving_ask(&e->saving, e->done, &order));
  if (order == WAL_ORDER_STOP && !e->stopping) stop(e);
  if (e->stopping && e->held >= e->most) spill(e);
  if (order == WAL_ORDER_SAVE) collect(e);
  if ((order == WAL_ORDER_SAVE && e->saving.saved != e->done) ||
      wal_sweep_saving_is_full(&e->saving))
    save(e, false);
}

static void note_step(void *user, int64_t step) { ((execution *)user)->step = step; }

/* While a run of its own goes on, a rank lets messages go on, too. */
static void tick(void *user) {
  execution *e = user;
  const double now = wal_clock();
  if (now - e->ticked < TICK_SECONDS) return;
  e->ticked = now;
  must_deliver(e, wal_mailbox_progress(e->mailbox));
  if (!e->collects) return;
  look_after(e);
  show(e);
}

// ---- One run ----------------------------------------------------------------------------------

static wal_status make_packet(execution *e, const packet *p, const char *text, const void *recorded,
                              char **out) {
  const int64_t length = (int64_t)sizeof *p + p->text + p->recorded;
  WAL_TRY(wal_acquire(e->job->ctx, "a result", length, 1, out));
  memcpy(*out, p, sizeof *p);
  if (p->text > 0) memcpy(*out + sizeof *p, text, (size_t)p->text);
  if (p->recorded > 0) memcpy(*out + sizeof *p + p->text, recorded, (size_t)p->recorded);
  return WAL_OK;
}

/* The leader hands the result of a run over to rank 0, or keeps it if it is rank 0.
 * @param said  NULL: nothing */
static void deliver(execution *e, packet p, const char *said, const void *recorded) {
  char *bytes = NULL;
  // A restart that has not converged is as good as failed; nor may there be anything to show.
  const bool open = p.status == WAL_ENOCONV && !e->sweep->restarts;
  const bool failed = (p.status != WAL_OK && !open) || has_failed(&p.figures);
  const char *error = wal_ctx_error(e->group);
  if (failed && !*error) error = wal_status_text(p.status);
  const char *text = failed ? error : said;
  p.text = text ? (int64_t)strlen(text) + 1 : 0;
  if (failed) {
    p.recorded = 0;
    p.figures = (wal_figures){.iterations = -1,
                              .first = NAN,
                              .best = NAN,
                              .last = NAN,
                              .regularized = NAN,
                              .value = NAN,
                              .objective = NAN,
                              .best_step = -1,
                              .seconds = p.figures.seconds,
                              .game = -1};
  }
  must_deliver(e, make_packet(e, &p, text, recorded, &bytes));
  const int64_t length = (int64_t)sizeof p + p.text + p.recorded;
  if (e->collects)
    must_deliver(e, open_packet(e, &bytes, length));
  else
    must_deliver(e, wal_mailbox_post(e->mailbox, p.run, &bytes, length));
  e->sent++;
}

/* That no more results come from this group. */
static void say_end(execution *e) {
  char *bytes = NULL;
  packet p;
  memset(&p, 0, sizeof p);
  p.run = -1;
  p.seed = e->sent;
  must_deliver(e, make_packet(e, &p, "", "", &bytes));
  must_deliver(e, wal_mailbox_post(e->mailbox, e->sweep->count, &bytes, (int64_t)sizeof p));
}

/* Whether a run goes on from a checkpoint of its own. */
static wal_status find_checkpoint(execution *e, wal_job *job) {
  if (!job->resumes) return WAL_OK;
  WAL_TRY(wal_checkpoint_newest(e->group, job->output, INT64_MAX, &job->resume_at));
  job->resumes = job->resume_at >= 0;
  return WAL_OK;
}

/* @param said  NULL: it says nothing */
static wal_status record(execution *e, int64_t run, bool resumes, FILE *said, wal_run_file **file,
                         packet *p) {
  wal_params *params = NULL;
  const wal_task_type *type = NULL;
  wal_status status =
      wal_agree(e->group, wal_sweep_resolve(e->group, e->sweep, run, &type, &params));
  if (status == WAL_OK) {
    wal_job job = *e->job;
    job.ctx = e->group;
    job.options = &e->quiet;
    job.derived = true;
    job.recorded = e->sweep->keeps;
    job.whole = e->sweep->restarts ? e->job->params : NULL;
    job.said = said;
    job.params = params;
    job.tick = tick;
    job.stepped = e->sweep->restarts ? note_step : NULL;
    job.told = told;
    job.user = e;
    job.output = wal_checkpoint_part_name(e->job->output, "run", run, e->run_name);
    job.resumes = resumes;
    p->seed = wal_params_integer(params, "seed");
    p->figures.iterations = -1;
    wal_ctx_set_seed(e->group, (uint64_t)p->seed);
    // Where only the table is kept, nothing need be remembered of what a run writes.
    status = find_checkpoint(e, &job);
    if (status == WAL_OK)
      status =
          e->sweep->keeps ? wal_run_file_record(e->group, file) : wal_run_file_plan(e->group, file);
    if (status == WAL_OK) status = type->work(&job, file, &p->figures);
    e->reason = job.stopped_by;
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
  char *said = NULL;
  size_t length = 0;
  FILE *speech = e->sweep->restarts && e->leads ? open_memstream(&said, &length) : NULL;
  const double start = wal_clock();
  p.status = record(e, run, e->job->resumes, speech, &file, &p);
  if (p.status == WAL_EIO && e->job->resumes) {  // of its checkpoints none is whole
    wal_run_file_discard(&file);
    p.status = record(e, run, false, speech, &file, &p);
  }
  p.figures.seconds = wal_clock() - start;
  e->step = -1;
  if (speech && fclose(speech) != 0 && said) said[0] = '\0';
  if (file && e->sweep->keeps && e->leads) {
    const wal_status status = wal_run_file_recorded(file, &recorded, &p.recorded);
    if (status != WAL_OK) p.status = status;
  }
  if (p.status == WAL_ESTOPPED)
    stop(e);
  else if (e->leads)
    deliver(e, p, said, recorded);
  free(said);
  wal_run_file_discard(&file);
}

static void collect_or_pause(execution *e) {
  const struct timespec pause = {.tv_nsec = 200000};
  if (!collect(e)) nanosleep(&pause, NULL);
  look_after(e);
  show(e);
}

/* Rank 0 begins no run while more wait than it may hold, or its own results would heap up. The run
 * that all of them wait for comes before `run`, so another rank has it. */
static void wait_for_room(execution *e, int64_t run) {
  while (e->held >= e->most && e->next < run && !e->stopping) collect_or_pause(e);
}

/* The next run of this rank's group, the same on all its ranks. */
static int64_t next_run(execution *e) {
  int64_t run = INT64_MAX;
  if (e->leads && !listen(e)) {
    do must_deliver(e, wal_dispatch_next(e->numbers, &run));
    while (run < e->sweep->count && e->finished && e->finished[run]);
  }
  if (e->collects && run < e->sweep->count) wait_for_room(e, run);
  if (e->stopping) run = INT64_MAX;
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
    look_after(e);
    show(e);
  }
  if (e->leads && !e->collects) say_end(e);
  must_deliver(e, wal_mailbox_flush(e->mailbox));
  while (e->collects && (e->groups > 0 || e->received < e->promised)) collect_or_pause(e);
  if (e->collects) write_those_in_turn(e);
}

// ---- Stopping and going on --------------------------------------------------------------------

/* Of a sweep that was stopped, on all ranks: why. Who was told by others knows of a signal only,
 * which is the least of the reasons. */
static wal_status share_reason(execution *e) {
  int64_t reason = -(int64_t)e->reason;
  if (e->saving.control.reason > e->reason) reason = -(int64_t)e->saving.control.reason;
  WAL_TRY(wal_ctx_least_integer(e->job->ctx, &reason));
  e->reason = reason == 0 ? WAL_REASON_SIGNAL : (wal_reason)-reason;
  return WAL_OK;
}

/* Rank 0, when no more results come. */
static wal_status end_saving(execution *e) {
  wal_ctx *ctx = e->job->ctx;
  if (e->next == e->sweep->count) return WAL_OK;
  const wal_status status = save(e, false);
  if (status != WAL_OK) return wal_fail(ctx, status, "%s", wal_ctx_error(e->alone));
  e->saving.control.reason = e->job->stopped_by = e->reason;
  return wal_fail(ctx, WAL_ESTOPPED,
                  "stopped by %s with %lld of %lld %ss finished; to go on: walras resume %s",
                  wal_reason_text(e->reason), (long long)e->done, (long long)e->sweep->count,
                  e->sweep->noun, e->job->output);
}

/* What rank 0 finds in the checkpoints becomes known to all, and the first checkpoint is written.
 * @param finished  [runs] */
static wal_status begin_saving(execution *e, bool *finished, int64_t *flags) {
  wal_status status = WAL_OK;
  const int64_t runs = e->sweep->count;
  if (e->collects) {
    if (e->job->resumes) status = wal_sweep_saving_restore(&e->saving, e, accept_packet);
    if (status != WAL_OK) status = wal_fail(e->job->ctx, status, "%s", wal_ctx_error(e->alone));
    if (status == WAL_OK && e->saving.control.every.iterations > 0 && e->saving.saved < 0)
      save(e, false);
    for (int64_t run = 0; run < runs && flags; run++) flags[run] = e->rows[run].done;
  }
  WAL_TRY_ALL(e->job->ctx, status);
  if (!flags) return WAL_OK;
  WAL_TRY(wal_ctx_sum_integers(e->job->ctx, (int)runs, flags));
  for (int64_t run = 0; run < runs; run++) finished[run] = flags[run] != 0;
  e->finished = finished;
  return WAL_OK;
}

static wal_status do_all(execution *e) {
  wal_ctx *ctx = e->job->ctx;
  const int64_t known = e->job->resumes ? e->sweep->count : 0;
  int64_t *flags = NULL;
  bool *finished = NULL;
  wal_status status = WAL_OK;
  if (known > 0) status = wal_acquire(ctx, "finished runs", known, sizeof *flags, &flags);
  if (status == WAL_OK && known > 0)
    status = wal_acquire(ctx, "finished runs", known, sizeof *finished, &finished);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = begin_saving(e, finished, flags);
  wal_release(ctx, &flags);
  if (status == WAL_OK) {
    wal_job_watch(
        e->job,
        &(wal_live_head){
            .noun = e->sweep->noun, .figure = "failed", .from = e->done, .total = e->sweep->count});
    do_runs(e);
    status = share_reason(e);
    if (status == WAL_OK && e->collects) status = end_saving(e);
  }
  wal_release(ctx, &finished);
  return status;
}

wal_status wal_sweep_execute(wal_job *job, const wal_sweep *sweep, wal_run_file *file,
                             wal_ctx *alone, const wal_sweep_taker *taker, wal_sweep_row *rows) {
  wal_ctx *ctx = job->ctx;
  execution e = {.job = job,
                 .sweep = sweep,
                 .quiet = *job->options,
                 .step = -1,
                 .collects = wal_ctx_rank(ctx) == 0,
                 .file = file,
                 .alone = alone,
                 .taker = taker,
                 .rows = rows,
                 .most = wal_ctx_memory_limit(ctx) > 0 ? wal_ctx_memory_limit(ctx) / 4 : MOST_HELD,
                 .start = wal_clock()};
  int own = 0;
  e.quiet.quiet = true;
  e.groups = wal_sweep_groups(ctx, sweep->count, sweep->ranks_per_run, &own) - 1;
  wal_status status = wal_ctx_split(ctx, own, &e.group);
  if (status == WAL_OK) status = wal_dispatch_create(ctx, &e.numbers);
  if (status == WAL_OK) status = wal_mailbox_create(ctx, &e.mailbox);
  if (status == WAL_OK) {
    wal_mailbox_limit(e.mailbox, e.most, 0);  // for the first run of rank 0, too
    e.leads = wal_ctx_rank(e.group) == 0;
    wal_progress_style style = WAL_PROGRESS_NONE;
    if (e.collects) style = wal_progress_choose(stderr, job->options->quiet, job->options->json);
    e.progress = wal_progress_start(stderr, style, wal_params_component(job->params)->name);
    e.progress.noun = sweep->noun;
    if (e.collects)
      e.saving = wal_sweep_saving_begin(job, alone, rows, sweep->count);
    else  // the signals come here, too
      e.saving.control = wal_control_start(ctx, job->output, (wal_cadence){0}, 0, job->started, 0);
    e.saves = true;
    status = do_all(&e);
    wal_progress_end(&e.progress, e.done, "failed", (double)e.failed, wal_clock() - e.start);
  }
  if ((status == WAL_OK || status == WAL_ESTOPPED) && e.written != WAL_OK)
    status = wal_fail(ctx, e.written, "%s", wal_ctx_error(e.alone));
  for (int64_t i = 0; e.collects && i < sweep->count; i++) wal_release(ctx, &rows[i].packet);
  status = wal_agree(ctx, status);
  if (e.saves) wal_sweep_saving_end(&e.saving);
  wal_mailbox_destroy(&e.mailbox);
  wal_dispatch_destroy(&e.numbers);
  wal_ctx_destroy(&e.group);
  return status;
}
