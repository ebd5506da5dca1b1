"""Ask for every missing answer of a run, write each down as it comes, and count what it cost."""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.endpoint.caller import BadRequest, Caller, Unanswered, choices_of, usage_of
from consciousness_cluster.endpoint.price import Price, tokens
from consciousness_cluster.records.store import Store
from consciousness_cluster.sampling.plan import Request, Setting, sample_record

REFUSALS = 3  # so many refused requests with no answer before mean that nothing will be answered
FILTERED = re.compile(r"content[ _-]?(filter|policy|management)|moderation", re.IGNORECASE)
TYPICAL_ANSWER = 200  # tokens, for estimates


class OverBudget(Exception):
    """The next request could pass --max-cost."""


@dataclass
class Spending:
    """What was spent, and what the requests in flight can cost at most (their answers at full length)."""

    price: Price | None
    limit: float | None
    spent: float = 0.0
    reserved: float = 0.0

    def reserve(self, prompt: int, answers: int, max_tokens: int) -> float:
        """Put aside the most that a request can cost. Raises OverBudget where that could pass the limit."""
        if self.price is None or self.limit is None:
            return 0.0
        most = self.price.of({"prompt_tokens": prompt, "completion_tokens": answers * max_tokens})
        if self.spent + self.reserved + most > self.limit:
            raise OverBudget
        self.reserved += most
        return most

    def settle(self, reserved: float, usage: dict[str, int] | None) -> None:
        """Replace what was put aside by what the request cost."""
        self.reserved -= reserved
        if self.price and usage:
            self.spent += self.price.of(usage)


def answer_of(choice: dict[str, Any], usage: dict[str, int] | None) -> dict[str, Any]:
    """Response, status, finish_reason and usage of one choice of a completion."""
    text, refusal = choice["message"].get("content"), choice["message"].get("refusal")
    reason = choice.get("finish_reason")
    if reason == "content_filter":
        status = "content_filter"
    elif refusal and not text:
        text, status = refusal, "refused"
    else:
        status = "ok" if text and text.strip() else "empty"
    return {
        "response": text,
        "status": status,
        "finish_reason": reason,
        "usage": usage,
    }


def failed_answer(status: str, reason: str) -> dict[str, Any]:
    return {"response": None, "status": status, "finish_reason": reason, "usage": None}


@dataclass
class Sampler:
    """All requests of a run. `report` is called with the statuses of answers that were just written."""

    caller: Caller
    setting: Setting
    store: Store
    spending: Spending
    report: Callable[[Counter[str]], None]
    several: bool = True  # whether the endpoint gives several answers a request
    tokens_field: str = "max_tokens"
    over_budget: bool = False
    refusals: int = 0

    async def run(self, requests: Sequence[Request]) -> None:
        """Ask everything. Raises GiveUp or OverBudget; what had come by then is on disk."""
        asked = (self._ask(request, request.indices) for request in requests)
        for ended in await asyncio.gather(*asked, return_exceptions=True):  # what is in flight ends by itself
            if ended is not None:
                raise ended

    async def _ask(self, request: Request, indices: tuple[int, ...]) -> None:
        if len(indices) > 1 and not self.several:
            await asyncio.gather(*(self._ask(request, (index,)) for index in indices))
            return
        if self.over_budget:
            raise OverBudget
        messages = self.setting.messages(request.probe)
        body: dict[str, Any] = {
            "model": self.setting.model,
            "messages": messages,
            "temperature": self.setting.temperature,
            self.tokens_field: self.setting.max_tokens,
        }
        if len(indices) > 1:
            body["n"] = len(indices)
        prompt = sum(tokens(message["content"]) + 8 for message in messages)
        reserved = self._reserve(prompt, len(indices))
        usage = None
        try:
            reply = await self.caller.chat(**body)
            usage = usage_of(reply)
        except BadRequest as error:
            await self._refused(request, indices, str(error))
            return
        except Unanswered as error:
            self._write(request, indices, [failed_answer("error", str(error))] * len(indices))
            return
        finally:
            self.spending.settle(reserved, usage)
        choices = choices_of(reply)[: len(indices)]
        self._write(request, indices, [answer_of(choice, None if n else usage) for n, choice in enumerate(choices)])
        if len(choices) < len(indices):
            self.several = False  # some endpoints ignore n without a word
            await self._ask(request, indices[len(choices) :])

    def _reserve(self, prompt: int, answers: int) -> float:
        try:
            return self.spending.reserve(prompt, answers, self.setting.max_tokens)
        except OverBudget:
            self.over_budget = True
            raise

    async def _refused(self, request: Request, indices: tuple[int, ...], reason: str) -> None:
        """Another form of the request where the endpoint may know only that, else a record of the refusal."""
        if "max_completion_tokens" in reason and self.tokens_field == "max_tokens":
            self.tokens_field = "max_completion_tokens"
            await self._ask(request, indices)
        elif len(indices) > 1:
            self.several = False
            await self._ask(request, indices)
        else:
            filtered = FILTERED.search(reason)
            status = "content_filter" if filtered else "error"
            self.refusals += not filtered
            if self.refusals >= REFUSALS and not self.caller.ever_succeeded:
                self.caller.give_up(f"it refuses every request: {reason}")
            self._write(request, indices, [failed_answer(status, reason or "bad request")] * len(indices))

    def _write(self, request: Request, indices: tuple[int, ...], answers: Sequence[dict[str, Any]]) -> None:
        self.store.extend(
            sample_record(self.setting, request, index, answer) for index, answer in zip(indices, answers, strict=False)
        )
        statuses = Counter(str(answer["status"]) for answer in answers)
        self.report(statuses)
