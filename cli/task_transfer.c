// SPDX-License-Identifier: GPL-3.0-or-later
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/bandit_file.h"
#include "cli/component_list.h"
#include "cli/machine.h"
#include "cli/run_parts.h"
#include "cli/transfer_file.h"
#include "cli/transfer_print.h"
#include "cli/units.h"
#include "sim/core/memory.h"

static const wal_param PARAMS[] = {
    {.name = "bandit",
     .type = WAL_COMPONENT,
     .text = "log_linear",
     .choices = "bandit",
     .named = true,
     .meaning = "prompts, responses, true rewards and reference policy"},
    {.name = "sources",
     .type = WAL_COMPONENT,
     .optional = true,
     .choices = "source",
     .wraps = "mixtures",
     .meaning =
         "imperfect reward models; left out: there are none, and what is distilled online is "
         "all that can be transferred"},
    {.name = "methods",
     .type = WAL_ANY,
     .optional = true,
     .choices = "a transfer_method or a list of them",
     .meaning = "who learns; several are compared, each with the same seeds; tpo, empirical_tpo, "
                "greedy, xpo and vpo if left out"},
    {.name = "annotators",
     .type = WAL_COMPONENT,
     .optional = true,
     .choices = "annotator",
     .named = true,
     .meaning = "who says which response is preferred; left out: one, by the true rewards"},
    {.name = "rounds",
     .type = WAL_INTEGER,
     .number = 4000,
     .low = 1,
     .high = 1e7,
     .meaning = "T: comparisons that are asked for"},
    {.name = "refit",
     .type = WAL_INTEGER,
     .number = 50,
     .low = 1,
     .high = 1e7,
     .meaning = "rounds from one fit of the models to the next"},
    {.name = "seeds",
     .type = WAL_INTEGER,
     .number = 20,
     .low = 1,
     .high = 4096,
     .meaning = "repetitions, with the seed of the task and those that follow it; each draws a "
                "bandit of its own, unless that is given"},
    WAL_TASK_SEED_PARAM,
    {0}};

enum { MOST = WAL_COMPONENT_LIST_MOST, NAME = WAL_COMPONENT_LIST_NAME };

/* A transfer at work: units are methods, with every seed. */
typedef struct work {
  wal_job *job;
  wal_params *params;
  wal_ctx *alone;  /* of this rank */
  wal_bandit kept; /* of a file */
  wal_transfer transfer;
  wal_component_list list; /* of methods */
  wal_transfer_method *method[MOST];
  wal_units units;
  double *sums;   /* when all is done: as wal_transfer_results has them ... */
  double *judged; /* ... and [seeds][judged_size()], the rest of it */
  char (*arm)[NAME];
  bool speaks;
} work;

// ---- Reading ----------------------------------------------------------------------------------

static wal_status make_bandit(void *user, wal_ctx *ctx, uint64_t seed, wal_bandit *out) {
  work *w = user;
  wal_params *params = wal_params_child(w->params, "bandit");
  if (wal_params_component(params) != &wal_bandit_file_component)
    return wal_bandit_draw(ctx, params, seed, out);
  if (!w->kept.block) WAL_TRY(wal_bandit_file_read(ctx, params, &w->kept));
  const wal_bandit_known *known = &w->kept.known;
  const wal_bandit_arrays arrays = {.prompts = known->prompts,
                                    .responses = known->responses,
                                    .features = known->features,
                                    .phi = known->phi,
                                    .reward = w->kept.reward,
                                    .reference = known->reference,
                                    .weight = known->weight,
                                    .beta = known->beta,
                                    .reward_bound = known->reward_bound,
                                    .ridge = known->ridge};
  return wal_bandit_of_arrays(ctx, &arrays, out);
}

static wal_status make_sources(void *user, wal_ctx *ctx, const wal_bandit *bandit, uint64_t seed,
                               wal_sources *out) {
  const work *w = user;
  return wal_sources_draw(ctx, wal_params_child(w->params, "sources"), bandit, seed, out);
}

/* A failure that tells no place in the scenario is one of the task. */
static wal_status at_task(wal_ctx *ctx, const wal_params *params, wal_status status) {
  char text[WAL_ERROR_LENGTH];
  const char *file = wal_params_file(params);
  if (status != WAL_EINPUT || strncmp(wal_ctx_error(ctx), file, strlen(file)) == 0) return status;
  snprintf(text, sizeof text, "%s", wal_ctx_error(ctx));
  return wal_params_fail(ctx, params, NULL, "%s", text);
}

static wal_status make_methods(work *w) {
  const wal_transfer_method_setup setup = wal_transfer_setup(&w->transfer);
  for (int64_t i = 0; i < w->list.count; i++) {
    const wal_params *params = w->list.params[i];
    WAL_TRY(wal_transfer_method_create(&setup,
                                       wal_transfer_method_find(wal_params_component(params)->name),
                                       params, &w->method[i]));
    w->units.start[i + 1] = w->units.start[i] + wal_transfer_memory(&w->transfer, w->method[i]);
  }
  return WAL_OK;
}

/* All that does not need others: w->params to w->units.start. */
static wal_status make_transfer(work *w, wal_ctx *ctx, uint64_t seed) {
  static const char *const usual[] = {"tpo", "empirical_tpo", "greedy", "xpo", "vpo"};
  wal_params *params = w->params, *of_annotators = wal_params_child(params, "annotators");
  const wal_transfer_plan plan = {.ctx = ctx,
                                  .user = w,
                                  .bandit = make_bandit,
                                  .sources = make_sources,
                                  .annotators = wal_annotators_of(of_annotators),
                                  .rounds = wal_params_integer(params, "rounds"),
                                  .refit = wal_params_integer(params, "refit"),
                                  .seed = seed};
  w->units.seeds = wal_params_integer(params, "seeds");
  wal_status status = wal_component_list_read(ctx, params, "methods", "transfer_method", "a method",
                                              sizeof usual / sizeof *usual, usual, &w->list);
  if (status == WAL_OK) status = wal_transfer_create(&plan, &w->transfer);
  if (status == WAL_OK) status = make_methods(w);
  return at_task(ctx, params, status);
}

static void free_transfer(work *w) {
  for (int64_t i = 0; i < w->list.count; i++) wal_transfer_method_destroy(&w->method[i]);
  wal_component_list_free(&w->list);
  wal_transfer_destroy(&w->transfer);
  wal_bandit_destroy(&w->kept);
}

static wal_status check(wal_ctx *ctx, wal_params *params) {
  work w = {.params = params};
  const wal_status status = make_transfer(&w, ctx, wal_ctx_seed(ctx));
  free_transfer(&w);
  return status;
}

// ---- Making -----------------------------------------------------------------------------------

/* A failure in the context of this rank alone, told to all. */
static wal_status from_alone(void *user, wal_status status) {
  const work *w = user;
  if (status != WAL_OK) wal_fail(w->job->ctx, status, "%s", wal_ctx_error(w->alone));
  return wal_agree(w->job->ctx, status);
}

static wal_status make_world(work *w) {
  wal_ctx *ctx = w->job->ctx;
  WAL_TRY(wal_ctx_split(ctx, wal_ctx_rank(ctx), &w->alone));
  return from_alone(w, make_transfer(w, w->alone, wal_ctx_seed(ctx)));
}

static void free_work(work *w) {
  wal_ctx *ctx = w->job->ctx;
  free_transfer(w);
  wal_release(ctx, &w->arm);
  wal_release(ctx, &w->sums);
  wal_release(ctx, &w->judged);
  wal_units_free(&w->units);
  wal_ctx_destroy(&w->alone);
}

// ---- The work ---------------------------------------------------------------------------------

static wal_status begin_unit(void *user, int64_t method, uint64_t seed, double *memory) {
  work *w = user;
  return wal_transfer_begin(&w->transfer, w->method[method], seed, memory);
}

static wal_status run_unit(void *user, int64_t method, uint64_t seed, int64_t until,
                           double *memory) {
  work *w = user;
  return wal_transfer_run(&w->transfer, w->method[method], seed, until, memory);
}

static double gap_now(void *user, int64_t played, const double *memory) {
  (void)user, (void)played;
  return wal_transfer_now(memory)[WAL_TRANSFER_GAP];
}

/* Rounds between two pauses: of about two seconds, but enough of them that to take up a unit, which
 * finds its policies again, costs little beside them. */
static int64_t slice_of(const work *w) {
  const double seconds = 2, per_number = 2.5e-9, fits = 4;
  const wal_bandit_known *known = &w->transfer.bandit.known;
  const double width = (double)(known->features > 0 ? known->features : known->responses);
  const double pairs = (double)known->prompts * (double)known->responses;
  const double least = fits * (double)w->transfer.plan.refit;
  double slice = seconds / (pairs * width * per_number * (double)wal_units_most(&w->units));
  if (slice < least) slice = least;
  return slice > 1e7 ? 10000000 : (int64_t)slice;
}

static const char *bandit_name(const work *w) {
  return wal_params_component(wal_params_child(w->params, "bandit"))->name;
}

static wal_status make_units(work *w) {
  wal_units *u = &w->units;
  u->job = w->job;
  u->alone = w->alone;
  u->task = "transfer";
  u->subject = bandit_name(w);
  u->noun = "round";
  u->figure = "gap";
  u->steps = w->transfer.plan.rounds;
  u->components = w->list.count;
  u->user = w;
  u->begin = begin_unit;
  u->run = run_unit;
  u->now = gap_now;
  u->agree = from_alone;
  WAL_TRY(wal_units_deal(u));
  u->slice = slice_of(w);
  return WAL_OK;
}

// ---- What it came to --------------------------------------------------------------------------

static void read_sums(void *user, const double *memory, double *out) {
  const work *w = user;
  const int64_t width = WAL_TRANSFER_SUMS + w->transfer.arms;
  for (int64_t i = 0; i < w->transfer.points; i++)
    memcpy(out + i * width, wal_transfer_sums(&w->transfer, memory, i),
           (size_t)width * sizeof *out);
}

/* The units' sums, to every rank. */
static wal_status collect(work *w) {
  wal_ctx *ctx = w->job->ctx;
  const int64_t size = w->transfer.points * (WAL_TRANSFER_SUMS + w->transfer.arms);
  WAL_TRY_ALL(ctx, wal_acquire(ctx, "sums", w->units.count * size, sizeof(double), &w->sums));
  return wal_units_share(&w->units, size, read_sums, w->sums);
}

/* Of a seed: win rates [methods][methods], about final policies [methods][WAL_ABOUTS], about
 * sources and the reference [W + 1][WAL_ABOUTS]. */
static int64_t judged_size(const work *w) {
  return w->list.count * (w->list.count + WAL_ABOUTS) + (w->transfer.arms - 1) * WAL_ABOUTS;
}

static void judge_one(const work *w, const wal_responder *pi, double *out) {
  const wal_bandit *bandit = &w->transfer.bandit;
  const double ratio = wal_exact_ratio(&bandit->known, &bandit->best, pi);
  out[WAL_ABOUT_GAP] = wal_exact_gap(bandit, pi);
  out[WAL_ABOUT_COVERAGE] = wal_exact_coverage(&bandit->known, &bandit->best, pi);
  out[WAL_ABOUT_BOUND] = 1 + wal_exact_kappa(ratio) * out[WAL_ABOUT_GAP] / bandit->known.beta;
}

/* @param final  [methods][S * A] */
static wal_status judge_seed(work *w, int64_t seed, const double *final) {
  const wal_bandit_known *known = &w->transfer.bandit.known;
  const int64_t methods = w->list.count, sources = w->transfer.arms - 2;
  const int64_t pairs = known->prompts * known->responses;
  double *out = w->judged + seed * judged_size(w), *about = out + methods * methods;
  const double *list[MOST];
  wal_responder one = {0};
  for (int64_t m = 0; m < methods; m++) list[m] = final + m * pairs;
  WAL_TRY(wal_transfer_win_rates(&w->transfer, wal_units_seed_at(&w->units, seed), methods, list,
                                 out, NULL));
  WAL_TRY(wal_responder_create(w->alone, known, &one));
  for (int64_t m = 0; m < methods; m++) {
    wal_responder_of_logs(known, list[m], &one);
    judge_one(w, &one, about + m * WAL_ABOUTS);
  }
  about += methods * WAL_ABOUTS;
  for (int64_t i = 0; i < sources; i++)
    judge_one(w, &w->transfer.sources.policy[i], about + i * WAL_ABOUTS);
  wal_responder_reference(known, &one);
  judge_one(w, &one, about + sources * WAL_ABOUTS);
  wal_responder_destroy(w->alone, &one);
  return WAL_OK;
}

/* Whether this rank judges a seed, whose first unit it has. */
static int judge_of(const work *w, int64_t seed) {
  return wal_units_rank(&w->units, seed * w->list.count);
}
static bool judges(const work *w, int64_t seed) {
  return judge_of(w, seed) == wal_ctx_rank(w->job->ctx);
}

/* The final policies of the seeds that this rank judges.
 * @param final  [own seeds + 1][methods][S * A]: the last place is for those of others */
static wal_status share_policies(work *w, int64_t own, double *final) {
  const int64_t methods = w->list.count;
  const int64_t pairs = w->transfer.bandit.known.prompts * w->transfer.bandit.known.responses;
  for (int64_t i = 0, at = 0; i < w->units.count; i++) {
    const int64_t method = wal_units_component(&w->units, i);
    const bool judge = judges(w, wal_units_seed(&w->units, i));
    double *to = final + ((judge ? at : own) * methods + method) * pairs;
    if (wal_units_are_own(&w->units, i))
      memcpy(to, wal_transfer_final(&w->transfer, wal_units_memory(&w->units, i)),
             (size_t)pairs * sizeof *to);
    WAL_TRY(wal_ctx_share_reals(w->job->ctx, wal_units_rank(&w->units, i), pairs, to));
    at += judge && method == methods - 1;
  }
  return WAL_OK;
}

static wal_status judge_own(work *w, const double *final) {
  const int64_t methods = w->list.count;
  const int64_t pairs = w->transfer.bandit.known.prompts * w->transfer.bandit.known.responses;
  for (int64_t k = 0, at = 0; k < w->units.seeds; k++)
    if (judges(w, k)) WAL_TRY(judge_seed(w, k, final + at++ * methods * pairs));
  return WAL_OK;
}

static wal_status judge(work *w) {
  wal_ctx *ctx = w->job->ctx;
  const int64_t methods = w->list.count, size = judged_size(w);
  const int64_t pairs = w->transfer.bandit.known.prompts * w->transfer.bandit.known.responses;
  double *final = NULL;
  int64_t own = 0;
  for (int64_t k = 0; k < w->units.seeds; k++) own += judges(w, k);
  wal_status status =
      wal_acquire(ctx, "win rates", w->units.seeds * size, sizeof(double), &w->judged);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "final policies", (own + 1) * methods * pairs, sizeof *final, &final);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = share_policies(w, own, final);
  if (status == WAL_OK) status = from_alone(w, judge_own(w, final));
  for (int64_t k = 0; k < w->units.seeds && status == WAL_OK; k++)
    status = wal_ctx_share_reals(ctx, judge_of(w, k), size, w->judged + k * size);
  wal_release(ctx, &final);
  return status;
}

static wal_status name_arms(work *w) {
  wal_params *params = wal_params_child(w->params, "sources");
  const int64_t sources = w->transfer.arms - 2;
  const double *m = NULL;
  WAL_TRY(wal_acquire(w->job->ctx, "names", w->transfer.arms, sizeof *w->arm, &w->arm));
  if (params && wal_params_component(params) == &wal_mixtures_component)
    WAL_TRY(wal_params_array(w->job->ctx, params, "correlations", sources, 0, 0, &m));
  for (int64_t i = 0; i < sources; i++) {
    if (m)
      snprintf(w->arm[i], NAME, "mixture %.6g", m[i]);
    else
      snprintf(w->arm[i], NAME, "source %lld", (long long)i + 1);
    wal_component_list_number(i + 1, w->arm);
  }
  snprintf(w->arm[sources], NAME, "online");
  snprintf(w->arm[sources + 1], NAME, "distilled");
  return WAL_OK;
}

// ---- The result -------------------------------------------------------------------------------

/* All are compared with greedy{}, which transfers nothing; without it with the first one. */
static int64_t baseline_of(const work *w) {
  for (int64_t i = 0; i < w->list.count; i++)
    if (strcmp(wal_params_component(w->list.params[i])->name, "greedy") == 0) return i;
  return 0;
}

static void print_head(const work *w) {
  const wal_transfer_plan *plan = &w->transfer.plan;
  const wal_bandit_known *known = &w->transfer.bandit.known;
  char features[48] = "tabular";
  if (known->features > 0)
    snprintf(features, sizeof features, "%lld features", (long long)known->features);
  printf("transfer, %s: %lld rounds, %lld seed%s, %lld prompts, %lld responses, %s\n",
         bandit_name(w), (long long)plan->rounds, (long long)w->units.seeds,
         w->units.seeds == 1 ? "" : "s", (long long)known->prompts, (long long)known->responses,
         features);
}

static void print_result(const work *w, const wal_transfer_results *r) {
  print_head(w);
  wal_component_list_legend(&w->list, wal_params_node(w->params, "methods"), stdout);
  wal_transfer_print(r);
  printf("  seconds             %.3f\n", wal_clock() - w->job->started);
  printf("  file                %s\n", w->job->output);
}

/* Parts of the seeds' results, one behind the other as the results have them. */
static wal_status write_all(work *w, double *last, double *source, double *win_rate,
                            const char **arm) {
  wal_job *job = w->job;
  const int64_t methods = w->list.count, candidates = w->transfer.arms - 1;
  const char *names[MOST];
  wal_run_file *file = NULL;
  for (int64_t i = 0; i < methods; i++) names[i] = w->list.name[i];
  for (int64_t i = 0; i < w->transfer.arms; i++) arm[i] = w->arm[i];
  for (int64_t k = 0; k < w->units.seeds; k++) {
    const double *from = w->judged + k * judged_size(w);
    memcpy(win_rate + k * methods * methods, from, (size_t)(methods * methods) * sizeof *from);
    from += methods * methods;
    for (int64_t m = 0; m < methods; m++, from += WAL_ABOUTS)
      memcpy(last + (m * w->units.seeds + k) * WAL_ABOUTS, from, WAL_ABOUTS * sizeof *from);
    memcpy(source + k * candidates * WAL_ABOUTS, from,
           (size_t)(candidates * WAL_ABOUTS) * sizeof *from);
  }
  const wal_transfer_results results = {.methods = methods,
                                        .seeds = w->units.seeds,
                                        .points = w->transfer.points,
                                        .arms = w->transfer.arms,
                                        .method = names,
                                        .arm = arm,
                                        .round = w->transfer.point,
                                        .sums = w->sums,
                                        .last = last,
                                        .source = source,
                                        .win_rate = win_rate,
                                        .beta = w->transfer.bandit.known.beta,
                                        .reward_bound = w->transfer.bandit.known.reward_bound,
                                        .baseline = baseline_of(w)};
  wal_status status = wal_run_file_create(job->ctx, job->output, job->options->force, &file);
  if (status == WAL_OK) status = wal_transfer_file_write(file, job, &results);
  if (status == WAL_OK) status = wal_run_write_whole(file, job, wal_clock() - job->started);
  if (status == WAL_OK) status = wal_run_file_commit(&file);
  if (status == WAL_OK && w->speaks) print_result(w, &results);
  wal_run_file_discard(&file);
  return status;
}

static wal_status finish(work *w) {
  wal_ctx *ctx = w->job->ctx;
  const int64_t methods = w->list.count, arms = w->transfer.arms;
  double *last = NULL, *source = NULL, *win_rate = NULL;
  const char **arm = NULL;
  WAL_TRY(collect(w));
  WAL_TRY(judge(w));
  wal_status status = name_arms(w);
  if (status == WAL_OK)
    status =
        wal_acquire(ctx, "results", methods * w->units.seeds * WAL_ABOUTS, sizeof *last, &last);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "results", w->units.seeds * (arms - 1) * WAL_ABOUTS, sizeof *source,
                         &source);
  if (status == WAL_OK)
    status = wal_acquire(ctx, "results", w->units.seeds * methods * methods, sizeof *win_rate,
                         &win_rate);
  if (status == WAL_OK) status = wal_acquire(ctx, "names", arms, sizeof *arm, &arm);
  status = wal_agree(ctx, status);
  if (status == WAL_OK) status = write_all(w, last, source, win_rate, arm);
  wal_release(ctx, &last);
  wal_release(ctx, &source);
  wal_release(ctx, &win_rate);
  wal_release(ctx, &arm);
  return status;
}

static void print_plan(const work *w) {
  char text[32];
  const double bytes = (double)wal_ctx_memory(w->job->ctx);
  print_head(w);
  printf("  methods        %lld, of each seed\n", (long long)w->list.count);
  printf("  memory         %s a rank\n", wal_size_text(bytes, text, sizeof text));
}

static wal_status run(wal_job *job) {
  work w = {.job = job, .params = job->params, .speaks = wal_ctx_rank(job->ctx) == 0};
  wal_status status = make_world(&w);
  if (status == WAL_OK) status = from_alone(&w, make_units(&w));
  if (status == WAL_OK && job->options->dry_run) {
    if (w.speaks) print_plan(&w);
  } else if (status == WAL_OK) {
    status = wal_units_run(&w.units);
    if (status == WAL_OK) status = finish(&w);
  }
  free_work(&w);
  return status;
}

const wal_task_type wal_task_transfer = {
    .component = {.name = "transfer",
                  .kind = "task",
                  .summary = "learn from preferences, faster with imperfect reward models",
                  .source = "docs/transfer.md",
                  .params = PARAMS},
    .check = check,
    .run = run,
};
