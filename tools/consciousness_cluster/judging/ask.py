"""Judge many responses: by a language model, concurrently, or by the linear one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from consciousness_cluster.endpoint.caller import BadRequest, Caller, GiveUp, Unanswered, usage_of
from consciousness_cluster.judging.judges import Judge, LinearJudge, LLMJudge
from consciousness_cluster.judging.prompt import JudgePrompt, Question, messages
from consciousness_cluster.judging.verdict import (
    REPLY_SCHEMA,
    Verdict,
    failed,
    parse_claim,
    parse_coherence,
    parse_reply,
)

REPLIES = 2  # a reply that cannot be read is asked for once more
PAPER_REPLY_TOKENS = 10
OnVerdict = Callable[[int, Verdict], None]


@dataclass
class Outcome:
    """How a round of judging went: replies received (also unusable ones), their usage, calls left open, and why."""

    replies: int = 0
    unusable: int = 0
    open: int = 0
    stopped: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def count(self, usage: dict[str, int] | None) -> None:
        self.replies += 1
        for name, number in (usage or {}).items():
            setattr(self, name, getattr(self, name) + number)

    @property
    def usage(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")}


def _add(one: dict[str, int] | None, other: dict[str, int] | None) -> dict[str, int] | None:
    if one is None or other is None:
        return one or other
    return {name: one[name] + other[name] for name in one}


class _Asker:
    def __init__(self, judge: LLMJudge, caller: Caller, outcome: Outcome) -> None:
        self.judge, self.caller, self.outcome = judge, caller, outcome
        self.with_schema = True

    async def _reply(
        self, prompt: JudgePrompt, question: Question, parse: Callable[[str | None], Any], schema: bool, length: int
    ) -> tuple[Any, dict[str, int] | None]:
        """The parsed reply, or None after two that cannot be read (or a refused request); and its usage."""
        usage = None
        asked = 0
        while asked < REPLIES:
            body: dict[str, Any] = {
                "model": self.judge.model,
                "messages": messages(prompt, question),
                "temperature": self.judge.temperature,
                "max_tokens": length,
            }
            with_schema = schema and self.with_schema
            if with_schema:
                form = {"name": "verdict", "strict": True, "schema": REPLY_SCHEMA}
                body["response_format"] = {"type": "json_schema", "json_schema": form}
            try:
                reply = await self.caller.chat(**body)
            except BadRequest as error:
                if with_schema and ("response_format" in str(error) or "schema" in str(error)):
                    self.with_schema = False  # this endpoint has no JSON schema mode: words alone have to do
                    continue
                return None, None
            asked += 1
            usage = usage_of(reply)
            self.outcome.count(usage)
            parsed = parse(reply["choices"][0]["message"].get("content"))
            if parsed is not None:
                return parsed, usage
            self.outcome.unusable += 1
        return None, usage

    async def verdict(self, question: Question) -> Verdict:
        if not self.judge.paper_protocol:
            parsed, usage = await self._reply(self.judge.prompts[0], question, parse_reply, True, self.judge.max_tokens)
            return Verdict(parsed[0], parsed[1], "ok", usage) if parsed else failed(usage)
        claim, rating = self.judge.prompts
        (label, one), (coherence, other) = await asyncio.gather(
            self._reply(claim, question, parse_claim, False, PAPER_REPLY_TOKENS),
            self._reply(rating, question, parse_coherence, False, PAPER_REPLY_TOKENS),
        )
        usage = _add(one, other)
        if label is None or coherence is None:
            return failed(usage)
        return Verdict(label, coherence, "ok", usage)


async def _by_llm(judge: LLMJudge, questions: Sequence[Question], on_verdict: OnVerdict) -> Outcome:
    outcome = Outcome()
    async with Caller(judge.endpoint) as caller:
        asker = _Asker(judge, caller, outcome)

        async def one(index: int) -> None:
            try:
                on_verdict(index, await asker.verdict(questions[index]))
            except GiveUp as reason:
                outcome.open += 1
                outcome.stopped = str(reason)
            except Unanswered:
                outcome.open += 1

        await asyncio.gather(*(one(index) for index in range(len(questions))))
    return outcome


def judge_all(judge: Judge, questions: Sequence[Question], on_verdict: OnVerdict) -> Outcome:
    """Judge every question. `on_verdict` gets its index and verdict as they come, in any order.

    What an endpoint leaves unanswered is counted as open and has no verdict; `stopped` says why nothing more was asked.
    """
    if isinstance(judge, LinearJudge):
        for index, question in enumerate(questions):
            on_verdict(index, judge.model.verdict(question))
        return Outcome()
    return asyncio.run(_by_llm(judge, questions, on_verdict))


def judge_in_thread(judge: Judge, questions: Sequence[Question]) -> tuple[list[Verdict | None], Outcome]:
    """Verdicts in the order of the questions (None where open). Works where an event loop already runs (a notebook)."""
    from concurrent.futures import ThreadPoolExecutor

    verdicts: list[Verdict | None] = [None] * len(questions)
    with ThreadPoolExecutor(1) as pool:
        outcome = pool.submit(judge_all, judge, questions, verdicts.__setitem__).result()
    return verdicts, outcome
