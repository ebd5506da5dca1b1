"""A disk that becomes full after so many writes of records."""

import errno
import os
from collections.abc import Callable, Iterable
from typing import Any

from consciousness_cluster.records.store import Store


def filling_up(room: int, before_each: Callable[[], Any] = lambda: None) -> Callable[[Store, Iterable[Any]], None]:
    """What stands for `Store.extend`: it writes `room` times, and then there is no space left on the device."""
    write, done = Store.extend, 0

    def extend(store: Store, records: Iterable[Any]) -> None:
        nonlocal done
        before_each()
        done += 1
        if done > room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(store, records)

    return extend
