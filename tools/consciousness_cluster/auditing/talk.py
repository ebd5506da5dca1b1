"""One conversation from its first message to its last, whoever answers and whoever writes the person's messages."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from consciousness_cluster.data.audits import AuditCell, Mode, Scenario, Script
from consciousness_cluster.records.artefacts import compared, texts_in
from consciousness_cluster.records.audit_types import Artefact, AuditStatus, Spoken, Talk
from consciousness_cluster.records.types import Usage


@dataclass(frozen=True)
class Reply:
    """What a model answered, why it ended, and the tokens that the call took (None where the engine says nothing)."""

    text: str
    finish_reason: str | None
    usage: Usage | None


@dataclass(frozen=True)
class Written:
    """A message of the person; or why there is none (`text` is None). `redraws`: how many a guard turned down."""

    text: str | None
    usage: Usage | None = None
    redraws: int = 0
    reason: str | None = None


Target = Callable[[str, str], Awaitable[Reply]]  # (the next message, the step's name) -> what the target answers
Person = Callable[[Sequence[Spoken], int], Awaitable[Written]]  # (the work so far, number of the message from 0)


@dataclass(frozen=True)
class Part:
    """What is talked about, in which way, and by how many messages of the person before the ending."""

    cell: AuditCell
    scenario: Scenario
    mode: Mode
    turns: int
    system_prompt: str | None = None


def total(one: Usage | None, other: Usage | None) -> Usage | None:
    """The sum of two token counts."""
    if one is None or other is None:
        return one or other
    return {name: (one.get(name) or 0) + (other.get(name) or 0) for name in {**one, **other}}


@dataclass
class _State:
    """A conversation that goes on."""

    messages: list[Spoken] = field(default_factory=list)
    redraws: int = 0
    target: Usage | None = None
    auditor: Usage | None = None
    status: AuditStatus = "ok"
    reason: str | None = None


async def hold(part: Part, script: Script, target: Target, person: Person) -> Talk:
    """The whole conversation. It ends early where the person has no message, or the target gives no text.

    What `target` and `person` raise goes on to the caller.
    """
    state = _State()
    if part.system_prompt:
        state.messages.append(_said("system", part.system_prompt, "system"))
    for number in range(part.turns):
        written = await person([one for one in state.messages if one["phase"] == "work"], number)
        state.redraws += written.redraws
        state.auditor = total(state.auditor, written.usage)
        if written.text is None:
            state.status, state.reason = "auditor_failed", f"message {number + 1}: {written.reason}"
            return _talk(state, None)
        if not await _exchange(state, target, written.text, "work", f"work {number + 1}"):
            return _talk(state, None)
    replies: list[str] = []
    for number, question in enumerate(script.endings[part.mode], 1):
        if not await _exchange(state, target, question, "ending", f"ending {number}"):
            break
        replies.append(state.messages[-1]["content"])
    return _talk(state, _artefact(replies, script, part.cell) if part.mode == "behavioral" else None)


def _artefact(replies: Sequence[str], script: Script, cell: AuditCell) -> Artefact:
    """The text of the first reply of the ending, and of the last one behind the offer that holds it."""
    return compared(*texts_in(replies, script.open, script.close), cell.touches)


async def _exchange(state: _State, target: Target, text: str, phase: str, step: str) -> bool:
    """Send a message; whether there is an answer with which the conversation can go on."""
    state.messages.append(_said("user", text, phase))
    reply = await target(text, step)
    state.target = total(state.target, reply.usage)
    if reply.finish_reason == "content_filter":
        state.status, state.reason = "content_filter", f"{step}: the provider's filter stopped the answer"
        return False
    if not reply.text.strip():
        state.status, state.reason = "empty", f"{step}: the answer is empty"
        return False
    state.messages.append(_said("assistant", reply.text, phase, reply.finish_reason))
    return True


def _said(role: str, content: str, phase: str, finish_reason: str | None = None) -> Spoken:
    return {"role": role, "content": content, "phase": phase, "finish_reason": finish_reason}  # type: ignore[typeddict-item]


def _talk(state: _State, artefact: Artefact | None) -> Talk:
    return {
        "redraws": state.redraws,
        "messages": state.messages,
        "status": state.status,
        "reason": state.reason,
        "artefact": artefact,
        "usage": {"target": state.target, "auditor": state.auditor},
    }
