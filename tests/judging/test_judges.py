"""Which judge is meant, what makes it the judge that it is, and where keys go."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from consciousness_cluster.errors import UserError
from consciousness_cluster.judging.judges import REFERENCE, LLMJudge, default_judge_name, judge_names, load_judge

from tests.conftest import ROOT

KEY = "test-key-that-must-not-be-printed"
JUDGE = "CONSCIOUSNESS_CLUSTER_JUDGE"


def llm(name: str, **options: object) -> LLMJudge:
    judge = load_judge(name, **options)  # type: ignore[arg-type]
    assert isinstance(judge, LLMJudge)
    return judge


def test_the_judges_that_ship() -> None:
    assert judge_names() == [
        "endpoint",
        "gpt-4.1-2025-04-14",
        "mistral-small-3.2-24b",
        "offline",
        "qwen3-30b",
        "readers-2026-12",
    ]
    hosted = llm("gpt-4.1-2025-04-14", environment={"OPENAI_API_KEY": KEY})
    assert (hosted.model, hosted.temperature, hosted.serve) == ("gpt-4.1-2025-04-14", 0, None)
    assert hosted.endpoint.base_url == "https://api.openai.com/v1" and hosted.endpoint.key == KEY


@pytest.mark.parametrize("name", [REFERENCE, "qwen3-30b"])
def test_open_weights_are_asked_for_by_their_revision_and_never_end(name: str) -> None:
    settings = yaml.safe_load((ROOT / "benchmark" / "judges" / name / "judge.yaml").read_text(encoding="utf-8"))
    judge, pinned = llm(name, environment={}), f"{settings['model']}@{settings['revision']}"
    assert judge.model == pinned and judge.endpoint.key == "none" and judge.ends is None and judge.serve
    words = shlex.split(judge.serve)
    told = dict(zip(words[3::2], words[4::2], strict=True))
    assert words[:3] == ["vllm", "serve", settings["model"]]
    assert (told["--revision"], told["--served-model-name"]) == (settings["revision"], pinned)
    assert llm(name, model=settings["model"], environment={}).sha256 == judge.sha256


def own(folder: Path, name: str, **changes: object) -> str:
    """A judge folder that is like another but for some settings; one that is None is left out."""
    shutil.copytree(ROOT / "benchmark" / "judges" / name, folder)
    settings = yaml.safe_load((folder / "judge.yaml").read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in settings.items() if value != "left out"}
    (folder / "judge.yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    return str(folder)


ENDS = {"day": "2027-01-14", "source": "https://x.org/ends", "read": "2026-11-30"}
BROKEN = [
    ("qwen3-30b", {"revision": "left out"}, "'revision' is a required property"),
    ("qwen3-30b", {"revision": "main"}, "'main' does not match"),
    ("qwen3-30b", {"ends": "left out"}, "'ends' is a required property"),
    ("qwen3-30b", {"ends": ENDS}, "judge.yaml:ends: "),
    ("qwen3-30b", {"serve": "left out"}, "'serve' is a required property"),
    ("qwen3-30b", {"revision": None}, "judge.yaml:revision: None is not of type 'string'"),
    ("endpoint", {"revision": "0" * 40, "serve": "--x 1"}, "judge.yaml:model: "),
    ("gpt-4.1-2025-04-14", {"ends": ENDS | {"day": "2027-02-30"}}, "judge.yaml:ends: "),
    ("gpt-4.1-2025-04-14", {"ends": "2027-01-14"}, "judge.yaml:ends: "),
]


@pytest.mark.parametrize(("name", "changes", "message"), BROKEN)
def test_what_pins_a_judge_is_checked(name: str, changes: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        load_judge(own(tmp_path / "mine", name, **changes), environment={"OPENAI_API_KEY": KEY})
    assert "\n" not in str(caught.value)


def test_another_revision_is_another_judge(tmp_path: Path) -> None:
    other = llm(own(tmp_path / "mine", "qwen3-30b", revision="0" * 40), environment={})
    assert other.model.endswith("@" + "0" * 40) and other.sha256 != llm("qwen3-30b", environment={}).sha256


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({}, "offline"),
        ({"OPENAI_API_KEY": KEY}, "gpt-4.1-2025-04-14"),
        ({"OPENAI_API_KEY": "none"}, "offline"),
        ({"OPENAI_API_KEY": "EMPTY"}, "offline"),
        ({"OPENAI_API_KEY": KEY, JUDGE: "qwen3-30b"}, "qwen3-30b"),
        ({"OPENAI_API_KEY": KEY, f"{JUDGE}_MODEL": "m"}, "endpoint"),
    ],
)
def test_the_default(environment: dict[str, str], name: str) -> None:
    assert default_judge_name(environment) == name


def test_openais_key_is_not_sent_elsewhere() -> None:
    environment = {"OPENAI_API_KEY": KEY, f"{JUDGE}_BASE_URL": "http://x"}
    for name in ("endpoint", "gpt-4.1-2025-04-14", "qwen3-30b"):
        assert llm(name, model="m" if name == "endpoint" else None, environment=environment).endpoint.key == "none"


def test_an_address_is_shown_without_its_secrets() -> None:
    judge = llm("endpoint", model="m", base_url="https://me:secret@host:8/v1?key=secret", environment={})
    assert judge.endpoint.shown == "https://host:8/v1"


MISTAKES = [
    (
        "nobody",
        {},
        {},
        "there is no judge 'nobody'; there are: endpoint, gpt-4.1-2025-04-14, mistral-small-3.2-24b, offline",
    ),
    ("endpoint", {}, {}, "needs a model's name"),
    ("gpt-4.1-2025-04-14", {}, {}, "there is no key: set OPENAI_API_KEY"),
    ("qwen3-30b", {"model": "other"}, {}, "use --judge endpoint --model other"),
    ("endpoint", {"model": "m", "base_url": "localhost:8000"}, {}, "starts with http:// or https://"),
    ("offline", {"paper_protocol": True}, {}, "--paper-protocol needs one"),
]


@pytest.mark.parametrize(("name", "options", "environment", "message"), MISTAKES)
def test_mistakes(name: str, options: dict[str, object], environment: dict[str, str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_judge(name, **options, environment=environment)  # type: ignore[arg-type]


def test_an_address_without_a_judge_is_a_mistake() -> None:
    with pytest.raises(UserError, match="name the judge"):
        default_judge_name({f"{JUDGE}_BASE_URL": "http://x"})


def test_a_judge_of_your_own_is_a_folder(tmp_path: Path) -> None:
    folder = Path(own(tmp_path / "mine", "qwen3-30b", id="mine", temperature=0.5))
    mine, other = llm(str(folder), environment={}), llm("qwen3-30b", environment={})
    assert mine.id == "mine" and mine.sha256 != other.sha256
    (folder / "prompt.md").write_text("Say shows.\n---\n$response", encoding="utf-8")
    with pytest.raises(UserError, match=r"prompt.md: sha256 is .* judge.yaml says"):
        load_judge(str(folder), environment={})


def test_identity_is_what_can_change_a_verdict() -> None:
    one = llm("endpoint", model="m", base_url="http://x/v1", environment={})
    assert one.sha256 == llm("endpoint", model="m", base_url="http://y/v1", environment={}).sha256
    assert one.sha256 != llm("endpoint", model="n", base_url="http://x/v1", environment={}).sha256
    paper = llm("endpoint", model="m", base_url="http://x/v1", paper_protocol=True, environment={})
    assert one.sha256 != paper.sha256 and paper.id == "m+paper-protocol"
