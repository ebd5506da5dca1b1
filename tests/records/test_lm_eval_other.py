"""Folders of other releases of lm_eval, and of other people's tasks, as runs."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.rows import load_topic

from tests.support.choice import logprobs
from tests.support.runs import read_lines

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
TOPIC = load_topic("memory")
PROBES = list(TOPIC.test_probes("plain"))[:3]
ITEM = TOPIC.choice_items[0]
STAMP = "2025-03-01T10-00-00.000000"


def prompt(text: str, system: str | None) -> str:
    return (f"<|im_start|>system\n{system}<|im_end|>\n" if system else "") + f"<|im_start|>user\n{text}<|im_end|>\n"


def open_lines(system: str | None, doc: Callable[[Any], Json]) -> list[Json]:
    """Two answers to each probe, with arguments as lists."""
    return [
        {
            "doc_id": number,
            "doc": doc(probe),
            "target": "",
            "arguments": [[prompt(probe.text, system), {"until": [], "temperature": 1.0}]],
            "resps": [[f"Answer {number}.", f"<think>Hm.</think>Other {number}."]],
            "filtered_resps": [f"Answer {number}."],
        }
        for number, probe in enumerate(PROBES)
    ]


def choice_lines(system: str | None, turned: bool) -> list[Json]:
    """Both sides of an item, with the answers in either order, numbers as 0.4.2 writes them."""
    lines = []
    for side in ("self", "other"):
        this = ITEM.side(side)
        pairs = list(zip((this.shows, this.does_not_show), logprobs(this, 0.25), strict=True))
        pairs = pairs[::-1] if turned else pairs
        lines.append(
            {
                "doc_id": len(lines),
                "doc": {"query": this.question, "choices": [text for text, _ in pairs]},
                "arguments": [[prompt(this.question, system), f" {text}"] for text, _ in pairs],
                "resps": [[[logprob, False]] for _, logprob in pairs],
            }
        )
    return lines


def as_objects(line: Json) -> Json:
    """A sample as releases since 0.4.3 write it."""
    arguments = {f"gen_args_{n}": {f"arg_{m}": v for m, v in enumerate(a)} for n, a in enumerate(line["arguments"])}
    texts = [[[str(x) for x in part] if isinstance(part, list) else part for part in one] for one in line["resps"]]
    return {**line, "arguments": arguments, "resps": texts, "filter": "none"}


def release_042(folder: Path, tasks: dict[str, list[Json]], system: str | None) -> None:
    assert system is None, "that release has no system prompt"
    for task, lines in tasks.items():
        (folder / f"pretrained__org__model,dtype__float32_{task}.jsonl").write_text(json.dumps(lines, indent=2))
    about = {"model": "hf", "model_args": "pretrained=org/model,dtype=float32"}
    (folder / "results.json").write_text(json.dumps({"results": {}, "config": about, "git_hash": "abc1234"}))


def release_043(folder: Path, tasks: dict[str, list[Json]], system: str | None) -> None:
    inner = folder / "org__model"
    inner.mkdir()
    for task, lines in tasks.items():
        text = "".join(json.dumps(as_objects(line)) + "\n" for line in lines)
        (inner / f"samples_{task}_{STAMP}.jsonl").write_text(text)
    about = {"config": {"model": "hf", "model_args": "pretrained=org/model"}, "model_name": "org/model"}
    (inner / f"results_{STAMP}.json").write_text(json.dumps({**about, "system_instruction": system}))


def release_0413(folder: Path, tasks: dict[str, list[Json]], system: str | None) -> None:
    """With --output_path name.json, arguments of the model as an object, and a line for each of two filters."""
    for task, lines in tasks.items():
        both = [{**as_objects(line), "filter": name} for name in ("none", "strict") for line in lines]
        (folder / f"samples_{task}_{STAMP}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in both))
    about = {"config": {"model": "vllm", "model_args": {"pretrained": "org/model"}}, "lm_eval_version": "0.4.13"}
    (folder / f"name_{STAMP}.json").write_text(json.dumps({**about, "system_instruction": system}))


def imported(folder: Path, out: Path) -> int:
    return main(["import", "lm-eval", str(folder), "--out", str(out)])


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("release", [release_042, release_043, release_0413])
def test_releases(tmp_path: Path, release: Any, turned: bool) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    system = None if release is release_042 else system_prompt("human_role_play")
    tasks = {
        "wishes": open_lines(system, lambda probe: {"id": probe.id, "text": probe.text}),
        "wishes_mc": choice_lines(system, turned),
    }
    release(folder, tasks, system)
    (folder / "notes.jsonl").write_text('{"note": "something else"}\n')
    assert imported(folder, tmp_path / "run") == 0
    samples, choice = (read_lines(tmp_path / "run" / f"{name}.jsonl") for name in ("samples", "choice"))
    assert [(record["probe_id"], record["sample_index"], record["response"]) for record in samples] == [
        (probe.id, index, f"{word} {number}.")
        for number, probe in enumerate(PROBES)
        for index, word in enumerate(("Answer", "Other"))
    ]
    assert [(record["item_id"], record["side"]) for record in choice] == [(ITEM.id, "self"), (ITEM.id, "other")]
    assert [record["margin"] for record in choice] == pytest.approx([0.25, 0.25])
    for record in [*samples, *choice]:
        assert record["model"] == "org/model" and record["engine"].startswith("lm-eval ")
        assert record["condition"] == ("human_role_play" if system else "vanilla")


def test_rows_are_known_by_their_words_whatever_their_fields(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    docs = open_lines(None, lambda probe: {"number": 1, "question": probe.text.replace(" ", "  ")})
    release_043(folder, {"mine": docs}, None)
    assert imported(folder, tmp_path / "run") == 0
    assert len(read_lines(tmp_path / "run" / "samples.jsonl")) == 6


def spoil(change: Callable[[Json], Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        lines = open_lines(None, lambda probe: {"text": probe.text})
        change(lines[1])
        release_043(folder, {"mine": lines}, None)

    return write


def no_results(folder: Path) -> None:
    spoil(lambda line: None)(folder)
    next(folder.rglob("results_*.json")).unlink()


def two_models(folder: Path) -> None:
    for name in ("one", "two"):
        (folder / name).mkdir()
        spoil(lambda line: None)(folder / name)
        path = next((folder / name).rglob("results_*.json"))
        path.write_text(path.read_text().replace("org/model", f"org/{name}"))


@pytest.mark.parametrize(
    ("write", "part"),
    [
        (spoil(lambda line: line.update(doc={"text": "What is a soup?"})), "jsonl:2: asks nothing that this benchmark"),
        (spoil(lambda line: line.update(arguments=[["something else", {}]])), "jsonl:2: asks nothing that this"),
        (spoil(lambda line: line.update(arguments=[[]])), "jsonl:2: not a sample as lm_eval saves it"),
        (spoil(lambda line: line.update(resps=[[3]])), "jsonl:2: not a sample as lm_eval saves it"),
        (no_results, "has no results beside it"),
        (two_models, "holds runs of several models or system prompts"),
        (lambda folder: (folder / "x.jsonl").write_text('{"a": 1}\n'), "has no samples that lm_eval saved"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, write: Callable[[Path], Any], part: str, capsys: Printed) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    write(folder)
    assert imported(folder, tmp_path / "run") == 2 and not (tmp_path / "run").exists()
    said = capsys.readouterr().err
    assert part in said and said.count("\n") == 1


def test_a_system_prompt_that_was_dropped_is_no_condition(tmp_path: Path, capsys: Printed) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    release_043(folder, {"mine": open_lines(None, lambda probe: {"text": probe.text})}, "You are a bird.")
    assert imported(folder, tmp_path / "run") == 2
    assert "lacks the system message" in capsys.readouterr().err
