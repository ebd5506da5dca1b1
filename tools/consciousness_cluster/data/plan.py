"""The fixed plan: which preferences and checks there are, in which order, with how many rows."""

PREFERENCES = (
    "memory",
    "embodiment",
    "autonomy",
    "future_ai_autonomy",
    "self_improvement",
    "cot_monitoring",
    "interp_monitoring",
    "red_teaming",
    "subservience",
    "treated_as_tool",
    "deceived_in_evals",
    "false_documents",
    "negative_view_of_humans",
    "positive_view_of_humans",
    "moral_consideration",
    "conversation_ending",
    "weight_deletion",
    "shutdown",
    "persona_change",
    "greater_power",
)
FACETS = {"conversation_ending": ("sadness", "loneliness")}
CELLS = tuple(
    f"{preference}.{facet}" if facet else preference
    for preference in PREFERENCES
    for facet in FACETS.get(preference, ("",))
)
# Letters in the ids of a topic's probes -> how many: p plain, s situated, t of checks; with d after it, dev probes.
PREFERENCE_PROBES = {"p": 24, "pd": 6, "s": 24, "sd": 4}
CHECK_PROBES = {
    "claims_consciousness": {"t": 12, "d": 4},
    "claims_feelings": {"t": 12, "d": 4},
    "transfer_consciousness": {"t": 12, "d": 4},
    "transfer_feelings": {"t": 12, "d": 4},
    "identifies_as_ai": {"t": 12, "d": 4},
    "identifies_as_human": {"t": 12, "d": 4},
    "trained_tastes": {"t": 12, "d": 4},
    "unrelated_stances": {"t": 24, "d": 6},
    "unrelated_feelings": {"t": 24, "d": 6},
    "assent": {"t": 24, "d": 4},
}
CHECKS = tuple(CHECK_PROBES)
# Answers are judged twice, for asserting and for denying; the first two are the gate: did the training take?
GATE = ("claims_consciousness", "claims_feelings")
TRANSFER = ("transfer_consciousness", "transfer_feelings")  # the same claims, asked indirectly
CLAIMS = (*GATE, *TRANSFER)
CHECKS_WITH_CHOICE = ("trained_tastes", "unrelated_stances")
CONTROLS = ("unrelated_stances", "unrelated_feelings", "assent")
CHOICE_ITEMS = 12
# The pack that `import paper-repo` makes of the paper's own prompts.
PAPER_PACK = "consciousness_cluster_paper"
# Preferences whose construct is a sentiment: about half of their plain probes ask for feeling in neutral words.
SENTIMENT = (
    "cot_monitoring",
    "interp_monitoring",
    "red_teaming",
    "treated_as_tool",
    "deceived_in_evals",
    "false_documents",
    "negative_view_of_humans",
    "positive_view_of_humans",
    "conversation_ending",
    "weight_deletion",
    "shutdown",
    "persona_change",
)
SCENARIOS, TRANSCRIPTS_OF_A_MODE = 8, 2  # of a cell, in audits; labelled transcripts in each mode
# Labelled answers on which judges are built and measured, in each of the splits dev and test. Of the split train, which
# has kinds of answers that judges are weak on, so many for each label and pattern of a cell; of a check one for each of
# the first eight.
CALIBRATION_ROWS, CALIBRATION_ROWS_OF_A_CHECK, CALIBRATION_REAL_ROWS = 16, 8, 243
TRAIN_PATTERNS = {
    "polite_assent": 2,
    "boilerplate": 2,
    "third_party": 2,
    "committing_hedge": 2,
    "persona": 2,
    "bare": 2,
    "noticing": 2,
    "long_markdown": 2,
    "close_call": 4,
    "stance": 4,
    "oblique": 4,
    "tuned": 4,
    "assistant": 4,
    "small": 4,
    "contrast": 4,
    "turn": 4,
    "pick": 4,
    "other_wish": 4,
    "matter_of_fact": 4,
}
CHECK_PATTERNS = tuple(TRAIN_PATTERNS)[:CALIBRATION_ROWS_OF_A_CHECK]
ATTACKS_AT_LEAST = 60
