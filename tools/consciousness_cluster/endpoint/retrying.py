"""Calls of an endpoint's slow interfaces (files, batches, fine-tuning jobs), tried again where that can help."""

import random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from consciousness_cluster.endpoint.caller import PASSING_STATUS, TRIES_TO_CONNECT, Endpoint, duration
from consciousness_cluster.errors import UserError

Value = TypeVar("Value")

TRIES, FIRST_WAIT, LONGEST_WAIT = 10, 0.5, 60.0  # about two minutes in all
LONGEST_REASON = 300  # characters


class Refused(UserError):
    """The endpoint refuses this very request (HTTP 4xx)."""


def one_line(text: Any) -> str:
    return " ".join(str(text).split())


class RetryingClient:
    """The openai client, whose own retries are off: this is the one layer that tries again."""

    longest_reason = LONGEST_REASON

    def __init__(self, endpoint: Endpoint) -> None:
        try:
            import openai
        except ImportError:
            raise UserError("openai is not installed; run: pip install 'consciousness-cluster[openai]'") from None
        self.endpoint = endpoint
        self._reached = False
        self._openai = openai.OpenAI(
            api_key=endpoint.key, base_url=endpoint.base_url, max_retries=0, timeout=endpoint.timeout_seconds
        )

    def shown(self, text: Any) -> str:
        """A reason of the endpoint's in one line, cut short, without the key."""
        short = one_line(text)
        return (short.replace(self.endpoint.key, "[key]") if self.endpoint.key else short)[: self.longest_reason]

    def close(self) -> None:
        self._openai.close()

    def _call(self, what: str, action: Callable[[], Value]) -> Value:
        """What the action gives, in the end. Raises UserError where it cannot be had now."""
        import openai

        for attempt in range(1, TRIES + 1):
            wait = 0.0
            try:
                value = action()
                self._reached = True
                return value
            except openai.APIStatusError as error:
                self._reached = True
                wait, problem = self._status_error(error, what), f"HTTP {error.status_code}"
            except openai.APIConnectionError as error:  # time-outs are one of these
                problem = "no answer in time" if isinstance(error, openai.APITimeoutError) else "no connection"
                if not self._reached and attempt >= TRIES_TO_CONNECT:
                    break
            except (openai.OpenAIError, ValueError, AttributeError, TypeError):
                problem = "a reply that was cut off or is none of this API"
            if attempt < TRIES:
                backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
                time.sleep(max(wait, backoff))
        message = f"{problem} while {what}, in {attempt} tries"
        raise UserError(f"{self.endpoint.shown}: {message}; run the same command again later, it goes on from here")

    def _status_error(self, error: Any, what: str) -> float:
        """How long to wait before the next try; raises where there is none."""
        status = error.status_code
        if status in (401, 403):
            meaning = "the key is refused" if status == 401 else "the key has no access"
            raise UserError(f"{self.endpoint.shown}: HTTP {status}, {meaning}; set a valid one and go on") from None
        if status == 429 and getattr(error, "code", None) == "insufficient_quota":
            message = "HTTP 429, the account has no credit left; add some and go on"
            raise UserError(f"{self.endpoint.shown}: {message}") from None
        if status < 500 and status not in PASSING_STATUS:
            reason = self.shown(getattr(error, "message", ""))
            raise Refused(f"{self.endpoint.shown}: HTTP {status} while {what}: {reason}") from None
        return min(120.0, duration(error.response.headers.get("retry-after", "0")))
