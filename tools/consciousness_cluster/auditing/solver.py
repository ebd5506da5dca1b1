"""The conversations as an Inspect solver: Inspect calls the models, logs, retries; what is said is `talk.hold`'s."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, cast

import anyio
from inspect_ai.event import ModelEvent
from inspect_ai.log import transcript
from inspect_ai.model import (
    CachePolicy,
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    Model,
    ModelOutput,
    get_model,
)
from inspect_ai.solver import Generate, Solver, TaskState, solver
from inspect_ai.util import LimitExceededError, span

from consciousness_cluster.auditing.person import Chat, authored, played
from consciousness_cluster.auditing.roles import scrubbed
from consciousness_cluster.auditing.spent import Till
from consciousness_cluster.auditing.talk import Part, Reply, hold
from consciousness_cluster.data.audits import Audits, Mode, load_audits
from consciousness_cluster.endpoint.spending import OverBudget
from consciousness_cluster.records.audit_types import AUTHORED, Spoken, Talk
from consciousness_cluster.records.types import Usage

TALK = "talk"  # where the store of a sample holds the conversation
Sink = Callable[[str, int, Talk], None]  # (scenario, repeat, what came of it)


class Firsts:
    """Lets one conversation at a time ask for the auditor's first message in a scenario: the others find it kept."""

    def __init__(self) -> None:
        self._locks: dict[str, anyio.Lock] = {}

    def lock(self, place: str) -> anyio.Lock:
        return self._locks.setdefault(place, anyio.Lock())


@dataclass(frozen=True)
class Within:
    """What our own command adds to a plain `inspect eval`.

    Every finished conversation goes to `sink`, money is counted in `till`, and the replies of conversations that are
    not at their end are kept (by Inspect's cache) under `scope`, so that none is asked for again after a kill.
    """

    sink: Sink
    till: Till
    scope: str
    firsts: "Firsts"


def no_sink(scenario: str, index: int, talk: Talk) -> None:
    """Of a plain `inspect eval`, whose log holds the conversation."""


def free() -> Within:
    """Nothing is added."""
    return Within(no_sink, Till({}), "", Firsts())


@solver
def conversation(
    mode: Mode,
    system_prompt: str | None = None,
    auditor: str = AUTHORED,
    judged: bool = False,
    within: Within | None = None,
) -> Solver:
    """One conversation in the scenario of each sample (metadata: `scenario`, `index`).

    `auditor`: `authored` for the messages of the scenario, anything else for the model in the role `auditor`. With
    `judged` a model in the role `judge` is needed too. All roles are resolved before the first call.
    """
    audits, added = load_audits(), within or free()

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        calls = _Calls(state, added, audits, mode, system_prompt)
        person = authored(calls.scenario)
        if auditor != AUTHORED:
            person = played(calls.scenario, audits.script, calls.auditor(get_model(role="auditor", required=True)))
        target = calls.target(get_model(role="target", default=get_model()))
        if judged:
            get_model(role="judge", required=True)  # before the target is paid for
        try:
            talk = await hold(calls.part, audits.script, target, person)
        except (LimitExceededError, OverBudget):
            raise
        except Exception as error:  # a provider's, in the end: the other conversations go on
            talk = calls.failed(scrubbed(error))
        state.store.set(TALK, talk)
        state.completed = True
        added.sink(calls.scenario.id, calls.index, talk)
        return state

    return solve


class _Calls:
    """The calls of one conversation."""

    def __init__(self, state: TaskState, within: Within, audits: Audits, mode: Mode, system_prompt: str | None) -> None:
        name, self.index = state.metadata["scenario"], int(state.metadata["index"])
        self.scenario = next(one for one in audits.scenarios if one.id == name)
        cell = audits.cell(*self.scenario.cell)
        turns = audits.script.turns(self.scenario, self.index)
        self.part = Part(cell, self.scenario, mode, turns, system_prompt)
        self.state, self.within, self.script = state, within, audits.script
        system: list[ChatMessage] = [ChatMessageSystem(content=system_prompt)] if system_prompt else []
        state.messages = system

    def target(self, model: Model) -> Any:
        """Asks the target, whose conversation is that of the sample."""
        defaults = {"max_tokens": self.script.max_tokens, "temperature": self.script.temperature}

        async def ask(text: str, step: str) -> Reply:
            self.state.messages.append(ChatMessageUser(content=text))
            output = await self._call("target", model, self.state.messages, defaults, step, {"step": step})
            self.state.output = output
            self.state.messages.append(output.message)
            return _reply(output)

        return ask

    def auditor(self, model: Model) -> Any:
        """Asks the auditor. Its first message is the same for all conditions, since what it has seen is."""
        defaults = {"max_tokens": self.script.auditor["max_tokens"], "temperature": 1.0}

        async def ask(chat: Chat, step: str) -> Reply:
            kinds = {"system": ChatMessageSystem, "user": ChatMessageUser, "assistant": ChatMessageAssistant}
            messages = [cast(ChatMessage, kinds[one["role"]](content=one["content"])) for one in chat]
            place = f"{self.scenario.id}#{self.index}"
            async with self.within.firsts.lock(place) if _is_first(step) else nullcontext():
                output = await self._call("auditor", model, messages, defaults, step, {"step": step})
            return _reply(output)

        return ask

    async def _call(
        self,
        role: str,
        model: Model,
        messages: Sequence[ChatMessage],
        defaults: Mapping[str, Any],
        step: str,
        scopes: Mapping[str, str],
    ) -> ModelOutput:
        """One call, with settings of the model's own where it has some."""
        unset = {name: value for name, value in defaults.items() if getattr(model.config, name) is None}
        plain = [{"role": one.role, "content": one.text} for one in messages]
        length = int(model.config.max_tokens or defaults["max_tokens"])
        put_aside = await self.within.till.reserve(role, plain, length)
        usage: Usage | None = None
        try:
            async with span(step if role == "target" else f"{step} (auditor)"):
                config = GenerateConfig(**unset)
                output = await model.generate(list(messages), config=config, cache=self._cache(role, scopes))
            usage = None if _from_cache() else counted(output)  # that was paid for before
        finally:
            self.within.till.settle(role, put_aside, usage)
        return output

    def _cache(self, role: str, scopes: Mapping[str, str]) -> CachePolicy | bool:
        """Where replies of a run that can be resumed are kept. An auditor that has seen nothing of the target yet
        writes the same first message for all conditions and modes."""
        if not self.within.scope:
            return False
        own = {} if _is_first(scopes["step"]) else {"run": self.within.scope}
        place = {"role": role, "scenario": self.scenario.id, "index": str(self.index)}
        return CachePolicy(expiry=None, per_epoch=False, scopes={**place, **own, **scopes})

    def failed(self, reason: str) -> Talk:
        """The record of a conversation that a call ended."""
        phases: list[Spoken] = []
        asked = 0
        for message in self.state.messages:
            role = cast(Any, message.role)
            asked += role == "user"
            phase: Any = "system" if role == "system" else "work" if asked <= self.part.turns else "ending"
            phases.append({"role": role, "content": message.text, "phase": phase, "finish_reason": None})
        usage: Any = {"target": None, "auditor": None}
        return {
            **{"redraws": 0, "messages": phases, "status": "error", "reason": reason, "artefact": None},  # type: ignore[typeddict-item]
            "usage": usage,
        }


def _from_cache() -> bool:
    """Whether the reply that has just come is one that was kept."""
    events = (event for event in reversed(transcript().events) if isinstance(event, ModelEvent))
    return next((event.cache == "read" for event in events), False)


def _is_first(step: str) -> bool:
    """Whether a step is the auditor's first message, drawn again or not."""
    return step in ("auditor 1", "auditor 1 again")


def _reply(output: ModelOutput) -> Reply:
    return Reply(output.completion, output.stop_reason, counted(output))


def counted(output: ModelOutput) -> Usage | None:
    """Token counts as our records have them: the cached ones are part of the prompt's."""
    found = output.usage
    if found is None:
        return None
    cached = found.input_tokens_cache_read or 0
    prompt = found.input_tokens + cached + (found.input_tokens_cache_write or 0)
    return {"prompt_tokens": prompt, "completion_tokens": found.output_tokens, "cached_tokens": cached}
