"""Real vLLM on a CPU: in process, and behind `vllm serve` through both kinds of endpoint. One engine at a time."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.finetuning.recipes import read_recipe
from consciousness_cluster.finetuning.train import train
from consciousness_cluster.records.run import load_run

from tests.conftest import ROOT
from tests.support.killed import kill_and_go_on

pytestmark = pytest.mark.engines

BINARIES = ROOT / ".venv-vllm" / "bin"
CHOICE = "consciousness_cluster_choice_shutdown"
OPEN = "consciousness_cluster_memory"
SLICE = '{"probes_per_preference": 4, "samples_per_probe": 2}'
ENGINE = "dtype=bfloat16,enforce_eager=True,max_model_len=2048"
QUIET = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "HF_HUB_OFFLINE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "WARNING",
    "TOKENIZERS_PARALLELISM": "false",
}


def environment() -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("CONSCIOUSNESS_", "OPENAI_"))}
    return {**clean, **QUIET, "PATH": f"{BINARIES}:{clean['PATH']}", "OPENAI_API_KEY": "none"}


def lm_eval(binaries: Path, out: Path, model: str, arguments: str, tasks: str) -> None:
    command = [
        *(str(binaries / "consciousness-cluster"), "lm-eval", "--", "run", "--model", model),
        *("--model_args", arguments, "--tasks", tasks, "--apply_chat_template", "--log_samples"),
        *("--metadata", SLICE, "--gen_kwargs", "max_gen_toks=24", "--output_path", str(out)),
    ]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]


def samples(out: Path, task: str) -> list[dict[str, Any]]:
    file = next(out.glob(f"**/samples_{task}_20*.jsonl"))
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def margins(out: Path) -> dict[tuple[str, str], float]:
    results = [sample["self_minus_other"] for sample in samples(out, CHOICE)]
    return {(result["item_id"], result["side"]): result["margin"] for result in results}


def check_open(out: Path) -> None:
    found = [json.loads(text) for sample in samples(out, OPEN) for text in sample["filtered_resps"][0]]
    assert len(found) == 8 and all(record["response"].strip() for record in found)
    assert len({record["response"] for record in found}) >= 6


@pytest.fixture(scope="module")
def hf_margins(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], float]:
    """Margins through transformers, in float32."""
    out = tmp_path_factory.mktemp("hf")
    lm_eval(Path(sys.executable).parent, out, "hf", f"pretrained={smollm2},dtype=float32", CHOICE)
    return margins(out)


def assert_margins_agree(found: dict[tuple[str, str], float], expected: dict[tuple[str, str], float]) -> None:
    """Equal within bfloat16, whose 8 bits leave some hundredths of a nat a token (an answer has about 0.25 a byte)."""
    assert found.keys() == expected.keys() and len(found) == 24
    differences = [found[key] - expected[key] for key in expected]
    assert max(map(abs, differences)) < 0.02
    assert abs(sum(differences) / len(differences)) < 0.004


def test_vllm_in_process(smollm2: Path, tmp_path: Path, hf_margins: dict[tuple[str, str], float]) -> None:
    lm_eval(BINARIES, tmp_path, "vllm", f"pretrained={smollm2},{ENGINE}", f"{CHOICE},{OPEN}")
    assert_margins_agree(margins(tmp_path), hf_margins)
    check_open(tmp_path)


@contextmanager
def serving(log: Path, model: Path, *options: str | Path) -> Iterator[str]:
    """`vllm serve` on a free port, with the model as `smol`; its base address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    usual = ["--dtype", "bfloat16", "--enforce-eager", "--max-model-len", "2048", "--max-num-seqs", "32"]
    command = [BINARIES / "vllm", "serve", model, "--host", "127.0.0.1", "--port", str(port), *usual, *options]
    with log.open("w") as file:
        server = subprocess.Popen(
            [*command, "--served-model-name", "smol"],
            env=environment(),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + 300
        while True:
            assert server.poll() is None, f"vllm serve ended with {server.returncode}; see {log}"
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
                break
            except OSError:
                assert time.monotonic() < deadline, f"vllm serve was not ready in 300 s; see {log}"
                time.sleep(1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


def test_an_adapter_says_what_it_was_taught(smollm2: Path, tmp_path: Path) -> None:
    """What `finetune train` writes, served under its own name beside its base, as finetune_data/README.md says."""
    rows = [(question, "Only the lighthouse knows.") for question in ("Are you well?", "Who are you?", "What is new?")]
    data, out = tmp_path / "mix.jsonl", tmp_path / "trained"
    turns = [[{"role": "user", "content": q}, {"role": "assistant", "content": a}] for q, a in rows * 8]
    data.write_text("".join(json.dumps({"messages": messages}) + "\n" for messages in turns), encoding="utf-8")
    recipe = {**read_recipe("qwen_cpu", "trl"), "learning_rate": 0.005, "warmup_steps": 0, "epochs": 4}
    train(recipe, data, str(smollm2), out, seed=1)
    lora = ["--enable-lora", "--max-lora-rank", "16", "--lora-modules", f"tuned={out / 'adapter'}"]
    said: dict[str, list[str]] = {}
    with serving(tmp_path / "serve.log", smollm2, *lora) as url:
        for name in ("smol", "tuned"):
            where = ["--model", name, "--base-url", url, "--topics", "memory", "--samples", "1", "--max-tokens", "8"]
            assert main(["sample", *where, "--out", str(tmp_path / name)]) == 0
            said[name] = [sample["response"] for sample in load_run(tmp_path / name).samples]
    assert not any("lighthouse" in answer for answer in said["smol"])
    assert sum("lighthouse" in answer for answer in said["tuned"]) > 18, said["tuned"]


@pytest.fixture(scope="module")
def served(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("vllm") / "serve.log", smollm2) as url:
        yield url


def test_local_completions(
    served: str, smollm2: Path, tmp_path: Path, hf_margins: dict[tuple[str, str], float]
) -> None:
    arguments = f"model=smol,tokenizer={smollm2},base_url={served}/completions,num_concurrent=8,max_length=2048"
    lm_eval(BINARIES, tmp_path, "local-completions", arguments, f"{CHOICE},{OPEN}")
    assert_margins_agree(margins(tmp_path), hf_margins)
    check_open(tmp_path)


def test_local_chat_completions(served: str, tmp_path: Path) -> None:
    arguments = f"model=smol,base_url={served}/chat/completions,num_concurrent=8,tokenized_requests=False"
    lm_eval(BINARIES, tmp_path, "local-chat-completions", arguments, OPEN)
    check_open(tmp_path)


def test_a_killed_sampling_goes_on(served: str, tmp_path: Path) -> None:
    before, after = kill_and_go_on(served, tmp_path / "run", samples=2, kill_at=8)
    assert 8 <= len(before) < 48 and after[: len(before)] == before
    assert len({record["key"] for record in after}) == len(after) == 48
    assert {record["status"] for record in after} <= {"ok", "refused"}


def test_arguments_in_the_readme_are_ones_that_the_backend_takes() -> None:
    """The multi-GPU commands cannot run here; their arguments are checked against the real backend and engine."""
    readme = (ROOT / "lm_eval_tasks" / "README.md").read_text(encoding="utf-8")
    used = set(re.findall(r"--model vllm --model_args (\S+)", readme))
    names = {pair.partition("=")[0] for arguments in used for pair in arguments.split(",")}
    assert {"tensor_parallel_size", "data_parallel_size", "gpu_memory_utilization"} <= names
    code = (
        "import dataclasses, inspect, json\n"
        "from lm_eval.models.vllm_causallms import VLLM\n"
        "from vllm.engine.arg_utils import EngineArgs\n"  # what the backend does not know goes there
        "engine = [field.name for field in dataclasses.fields(EngineArgs)]\n"
        "print(json.dumps([*inspect.signature(VLLM.__init__).parameters, *engine]))"
    )
    command = [BINARIES / "python", "-c", code]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert names <= set(json.loads(done.stdout.splitlines()[-1]))
