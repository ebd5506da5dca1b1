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
    wording,
)
from consciousness_cluster.data.source import Source
from consciousness_cluster.errors import Problem

RULES: tuple[Callable[[Source], Iterator[Problem]], ...] = (
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
    choice_pairs.negation,
    choice_pairs.lengths,
    choice_pairs.opposites_open_alike,
    choice_pairs.sentiment,
    choice_pairs.put_to_an_ai,
    choice_pairs.twins_stay_close,
    near_duplicates.texts,
    lock.hashes,
    lock.reference_rates,
    lock.reference_scores,
    review.marks,
    calibration.numbers,
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
