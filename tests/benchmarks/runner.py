"""Overhead and faults of sampling and judging. Run by hand: python -m tests.benchmarks.runner

overhead: 2,000 samples, one a request, each judged once, at 200 ms latency with 80 calls in flight, against the ideal
time (calls x latency / 80), and client CPU against a plain loop over the openai package on the same transport.
faults: 2,400 samples and their judgements with 20% faults and a time-out of 2 s, against the same without faults.
"""

import asyncio
import shutil
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.judging.judge_run import items_of, judge_run
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.run_folder import open_run_folder
from consciousness_cluster.sampling.sample_run import sample

from tests.benchmarks.server import serving
from tests.support.runs import setting

FORM = {"type": "json_schema", "json_schema": {"name": "verdict"}}
LATENCY, IN_FLIGHT = 0.2, 80


def judge_at(url: str, timeout: float) -> LLMJudge:
    judge = load_judge("endpoint", "m", url, environment={})
    assert isinstance(judge, LLMJudge)
    return replace(judge, endpoint=Endpoint(url, "none", timeout, IN_FLIGHT))


def work(url: str, folder: Path, topics: int, timeout: float) -> Counter[str]:
    """Sample 120 answers for each of so many preferences and judge them; what became of them."""
    chosen = load_benchmark().preferences[:topics]
    with open_run_folder(folder) as opened:
        done = sample(opened, setting(), chosen, Endpoint(url, "none", timeout, IN_FLIGHT))
    assert done.stopped is None, done.stopped
    judged = judge_run(load_run(folder), judge_at(url, timeout))
    assert judged.done.outcome.stopped is None, judged.done.outcome.stopped
    return Counter({**done.new, **{f"judge: {name}": number for name, number in judged.counts.items()}})


async def plain(url: str, bodies: list[dict[str, object]]) -> None:
    """The least that anybody would write: one client, one semaphore, no records."""
    import openai

    gate = asyncio.Semaphore(IN_FLIGHT)
    http = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=http) as client:

        async def one(body: dict[str, object]) -> None:
            async with gate:
                await client.chat.completions.create(**body)  # type: ignore[call-overload]

        await asyncio.gather(*(one(body) for body in bodies))


def overhead(root: Path) -> bool:
    from consciousness_cluster.judging.prompt import messages

    topics, calls = 17, 2 * 17 * 120
    with serving(LATENCY) as url:
        clock, cpu = time.perf_counter(), time.process_time()
        work(url, root / "ours", topics, 60)
        seconds, ours = time.perf_counter() - clock, time.process_time() - cpu
        judge = judge_at(url, 60)
        run = load_run(root / "ours")
        bodies: list[dict[str, object]] = [{"model": "m", "messages": record["messages"]} for record in run.samples]
        bodies += [
            {
                "model": "m",
                "messages": messages(judge.prompts[0], item.question),
                "response_format": {"type": "json_object"},
            }
            for item in items_of(run)
        ]
        clock, cpu = time.perf_counter(), time.process_time()
        asyncio.run(plain(url, bodies))
        plain_seconds, theirs = time.perf_counter() - clock, time.process_time() - cpu
    ideal = calls * LATENCY / IN_FLIGHT
    print(
        f"overhead: {calls} calls in {seconds:.1f} s, {ideal / seconds:.2f} of the ideal {ideal:.1f} s (at least 0.9)"
    )
    print(f"          plain loop: {plain_seconds:.1f} s, {ideal / plain_seconds:.2f} of the ideal time")
    print(f"          client CPU {ours:.1f} s, plain loop {theirs:.1f} s: {ours / theirs:.2f} times (at most 1.2)")
    return ideal / seconds >= 0.9 and ours <= 1.2 * theirs


def faults(root: Path) -> bool:
    taken = {}
    for name, share in (("without", 0.0), ("with", 0.2)):
        with serving(LATENCY, share) as url:
            clock = time.perf_counter()
            counts = work(url, root / name, 20, 2.0)
            taken[name] = time.perf_counter() - clock
            complete = sum(counts[status] for status in ("ok", "empty", "content_filter")) == 2400
            complete &= counts["judge: open"] == 0 and not counts["error"]
            print(f"{name} faults: {taken[name]:.1f} s, {dict(counts)}, complete: {complete}")
            if not complete:
                return False
    ratio = taken["with"] / taken["without"]
    print(f"faults: {ratio:.2f} times the time without (at most 1.7)")
    return ratio <= 1.7


if __name__ == "__main__":
    folder = Path(tempfile.mkdtemp())
    try:
        chosen = sys.argv[1:] or ["overhead", "faults"]
        good = [globals()[name](folder) for name in chosen]
        sys.exit(0 if all(good) else 1)
    finally:
        shutil.rmtree(folder)
