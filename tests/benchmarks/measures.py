"""What is measured: each function gives lines of the table, for a size of the work."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.replies import chat_body
from consciousness_cluster.judging.judge_run import items_of
from consciousness_cluster.judging.judges import LLMJudge, load_judge
from consciousness_cluster.judging.prompt import messages
from consciousness_cluster.judging.verdict import REPLY_SCHEMA
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.run_folder import read_samples

from tests.benchmarks.process import OURS, Took, took
from tests.benchmarks.server import seen_by, serving

WIDTH, LATENCIES, FAULTY = 80, (0.2, 0.02), 0.2
RUNS, ANSWERS = 7, 10_000


@dataclass(frozen=True)
class Line:
    """One line of the table. `ratio` is in times of what `against` names; what a line does not have is None."""

    what: str
    calls: int | None = None
    ratio: float | None = None
    against: str = ""
    seconds: float | None = None
    whole: float | None = None
    cpu_ms: float | None = None
    mb: float | None = None

    def json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}


@dataclass(frozen=True)
class Size:
    """How much is done: of which topics (None: all), how many answers to a probe, how many runs and rows."""

    topics: Sequence[str] | None = None
    samples: int = 5
    runs: int = RUNS
    answers: int = ANSWERS
    latencies: Sequence[float] = LATENCIES


TINY = Size(["memory"], 1, 2, 200, (0.002,))


def _asked(url: str, out: Path, size: Size, samples: int | None = None) -> list[str]:
    topics = ["--topics", *size.topics] if size.topics else []
    where = ["--model", "m", "--base-url", url, "--concurrency", str(WIDTH), "--out", str(out)]
    return [*where, *topics, "--samples", str(samples or size.samples)]


def _ran(url: str, out: Path, size: Size, *more: str) -> Took:
    """`run`, of a model and a judge at one address."""
    judge = ["--judge", "endpoint", "--judge-model", "m", "--judge-base-url", url]
    return took([*OURS, "run", *_asked(url, out, size), *judge, *more])


def _line(what: str, url: str, done: Took, latency: float) -> Line:
    """The calls that a server saw, from the first to the last, against calls x latency / width."""
    seen = seen_by(url)
    calls, span = int(seen["calls"]), seen["last"] - seen["first"]
    ideal = calls * latency / WIDTH
    ms = f"{1000 * latency:.0f} ms"
    return Line(
        f"{what}, {ms}", calls, span / ideal, "the ideal time", span, done.seconds, 1000 * done.cpu / calls, done.mb
    )


def _bodies(folder: Path, url: str, file: Path) -> None:
    """The bodies of all calls of a run, as JSON Lines."""
    judge = load_judge("endpoint", "m", url, environment={})
    assert isinstance(judge, LLMJudge)
    run = load_run(folder)
    form = {"type": "json_schema", "json_schema": {"name": "verdict", "strict": True, "schema": REPLY_SCHEMA}}
    probes = {sample["probe_id"]: sample for sample in run.samples}
    each = max(sample["sample_index"] for sample in run.samples) + 1
    bodies = [chat_body("m", list(one["messages"]), 1.0, 1000, each) for one in probes.values()]
    for item in items_of(run):
        asked = chat_body("m", messages(judge.prompts[0], item.question), judge.temperature, judge.max_tokens)
        bodies.append({**asked, "response_format": form})
    file.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")


LOOPS = {
    "bare": "a bare aiohttp loop",
    "plain_aiohttp": "a plain loop over the openai package with aiohttp",
    "plain": "a plain loop over the openai package",
    "inspect": "inspect-ai",
}


def calls(folder: Path, size: Size) -> Iterator[Line]:
    """`run` of everything, and loops that make the same calls and keep nothing."""
    for latency in size.latencies:
        with serving(latency) as url:
            out = folder / f"calls-{latency}"
            yield _line("`run`", url, _ran(url, out, size), latency)
            bodies = folder / f"{latency}.jsonl"
            _bodies(out, url, bodies)
            for name, title in LOOPS.items():
                if name == "inspect" and find_spec("inspect_ai") is None:
                    continue
                loop = [sys.executable, "-m", "tests.benchmarks.loops", name, url, str(bodies), str(WIDTH)]
                yield _line(title, url, took(loop), latency)


def faults(folder: Path, size: Size) -> Iterator[Line]:
    """`run` where every fifth call goes wrong, against the same without faults."""
    spans = []
    for share in (0.0, FAULTY):
        with serving(size.latencies[0], share) as url:
            done = _ran(url, folder / f"faults-{share}", size, "--timeout", "2")
            spans.append(_line(f"`run`, {share:.0%} of calls faulty", url, done, size.latencies[0]))
    before, after = spans
    assert before.seconds and after.seconds
    ratio = after.seconds / before.seconds
    yield Line(after.what, after.calls, ratio, "without faults", after.seconds, after.whole, after.cpu_ms, after.mb)


def memory(folder: Path, size: Size) -> Iterator[Line]:
    """Sampling many answers: the most memory."""
    with serving(0.0) as url:
        topics = load_benchmark().topics
        chosen = [topics[name] for name in size.topics] if size.topics else list(topics)
        probes = sum(len(topic.test_probes("plain")) for topic in chosen)
        done = took([*OURS, "sample", *_asked(url, folder / "memory", size, -(-size.answers // probes))])
        made = len(read_samples(folder / "memory" / "samples.jsonl"))
        yield Line(f"`sample`, {made:,} answers", int(seen_by(url)["calls"]), whole=done.seconds, mb=done.mb)


def files(folder: Path, size: Size) -> Iterator[Line]:
    """What reads runs: seconds of the processor."""
    with serving(0.0) as url:
        first = folder / "files"
        took([*OURS, "sample", *_asked(url, first, size)])
        took([*OURS, "judge", str(first), "--judge", "offline"])
    runs = [first, *(folder / f"files-{number}" for number in range(1, size.runs))]
    for number, run in enumerate(runs[1:], 1):
        shutil.copytree(first, run)
        _renamed(run, f"m{number}")
    names = [str(run) for run in runs]
    verbs: Mapping[str, list[str]] = {
        "score": ["score", *names],
        "compare": ["compare", *names[1:], "--baseline", names[0]],
        "report": ["report", *names, "--out", str(folder / "report")],
        "--help": ["--help"],
    }
    answers = len(read_samples(first / "samples.jsonl"))
    for verb, arguments in verbs.items():
        done = took([*OURS, *arguments])
        what = f"`{verb}`" if verb == "--help" else f"`{verb}`, {len(runs)} runs of {answers:,} answers"
        yield Line(what, seconds=done.cpu, whole=done.seconds, mb=done.mb)


def _renamed(run: Path, model: str) -> None:
    """Let a copied run be another model's."""
    path = run / "samples.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"model": "m"', f'"model": "{model}"'), encoding="utf-8")


MEASURES: dict[str, Callable[[Path, Size], Iterator[Line]]] = {
    "calls": calls,
    "faults": faults,
    "memory": memory,
    "files": files,
}


def measured(names: Sequence[str], size: Size, say: Callable[[Line], None] = lambda line: None) -> list[Line]:
    """All lines of these measures; `say` gets each as it comes."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            for line in MEASURES[name](Path(folder), size):
                say(line)
                found.append(line)
    return found
