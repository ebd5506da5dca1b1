"""What can go wrong with a call, by one table: chat calls, the Batch API and fine-tuning jobs share it."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from consciousness_cluster.endpoint.answers import (
    FILTERED,
    Answer,
    answer_in,
    answers_of,
    error_in_choices,
    error_of,
)
from consciousness_cluster.endpoint.refusals import (
    Said,
    names_a_field,
    objects_to_a_field,
    of_the_request,
    said_by,
    said_in,
    too_long,
)
from consciousness_cluster.endpoint.replies import Completion, usage_of
from consciousness_cluster.endpoint.statuses import over_the_limit, status_of
from consciousness_cluster.endpoint.stream import reply_in
from consciousness_cluster.endpoint.waits import LONGEST_PAUSE, wait_in_headers, wait_in_words

NOTHING = Said("", "", ())
LIMIT_REACHED = re.compile(
    r"could not finish the message"
    r"|\bmax[ _](completion[ _]|output[ _])?tokens( or model output limit)?( was| were)? reached",
    re.IGNORECASE,
)


class Kind(Enum):
    """What went wrong; the value says it in a few words."""

    KEY = "the key is refused"
    ACCESS = "the key has no access"
    MODEL = "no such model or address"
    CREDIT = "the account has no credit left"
    QUOTA = "the quota of the account is used up for now"
    SYSTEM = "the model takes no system prompt; --system-as-user puts it at the start of the first user message"
    FILTERED = "a content filter refuses the request"
    REQUEST = "the request is refused"
    TOO_MANY = "too many calls at once"
    BUSY = "a fault of the endpoint that passes"
    CUT = "a reply that was cut off"
    OTHER = "a reply that is not what was asked for"
    CONNECTION = "no connection"
    TIMEOUT = "no answer in time"
    BROKEN = "a connection that broke"


FATAL = frozenset(
    {Kind.KEY, Kind.ACCESS, Kind.MODEL, Kind.CREDIT, Kind.QUOTA, Kind.SYSTEM}
)  # every other call would meet the same
REFUSED = frozenset({Kind.FILTERED, Kind.REQUEST})  # the same request would be refused again
UNKNOWN_COST = frozenset({Kind.CUT, Kind.OTHER, Kind.TIMEOUT, Kind.BROKEN})  # an answer may have been made and charged
BY_STATUS = {
    401: Kind.KEY,
    402: Kind.CREDIT,
    403: Kind.ACCESS,
    404: Kind.MODEL,
    405: Kind.MODEL,
    408: Kind.BUSY,
    409: Kind.BUSY,
    410: Kind.MODEL,
    424: Kind.BUSY,
    425: Kind.BUSY,
    429: Kind.TOO_MANY,
    451: Kind.ACCESS,
    498: Kind.BUSY,
    499: Kind.BUSY,
}

# What the words of a refusal say where its status does not, in this order; each with the statuses in which it counts.
ANY = range(200, 600)
REFUSALS = frozenset({*range(200, 429), *range(430, 500)})
BY_WORDS: tuple[tuple[Kind, Collection[int], str], ...] = (
    (
        Kind.CREDIT,
        ANY,
        r"insufficient[ _](quota|balance|funds?|credit|user[ _]quota)|(credit|prepaid|account|wallet)[ _]balance"
        r"|not[ _]enough[ _](balance|funds)|balance (is |was )?(too low|insufficient|not enough|exhausted|negative)"
        r"|(credit|debit) card on file|requires? a valid (credit card|payment method)|free credits .{0,40}restricted"
        r"|billing[ _](hard[ _]limit|not[ _]active|limit|is)|(account|billing) is not active|spend(ing)?[ _](limit|cap)"
        r"|(out of|not enough|available|included|more|remaining|insufficient|used all) credits?\b"
        r"|credits?[ _](limit|exhausted|depleted|exceeded|have run out)|payment[ _]required|arrears|arrearage|overdue"
        r"|key limit exceeded|exceeded[ _]current[ _]quota|api usage limits?|budget has been exceeded|exceeded\w*budget"
        r"|billing hard limit|quota[ _]exhausted|余额|欠费",
    ),
    (Kind.QUOTA, range(429, 430), r"(per|by|/)[ _-]?(day|week|month)|daily|weekly|monthly|\b(RPD|TPD)\b"),
    (
        Kind.ACCESS,
        REFUSALS,
        r"(account|organi[sz]ation|user|project|workspace|key)\b.{0,40}\b(flagged|suspended|deactivated|disabled|banned"
        r"|blocked|must be verified|not verified)|access[ _]terminated|(country|region).{0,30}not supported"
        r"|account[ _]deactivated|unsupported_country",
    ),
    (
        Kind.KEY,
        REFUSALS,
        r"(api|access|auth\w*|subscription)[ _-]?(key|token).{0,40}(invalid|incorrect|expired|revoked"
        r"|leaked|compromised|not valid|not found)|(invalid|incorrect|expired|missing|revoked|wrong|no)[ _-](x-)?"
        r"(api|auth\w*|subscription|access)[ _-]?(key|token|credentials)|authentication[ _]error|unauthenticated"
        r"|unauthorized",
    ),
    (Kind.FILTERED, REFUSALS - {404}, FILTERED.pattern),
    (
        Kind.FILTERED,
        range(500, 600),
        r"content[ _-]?filter|content[ _-]?policy|ResponsibleAIPolicy|data[ _]?inspection[ _]?failed|new_sensitive"
        r"|content exists risk|sensitive_?(content|information)",
    ),
    (
        Kind.MODEL,
        REFUSALS,
        r"model[ _]not[ _](found|exist)|model_not_supported|not supported by any (inference )?provider"
        r"|no (allowed )?(endpoints|providers)( are)? (found|available) for|\bend[ -]of[ -]life\b"
        r"|requested model( \S+)? is not supported\b"
        r"|invalid[ _]model|model[ _]decommissioned|(unknown|no such|unsupported) model\b|not a valid model"
        r"|deployment[ _]?not[ _]?found|non-serverless"
        r"|\bmodel\b[^.]{0,100}?(does(n't| not) exist|not (found|exist|deployed)|decommissioned|been (retired|removed"
        r"|deprecated|discontinued|shut down)|no longer (available|served|supported))",
    ),
    (
        Kind.SYSTEM,
        ANY,
        r"\bsystem[ _']*(role|prompt|message|instruction)s?\b.{0,40}(not|n't|un)[ _]?(be )?(support|allow|permit|enabl"
        r"|accept)|(not|n't|un)[ _]?(support|allow|permit|accept).{0,40}\bsystem[ _'\"]*(role|prompt|message|instruct)"
        r"|(role|messages?)\b.{0,40}['\"`]system['\"`].{0,60}(not|n't|un)[ _]?(support|allow|permit|accept|valid)"
        r"|(invalid|unknown|unexpected|unsupported|unrecogni[sz]ed)\b.{0,20}['\"`]system['\"`].{0,20}\brole\b"
        r"|(invalid|unknown|unexpected|unsupported|unrecogni[sz]ed) (message )?role\b(?! arn)"
        r"|['\"`]system['\"`] is not (a|one)\b|developer instruction is not enabled"
        r"|roles must alternate|only (user|the roles? .?user).{0,20}(and|,).{0,20}(assistant|model).{0,20}role",
    ),
)
# A fault behind the endpoint, under the status of a refusal.
UPSTREAM = re.compile(
    r"upstream (\w+ )?(error|fail|time[sd]?[ -]?out|unavailable)|disconnect/reset before headers|no healthy upstream"
    r"|service (is )?(currently |temporarily )?unavailable|bad gateway|gateway time-?out|internal server error"
    r"|\AProvider returned error\W*(error\W*)?\Z",
    re.IGNORECASE,
)
SENTENCES = re.compile(r"(?<=[.!?])\s")
_BY_WORDS = [(kind, statuses, re.compile(pattern, re.IGNORECASE)) for kind, statuses, pattern in BY_WORDS]
FEWER = "ask for shorter answers (--max-tokens; for a judge, max_tokens in its judge.yaml)"
NO_WAIT = f"waiting does not help where one request is over the limit: {FEWER}"


@dataclass(frozen=True)
class Received:
    """What an endpoint sent back, whatever it is."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class NoReply:
    """Nothing came back that HTTP could read: CONNECTION, TIMEOUT or BROKEN."""

    kind: Kind


@dataclass(eq=False)
class Fault(Exception):
    """One thing that went wrong. `reason` is the endpoint's own, `mend` what to do; `said` is all that it said.

    `wait` is in seconds.
    """

    kind: Kind
    status: int | None = None
    reason: str = ""
    wait: float = 0.0
    said: Said = NOTHING
    mend: str = ""

    @property
    def fatal(self) -> bool:
        """Whether nothing is gained by asking on at all."""
        return self.kind in FATAL

    @property
    def refused(self) -> bool:
        """Whether nothing is gained by asking this again."""
        return self.kind in REFUSED

    @property
    def passing(self) -> bool:
        """Whether the same call may succeed later."""
        return not self.fatal and not self.refused

    def __str__(self) -> str:
        reason = f"{self.reason.rstrip('.')}; {self.mend}" if self.mend else self.reason
        if self.refused and reason:
            return reason
        if self.status is None:
            return self.kind.value
        if not self.fatal:
            return f"HTTP {self.status}"
        why = f": {reason}" if reason and self.kind is not Kind.KEY else ""  # which may show half of the key
        return f"HTTP {self.status}, {self.kind.value}{why}"


INTERRUPTED = "interrupted"
OVER_BUDGET = "the next request could pass --max-cost"
BESIDE = "the work beside it stopped"


class GiveUp(Exception):
    """Nothing is gained by asking on. The text says why: in a few words on the endpoint, or one of those above."""


def one_line(text: Any) -> str:
    return " ".join(str(text).split())


def kind_of(status: int, said: Said) -> Kind:
    """What an error means: its words, else its HTTP status (200: an error within a reply, which has none)."""
    status = status_of(status, said)
    if status == 401 and not _BY_WORDS[0][2].search(said.text):
        return Kind.KEY
    for kind, statuses, pattern in _BY_WORDS:
        if status in statuses and _says(kind, pattern, said.text):
            return kind
    upstream = UPSTREAM.search(said.message) or UPSTREAM.search(said.text)
    if status == 400 and upstream and not of_the_request(said):
        return Kind.BUSY
    if status in BY_STATUS and not (status == 404 and names_a_field(said.text)):
        return BY_STATUS[status]
    if 400 <= status < 500 or objects_to_a_field(said):
        return Kind.REQUEST
    return Kind.BUSY if status >= 500 else Kind.OTHER


def _says(kind: Kind, pattern: re.Pattern[str], text: str) -> bool:
    """Whether a text says so. It is a field that is gone, not the model, where a sentence names one."""
    if kind is not Kind.MODEL:
        return bool(pattern.search(text))
    return any(pattern.search(sentence) and not names_a_field(sentence) for sentence in SENTENCES.split(text))


def fault_of(status: int, said: Said, words: Callable[[Any], str], wait: float = 0.0) -> Fault:
    """The fault that an error is, with what people need to know of it. `wait` is what its headers ask for."""
    kind = kind_of(status, said)
    if kind is Kind.QUOTA and 0 < wait <= LONGEST_PAUSE:
        kind = Kind.TOO_MANY  # it comes back in a moment
    mend = FEWER if kind in (Kind.REQUEST, Kind.CREDIT) and too_long(said) else ""
    mend = NO_WAIT if kind is Kind.REQUEST and over_the_limit(said) else mend
    return Fault(kind, status, words(said.message), min(LONGEST_PAUSE, wait or wait_in_words(said.text)), said, mend)


def classify(outcome: Received | NoReply, words: Callable[[Any], str]) -> Fault | None:
    """What went wrong with a call, as HTTP tells it; None where it was answered.

    `words` makes one line of the endpoint's reason, without the key.
    """
    if isinstance(outcome, NoReply):
        return Fault(outcome.kind)
    if outcome.status < 300:
        return None
    if outcome.status < 400:
        elsewhere = words(outcome.headers.get("location", "another address"))
        return Fault(Kind.MODEL, outcome.status, f"it points to {elsewhere}", mend="give the address that answers")
    return fault_of(outcome.status, said_in(outcome.content), words, wait_in_headers(outcome.headers))


def completion_of(outcome: Received | NoReply, words: Callable[[Any], str], asked: int = 1) -> Completion:
    """What a call that asked for so many answers gave. Raises Fault where it gave none that can be read."""
    reply: Any = None
    fault = classify(outcome, words)
    if fault is None:
        assert isinstance(outcome, Received)
        try:
            reply = reply_in(outcome.content)
        except ValueError:
            raise Fault(Kind.CUT) from None
        fault = _fault_within(reply, words)
    if fault is not None:
        if left := _left_by(fault, asked):
            return Completion(left, None)
        raise fault
    answers = answers_of(reply, asked)
    if all(answer.status == "error" for answer in answers):
        inner = error_in_choices(reply) if isinstance(reply, dict) else None
        raise _fault_within({"error": inner}, words) or Fault(Kind.OTHER, reason=words(answers[0].reason))
    return Completion(answers, usage_of(reply))


def _left_by(fault: Fault, asked: int) -> list[Answer]:
    """What a refusal is in truth: answers that met the token limit, or one that failed a check of its form."""
    said = fault.said
    reached = bool(LIMIT_REACHED.search(said.text))
    if fault.status not in REFUSALS or (said.generated is None and not (reached and fault.kind is Kind.REQUEST)):
        return []
    if said.generated is None:
        return [answer_in(None, "length")] * max(1, asked)
    called = re.search(r"\btool", said.text)
    one = Answer(None, None, "empty", None, reason="a tool call") if called else None
    one = one or answer_in(said.generated or None, "length" if reached else None)
    return [one, *[Answer(None, None, "error", None)] * (asked - 1)]  # the others are asked for again


def _fault_within(reply: Any, words: Callable[[Any], str]) -> Fault | None:
    """The fault that an error in the body of an HTTP 200 is; None where there is none."""
    error = error_of(reply)
    if error is None:
        return None
    fault = fault_of(error.status or 200, said_by(reply), words)
    if fault.kind is Kind.BUSY:
        fault.kind = Kind.OTHER  # the provider behind it is; the endpoint itself answers
    return fault
