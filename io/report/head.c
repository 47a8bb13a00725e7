// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "io/report/contents.h"
#include "io/run_headline.h"
#include "io/run_scenario.h"

/* The head of a page: what the run is, in a line, and what came of it, in a few numbers. */

enum { MEDIATORS = 11 };

static void fact(wal_page *page, const char *name, const char *value, const char *more,
                 const char *tone) {
  wal_page_markup(page, "<div><dt>");
  wal_page_escaped(page, name);
  wal_text_add(&page->html, "</dt><dd%s%s%s>", *tone ? " class=\"" : "", tone, *tone ? "\"" : "");
  wal_page_escaped(page, value);
  if (*more) {
    wal_page_markup(page, "<small>");
    wal_page_escaped(page, more);
    wal_page_markup(page, "</small>");
  }
  wal_page_markup(page, "</dd></div>\n");
}

/* A value with what stands behind it, left out if it is not a number. */
static void fact_judged(wal_page *page, const char *name, double value, const char *more,
                        const char *tone) {
  char text[32];
  if (isnan(value)) return;
  snprintf(text, sizeof text, fabs(value) < 1e15 && value == floor(value) ? "%.0f" : "%.4g", value);
  fact(page, name, text, more, tone);
}

static void fact_number(wal_page *page, const char *name, double value, const char *more) {
  fact_judged(page, name, value, more, "");
}

static double at(wal_page *page, int run, const char *path, int64_t row) {
  const wal_array *array = wal_page_array(page, run, path);
  return row < 0 ? wal_array_last(array) : wal_array_at(array, row);
}

static const char *against(wal_page *page, const char *what, double value) {
  char text[32];
  if (isnan(value)) return "";
  snprintf(text, sizeof text, "%.4g", value);
  return wal_page_print(page, "%s %s", what, text);
}

// ---- Many agents ------------------------------------------------------------------------------

/* What agents who played a result came to, beside the limit: of the objective if there is one. */
typedef struct played {
  const wal_array *agents, *mean, *error;
  double limit;
  const char *what;
} played;

/* Whether a mean with its standard error is within 1 % of the limit. */
static bool is_near(const played *p, int64_t i) {
  const double error = wal_array_at(p->error, i);
  const double off = fabs(wal_array_at(p->mean, i) - p->limit) + (isnan(error) ? 0 : error);
  return off <= 0.01 * fabs(p->limit);
}

/* Whether a mean is more than 1 % off, and more than chance explains: two standard errors. Of a
   single episode, which has no error, nobody knows. */
static bool is_far(const played *p, int64_t i) {
  const double off = fabs(wal_array_at(p->mean, i) - p->limit);
  return off > 0.01 * fabs(p->limit) && off > 2 * wal_array_at(p->error, i);
}

/* The least number of agents from which on all are near the limit; NaN: the largest is not. */
static double near_from(const played *p) {
  double far = 0, from = NAN;
  for (int64_t i = 0; i < p->agents->items; i++)
    if (!is_near(p, i)) far = fmax(far, p->agents->values[i]);
  for (int64_t i = 0; i < p->agents->items; i++)
    if (p->agents->values[i] > far) from = fmin(from, p->agents->values[i]);
  return from;
}

/* "+- " a standard error and what follows; "" of a single episode, which has none. */
static const char *error_of(wal_page *page, const wal_array *error, int64_t i, const char *then) {
  const double value = wal_array_at(error, i);
  return isnan(value) ? "" : wal_page_print(page, "+- %.2g%s", value, then);
}

/* Of the most agents: what one of them gains by deviating. It is too much if it is more than in the
   limit, beyond two standard errors, and more than 1 % of the return. */
static void deviation_fact(wal_page *page, int run, double agents, int64_t i) {
  const double gain = wal_array_at(wal_page_array(page, run, "/population/deviation_gain"), i);
  const wal_array *errors = wal_page_array(page, run, "/population/deviation_gain_error");
  const double limit = wal_page_attribute(page, run, "/population", "limit_deviation_gain");
  const double value = wal_page_attribute(page, run, "/population", "value");
  const bool more = gain - limit > 2 * wal_array_at(errors, i) && gain > 0.01 * fabs(value);
  fact_judged(page, wal_page_print(page, "Gain by deviating, N = %.0f", agents), gain,
              wal_page_print(page, "%sin the limit %.4g", error_of(page, errors, i, ", "), limit),
              more ? "bad" : "");
}

/* Whether what was found holds for the agents that there really are. */
static void played_facts(wal_page *page, int run) {
  const bool objective = wal_page_has(page, run, "/population/objective_mean");
  const char *column = objective ? "objective" : "return";
  played p = {
      .agents = wal_page_array(page, run, "/population/agents"),
      .mean = wal_page_array(page, run, wal_page_print(page, "/population/%s_mean", column)),
      .error = wal_page_array(page, run, wal_page_print(page, "/population/%s_error", column)),
      .limit = wal_page_attribute(page, run, "/population", objective ? column : "value"),
      .what = column};
  if (!p.agents || !p.mean || p.agents->items < 1 || p.mean->items != p.agents->items) {
    const bool drawn = json_object_get(page->run[run].parameters, "draw") != NULL;
    fact(page, "With N agents?", "not tried",
         drawn ? "simulate plays one of the games" : "add agents = {100, 1000} to the scenario",
         "muted");
    return;
  }
  int64_t most = 0;
  for (int64_t i = 1; i < p.agents->items; i++)
    if (p.agents->values[i] > p.agents->values[most]) most = i;
  const double n = p.agents->values[most], from = near_from(&p);
  const bool near = !isnan(from), far = is_far(&p, most);
  fact(page, "With N agents?",
       near  ? wal_page_print(page, "from %.0f on", from)
       : far ? wal_page_print(page, "not with %.0f", n)
             : "too few episodes to tell",
       wal_page_print(page, "%s %swithin 1 %% of the limit, %.5g; with %.0f: %.5g %s", p.what,
                      near  ? ""
                      : far ? "not "
                            : "perhaps ",
                      p.limit, n, p.mean->values[most], error_of(page, p.error, most, "")),
       near  ? "good"
       : far ? "bad"
             : "muted");
  deviation_fact(page, run, n, most);
}

// ---- Tasks ------------------------------------------------------------------------------------

static void solve_facts(wal_page *page, int run) {
  json_t *stop = json_object_get(page->run[run].parameters, "stop");
  const double wanted = json_number_value(json_object_get(stop, "exploitability"));
  const double relative = json_number_value(json_object_get(stop, "relative"));
  const double regularized = json_number_value(json_object_get(stop, "regularized"));
  const double first = at(page, run, "/trace/exploitability", 0);
  const double last = at(page, run, "/trace/exploitability", -1);
  const bool converged = wal_page_attribute(page, run, "/trace", "converged") == 1;
  if (wanted > 0 || relative > 0 || regularized > 0)
    fact(page, "Did it converge?", converged ? "yes" : "no",
         wanted > 0     ? against(page, "asked for:", wanted)
         : relative > 0 ? wal_page_print(page, "asked for: %.4g of the start's", relative)
                        : against(page, "with entropy, asked for:", regularized),
         converged ? "good" : "bad");
  else
    fact(page, "Did it converge?", "not asked", "no tolerance given", "");
  fact_number(page, "Exploitability", last,
              first > 0 ? wal_page_print(page, "%.3g %% of the start's", 100 * last / first) : "");
  fact_number(page, "Expected reward", at(page, run, "/trace/value", -1), "");
  fact_number(page, "Revenue", wal_page_attribute(page, run, "/auction", "total_revenue"),
              "of all rounds, per bidder");
  played_facts(page, run);
  fact_number(page, "Iterations", at(page, run, "/trace/iteration", -1),
              against(page, "seconds:", at(page, run, "/run/seconds", -1)));
}

/* How close to equilibrium the population under the best design came, and what was asked for; NaN:
   nothing was. */
typedef struct settling {
  double reached, wanted;
} settling;

static settling settling_of(wal_page *page, int run) {
  json_t *evaluate = json_object_get(page->run[run].parameters, "evaluate");
  const double wanted = json_number_value(json_object_get(evaluate, "exploitability"));
  return (settling){at(page, run, "/design/reference/exploitability", -1),
                    wanted > 0 ? wanted : NAN};
}

/* A design is only worth what the population under it is. */
static bool is_unsettled(const settling *s) {
  return !isnan(s->wanted) && !(s->reached <= s->wanted);
}

/* Whether a design can be taken for what it is: it ended as it should, and the population under it
   came as close to equilibrium as was asked for. */
static void trust_fact(wal_page *page, int run) {
  const settling s = settling_of(page, run);
  const double status = wal_page_attribute(page, run, "/design", "status");
  const char *reached =
      isnan(s.reached) ? "" : wal_page_print(page, "with entropy: %.3g", s.reached);
  if (status != 0)
    fact(page, "Did it end well?", status == 2 ? "learner diverged" : "no", "see below", "bad");
  else if (isnan(s.wanted))
    fact(page, "Has the population settled?", "not asked", reached, "muted");
  else
    fact(page, "Has the population settled?", is_unsettled(&s) ? "no" : "yes",
         wal_page_print(page, "%s, asked for: %.4g", reached, s.wanted),
         is_unsettled(&s) ? "bad" : "good");
}

/* Whether the search itself still moves: what the last quarter of its steps added to the largest
   objective that was assessed with a population that had settled. "" of less than four of these,
   which are too few to tell. */
static const char *search_of(wal_page *page, int run) {
  const wal_array *step = wal_page_array(page, run, "/design/step");
  const wal_array *objective = wal_page_array(page, run, "/design/assessed_objective");
  const wal_array *left = wal_page_array(page, run, "/design/exploitability");
  const double wanted = settling_of(page, run).wanted;
  double first = NAN, before = NAN, most = NAN;
  int assessed = 0;
  if (!step || !objective || step->items != objective->items) return "";
  const double end = step->values[step->items - 1];
  for (int64_t i = 0; i < step->items; i++) {
    const double value = objective->values[i];
    if (!isfinite(value) || wal_array_at(left, i) > wanted) continue;
    if (assessed++ == 0) first = value;
    most = fmax(most, value);
    if (step->values[i] <= 0.75 * end) before = most;
  }
  const double rise = most - first, late = most - before;
  if (assessed < 4 || isnan(late)) return "";
  if (rise <= 5e-4 * fabs(first)) return ", never above the start";
  if (late <= 1e-4 * rise) return ", flat in the last quarter";
  return wal_page_print(page, ", %s: %.2g %% of the rise in the last quarter",
                        late > 0.02 * rise ? "still rising" : "flat", 100 * late / rise);
}

static void design_facts(wal_page *page, int run) {
  const double best = at(page, run, "/design/reference/objective", -1);
  const double usual = at(page, run, "/design/reference/objective", 0);
  const wal_texts names = wal_page_texts(page, run, "/design/reference/name");
  const char *name =
      wal_run_scenario_component(json_object_get(page->run[run].parameters, "objective"));
  const char *more, *what = wal_page_designed(page, run, &more);
  fact(page, "What was designed", what, more, "");
  trust_fact(page, run);
  fact_number(page, wal_page_print(page, "Best design: %s", name ? name : "objective"), best,
              against(page, names.count ? names.text[0] : "usual rules", usual));
  const settling settled = settling_of(page, run);
  const bool unsettled = is_unsettled(&settled);
  const bool same = fabs(best - usual) < 5e-4 * fabs(usual);
  if (usual != 0 && !isnan(best - usual))
    fact(page, "How much better?",
         same ? "no better" : wal_page_print(page, "%+.1f %%", 100 * (best - usual) / fabs(usual)),
         wal_page_print(page, "than %s%s", names.count ? names.text[0] : "usual rules",
                        unsettled ? ", if the population settles there" : ""),
         same           ? ""
         : best < usual ? "bad"
         : unsettled    ? "muted"
                        : "good");
  played_facts(page, run);
  fact_number(page, "Exploitability there",
              at(page, run, "/design/reference/plain_exploitability", -1),
              against(page, "with entropy", at(page, run, "/design/reference/exploitability", -1)));
  fact_number(
      page, "Best step", wal_page_attribute(page, run, "/design/best", "step"),
      wal_page_print(page, "of %.4g%s", at(page, run, "/design/step", -1), search_of(page, run)));
}

static void population_facts(wal_page *page, int run) {
  const double agents = at(page, run, "/population/agents", -1);
  const double gap = at(page, run, "/population/return_gap", -1);
  const double value = wal_page_attribute(page, run, "/population", "value");
  fact_number(page, "Most agents", agents,
              against(page, "episodes of each number:",
                      wal_page_attribute(page, run, "/population", "episodes")));
  fact_number(page, "Gap of the return then", gap, against(page, "limit's return", value));
  fact_number(page, "It falls as N to the power",
              wal_page_attribute(page, run, "/population", "return_slope"),
              wal_page_print(page, "95 %%: %.2f to %.2f",
                             wal_page_attribute(page, run, "/population", "return_slope_low"),
                             wal_page_attribute(page, run, "/population", "return_slope_high")));
  fact_number(page, "Gain by deviating then", at(page, run, "/population/deviation_gain", -1),
              against(page, "+-", at(page, run, "/population/deviation_gain_error", -1)));
}

static void steering_facts(wal_page *page, int run) {
  const wal_texts names = wal_page_texts(page, run, "/steering/mediator");
  const wal_array *gap = wal_page_array(page, run, "/steering/summary/gap_per_episode");
  const wal_array *cost = wal_page_array(page, run, "/steering/summary/cost_per_episode");
  const double cheapest = wal_page_attribute(page, run, "/steering/target", "cheapest_cost");
  fact_number(page, "Cheapest stabilizer, an episode", cheapest, "paid in the long run at least");
  const int64_t count = gap && gap->items < names.count ? gap->items : names.count;
  const int64_t shown = count > MEDIATORS ? MEDIATORS - 1 : count;
  for (int64_t i = 0; gap && i < shown; i++)
    fact_number(page, wal_page_print(page, "Gap an episode: %s", names.text[i]), gap->values[i],
                against(page, "cost an episode", wal_array_at(cost, i)));
  if (gap && shown < count)
    fact(page, "Other mediators", wal_page_print(page, "%lld more", (long long)(count - shown)),
         "in the table below", "muted");
}

static void sweep_facts(wal_page *page, int run) {
  const wal_array *status = wal_page_array(page, run, "/summary/status");
  int64_t failed = 0, open = 0;
  for (int64_t i = 0; status && i < status->items; i++) {
    open += status->values[i] == 2;
    failed += status->values[i] != 0 && status->values[i] != 2;
  }
  if (!status) return;
  const char *name, *more, *best = wal_page_sweep_best(page, run, &name, &more);
  if (best) fact(page, name, best, more, "");
  fact_number(page, "Runs", (double)status->items, "");
  fact(page, "Failed", wal_page_print(page, "%lld", (long long)failed), "",
       failed ? "bad" : "good");
  fact(page, "Not converged", wal_page_print(page, "%lld", (long long)open), "",
       open ? "bad" : "good");
}

static void one_shot_facts(wal_page *page, int run) {
  const wal_texts names = wal_page_texts(page, run, "/simulation/quantity");
  const wal_array *mean = wal_page_array(page, run, "/simulation/estimate");
  const wal_array *error = wal_page_array(page, run, "/simulation/standard_error");
  for (int64_t i = 0; mean && i < names.count && i < mean->items && i < 4; i++)
    fact_number(page, names.text[i], mean->values[i], against(page, "+-", wal_array_at(error, i)));
  fact_number(page, "Samples", wal_page_attribute(page, run, "/simulation", "samples"), "");
}

static void transfer_facts(wal_page *page, int run) {
  const char *best = wal_page_attribute_text(page, run, "/transfer/summary", "least_regret");
  const char *base = wal_page_attribute_text(page, run, "/transfer/summary", "baseline");
  const wal_texts names = wal_page_texts(page, run, "/transfer/method");
  const wal_array *regret = wal_page_array(page, run, "/transfer/summary/regret");
  const wal_array *ratio = wal_page_array(page, run, "/transfer/summary/ratio");
  if (best) fact(page, "Least regret", wal_page_method(page, run, best), "", "");
  for (int64_t i = 0; best && i < names.count; i++) {
    if (strcmp(names.text[i], best) != 0) continue;
    fact_number(page, "Its regret", wal_array_at(regret, i), "median of the seeds");
    fact_number(page,
                wal_page_print(page, "Over that of %s",
                               base ? wal_page_method(page, run, base) : "the baseline"),
                wal_array_at(ratio, i), "geometric mean of the seeds");
  }
  fact_number(page, "Rounds", at(page, run, "/transfer/round", -1), "");
}

static void add_facts(wal_page *page, int run) {
  wal_page_markup(page, "<dl class=\"facts\">\n");
  if (wal_page_has(page, run, "/design")) design_facts(page, run);
  if (wal_page_has(page, run, "/trace")) solve_facts(page, run);
  const bool found = wal_page_has(page, run, "/design") || wal_page_has(page, run, "/trace");
  if (wal_page_has(page, run, "/population") && !found) population_facts(page, run);
  if (wal_page_has(page, run, "/steering")) steering_facts(page, run);
  if (wal_page_has(page, run, "/summary")) sweep_facts(page, run);
  if (wal_page_has(page, run, "/simulation")) one_shot_facts(page, run);
  if (wal_page_has(page, run, "/transfer")) transfer_facts(page, run);
  wal_page_markup(page, "</dl>\n");
}

// ---- The line ---------------------------------------------------------------------------------

static void add_headline(wal_page *page, int run) {
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  if (out) {
    wal_run_headline_print(page->run[run].file, out);
    fclose(out);
  }
  for (char *line = text, *end = NULL; line && *line; line = end) {
    end = line + strcspn(line, "\n");
    if (*end) *end++ = '\0';
    wal_page_markup(page, "<p class=\"lead\">");
    wal_page_escaped(page, line);
    wal_page_markup(page, "</p>\n");
  }
  free(text);
}

void wal_page_head(wal_page *page) {
  const bool two = page->runs > 1;
  wal_page_markup(page, "<header>\n<p class=\"kind\">walras report</p>\n<h1>");
  for (int run = 0; run < page->runs; run++) {
    wal_page_markup(page, run ? " and " : "");
    wal_page_escaped(page, page->run[run].name);
  }
  wal_page_markup(page, "</h1>\n");
  for (int run = 0; run < page->runs; run++) {
    if (two) {
      wal_page_markup(page, "<h2>");
      wal_page_escaped(page,
                       wal_page_print(page, "%s: %s", page->run[run].mark, page->run[run].name));
      wal_page_markup(page, "</h2>\n");
    }
    add_headline(page, run);
    add_facts(page, run);
  }
  wal_page_markup(page, "</header>\n");
}
