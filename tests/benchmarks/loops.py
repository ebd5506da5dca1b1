"""Loops to compare with, over the bodies of a file: python -m tests.benchmarks.loops NAME URL FILE.jsonl WIDTH"""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

Bodies = list[dict[str, Any]]


async def bare(url: str, bodies: Bodies, width: int) -> None:
    """aiohttp and a semaphore, and nothing else: the least that Python can do."""
    import aiohttp

    gate = asyncio.Semaphore(width)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def one(body: dict[str, Any]) -> None:
            async with gate, session.post(f"{url}/chat/completions", json=body) as reply:
                await reply.json()

        await asyncio.gather(*map(one, bodies))


async def _openai(url: str, bodies: Bodies, width: int, http: Any) -> None:
    import openai

    gate = asyncio.Semaphore(width)
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http) as client:

        async def one(body: dict[str, Any]) -> None:
            async with gate:
                await client.chat.completions.create(**body)

        await asyncio.gather(*map(one, bodies))


async def plain(url: str, bodies: Bodies, width: int) -> None:
    """The openai package as it comes."""
    await _openai(url, bodies, width, None)


async def plain_aiohttp(url: str, bodies: Bodies, width: int) -> None:
    """The openai package over aiohttp."""
    import openai

    await _openai(url, bodies, width, openai.DefaultAioHttpClient())


def inspect(url: str, bodies: Bodies, width: int) -> None:
    """inspect-ai, one sample for each body."""
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import ChatMessageSystem, ChatMessageUser, get_model
    from inspect_ai.solver import generate

    kinds: dict[str, Any] = {"system": ChatMessageSystem, "user": ChatMessageUser}
    asked = [[kinds[one["role"]](content=one["content"]) for one in body["messages"]] for body in bodies]
    samples = [Sample(input=one) for one in asked]
    model = get_model("openai-api/bench/m", base_url=url, api_key="none")
    task = Task(dataset=MemoryDataset(samples), solver=generate())
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {"max_connections": width, "max_samples": width, "display": "none"}
        (log,) = eval(task, model=model, log_dir=folder, **settings)
    assert log.status == "success", log.error


LOOPS = {"bare": bare, "plain": plain, "plain_aiohttp": plain_aiohttp}

if __name__ == "__main__":
    name, address, file, number = sys.argv[1:]
    read = [json.loads(line) for line in Path(file).read_text(encoding="utf-8").splitlines()]
    if name == "inspect":
        inspect(address, read, int(number))
    else:
        asyncio.run(LOOPS[name](address, read, int(number)))
