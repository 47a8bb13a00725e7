// SPDX-License-Identifier: GPL-3.0-or-later
#include "rlhf/transfer.h"

#include <math.h>
#include <string.h>

#include "sim/core/log_grid.h"
#include "sim/core/memory.h"
#include "sim/core/random.h"

/* Gaps are looked up by policy and version, of which there are few between two fits. */
struct wal_transfer_gap {
  const wal_responder *policy;
  uint64_t version;
  double gap;
};

enum { GAPS = 64 };

// ---- Memory -----------------------------------------------------------------------------------

/* Rounds played, comparisons fitted, sums and counts so far, the same at the points, the final
 * policy, comparisons, then the method's own. */
enum { PLAYED, SEEN, SO_FAR };

static int64_t sums_count(const wal_transfer *t) { return WAL_TRANSFER_SUMS + t->arms; }

static int64_t pairs_of(const wal_transfer *t) {
  return t->bandit.known.prompts * t->bandit.known.responses;
}

static double *sums_at(const wal_transfer *t, double *memory, int64_t point) {
  return memory + SO_FAR + (1 + point) * sums_count(t);
}

static double *final_policy(const wal_transfer *t, double *memory) {
  return sums_at(t, memory, t->points);
}

static double *data_memory(const wal_transfer *t, double *memory) {
  return final_policy(t, memory) + pairs_of(t);
}

static double *method_memory(const wal_transfer *t, double *memory) {
  return data_memory(t, memory) + wal_preferences_size(t->plan.rounds);
}

int64_t wal_transfer_memory(const wal_transfer *t, const wal_transfer_method *method) {
  return SO_FAR + (1 + t->points) * sums_count(t) + pairs_of(t) +
         wal_preferences_size(t->plan.rounds) + method->memory_count;
}

int64_t wal_transfer_played(const double *memory) { return (int64_t)memory[PLAYED]; }

const double *wal_transfer_now(const double *memory) { return memory + SO_FAR; }

const double *wal_transfer_sums(const wal_transfer *t, const double *memory, int64_t point) {
  return sums_at(t, (double *)memory, point);
}

const double *wal_transfer_final(const wal_transfer *t, const double *memory) {
  return final_policy(t, (double *)memory);
}

// ---- Made -------------------------------------------------------------------------------------

wal_status wal_transfer_seed(wal_transfer *t, uint64_t seed) {
  wal_ctx *ctx = t->plan.ctx;
  if (t->bandit.block && t->seed == seed) return WAL_OK;
  wal_sources_destroy(&t->sources);
  wal_bandit_destroy(&t->bandit);
  WAL_TRY(t->plan.bandit(t->plan.user, ctx, seed, &t->bandit));
  t->seed = seed;
  if (t->plan.sources) return t->plan.sources(t->plan.user, ctx, &t->bandit, seed, &t->sources);
  return wal_sources_of_arrays(ctx, &t->bandit.known, 0, NULL, &t->sources);
}

static wal_status create_parts(wal_transfer *t) {
  wal_ctx *ctx = t->plan.ctx;
  WAL_TRY(wal_transfer_seed(t, t->plan.seed));
  const wal_bandit_known *known = &t->bandit.known;
  t->arms = t->sources.count + 2;
  if (!wal_preferences_fit(known->prompts, known->responses, t->arms))
    return wal_fail(ctx, WAL_EINPUT,
                    "%lld prompts and %lld responses are more than comparisons can be noted of",
                    (long long)known->prompts, (long long)known->responses);
  t->points = wal_log_grid(t->plan.rounds, NULL);
  WAL_TRY(wal_acquire(ctx, "rounds", t->points, sizeof *t->point, &t->point));
  wal_log_grid(t->plan.rounds, t->point);
  WAL_TRY(wal_acquire(ctx, "gaps", GAPS, sizeof *t->known, &t->known));
  return wal_fit_create(ctx, known, t->plan.rounds, &t->fit);
}

wal_status wal_transfer_create(const wal_transfer_plan *plan, wal_transfer *out) {
  *out = (wal_transfer){.plan = *plan};
  const wal_status status = create_parts(out);
  if (status != WAL_OK) wal_transfer_destroy(out);
  return status;
}

void wal_transfer_destroy(wal_transfer *t) {
  if (!t->plan.ctx) return;
  wal_ctx *ctx = t->plan.ctx;
  wal_fit_destroy(&t->fit);
  wal_sources_destroy(&t->sources);
  wal_bandit_destroy(&t->bandit);
  wal_release(ctx, &t->point);
  wal_release(ctx, &t->known);
  *t = (wal_transfer){0};
}

wal_transfer_method_setup wal_transfer_setup(const wal_transfer *t) {
  return (wal_transfer_method_setup){.ctx = t->plan.ctx,
                                     .known = &t->bandit.known,
                                     .sources = t->sources.count,
                                     .rounds = t->plan.rounds,
                                     .refit = t->plan.refit,
                                     .fit = t->fit};
}

// ---- Answers ----------------------------------------------------------------------------------

/* Streams of a round: prompt and first response, second response and label, candidates. */
enum { DRAW_FIRST, DRAW_SECOND };
enum { STAGE_ROUND, STAGE_CANDIDATES };

/* The item at which the running sum of a distribution passes u. */
static int64_t draw(int64_t count, const double *p, double u) {
  double sum = 0;
  int64_t last = 0;
  for (int64_t i = 0; i < count; i++) {
    sum += p[i];
    if (p[i] > 0) last = i;
    if (u < sum) return i;
  }
  return last; /* rounding: the sum falls short of 1 */
}

typedef struct answers {
  const wal_transfer *transfer;
  uint64_t seed;
  int64_t round, prompt, annotator;
} answers;

static double reward_of(const answers *by, int64_t response) {
  const wal_transfer *t = by->transfer;
  return wal_annotators_reward(&t->plan.annotators, &t->bandit, by->seed, by->annotator,
                               by->prompt * t->bandit.known.responses + response);
}

/* Best and worst of the candidates; ties go to the earlier one. */
static void draw_candidates(const answers *by, const wal_proposal *proposal, wal_outcome *out) {
  const int64_t n = by->transfer->bandit.known.responses;
  double best = -INFINITY, worst = INFINITY;
  for (int i = 0; i < proposal->candidates; i++) {
    const wal_responder *from = i < proposal->replaced ? proposal->first : proposal->second;
    const double u = wal_random_uniform(by->seed, WAL_PURPOSE_PREFERENCE, (uint64_t)by->round,
                                        STAGE_CANDIDATES, (uint32_t)i);
    const int64_t response = draw(n, from->p + by->prompt * n, u);
    const double reward = reward_of(by, response);
    if (reward > best) {
      best = reward;
      out->preference.first = response;
      out->hit = i < proposal->replaced;
    }
    if (reward < worst) {
      worst = reward;
      out->preference.second = response;
    }
  }
}

static void ask(const wal_transfer *t, uint64_t seed, int64_t round, const wal_proposal *proposal,
                wal_outcome *out) {
  const wal_bandit_known *known = &t->bandit.known;
  const wal_annotators *annotators = &t->plan.annotators;
  const uint64_t item = (uint64_t)round;
  const int64_t n = known->responses;
  const wal_random_words one =
      wal_random(seed, WAL_PURPOSE_PREFERENCE, item, STAGE_ROUND, DRAW_FIRST);
  const wal_random_words two =
      wal_random(seed, WAL_PURPOSE_PREFERENCE, item, STAGE_ROUND, DRAW_SECOND);
  answers by = {.transfer = t, .seed = seed, .round = round};
  by.prompt = draw(known->prompts, known->weight, wal_random_real(&one, 0));
  by.annotator = annotators->count > 0 ? wal_annotators_pick(annotators, seed, round) : 0;
  *out = (wal_outcome){.preference = {.prompt = by.prompt, .arm = proposal->arm}};
  wal_preference *seen = &out->preference;
  if (proposal->candidates > 0) {
    draw_candidates(&by, proposal, out);
  } else {
    seen->first = draw(n, proposal->first->p + by.prompt * n, wal_random_real(&one, 1));
    seen->second = draw(n, proposal->second->p + by.prompt * n, wal_random_real(&two, 0));
  }
  const double difference = (reward_of(&by, seen->first) - reward_of(&by, seen->second)) /
                            wal_annotators_temperature(annotators, seed, by.annotator);
  seen->won = wal_random_real(&two, 1) < 1 / (1 + exp(-difference));
}

// ---- Rounds -----------------------------------------------------------------------------------

static double find_gap(wal_transfer *t, const wal_responder *policy) {
  for (int64_t i = 0; i < t->known_count; i++)
    if (t->known[i].policy == policy && t->known[i].version == policy->version)
      return t->known[i].gap;
  if (t->known_count == GAPS) t->known_count = 0;
  wal_transfer_gap *fresh = &t->known[t->known_count++];
  *fresh = (wal_transfer_gap){policy, policy->version, wal_exact_gap(&t->bandit, policy)};
  return fresh->gap;
}

static void play_round(wal_transfer *t, wal_transfer_method *m, uint64_t seed, int64_t round,
                       const wal_proposal *proposal, double *memory) {
  double *sums = memory + SO_FAR;
  wal_outcome seen;
  ask(t, seed, round, proposal, &seen);
  sums[WAL_TRANSFER_GAP] = find_gap(t, proposal->first);
  sums[WAL_TRANSFER_REGRET] += sums[WAL_TRANSFER_GAP];
  sums[WAL_TRANSFER_SUMS + proposal->arm]++;
  wal_preferences_add(&m->problem.data, &seen.preference);
  if (m->type->observe) m->type->observe(m, round, proposal, &seen);
}

static wal_status refit(wal_transfer *t, wal_transfer_method *m, int64_t round, double *memory) {
  m->fitted = round;
  memory[SEEN] = (double)round;
  WAL_TRY(m->type->refit(m));
  WAL_TRY(m->type->derive(m));
  t->known_count = 0; /* versions before this one are gone */
  if (round < t->plan.rounds) return WAL_OK;
  memcpy(final_policy(t, memory), m->type->finish(m)->log_p, (size_t)pairs_of(t) * sizeof *memory);
  return WAL_OK;
}

static wal_status attach(wal_transfer *t, wal_transfer_method *m, uint64_t seed, bool fresh,
                         double *memory) {
  WAL_TRY(wal_transfer_seed(t, seed));
  t->known_count = 0;
  const wal_transfer_method_problem problem = {.known = &t->bandit.known,
                                               .source = t->sources.policy,
                                               .data = {.responses = t->bandit.known.responses,
                                                        .arms = t->arms,
                                                        .memory = data_memory(t, memory)}};
  return wal_transfer_method_attach(m, &problem, method_memory(t, memory), fresh,
                                    (int64_t)memory[SEEN]);
}

wal_status wal_transfer_begin(wal_transfer *t, wal_transfer_method *m, uint64_t seed,
                              double *memory) {
  memset(memory, 0, (size_t)wal_transfer_memory(t, m) * sizeof *memory);
  return attach(t, m, seed, true, memory);
}

static wal_status keep(wal_transfer *t, wal_transfer_method *m, int64_t round, int64_t point,
                       const wal_responder *played, double *memory) {
  double *sums = memory + SO_FAR;
  sums[WAL_TRANSFER_COVERAGE] = wal_exact_coverage(&t->bandit.known, &t->bandit.best, played);
  memcpy(sums_at(t, memory, point), sums, (size_t)sums_count(t) * sizeof *sums);
  if (isfinite(sums[WAL_TRANSFER_REGRET])) return WAL_OK;
  return wal_fail(t->plan.ctx, WAL_ENONFINITE, "%s: policies are not finite in round %lld",
                  m->type->component.name, (long long)round);
}

wal_status wal_transfer_run(wal_transfer *t, wal_transfer_method *m, uint64_t seed, int64_t until,
                            double *memory) {
  int64_t point = 0;
  WAL_TRY(attach(t, m, seed, false, memory));
  while (point < t->points && t->point[point] <= wal_transfer_played(memory)) point++;
  while (wal_transfer_played(memory) < until) {
    const int64_t round = wal_transfer_played(memory) + 1;
    wal_proposal proposal;
    m->type->propose(m, round, &proposal);
    play_round(t, m, seed, round, &proposal, memory);
    memory[PLAYED] = (double)round;
    if (round == t->point[point]) WAL_TRY(keep(t, m, round, point++, proposal.first, memory));
    if (round % t->plan.refit == 0 || round == t->plan.rounds) WAL_TRY(refit(t, m, round, memory));
  }
  return WAL_OK;
}

// ---- About policies ---------------------------------------------------------------------------

wal_status wal_transfer_source_gaps(wal_transfer *t, uint64_t seed, double *out) {
  WAL_TRY(wal_transfer_seed(t, seed));
  const wal_bandit_known *known = &t->bandit.known;
  const wal_responder reference = {.log_p = (double *)known->log_reference,
                                   .p = (double *)known->reference};
  for (int64_t w = 0; w < t->sources.count; w++)
    out[w] = wal_exact_gap(&t->bandit, &t->sources.policy[w]);
  out[t->sources.count] = wal_exact_gap(&t->bandit, &reference);
  return WAL_OK;
}

wal_status wal_transfer_win_rates(wal_transfer *t, uint64_t seed, int64_t count,
                                  const double *const *final, double *out, double *gap) {
  wal_ctx *ctx = t->plan.ctx;
  wal_responder one = {0}, other = {0};
  wal_status status = WAL_OK;
  WAL_TRY_GOTO(wal_transfer_seed(t, seed));
  const wal_bandit_known *known = &t->bandit.known;
  WAL_TRY_GOTO(wal_responder_create(ctx, known, &one));
  WAL_TRY_GOTO(wal_responder_create(ctx, known, &other));
  for (int64_t i = 0; i < count; i++) {
    wal_responder_of_logs(known, final[i], &one);
    if (gap) gap[i] = wal_exact_gap(&t->bandit, &one);
    out[i * count + i] = 0.5;
    for (int64_t j = 0; j < i; j++) {
      wal_responder_of_logs(known, final[j], &other);
      out[i * count + j] = wal_exact_win_rate(&t->bandit, &one, &other);
      out[j * count + i] = 1 - out[i * count + j];
    }
  }
cleanup:
  wal_responder_destroy(ctx, &one);
  wal_responder_destroy(ctx, &other);
  return status;
}
