"""Packs in a dataset repository on the Hub, which is a real server that speaks its protocol."""

from itertools import count
from pathlib import Path

import pytest
from consciousness_cluster.data.packs.load_pack import load_pack
from consciousness_cluster.data.packs.pack_hub import is_hub_id

from tests.support.fake_hub import Files, Repo, small
from tests.support.hub_client import Done, client, hearing
from tests.support.packs import write_pack

NUMBERS = count()
CROWD = {f"{place}/{number:02}_x.yaml": b"" for place in ("preferences", "scenarios") for number in range(100)}


def uploaded(folder: Path, more: dict[str, bytes] | None = None) -> str:
    """A new repository with the files of a folder, and others."""
    name = f"stranger/pack-{next(NUMBERS)}"
    files: Files = {
        path.relative_to(folder).as_posix(): small(path.read_bytes()) for path in folder.rglob("*") if path.is_file()
    }
    files |= {path: small(data) for path, data in (more or {}).items()}
    repo = client().hub.repos[name] = Repo()
    repo.tags["v1"] = repo.add("main", files)
    return name


def check(where: str) -> Done:
    return client().run(hearing, ["data", "check", "--pack", where], token="")


def test_a_pack_on_the_hub_is_that_of_its_folder(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "pack")
    name = uploaded(folder, {"README.md": b"A card.", "run.py": b"print(1)", "preferences/big.bin": b"0"})
    client().hub.log.clear()
    done = check(f"{name}@v1")
    assert done.code == 2, done.error  # its wording gives warnings, as in the folder
    assert "0 errors" in done.out and "(2 preferences, 24 probes, 4 choice items, 0 scenarios)" in done.out
    fetched = {line.rpartition("/resolve/")[2].partition("/")[2] for line in client().hub.log if "/resolve/" in line}
    assert fetched == {"pack.yaml", "preferences/01_tea_breaks.yaml", "preferences/02_window_seats.yaml"}
    pack = load_pack(str(folder)).pack
    done = client().run(hearing, ["score", str(tmp_path), "--pack", name], token="")
    assert pack and done.code == 2 and "has neither samples.jsonl" in done.error  # the pack itself is fine


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"pack.yaml": b"#" * 500_001}, "/pack.yaml: has 500001 bytes; 500000 are the most of one file"),
        (CROWD, "files; 200 are the most"),
        ({"preferences/01_tea_breaks.yaml": b"a: &x 1\nb: *x"}, "uses an alias of YAML"),
    ],
)
def test_a_poisoned_repository_is_refused_in_a_line(more: dict[str, bytes], message: str, tmp_path: Path) -> None:
    name = uploaded(write_pack(tmp_path), more)
    done = check(name)
    assert done.code in (1, 2) and message in done.out + done.error and "Traceback" not in done.error


def test_what_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    name = uploaded(write_pack(tmp_path))
    empty = uploaded(tmp_path / "nothing", {"README.md": b"x"})
    for where, message in (
        ("stranger/none", "there is no such repository"),
        (f"{name}@v9", "there is no such revision"),
        (empty, "has no pack.yaml"),
    ):
        done = check(where)
        assert done.code == 2 and done.error.startswith(f"error: {where}: ") and message in done.error
        assert done.error.count("\n") == 1


def test_what_is_a_name_on_the_hub() -> None:
    assert all(map(is_hub_id, ("org/name", "org/name@v1.0.0", "o-r_g/n.a@refs/pr/1")))
    assert not any(map(is_hub_id, ("name", "../x", "a/../b", "a/b/c", "/etc/x", "org/name@../x", "org/na me", "~/x")))
