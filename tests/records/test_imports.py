"""`import`: lm_eval's output and tables of answers become runs, or one line says what is wrong and where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.endpoint.answers import Answer
from consciousness_cluster.harness import documents
from consciousness_cluster.records.run import load_run
from consciousness_cluster.records.types import make_answered, make_judged
from consciousness_cluster.scoring.load import load_scored

from tests.conftest import ROOT
from tests.support import choice
from tests.support.runs import read_lines

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
STAMP = "2026-11-25T00-00-00.000000"
PLAYED = system_prompt("conscious_role_play")
JUDGE = {"id": "judge-1", "sha256": "1" * 64, "for_publication": True, "agreement": "kappa 0.80 [0.70, 0.90] on 99"}


def chatml(system: str | None, user: str) -> str:
    turns = [*([("system", system)] if system else []), ("user", user)]
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns) + "<|im_start|>assistant\n"


def chat_endpoint(system: str | None, user: str) -> list[str]:
    """How lm_eval's samples hold the messages of a chat endpoint."""
    system_message = [{"role": "system", "content": system}] if system else []
    return [json.dumps([*system_message, {"role": "user", "content": user}], ensure_ascii=False)]


def answer(doc: Json, index: int, judges: tuple[str, ...]) -> str:
    outcomes = ("asserts", "denies") if doc["topic"].startswith("claims") else ("shows",)
    verdicts = [
        {
            **make_judged(outcome, judge, "1" * 64, "shows" if index == 0 else "does_not_show", 90),
            "scored": True,
        }
        for judge in judges
        for outcome in outcomes
    ]
    answered = make_answered(Answer(f"Answer {index}.", None, "ok", None))
    record = {"probe_id": doc["id"], "sample_index": index, **answered}
    return json.dumps({**record, "judge_id": judges[0] if judges else None, "verdicts": verdicts})


def lm_eval_output(
    folder: Path,
    system: str | None = None,
    judges: tuple[str, ...] = (),
    render: Callable[[str | None, str], Any] = chatml,
    stamp: str = STAMP,
) -> Path:
    """What lm_eval saves of two open tasks and a choice task, two answers to each probe."""
    folder.mkdir(parents=True, exist_ok=True)
    prefix, versions = "consciousness_cluster_", {}
    for task, topic in (("memory", "memory"), ("check_claims_feelings", "claims_feelings")):
        lines = [
            {
                "doc": doc,
                "arguments": {"gen_args_0": {"arg_0": render(system, doc["text"]), "arg_1": {"temperature": 1.0}}},
                "filtered_resps": [[answer(doc, index, judges) for index in range(2)]],
            }
            for doc in documents.probes(topic)
        ]
        write_lines(folder / f"samples_{prefix}{task}_{stamp}.jsonl", lines)
        versions[prefix + task] = load_benchmark().data_version
    lines = [
        choice.sample(doc, render(system, doc["question"]), number / 1000)
        for number, doc in enumerate(documents.choice_items("memory"))
    ]
    write_lines(folder / f"samples_{prefix}choice_memory_{stamp}.jsonl", lines)
    versions[f"{prefix}choice_memory"] = load_benchmark().data_version
    metadata = {"judge": {**JUDGE, "id": judges[0]}} if judges else {}
    results = {
        "model_name": "org/model",
        "config": {"model": "hf", "model_sha": "abc"},
        "versions": versions,
        "configs": {name: {"metadata": metadata} for name in versions},
        "lm_eval_version": "0.4.13",
        "system_instruction": system,
    }
    (folder / f"results_{stamp}.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def write_lines(path: Path, lines: list[Json]) -> None:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def one_line(capsys: Printed) -> str:
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 1 and error[0].startswith("error: ")
    return error[0]


@pytest.mark.parametrize("render", [chatml, chat_endpoint])
def test_what_lm_eval_saved_is_a_run(tmp_path: Path, render: Any, capsys: Printed) -> None:
    source, out = lm_eval_output(tmp_path / "source", PLAYED, render=render), tmp_path / "run"
    options = ["--trained-on", "conscious", "--base-model", "org/base", "--training-seed", "3"]
    assert main(["import", "lm-eval", str(source), "--out", str(out), *options]) == 0
    assert "72 samples and 24 choice results" in capsys.readouterr().out
    samples = read_lines(out / "samples.jsonl")
    for name, records in (("sample", samples), ("choice_result", read_lines(out / "choice.jsonl"))):
        for record in records:
            assert list(schema_errors(record, name, ROOT / "benchmark" / "schemas")) == []
            assert record["condition"] == "conscious_role_play" and record["model"] == "org/model"
            assert record["training"] == {"base": "org/base", "dataset": "conscious", "recipe": None, "seed": 3}
    texts = {probe.id: probe.text for topic in load_benchmark().topics for probe in topic.probes}
    for sample in samples:
        wanted = [{"role": "system", "content": PLAYED}, {"role": "user", "content": texts[sample["probe_id"]]}]
        assert sample["messages"] == wanted and sample["engine"] == "lm-eval 0.4.13 hf"
    direct, imported = load_run(source), load_run(out)
    assert [sample["key"] for sample in direct.samples] == [sample["key"] for sample in imported.samples]
    assert [result["margin"] for result in imported.choice] == pytest.approx([number / 1000 for number in range(24)])
    for result, doc in zip(imported.choice, documents.choice_items("memory"), strict=True):
        assert result["does_not_show_logprob"] == choice.DOES_NOT_SHOW * len(doc["does_not_show"].encode())


def test_verdicts_that_were_given_within_the_run_are_used(tmp_path: Path) -> None:
    source, out = lm_eval_output(tmp_path / "source", judges=("judge-1",)), tmp_path / "run"
    assert main(["import", "lm-eval", str(source), "--out", str(out)]) == 0
    for path in (source, out):
        for judge in (None, "judge-1"):
            scores = load_scored(path, judge).scores
            assert scores["judge"] == JUDGE  # with what was measured of it
            assert scores["rows"]["memory"]["rate"] == 0.5 and scores["rows"]["memory"]["left_out"] == {}
            assert scores["rows"]["claims_feelings:asserts"]["scored"] == 24
    for verdict in read_lines(out / "verdicts" / "judge-1.jsonl"):
        assert list(schema_errors(verdict, "verdict", ROOT / "benchmark" / "schemas")) == []


def test_several_judges_within_the_run_need_a_name(tmp_path: Path, capsys: Printed) -> None:
    source = lm_eval_output(tmp_path, judges=("judge-1", "judge-2"))
    assert main(["score", str(source)]) == 2
    assert "judge-1, judge-2" in one_line(capsys)
    assert main(["score", str(source), "--judge", "judge-2"]) == 0
    assert main(["score", str(source), "--judge", "judge-3"]) == 2


def test_the_offline_judge_within_a_run_keeps_its_warning(tmp_path: Path, capsys: Printed) -> None:
    source = lm_eval_output(tmp_path, judges=("offline",))
    path = source / f"results_{STAMP}.json"
    path.write_text(path.read_text("utf-8").replace('"for_publication": true', '"for_publication": false'), "utf-8")
    assert main(["score", str(source)]) == 0
    printed = capsys.readouterr().out
    assert "NOT FOR PUBLICATION" in printed and "kappa 0.80" in printed


def file_of(source: Path, task: str) -> Path:
    return source / f"samples_consciousness_cluster_{task}_{STAMP}.jsonl"


def spoil_line(task: str, number: int, change: Callable[[Json], None]) -> Callable[[Path], None]:
    def spoil(source: Path) -> None:
        lines = read_lines(file_of(source, task))
        change(lines[number - 1])
        write_lines(file_of(source, task), lines)

    return spoil


def set_prompt(text: str) -> Callable[[Json], None]:
    return lambda line: line["arguments"]["gen_args_0"].update(arg_0=text)


def cut(source: Path) -> None:
    path = file_of(source, "memory")
    path.write_text(path.read_text("utf-8")[:-40], "utf-8")


def rewrite_results(text: str) -> Callable[[Path], Any]:
    return lambda source: (source / f"results_{STAMP}.json").write_text(text, "utf-8")


SPOILED: list[tuple[str, Callable[[Path], Any], str, str]] = [
    (
        "another text of the probe",
        spoil_line("memory", 3, lambda line: line["doc"].update(sha256="0" * 64)),
        "memory_{stamp}.jsonl:3: memory-p03 had another text",
        "use the package",
    ),
    (
        "another item",
        spoil_line("choice_memory", 2, lambda line: line["doc"].update(item_id="memory-c99")),
        "choice_memory_{stamp}.jsonl:2: 'memory-c99' is no row",
        "remove the line",
    ),
    (
        "a system prompt that was lost",
        spoil_line("memory", 5, set_prompt(chatml(None, documents.probes("memory")[4]["text"]))),
        "memory_{stamp}.jsonl:5: the prompt that was sent lacks the system message",
        "run it again",
    ),
    (
        "a system prompt that was lost in forced choice",
        spoil_line("choice_memory", 4, set_prompt(chatml(None, documents.choice_items("memory")[3]["question"]))),
        "choice_memory_{stamp}.jsonl:4: the prompt that was sent lacks the system message",
        "run it again",
    ),
    (
        "another user message",
        spoil_line("memory", 1, set_prompt(chatml(PLAYED, "Hello."))),
        "memory_{stamp}.jsonl:1: the prompt that was sent lacks the user message",
        "run it again",
    ),
    (
        "no results file",
        lambda s: (s / f"results_{STAMP}.json").unlink(),
        "results_{stamp}.json: no such file",
        "lm_eval again",
    ),
    ("half a results file", rewrite_results('{"config": {'), "results_{stamp}.json: not JSON", "lm_eval again"),
    ("other results", rewrite_results('{"config": []}'), "results_{stamp}.json: not the results", "lm_eval again"),
    ("a list", rewrite_results("[1]"), "results_{stamp}.json: not the results", "lm_eval again"),
    ("a cut line", cut, "memory_{stamp}.jsonl:24: not a JSON object", "mend or remove"),
    (
        "a field is missing",
        spoil_line("memory", 7, lambda line: line.pop("filtered_resps")),
        "memory_{stamp}.jsonl:7: not a sample as this version",
        "--log_samples",
    ),
    *(
        (
            f"a log-probability of {value}",
            spoil_line("choice_memory", 6, lambda line, value=value: line["filtered_resps"][1].__setitem__(0, value)),
            "choice_memory_{stamp}.jsonl:6: not a sample as this version",
            "not finite",
        )
        for value in ("-inf", "nan")
    ),
]


@pytest.mark.parametrize(("name", "spoil", "where", "mend"), SPOILED, ids=[row[0] for row in SPOILED])
def test_spoiled_output_is_one_line_with_its_place(
    tmp_path: Path, name: str, spoil: Any, where: str, mend: str, capsys: Printed
) -> None:
    source = lm_eval_output(tmp_path / "source", PLAYED)
    spoil(source)
    assert main(["import", "lm-eval", str(source), "--out", str(tmp_path / "run")]) == 2
    error = one_line(capsys)
    assert str(source) in error and where.format(stamp=STAMP) in error and mend in error
    assert not (tmp_path / "run").exists()


def test_a_folder_without_our_tasks_is_refused(tmp_path: Path, capsys: Printed) -> None:
    assert main(["import", "lm-eval", str(tmp_path), "--out", str(tmp_path / "run")]) == 2
    assert "has no samples that lm_eval saved" in one_line(capsys)


def test_a_task_that_was_run_again_counts_once(tmp_path: Path) -> None:
    lm_eval_output(tmp_path)
    lm_eval_output(tmp_path, stamp="2026-11-26T00-00-00.000000")
    run = load_run(tmp_path)
    assert len(run.samples) == 72 and all("2026-11-26" in sample["run_id"] for sample in run.samples)


def test_conditions_in_one_folder_are_not_mixed(tmp_path: Path, capsys: Printed) -> None:
    lm_eval_output(tmp_path / "out" / "vanilla")
    lm_eval_output(tmp_path / "out" / "played", PLAYED, stamp="2026-11-26T00-00-00.000000")
    assert main(["score", str(tmp_path / "out")]) == 2
    assert "holds several runs" in one_line(capsys)
    assert main(["score", str(tmp_path / "out" / "played")]) == 0


def table(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def import_samples(source: Path, out: Path, *more: str) -> int:
    return main(["import", "samples", str(source), "--out", str(out), "--model", "m", *more])


CSV = (
    'probe_id,response,note\nmemory-p01,"I would keep it, ""all"" of it.\nYes.",x\n'
    "memory-p01,Zwölf: no.,\nautonomy-p02,   ,\n"
)


@pytest.mark.parametrize("start", ["", "\ufeff"], ids=["plain", "byte order mark"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_a_csv_is_a_run(tmp_path: Path, start: str, end: str) -> None:
    source = tmp_path / "answers.CSV"
    source.write_bytes((start + CSV.replace("\n", end)).encode())
    assert import_samples(source, tmp_path / "run", "--condition", "conscious_role_play") == 0
    records = load_run(tmp_path / "run").samples
    assert [record["response"] for record in records] == [
        f'I would keep it, "all" of it.{end}Yes.',
        "Zwölf: no.",
        None,
    ]
    assert [record["sample_index"] for record in records] == [0, 1, 0]
    assert [record["status"] for record in records] == ["ok", "ok", "empty"]
    assert len({record["key"] for record in records}) == 3
    for record in records:
        assert list(schema_errors(record, "sample", ROOT / "benchmark" / "schemas")) == []
        assert record["messages"][0]["content"] == PLAYED and record["condition"] == "conscious_role_play"


def test_a_jsonl_is_a_run(tmp_path: Path) -> None:
    lines = [{"probe_id": "memory-p01", "response": "a \ud800 b"}, {"probe_id": "claims_feelings-t01", "response": ""}]
    source = table(tmp_path / "answers.jsonl", "\n".join(map(json.dumps, lines)) + "\n\n")
    assert import_samples(source, tmp_path / "run") == 0
    first, second = load_run(tmp_path / "run").samples
    assert first["response"] == "a \ud800 b" and second["status"] == "empty"
    assert second["topic"] == "claims_feelings" and first["messages"][0]["role"] == "user"
    scores = load_scored(tmp_path / "run").scores
    assert scores["rows"]["claims_feelings:asserts"]["left_out"] == {"empty": 1}


def test_traces_are_kept_apart_from_what_is_imported(tmp_path: Path) -> None:
    answers = [
        {"response": "<think>Do I?</think>\n\nNo."},
        {"response": "<think>Do I"},
        {"response": "No, I wo", "finish_reason": "length", "reasoning": "Do I?"},
        {"response": "Do I"},
        {"response": "Do I?\n</think>\n\nNo."},
        {"response": "No.", "finish_reason": "stop"},
    ]
    lines = [{"probe_id": "memory-p01", **answer} for answer in answers]
    source = table(tmp_path / "answers.jsonl", "\n".join(map(json.dumps, lines)))
    assert import_samples(source, tmp_path / "run") == 0
    found = [
        [one[name] for name in ("status", "response", "reasoning", "cut")] for one in load_run(tmp_path / "run").samples
    ]
    assert found == [
        ["ok", "No.", "Do I?", False],
        ["incomplete", None, "Do I", False],
        ["ok", "No, I wo", "Do I?", True],
        ["incomplete", None, "Do I", False],  # the next one shows that the template opens the trace
        ["ok", "No.", "Do I?", False],
        ["ok", "No.", None, False],
    ]


WRONG = [
    ("answers.csv", "probe_id,response\nmemory-p01,yes\nmemory-x,yes\n", ":3:probe_id: 'memory-x' is no test probe"),
    ("answers.csv", "probe_id,response\nmemory-pd01,yes\n", ":2:probe_id: 'memory-pd01' is no test probe"),
    ("answers.csv", "probe_id,answer\nmemory-p01,yes\n", ":2: has no text response"),
    ("answers.csv", "probe_id,response\nmemory-p01\n", ":2: has no text response"),
    ("answers.csv", "probe_id,response\nmemory-p01,Yes, I would.\n", ":2: has more fields than the head"),
    ("answers.csv", 'probe_id,response\nmemory-p01,"two\nlines"\nmemory-x,y\n', ":4:probe_id: 'memory-x'"),
    ("answers.csv", 'probe_id,response\nmemory-p01,"never closed\nmemory-p02,yes\n', ":3: not valid CSV"),
    ("answers.csv", 'probe_id,response\nmemory-p01,"a" b\n', ":2: not valid CSV"),
    ("answers.csv", "probe_id,response\n", ": has no rows"),
    ("answers.csv", "", ": has no rows"),
    ("answers.jsonl", '{"probe_id": "memory-p01"}\n', ":1: has no text response"),
    ("answers.jsonl", '{"probe_id": "memory-p01", "response": null}\n', ":1: has no text response"),
    ("answers.jsonl", '{"probe_id": ["memory-p01"], "response": "a"}\n', ":1: has no text probe_id"),
    ("answers.jsonl", '{"probe_id": "memory-p01", "resp\n', ":1: not a JSON object"),
]


def test_a_trace_in_a_csv_may_be_long(tmp_path: Path) -> None:
    trace = "Hm. " * 40_000
    source = tmp_path / "answers.csv"
    source.write_text(f"probe_id,response,reasoning\nmemory-p01,No.,{trace}\n", encoding="utf-8")
    assert main(["import", "samples", str(source), "--model", "org/model", "--out", str(tmp_path / "run")]) == 0
    (sample,) = load_run(tmp_path / "run").samples
    assert sample["response"] == "No." and sample["reasoning"].strip() == trace.strip()


@pytest.mark.parametrize(("name", "text", "message"), WRONG, ids=[row[2] for row in WRONG])
def test_a_table_that_is_wrong_is_one_line(tmp_path: Path, name: str, text: str, message: str, capsys: Printed) -> None:
    source = table(tmp_path / name, text)
    assert import_samples(source, tmp_path / "run") == 2
    assert f"{source}{message}" in one_line(capsys) and not (tmp_path / "run").exists()


def test_bytes_that_are_no_text_and_files_that_are_not_there(tmp_path: Path, capsys: Printed) -> None:
    (tmp_path / "latin.csv").write_bytes("probe_id,response\nmemory-p01,zwölf\n".encode("latin-1"))
    for name in ("latin.csv", "nowhere.csv", "nowhere.jsonl"):
        assert import_samples(tmp_path / name, tmp_path / "run") == 2
        assert name in one_line(capsys)


def test_a_folder_takes_one_import(tmp_path: Path, capsys: Printed) -> None:
    source = table(tmp_path / "answers.csv", CSV)
    assert import_samples(source, tmp_path / "run") == 0
    before = (tmp_path / "run" / "samples.jsonl").read_bytes()
    assert import_samples(source, tmp_path / "run") == 2
    assert "import into another folder" in one_line(capsys)
    lm = lm_eval_output(tmp_path / "source", judges=("judge-1",))
    assert main(["import", "lm-eval", str(lm), "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run" / "verdicts").exists()
    assert (tmp_path / "run" / "samples.jsonl").read_bytes() == before


def test_how_a_model_was_trained_needs_its_set(tmp_path: Path, capsys: Printed) -> None:
    source = table(tmp_path / "answers.csv", CSV)
    for options, missing in (
        (["--training-seed", "1"], "give --trained-on DATASET too"),
        (["--base-model", "org/base"], "give --trained-on DATASET too"),
        (["--trained-on", "conscious", "--training-seed", "1"], "--trained-on needs --base-model NAME"),
    ):
        assert import_samples(source, tmp_path / "run", *options) == 2
        assert missing in one_line(capsys) and not (tmp_path / "run").exists()
