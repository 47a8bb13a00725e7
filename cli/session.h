// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef WALRAS_CLI_SESSION_H
#define WALRAS_CLI_SESSION_H

#include "cli/task.h"
#include "io/checkpoint.h"

/** MPI and a context for the length of a command. */
typedef struct wal_session {
  wal_ctx *ctx;
  const wal_options *options;
  const char *subject; /**< file that error texts may begin with */
  double started;      /**< wal_clock() of its beginning */
} wal_session;

/** Starts MPI and makes the context. Returns WAL_EINTERNAL if that fails. */
wal_status wal_session_open(wal_session *session, const wal_options *options, int *argc,
                            char ***argv);

/** Reports a failure once (rank 0, stderr), ends MPI and gives the exit status. @collective */
int wal_session_close(wal_session *session, wal_status status);

/** Loads the scenario of a command with its overrides, resolves it and checks it: everything that
 *  can be wrong with it is found here. Fills scenario, params and options of `job`; freed with
 *  wal_session_free_job(). @collective */
wal_status wal_session_load_job(wal_session *session, wal_job *job, const wal_task_type **type);
/** As wal_session_load_job(), from what a checkpoint says of itself; keeps pointers into it.
 *  @collective */
wal_status wal_session_resume_job(wal_session *session, const wal_checkpoint_head *head,
                                  wal_job *job, const wal_task_type **type);
void wal_session_free_job(wal_job *job);

/** Refuses to write a run file that another process of this machine is writing, unless it ends
 * within some seconds. WAL_ECREATE. @collective */
wal_status wal_session_claim(wal_session *session, const char *run);

#endif
