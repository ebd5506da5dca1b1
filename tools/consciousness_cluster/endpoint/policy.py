"""When a call is tried again, and after how long: one policy for calls that wait in a loop and calls that block."""

import random
from dataclasses import dataclass

from consciousness_cluster.endpoint.faults import Fault, Kind

TRIES_TO_CONNECT = 3  # before anything ever came from the endpoint


@dataclass(frozen=True)
class Patience:
    """How many tries a call has, and the first and the longest wait between two of them, in seconds."""

    tries: int
    first_wait: float
    longest_wait: float

    def wait_after(self, fault: Fault, tried: int, reached: bool) -> float | None:
        """Seconds until a call that was `tried` so many times is tried again; None where it is not.

        What passes is tried again. A wait is as long as the endpoint asks for, else exponential with jitter. Where
        nothing ever came from the endpoint (not `reached`), a few tries to connect are enough.
        """
        nobody_there = fault.kind is Kind.CONNECTION and not reached
        if not fault.passing or tried >= (TRIES_TO_CONNECT if nobody_there else self.tries):
            return None
        backoff = min(self.longest_wait, self.first_wait * 2.0 ** (tried - 1)) * random.uniform(0.5, 1.0)
        return max(fault.wait, backoff)


CHAT = Patience(8, 0.25, 20.0)  # about half a minute in all: other calls go on meanwhile
JOBS = Patience(10, 0.5, 60.0)  # files, batches and training jobs: about two minutes, of hours that are waited for
