// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/machine.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { PATH = 4096 };

/* The number in a control group's file, INT64_MAX if there is none ("max", or no such file). */
static int64_t read_limit(const char *folder, const char *name) {
  char path[PATH + 64];
  long long limit = 0;
  snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", folder, name);
  FILE *file = fopen(path, "r");
  if (!file) return INT64_MAX;
  const bool known = fscanf(file, "%lld", &limit) == 1 && limit > 0;
  fclose(file);
  return known ? limit : INT64_MAX;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* The limits of a version 2 control group and of all that it is part of. */
static int64_t limit_of_group(char *group) {
  int64_t limit = read_limit("", "memory.max");
  for (char *slash = group; slash; slash = strrchr(group, '/')) {
    limit = least(limit, read_limit(group, "memory.max"));
    if ((slash = strrchr(group, '/'))) *slash = '\0';
  }
  return limit;
}

static int64_t limit_of_groups(void) {
  char line[PATH];
  int64_t limit = read_limit("/memory", "memory.limit_in_bytes");  // version 1
  FILE *file = fopen("/proc/self/cgroup", "r");
  if (!file) return limit;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "0::", 3) == 0) limit = least(limit, limit_of_group(line + 3));
  }
  fclose(file);
  return limit;
}

int64_t wal_machine_memory(void) {
  const int64_t physical = (int64_t)sysconf(_SC_PHYS_PAGES) * (int64_t)sysconf(_SC_PAGESIZE);
  return least(physical, limit_of_groups());
}

int64_t wal_machine_process_memory(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ||
      limit.rlim_cur > INT64_MAX)
    return INT64_MAX;
  return (int64_t)limit.rlim_cur;
}

const char *wal_size_text(double bytes, char *buffer, size_t size) {
  static const char *const UNITS[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  int unit = 0;
  for (; bytes >= 1000 && unit < 5; unit++) bytes /= 1024;
  snprintf(buffer, size, "%.4g %s", bytes, UNITS[unit]);
  return buffer;
}
