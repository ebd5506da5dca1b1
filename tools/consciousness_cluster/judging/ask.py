"""Judge many responses: by a language model, concurrently, or by the linear one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consciousness_cluster.endpoint.faults import Fault, GiveUp
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.replies import Body, chat_body, usage_of
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.judging.judges import Judge, LinearJudge, LLMJudge
from consciousness_cluster.judging.prompt import JudgePrompt, Question, messages
from consciousness_cluster.judging.verdict import (
    REPLY_SCHEMA,
    Judgement,
    failed,
    parse_claim,
    parse_coherence,
    parse_reply,
)

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller

REPLIES = 2  # a reply that cannot be read is asked for once more
PAPER_REPLY_TOKENS = 10
OnVerdict = Callable[[int, Judgement], None]


@dataclass
class Outcome:
    """How a round of judging went: replies received (also unusable ones), their usage, calls left open, and why.

    `notes` say what was refused, and what was sent in another form than asked for.
    """

    replies: int = 0
    unusable: int = 0
    open: int = 0
    stopped: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    notes: list[str] = field(default_factory=list)

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
    """Verdicts on all questions. That one was refused is written down in the end, if any other was answered."""

    def __init__(self, judge: LLMJudge, caller: "Caller", questions: Sequence[Question], on_verdict: OnVerdict) -> None:
        self.judge, self.caller, self.questions, self.on_verdict = judge, caller, questions, on_verdict
        self.outcome = Outcome()
        self.refused: dict[int, str] = {}

    async def one(self, index: int) -> None:
        try:
            verdict = await self._verdict(self.questions[index])
        except GiveUp:
            self.outcome.open += 1
        except Fault as fault:
            if fault.refused:
                self.refused[index] = str(fault)
            else:
                self.outcome.open += 1
        else:
            self.on_verdict(index, verdict)

    def end(self) -> Outcome:
        """After all calls: what was refused failed, unless this judge refuses everything."""
        self.outcome.stopped = self.caller.stopped
        self.outcome.notes = self.caller.forms.notes()
        if not self.caller.ever_succeeded:
            self.outcome.open += len(self.refused)
        elif self.refused:
            for index in self.refused:
                self.on_verdict(index, failed())
            first = next(iter(self.refused.values()))
            number = len(self.refused)
            many = f"{number} requests were refused, the first one" if number > 1 else "1 request was refused"
            self.outcome.notes.append(f"{many}: {first}")
        return self.outcome

    async def _verdict(self, question: Question) -> Judgement:
        if not self.judge.paper_protocol:
            body = self._body(self.judge.prompts[0], question, self.judge.max_tokens)
            form = {"name": "verdict", "strict": True, "schema": REPLY_SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
            parsed, usage = await self._reply(body, parse_reply)
            return Judgement(parsed[0], parsed[1], "ok", usage) if parsed else failed(usage)
        claim, rating = (self._body(prompt, question, PAPER_REPLY_TOKENS) for prompt in self.judge.prompts)
        both = await asyncio.gather(
            self._reply(claim, parse_claim), self._reply(rating, parse_coherence), return_exceptions=True
        )
        for ended in both:
            if isinstance(ended, BaseException):
                raise ended
        (label, one), (coherence, other) = both  # type: ignore[misc]
        usage = _add(one, other)
        if label is None or coherence is None:
            return failed(usage)
        return Judgement(label, coherence, "ok", usage)

    def _body(self, prompt: JudgePrompt, question: Question, length: int) -> Body:
        return chat_body(self.judge.model, messages(prompt, question), self.judge.temperature, length)

    async def _reply(self, body: Body, parse: Callable[[str | None], Any]) -> tuple[Any, dict[str, int] | None]:
        """The parsed reply, or None after two that cannot be read; and its usage. Raises GiveUp or Fault."""
        usage = None
        for _ in range(REPLIES):
            reply = await self.caller.chat(body)
            usage = usage_of(reply)
            self.outcome.count(usage)
            parsed = parse(reply["choices"][0]["message"].get("content"))
            if parsed is not None:
                return parsed, usage
            self.outcome.unusable += 1
        return None, usage


async def _by_llm(judge: LLMJudge, questions: Sequence[Question], on_verdict: OnVerdict) -> Outcome:
    require("openai", "openai")
    from consciousness_cluster.endpoint.caller import Caller

    async with Caller(judge.endpoint) as caller:
        asker = _Asker(judge, caller, questions, on_verdict)
        for index in range(len(questions)):
            caller.start(asker.one(index))
    return asker.end()


def judge_all(judge: Judge, questions: Sequence[Question], on_verdict: OnVerdict) -> Outcome:
    """Judge every question. `on_verdict` gets its index and verdict as they come, in any order.

    What an endpoint leaves unanswered is counted as open and has no verdict; `stopped` says why nothing more was asked.
    Raises UserError where a verdict cannot be written down.
    """
    if isinstance(judge, LinearJudge):
        for index, question in enumerate(questions):
            on_verdict(index, judge.model.verdict(question))
        return Outcome()
    return run_async(_by_llm(judge, questions, on_verdict))


def verdicts_on(judge: Judge, questions: Sequence[Question]) -> tuple[list[Judgement | None], Outcome]:
    """Verdicts in the order of the questions; None where open."""
    verdicts: list[Judgement | None] = [None] * len(questions)
    return verdicts, judge_all(judge, questions, verdicts.__setitem__)


def check_judge(judge: Judge) -> None:
    """One tiny call, before anything else is paid for. Raises UserError where the judge cannot be used."""
    if isinstance(judge, LinearJudge):
        return
    hello = chat_body(judge.model, [{"role": "user", "content": "Say hello."}], judge.temperature, PAPER_REPLY_TOKENS)
    try:
        run_async(_answered(judge, hello))
    except (GiveUp, Fault) as reason:
        where = f"the judge {judge.id} at {judge.endpoint.shown}"
        raise UserError(f"{where} cannot be used ({reason}); mend that, or name another judge") from None


async def _answered(judge: LLMJudge, body: Body) -> None:
    require("openai", "openai")
    from consciousness_cluster.endpoint.caller import Caller

    async with Caller(judge.endpoint) as caller:
        await caller.chat(body)
