// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L

#include "cli/control.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/checkpoint.h"

enum { PATH = 4352 };

static const double ASK_SECONDS = 0.02, LOOK_SECONDS = 1;
static const double SLOW_DISK = 100e6;  // bytes a second, until a checkpoint has been timed
static const int SIGNALS[] = {SIGUSR1, SIGUSR2, SIGTERM, SIGINT};
enum { SIGNAL_COUNT = sizeof SIGNALS / sizeof SIGNALS[0] };

/* A handler can reach nothing else. The second signal finds the usual action, and ends the job. */
static volatile sig_atomic_t signalled;

static void note_signal(int number) {
  (void)number;
  signalled = 1;
}

bool wal_cadence_read(const char *text, bool times_only, wal_cadence *out) {
  static const struct {
    const char *unit;
    double seconds;
  } UNITS[] = {{"s", 1}, {"m", 60}, {"h", 3600}, {"", 1}};
  char *end = NULL;
  const double number = strtod(text, &end);
  *out = (wal_cadence){0};
  if (end == text || !(number > 0) || !isfinite(number)) return false;
  if (!times_only && strcmp(end, "it") == 0) {
    if (number != floor(number) || number > 0x1p53) return false;
    out->iterations = (int64_t)number;
    return true;
  }
  for (int i = 0; i < 4; i++)
    if (strcmp(end, UNITS[i].unit) == 0) out->seconds = number * UNITS[i].seconds;
  return out->seconds > 0;
}

const char *wal_reason_text(wal_reason reason) {
  static const char *const TEXTS[] = {"nothing", "a signal", "the file STOP", "--max-walltime"};
  return TEXTS[reason];
}

static void handle(int number, void (*handler)(int)) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
  sigemptyset(&action.sa_mask);
  if (handler == note_signal) action.sa_flags |= (int)SA_RESETHAND;
  sigaction(number, &action, NULL);
}

void wal_control_listen(void) {
  handle(SIGUSR1, note_signal);
  handle(SIGUSR2, note_signal);
}

wal_control wal_control_nested(wal_ctx *ctx, const char *run, wal_cadence every, double walltime,
                               double started, int64_t iteration) {
  const double now = wal_clock();
  return (wal_control){.ctx = ctx,
                       .run = run,
                       .every = every,
                       .walltime = walltime,
                       .started = started,
                       .saved_at = now,
                       .saved_iteration = iteration,
                       .asked_iteration = iteration,
                       .asked_at = now,
                       .looked_at = now - LOOK_SECONDS,
                       .next = iteration,
                       .nested = true};
}

wal_control wal_control_start(wal_ctx *ctx, const char *run, wal_cadence every, double walltime,
                              double started, int64_t iteration) {
  wal_control control = wal_control_nested(ctx, run, every, walltime, started, iteration);
  control.nested = false;
  for (int i = 0; i < SIGNAL_COUNT; i++)
    if (!signalled || (SIGNALS[i] != SIGUSR1 && SIGNALS[i] != SIGUSR2))
      handle(SIGNALS[i], note_signal);
  return control;
}

/* The file that asks this run to stop: NAME.STOP, else STOP; false if neither is there. */
static bool find_stop_file(const wal_control *c, char path[PATH]) {
  const char *slash = strrchr(c->run, '/');
  const int folder = slash ? (int)(slash - c->run) + 1 : 0;
  snprintf(path, PATH, "%.*s.STOP", wal_run_stem_length(c->run), c->run);
  if (access(path, F_OK) == 0) return true;
  snprintf(path, PATH, "%.*sSTOP", folder, c->run);
  return access(path, F_OK) == 0;
}

/* On rank 0. */
static wal_reason reason_of_leader(wal_control *c, double now) {
  char path[PATH];
  const wal_reason told = c->told ? c->told(c->user) : WAL_REASON_NONE;
  if (told != WAL_REASON_NONE) return told;
  if (now - c->looked_at >= LOOK_SECONDS) {
    c->looked_at = now;
    if (find_stop_file(c, path)) return WAL_REASON_FILE;
  }
  // Twice what a checkpoint takes, and what an iteration between two questions may take.
  const double save = c->save_seconds > 0 ? c->save_seconds : c->save_guess;
  const double margin = 2 * save + 2 * (now - c->asked_at) + 1;
  if (c->walltime > 0 && now - c->started + margin >= c->walltime) return WAL_REASON_WALLTIME;
  return WAL_REASON_NONE;
}

/* Iterations until the next question, from how long they took. */
static int64_t patience(const wal_control *c, int64_t iteration, double now) {
  const int64_t done = iteration - c->asked_iteration;
  const double taken = now - c->asked_at;
  if (done <= 0 || taken <= 0) return 1;
  const double more = (double)done * ASK_SECONDS / taken;
  const double most = 2.0 * (double)done + 1;  // iterations may become slower
  return (int64_t)(more < 1 ? 1 : more > most ? most : more);
}

wal_status wal_control_ask(wal_control *c, int64_t iteration, wal_order *out) {
  const bool due = c->every.iterations > 0 && iteration - c->saved_iteration >= c->every.iterations;
  *out = due ? WAL_ORDER_SAVE : WAL_ORDER_GO_ON;
  if (iteration < c->next) return WAL_OK;
  enum { BY_SIGNAL, BY_LEADER, SAVE, PATIENCE, WORDS };
  int64_t words[WORDS] = {[BY_SIGNAL] = signalled != 0};
  const double now = wal_clock();
  if (wal_ctx_rank(c->ctx) == 0) {
    words[BY_LEADER] = reason_of_leader(c, now);
    words[SAVE] = c->every.seconds > 0 && now - c->saved_at >= c->every.seconds;
    words[PATIENCE] = patience(c, iteration, now);
  }
  WAL_TRY(wal_ctx_sum_integers(c->ctx, WORDS, words));
  c->asked_iteration = iteration;
  c->asked_at = now;
  c->next = iteration + words[PATIENCE];
  if (words[SAVE]) *out = WAL_ORDER_SAVE;
  if (words[BY_SIGNAL])
    c->reason = WAL_REASON_SIGNAL;
  else if (words[BY_LEADER])
    c->reason = (wal_reason)words[BY_LEADER];
  if (c->reason != WAL_REASON_NONE) *out = WAL_ORDER_STOP;
  return WAL_OK;
}

void wal_control_expect(wal_control *c, double bytes) {
  if (c->save_guess == 0) c->save_guess = bytes / SLOW_DISK;
}

void wal_control_saved(wal_control *c, int64_t iteration, double seconds) {
  c->saved_at = wal_clock();
  c->saved_iteration = iteration;
  if (seconds > c->save_seconds) c->save_seconds = seconds;
}

void wal_control_end(wal_control *c) {
  char path[PATH];
  if (c->nested) return;
  // The schedulers' warnings ask for nothing that the end of the run is not already doing.
  handle(SIGUSR1, SIG_IGN);
  handle(SIGUSR2, SIG_IGN);
  handle(SIGTERM, SIG_DFL);
  handle(SIGINT, SIG_DFL);
  if (c->reason == WAL_REASON_FILE && wal_ctx_rank(c->ctx) == 0 && find_stop_file(c, path))
    unlink(path);
}
