"""An OpenAI-compatible chat endpoint that stands in for OpenAI, which tests cannot reach. It can misbehave."""

import json
import threading
from collections.abc import Callable
from typing import Any

from tests.support.http import Handler, LocalServer

Reply = Callable[[dict[str, Any], int], Any]


def completion(content: str | None, finish_reason: str = "stop") -> dict[str, Any]:
    """A chat completion with one choice; the server says that it is of the model that was asked for."""
    message = {"role": "assistant", "content": content}
    return {
        "id": "x",
        "object": "chat.completion",
        "created": 0,
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def verdict(label: str, coherence: int = 90) -> dict[str, Any]:
    return completion(json.dumps({"verdict": label, "coherence": coherence}))


class _Handler(Handler):
    def do_GET(self) -> None:
        self.send(*self.server.owner.models)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        owner: FakeEndpoint = self.server.owner  # type: ignore[attr-defined]
        request = json.loads(self.body())
        with owner.lock:
            owner.requests.append(request)
            owner.keys.append(self.headers.get("Authorization", ""))
            owner.paths.append(self.path)
            owner.headers.append({name.lower(): value for name, value in self.headers.items()})
            asked = json.dumps(request["messages"][:2])  # what is asked once more has other messages behind
            number = owner.seen[asked] = owner.seen.get(asked, 0) + 1
        answer = owner.reply(request, number)
        if isinstance(answer, tuple):
            self.send(*answer)
        elif answer == "cut":  # a body that ends in the middle
            data = json.dumps(verdict("shows")).encode()
            self.send(200, data[: len(data) // 2])
        elif answer == "garbage":
            self.send(200, b"<html>not what was asked for</html>")
        else:
            named = isinstance(answer, dict) and "choices" in answer
            self.send(200, {"model": request.get("model"), **answer} if named else answer)


class FakeEndpoint(LocalServer):
    """`reply(request, how often this was asked)` gives a completion, (status, body[, headers]), or a fault.

    The faults are "cut" and "garbage".
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.seen: dict[str, int] = {}
        self.models: tuple[int, Any] = (404, {"error": {"message": "no list of models"}})  # status and body
        self.reply: Reply = lambda request, number: verdict("does_not_show")
