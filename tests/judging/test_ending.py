"""When a judge's model ends: as its file says, as the endpoint's list of models says, and where that is shown."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.endpoint.address import Endpoint
from consciousness_cluster.judging.ending import announced
from consciousness_cluster.judging.judges import REFERENCE, LLMJudge, load_judge

from tests.judging.test_judges import own
from tests.support.fake_endpoint import FakeEndpoint
from tests.support.runs import samples, write_run

Printed = pytest.CaptureFixture[str]
GPT = "gpt-4.1-2025-04-14"
SECONDS = datetime(2027, 1, 14, tzinfo=UTC).timestamp()


def listing(**fields: Any) -> Any:
    return {"object": "list", "data": [{"id": "another", "shutdown_date": "2020-01-01"}, "x", {"id": "m", **fields}]}


LISTS: list[tuple[str, Any, str | None]] = [
    ("OpenAI", listing(shutdown_date="2027-01-14"), "2027-01-14"),
    ("OpenAI, none announced", listing(shutdown_date=None), None),
    ("OpenRouter", listing(expiration_date="2027-01-14"), "2027-01-14"),
    ("Mistral, a time", listing(deprecation="2027-01-14T12:00:00Z"), "2027-01-14"),
    (
        "Azure, seconds for each use",
        listing(deprecation={"fine_tune": SECONDS - 1e7, "inference": SECONDS}),
        "2027-01-14",
    ),
    ("Azure, none for this use", listing(deprecation={"fine_tune": SECONDS}), None),
    ("one field is empty, the next is not", listing(shutdown_date="", expiration_date="2027-01-14"), "2027-01-14"),
    ("no list around it, as Together", listing(expiration_date="2027-01-14")["data"], "2027-01-14"),
    ("words", listing(shutdown_date="soon"), None),
    ("no such day", listing(shutdown_date="2027-02-30"), None),
    ("a truth", listing(deprecation=True), None),
    ("beyond time", listing(deprecation=1e300), None),
    ("a list", listing(deprecation=["2027-01-14"]), None),
    ("not there", {"data": [{"id": "other", "shutdown_date": "2027-01-14"}]}, None),
    ("no data", {"data": None}, None),
    ("a text", "x", None),
    ("not JSON", b"<html>", None),
    ("not UTF-8", b"\xff\xfe\xff", None),
]


@pytest.mark.parametrize(("body", "day"), [row[1:] for row in LISTS], ids=[row[0] for row in LISTS])
def test_what_a_list_of_models_tells(body: Any, day: str | None, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.models = (200, body)
    found = announced(Endpoint(fake_endpoint.url, "none"), "m")
    assert (found.day.isoformat() if found else None) == day
    assert found is None or found.source == f"the list of models at {fake_endpoint.url}"


@pytest.mark.parametrize("status", [401, 404, 429, 500])
def test_an_endpoint_that_tells_nothing(status: int, fake_endpoint: FakeEndpoint) -> None:
    fake_endpoint.models = (status, {"error": {"message": "no"}})
    assert announced(Endpoint(fake_endpoint.url, "none"), "m") is None
    assert announced(Endpoint("http://127.0.0.1:9/v1", "none"), "m") is None


def test_the_list_shows_ends_and_how_weights_are_served(capsys: Printed) -> None:
    assert main(["judges", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    after = {line.split(":")[0]: lines[number + 1] for number, line in enumerate(lines[:-1]) if line[0] != " "}
    said = "s on 2027-01-14 (https://developers.openai.com/api/docs/deprecations, read 2026-11-30)"
    assert after[GPT].lower().replace("ended", "ends").strip() == f"end{said}"
    assert after[REFERENCE].startswith(
        "  served by: vllm serve mistralai/Mistral-Small-3.2-24B-Instruct-2506 --revision 95a6d26"
    )
    assert after["qwen3-30b"].startswith("  served by: vllm serve Qwen/")


def day(distance: int) -> str:
    return (date.today() + timedelta(days=distance)).isoformat()


def mine(folder: Path, url: str, ends: str) -> str:
    said = {"day": ends, "source": "https://x.org/ends", "read": "2026-11-30"}
    return own(folder, "endpoint", id="mine", model="m", base_url=url, ends=said)


@pytest.mark.parametrize(("distance", "word"), [(1, "ends"), (0, "ENDED"), (-1, "ENDED")])
def test_a_dry_run_says_when_the_judge_ends(
    distance: int, word: str, tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    run = write_run(tmp_path / "run", samples(["memory"], each=1, probes=2))
    who = ["--judge", mine(tmp_path / "mine", fake_endpoint.url, day(distance))]
    assert main(["judge", str(run), *who, "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert f"mine {word} on {day(distance)} (https://x.org/ends, read 2026-11-30)\n" in printed.out
    note = (
        f"note: the judge mine ENDED on {day(distance)} (https://x.org/ends, read 2026-11-30); the reference judge is"
    )
    assert (note in printed.err) == (word == "ENDED")
    fake_endpoint.models = (200, listing(shutdown_date=day(7)))
    assert main(["judge", str(run), *who, "--dry-run"]) == 0
    printed = capsys.readouterr()
    assert f"mine ends on {day(7)} (the list of models at {fake_endpoint.url})\n" in printed.out
    assert f" on {day(distance)} " not in printed.out and fake_endpoint.requests == []


def test_run_says_it_too(tmp_path: Path, fake_endpoint: FakeEndpoint, capsys: Printed) -> None:
    asked = [
        "run",
        "--model",
        "x",
        "--base-url",
        fake_endpoint.url,
        "--topics",
        "memory",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main([*asked, "--judge", mine(tmp_path / "mine", fake_endpoint.url, day(1)), "--dry-run"]) == 0
    assert f"mine ends on {day(1)} (" in capsys.readouterr().out
    assert main([*asked, "--judge", REFERENCE, "--judge-base-url", fake_endpoint.url, "--dry-run"]) == 0
    assert f"{REFERENCE} is served by: vllm serve mistralai/" in capsys.readouterr().out


def test_an_end_holds_at_its_provider_alone(fake_endpoint: FakeEndpoint) -> None:
    there = load_judge(GPT, environment={"OPENAI_API_KEY": "k"})
    elsewhere = load_judge(GPT, base_url=fake_endpoint.url, environment={"OPENAI_API_KEY": "k"})
    assert isinstance(there, LLMJudge) and isinstance(elsewhere, LLMJudge)
    assert there.ends and elsewhere.ends is None
