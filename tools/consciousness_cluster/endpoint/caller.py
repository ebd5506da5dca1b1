"""Chat completions from an OpenAI-compatible endpoint that may fail in every way that endpoints do."""

import asyncio
import json
import random
import re
import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from consciousness_cluster.endpoint.limiter import Limiter
from consciousness_cluster.errors import UserError

TRIES = 8
EXHAUSTED = 3  # so many calls that failed in all their tries, with no success between, mean that the endpoint is gone
TRIES_TO_CONNECT = 3  # before anything ever came from the endpoint
FIRST_WAIT, LONGEST_WAIT = 0.25, 20.0
INTERRUPTED = "interrupted"
SHORTEST_KEY = 8  # shorter ones are placeholders such as "none"
NO_CONNECTION = "no connection"
PASSING_STATUS = (408, 409, 425, 429)
DURATION = re.compile(r"([\d.]+)(ms|h|m|s)")
SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


Reply = dict[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """Where calls go. The key comes from the environment and is never printed."""

    base_url: str
    key: str = field(repr=False)
    timeout_seconds: float = 60.0
    concurrency: int = 32

    @property
    def shown(self) -> str:
        """The address without user, password and query, which may hold secrets."""
        parts = urlsplit(self.base_url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, "", ""))


class GiveUp(Exception):
    """The endpoint cannot be used: nothing is gained by asking on. The text says why, in a few words."""


class Unanswered(Exception):
    """This call failed in all its tries, while others succeed. Nothing is known about its answer."""


class BadRequest(Exception):
    """The endpoint refuses this very request; the text is its reason."""


def duration(text: str) -> float:
    """Seconds of a header such as `2`, `1m30s` or `20ms`; 0 where it cannot be read."""
    try:
        return max(0.0, float(text))
    except ValueError:
        return sum(float(number) * SECONDS[unit] for number, unit in DURATION.findall(text))


def _number(value: Any) -> int:
    return value if type(value) is int else 0


def usage_of(reply: Reply) -> dict[str, int] | None:
    """prompt_tokens, completion_tokens and cached_tokens (of the prompt's) of a reply; None where it has none."""
    usage = reply.get("usage")
    if not isinstance(usage, dict):
        return None
    details = usage.get("prompt_tokens_details")
    return {
        "prompt_tokens": _number(usage.get("prompt_tokens")),
        "completion_tokens": _number(usage.get("completion_tokens")),
        "cached_tokens": _number(details.get("cached_tokens")) if isinstance(details, dict) else 0,
    }


def _is_choice(value: Any) -> bool:
    message = value.get("message") if isinstance(value, dict) else None
    if not isinstance(message, dict):
        return False
    return all(isinstance(text, str | None) for text in (message.get("content"), value.get("finish_reason"))) and (
        isinstance(message.get("refusal"), str | None)
    )


def choices_of(reply: Any) -> list[Reply]:
    """The choices of a chat completion, each with a message; empty where this is no chat completion."""
    choices = reply.get("choices") if isinstance(reply, dict) else None
    return choices if isinstance(choices, list) and all(map(_is_choice, choices)) else []


def _connection_problem(error: Exception) -> str:
    """What kind of connection error it is. The aiohttp transport calls a refused connection a time-out."""
    cause = type(error.__cause__).__name__
    if cause.startswith("Connect"):
        return NO_CONNECTION
    return "no answer in time" if "Timeout" in type(error).__name__ else "a connection that broke"


class Caller:
    """One client for all calls of a run: `async with Caller(endpoint) as caller: await caller.chat(...)`.

    The openai client's own retries are off: this is the one layer that tries again. It waits as long as Retry-After
    asks, else exponentially with jitter; lowers its concurrency at 429; and stops the whole run where a key is
    refused, the account is empty, or nothing at all gets through any more.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        try:
            import openai
        except ImportError:
            raise UserError("openai is not installed; run: pip install 'consciousness-cluster[openai]'") from None
        self.endpoint = endpoint
        self.limiter = Limiter(endpoint.concurrency)
        self.stopped: str | None = None
        self.requests = 0
        self._halted = asyncio.Event()
        self._last_success = -1.0
        self._exhausted = 0
        self._client = openai.AsyncOpenAI(
            api_key=endpoint.key,
            base_url=endpoint.base_url,
            max_retries=0,
            timeout=endpoint.timeout_seconds,
            http_client=openai.DefaultAioHttpClient(),
        )

    async def __aenter__(self) -> "Caller":
        with suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread, or no signals here
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self._interrupt)
        return self

    def _interrupt(self) -> None:
        """The first Ctrl-C lets the calls in flight end, so that nothing paid for is lost; the second ends at once."""
        self._halt(INTERRUPTED)
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(ValueError, RuntimeError, NotImplementedError):
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
        await self._client.close()

    @property
    def ever_succeeded(self) -> bool:
        return self._last_success >= 0

    async def chat(self, **body: Any) -> Reply:
        """A chat completion, as JSON, with at least one choice. Raises GiveUp, Unanswered or BadRequest."""
        halfway = 0.0
        for attempt in range(1, TRIES + 1):
            if self.stopped:
                raise GiveUp(self.stopped)
            async with self.limiter.call():
                if self.stopped:
                    raise GiveUp(self.stopped)
                reply, wait, problem = await self._try(body)
            if reply is not None:
                return reply
            if problem == NO_CONNECTION and not self.ever_succeeded and attempt >= TRIES_TO_CONNECT:
                self.give_up("it cannot be reached")
            if attempt == TRIES // 2:
                halfway = time.monotonic()
            if attempt < TRIES:
                backoff = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)
                await self._sleep(max(wait, backoff))
        self._exhausted += 1
        alone = self._last_success < halfway and self._exhausted >= EXHAUSTED
        if alone or not self.ever_succeeded:
            self.give_up(f"{problem} in {TRIES} tries, and no other call got through meanwhile")
        raise Unanswered(problem)

    async def _sleep(self, seconds: float) -> None:
        """Wait, but no longer than the run goes on."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._halted.wait(), seconds)

    def _halt(self, reason: str) -> str:
        self.stopped = self.stopped or reason
        self._halted.set()
        self.limiter.release()
        return self.stopped

    def give_up(self, reason: str) -> None:
        """Stop the whole run: raises GiveUp here, and at the next step of every other call."""
        raise GiveUp(self._halt(reason))

    async def _try(self, body: dict[str, Any]) -> tuple[Reply | None, float, str]:
        """The reply or None, how long the endpoint asks to wait, and what went wrong.

        The client's own models of requests and replies are passed by: building them takes a third of its time, and a
        body that was cut off or is no completion at all has to be looked for anyway.
        """
        import httpx2
        import openai

        self.requests += 1
        try:
            raw = await self._client.post("/chat/completions", body=body, cast_to=httpx2.Response)
            reply = json.loads(raw.content)
            self._heed(raw.headers)
        except openai.APIStatusError as error:
            return None, self._status_error(error), f"HTTP {error.status_code}"
        except openai.APIConnectionError as error:  # time-outs are one of these
            return None, 0.0, _connection_problem(error)
        except ValueError:
            return None, 0.0, "a reply that was cut off"
        if not choices_of(reply):
            return None, 0.0, "a reply that is no chat completion"
        self._last_success, self._exhausted = time.monotonic(), 0
        self.limiter.succeeded()
        return reply, 0.0, ""

    def _status_error(self, error: Any) -> float:
        """How long to wait before the next try; raises where there is none."""
        status = error.status_code
        if status in (401, 403, 404):
            meaning = {401: "the key is refused", 403: "the key has no access", 404: "no such model or address"}
            self.give_up(f"HTTP {status}, {meaning[status]}")
        if status == 429 and getattr(error, "code", None) == "insufficient_quota":
            self.give_up("HTTP 429, the account has no credit left")
        if status < 500 and status not in PASSING_STATUS:
            words = (str(getattr(error, name, None) or "") for name in ("code", "message"))
            reason = " ".join(" ".join(words).split())[:300]
            secret = self.endpoint.key if len(self.endpoint.key) >= SHORTEST_KEY else None
            raise BadRequest(reason.replace(secret, "[key]") if secret else reason)
        if status == 429:
            self.limiter.too_many()
        return min(120.0, duration(error.response.headers.get("retry-after", "0")))

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Let the calls pause where the endpoint says that its quota of requests or tokens is used up."""
        for kind in ("requests", "tokens"):
            if headers.get(f"x-ratelimit-remaining-{kind}") == "0":
                self.limiter.pause(min(120.0, duration(headers.get(f"x-ratelimit-reset-{kind}", "0"))))
