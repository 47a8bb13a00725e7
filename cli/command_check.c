// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/commands.h"
#include "cli/pager.h"
#include "cli/session.h"
#include "io/json.h"

int wal_command_check(const wal_options *options, int argc, char **argv) {
  wal_session session;
  const wal_task_type *type = NULL;
  wal_job job = {0};
  const bool alone = !wal_options_launched();  // MPI makes it look otherwise
  wal_status status = wal_session_open(&session, options, &argc, &argv);
  if (status == WAL_OK) status = wal_session_load_job(&session, &job, &type);
  if (status == WAL_OK && options->gradients > 0) {
    status = type->check_gradients
                 ? type->check_gradients(&job, options->gradients)
                 : wal_fail(session.ctx, WAL_EUSAGE, "--gradients: the task %s has no gradients",
                            type->component.name);
  } else if (status == WAL_OK && wal_ctx_rank(session.ctx) == 0) {
    wal_text text = {0};
    wal_json_task(&text, job.params, wal_scenario_script(job.scenario));
    wal_pager pager = {NULL, -1};
    if (alone) wal_pager_open(&pager);
    printf("%s\n", text.bytes);
    wal_pager_close(&pager);
    wal_text_free(&text);
  }
  wal_session_free_job(&job);
  return wal_session_close(&session, status);
}
