// SPDX-License-Identifier: GPL-3.0-or-later
#include "cli/options.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim/core/parameter.h"

enum {
  RUN = WAL_COMMAND_RUN,
  CHECK = WAL_COMMAND_CHECK,
  RESUME = WAL_COMMAND_RESUME,
  REPORT = WAL_COMMAND_REPORT,
  INFO = WAL_COMMAND_INFO
};

static const double USUAL_CADENCE = 600;  // seconds between checkpoints

static const wal_option OPTIONS[] = {
    {'o', "output", "FILE", "file to write (default: SCENARIO.h5; of a report RUN.report.html)",
     RUN | REPORT},
    {'P', "parameter", "PATH=VALUE", "set one value of the scenario, as game.states=37; repeatable",
     RUN | CHECK},
    {0, "seed", "N", "seed of all random draws (the same as -P seed=N)", RUN | CHECK},
    {'f', "force", NULL, "overwrite an existing file; resume although the scenario changed",
     RUN | RESUME | REPORT},
    {0, "checkpoint-every", "TIME", "10m, 90s, 2h, or 500it (iterations); the default is 10m",
     RUN | RESUME},
    {0, "max-walltime", "TIME", "write a checkpoint and stop before so much time has passed",
     RUN | RESUME},
    {0, "dry-run", NULL, "say what the run will need, and stop", RUN},
    {0, "gradients", "N", "compare a design's gradient with differences in N directions", CHECK},
    {0, "schema", NULL, "compare a run file with the layout of docs/run-file.md, or print that",
     INFO},
    {'q', "quiet", NULL, "no progress on stderr", RUN | RESUME},
    {0, "log", "json", "progress and errors on stderr as lines of JSON", RUN | CHECK | RESUME},
    {'h', "help", NULL, "this help", 0},
    {'V', "version", NULL, "version", 0},
};
enum { OPTION_COUNT = sizeof OPTIONS / sizeof OPTIONS[0] };

const wal_option *wal_option_at(int index) { return &OPTIONS[index]; }
int wal_option_count(void) { return OPTION_COUNT; }

static const char *option_name(const void *user, int64_t i) {
  (void)user;
  return OPTIONS[i].name;
}

static const char *command_name(const void *user, int64_t i) {
  (void)user;
  return wal_command_at((int)i)->name;
}

static const wal_option *find_option(const char *word, const char **value) {
  *value = NULL;
  for (int i = 0; i < OPTION_COUNT; i++) {
    const wal_option *o = &OPTIONS[i];
    if (word[1] == '-') {
      size_t n = strlen(o->name);
      if (strncmp(word + 2, o->name, n) != 0) continue;
      if (word[2 + n] == '=') *value = word + 3 + n;
      if (word[2 + n] == '=' || word[2 + n] == '\0') return o;
    } else if (o->letter && word[1] == o->letter) {
      if (word[2] != '\0') *value = word + 2;
      return o;
    }
  }
  return NULL;
}

bool wal_options_launched(void) {
  static const char *const RANK[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK"};
  for (size_t i = 0; i < sizeof RANK / sizeof RANK[0]; i++)
    if (getenv(RANK[i])) return true;
  return false;
}

bool wal_options_json(int argc, char **argv) {
  for (int i = 1; i < argc; i++)
    if (strcmp(argv[i], "--log=json") == 0 ||
        (strcmp(argv[i], "--log") == 0 && i + 1 < argc && strcmp(argv[i + 1], "json") == 0))
      return true;
  return false;
}

/* `what` is "command" or "option"; a nearby option is shown with its dashes. */
static bool fail_unknown(const char *what, const char *word, const char *near_to, char *error,
                         size_t size) {
  if (near_to)
    snprintf(error, size, "walras: unknown %s \"%s\"; did you mean \"%s%s\"?", what, word,
             what[0] == 'o' ? "--" : "", near_to);
  else
    snprintf(error, size, "walras: unknown %s \"%s\"; see walras --help", what, word);
  return false;
}

static bool store(wal_options *out, const wal_option *o, const char *value, char *error,
                  size_t size) {
  if (strcmp(o->name, "output") == 0) out->output = value;
  if (strcmp(o->name, "seed") == 0) out->seed = value;
  if (strcmp(o->name, "force") == 0) out->force = true;
  if (strcmp(o->name, "dry-run") == 0) out->dry_run = true;
  if (strcmp(o->name, "schema") == 0) out->schema = true;
  if (strcmp(o->name, "quiet") == 0) out->quiet = true;
  if (strcmp(o->name, "help") == 0) out->help = true;
  if (strcmp(o->name, "version") == 0) out->version = true;
  const bool walltime = strcmp(o->name, "max-walltime") == 0;
  if (walltime || strcmp(o->name, "checkpoint-every") == 0) {
    wal_cadence *cadence = walltime ? &out->max_walltime : &out->checkpoint_every;
    if (!wal_cadence_read(value, walltime, cadence)) {
      snprintf(error, size, "walras: --%s: expected a time such as 10m%s, got \"%s\"", o->name,
               walltime ? "" : ", or iterations such as 500it", value);
      return false;
    }
  }
  if (strcmp(o->name, "gradients") == 0) {
    char *end = NULL;
    out->gradients = strtoll(value, &end, 10);
    if (out->gradients < 1 || out->gradients > 1000000 || *end != '\0') {
      snprintf(error, size,
               "walras: --gradients: expected a whole number of directions, got \"%s\"", value);
      return false;
    }
  }
  if (strcmp(o->name, "log") == 0) {
    out->json = strcmp(value, "json") == 0;
    if (!out->json) {
      snprintf(error, size, "walras: --log: expected json, got \"%s\"", value);
      return false;
    }
  }
  if (strcmp(o->name, "parameter") == 0) {
    if (out->overrides == WAL_OVERRIDES) {
      snprintf(error, size, "walras: expected at most %d times -P", WAL_OVERRIDES);
      return false;
    }
    out->override[out->overrides++] = value;
  }
  return true;
}

/* A file where a command should be. */
static bool is_file(const char *word) { return access(word, F_OK) == 0 || strstr(word, ".lua"); }

static bool parse_operand(const char *word, wal_options *out, char *error, size_t size) {
  if (!out->command && strcmp(word, "help") == 0) {
    out->help = true;  // as --help, with or without a command behind it
    return true;
  }
  if (!out->command) {
    for (int i = 0; i < wal_command_count(); i++)
      if (strcmp(word, wal_command_at(i)->name) == 0) out->command = wal_command_at(i);
    if (!out->command && is_file(word)) {
      snprintf(error, size,
               "walras: unknown command \"%s\"; a file follows its command: walras %s %s", word,
               strstr(word, ".h5") ? "info" : "run", word);
      return false;
    }
    return out->command ||
           fail_unknown("command", word,
                        wal_nearest_name(word, wal_command_count(), command_name, NULL), error,
                        size);
  }
  if (out->operands == WAL_OPERANDS || out->operands == out->command->most) {
    snprintf(error, size, "walras %s: unexpected \"%s\"; see walras %s --help", out->command->name,
             word, out->command->name);
    return false;
  }
  out->operand[out->operands++] = word;
  return true;
}

bool wal_options_parse(int argc, char **argv, wal_options *out, char *error, size_t size) {
  memset(out, 0, sizeof *out);
  out->checkpoint_every.seconds = USUAL_CADENCE;
  bool options_end = false;
  const wal_option *given[OPTION_COUNT];
  int given_count = 0;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i], *value = NULL;
    if (!options_end && strcmp(word, "--") == 0) {
      options_end = true;
    } else if (options_end || word[0] != '-' || word[1] == '\0') {
      if (!parse_operand(word, out, error, size)) return false;
    } else {
      const wal_option *o = find_option(word, &value);
      if (!o)
        return fail_unknown(
            "option", word,
            wal_nearest_name(word + strspn(word, "-"), OPTION_COUNT, option_name, NULL), error,
            size);
      if (!o->argument && value) {
        snprintf(error, size, "walras: --%s: expected no value, got \"%s\"", o->name, value);
        return false;
      }
      if (o->argument && !value && ++i < argc) value = argv[i];
      if (o->argument && !value) {
        snprintf(error, size, "walras: --%s: expected %s, got nothing", o->name, o->argument);
        return false;
      }
      if (!store(out, o, value, error, size)) return false;
      if (given_count < OPTION_COUNT) given[given_count++] = o;
    }
  }
  if (out->help || out->version || !out->command) return true;
  const unsigned self = out->command->bit;
  for (int i = 0; i < given_count; i++)
    if (given[i]->commands && !(given[i]->commands & self)) {
      snprintf(error, size, "walras %s does not take --%s", out->command->name, given[i]->name);
      return false;
    }
  if (out->operands < out->command->least) {
    snprintf(error, size, "walras %s: expected %s, got %s; see walras %s --help",
             out->command->name, out->command->operands,
             out->operands > 0 ? "one file only" : "nothing", out->command->name);
    return false;
  }
  return true;
}

void wal_options_first_steps(FILE *out) {
  fprintf(out,
          "walras: simulate very large strategic populations, design the rules they play under\n\n"
          "to begin, write a scenario, run it, look at what came out:\n"
          "  echo 'return solve { game = beach_bar {} }' > first.lua\n"
          "  walras run first.lua\n"
          "  walras info first.h5\n\n"
          "  walras list                what scenarios are made of: games, mechanisms, tasks, ...\n"
          "  walras describe beach_bar  its parameters\n"
          "  walras --help              all commands and options\n");
}

void wal_options_help(const wal_command *command, FILE *out) {
  unsigned self = ~0u;
  if (command) {
    self = command->bit;
    fprintf(out, "walras %s %s\n  %s\n\n", command->name, command->operands, command->summary);
  } else {
    fprintf(out,
            "walras: simulate very large strategic populations, design the rules they play "
            "under\n\n");
    for (int i = 0; i < wal_command_count(); i++) {
      const wal_command *c = wal_command_at(i);
      char usage[64];
      snprintf(usage, sizeof usage, "%s %s", c->name, c->operands);
      fprintf(out, "  walras %-22s %s\n", usage, c->summary);
    }
    fprintf(out, "\n");
  }
  for (int i = 0; i < OPTION_COUNT; i++) {
    const wal_option *o = &OPTIONS[i];
    if (o->commands && !(o->commands & self)) continue;
    char letter[8] = "   ", name[40];
    if (o->letter) snprintf(letter, sizeof letter, "-%c,", o->letter);
    snprintf(name, sizeof name, "--%s%s%s", o->name, o->argument ? " " : "",
             o->argument ? o->argument : "");
    fprintf(out, "  %s %-24s %s\n", letter, name, o->meaning);
  }
  if (command) return;
  fprintf(
      out,
      "\nexit status: 0 done; 2 stopped before convergence was reached; 3 a non-finite "
      "value appeared;\n64 wrong usage; 65 bad scenario; 66 no such file; 69 gnuplot is missing; "
      "70 our bug;\n73 cannot create; 74 I/O error; 75 stopped on request, to be resumed\n");
}
