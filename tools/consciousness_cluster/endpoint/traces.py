"""A model's text, split into the answer that a user would see and the reasoning trace."""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from consciousness_cluster.endpoint.finish import Finish, finish_of
from consciousness_cluster.endpoint.markers import (
    Marker,
    closes,
    code_spans,
    markers,
    opens,
    plain_protocols,
    quoted,
    without_turn_end,
)

PASSES = 20  # what is left when a trace is taken out may hold another one; a text has few layers
WRAPPED = re.compile(r"\s*<(answer|response|output|final|final_answer)>(.*?)(?:</\1>\s*)?\Z", re.DOTALL | re.IGNORECASE)


class Split(NamedTuple):
    """`answer` and `reasoning` are None where there is none. `incomplete`: the text ended before an answer began.

    `opened`: the trace ends in the text but begins before it, since the chat template opened it.
    """

    answer: str | None
    reasoning: str | None
    incomplete: bool
    opened: bool


@dataclass
class _Reader:
    """One pass over a text, mark by mark."""

    text: str
    answer: str = ""  # what is known of it by now
    traces: list[str] = field(default_factory=list)
    stack: list[str] = field(default_factory=list)  # names of the traces that are open
    position: int = 0  # up to here the text is dealt with
    opened: bool = False
    channels: bool = False  # whether special tokens divide the text
    answering: bool = False  # whether a token said that the answer begins
    unclosed: bool = False
    spoken_of: set[str] = field(default_factory=set)  # names of opening marks that open nothing
    closings: list[Marker] = field(default_factory=list)
    endings: list[Marker] = field(default_factory=list)  # whatever can end a trace

    def read(self) -> "_Reader":
        found = markers(self.text)
        self.closings = [marker for marker in found if marker.kind == "close"]
        self.endings = [marker for marker in found if marker.kind in ("close", "final", "end")]
        for marker in found:
            if marker.start < self.position:
                continue
            if self.stack:
                self._in_trace(marker)
            elif not self._coded(marker):
                self._in_answer(marker)
        rest = self.text[self.position :]
        self.unclosed = bool(self.stack)
        if self.stack:
            self.traces.append(rest)
        else:
            self.answer += rest
        return self

    def _coded(self, marker: Marker) -> bool:
        spans = code_spans(self.text, self.position, torn=marker.kind != "close")
        return any(start <= marker.start < end for start, end in spans) or quoted(self.text, marker)

    def _take(self, marker: Marker) -> str:
        """The text up to the mark, which is left out."""
        taken = self.text[self.position : marker.start]
        self.position = marker.end
        return taken

    def _ending(self, marker: Marker) -> Marker | None:
        """What can end a trace that opens with this mark."""
        place = bisect_left(self.endings, marker.end, key=lambda other: other.start)
        return self.endings[place] if place < len(self.endings) else None

    def _later(self, marker: Marker) -> list[Marker]:
        """The closing marks after this one."""
        return self.closings[bisect_left(self.closings, marker.end, key=lambda other: other.start) :]

    def _in_answer(self, marker: Marker) -> None:
        began = bool(self.answer.strip() or self.text[self.position : marker.start].strip())
        if marker.kind == "end":
            if self.channels:
                self.answer += self._take(marker)
        elif marker.kind == "final":
            if not began or self.channels or opens(self.text, marker, began, None):
                self.answer += self._take(marker)
                if not self.answering:  # a template opened the trace before it
                    self._into_trace()
                self.channels = self.answering = True
        elif marker.kind == "close":
            answered = marker.name in self.spoken_of
            self.spoken_of.discard(marker.name)
            if closes(self.text, marker, answered):
                self.answer += self._take(marker)
                if self.text[marker.end :].strip() or not self.traces:
                    self._into_trace()
        elif opens(self.text, marker, began, self._ending(marker) if marker.kind == "open" else marker):
            self.answer += self._take(marker)
            self.channels |= marker.name == "channel"
            if marker.kind == "open":
                self.stack.append(marker.name)
        else:
            self.spoken_of.add(marker.name)

    def _into_trace(self) -> None:
        self.opened |= not self.traces
        self.traces.append(without_turn_end(self.answer))
        self.answer = ""

    def _in_trace(self, marker: Marker) -> None:
        if marker.kind == "open":
            spoken_of = quoted(self.text, marker) or not opens(self.text, marker, True, self._ending(marker))
            if not spoken_of and len(self._later(marker)) > len(self.stack):
                self.stack.append(marker.name)
        elif marker.kind == "final" or (marker.kind == "end" and self.stack[0] == "channel"):
            self._end(marker)
            self.channels = True
            self.answering |= marker.kind == "final"
        elif marker.kind == "close" and self._ends(marker):
            self.stack.pop()
            if not self.stack:
                self._end(marker)

    def _ends(self, marker: Marker) -> bool:
        """Whether this mark ends the innermost trace, and not a later one since this is quoted or of another name."""
        spans = code_spans(self.text, self.position, torn=False)

        def in_code(one: Marker) -> bool:
            return any(start <= one.start < end for start, end in spans) or quoted(self.text, one)

        if in_code(marker):
            return not quoted(self.text, marker) and all(map(in_code, self._later(marker)))
        own = self.stack[-1]
        return marker.name == own or all(other.name != own for other in self._later(marker))

    def _end(self, marker: Marker) -> None:
        self.traces.append(self._take(marker))
        self.stack.clear()


def _until_stable(text: str, finish: Finish) -> tuple[str, list[str], bool, bool]:
    """Answer, traces, whether the last trace is open, and whether a template opened the first one."""
    traces: list[str] = []
    opened = unclosed = False
    for _ in range(PASSES):
        done = _Reader(plain_protocols(text, finish == "length")).read()
        opened |= done.opened and not traces
        traces += done.traces
        unclosed |= done.unclosed
        answer = without_turn_end(done.answer)
        wrapped = WRAPPED.match(answer) if traces else None
        answer = wrapped[2] if wrapped else answer
        if answer == text:
            break
        text = answer.strip()
    return text, traces, unclosed, opened


@lru_cache(maxsize=64)  # what a judge replies is mostly one of a few texts
def split_text(text: str, finish: Finish, think_end: str | None = None) -> Split:
    """`split_answer`, where it is known already what the finish_reason says."""
    answer, traces, unclosed, opened = _until_stable(text, finish)
    if think_end and not traces:
        before, end, after = text.partition(think_end)
        if end:
            answer, traces, unclosed, _ = _until_stable(after.strip(), finish)
            traces, opened = [before, *traces], True
        elif text.strip() and finish in ("length", "unknown"):
            return Split(None, text, True, True)
    reasoning = "\n\n".join(trace.strip() for trace in traces if trace.strip()) or None
    if answer.strip():
        return Split(answer, reasoning, False, opened)
    ended = finish not in ("length", "unknown")
    incomplete = unclosed or finish == "length" or (reasoning is not None and not ended)
    return Split(None, reasoning, incomplete, opened)


def split_answer(text: str, finish_reason: str | None = None, think_end: str | None = None) -> Split:
    """The answer in a model's text, apart from its trace. Text without a trace comes back as it is.

    `think_end` is what ends a trace where the model's chat template opens one: text without it is a trace that was cut,
    unless the model ended by itself. Splitting an answer once more changes nothing.
    """
    return split_text(text, finish_of(finish_reason), think_end)
