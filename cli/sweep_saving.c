// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/sweep_saving.h"

#include <stdio.h>
#include <string.h>

#include "cli/saving.h"
#include "io/checkpoint_parts.h"
#include "sim/core/memory.h"

static const int64_t MOST = (int64_t)64 << 20, WORD = sizeof(int64_t);

wal_sweep_saving wal_sweep_saving_begin(wal_job *job, wal_ctx *alone, wal_sweep_row *rows,
                                        int64_t runs) {
  wal_sweep_saving s = {.job = *job, .ctx = job->ctx, .rows = rows, .runs = runs, .saved = -1};
  const wal_options *options = job->options;
  const int64_t limit = wal_ctx_memory_limit(job->ctx);
  s.most = limit > 0 && limit / 16 < MOST ? limit / 16 : MOST;
  s.job.ctx = alone;
  s.control = wal_control_start(alone, job->output, options->checkpoint_every,
                                options->max_walltime.seconds, job->started, 0);
  // The first one is there before any of a run, without which a run's would be of no use.
  s.control.saved_at -= options->checkpoint_every.seconds / 2;
  return s;
}

void wal_sweep_saving_end(wal_sweep_saving *s) {
  wal_control_end(&s->control);
  if (s->ctx) wal_release(s->ctx, &s->tail);
}

bool wal_sweep_saving_is_full(const wal_sweep_saving *s) { return s->tail_bytes >= s->most; }

wal_status wal_sweep_saving_note(wal_sweep_saving *s, int64_t run) {
  WAL_TRY(wal_grow(s->ctx, "finished runs", &s->tail, s->tail_count, s->tail_count + 1,
                   &s->tail_room, sizeof *s->tail));
  s->tail[s->tail_count++] = run;
  s->tail_bytes += s->rows[run].length;
  return WAL_OK;
}

wal_status wal_sweep_saving_ask(wal_sweep_saving *s, int64_t done, wal_order *out) {
  s->control.next = done;  // time passes while no run ends
  return wal_control_ask(&s->control, done, out);
}

// ---- Results as words -------------------------------------------------------------------------

/* What checkpoints and parts hold: of each result its bytes in all, then these. */
typedef struct content {
  wal_ctx *ctx;
  int64_t *words;
  int64_t count, room, parts, runs;
} content;

static wal_state declare(content *c, wal_ctx *alone) {
  wal_state state = wal_state_start(alone);
  wal_state_add_integer(&state, "runs", &c->runs);
  wal_state_add_integer(&state, "parts", &c->parts);
  wal_state_add_items(&state, "results", &c->words, &c->count, &c->room, sizeof *c->words);
  return state;
}

static int64_t words_of(int64_t bytes) { return 1 + wal_round_up(bytes, WORD) / WORD; }

/* Of the results in no part. */
static wal_status fill(const wal_sweep_saving *s, content *c) {
  int64_t needed = 0;
  for (int64_t i = 0; i < s->tail_count; i++) needed += words_of(s->rows[s->tail[i]].length);
  WAL_TRY(wal_acquire(c->ctx, "a checkpoint", needed, sizeof *c->words, &c->words));
  for (int64_t i = 0; i < s->tail_count; i++) {
    const wal_sweep_row *row = &s->rows[s->tail[i]];
    c->words[c->count] = row->length;
    memcpy(c->words + c->count + 1, row->packet, (size_t)row->length);
    c->count += words_of(row->length);
  }
  c->room = c->count;
  return WAL_OK;
}

static wal_status write_content(wal_sweep_saving *s, const char *output, int64_t at, bool empty) {
  content c = {.ctx = s->job.ctx, .parts = s->parts, .runs = s->runs};
  wal_job job = s->job;
  job.output = output;
  wal_status status = WAL_OK;
  if (empty)
    status = wal_acquire(c.ctx, "a checkpoint", 0, sizeof *c.words, &c.words);
  else
    status = fill(s, &c);
  if (status == WAL_OK) {
    const wal_state state = declare(&c, c.ctx);
    status = wal_saving_write(&job, at, &state);
  }
  wal_release(c.ctx, &c.words);
  return status;
}

static wal_status write_part(wal_sweep_saving *s) {
  char name[WAL_CHECKPOINT_PATH];
  WAL_TRY(
      write_content(s, wal_checkpoint_part_name(s->job.output, "part", s->parts, name), 0, false));
  s->parts++;
  for (int64_t i = 0; i < s->tail_count; i++) {
    wal_sweep_row *row = &s->rows[s->tail[i]];
    row->stored = true;
    if (row->written) wal_release(s->ctx, &row->packet);
  }
  s->tail_count = s->tail_bytes = 0;
  return WAL_OK;
}

static bool has_finished(void *user, int64_t run) {
  const wal_sweep_saving *s = user;
  return run < s->runs && s->rows[run].done;
}

wal_status wal_sweep_saving_write(wal_sweep_saving *s, int64_t done, bool part) {
  const double start = wal_clock();
  wal_status status = WAL_OK;
  if ((part || wal_sweep_saving_is_full(s)) && s->tail_count > 0) status = write_part(s);
  if (status == WAL_OK) status = write_content(s, s->job.output, done, s->tail_count == 0);
  wal_control_saved(&s->control, done, wal_clock() - start);
  WAL_TRY(status);
  s->saved = done;
  wal_checkpoint_parts_remove(s->job.output, "run", has_finished, s);
  return WAL_OK;
}

// ---- Going on ---------------------------------------------------------------------------------

typedef wal_status (*accepts)(void *user, char **packet, int64_t length, int64_t *run);

static wal_status hand_over(wal_sweep_saving *s, const content *c, bool stored, void *user,
                            accepts accept) {
  for (int64_t at = 0; at < c->count;) {
    const int64_t length = c->words[at], most = (c->count - at - 1) * WORD;
    char *packet = NULL;
    int64_t run = -1;
    if (length <= 0 || length > most) break;
    WAL_TRY(wal_acquire(s->ctx, "a result", length, 1, &packet));
    memcpy(packet, c->words + at + 1, (size_t)length);
    WAL_TRY(accept(user, &packet, length, &run));
    at += words_of(length);
    if (run < 0) continue;
    s->rows[run].stored = stored;
    if (stored && s->rows[run].written) wal_release(s->ctx, &s->rows[run].packet);
    if (!stored && s->rows[run].packet) WAL_TRY(wal_sweep_saving_note(s, run));
  }
  return WAL_OK;
}

static wal_status restore_part(wal_sweep_saving *s, int64_t part, void *user, accepts accept) {
  char name[WAL_CHECKPOINT_PATH], path[WAL_CHECKPOINT_PATH];
  content c = {.ctx = s->job.ctx};
  wal_state state = declare(&c, c.ctx);
  wal_checkpoint_name(wal_checkpoint_part_name(s->job.output, "part", part, name), 0, path);
  wal_status status = wal_checkpoint_read(path, &state);
  if (status == WAL_OK)
    status = hand_over(s, &c, true, user, accept);
  else
    wal_warn(s->ctx, "%s; its runs are done again", wal_ctx_error(c.ctx));
  wal_release(c.ctx, &c.words);
  return status == WAL_EIO || status == WAL_ENOTFOUND ? WAL_OK : status;
}

wal_status wal_sweep_saving_restore(wal_sweep_saving *s, void *user, accepts accept) {
  char path[WAL_CHECKPOINT_PATH];
  content c = {.ctx = s->job.ctx};
  wal_state state = declare(&c, c.ctx);
  int64_t at = s->job.resume_at;
  wal_status status = WAL_OK;
  for (;;) {
    status = wal_checkpoint_read(wal_checkpoint_name(s->job.output, at, path), &state);
    if (status == WAL_OK && c.runs != s->runs)
      status = wal_fail(c.ctx, WAL_EIO, "%s: is of a sweep of %lld runs, this one has %lld", path,
                        (long long)c.runs, (long long)s->runs);
    if (status == WAL_OK) break;
    char why[1024];
    snprintf(why, sizeof why, "%s", wal_ctx_error(c.ctx));
    WAL_TRY_GOTO(wal_checkpoint_newest(c.ctx, s->job.output, at, &at));
    if (at < 0) WAL_TRY_GOTO(wal_fail(c.ctx, status, "%s", why));
    wal_warn(s->ctx, "%s; going back to %lld finished runs", why, (long long)at);
  }
  s->parts = c.parts;
  s->saved = s->control.saved_iteration = at;
  for (int64_t p = 0; p < s->parts && status == WAL_OK; p++)
    status = restore_part(s, p, user, accept);
  if (status == WAL_OK) status = hand_over(s, &c, false, user, accept);
cleanup:
  wal_release(c.ctx, &c.words);
  return status;
}
