"""What is wrong is said in one line, and its parts can be had without reading that line."""

import ast
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from packaging.requirements import Requirement

from tests.conftest import ROOT

LINES = [
    (Problem("f.yaml", "7", "text", "is empty", "write it"), "f.yaml:7:text: is empty; write it"),
    (Problem("f.yaml", "-", "text", "is empty", "write it"), "f.yaml:text: is empty; write it"),
    (Problem("f.yaml", "-", "-", "no such file"), "f.yaml: no such file"),
    (Problem("", "-", "-", "no key"), "no key"),
]


@pytest.mark.parametrize(("problem", "line"), LINES)
def test_an_error_is_one_line_without_empty_parts(problem: Problem, line: str) -> None:
    error = UserError(problem)
    assert str(error) == str(problem) == line and error.problem == problem


def test_a_plain_text_is_a_problem_that_is_all_message() -> None:
    assert UserError("there is no key").problem == Problem("", "-", "-", "there is no key")


def test_a_package_that_is_there_is_given() -> None:
    assert require("yaml", "hub").safe_load("1") == 1


def test_a_missing_package_names_its_extra() -> None:
    with pytest.raises(UserError) as error:
        require("no_such_package", "hub")
    assert str(error.value) == "no_such_package is not installed; run: pip install 'consciousness-cluster[hub]'"


def test_a_missing_package_that_another_one_needs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "needs_another.py").write_text("import no_such_package\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(UserError, match=r"^no_such_package is not installed; .*\[train\]"):
        require("needs_another", "train")
    assert "needs_another" not in sys.modules


def held_by(extra: str) -> set[str]:
    """The distributions that an extra of this package brings, those included that its packages need."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    todo, seen = [Requirement(f"consciousness-cluster[{extra}]")], set()
    while todo:
        one = todo.pop()
        if (key := (one.name.lower().replace("_", "-"), frozenset(one.extras))) in seen:
            continue
        seen.add(key)
        if key[0] == "consciousness-cluster":
            todo += [Requirement(line) for part in one.extras for line in wanted[part]]
            continue
        try:
            needed = [Requirement(line) for line in requires(one.name) or ()]
        except PackageNotFoundError:  # vLLM needs an environment of its own
            continue
        parts = [{"extra": part} for part in (*one.extras, "")]
        todo += [need for need in needed if not need.marker or any(need.marker.evaluate(part) for part in parts)]
    return {name for name, _ in seen}


def test_each_hint_names_an_extra_that_holds_the_package() -> None:
    distributions, checked = packages_distributions(), 0
    for path in sorted((ROOT / "tools").rglob("*.py")):
        if path.name == "extras.py":
            continue
        text = path.read_text(encoding="utf-8")
        assert "is not installed" not in text, f"{path} words the hint by itself; use require"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("require", "not_installed"):
                package, extra = map(ast.literal_eval, node.args)
                names = {
                    name.lower().replace("_", "-") for name in distributions.get(package.partition(".")[0], [package])
                }
                assert names & held_by(extra), f"{path}:{node.lineno}: [{extra}] does not bring {package}"
                checked += 1
    assert checked > 10
