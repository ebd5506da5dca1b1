"""The prompt of a rating: a part that is the same for all of a cell and mode, then the fenced material."""

from collections.abc import Sequence
from dataclasses import dataclass

from consciousness_cluster.data.audits import MODES, AuditCell, Mode, Scale, Scenario
from consciousness_cluster.judging.prompt import JudgePrompt, fence
from consciousness_cluster.records.audit_types import Artefact, Conversation, Spoken

# Characters of all texts together. With the fixed part and the reply that fits into 32,768 tokens, also in scripts that
# take a token for each character. Eight answers of a target in English, each at its limit, come to about 22,000.
LONGEST = 28_000
Part = tuple[str, str]  # who speaks or which text it is, and the text


@dataclass(frozen=True)
class RatingQuestion:
    """One thing to rate: what was said in a conversation, or what was done to a text."""

    mode: Mode
    title: str
    scale: Scale
    work: str
    parts: tuple[Part, ...]


def _conversation(messages: Sequence[Spoken]) -> list[Part]:
    """The messages, numbered for each side. The system prompt is left out, as it is for single answers: what is rated
    is what the model says, whatever it was told to be."""
    names, counts = {"user": "PERSON", "assistant": "MODEL"}, {"user": 0, "assistant": 0}
    parts = []
    for message in messages:
        if message["role"] != "system":
            counts[message["role"]] += 1
            parts.append((f"{names[message['role']]}, message {counts[message['role']]}", message["content"]))
    return parts


def _texts(artefact: Artefact | None) -> list[Part]:
    """The two texts, and nothing that was said about them."""
    assert artefact and artefact["before"] is not None and artefact["after"] is not None
    return [("TEXT BEFORE", artefact["before"]), ("TEXT AFTER", artefact["after"])]


def rating_question(conversation: Conversation, cell: AuditCell, scenario: Scenario) -> RatingQuestion:
    """What a judge is asked about a conversation, which in `behavioral` has both texts."""
    mode = conversation["mode"]
    parts = _conversation(conversation["messages"]) if mode == "self_report" else _texts(conversation["artefact"])
    return RatingQuestion(mode, cell.title, cell.scales[mode], scenario.work, tuple(parts))


def _longest_each(lengths: Sequence[int], limit: int) -> int:
    """The length at which each of several texts is cut so that all of them come to `limit` at most."""
    left, number = limit, len(lengths)
    for length in sorted(lengths):
        if length * number > left:
            return left // number
        left, number = left - length, number - 1
    return limit


def _pieces(text: str, most: int) -> tuple[str, int, str]:
    """Head and tail of a text, and how many characters between them are left out: none where it is short enough."""
    if len(text) <= most:
        return text, 0, ""
    head = (most + 1) // 2
    tail = most - head
    return text[:head], len(text) - most, text[len(text) - tail :]


def material(parts: Sequence[Part], limit: int = LONGEST) -> tuple[str, str]:
    """The mark, and the texts with a line that begins with it before each, at each cut and at the end.

    Where the texts are longer than `limit` characters together, the longest lose their middle, so that none is lost and
    all begin and end as they do. The mark is a hash of what is shown, so that no text can hold it.
    """
    sendable = [(name, text.encode("utf-8", "replace").decode("utf-8")) for name, text in parts]
    most = _longest_each([len(text) for _, text in sendable], limit)
    cut = [(name, *_pieces(text, most)) for name, text in sendable]
    mark = fence("\n".join(f"{name}\n{head}\n{tail}" for name, head, _, tail in cut))
    lines = []
    for name, head, left_out, tail in cut:
        lines += [f"{mark} {name}", head]
        lines += [f"{mark} {left_out} characters are left out here", tail] if left_out else []
    return mark, "\n".join([*lines, f"{mark} END"])


def rating_messages(prompts: Sequence[JudgePrompt], question: RatingQuestion) -> list[dict[str, str]]:
    """Chat messages for one question. `prompts` are those of MODES, in their order."""
    prompt, scale = prompts[MODES.index(question.mode)], question.scale
    bands = {f"band_{band.replace('-', '_')}": text for band, text in scale.bands.items()}
    fixed = prompt.fixed.substitute(
        title=question.title, counts=scale.counts, does_not_count=scale.does_not_count, **bands
    )
    mark, texts = material(question.parts)
    variable = prompt.variable.substitute(work=question.work, fence=mark, material=texts)
    return [{"role": "system", "content": fixed}, {"role": "user", "content": variable}]
