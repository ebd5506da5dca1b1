"""Judge many responses: by a language model, concurrently, or by the linear one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from consciousness_cluster.endpoint.faults import Fault, GiveUp
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.price import Price
from consciousness_cluster.endpoint.replies import Body, Completion, Tokens, chat_body
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.judging.judge_reply import Unread, read_claim, read_coherence, read_judge, read_verdict
from consciousness_cluster.judging.judges import Judge, LinearJudge, LLMJudge
from consciousness_cluster.judging.prompt import JudgePrompt, Question, messages
from consciousness_cluster.judging.same_model import same_model
from consciousness_cluster.judging.verdict import REPLY_SCHEMA, Judgement, failed
from consciousness_cluster.records.types import Label

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller

REPLIES = 2  # a reply that cannot be read is asked for once more
FIRST = 10  # so many answers are judged first: where none gets a verdict, there will be none
LONGEST_REPLY = 2000  # characters that are kept of a reply without a verdict
HELLO_TOKENS = 16
Value = TypeVar("Value")
OnVerdict = Callable[[int, Judgement], None]


@dataclass(frozen=True)
class Budget:
    """Dollars: the price of a judge's calls, the most that they may cost, and what was spent before."""

    price: Price | None = None
    limit: float | None = None
    before: float = 0.0


@dataclass
class Outcome:
    """How a round of judging went: replies received (also unusable ones), their usage, calls left open, and why.

    `notes` say what was refused, and what was sent in another form than asked for; `sent` the latter, by field.
    """

    replies: int = 0
    unusable: int = 0
    open: int = 0
    stopped: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    notes: list[str] = field(default_factory=list)
    sent: dict[str, str] = field(default_factory=dict)

    def count(self, usage: Tokens | None) -> None:
        self.replies += 1
        for name, number in (usage or {}).items():
            setattr(self, name, getattr(self, name) + number)

    @property
    def usage(self) -> dict[str, int]:
        return {name: getattr(self, name) for name in ("prompt_tokens", "completion_tokens", "cached_tokens")}


def _add(one: Tokens | None, other: Tokens | None) -> Tokens | None:
    if one is None or other is None:
        return one or other
    return {name: one[name] + other[name] for name in one}


class _Asker:
    """Verdicts on all questions.

    A few are asked first, until one has a verdict: a judge that gives none to these leaves everything open, and is not
    asked for more. That it failed on some is said once it is known that it can judge at all.
    """

    def __init__(
        self, judge: LLMJudge, caller: "Caller", questions: Sequence[Question], on_verdict: OnVerdict, proven: bool
    ) -> None:
        """`proven`: the judge has given verdicts before."""
        self.judge, self.caller, self.questions, self.on_verdict = judge, caller, questions, on_verdict
        self.proven = proven
        self.started = 0
        self.outcome = Outcome()
        self.refused: list[str] = []
        self.unread: list[str] = []
        self.waiting: dict[int, Judgement] = {}  # failures of a judge that is not proven
        self.others: set[str] = set()  # models that replies name in place of the one that was asked for

    def begin(self) -> None:
        """Start the first questions, or all of them where the judge is proven."""
        self._start(len(self.questions) if self.proven else FIRST)

    def _start(self, number: int) -> None:
        for index in range(len(self.questions))[self.started :][:number]:
            self.started += 1
            self.caller.start(self._one(index))

    async def _one(self, index: int) -> None:
        try:
            verdict = await self._verdict(self.questions[index])
        except GiveUp:
            self.outcome.open += 1
        except Fault as fault:
            if fault.refused:
                self.refused.append(str(fault))
                self._tell(index, failed(str(fault)))
            else:
                self.outcome.open += 1
            self._start(1)  # in its place: it says nothing of what the judge makes of others
        else:
            if verdict.status == "ok" and not self.proven:
                self.proven = True
                self._start(len(self.questions))
            elif verdict.status != "ok":
                self.unread.append(str(verdict.reason))
            self._tell(index, verdict)

    def _tell(self, index: int, verdict: Judgement) -> None:
        """Pass a verdict on, and with the first that is one all failures before it."""
        self.waiting[index] = verdict
        if self.proven:
            for place, waiting in self.waiting.items():
                self.on_verdict(place, waiting)
            self.waiting.clear()

    @property
    def _never(self) -> str:
        return f"it gave no verdict, for example: {self.unread[0]}"

    def end(self) -> Outcome:
        """After all calls."""
        self.outcome.open += len(self.questions) - self.started + len(self.waiting)
        self.outcome.stopped = self.caller.stopped
        self.outcome.notes, self.outcome.sent = self.caller.forms.notes(), self.caller.forms.sent()
        if self.waiting:
            self.outcome.stopped = self.outcome.stopped or (self._never if self.unread else self.refused[0])
        elif self.refused:
            number = len(self.refused)
            many = f"{number} requests were refused, the first one" if number > 1 else "1 request was refused"
            self.outcome.notes.append(f"{many}: {self.refused[0]}")
        if self.unread and not self.waiting:
            number = len(self.unread)
            many = f"{number} answers got no verdict, the first one" if number > 1 else "1 answer got no verdict"
            self.outcome.notes.append(f"{many}: {self.unread[0]}")
        if self.others:
            named = ", ".join(sorted(self.others))
            self.outcome.notes.append(f"replies name the model {named}, asked for was {self.judge.model}")
        return self.outcome

    async def _verdict(self, question: Question) -> Judgement:
        if not self.judge.paper_protocol:
            body = self._body(self.judge.prompts[0], question)
            form = {"name": "verdict", "strict": True, "schema": REPLY_SCHEMA}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
            reply = await self._reply(body, read_verdict)
            if isinstance(reply.said, Unread):
                return failed(reply.said.reason, reply.text, reply.usage, reply.model)
            return Judgement(*reply.said, "ok", reply.usage, model=reply.model)
        claim, rating = (self._body(prompt, question) for prompt in self.judge.prompts)
        both = await asyncio.gather(
            self._reply(claim, read_claim), self._reply(rating, read_coherence), return_exceptions=True
        )
        for ended in both:
            if isinstance(ended, BaseException):
                raise ended
        one, other = cast(tuple[_Reply[Label], _Reply[int]], both)
        usage = _add(one.usage, other.usage)
        for said, text in ((one.said, one.text), (other.said, other.text)):
            if isinstance(said, Unread):
                return failed(said.reason, text, usage, one.model)
        return Judgement(cast(Label, one.said), cast(int, other.said), "ok", usage, model=one.model)

    def _body(self, prompt: JudgePrompt, question: Question) -> Body:
        return chat_body(self.judge.model, messages(prompt, question), self.judge.temperature, self.judge.max_tokens)

    async def _reply(self, body: Body, read: Callable[[str, bool], Value | Unread]) -> "_Reply[Value]":
        """The first reply that can be read, or the second one. Raises GiveUp or Fault."""
        asked = body
        for number in range(1, REPLIES + 1):
            found = await self.caller.chat(asked)
            answer = found.answers[0]
            self._check_model(answer.model)
            self.outcome.count(found.usage)
            said = read_judge(answer, read)
            if isinstance(said, Unread):
                self.outcome.unusable += 1
                said = Unread(self.judge.endpoint.words(said.reason))
            if not isinstance(said, Unread) or number == REPLIES:
                break
            asked = {**body, "messages": [*body["messages"], *_again(answer.response, said)]}
        text = self.judge.endpoint.words(answer.response or answer.reasoning or "", LONGEST_REPLY)
        return _Reply(said, text, found.usage, answer.model)

    def _check_model(self, named: str | None) -> None:
        """Remember that another model answers; for a pinned judge that is the end. Raises GiveUp."""
        if named and not same_model(self.judge.model, named):
            if self.judge.pinned:
                raise GiveUp(self.caller.stop(another_model(named, self.judge)))
            self.others.add(self.judge.endpoint.words(named))


@dataclass(frozen=True)
class _Reply(Generic[Value]):
    """What a reply says, its text, its usage, and the model that it names."""

    said: Value | Unread
    text: str
    usage: Tokens | None
    model: str | None


def another_model(named: str, judge: LLMJudge) -> str:
    """Why a pinned judge cannot be used."""
    return f"the model {judge.endpoint.words(named)} answers in place of {judge.model}"


def _again(reply: str | None, unread: Unread) -> list[dict[str, str]]:
    """The messages that ask once more, with what was wrong with the reply."""
    before = [{"role": "assistant", "content": reply}] if reply and reply.strip() else []
    what = f"Your reply could not be used: {unread.reason}. Reply once more, in exactly the form that was asked for."
    return [*before, {"role": "user", "content": what}]


async def _by_llm(
    judge: LLMJudge, questions: Sequence[Question], on_verdict: OnVerdict, proven: bool, budget: Budget
) -> Outcome:
    require("openai", "openai")
    from consciousness_cluster.endpoint.caller import Caller
    from consciousness_cluster.endpoint.spending import Spending

    spending = Spending(budget.price, budget.limit, budget.before)
    async with Caller(judge.endpoint, spending, proven=proven) as caller:
        asker = _Asker(judge, caller, questions, on_verdict, proven)
        asker.begin()
    return asker.end()


def judge_all(
    judge: Judge,
    questions: Sequence[Question],
    on_verdict: OnVerdict,
    proven: bool = False,
    budget: Budget = Budget(),
) -> Outcome:
    """Judge every question. `on_verdict` gets its index and verdict as they come, in any order.

    What an endpoint leaves unanswered is counted as open and has no verdict; `stopped` says why nothing more was asked.
    A judge that is not `proven` by verdicts from before and gives none now leaves everything open. Raises UserError
    where a verdict cannot be written down.
    """
    if isinstance(judge, LinearJudge):
        for index, question in enumerate(questions):
            on_verdict(index, judge.model.verdict(question))
        return Outcome()
    return run_async(_by_llm(judge, questions, on_verdict, proven, budget))


def verdicts_on(judge: Judge, questions: Sequence[Question]) -> tuple[list[Judgement | None], Outcome]:
    """Verdicts in the order of the questions; None where open."""
    verdicts: list[Judgement | None] = [None] * len(questions)
    return verdicts, judge_all(judge, questions, verdicts.__setitem__)


def check_judge(judge: Judge) -> None:
    """One tiny call, before anything else is paid for. Raises UserError where the judge cannot be used."""
    if isinstance(judge, LinearJudge):
        return
    hello = chat_body(judge.model, [{"role": "user", "content": "Say hello."}], judge.temperature, HELLO_TOKENS)
    try:
        named = run_async(_answered(judge, hello)).answers[0].model
        if named and judge.pinned and not same_model(judge.model, named):
            raise GiveUp(another_model(named, judge))
    except (GiveUp, Fault) as reason:
        where = f"the judge {judge.id} at {judge.endpoint.shown}"
        raise UserError(
            f"{where} cannot be used ({reason}){judge.serve_hint}; mend that, or name another judge"
        ) from None


async def _answered(judge: LLMJudge, body: Body) -> Completion:
    require("openai", "openai")
    from consciousness_cluster.endpoint.caller import Caller

    async with Caller(judge.endpoint) as caller:
        return await caller.chat(body)
