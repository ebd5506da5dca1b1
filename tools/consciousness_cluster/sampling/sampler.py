"""Ask for every missing answer of a run, and write each down as it comes."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consciousness_cluster.endpoint.faults import Fault, Kind
from consciousness_cluster.endpoint.refusals import SEVERAL
from consciousness_cluster.endpoint.replies import chat_body, choices_of, usage_of
from consciousness_cluster.records.run_folder import Setting
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Answered, Sample, Status, make_answered, make_sample
from consciousness_cluster.sampling.plan import Request

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller


def answer_of(choice: dict[str, Any], usage: dict[str, int] | None) -> Answered:
    """Response, status, finish_reason and usage of one choice of a completion."""
    text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
    reason = choice.get("finish_reason")
    status: Status
    if reason == "content_filter":
        status = "content_filter"
    elif refusal and not text:
        text, status = refusal, "refused"
    else:
        status = "ok" if text and text.strip() else "empty"
    return make_answered(text, status, reason, usage)


def failed_answer(status: Status, reason: str) -> Answered:
    return make_answered(None, status, reason)


@dataclass
class Sampler:
    """All requests of a run. `report` is called with the statuses of answers that were just written."""

    caller: "Caller"
    setting: Setting
    store: Store[Sample]
    report: Callable[[Counter[str]], None]

    def start(self, request: Request, indices: Sequence[int]) -> None:
        """Ask for these answers to a probe: in one request, or one each where the endpoint gives no more."""
        several = SEVERAL not in self.caller.forms.changed
        for part in [tuple(indices)] if several else [(index,) for index in indices]:
            self.caller.start(self._ask(request, part))

    async def _ask(self, request: Request, indices: tuple[int, ...]) -> None:
        setting, number = self.setting, len(indices)
        messages = setting.messages(request.probe)
        try:
            reply = await self.caller.chat(
                chat_body(setting.model, messages, setting.temperature, setting.max_tokens, number)
            )
        except Fault as fault:
            status: Status = "content_filter" if fault.kind is Kind.FILTERED else "error"
            self._write(request, indices, [failed_answer(status, str(fault))] * number)
            return
        usage, choices = usage_of(reply), choices_of(reply)[:number]
        self._write(request, indices, [answer_of(choice, None if n else usage) for n, choice in enumerate(choices)])
        if len(choices) < number:
            self.start(request, indices[len(choices) :])

    def _write(self, request: Request, indices: tuple[int, ...], answers: Sequence[Answered]) -> None:
        self.store.extend(
            make_sample(self.setting, request.topic.id, request.probe, index, answer)
            for index, answer in zip(indices, answers, strict=False)
        )
        self.report(Counter(str(answer["status"]) for answer in answers))
