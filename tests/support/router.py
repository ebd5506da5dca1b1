"""A router as people put before several servers of one model: each request goes to the next of them."""

import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from itertools import cycle

from tests.support.http import Handler, LocalServer


class _Handler(Handler):
    def do_POST(self) -> None:
        owner: Router = self.server.owner  # type: ignore[attr-defined]
        with owner.lock:
            upstream = next(owner.turns)
        where = upstream.removesuffix("/v1") + self.path
        request = urllib.request.Request(where, data=self.body(), headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                self.send(answer.status, answer.read())
        except urllib.error.HTTPError as error:
            self.send(error.code, error.read())
        except OSError:
            self.send(502, {"error": {"message": "the server behind is gone"}})


class Router(LocalServer):
    """`url` is the one address of the servers at `upstreams`."""

    def __init__(self, upstreams: Sequence[str]) -> None:
        super().__init__(_Handler)
        self.lock, self.turns = threading.Lock(), cycle(upstreams)
