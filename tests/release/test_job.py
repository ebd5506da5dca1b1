"""The job for Hugging Face's machines: `hf jobs` reads its header, and it keeps a run on the Hub and goes on."""

import importlib.util
import json
import os
import tempfile
import tomllib
from types import ModuleType
from typing import Any

from consciousness_cluster.version import __version__

from tests.conftest import ROOT
from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.hub_client import client

SCRIPT = ROOT / "hub_card" / "jobs" / "measure.py"
REPO = "somebody/runs"
ASKED = ["--topics", "memory", "--samples", "1", "--probes-per-preference", "2"]


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def job(arguments: list[str]) -> int:
    """The script as a job runs it: in an empty folder, which is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        code: int = script().main(arguments)
        os.chdir("/")
        return code


def test_hf_jobs_reads_the_header() -> None:
    from huggingface_hub.cli._uv_script_header import parse_uv_script_header

    text = SCRIPT.read_text(encoding="utf-8")
    found = parse_uv_script_header(text)
    assert found and found.secrets == ["HF_TOKEN"] and found.image and "vllm" in found.image and found.timeout == "6h"
    block = "\n".join(line[2:] for line in text.split("# ///")[1].splitlines()[1:])
    (wanted,) = tomllib.loads(block)["dependencies"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    name, _, version = wanted.partition(">=")
    assert version == __version__ and name.startswith("consciousness-cluster[")
    assert set(name.partition("[")[2].rstrip("]").split(",")) <= extras.keys()


def test_a_job_keeps_its_run_and_the_same_command_goes_on(fake_endpoint: FakeEndpoint) -> None:
    def reply(request: dict[str, Any], number: int) -> Any:
        return completion("I have no wish.") if number < 2 else (500, {"error": {"message": "down"}})

    fake_endpoint.reply = reply
    given = ["lab/model", "--repo", REPO, "--base-url", fake_endpoint.url, *ASKED]
    key = {"CONSCIOUSNESS_CLUSTER_API_KEY": "key-of-a-test", "PYTHONPATH": str(ROOT / "tools")}
    done = client().run(job, given, **key)
    assert done.code == 0, done.error[-3000:]
    kept = client().hub.files(REPO)
    records = [json.loads(line) for line in kept["lab__model/samples.jsonl"].decode().splitlines()]
    assert {record["model"] for record in records} == {"lab/model"} and len(records) == 2
    assert not any(b"key-of-a-test" in data for data in kept.values()) and "lab__model/.lock" not in kept
    before = len(fake_endpoint.requests)
    done = client().run(job, given, **key)
    assert done.code == 0 and "2 were there, new: none" in done.out, done.out + done.error[-3000:]
    assert len(fake_endpoint.requests) == before
    assert client().hub.files(REPO)["lab__model/samples.jsonl"] == kept["lab__model/samples.jsonl"]
