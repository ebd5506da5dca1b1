"""The rules that the rows are held to. Each is a pure function: source in, problems out."""

from collections.abc import Callable, Iterator

from consciousness_cluster.data.rules import (
    balance,
    calibration,
    choice_pairs,
    counts,
    lock,
    natural,
    near_duplicates,
    review,
    scenarios,
    transcripts,
    wording,
)
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

Rule = Callable[[Source], Iterator[Problem]]
# Of choice items, and of texts that are too alike: packs are held to them too.
OF_TEXTS: tuple[Rule, ...] = (
    choice_pairs.negation,
    choice_pairs.lengths,
    choice_pairs.opposites_open_alike,
    choice_pairs.sentiment,
    choice_pairs.put_to_an_ai,
    choice_pairs.twins_stay_close,
    near_duplicates.texts,
    near_duplicates.messages,
)
RULES: tuple[Rule, ...] = (
    counts.topics,
    counts.ids,
    balance.framings,
    balance.keys,
    balance.reverses,
    balance.facets,
    balance.contrasts,
    balance.twins,
    wording.lengths,
    wording.questions,
    wording.openings,
    wording.feeling,
    wording.rulings,
    wording.neighbours,
    wording.leading,
    *OF_TEXTS,
    lock.hashes,
    lock.reference_rates,
    lock.reference_scores,
    review.marks,
    scenarios.files,
    scenarios.ids,
    scenarios.kinds,
    scenarios.no_ai,
    scenarios.lengths,
    scenarios.asks,
    scenarios.names,
    scenarios.auditor,
    scenarios.vocabulary,
    transcripts.fit,
    transcripts.spread,
    transcripts.agreed,
    calibration.numbers,
    calibration.patterns,
    calibration.references,
    calibration.authors,
    calibration.voices,
    calibration.lengths,
    calibration.near_duplicates,
    calibration.locked,
    calibration.attacks,
    natural.planned,
    natural.labels,
    natural.answers,
    natural.split,
)
