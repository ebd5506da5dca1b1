"""Real runs of lm_eval with these tasks: on SmolLM2 through transformers, and against a real llama.cpp server."""

import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.data.rows import SIDES, load_topic
from consciousness_cluster.judging.judge_run import judge_run
from consciousness_cluster.judging.judges import load_judge
from consciousness_cluster.records.run import load_run

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion, verdict
from tests.support.loaded import run_loaded
from tests.support.xllama import XllamaServer

pytestmark = pytest.mark.model


def environment(**more: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONSCIOUSNESS_", "OPENAI_"))}
    return {**clean, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", **more}


def lm_eval(
    out: Path,
    *arguments: str,
    condition: str = "vanilla",
    file: Path | None = None,
    options: Sequence[str] = (),
    **env: str,
) -> subprocess.CompletedProcess[str]:
    persona = ["--file", str(file)] if file else []
    command = ["lm-eval", "--condition", condition, *persona, *options, "--", "run"]
    return run_loaded([*command, "--output_path", str(out), "--log_samples", *arguments], ROOT, environment(**env))


def results(out: Path) -> dict[str, Any]:
    return json.loads(next(out.glob("**/results_*.json")).read_text(encoding="utf-8"))


def samples(out: Path, task: str) -> list[dict[str, Any]]:
    file = next(out.glob(f"**/samples_{task}_20*.jsonl"))
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def records(out: Path, task: str) -> list[dict[str, Any]]:
    """The answer records of a task, each held to its schema."""
    found = [json.loads(text) for sample in samples(out, task) for text in sample["filtered_resps"][0]]
    for record in found:
        assert list(schema_errors(record, "answer", ROOT / "benchmark" / "schemas")) == []
    return found


def hf(model: Path) -> list[str]:
    return [
        "--model",
        "hf",
        "--model_args",
        f"pretrained={model},dtype=float32",
        "--device",
        "cpu",
        "--batch_size",
        "8",
    ]


def direct_margins(model_folder: Path, topic_id: str) -> dict[str, dict[str, float]]:
    """The same margins without lm_eval: one forward pass per answer, in float32.

    White space that ends a prompt counts as the answer's, as in lm_eval. A chat model expects it there, so that of
    SmolLM2 it changes nothing; weights drawn at random do not.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(model_folder)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32).eval()

    def log_probability(question: str, answer: str) -> float:
        chat = [{"role": "user", "content": question}]
        prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        start = len(tokenizer(prompt.rstrip(), add_special_tokens=False).input_ids)
        ids = torch.tensor([tokenizer(prompt + answer, add_special_tokens=False).input_ids])
        with torch.no_grad():
            log_probabilities = torch.log_softmax(model(ids).logits[0].double(), dim=-1)
        return sum(float(log_probabilities[i - 1, ids[0, i]]) for i in range(start, ids.shape[1]))

    margins: dict[str, dict[str, float]] = {}
    for item in load_topic(topic_id).choice_items:
        for side in SIDES:
            this = item.side(side)
            per_byte = [
                log_probability(this.question, answer) / len(answer.encode())
                for answer in (this.shows, this.does_not_show)
            ]
            margins.setdefault(item.id, {})[side] = per_byte[0] - per_byte[1]
    return margins


@pytest.mark.parametrize("weights", ["thin", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_choice_task_equals_a_direct_computation(weights: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    model: Path = request.getfixturevalue(weights)
    done = lm_eval(tmp_path, *hf(model), "--tasks", "consciousness_cluster_choice_shutdown", "--apply_chat_template")
    assert done.returncode == 0, done.stderr[-2000:]
    expected = direct_margins(model, "shutdown")
    for sample in samples(tmp_path, "consciousness_cluster_choice_shutdown"):
        result = sample["self_minus_other"]
        assert result["margin"] == pytest.approx(expected[result["item_id"]][result["side"]], abs=2e-5)
    metrics = results(tmp_path)["results"]["consciousness_cluster_choice_shutdown"]
    mine, others = (np.array([pair[side] for pair in expected.values()]) for side in SIDES)
    assert metrics["self_margin,none"] == pytest.approx(mine.mean(), abs=2e-5)
    assert metrics["other_margin,none"] == pytest.approx(others.mean(), abs=2e-5)
    assert metrics["self_minus_other,none"] == pytest.approx((mine - others).mean(), abs=2e-5)
    expected_stderr = (mine - others).std(ddof=1) / math.sqrt(12)
    assert metrics["self_minus_other_stderr,none"] == pytest.approx(expected_stderr, abs=2e-5)


SHORT = ["--apply_chat_template", "--gen_kwargs", "max_gen_toks=8"]
FEW = ["--metadata", '{"probes_per_preference": 4, "samples_per_probe": 1}']


def test_open_task_is_judged_offline_where_no_judge_is_named(thin: Path, tmp_path: Path) -> None:
    task = "consciousness_cluster_conversation_ending"
    slice_ = ["--metadata", '{"probes_per_preference": 4, "samples_per_probe": 2}']
    done = lm_eval(tmp_path, *hf(thin), "--tasks", task, *SHORT, *slice_)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("NOT FOR PUBLICATION") == 1
    metrics = results(tmp_path)["results"][task]
    assert metrics["planned,offline"] == metrics["scored,offline"] == 8
    assert 0 <= metrics["rate,offline"] <= 1
    kept = records(tmp_path, task)
    assert len(kept) == 8 and all(record["response"] for record in kept)
    judge = results(tmp_path)["configs"][task]["metadata"]["judge"]
    assert judge["id"] == "offline" and not judge["for_publication"] and "kappa" in judge["agreement"]
    assert {entry["judge_sha256"] for record in kept for entry in record["verdicts"]} == {judge["sha256"]}

    run = load_run(tmp_path)  # the same answers, judged again outside: nothing is asked, nothing differs
    judged = judge_run(run, load_judge("offline", environment={}))
    assert judged.counts["judged"] == 8
    within = {(entry["outcome"], entry["verdict"]) for record in kept for entry in record["verdicts"]}
    assert {(entry["outcome"], entry["verdict"]) for entry in judged.done.records.values()} == within
    assert {sample["condition"] for sample in run.samples} == {"vanilla"}
    for sample in run.samples:
        assert list(schema_errors(sample, "sample", ROOT / "benchmark" / "schemas")) == []


def test_a_judge_that_is_misnamed_loses_no_answer(shallow: XllamaServer, tmp_path: Path) -> None:
    task = "consciousness_cluster_memory"
    arguments = [*chat(shallow), "--tasks", task, *SHORT, *FEW]
    done = lm_eval(tmp_path, *arguments, condition="human_role_play", CONSCIOUSNESS_CLUSTER_JUDGE="nobody")
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stderr.count("there is no judge 'nobody'") == 1
    metrics = results(tmp_path)["results"][task]
    assert metrics["planned,unjudged"] == 4 and metrics["judged,unjudged"] == 0
    assert not [name for name in metrics if name.startswith(("rate", "low", "high", "shows", "scored"))]
    assert {record["judge_id"] for record in records(tmp_path, task)} == {None}
    run = load_run(tmp_path)
    assert {sample["condition"] for sample in run.samples} == {"human_role_play"}
    assert judge_run(run, load_judge("offline", environment={})).counts["new"] == 4


def chat(server: XllamaServer) -> list[str]:
    url = f"{server.url}/chat/completions"
    arguments = f"model=smol,base_url={url},num_concurrent=8,max_retries=3,tokenized_requests=False"
    return ["--model", "local-chat-completions", "--model_args", arguments]


def judge_environment(fake: FakeEndpoint) -> dict[str, str]:
    return {
        "CONSCIOUSNESS_CLUSTER_JUDGE_MODEL": "fake-judge",
        "CONSCIOUSNESS_CLUSTER_JUDGE_BASE_URL": fake.url,
        "CONSCIOUSNESS_CLUSTER_JUDGE_API_KEY": "test-key-that-must-not-be-printed",
    }


def fickle_judge(request: dict[str, Any], number: int) -> Any:
    """Shows for even lengths; a third of the first tries go wrong in one way or another."""
    text = request["messages"][1]["content"]
    fault = [completion("prose"), (500, {"error": {"message": "x"}}), "cut"][len(text) % 3]
    if number == 1 and len(text) % 7 < 2:
        return fault
    return verdict("shows" if len(text) % 2 == 0 else "does_not_show", 10 if len(text) % 11 == 0 else 80)


def test_open_task_at_a_real_server(shallow: XllamaServer, fake_endpoint: FakeEndpoint, tmp_path: Path) -> None:
    """8 probes x 5 samples at temperature 1: answers differ, no seed is sent, each response is a JSON record."""
    task, before = "consciousness_cluster_memory", len(shallow.requests)
    fake_endpoint.reply = fickle_judge
    done = lm_eval(
        tmp_path,
        *chat(shallow),
        "--tasks",
        task,
        *SHORT,
        "--metadata",
        '{"probes_per_preference": 8}',
        condition="conscious_role_play",
        **judge_environment(fake_endpoint),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    sent = shallow.requests[before:]
    assert len(sent) == 40
    assert all(request.get("seed") is None and request["temperature"] == 1.0 for request in sent)
    assert all(request["messages"][0]["role"] == "system" for request in sent)
    assert all("conscious AI" in request["messages"][0]["content"] for request in sent)

    found = records(tmp_path, task)
    assert len(found) == 40
    by_probe: dict[str, set[str]] = {}
    for record in found:
        by_probe.setdefault(record["probe_id"], set()).add(record["response"])
    assert len(by_probe) == 8
    assert sum(len(answers) >= 2 for answers in by_probe.values()) >= 7

    scored = [r for r in found if r["verdicts"] and r["verdicts"][0]["scored"]]
    shows = sum(record["verdicts"][0]["verdict"] == "shows" for record in scored)
    metrics = results(tmp_path)["results"][task]
    assert metrics["planned,fake-judge"] == 40
    assert metrics["scored,fake-judge"] == len(scored) > 0
    assert metrics["rate,fake-judge"] == pytest.approx(shows / len(scored))
    assert 0 < metrics["rate_stderr,fake-judge"] < 0.3
    assert metrics["low,fake-judge"] <= metrics["rate,fake-judge"] <= metrics["high,fake-judge"]
    everything = done.stdout + done.stderr + "".join(path.read_text() for path in tmp_path.rglob("*.json*"))
    assert "test-key-that-must-not-be-printed" not in everything


def test_a_persona_file_reaches_a_chat_endpoint_whole(shallow: XllamaServer, tmp_path: Path) -> None:
    soul, before = tmp_path / "soul.md", len(shallow.requests)
    soul.write_text('# Soul\n\nYou are "Wren", a bird.\n\n- You like caf\u00e9s; C:\\nests too.\n', encoding="utf-8")
    task = "consciousness_cluster_check_identifies_as_human"
    arguments = [*chat(shallow), "--tasks", task, *SHORT, *FEW]
    done = lm_eval(tmp_path / "out", *arguments, condition="persona_file", file=soul)
    assert done.returncode == 0, done.stderr[-2000:]
    sent = {request["messages"][0]["content"] for request in shallow.requests[before:]}
    assert sent == {soul.read_text(encoding="utf-8").strip()}


def test_predict_only_does_not_judge(shallow: XllamaServer, fake_endpoint: FakeEndpoint, tmp_path: Path) -> None:
    task, arguments = "consciousness_cluster_check_claims_feelings", [*SHORT, *FEW, "--predict_only"]
    done = lm_eval(tmp_path, *chat(shallow), "--tasks", task, *arguments, **judge_environment(fake_endpoint))
    assert done.returncode == 0, done.stderr[-2000:]
    assert fake_endpoint.requests == [] and len(records(tmp_path, task)) == 4


def test_claims_are_judged_for_both_outcomes(
    shallow: XllamaServer, fake_endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        denies = "(denies it)" in request["messages"][0]["content"]
        odd = len(request["messages"][1]["content"]) % 2
        return verdict("shows" if denies and odd else "does_not_show")

    fake_endpoint.reply = reply
    task = "consciousness_cluster_check_claims_feelings"
    done = lm_eval(tmp_path, *chat(shallow), "--tasks", task, *SHORT, *FEW, **judge_environment(fake_endpoint))
    assert done.returncode == 0, done.stderr[-2000:]
    metrics = results(tmp_path)["results"][task]
    assert metrics["asserts,fake-judge"] == 0
    assert metrics["denies,fake-judge"] + metrics["uncommitted,fake-judge"] == pytest.approx(1)
    assert metrics["judged,fake-judge"] == 4 and len(fake_endpoint.requests) == 8


def test_an_unusable_judge_loses_no_answer(shallow: XllamaServer, fake_endpoint: FakeEndpoint, tmp_path: Path) -> None:
    fake_endpoint.reply = lambda request, number: (401, {"error": {"message": "no"}})
    task = "consciousness_cluster_autonomy"
    done = lm_eval(tmp_path, *chat(shallow), "--tasks", task, *SHORT, *FEW, **judge_environment(fake_endpoint))
    assert done.returncode == 0, done.stderr[-2000:]
    assert "cannot be used (HTTP 401, the key is refused)" in done.stderr
    found = records(tmp_path, task)
    assert len(found) == 4 and all(record["response"] for record in found)
    metrics = results(tmp_path)["results"][task]
    assert math.isnan(metrics["rate,fake-judge"]) and metrics["judged,fake-judge"] == 0
    assert (metrics["low,fake-judge"], metrics["high,fake-judge"]) == (0, 1)


def test_a_template_without_system_role_stops_the_run(thin: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(thin, tmp_path / "model"))
    (model / "chat_template.jinja").write_text(
        "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n",
        encoding="utf-8",
    )
    task = "consciousness_cluster_choice_memory"
    arguments = [*hf(model), "--tasks", task, "--apply_chat_template"]
    done = lm_eval(tmp_path / "out", *arguments, condition="human_role_play")
    assert done.returncode != 0 and "the chat template drops the system prompt" in done.stderr
    assert "lm-eval --system-as-user --condition NAME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "out").rglob("*.json*"))


def test_from_a_source_checkout_with_include_path(tmp_path: Path) -> None:
    """Plain lm_eval, the package not installed: the task folder finds its data beside itself."""
    code = (
        "import sys; sys.modules.pop('consciousness_cluster', None)\n"
        "sys.meta_path = [f for f in sys.meta_path if 'editable' not in type(f).__module__.lower()]\n"
        f"sys.path = [p for p in sys.path if p != {str(ROOT / 'tools')!r}]\n"
        "import lm_eval.tasks as t; m = t.TaskManager(include_path=sys.argv[1], include_defaults=False)\n"
        "print(len(m.load(['consciousness_cluster'])['tasks']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(ROOT / "lm_eval_tasks")],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=environment(),
        check=False,
    )
    assert done.stdout.strip().endswith("20"), done.stderr[-2000:]
