"""When a call is tried again, and after how long: one policy for calls that wait in a loop and calls that block."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.stop import stop_base
from tenacity.wait import wait_base

from consciousness_cluster.endpoint.faults import Fault, Kind

TRIES_TO_CONNECT = 3  # before anything ever came from the endpoint


@dataclass(frozen=True)
class Patience:
    """How many tries a call has, and the first and the longest wait between two of them, in seconds."""

    tries: int
    first_wait: float
    longest_wait: float


CHAT = Patience(8, 0.25, 20.0)  # about half a minute in all: other calls go on meanwhile
JOBS = Patience(10, 0.5, 60.0)  # files, batches and training jobs: about two minutes, of hours that are waited for


def _fault(state: RetryCallState) -> Fault | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Fault) else None


def _may_pass(error: BaseException) -> bool:
    return isinstance(error, Fault) and error.passing


class _NobodyThere(stop_base):
    """A few tries to connect are enough where nothing ever came from the endpoint, as `reached` says."""

    def __init__(self, reached: Callable[[], bool]) -> None:
        self.reached = reached

    def __call__(self, state: RetryCallState) -> bool:
        fault = _fault(state)
        alone = fault is not None and fault.kind is Kind.CONNECTION and not self.reached()
        return alone and state.attempt_number >= TRIES_TO_CONNECT


class _Wait(wait_base):
    """As long as the endpoint asks for, else exponentially longer, with jitter."""

    def __init__(self, patience: Patience) -> None:
        self.patience = patience

    def __call__(self, state: RetryCallState) -> float:
        fault = _fault(state)
        backoff: float = self.patience.first_wait * 2 ** (state.attempt_number - 1)
        backoff = min(self.patience.longest_wait, backoff) * random.uniform(0.5, 1.0)
        return max(fault.wait, backoff) if fault else backoff


def policy(patience: Patience, reached: Callable[[], bool]) -> dict[str, Any]:
    """Arguments for tenacity's Retrying and AsyncRetrying around something that raises Fault.

    In the end the last Fault is raised. `reached` says whether anything ever came from the endpoint.
    """
    return {
        "stop": stop_after_attempt(patience.tries) | _NobodyThere(reached),
        "wait": _Wait(patience),
        "retry": retry_if_exception(_may_pass),
        "reraise": True,
    }
