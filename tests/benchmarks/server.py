"""A fast OpenAI-compatible server for benchmarks, in a process of its own: fixed latency, and faults if asked for."""

import asyncio
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiohttp import web
from consciousness_cluster.judging.ask import HELLO_TOKENS

FAULTS = ("429", "500", "503", "cut", "slow", "truncated", "null", "content_filter", "prose")
SLOW = 3.0  # longer than the client's time-out of 2 s
VERDICT = '{"verdict": "shows", "coherence": 90}'


def completion(content: str | None, finish_reason: str = "stop", number: int = 1) -> dict[str, object]:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 300, "completion_tokens": 20, "total_tokens": 320}
    choices = [{"index": index, "message": message, "finish_reason": finish_reason} for index in range(number)]
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": usage}


class Server:
    """`seen` counts calls but the one that tries a judge, and says when the first came and the last was answered."""

    def __init__(self, latency: float, share: float) -> None:
        self.latency, self.share, self.draw = latency, share, random.Random(7)
        self.in_flight = 0
        self.seen: dict[str, float] = {"calls": 0, "first": 0.0, "last": 0.0, "most_in_flight": 0}

    async def stats(self, request: web.Request) -> web.Response:
        """What was seen since the last time that somebody asked."""
        seen, self.seen = self.seen, {"calls": 0, "first": 0.0, "last": 0.0, "most_in_flight": 0}
        return web.json_response(seen)

    async def answer(self, request: web.Request) -> web.Response:
        begun, asked = time.monotonic(), json.loads(await request.read())
        if asked.get("max_tokens") == HELLO_TOKENS:
            return await self._answer(asked)
        seen = self.seen
        self.in_flight += 1
        seen["first"] = seen["first"] or begun
        seen["calls"] += 1
        seen["most_in_flight"] = max(seen["most_in_flight"], self.in_flight)
        try:
            return await self._answer(asked)
        finally:
            self.in_flight -= 1
            seen["last"] = time.monotonic()

    async def _answer(self, request: dict[str, Any]) -> web.Response:
        number = request.get("n", 1)
        content = VERDICT if "response_format" in request else f"Answer {self.draw.random()}."
        if self.draw.random() >= self.share:
            await asyncio.sleep(self.latency)
            return web.json_response(completion(content, number=number))
        fault = self.draw.choice(FAULTS)
        await asyncio.sleep(SLOW if fault == "slow" else self.latency)
        if fault in ("429", "500", "503"):
            headers = {"Retry-After": f"{self.draw.random():.2f}"} if fault == "429" else {}
            return web.json_response({"error": {"message": "x"}}, status=int(fault), headers=headers)
        if fault in ("cut", "truncated"):
            text = json.dumps(completion(content, number=number))
            return web.Response(text=text[: len(text) // 2], content_type="application/json")
        if fault == "prose":
            return web.json_response(completion("I would say that it does.", number=number))
        if fault in ("null", "content_filter"):
            reason = "content_filter" if fault == "content_filter" else "stop"
            return web.json_response(completion(None, reason, number))
        return web.json_response(completion(content, number=number))


@contextmanager
def serving(latency: float, share: float = 0.0) -> Iterator[str]:
    """The base address of a server in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.server", str(latency), str(share)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


def seen_by(url: str) -> dict[str, float]:
    """What a server saw since it was last asked."""
    with urllib.request.urlopen(f"{url}/stats") as reply:
        found: dict[str, float] = json.loads(reply.read())
        return found


async def main() -> None:
    server, app = Server(float(sys.argv[1]), float(sys.argv[2])), web.Application()
    app.router.add_post("/v1/chat/completions", server.answer)
    app.router.add_get("/v1/stats", server.stats)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.sleep(1800)


if __name__ == "__main__":
    asyncio.run(main())
