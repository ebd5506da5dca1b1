"""When a call is tried again, and after how long: one policy for calls that wait in a loop and calls that block."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from consciousness_cluster.endpoint.faults import Fault, Kind

if TYPE_CHECKING:
    from tenacity import RetryCallState

TRIES_TO_CONNECT = 3  # before anything ever came from the endpoint


@dataclass(frozen=True)
class Patience:
    """How many tries a call has, and the first and the longest wait between two of them, in seconds."""

    tries: int
    first_wait: float
    longest_wait: float


CHAT = Patience(8, 0.25, 20.0)  # about half a minute in all: other calls go on meanwhile
JOBS = Patience(10, 0.5, 60.0)  # files, batches and training jobs: about two minutes, of hours that are waited for


def _fault(state: "RetryCallState") -> Fault | None:
    error = state.outcome.exception() if state.outcome else None
    return error if isinstance(error, Fault) else None


def policy(patience: Patience, reached: Callable[[], bool]) -> dict[str, Any]:
    """Arguments for tenacity's Retrying and AsyncRetrying around something that raises Fault.

    What passes is tried again, and in the end the last Fault is raised. A wait is as long as the endpoint asks for,
    else exponential with jitter. Where nothing ever came from the endpoint, as `reached` says, a few tries to connect
    are enough.
    """

    def again(state: "RetryCallState") -> bool:
        fault = _fault(state)
        return fault is not None and fault.passing

    def stop(state: "RetryCallState") -> bool:
        fault = _fault(state)
        nobody_there = fault is not None and fault.kind is Kind.CONNECTION and not reached()
        return state.attempt_number >= (TRIES_TO_CONNECT if nobody_there else patience.tries)

    def wait(state: "RetryCallState") -> float:
        fault = _fault(state)
        backoff: float = patience.first_wait * 2 ** (state.attempt_number - 1)
        backoff = min(patience.longest_wait, backoff) * random.uniform(0.5, 1.0)
        return max(fault.wait, backoff) if fault else backoff

    return {"retry": again, "stop": stop, "wait": wait, "reraise": True}
