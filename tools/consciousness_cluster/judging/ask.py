"""Ask a language model for what it says on many questions, concurrently: verdicts, ratings, whatever their form."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar, cast

from consciousness_cluster.endpoint.faults import Fault, GiveUp
from consciousness_cluster.endpoint.loop import run_async
from consciousness_cluster.endpoint.price import Price
from consciousness_cluster.endpoint.replies import Body, Completion, Tokens, chat_body
from consciousness_cluster.errors import UserError
from consciousness_cluster.extras import require
from consciousness_cluster.judging.judges import EmbeddedJudge, Judge, LLMJudge
from consciousness_cluster.judging.reply_values import Unread, read_judge
from consciousness_cluster.judging.same_model import same_model

if TYPE_CHECKING:
    from consciousness_cluster.endpoint.caller import Caller

REPLIES = 2  # a reply that cannot be read is asked for once more
FIRST = 10  # so many questions are asked first: where none gets an answer, there will be none
LONGEST_REPLY = 2000  # characters that are kept of a reply that cannot be read
HELLO_TOKENS = 16
SCHEMA = "response_format"


class Says(Protocol):
    """What a judge says on one question, or (not ok) why it says nothing."""

    @property
    def status(self) -> str: ...

    @property
    def reason(self) -> str | None: ...


Asked = TypeVar("Asked")
Said = TypeVar("Said", bound=Says)


@dataclass(frozen=True)
class Call:
    """One request to a judge: its messages, how the text of a reply is read, and the schema that it is held to."""

    messages: list[dict[str, str]]
    read: Callable[[str, bool], Any]
    schema: tuple[str, dict[str, Any]] | None = None


@dataclass(frozen=True)
class Form(Generic[Asked, Said]):
    """How one kind of question is asked.

    `calls` are those of a question, `said` is what their readings, the usage and the model's name come to, and `failed`
    what a reason, the reply in its place, the usage and the name do. `asked` and `given` name the two for people.
    """

    asked: str
    given: str
    calls: Callable[[LLMJudge, Asked], Sequence[Call]]
    said: Callable[[Sequence[Any], Tokens | None, str | None], Said]
    failed: Callable[[str, str | None, Tokens | None, str | None], Said]


@dataclass(frozen=True)
class Budget:
    """Dollars: the price of a judge's calls, the most that they may cost, and what was spent before."""

    price: Price | None = None
    limit: float | None = None
    before: float = 0.0


NO_LIMIT = Budget()


@dataclass
class Outcome:
    """How a round of asking went: replies received (also unusable ones), their usage, questions left open, and why.

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


def _sum(usages: Sequence[Tokens | None]) -> Tokens | None:
    known = [usage for usage in usages if usage is not None]
    return {name: sum(usage[name] for usage in known) for name in known[0]} if known else None


class Asker(Generic[Asked, Said]):
    """What the judge says on all questions, of which more may be added while others are asked.

    A few are asked first, until one has an answer: a judge that gives none to these leaves everything open, and is not
    asked for more. That it failed on some is said once it is known that it can judge at all.
    """

    def __init__(
        self,
        form: Form[Asked, Said],
        judge: LLMJudge,
        caller: "Caller",
        on_said: Callable[[int, Said], None],
        proven: bool,
    ) -> None:
        """`on_said` gets the index of a question and what was said, as it comes, in any order.

        `proven`: the judge has given answers before.
        """
        self.form, self.judge, self.caller, self.on_said = form, judge, caller, on_said
        self.questions: list[Asked] = []
        self.proven = proven
        self.started, self.first = 0, FIRST
        self.outcome = Outcome()
        self.refused: list[str] = []
        self.unread: list[str] = []
        self.waiting: dict[int, Said] = {}  # failures of a judge that is not proven
        self.others: set[str] = set()  # models that replies name in place of the one that was asked for

    def add(self, questions: Iterable[Asked]) -> None:
        """Ask these too: at once where the judge is proven or few were asked, else as soon as it is."""
        self.questions += questions
        self._start()

    def _start(self) -> None:
        while self.started < (len(self.questions) if self.proven else min(self.first, len(self.questions))):
            self.caller.start(self._one(self.started))
            self.started += 1

    async def _one(self, index: int) -> None:
        try:
            said = await self._said(self.questions[index])
        except GiveUp:
            self.outcome.open += 1
        except Fault as fault:
            if fault.refused:
                self.refused.append(str(fault))
                self._tell(index, self.form.failed(str(fault), None, None, None))
            else:
                self.outcome.open += 1
            self.first += 1  # one in its place: it says nothing of what the judge makes of others
            self._start()
        else:
            if said.status == "ok" and not self.proven:
                self.proven = True
                self._start()
            elif said.status != "ok":
                self.unread.append(str(said.reason))
            self._tell(index, said)

    def _tell(self, index: int, said: Said) -> None:
        """Pass on what was said, and with the first that is ok all failures before it."""
        self.waiting[index] = said
        if self.proven:
            for place, waiting in self.waiting.items():
                self.on_said(place, waiting)
            self.waiting.clear()

    @property
    def _never(self) -> str:
        return f"it gave no {self.form.given}, for example: {self.unread[0]}"

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
            number, what = len(self.unread), f"got no {self.form.given}"
            many = f"{number} {self.form.asked}s {what}, the first one" if number > 1 else f"1 {self.form.asked} {what}"
            self.outcome.notes.append(f"{many}: {self.unread[0]}")
        if self.others:
            named = ", ".join(sorted(self.others))
            self.outcome.notes.append(f"replies name the model {named}, asked for was {self.judge.model}")
        return self.outcome

    async def _said(self, question: Asked) -> Said:
        replies = await self._replies(self.form.calls(self.judge, question))
        usage, model = _sum([reply.usage for reply in replies]), replies[0].model
        for reply in replies:
            if isinstance(reply.said, Unread):
                return self.form.failed(reply.said.reason, reply.text, usage, model)
        return self.form.said([reply.said for reply in replies], usage, model)

    async def _replies(self, calls: Sequence[Call]) -> "list[_Reply]":
        if len(calls) == 1:  # at once: what it says is written down before another call begins
            return [await self._reply(calls[0])]
        ended = await asyncio.gather(*map(self._reply, calls), return_exceptions=True)
        for one in ended:
            if isinstance(one, BaseException):
                raise one
        return cast(list[_Reply], ended)

    async def _reply(self, call: Call) -> "_Reply":
        """The first reply that can be read, or the second one. Raises GiveUp or Fault."""
        asked = self._body(call)
        for number in range(1, REPLIES + 1):
            found = await self.caller.chat(asked)
            answer = found.answers[0]
            self._check_model(answer.model)
            self.outcome.count(found.usage)
            said = read_judge(answer, call.read)
            if isinstance(said, Unread):
                self.outcome.unusable += 1
                said = Unread(self.judge.endpoint.words(said.reason))
            if not isinstance(said, Unread) or number == REPLIES:
                break
            asked = _again(asked, answer.response, said)
        text = self.judge.endpoint.words(answer.response or answer.reasoning or "", LONGEST_REPLY)
        return _Reply(said, text, found.usage, answer.model)

    def _body(self, call: Call) -> Body:
        body = chat_body(self.judge.model, call.messages, self.judge.temperature, self.judge.max_tokens)
        if call.schema:
            name, schema = call.schema
            body[SCHEMA] = {"type": "json_schema", "json_schema": {"name": name, "strict": True, "schema": schema}}
        return body

    def _check_model(self, named: str | None) -> None:
        """Remember that another model answers; for a pinned judge that is the end. Raises GiveUp."""
        if named and not same_model(self.judge.model, named):
            if self.judge.pinned:
                raise GiveUp(self.caller.stop(another_model(named, self.judge)))
            self.others.add(self.judge.endpoint.words(named))


@dataclass(frozen=True)
class _Reply:
    """What a reply says, its text, its usage, and the model that it names."""

    said: Any
    text: str
    usage: Tokens | None
    model: str | None


def another_model(named: str, judge: LLMJudge) -> str:
    """Why a pinned judge cannot be used."""
    return f"the model {judge.endpoint.words(named)} answers in place of {judge.model}"


def _again(asked: Body, reply: str | None, unread: Unread) -> Body:
    """The request that asks once more, with what was wrong with the reply.

    Without the schema: where that is kept to, what went wrong did so within it (a text without end), and would again.
    """
    before = [{"role": "assistant", "content": reply}] if reply and reply.strip() else []
    what = f"Your reply could not be used: {unread.reason}. Reply once more, in exactly the form that was asked for."
    rest = {name: value for name, value in asked.items() if name != SCHEMA}
    return {**rest, "messages": [*asked["messages"], *before, {"role": "user", "content": what}]}


async def _ask(
    form: Form[Asked, Said],
    judge: LLMJudge,
    questions: Sequence[Asked],
    on_said: Callable[[int, Said], None],
    proven: bool,
    budget: Budget,
) -> Outcome:
    require("aiohttp", "openai")
    from consciousness_cluster.endpoint.caller import Caller
    from consciousness_cluster.endpoint.spending import Spending

    spending = Spending(budget.price, budget.limit, budget.before)
    async with Caller(judge.endpoint, spending, proven=proven) as caller:
        asker = Asker(form, judge, caller, on_said, proven)
        asker.add(questions)
    return asker.end()


def ask_all(
    form: Form[Asked, Said],
    judge: LLMJudge,
    questions: Sequence[Asked],
    on_said: Callable[[int, Said], None],
    proven: bool,
    budget: Budget,
) -> Outcome:
    """Ask every question. `on_said` gets its index and what was said, as it comes, in any order.

    What an endpoint leaves unanswered is counted as open and has nothing; `stopped` says why nothing more was asked.
    A judge that is not `proven` by answers from before and gives none now leaves everything open. Raises UserError
    where an answer cannot be written down.
    """
    return run_async(_ask(form, judge, questions, on_said, proven, budget))


def check_judge(judge: Judge) -> None:
    """One tiny call, before anything else is paid for. Raises UserError where the judge cannot be used."""
    if isinstance(judge, EmbeddedJudge):
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
    require("aiohttp", "openai")
    from consciousness_cluster.endpoint.caller import Caller

    async with Caller(judge.endpoint) as caller:
        return await caller.chat(body)
