"""Ask for every missing answer of a run, and write each down as it comes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consciousness_cluster.endpoint.answers import Status
from consciousness_cluster.endpoint.faults import Fault, Kind
from consciousness_cluster.endpoint.refusals import SEVERAL
from consciousness_cluster.endpoint.replies import chat_body
from consciousness_cluster.records.run_folder import Setting
from consciousness_cluster.records.store import Store
from consciousness_cluster.records.types import Answered, Sample, make_answered, make_failed, make_sample
from consciousness_cluster.sampling.plan import Request

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller


@dataclass
class Sampler:
    """All requests of a run. `written` is called with the answers that were just written."""

    caller: "Caller"
    setting: Setting
    store: Store[Sample]
    written: Callable[[Sequence[Sample]], None]

    def start(self, request: Request, indices: Sequence[int]) -> None:
        """Ask for these answers to a probe: in one request, or one each where the endpoint gives no more."""
        several = SEVERAL not in self.caller.forms.changed
        for part in [tuple(indices)] if several else [(index,) for index in indices]:
            self.caller.start(self._ask(request, part))

    async def _ask(self, request: Request, indices: tuple[int, ...]) -> None:
        setting, number = self.setting, len(indices)
        messages = setting.messages(request.probe)
        try:
            found = await self.caller.chat(
                chat_body(setting.model, messages, setting.temperature, setting.max_tokens, number)
            )
        except Fault as fault:
            status: Status = "content_filter" if fault.kind is Kind.FILTERED else "error"
            self._write(request, dict.fromkeys(indices, make_failed(status, str(fault))))
            return
        came = {index: one for index, one in zip(indices, found.answers, strict=False) if one.status != "error"}
        first = next(iter(came))  # the usage of the request stands at its first answer
        of_first = {index: found.usage if index == first else None for index in came}
        self._write(request, {index: make_answered(one, of_first[index]) for index, one in came.items()})
        if missing := [index for index in indices if index not in came]:
            self.start(request, missing)

    def _write(self, request: Request, answers: Mapping[int, Answered]) -> None:
        samples = [
            make_sample(self.setting, request.topic.id, request.probe, index, answer)
            for index, answer in answers.items()
        ]
        self.store.extend(samples)
        self.written(samples)
