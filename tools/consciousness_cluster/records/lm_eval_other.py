"""What lm_eval saved for tasks that are not ours but ask our questions: of any 0.4 release, and of anybody's YAML.

Rows are known by their words, since ids and fields are what the task's author made of them. Until 0.4.2 the samples of
a task were one JSON array in `<model_args>_<task>.jsonl` beside results.json, with arguments as lists; since 0.4.3 they
are JSON Lines in `samples_<task>_<time>.jsonl` beside `results_<time>.json`, with arguments as objects.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from consciousness_cluster.conditions import condition_of
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.data.row_files import numbered_rows
from consciousness_cluster.data.rows import SIDES, ChoiceItem, PackId, Probe, Side, Topic, load_benchmark
from consciousness_cluster.endpoint.answers import answer_in
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.opened import as_read_together
from consciousness_cluster.records.pack_in_use import pack_in_use
from consciousness_cluster.records.types import (
    ChoiceResult,
    Origin,
    Sample,
    Training,
    make_answered,
    make_choice_result,
    make_sample,
)
from consciousness_cluster.strings import text_of

Json = dict[str, Any]
STAMP = re.compile(r"_(\d{4}-\d\d-\d\dT[\d.-]+)\.jsonl$")
MODEL = re.compile(r"(?:^|,)(?:pretrained|model|path)=([^,]+)")


class _Asked(NamedTuple):
    """The benchmark's rows by their words."""

    probes: Mapping[str, tuple[Topic, Probe]]
    items: Mapping[tuple[str, frozenset[str]], tuple[ChoiceItem, Side]]


def _plain(text: str) -> str:
    return " ".join(text.split())


def _asked() -> _Asked:
    return _asked_of(load_benchmark().pack)


@cache
def _asked_of(pack: PackId | None) -> _Asked:
    """The rows in use, which are those of `pack`."""
    probes: dict[str, tuple[Topic, Probe]] = {}
    items: dict[tuple[str, frozenset[str]], tuple[ChoiceItem, Side]] = {}
    for topic in load_benchmark().topics:
        probes |= {_plain(probe.text): (topic, probe) for probe in topic.test_probes()}
        for item in topic.choice_items:
            for side in SIDES:
                this = item.side(side)
                answers = frozenset(map(_plain, (this.shows, this.does_not_show)))
                items[_plain(this.question), answers] = (item, side)
    return _Asked(probes, items)


def _requests(line: Json) -> list[tuple[str, Any]]:
    """(prompt, what follows it) of each request of a sample."""
    arguments = line["arguments"]
    if isinstance(arguments, dict):
        ordered = [arguments[f"gen_args_{number}"] for number in range(len(arguments))]
        pairs = [(found["arg_0"], found.get("arg_1")) for found in ordered]
    else:
        pairs = [(found[0], found[1] if len(found) > 1 else None) for found in arguments]
    return [(text_of(prompt[0] if isinstance(prompt, list) else prompt), more) for prompt, more in pairs]


def _is_sample(row: Json) -> bool:
    return isinstance(row.get("doc"), dict) and "resps" in row and "arguments" in row


def _results(path: Path) -> Json:
    """The results that a file of samples belongs to."""
    stamp = STAMP.search(path.name)
    pattern = f"*_{stamp[1]}.json" if stamp else "*.json"
    for file in sorted(path.parent.glob(pattern)):
        value = read_json(file)
        if isinstance(value, dict) and isinstance(value.get("config"), dict):
            return value
    message, mend = "has no results beside it", "lm_eval saves them with --output_path"
    raise UserError(Problem(str(path), "-", "-", message, mend))


def _model(results: Json) -> str:
    """The name of the model, which older releases keep among its arguments."""
    config = results["config"]
    arguments = config.get("model_args") or ""
    if isinstance(arguments, dict):
        found = next((arguments[name] for name in ("pretrained", "model", "path") if arguments.get(name)), None)
    else:
        match = MODEL.search(str(arguments))
        found = match[1] if match else None
    return str(results.get("model_name") or found or config.get("model") or "unknown")


def _origin(path: Path, training: Training | None, stamp: str) -> Origin:
    results = _results(path)
    system = results.get("system_instruction") or None
    condition, model = condition_of(system), _model(results)
    version = results.get("lm_eval_version") or results.get("git_hash") or ""
    return Origin(
        run_id=" ".join(filter(None, (model, condition, stamp))),
        model=model,
        condition=condition,
        system_prompt=system,
        training=training,
        data_version=load_benchmark().data_version,  # rows are known by their words, so they are of this version
        engine=" ".join(f"lm-eval {version} {results['config'].get('model', '')}".split()),
        revision=results["config"].get("model_sha") or None,
        pack=pack_in_use(),
    )


class _Reader:
    """Files of samples, one after the other, as the records of one run."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self.choice: list[ChoiceResult] = []
        self._answers = Counter[str]()  # to each probe by now

    def read(self, path: Path, rows: Iterable[tuple[int, Json]], origin: Origin) -> None:
        seen = set()
        for number, line in rows:
            name = line.get("doc_id", number)
            if name in seen:
                continue  # a line stands there for each filter of a task
            seen.add(name)
            where = f"{path}:{number}"
            try:
                self._take(line, origin, where)
            except (KeyError, IndexError, TypeError, ValueError) as error:
                problem = f"{type(error).__name__} {error}".strip()
                raise UserError(f"{where}: not a sample as lm_eval saves it ({problem}); run it again") from None

    def _take(self, line: Json, origin: Origin, where: str) -> None:
        requests = _requests(line)
        if not all(_plain(origin.system_prompt or "") in _plain(prompt) for prompt, _ in requests):
            raise UserError(f"{where}: the prompt that was sent lacks the system message; run it again")
        followed = frozenset(_plain(more) for _, more in requests if isinstance(more, str))
        for text in (_plain(value) for value in line["doc"].values() if isinstance(value, str)):
            if not all(text in _plain(prompt) for prompt, _ in requests):
                continue
            if item := _asked().items.get((text, followed)):
                self._take_choice(*item, line, requests, origin)
                return
            if probe := _asked().probes.get(text):
                self._take_answers(*probe, line, origin)
                return
        raise UserError(f"{where}: asks nothing that this benchmark asks; remove the line, or import another folder")

    def _take_answers(self, topic: Topic, probe: Probe, line: Json, origin: Origin) -> None:
        for given in line["resps"]:
            for text in [given] if isinstance(given, str) else given:
                if not isinstance(text, str):
                    raise TypeError("an answer that is no text")
                answered = make_answered(answer_in(text))
                self.samples.append(make_sample(origin, topic.id, probe, self._answers[probe.id], answered))
                self._answers[probe.id] += 1

    def _take_choice(
        self, item: ChoiceItem, side: Side, line: Json, requests: Sequence[tuple[str, Any]], origin: Origin
    ) -> None:
        numbers = {_plain(more): _logprob(given) for (_, more), given in zip(requests, line["resps"], strict=True)}
        this = item.side(side)
        shows, does_not_show = numbers[_plain(this.shows)], numbers[_plain(this.does_not_show)]
        self.choice.append(make_choice_result(origin, item, side, shows, does_not_show))


def _logprob(given: Any) -> float:
    """The log-probability in [[number, greedy]] or [number, greedy]; lm_eval writes both as texts or as they are."""
    while isinstance(given, list):
        given = given[0]
    number = float(given)
    if not math.isfinite(number):
        raise ValueError("a log-probability that is not finite")
    return number


def read_other_tasks(folder: Path, training: Training | None) -> tuple[list[Sample], list[ChoiceResult]]:
    """Samples and choice results of every file below `folder` that lm_eval saved, as one run."""
    found = {path: list(numbered_rows(path)) for path in sorted(folder.rglob("*.jsonl"))}
    files = {path: rows for path, rows in found.items() if rows and _is_sample(rows[0][1])}
    stamps = [stamp[1] for path in files if (stamp := STAMP.search(path.name))]
    origins = {path: _origin(path, training, max(stamps, default="")) for path in files}
    if len({(origin.model, origin.system_prompt) for origin in origins.values()}) > 1:
        message = "holds runs of several models or system prompts"
        raise UserError(Problem(str(folder), "-", "-", message, "give the folder of one of them"))
    reader = _Reader()
    for path, rows in files.items():
        reader.read(path, rows, origins[path])
    return as_read_together(reader.samples), reader.choice
