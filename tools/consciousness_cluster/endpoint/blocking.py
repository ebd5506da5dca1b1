"""Calls of an endpoint's slow interfaces (files, batches, fine-tuning jobs), which block until they are answered."""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from consciousness_cluster.endpoint.address import LONGEST_REASON, Endpoint
from consciousness_cluster.endpoint.faults import Fault, Kind, NoReply, Received, classify
from consciousness_cluster.endpoint.policy import JOBS
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require

Value = TypeVar("Value")
AGAIN = "run the same command again later, it goes on from here"
ACCOUNT = {Kind.KEY: "set a valid one and go on", Kind.CREDIT: "add some and go on", Kind.QUOTA: AGAIN}
ACCESS = "the key or its project lacks the right; give it, and go on"


def blocking_client(endpoint: Endpoint) -> Any:
    """The openai client, whose own retries are off: what is tried again, and when, is decided by `policy` alone."""
    address = urlsplit(endpoint.base_url)
    return require("openai", "openai").OpenAI(
        api_key=endpoint.key,
        base_url=address._replace(query="", fragment="").geturl(),
        default_query=dict(parse_qsl(address.query)) or None,
        default_headers={endpoint.key_header: endpoint.key} if endpoint.key_header else None,
        max_retries=0,
        timeout=endpoint.timeout_seconds,
    )


def outcome_of(error: Exception) -> Received | NoReply | None:
    """What an error of the openai client stands for; None for an error of something else."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return Received(error.status_code, error.response.headers, error.response.content)
    if not isinstance(error, openai.APIConnectionError):
        return None
    if type(error.__cause__).__name__.startswith("Connect"):
        return NoReply(Kind.CONNECTION)
    return NoReply(Kind.TIMEOUT if isinstance(error, openai.APITimeoutError) else Kind.BROKEN)


class Refused(UserError):
    """The endpoint refuses this very request (HTTP 4xx)."""


class BlockingClient:
    """The openai client under the one policy. `mends` say what to do where a request is refused."""

    longest_reason = LONGEST_REASON
    mends: Mapping[Kind, str] = {Kind.ACCESS: ACCESS}

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._reached = False
        self._openai = blocking_client(endpoint)

    def shown(self, text: Any) -> str:
        """A reason of the endpoint's in one line, cut short, without the key."""
        return self.endpoint.words(text, self.longest_reason)

    def close(self) -> None:
        self._openai.close()

    def _call(self, what: str, action: Callable[[], Value]) -> Value:
        """What the action gives, in the end. Raises UserError where it cannot be had now."""
        tried = 0
        while True:
            tried += 1
            try:
                return self._try(action)
            except Fault as fault:
                wait = JOBS.wait_after(fault, tried, self._reached)
                if wait is None:
                    raise self._told(fault, what, tried) from None
            time.sleep(wait)

    def _try(self, action: Callable[[], Value]) -> Value:
        import openai

        try:
            value = action()
        except (openai.OpenAIError, ValueError, AttributeError, TypeError) as error:
            outcome = outcome_of(error)
            self._reached |= isinstance(outcome, Received)
            fault = classify(outcome, self.shown) if outcome else None
            raise fault or Fault(Kind.OTHER) from None
        self._reached = True
        return value

    def _told(self, fault: Fault, what: str, tries: int) -> UserError:
        def problem(message: str, mend: str) -> Problem:
            return Problem(self.endpoint.shown, "-", "-", message, mend)

        if fault.passing:
            return UserError(problem(f"{fault} while {what}, in {tries} tries", AGAIN))
        if fault.kind in ACCOUNT:
            return UserError(problem(str(fault), ACCOUNT[fault.kind]))
        message = f"HTTP {fault.status} while {what}: {fault.reason.rstrip('.')}"
        refused = problem(message, self.mends.get(fault.kind, ""))
        return UserError(refused) if fault.kind is Kind.ACCESS else Refused(refused)
