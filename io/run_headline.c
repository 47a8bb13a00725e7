// SPDX-License-Identifier: GPL-3.0-or-later
#include "io/run_headline.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/run_scenario.h"

enum { NAME = 128, RUNS_MOST = 1 << 24 };

// ---- Pieces of the file -----------------------------------------------------------------------

static bool has(hid_t file, const char *group, const char *name) {
  char path[2 * NAME];
  snprintf(path, sizeof path, "%s/%s", group, name);
  return H5Lexists(file, group, H5P_DEFAULT) > 0 && H5Lexists(file, path, H5P_DEFAULT) > 0;
}

/* A real attribute; NaN if there is none. */
static double attribute(hid_t file, const char *object, const char *name) {
  double value = NAN;
  if (H5Lexists(file, object, H5P_DEFAULT) <= 0 ||
      H5Aexists_by_name(file, object, name, H5P_DEFAULT) <= 0)
    return NAN;
  hid_t id = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  wal_hdf5_shape shape;
  const bool good = id >= 0 && wal_hdf5_shape_of(id, &shape) && shape.items == 1 &&
                    (shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER) &&
                    H5Aread(id, H5T_NATIVE_DOUBLE, &value) >= 0;
  if (id >= 0) H5Aclose(id);
  return good ? value : NAN;
}

/* Prints a text attribute, which is there in files that are whole. */
static void print_attribute(hid_t file, const char *object, const char *name, FILE *out) {
  hid_t id = H5Aopen_by_name(file, object, name, H5P_DEFAULT, H5P_DEFAULT);
  if (id < 0 || !wal_hdf5_attribute_value(id, NULL, out)) fputc('?', out);
  if (id >= 0) H5Aclose(id);
}

/* An item of a column of numbers (place < 0: the last); NaN if it cannot be read. */
static double item(hid_t file, const char *group, const char *name, int64_t place) {
  char path[2 * NAME];
  wal_hdf5_shape shape;
  double value = NAN;
  if (!has(file, group, name)) return NAN;
  snprintf(path, sizeof path, "%s/%s", group, name);
  hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  bool good = dataset >= 0 && wal_hdf5_shape_of(dataset, &shape) && shape.rank == 1 &&
              shape.items > 0 && (shape.kind == WAL_HDF5_REAL || shape.kind == WAL_HDF5_INTEGER);
  if (good) {
    const hsize_t at = place < 0 ? shape.extent[0] - 1 : (hsize_t)place, one = 1;
    hid_t from = H5Dget_space(dataset), to = H5Screate(H5S_SCALAR);
    good = H5Sselect_hyperslab(from, H5S_SELECT_SET, &at, NULL, &one, NULL) >= 0 &&
           H5Dread(dataset, H5T_NATIVE_DOUBLE, to, from, H5P_DEFAULT, &value) >= 0;
    H5Sclose(from);
    H5Sclose(to);
  }
  if (dataset >= 0) H5Dclose(dataset);
  return good ? value : NAN;
}

// ---- Tasks ------------------------------------------------------------------------------------

static void print_names(const char *task, json_t *params, FILE *out) {
  char shown[NAME];
  const char *names[] = {wal_run_scenario_component(json_object_get(params, "game")),
                         wal_run_scenario_component(json_object_get(params, "learner"))};
  fputs(task, out);
  for (int i = 0; i < 2; i++) {
    if (!names[i]) continue;
    wal_hdf5_one_line(names[i], shown, sizeof shown);
    fprintf(out, ", %s", shown);
  }
}

/* What agents made of what a solve or a design found, if any played it: the last of their numbers.
 */
static void print_played(hid_t file, FILE *out) {
  static const char GROUP[] = "/population";
  const double agents = item(file, GROUP, "agents", -1);
  const bool objective = has(file, GROUP, "objective_mean");
  const double mean = item(file, GROUP, objective ? "objective_mean" : "return_mean", -1);
  const double error = item(file, GROUP, objective ? "objective_error" : "return_error", -1);
  const double limit = attribute(file, GROUP, objective ? "objective" : "value");
  if (isnan(agents) || isnan(mean)) return;
  fprintf(out, "; %.0f agent%s: %s %.6g", agents, agents == 1 ? "" : "s",
          objective ? "objective" : "return", mean);
  if (!isnan(error)) fprintf(out, " +- %.2g", error);
  if (!isnan(limit)) fprintf(out, " (in the limit %.6g)", limit);
}

static void print_solve(hid_t file, json_t *params, FILE *out) {
  json_t *stop = json_object_get(params, "stop");
  const bool tolerance = json_number_value(json_object_get(stop, "exploitability")) > 0 ||
                         json_number_value(json_object_get(stop, "relative")) > 0 ||
                         json_number_value(json_object_get(stop, "regularized")) > 0;
  const double iterations = item(file, "/trace", "iteration", -1);
  const double last = item(file, "/trace", "exploitability", -1);
  const double first = item(file, "/trace", "exploitability", 0);
  print_names("solve", params, out);
  if (!isnan(iterations)) fprintf(out, ": %.0f iterations", iterations);
  if (!isnan(last)) fprintf(out, ", exploitability %.6g (at the start %.6g)", last, first);
  const bool converged = attribute(file, "/trace", "converged") == 1;
  fprintf(out, ", %s",
          !tolerance  ? "no tolerance asked for"
          : converged ? "converged"
                      : "NOT converged");
  print_played(file, out);
  fputc('\n', out);
  const char *const totals[] = {"sold", "revenue", "efficiency", "surplus"};
  const char *before = "auction: total";
  for (int i = 0; i < 4; i++) {
    char name[NAME];
    snprintf(name, sizeof name, "total_%s", totals[i]);
    const double total = attribute(file, "/auction", name);
    if (isnan(total)) continue;
    fprintf(out, "%s %s %.6g", before, totals[i], total);
    before = ",";
  }
  if (before[0] == ',') fputc('\n', out);
}

static void print_sweep(hid_t file, FILE *out) {
  wal_hdf5_shape shape;
  if (!has(file, "/summary", "status")) return;
  hid_t dataset = H5Dopen2(file, "/summary/status", H5P_DEFAULT);
  int64_t *status = NULL, failed = 0, open = 0;
  if (dataset >= 0 && wal_hdf5_shape_of(dataset, &shape) && shape.rank == 1 &&
      shape.kind == WAL_HDF5_INTEGER && shape.items > 0 && shape.items <= RUNS_MOST)
    status = malloc((size_t)shape.items * sizeof *status);
  if (status && H5Dread(dataset, H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, status) >= 0) {
    for (int64_t i = 0; i < shape.items; i++) {
      open += status[i] == 2;
      failed += status[i] != 0 && status[i] != 2;
    }
    fprintf(out, "sweep: %lld runs, %lld failed, %lld not converged\n", (long long)shape.items,
            (long long)failed, (long long)open);
  }
  free(status);
  if (dataset >= 0) H5Dclose(dataset);
}

/* Of the rows of /design/reference the usual rules are the first, the best design is the last. */
static void print_design(hid_t file, json_t *params, FILE *out) {
  const char *const parts[] = {"game", "objective", "method"};
  const double steps = item(file, "/design", "step", -1);
  const double best_step = attribute(file, "/design/best", "step");
  const double best = item(file, "/design/reference", "objective", -1);
  const double usual = item(file, "/design/reference", "objective", 0);
  const double status = attribute(file, "/design", "status");
  const double asked =
      json_number_value(json_object_get(json_object_get(params, "evaluate"), "exploitability"));
  const double reached = item(file, "/design/reference", "exploitability", -1);
  char shown[NAME];
  fputs("design", out);
  for (int i = 0; i < 3; i++) {
    const char *name = wal_run_scenario_component(json_object_get(params, parts[i]));
    wal_hdf5_one_line(name ? name : "?", shown, sizeof shown);
    fprintf(out, ", %s", shown);
  }
  if (!isnan(steps)) fprintf(out, ": %.0f steps", steps);
  if (!isnan(best)) fprintf(out, ", objective %.6g", best);
  if (!isnan(best_step)) fprintf(out, " (step %.0f)", best_step);
  if (!isnan(usual)) fprintf(out, ", %.6g under the usual rules", usual);
  fputs(status == 2   ? ", NOT converged: the learner diverged"
        : status == 3 ? ", ended by what is NOT finite"
                      : "",
        out);
  if (status == 0 && asked > 0 && reached <= asked) fputs(", converged", out);
  if (status == 0 && asked > 0 && !(reached <= asked))
    fprintf(out, ", NOT converged: exploitability with entropy %.3g, asked for %.3g", reached,
            asked);
  print_played(file, out);
  fputc('\n', out);
}

static void print_simulate(hid_t file, json_t *params, FILE *out) {
  const double samples = attribute(file, "/simulation", "samples");
  const double mean = item(file, "/simulation", "estimate", 0);
  const double error = item(file, "/simulation", "standard_error", 0);
  const double exact = item(file, "/simulation", "exact", 0);
  print_names("simulate", params, out);
  if (!isnan(samples)) fprintf(out, ": %.0f samples", samples);
  if (!isnan(mean)) fprintf(out, ", revenue %.8g", mean);
  if (!isnan(error)) fprintf(out, " +- %.3g", error);
  if (!isnan(exact)) fprintf(out, " (in theory %.8g)", exact);
  fputc('\n', out);
}

/* Finite populations: of the largest one, which is the last of most lists. */
static void print_population(hid_t file, json_t *params, FILE *out) {
  const double agents = item(file, "/population", "agents", -1);
  const double episodes = attribute(file, "/population", "episodes");
  const double mean = item(file, "/population", "return_mean", -1);
  const double error = item(file, "/population", "return_error", -1);
  const double value = attribute(file, "/population", "value");
  const double objective = item(file, "/population", "objective_mean", -1);
  const double limit = attribute(file, "/population", "objective");
  const double slope = attribute(file, "/population", "return_slope");
  print_names("simulate", params, out);
  if (!isnan(agents)) fprintf(out, ": %.0f agents", agents);
  if (!isnan(episodes)) fprintf(out, ", %.0f episodes", episodes);
  if (!isnan(mean)) fprintf(out, ", return %.6g", mean);
  if (!isnan(error)) fprintf(out, " +- %.2g", error);
  if (!isnan(value)) fprintf(out, " (in the limit %.6g)", value);
  if (!isnan(objective)) fprintf(out, ", objective %.6g", objective);
  if (!isnan(limit)) fprintf(out, " (in the limit %.6g)", limit);
  if (!isnan(slope)) fprintf(out, ", return gap as N^%.2f", slope);
  fputc('\n', out);
}

/* Prints up to `most` names of a dataset with what each comes to; false if there are none. */
static bool print_mediators(hid_t file, int64_t most, FILE *out) {
  wal_hdf5_shape shape;
  char shown[NAME], **names = NULL;
  if (!has(file, "/steering", "mediator")) return false;
  hid_t dataset = H5Dopen2(file, "/steering/mediator", H5P_DEFAULT), type = H5Tcopy(H5T_C_S1);
  H5Tset_size(type, H5T_VARIABLE);
  H5Tset_cset(type, H5T_CSET_UTF8);
  const bool fits = dataset >= 0 && wal_hdf5_shape_of(dataset, &shape) && shape.rank == 1 &&
                    shape.kind == WAL_HDF5_TEXT && shape.items > 0 && shape.items <= RUNS_MOST;
  if (fits) names = calloc((size_t)shape.items, sizeof *names);
  const bool good = names && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, names) >= 0;
  for (int64_t i = 0; good && i < shape.items && i < most; i++) {
    const double gap = item(file, "/steering/summary", "gap_per_episode", i);
    const double slope = item(file, "/steering/summary", "gap_exponent", i);
    wal_hdf5_one_line(names[i] ? names[i] : "?", shown, sizeof shown);
    fprintf(out, "%s %s", i > 0 ? "," : "", shown);
    if (!isnan(gap)) fprintf(out, " %.4g", gap);
    if (!isnan(slope)) fprintf(out, " (sum as t^%.2f)", slope);
  }
  if (good && shape.items > most) fputs(", ...", out);
  for (int64_t i = 0; good && i < shape.items; i++) H5free_memory(names[i]);
  free(names);
  H5Tclose(type);
  if (dataset >= 0) H5Dclose(dataset);
  return good;
}

static void print_steer(hid_t file, json_t *params, FILE *out) {
  enum { SHOWN = 6 };
  const double episodes = item(file, "/steering", "episode", -1);
  const double seeds = item(file, "/steering", "seed", -1) + 1;
  const double cheapest = attribute(file, "/steering/target", "cheapest_cost");
  const char *target = wal_run_scenario_component(json_object_get(params, "target"));
  char shown[NAME];
  print_names("steer", params, out);
  wal_hdf5_one_line(target ? target : "?", shown, sizeof shown);
  fprintf(out, " to %s", shown);
  if (!isnan(episodes)) fprintf(out, ": %.0f episodes", episodes);
  if (!isnan(seeds)) fprintf(out, ", %.0f seed%s", seeds, seeds > 1 ? "s" : "");
  if (!isnan(cheapest)) fprintf(out, ", cheapest stabilizer %.6g an episode", cheapest);
  fputs("\ngap an episode:", out);
  fputs(print_mediators(file, SHOWN, out) ? "\n" : " unknown\n", out);
}

/* The method with the least regret, beside the one that all are compared with. */
static void print_transfer(hid_t file, json_t *params, FILE *out) {
  static const char GROUP[] = "/transfer/summary";
  const char *bandit = wal_run_scenario_component(json_object_get(params, "bandit"));
  const double rounds = item(file, "/transfer", "round", -1);
  const double seeds = item(file, "/transfer", "seed", -1) + 1;
  char shown[NAME];
  double least = item(file, GROUP, "regret", 0), regret = least;
  int64_t best = 0;
  for (int64_t i = 1; !isnan(regret); i++) {
    regret = item(file, GROUP, "regret", i);
    if (!(regret < least)) continue;
    least = regret;
    best = i;
  }
  wal_hdf5_one_line(bandit ? bandit : "?", shown, sizeof shown);
  fprintf(out, "transfer, %s", shown);
  if (!isnan(rounds))
    fprintf(out, ": %.0f rounds, %.0f seed%s", rounds, seeds, seeds == 1 ? "" : "s");
  if (!isnan(least)) {
    const double ratio = item(file, GROUP, "ratio", best);
    const double low = item(file, GROUP, "ratio_low", best);
    fprintf(out, ", least regret %.4g by ", least);
    print_attribute(file, GROUP, "least_regret", out);
    if (!isnan(ratio) && ratio != 1) {
      fprintf(out, ", %.2f", ratio);
      if (!isnan(low)) fprintf(out, " (%.2f-%.2f)", low, item(file, GROUP, "ratio_high", best));
      fputs(" of that of ", out);
      print_attribute(file, GROUP, "baseline", out);
    }
  }
  fputc('\n', out);
}

void wal_run_headline_print(hid_t file, FILE *out) {
  json_t *root = wal_run_scenario_read(file);
  json_t *params = NULL;
  const double at = attribute(file, "/checkpoint", "at");
  if (!isnan(at)) {
    fprintf(out, "checkpoint at iteration %.0f, of a run that has not ended\n", at);
  } else if ((params = json_object_get(root, "solve"))) {
    print_solve(file, params, out);
  } else if ((params = json_object_get(root, "design"))) {
    print_design(file, params, out);
  } else if ((params = json_object_get(root, "transfer"))) {
    print_transfer(file, params, out);
  } else if (json_object_get(root, "sweep")) {
    print_sweep(file, out);
  } else if ((params = json_object_get(root, "steer"))) {
    print_steer(file, params, out);
  } else if ((params = json_object_get(root, "simulate"))) {
    const bool population = H5Lexists(file, "/population", H5P_DEFAULT) > 0;
    (population ? print_population : print_simulate)(file, params, out);
  }
  json_decref(root);
}
