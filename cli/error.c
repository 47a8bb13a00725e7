// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/error.h"

#include <stdio.h>

#include "io/json.h"

void wal_error_print(bool json, wal_status status, const char *text) {
  if (!json) {
    fprintf(stderr, "%s\n", text);
    return;
  }
  wal_text line = {0};
  wal_text_add(&line, "{\"event\":\"error\",\"status\":\"%s\",\"exit\":%d,\"message\":",
               wal_status_name(status), wal_status_exit(status));
  wal_json_string(&line, text);
  fprintf(stderr, "%s}\n", line.bytes);
  wal_text_free(&line);
}

void wal_warning_print(bool json, const char *text) {
  if (!json) {
    fprintf(stderr, "walras: warning: %s\n", text);
    return;
  }
  wal_text line = {0};
  wal_text_add(&line, "{\"event\":\"warning\",\"message\":");
  wal_json_string(&line, text);
  fprintf(stderr, "%s}\n", line.bytes);
  wal_text_free(&line);
}

bool wal_output_lost(bool report) {
  const bool lost = fflush(stdout) != 0 || ferror(stdout) != 0;
  if (lost && report) fprintf(stderr, "walras: cannot write to standard output\n");
  return lost;
}
