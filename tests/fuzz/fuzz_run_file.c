// SPDX-License-Identifier: GPL-3.0-or-later
/* Reading run files. The first byte of an input chooses between
 *
 * a program (hdf5_program.h) that changes a sound run file through HDF5, which cuts its seal off;
 * it is then described and compared;
 *
 * and damage: bytes of a sealed file, or of its seal, are changed, the file is cut or made longer,
 * and the checksum of the seal itself is put right or not. The seal stands between such files and
 * HDF5, which does not survive all of them. So a file is read to the end only if the seal lets it
 * pass, and neither the seal nor what says where it begins has been forged. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/run_compare.h"
#include "io/run_describe.h"
#include "io/run_file.h"
#include "io/run_seal.h"
#include "tests/fuzz/hdf5_program.h"

enum { STAGES = 2, STATES = 3, LARGE = 4100, LONGEST = 1 << 18, SUPERBLOCK = 96 };

static const char *const NAMES[] = {"scenario",
                                    "scenario/source",
                                    "axes",
                                    "axes/stage",
                                    "axes/state",
                                    "solution",
                                    "solution/value",
                                    "solution/note",
                                    "trace",
                                    "trace/iteration",
                                    "trace/gap",
                                    "run",
                                    "run/seconds",
                                    "format",
                                    "format_version",
                                    "complete",
                                    "units",
                                    "long_name",
                                    "DIMENSION_LIST",
                                    "REFERENCE_LIST",
                                    "CLASS",
                                    "NAME",
                                    "/",
                                    "seed",
                                    "walras_version"};

static wal_dataset described(const char *path, int rank, int64_t a, int64_t b) {
  return (wal_dataset){
      .path = path, .units = "1", .long_name = "numbers", .rank = rank, .extent = {a, b}};
}

static void fill_row(void *user, int64_t i, double *out) {
  (void)user;
  for (int s = 0; s < LARGE; s++) out[s] = (double)(i + s);
}

static wal_status write_parts(wal_run_file *file) {
  const int64_t index[] = {0, 1, 2};
  const double numbers[] = {0, 0.5, -1, 2, 1e-300, 7};
  const char *text = "return solve { }\n";
  static const char *const GROUPS[] = {"/scenario", "/axes", "/solution", "/trace", "/run"};
  for (size_t i = 0; i < sizeof GROUPS / sizeof *GROUPS; i++)
    WAL_TRY(wal_run_file_group(file, GROUPS[i]));
  wal_dataset d = described("/axes/stage", 1, STAGES, 0);
  d.is_scale = true;
  WAL_TRY(wal_run_file_integers(file, &d, index));
  d = described("/axes/state", 1, STATES, 0);
  d.is_scale = true;
  WAL_TRY(wal_run_file_integers(file, &d, index));
  d = described("/trace/iteration", 1, STATES, 0);
  d.is_scale = true;
  WAL_TRY(wal_run_file_integers(file, &d, index));
  d = described("/solution/value", 2, STAGES, STATES);
  d.scale[0] = "/axes/stage";
  d.scale[1] = "/axes/state";
  WAL_TRY(wal_run_file_reals(file, &d, numbers));
  d = described("/trace/gap", 1, STATES, 0);
  d.scale[0] = "/trace/iteration";
  WAL_TRY(wal_run_file_reals(file, &d, numbers));
  d = described("/run/seconds", 1, STATES, 0);
  WAL_TRY(wal_run_file_reals(file, &d, numbers));
  d = described("/scenario/source", 0, 0, 0);
  WAL_TRY(wal_run_file_texts(file, &d, &text));
  d = described("/solution/large", 2, 2, LARGE);
  WAL_TRY(wal_run_file_spread(file, &d, 0, 0, 2, fill_row, NULL));
  WAL_TRY(wal_run_file_link(file, "/axes/stage", "/solution/stage"));
  WAL_TRY(wal_run_file_attribute_text(file, "/", "task", "solve"));
  return wal_run_file_attribute_integer(file, "/", "seed", 1);
}

/** The bytes of a sound run file, made once, and left at fuzz_path(1). */
static const char *sound_bytes(size_t *count) {
  static char *bytes;
  static size_t length;
  if (!bytes) {
    wal_run_file *run = NULL;
    FUZZ_CHECK(wal_run_file_create(fuzz_ctx(), fuzz_path(1), true, &run) == WAL_OK);
    FUZZ_CHECK(write_parts(run) == WAL_OK);
    FUZZ_CHECK(wal_run_file_commit(&run) == WAL_OK);
    FILE *file = fopen(fuzz_path(1), "rb");
    bytes = malloc(LONGEST);
    FUZZ_CHECK(file && bytes);
    length = fread(bytes, 1, LONGEST, file);
    fclose(file);
    FUZZ_CHECK(length < LONGEST);
  }
  *count = length;
  return bytes;
}

static void read_all(const char *path, bool alone) {
  wal_ctx *ctx = fuzz_ctx();
  const int64_t before = wal_ctx_memory(ctx);
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  FUZZ_CHECK(out);
  wal_status status = wal_run_describe(ctx, path, out);
  fclose(out);
  if (status != WAL_OK) fuzz_check_failure(ctx, status);
  FUZZ_CHECK(status != WAL_OK || length > 0);
  for (size_t i = 0; i < length; i++)
    FUZZ_CHECK(text[i] == '\n' || ((unsigned char)text[i] >= ' ' && text[i] != 127));
  free(text);
  wal_run_comparison against = {0};
  status = wal_run_compare(ctx, path, alone ? path : fuzz_path(1), &against);
  if (status != WAL_OK) fuzz_check_failure(ctx, status);
  FUZZ_CHECK(status != WAL_OK || !alone || against.differing == 0);
  FUZZ_CHECK(wal_ctx_memory(ctx) == before);
  FUZZ_CHECK(H5Fget_obj_count(H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
}

/** As io/run_seal.h says. */
static uint64_t crc64(const unsigned char *bytes, size_t count) {
  uint64_t crc = 0;
  for (size_t i = 0; i < count; i++) {
    crc ^= (uint64_t)bytes[i] << 56;
    for (int bit = 0; bit < 8; bit++)
      crc = crc >> 63 ? crc << 1 ^ UINT64_C(0x42F0E1EBA9EA3693) : crc << 1;
  }
  return crc;
}

/** The bytes of a file that is being damaged. */
typedef struct damaged {
  unsigned char bytes[LONGEST + 4096];
  size_t size, seal; /**< where the seal begins */
  bool forged;       /**< not only what the seal covers, or does not need to, has changed */
} damaged;

static void reseal(damaged *d) {
  if (d->size < d->seal + 16) return;
  const uint64_t crc = crc64(d->bytes + d->seal, d->size - d->seal - 8);
  for (int i = 0; i < 8; i++) d->bytes[d->size - 8 + (size_t)i] = (unsigned char)(crc >> 8 * i);
  d->forged = true;
}

static void damage(damaged *d, const uint8_t step[4]) {
  const size_t far = (size_t)step[1] << 8 | step[2];
  size_t at = 0;
  switch (step[0] % 6) {
    case 0:  // where the superblock says how long the file is
      at = far % SUPERBLOCK;
      break;
    case 1:
      at = d->seal + (d->size > d->seal ? far % (d->size - d->seal) : 0);
      break;
    case 2:
      at = far * d->seal / 65536;
      break;
    case 3:
      d->size = far * d->size / 65536;
      d->forged = true;
      return;
    case 4:
      for (unsigned i = 0; i < step[2] % 64U && d->size < sizeof d->bytes; i++)
        d->bytes[d->size++] = step[3];
      d->forged = true;
      return;
    default:
      reseal(d);
      return;
  }
  if (at >= d->size) return;
  d->bytes[at] = step[3];
  d->forged = d->forged || at < SUPERBLOCK || at >= d->seal;
}

static void check_seal(const uint8_t *steps, size_t count, const char *sound, size_t length) {
  static damaged d;
  static const char MAGIC[] = "WALSEAL1";
  wal_ctx *ctx = fuzz_ctx();
  d = (damaged){.size = length, .seal = length - 8};
  memcpy(d.bytes, sound, length);
  while (d.seal > 0 && memcmp(d.bytes + d.seal, MAGIC, 8) != 0) d.seal--;
  FUZZ_CHECK(d.seal > 0);
  for (size_t i = 0; i + 4 <= count; i += 4) damage(&d, steps + i);
  fuzz_write(fuzz_path(0), d.bytes, d.size);
  FILE *file = fopen(fuzz_path(0), "rb");
  FUZZ_CHECK(file);
  const int64_t before = wal_ctx_memory(ctx);
  const wal_status status = wal_run_seal_check(ctx, fuzz_path(0), file);
  fclose(file);
  FUZZ_CHECK(wal_ctx_memory(ctx) == before);
  if (status != WAL_OK) fuzz_check_failure(ctx, status);
  FUZZ_CHECK(status == WAL_OK || d.size != length || memcmp(d.bytes, sound, length) != 0);
  if (status == WAL_OK && !d.forged) read_all(fuzz_path(0), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
  size_t length = 0;
  if (count == 0) return 0;
  H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
  const char *sound = sound_bytes(&length);
  if (bytes[0] >= 192) {
    check_seal(bytes + 1, count - 1, sound, length);
    return 0;
  }
  fuzz_write(fuzz_path(0), sound, length);
  const hid_t file = H5Fopen(fuzz_path(0), H5F_ACC_RDWR, H5P_DEFAULT);
  FUZZ_CHECK(file >= 0);
  hdf5_program_run(file, (hdf5_names){NAMES, sizeof NAMES / sizeof *NAMES}, bytes + 1, count - 1);
  FUZZ_CHECK(H5Fget_obj_count(file, H5F_OBJ_ALL) == 1);
  H5Fclose(file);
  read_all(fuzz_path(0), bytes[0] & 1);
  return 0;
}
