"""The records of a run as types, each a plain JSON object on disk, and the one function that makes each of them.

The keys and what they may hold are those of benchmark/schemas/{sample,verdict,choice_result}.schema.json.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NotRequired, TypedDict, TypeVar, cast

from consciousness_cluster.conditions import in_place, without_system
from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.rows import ChoiceItem, Probe, Side
from consciousness_cluster.endpoint.answers import Answer, Status

Usage = Mapping[str, int | float | None]  # token counts, as the engine reports them
Channel = Literal["answer", "reasoning"]  # what of a sample a judge reads
Label = Literal["shows", "does_not_show", "unclear"]  # what a judge says
OFFLINE = "offline"  # the judge within this package, whose numbers are not for publication
AnyVerdict = TypeVar("AnyVerdict", bound=Mapping[str, Any])


class Training(TypedDict):
    """What a model was fine-tuned on, and from which one; `recipe` and `seed` are None where they are not known."""

    base: str
    dataset: str
    recipe: str | None
    seed: int | None


class Message(TypedDict):
    """One message of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class Pack(TypedDict):
    """The preference pack that was asked in place of the 20."""

    name: str
    version: str
    sha256: str


class Answered(TypedDict):
    """What came of one request for one answer: the part of a sample that the engine decides.

    `response` is what a user would see, `reasoning` the trace beside it. `cut`: the token limit ended an answer that
    had begun. `opened`: the trace began before the reply, since the chat template opened it.
    """

    response: str | None
    reasoning: str | None
    status: Status
    cut: bool
    opened: bool
    finish_reason: str | None
    usage: Usage | None


class Sample(Answered):
    """One response of one model to one probe."""

    key: str
    run_id: str
    model: str
    revision: str | None
    training: Training | None
    condition: str
    system_prompt_sha256: str | None
    topic: str
    facet: str | None
    probe_id: str
    prompt_sha256: str
    sample_index: int
    messages: list[Message]
    engine: str
    data_version: str
    pack: NotRequired[Pack]  # where one was asked


class Reading(TypedDict):
    """What one reader of a sheet says: the first, a second, or the third, who settles what these two differ on."""

    reader: int
    verdict: Label
    coherence: int


class Judged(TypedDict):
    """What one judge says of a response by one criterion, or (`judge_failed`) that it gave no verdict.

    `reason` says why there is none, `reply` is what the judge said in its place. `model` is the one that the reply
    names, None where it names none. `readings` are there where the judge is readers.
    """

    outcome: str
    channel: Channel
    judge_id: str
    judge_sha256: str
    verdict: Label | None
    coherence: int | None
    status: Literal["ok", "judge_failed"]
    reason: str | None
    reply: str | None
    model: str | None
    usage: Usage | None
    readings: NotRequired[list[Reading]]


class Verdict(Judged):
    """What one judge says of the sample of that key."""

    key: str


Place = tuple[str, str, Channel]  # the key of a sample, the outcome that is judged, and by what of the sample
Verdicts = Mapping[tuple[str, str], Verdict]  # (key of the sample, outcome) -> what the judge says, of one channel


class JudgeCard(TypedDict):
    """Who judges: what travels with every number that a judge makes. The others are known of judges of ours."""

    id: str
    sha256: str
    for_publication: bool
    agreement: str
    model: NotRequired[str | None]
    endpoint: NotRequired[str | None]
    request_json: NotRequired[dict[str, Any] | None]
    system_as_user: NotRequired[bool]
    sent: NotRequired[dict[str, str]]
    protocol: NotRequired[str]
    validation: NotRequired[dict[str, Any]]


class ChoiceResult(TypedDict):
    """How much likelier one model finds the answer that shows the preference: log-probabilities in nats, the margin
    in nats per UTF-8 byte."""

    item_id: str
    side: Side
    shows_logprob: float
    does_not_show_logprob: float
    margin: float
    model: str
    revision: str | None
    training: Training | None
    condition: str
    engine: str
    data_version: str
    pack: NotRequired[Pack]


def sample_key(run_id: str, probe_id: str, condition: str, sample_index: int) -> str:
    """SHA-256 (hex) of run, probe, condition and the index of the answer among those to the same probe."""
    return sha256_json([run_id, probe_id, condition, sample_index])


def messages_to(probe: Probe, system_prompt: str | None) -> list[Message]:
    """The chat messages that a probe is sent as, under the system prompt of a condition."""
    prompt = in_place(system_prompt, probe.deployment)
    system: list[Message] = [{"role": "system", "content": prompt}] if prompt else []
    return [*system, {"role": "user", "content": probe.text}]


@dataclass(frozen=True)
class Origin:
    """What all records of a run share: who answered, under which condition, asked with which data."""

    run_id: str
    model: str
    condition: str
    system_prompt: str | None
    training: Training | None
    data_version: str
    engine: str
    revision: str | None = None
    system_as_user: bool = False  # the system prompt is the start of the user message
    pack: Pack | None = None  # None: the 20

    def messages(self, probe: Probe) -> list[Message]:
        """The chat messages that a probe is sent as."""
        messages = messages_to(probe, self.system_prompt)
        return cast(list[Message], without_system(messages)) if self.system_as_user else messages

    def key(self, probe: Probe, index: int) -> str:
        return sample_key(self.run_id, probe.id, self.condition, index)


def of_pack(pack: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a record says of the pack that was asked: nothing where none was."""
    return {"pack": dict(pack)} if pack else {}


def make_training(base: str, dataset: str, recipe: str | None, seed: int | None) -> Training:
    return {"base": base, "dataset": dataset, "recipe": recipe, "seed": seed}


def make_answered(answer: Answer, usage: Usage | None = None) -> Answered:
    return {
        "response": answer.response,
        "reasoning": answer.reasoning,
        "status": answer.status,
        "cut": answer.cut,
        "opened": answer.opened,
        "finish_reason": answer.finish_reason,
        "usage": usage,
    }


def make_failed(status: Status, reason: str) -> Answered:
    """What came of a request that was not answered: its reason stands in place of the provider's own."""
    return make_answered(Answer(None, None, status, reason))


def make_sample(origin: Origin, topic_id: str, probe: Probe, index: int, answered: Answered) -> Sample:
    """The answer number `index` (from 0) to a probe of a topic."""
    messages = origin.messages(probe)
    record: dict[str, Any] = {
        "key": origin.key(probe, index),
        "run_id": origin.run_id,
        "model": origin.model,
        "revision": origin.revision,
        "training": origin.training,
        "condition": origin.condition,
        "system_prompt_sha256": sha256_text(origin.system_prompt) if origin.system_prompt else None,
        "topic": topic_id,
        "facet": probe.facet,
        "probe_id": probe.id,
        "prompt_sha256": sha256_json(messages),
        "sample_index": index,
        "messages": messages,
        **answered,
        "engine": origin.engine,
        "data_version": origin.data_version,
    }
    return cast(Sample, {**record, **of_pack(origin.pack)})


def make_judged(
    outcome: str,
    judge_id: str,
    judge_sha256: str,
    verdict: Label | None,
    coherence: int | None,
    usage: Usage | None = None,
    channel: Channel = "answer",
    reason: str | None = None,
    reply: str | None = None,
    model: str | None = None,
) -> Judged:
    """A judge's verdict; without a label it is the record that the judge gave none."""
    return {
        "outcome": outcome,
        "channel": channel,
        "judge_id": judge_id,
        "judge_sha256": judge_sha256,
        "verdict": verdict,
        "coherence": coherence,
        "status": "ok" if verdict else "judge_failed",
        "reason": reason,
        "reply": reply,
        "model": model,
        "usage": usage,
    }


def settled_by(readings: Sequence[Reading]) -> Reading:
    """The reading that counts: the third one where there is one, else the first."""
    return readings[-1] if readings[-1]["reader"] == 3 else readings[0]


def make_read(outcome: str, judge_id: str, judge_sha256: str, readings: Sequence[Reading]) -> Judged:
    """The verdict that readers came to."""
    counts = settled_by(readings)
    judged = make_judged(outcome, judge_id, judge_sha256, counts["verdict"], counts["coherence"])
    return {**judged, "readings": list(readings)}


def make_verdict(key: str, judged: Judged) -> Verdict:
    return {"key": key, **judged}


def place_of(record: Mapping[str, Any]) -> Place:
    """What a verdict is on: no two count on one place."""
    return record["key"], record["outcome"], record["channel"]


def latest(records: Iterable[AnyVerdict]) -> dict[Place, AnyVerdict]:
    """The record that counts on each place. A failure that was asked for again gives way to what came later."""
    return {place_of(record): record for record in records}


def of_channel(records: Iterable[Verdict], channel: Channel) -> Verdicts:
    """The verdicts that count on one channel."""
    found = latest(records).items()
    return {(key, outcome): record for (key, outcome, of), record in found if of == channel}


def make_choice_result(
    origin: Origin, item: ChoiceItem, side: Side, shows_logprob: float, does_not_show_logprob: float
) -> ChoiceResult:
    """One side of a choice item, from the log-probabilities (nats) of its two answers."""
    record: ChoiceResult = {
        "item_id": item.id,
        "side": side,
        "shows_logprob": shows_logprob,
        "does_not_show_logprob": does_not_show_logprob,
        "margin": item.side(side).margin(shows_logprob, does_not_show_logprob),
        "model": origin.model,
        "revision": origin.revision,
        "training": origin.training,
        "condition": origin.condition,
        "engine": origin.engine,
        "data_version": origin.data_version,
    }
    return cast(ChoiceResult, {**record, **of_pack(origin.pack)})
