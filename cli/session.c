// SPDX-License-Identifier: GPL-3.0-or-later
#define _POSIX_C_SOURCE 200809L

#include "cli/session.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/catalogue.h"
#include "cli/error.h"
#include "cli/machine.h"
#include "io/live.h"

enum { CLAIM_PAUSES = 50 };  // of a tenth of a second

/* Warnings are told also with --quiet, which is about progress; on the first rank only, as all
   ranks find the same. */
static void print_warning(void *user, const char *text) {
  const wal_session *session = user;
  wal_warning_print(session->options->json, text);
}

/* A process that no launcher started talks to nobody: Open MPI need not look for networks, nor
   start a daemon to watch over it, which takes longer than many a run. Without the daemon all such
   processes would be given the same name (4.1.4), and the same folder for what ranks share, so each
   is told one of its own, which goes when it ends. What the user has set counts. */
static void expect_nobody(void) {
  const char *temporary = getenv("TMPDIR");
  char top[1000], family[1008];
  snprintf(top, sizeof top, "%s/ompi.walras.%ld.%ld", temporary ? temporary : "/tmp",
           (long)getuid(), (long)getpid());
  snprintf(family, sizeof family, "%s/alone", top);
  const char *const nobody[][2] = {{"OMPI_MCA_pml", "ob1"},
                                   {"OMPI_MCA_btl", "self"},
                                   {"OMPI_MCA_ess_singleton_isolated", "1"},
                                   {"OMPI_MCA_orte_top_session_dir", top},
                                   {"OMPI_MCA_orte_jobfam_session_dir", family}};
  for (size_t i = 0; i < sizeof nobody / sizeof *nobody; i++) setenv(nobody[i][0], nobody[i][1], 0);
}

wal_status wal_session_open(wal_session *session, const wal_options *options, int *argc,
                            char ***argv) {
  *session = (wal_session){.options = options, .subject = "", .started = wal_clock()};
  if (!wal_options_launched()) expect_nobody();
  WAL_TRY(wal_ctx_open(argc, argv, 1, &session->ctx));
  const int64_t share = wal_machine_memory() / wal_ctx_node_size(session->ctx);
  const int64_t own = wal_machine_process_memory();
  wal_ctx_set_memory_limit(session->ctx, share < own ? share : own);
  if (wal_ctx_rank(session->ctx) == 0)
    wal_ctx_set_warning_handler(session->ctx, print_warning, session);
  return WAL_OK;
}

static void print_error(const wal_session *session, wal_status status) {
  const char *text = wal_ctx_error(session->ctx);
  if (!*text) text = wal_status_text(status);
  const size_t n = strlen(session->subject);
  const bool placed = (n > 0 && strncmp(text, session->subject, n) == 0 && text[n] == ':') ||
                      strncmp(text, "walras", 6) == 0;
  char line[1200];
  snprintf(line, sizeof line, "%s%s", placed || session->options->json ? "" : "walras: ", text);
  wal_error_print(session->options->json, status, line);
}

int wal_session_close(wal_session *session, wal_status status) {
  const bool speaks = session->ctx && wal_ctx_rank(session->ctx) == 0;
  if (speaks && status != WAL_OK && status != WAL_ENOCONV) print_error(session, status);
  if (wal_output_lost(status == WAL_OK || status == WAL_ENOCONV)) status = WAL_EIO;
  wal_ctx_close(&session->ctx);
  return wal_status_exit(status);
}

static wal_status read_scenario(wal_session *session, wal_job *job) {
  wal_ctx *ctx = session->ctx;
  WAL_TRY(wal_scenario_load(ctx, session->subject, wal_catalogue_all(), &job->scenario));
  for (int i = 0; i < session->options->overrides; i++)
    WAL_TRY_ALL(ctx, wal_scenario_override(ctx, job->scenario, session->options->override[i]));
  if (session->options->seed) {
    char assignment[64];
    if (strlen(session->options->seed) > 40)
      return wal_fail(ctx, WAL_EUSAGE, "--seed: expected a whole number, got a longer text");
    snprintf(assignment, sizeof assignment, "seed=%s", session->options->seed);
    WAL_TRY_ALL(ctx, wal_scenario_override(ctx, job->scenario, assignment));
  }
  return WAL_OK;
}

/* What games found out while they were checked (the checksum of a file that every rank reads for
   itself) is kept as texts and whole numbers: they must be the same everywhere. FNV-1a, 64 bits. */
static void hash_bytes(void *user, const void *bytes, size_t count) {
  uint64_t *hash = user;
  const unsigned char *b = bytes;
  for (size_t i = 0; i < count; i++) *hash = (*hash ^ b[i]) * UINT64_C(1099511628211);
}
static void hash_text(void *user, const char *name, const char *value) {
  (void)name;
  hash_bytes(user, value, strlen(value) + 1);
}
static void hash_number(void *user, const char *name, double value, bool whole) {
  (void)name;
  if (whole) hash_bytes(user, &value, sizeof value);
}
static wal_status agree_on_params(wal_ctx *ctx, const char *name, const wal_params *params) {
  uint64_t hash = UINT64_C(14695981039346656037);
  const wal_params_visitor visitor = {.user = &hash, .number = hash_number, .text = hash_text};
  wal_params_visit(params, &visitor);
  int64_t least = (int64_t)(hash >> 1), most = -least;
  WAL_TRY(wal_ctx_least_integer(ctx, &least));
  WAL_TRY(wal_ctx_least_integer(ctx, &most));
  if (least == -most) return WAL_OK;
  return wal_fail(ctx, WAL_EINPUT, "%s: the files that it names differ between the machines", name);
}

/* The task and its parameters, from the scenario that the job has. */
static wal_status resolve_job(wal_session *session, wal_job *job, const wal_task_type **type) {
  wal_ctx *ctx = session->ctx;
  const wal_node *root = wal_scenario_root(job->scenario);
  *type = wal_task_find(root->text);
  wal_status status = WAL_OK;
  if (!*type)
    status = wal_fail(ctx, WAL_EINPUT, "%s:%d: expected a task such as solve{...}, got %s{...}",
                      session->subject, root->line, root->text);
  if (status == WAL_OK)
    status = wal_params_resolve(ctx, session->subject, &(*type)->component, root,
                                wal_catalogue_all(), &job->params);
  WAL_TRY_ALL(ctx, status);
  if (wal_params_given(job->params, "seed"))
    wal_ctx_set_seed(ctx, (uint64_t)wal_params_integer(job->params, "seed"));
  WAL_TRY_ALL(ctx, (*type)->check(ctx, job->params));
  return agree_on_params(ctx, session->subject, job->params);
}

wal_status wal_session_load_job(wal_session *session, wal_job *job, const wal_task_type **type) {
  session->subject = session->options->operand[0];
  *job = (wal_job){.ctx = session->ctx, .options = session->options, .started = session->started};
  WAL_TRY(read_scenario(session, job));
  return resolve_job(session, job, type);
}

wal_status wal_session_resume_job(wal_session *session, const wal_checkpoint_head *head,
                                  wal_job *job, const wal_task_type **type) {
  wal_ctx *ctx = session->ctx;
  *job = (wal_job){.ctx = ctx,
                   .options = session->options,
                   .started = session->started,
                   .source = head->source,
                   .scenario_file = head->scenario_file,
                   .resumes = true,
                   .resume_at = head->iteration};
  // Names of files that it has are those of files beside the scenario.
  session->subject = head->scenario_file;
  WAL_TRY_ALL(ctx, wal_scenario_parse_resolved(ctx, head->scenario_file, head->resolved,
                                               wal_catalogue_all(), &job->scenario));
  return resolve_job(session, job, type);
}

void wal_session_free_job(wal_job *job) {
  wal_params_destroy(&job->params);
  wal_scenario_destroy(&job->scenario);
}

wal_status wal_session_claim(wal_session *session, const char *run) {
  static const struct timespec PAUSE = {.tv_nsec = 100000000};
  wal_ctx *ctx = session->ctx;
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    int64_t owner = wal_live_owner(ctx, run);
    for (int i = 0; i < CLAIM_PAUSES && owner >= 0; i++) {
      nanosleep(&PAUSE, NULL);  // killed a moment ago, it may not have ended yet
      owner = wal_live_owner(ctx, run);
    }
    if (owner >= 0)
      status = wal_fail(ctx, WAL_ECREATE,
                        "walras: cannot create %s: process %lld is writing it; to stop that: touch "
                        "%.*s.STOP",
                        run, (long long)owner, wal_run_stem_length(run), run);
  }
  return wal_agree(ctx, status);
}
