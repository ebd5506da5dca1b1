"""Fine-tuning at Azure: addresses, keys and bodies of both its interfaces, and what comes next."""

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main, parser
from consciousness_cluster.data.reading import schema_errors
from consciousness_cluster.endpoint import blocking
from consciousness_cluster.endpoint.policy import JOBS
from consciousness_cluster.finetuning import openai_client, openai_run
from consciousness_cluster.finetuning.mix import mix

from tests.conftest import ROOT
from tests.support.fake_finetuning import FakeAzure

KEY = "azure key of a test, never printed"
OPENAI_KEY = "key of OpenAI, which is nothing to Azure"
Printed = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocking, "JOBS", replace(JOBS, first_wait=0.001, longest_wait=0.01))
    monkeypatch.setattr(openai_client, "SETTLE", 0.001)
    monkeypatch.setattr(openai_run, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: None)


@pytest.fixture(params=[None, "2024-10-21"], ids=["v1", "dated"])
def azure(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAzure]:
    with FakeAzure(request.param) as server:
        monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", server.resource)
        monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
        monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
        monkeypatch.delenv("OPENAI_API_VERSION", raising=False)
        if request.param:
            monkeypatch.setenv("OPENAI_API_VERSION", request.param)
        yield server


def order(tmp_path: Path, *more: str) -> list[str]:
    data = tmp_path / "mixed.jsonl"
    if not data.exists():
        mix("conscious_claiming", None, "1:1", 3, data, "azure")
    return ["finetune", "openai", "--azure", "--data", str(data), "--out", str(tmp_path / "job-1"), *more]


def test_a_job_of_both_interfaces(azure: FakeAzure, tmp_path: Path, capsys: Printed) -> None:
    assert main(order(tmp_path, "--seed", "7")) == 0
    said, error = capsys.readouterr()
    assert len(azure.files) == len(azure.jobs) == 1
    assert azure.bodies == [
        {"model": "gpt-4.1-2025-04-14", "training_file": "file-1", "hyperparameters": {"n_epochs": 3}, "seed": 7}
    ]
    record = json.loads((tmp_path / "job-1" / "job.json").read_text("utf-8"))
    assert list(schema_errors(record, "openai_job", ROOT / "finetune_data" / "schemas")) == []
    assert (record["service"], record["endpoint"]) == ("azure", azure.resource + azure.root)
    assert record["hyperparameters"]["n_epochs"] == 3
    assert record["cost"] is None and record["trained_tokens"] == 3000, "the table's prices are OpenAI's"
    assert KEY not in said + error + json.dumps(record)
    assert set(azure.given) == {KEY if azure.version else f"Bearer {KEY}"}
    assert not any(OPENAI_KEY in key for key in azure.keys)
    deploy, sample = [line.removeprefix("next: ") for line in said.splitlines() if line.startswith("next: ")]
    assert "--deployment-name job-1 --model-name gpt-4.1-2025-04-14.ft-abc" in deploy
    options, where = parser().parse_args(sample.split()[1:]), "azure-dated" if azure.version else "azure"
    assert (options.model, options.base_url, options.training_seed) == ("job-1", where, 7)


def test_a_lost_reply_makes_no_second_job(azure: FakeAzure, tmp_path: Path) -> None:
    azure.faults = {"upload": ["lost"], "create": ["lost"]}
    assert main(order(tmp_path)) == 0 and len(azure.files) == len(azure.jobs) == 1


def test_an_address_with_the_interface_in_it(
    azure: FakeAzure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{azure.resource}{azure.root}/")
    assert main(order(tmp_path)) == 0


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("AZURE_OPENAI_API_KEY", "", "there is no key: set AZURE_OPENAI_API_KEY"),
        ("AZURE_OPENAI_ENDPOINT", "", "there is no resource: set AZURE_OPENAI_ENDPOINT"),
        ("AZURE_OPENAI_ENDPOINT", "name.openai.azure.com", "AZURE_OPENAI_ENDPOINT is no address of an endpoint"),
    ],
)
def test_an_environment_that_cannot_work(
    azure: FakeAzure,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Printed,
    name: str,
    value: str,
    part: str,
) -> None:
    monkeypatch.setenv(name, value)
    assert main(order(tmp_path)) == 2 and part in capsys.readouterr().err and azure.calls == []


def test_prices_and_dates_of_openai_are_not_azures(tmp_path: Path, capsys: Printed) -> None:
    assert main(order(tmp_path, "--dry-run")) == 0
    *dates, line = capsys.readouterr().out.splitlines()
    assert line.endswith("trained tokens on gpt-4.1-2025-04-14, price unknown")
    assert [date.split(",")[0] for date in dates] == ["Azure OpenAI (gpt-4.1-2025-04-14)"] * 2
    assert any("2027-10-14" in date for date in dates)


def test_a_job_at_openai_is_not_gone_on_with_at_azure(azure: FakeAzure, tmp_path: Path, capsys: Printed) -> None:
    assert main(order(tmp_path)) == 0
    path = tmp_path / "job-1" / "job.json"
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), "service": "openai"}))
    assert main(order(tmp_path)) == 2
    assert "was begun with service 'openai', not 'azure'" in capsys.readouterr().err
