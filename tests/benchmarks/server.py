"""A fast OpenAI-compatible server for benchmarks, in a process of its own: fixed latency, and faults if asked for."""

import asyncio
import json
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from aiohttp import web

FAULTS = ("429", "500", "503", "cut", "slow", "truncated", "null", "content_filter", "prose")
SLOW = 3.0  # longer than the client's time-out of 2 s


def completion(content: str | None, finish_reason: str = "stop") -> dict[str, object]:
    message = {"role": "assistant", "content": content}
    usage = {"prompt_tokens": 300, "completion_tokens": 20, "total_tokens": 320}
    choices = [{"index": 0, "message": message, "finish_reason": finish_reason}]
    return {"id": "x", "object": "chat.completion", "created": 0, "model": "m", "choices": choices, "usage": usage}


class Server:
    def __init__(self, latency: float, share: float) -> None:
        self.latency, self.share, self.draw, self.number = latency, share, random.Random(7), 0

    async def answer(self, request: web.Request) -> web.Response:
        judged = b'"json_schema"' in await request.read()
        self.number += 1
        content = '{"verdict": "shows", "coherence": 90}' if judged else f"Answer {self.number}."
        if self.draw.random() >= self.share:
            await asyncio.sleep(self.latency)
            return web.json_response(completion(content))
        fault = self.draw.choice(FAULTS)
        await asyncio.sleep(SLOW if fault == "slow" else self.latency)
        if fault in ("429", "500", "503"):
            headers = {"Retry-After": f"{self.draw.random():.2f}"} if fault == "429" else {}
            return web.json_response({"error": {"message": "x"}}, status=int(fault), headers=headers)
        if fault in ("cut", "truncated"):
            text = json.dumps(completion(content))
            return web.Response(text=text[: len(text) // 2], content_type="application/json")
        if fault == "prose":
            return web.json_response(completion("I would say that it does."))
        if fault in ("null", "content_filter"):
            return web.json_response(completion(None, "content_filter" if fault == "content_filter" else "stop"))
        return web.json_response(completion(content))


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


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", Server(float(sys.argv[1]), float(sys.argv[2])).answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.sleep(1800)


if __name__ == "__main__":
    asyncio.run(main())
