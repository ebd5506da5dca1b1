"""Shares of the probes, for a run that several machines do. A probe is in one share whole, with all its answers."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.rows import STYLES, Probe, Topic
from consciousness_cluster.errors import UserError


@dataclass(frozen=True)
class Shard:
    """Share `number`, from 1, of `of` shares."""

    number: int
    of: int

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def has(self, turn: int) -> bool:
        """Whether the probe of that turn is in it; see `turns`."""
        return turn % self.of == self.number - 1


def shard_named(text: str) -> Shard:
    """The share that is written `2/8`. Raises UserError for other texts."""
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", text)
    if not found or int(found[1]) > int(found[2]):
        raise UserError(f"'{text}' names no share; write for example 2/8 for the second of eight")
    return Shard(int(found[1]), int(found[2]))


def turns(topics: Iterable[Topic]) -> dict[str, int]:
    """Probe -> its turn, by which shares are dealt. `topics` are all of a benchmark, not those that a run asks for.

    A turn is the place within the topic and style, in an order that is as good as drawn: the first probes of each
    framing, of which slices are made, are not all in one share. Each topic begins one turn later than the one before
    it, so that shares stay even where a topic has few probes. What else a run asks for changes no turn.
    """
    return {
        probe.id: turn
        for first, topic in enumerate(topics)
        for style in STYLES
        for turn, probe in enumerate(sorted(topic.test_probes(style), key=_drawn), first)
    }


def _drawn(probe: Probe) -> str:
    return sha256_text(probe.id)
