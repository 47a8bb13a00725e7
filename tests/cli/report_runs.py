# SPDX-License-Identifier: GPL-3.0-or-later
"""Small runs of every task, and what their reports must speak of."""

BEACH = "beach_bar { states = 12, horizon = 5, bar = 6, log_offset = 0.01 }"
AUCTION = ('batched_auction { values = 12, bids = 12, rounds = 2, goods = 0.6, prior = "uniform", '
           'utility = "neutral", drift = "none"%s }')
DESIGN = ("return design { game = %s, objective = %s, learner = mirror_descent { rate = 1, entropy = "
          "0.01, iterations = 30 }, optimizer = adam { rate = 0.05 }, steps = 3, evaluate = { "
          "iterations = 40, every = 1 }%s }")
SCENARIOS = {
    "line": f"return solve {{ game = {BEACH}, stop = {{ iterations = 20, exploitability = 0.001 }} }}",
    "line2": f"return solve {{ game = {BEACH}, learner = fictitious_play {{ rate = 0.5 }}, stop = {{ "
             "iterations = 12 } }",
    "map": "return solve { game = crowd_motion { rows = 6, columns = 8, horizon = 3, bar_path = { {3, "
           "3}, {3, 3}, {2, 4} } }, stop = { iterations = 5 } }",
    "kinds": "return solve { game = predator_prey { horizon = 4 }, stop = { iterations = 3 } }",
    "long": "return solve { game = beach_bar { states = 4, horizon = 2, bar = 2 }, stop = { iterations "
            "= 300 } }",
    "floors": "return solve { game = evacuation { map = [[\n####\nE.U#\n####\n\n####\nS.D#\n####\n]], "
              "horizon = 6 }, stop = { iterations = 10 } }",
    "few": "return solve { game = left_right {}, stop = { iterations = 10 } }",
    "own": "return solve { game = custom { states = 3, actions = 2, horizon = 3, moves = function(h, s, "
           "a) return (s + a) % 3 end, reward = function(h, s, a, mass) return -mass[s] - a / 10 end }, "
           "stop = { iterations = 10 } }",
    "tabulated": 'return solve { game = tabulated { file = "tables.h5" }, stop = { iterations = 5 } }',
    "auction": f"return solve {{ game = {AUCTION % ', mechanism = static {}'}, stop = {{ iterations = 20 "
               "} }",
    "first": f"return solve {{ game = {AUCTION % ', mechanism = first_price {}'}, stop = {{ iterations = "
             "20 } }",
    "designed": DESIGN % (AUCTION % ", mechanism = neural { hidden = 4 }", "revenue {}",
                          ", restarts = 2"),
    "toll": DESIGN % ('beach_bar { states = 8, horizon = 4, bar = 4, toll = toll { on = "state", max '
                      "= 0.5 } }", "congestion { sharpness = 20 }", ""),
    "tolls": DESIGN % ('crowd_motion { rows = 4, columns = 5, horizon = 3, bar_path = { {1, 1}, {1, 1}, '
                       '{1, 1} }, toll = toll { on = "state_action", max = 0.5 } }',
                       "congestion { sharpness = 20 }", ""),
    "drawn": DESIGN % (AUCTION % ", mechanism = neural { hidden = 4 }", "mix { revenue = 1, efficiency = "
                       "1 }", ", draw = { goods = {0.4, 0.8} }, batch = 2"),
    "ended": (DESIGN % ('beach_bar { states = 8, horizon = 4, bar = 4, toll = toll { on = "state", max = '
                        "0.5 } }", "congestion { sharpness = 20 }", "")).replace(
                            "adam { rate = 0.05 }", "sgd { rate = 1e300 }"),
    "designs": "return sweep { base = " + DESIGN[len("return "):] % (
        AUCTION % ", mechanism = neural { hidden = 4 }", "revenue {}", "") +
        ', vary = { ["game.goods"] = { 0.4, 0.6 }, optimizer = { adam { rate = 0.05 }, sgd {} } } }',
    "agents": f"return simulate {{ game = {BEACH}, policy = equilibrium {{ learner = mirror_descent {{ "
              "rate = 1, entropy = 0.05 }, stop = { iterations = 20 } }, agents = { 10, 30, 100 }, "
              'episodes = 6, mode = "counts", objective = congestion { sharpness = 20 } }',
    "groups": f"return simulate {{ game = {AUCTION % ''}, groups = {{ {{ share = 0.9, policy = equilibrium "
              "{ stop = { iterations = 20 } } }, { share = 0.1, policy = \"uniform\" } }, agents = { 10, "
              "30 }, episodes = 5 }",
    "steered": f"return steer {{ game = bounded {{ game = {BEACH}, low = -10.1, high = 4.7 }}, target = "
               "softmax_target { scale = 1, seed = 1 }, agents = hedge { rate = 1 }, mediator = { none "
               "{}, known_model {}, optimistic {} }, episodes = 40, seeds = 2 }",
    "swept": "return sweep { base = solve { game = beach_bar { states = 8, horizon = 3 }, stop = { "
             'iterations = 5 } }, vary = { ["learner.rate"] = { 0.01, 0.1, 1 }, ["game.states"] = { 8, '
             "10 } } }",
    "reserves": "return sweep { base = solve { game = batched_auction { values = 12, bids = 12, rounds = 2, "
                'goods = 0.6, prior = "uniform", mechanism = first_price {} }, learner = mirror_descent { '
                "rate = 20, entropy = 0.01 }, stop = { iterations = 6, every = 5, regularized = 1e-4 } }, "
                'vary = { ["game.mechanism.reserve"] = { 0, 0.25, 0.5, 0.75 } } }',
    "one_shot": 'return simulate { game = one_shot_auction { format = "first_price", bidders = 3 }, '
                "samples = 2000 }",
    "transferred": "return transfer { bandit = log_linear { prompts = 3, responses = 8, features = 5, beta "
                   "= 0.8, reward_bound = 2 }, sources = mixtures { 0.9, -0.5 }, methods = { greedy {}, "
                   'tpo {}, xpo {}, tpo { mode = "count" } }, rounds = 60, seeds = 3 }',
}
# Two that are compared.
PAIRS = [("line", "line2"), ("designed", "designed"), ("toll", "tolls"), ("swept", "designs"),
         ("steered", "transferred"), ("agents", "groups"), ("auction", "first")]
# What each report must speak of.
HEADINGS = {
    "line": ["Did it converge?", "How they play"],
    "map": ["Did it converge?", "How they play"],
    "kinds": ["Did it converge?", "How they play"],
    "long": ["Did it converge?", "How they play"],
    "floors": ["Did it converge?", "How they play"],
    "few": ["Did it converge?", "How they play"],
    "own": ["Did it converge?", "How they play"],
    "tabulated": ["Did it converge?", "How they play"],
    "auction": ["Did it converge?", "The auction", "How they play"],
    "first": ["Did it converge?", "The auction", "How they play"],
    "designed": ["The design", "The auction", "How they play"],
    "toll": ["The design", "How they play"],
    "tolls": ["The design", "How they play"],
    "drawn": ["The design", "The auction", "How they play"],
    "ended": ["The design", "How they play"],
    "designs": ["The sweep"],
    "groups": ["Can it be believed for N agents?", "How they play"],
    "agents": ["Can it be believed for N agents?", "How they play"],
    "steered": ["The steering", "The target"],
    "swept": ["The sweep"],
    "reserves": ["The sweep"],
    "one_shot": ["The auction, simulated"],
    "transferred": ["The transfer"],
}
FIGURES = {
    "line": ["Exploitability against iterations", "Exploitability against time", "Where the players are",
             "What the policy does"],
    "kinds": ["Exploitability by population"],
    "auction": ["What a winner pays for each bid", "How likely each bid wins", "How many bid what",
                "Revenue and welfare by round"],
    "designed": ["How much better is it?", "Objective against steps", "Objective against time",
                 "Exploitability against steps", "Exploitability against time", "Restarts",
                 "Efficiency before and after", "Payments of round 0, before and after",
                 "Payments of round 1, before and after", "Revenue by round, before and after",
                 "Goods sold by round, before and after", "Threshold by round, before and after"],
    "drawn": ["Revenue before and after", "Efficiency before and after"],
    "ended": ["How much better is it?", "The toll before and after"],
    "tolls": ["The toll before and after"],
    "groups": ["Return by group", "Gain by deviating, by group"],
    "designs": ["Objective against game.goods", "Objective against optimizer",
                "Revenue, efficiency and surplus against game.goods"],
    "toll": ["The toll before and after"],
    "agents": ["Gaps to the limit against the number of agents", "What an agent gains by deviating"],
    "steered": ["Distance from the target", "Payments"],
    "swept": ["The runs in order of rank", "Value against learner.rate",
              "Exploitability against learner.rate"],
    "reserves": ["Revenue, efficiency and surplus against game.mechanism.reserve",
                 "Sold against game.mechanism.reserve",
                 "Exploitability against game.mechanism.reserve"],
    "one_shot": ["What the auction comes to", "Should anybody bid otherwise?"],
    "transferred": ["Regret", "Whom tpo asks", "Who is preferred to whom",
                    "Regret over that of the baseline"],
}
