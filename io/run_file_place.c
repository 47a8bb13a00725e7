// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "io/run_file_private.h"
#include "sim/core/memory.h"

/*
 * Where a run file appears. It is written as `.NAME.partial-HOST-PID-I` beside its place: one whose
 * process is gone from this host, or that nobody has touched for an hour, was left by a job
 * that was killed, and is removed by the next run that writes the same NAME.
 */

static const char PARTIAL[] = ".partial-";
static const double ABANDONED = 3600; /* seconds */

enum { HOST_LENGTH = 48, TAIL_LENGTH = 96, LONGEST_PATH = 4000 };

static void fill_host(char host[HOST_LENGTH]) {
  if (gethostname(host, HOST_LENGTH) != 0) snprintf(host, HOST_LENGTH, "host");
  host[HOST_LENGTH - 1] = '\0';
}

/** Bytes of the folder at the front of a path, with its slash. */
static size_t folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? (size_t)(slash - path) + 1 : 0;
}

static void copy_folder(const char *path, char *out) {
  size_t length = folder_length(path);
  while (length > 1 && path[length - 1] == '/') length--;
  memcpy(out, length ? path : ".", length ? length : 1);
  out[length ? length : 1] = '\0';
}

/** As much of a name as a partial file has. */
static size_t kept_length(size_t longest_name) {
  return longest_name > TAIL_LENGTH ? longest_name - TAIL_LENGTH : 1;
}

/** "FOLDER/.NAME.partial-HOST-"; a long name is cut so that the whole stays a valid name. */
static void partial_stem(const char *path, size_t longest_name, char *out, size_t size) {
  char host[HOST_LENGTH];
  fill_host(host);
  size_t folder = folder_length(path);
  snprintf(out, size, "%.*s.%.*s%s%s-", (int)folder, path, (int)kept_length(longest_name),
           path + folder, PARTIAL, host);
}

static size_t longest_name_in(const char *folder) {
  long longest = pathconf(folder, _PC_NAME_MAX);
  return longest > 0 ? (size_t)longest : NAME_MAX;
}

static wal_status cannot(wal_ctx *ctx, const char *path, const char *why) {
  return wal_fail(ctx, WAL_ECREATE, "cannot create %s: %s", path, why);
}

static wal_status examine_folder(wal_ctx *ctx, const char *path, const char *folder) {
  char why[LONGEST_PATH + 128];
  struct stat info;
  if (stat(folder, &info) != 0) {
    int error = errno;
    snprintf(why, sizeof why,
             error == ENOENT ? "the folder %s does not exist" : "the folder %s cannot be used: %s",
             folder, strerror(error));
    return cannot(ctx, path, why);
  }
  if (!S_ISDIR(info.st_mode)) {
    snprintf(why, sizeof why, "%s is not a folder", folder);
    return cannot(ctx, path, why);
  }
  if (access(folder, W_OK | X_OK) != 0) {
    snprintf(why, sizeof why, "the folder %s cannot be written: %s", folder, strerror(errno));
    return cannot(ctx, path, why);
  }
  return WAL_OK;
}

/* Whether HDF5 data stand there that walras did not write: most likely a game's tables. Run files
   have the attribute walras_version near their beginning, damaged ones too. */
static bool is_foreign(const char *path) {
  enum { HEAD = 65536 };
  static const char SIGNATURE[] = "\x89HDF\r\n\x1a\n", MARK[] = "walras_version";
  FILE *file = fopen(path, "rb");
  char *head = malloc(HEAD);
  const size_t length = file && head ? fread(head, 1, HEAD, file) : 0;
  bool foreign =
      length >= sizeof SIGNATURE - 1 && memcmp(head, SIGNATURE, sizeof SIGNATURE - 1) == 0;
  for (size_t i = 0; foreign && i + sizeof MARK - 1 <= length; i++)
    foreign = memcmp(head + i, MARK, sizeof MARK - 1) != 0;
  free(head);
  if (file) fclose(file);
  return foreign;
}

static wal_status examine_target(wal_ctx *ctx, const char *path, bool force) {
  struct stat info;
  if (lstat(path, &info) != 0) {
    if (errno == ENOENT) return WAL_OK;
    return cannot(ctx, path, strerror(errno));
  }
  bool dangling = S_ISLNK(info.st_mode) && stat(path, &info) != 0;
  if (S_ISDIR(info.st_mode)) return cannot(ctx, path, "it is a folder");
  // A device or pipe would be replaced by the file, not written to.
  if (!dangling && !S_ISREG(info.st_mode)) return cannot(ctx, path, "it is not a regular file");
  if (!force) return cannot(ctx, path, "file exists (use --force to overwrite it)");
  if (is_foreign(path)) return cannot(ctx, path, "an HDF5 file that is no run file stands there");
  return WAL_OK;
}

/** Whether a process has ended but nobody has asked how, as in containers without an init that
 * does. Where the system does not tell: no. */
static bool is_zombie(long pid) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file) return false;
  const char *got = fgets(line, sizeof line, file), *name_end = got ? strrchr(line, ')') : NULL;
  fclose(file);
  return name_end && strncmp(name_end, ") Z", 3) == 0;
}

/** Whether a job of this host that is gone left the partial file, from what follows ".partial-" in
 *  its name. */
static bool is_left(const char *tail) {
  char host[HOST_LENGTH], *end = NULL;
  fill_host(host);
  const size_t length = strlen(host);
  if (strncmp(tail, host, length) != 0 || tail[length] != '-') return false;
  const char *digits = tail + length + 1;
  const long pid = strtol(digits, &end, 10);
  if (end == digits || *end != '-' || pid <= 0 || pid > INT_MAX) return false;
  return kill((pid_t)pid, 0) == 0 ? is_zombie(pid) : errno == ESRCH;
}

/** Whether the partial file's job must be gone, wherever it ran: a file that is being written does
 *  not rest so long. */
static bool is_old(const char *path) {
  struct stat info;
  return stat(path, &info) == 0 && difftime(time(NULL), info.st_mtime) > ABANDONED;
}

void wal_run_file_sweep(const char *path, bool (*ours)(const char *path, const char *name)) {
  char folder[LONGEST_PATH + 2], victim[LONGEST_PATH + 1024];
  if (strlen(path) > LONGEST_PATH) return;
  copy_folder(path, folder);
  DIR *list = opendir(folder);
  for (struct dirent *entry; list && (entry = readdir(list)) != NULL;) {
    char name[NAME_MAX + 1];
    const char *mark = entry->d_name[0] == '.' ? strstr(entry->d_name, PARTIAL) : NULL;
    if (!mark) continue;
    snprintf(name, sizeof name, "%.*s", (int)(mark - entry->d_name - 1), entry->d_name + 1);
    if (!ours(path, name)) continue;
    snprintf(victim, sizeof victim, "%.*s%s", (int)folder_length(path), path, entry->d_name);
    if (is_left(mark + sizeof PARTIAL - 1) || is_old(victim)) unlink(victim);
  }
  if (list) closedir(list);
}

static bool same_name(const char *path, const char *name) {
  char folder[LONGEST_PATH + 2];
  copy_folder(path, folder);
  const char *base = path + folder_length(path);
  const size_t kept = kept_length(longest_name_in(folder));
  return strncmp(name, base, kept) == 0 &&
         strlen(name) == (strlen(base) < kept ? strlen(base) : kept);
}

wal_status wal_run_file_examine(wal_ctx *ctx, const char *path, bool force, char **partial) {
  *partial = NULL;
  size_t length = path ? strlen(path) : 0;
  if (length == 0) return cannot(ctx, "a run file", "the name is empty");
  if (length > LONGEST_PATH) {
    char start[64];
    wal_hdf5_one_line(path, start, sizeof start);
    return cannot(ctx, start, "the path is too long");
  }
  char folder[LONGEST_PATH + 2];
  copy_folder(path, folder);
  const char *name = path + folder_length(path);
  WAL_TRY(examine_folder(ctx, path, folder));
  if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
    return cannot(ctx, path, "it is a folder");
  size_t longest = longest_name_in(folder);
  if (strlen(name) > longest) {
    char why[128];
    snprintf(why, sizeof why, "the name is too long (%zu bytes, at most %zu)", strlen(name),
             longest);
    return cannot(ctx, path, why);
  }
  WAL_TRY(examine_target(ctx, path, force));

  char stem[LONGEST_PATH + 512];
  partial_stem(path, longest, stem, sizeof stem);
  wal_run_file_sweep(path, same_name);
  int64_t room = (int64_t)strlen(stem) + 48;
  WAL_TRY(wal_acquire(ctx, "a file name", room, 1, partial));
  int made = -1, error = EEXIST;
  // The numbers after the process are for several files at once, and for an earlier process of the
  // same number.
  for (int i = 0; made < 0 && error == EEXIST && i < 100; i++) {
    snprintf(*partial, (size_t)room, "%s%ld-%d", stem, (long)getpid(), i);
    made = open(*partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    error = errno;
  }
  if (made < 0) {
    wal_release(ctx, partial);
    return cannot(ctx, path, strerror(error));
  }
  close(made);
  return WAL_OK;
}

/** Bytes that may still be written in the folder of `path`; negative if that is not known. */
static double free_bytes(const char *path) {
  char folder[LONGEST_PATH + 2];
  struct statvfs disk;
  if (strlen(path) > LONGEST_PATH) return -1;
  copy_folder(path, folder);
  int failed;
  do failed = statvfs(folder, &disk);
  while (failed && errno == EINTR);
  if (failed || disk.f_blocks == 0) return -1;
  return (double)disk.f_bavail * (double)disk.f_frsize;
}

static void write_size(double bytes, char *out, size_t size) {
  static const char *const UNITS[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB"};
  int unit = 0;
  for (; bytes >= 1024 && unit < 5; unit++) bytes /= 1024;
  snprintf(out, size, "%.4g %s", bytes, UNITS[unit]);
}

wal_status wal_run_file_space(wal_ctx *ctx, const char *path, double bytes) {
  wal_status status = WAL_OK;
  if (wal_ctx_rank(ctx) == 0) {
    const double there = free_bytes(path);
    char needed[32], available[32];
    write_size(bytes, needed, sizeof needed);
    write_size(there, available, sizeof available);
    if (there >= 0 && there < bytes)
      status = wal_fail(ctx, WAL_ECREATE,
                        "cannot create %s: the disk is full: it needs %s, %s are available", path,
                        needed, available);
  }
  return wal_agree(ctx, status);
}

static wal_status sync_path(wal_ctx *ctx, const char *path, const char *what, int flags) {
  int handle = open(what, flags | O_CLOEXEC);
  // Some file systems cannot sync a folder and say EINVAL: then there is nothing to be done.
  bool good = handle >= 0 && (fsync(handle) == 0 || errno == EINVAL);
  int error = errno;
  if (handle >= 0) close(handle);
  if (good) return WAL_OK;
  return wal_fail(ctx, WAL_EIO, "%s: cannot be brought to disk: %s", path, strerror(error));
}

/** The file stood in nobody's way when the run began: its results are kept under a free name. */
static wal_status publish_beside(wal_run_file *file) {
  char other[LONGEST_PATH + 16];
  struct stat info;
  for (int i = 1; i < 1000; i++) {
    snprintf(other, sizeof other, "%s.%d", file->path, i);
    if (lstat(other, &info) == 0 || rename(file->partial, other) != 0) continue;
    return wal_fail(file->ctx, WAL_ECREATE,
                    "cannot create %s: file exists since the run was going on; the results are in "
                    "%s",
                    file->path, other);
  }
  return cannot(file->ctx, file->path, "file exists since the run was going on");
}

wal_status wal_run_file_publish(wal_run_file *file) {
  wal_ctx *ctx = file->ctx;
  WAL_TRY(sync_path(ctx, file->path, file->partial, O_RDONLY));
  struct stat info;
  if (!file->force && lstat(file->path, &info) == 0) return publish_beside(file);
  if (rename(file->partial, file->path) != 0) return cannot(ctx, file->path, strerror(errno));
  char folder[LONGEST_PATH + 2];
  copy_folder(file->path, folder);
  return sync_path(ctx, file->path, folder, O_RDONLY | O_DIRECTORY);
}
