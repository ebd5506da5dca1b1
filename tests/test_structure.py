"""The names of modules: an editor's tab that reads `run.py` has to say which one that is."""

from pathlib import Path

import consciousness_cluster

PACKAGE = Path(consciousness_cluster.__file__).parent


def test_no_base_name_stands_in_more_than_two_folders() -> None:
    folders: dict[str, list[str]] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        folders.setdefault(path.name, []).append(path.parent.relative_to(PACKAGE).as_posix())
    assert len(folders) > 100
    assert {name: there for name, there in folders.items() if len(there) > 2 and name != "__init__.py"} == {}
