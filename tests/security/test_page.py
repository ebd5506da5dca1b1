"""SECURITY.md: the tests that it names exist, and every kind of threat has some."""

import ast
import re

from tests.conftest import ROOT

TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
ROWS = [line.split(" | ") for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| threat")]
KINDS = (
    "hostile submission",
    "model's text",
    "steers its judge",
    "key leaks",
    "poisoned pack",
    "Data of others",
    "Training data",
)


def test_each_threat_names_tests_that_exist() -> None:
    assert len(ROWS) > 12
    for threat, _, tests in ROWS:
        named = re.findall(r"`(tests/[^`:]+\.py)(?:::(test_\w+))?`", tests)
        assert named, threat
        for file, name in named:
            tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
            functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            assert name in functions if name else any(one.startswith("test_") for one in functions), f"{file}::{name}"


def test_no_kind_of_threat_is_left_out() -> None:
    threats = "\n".join(row[0] for row in ROWS)
    assert all(kind in threats for kind in KINDS)


def test_no_code_of_others_is_trusted() -> None:
    """As the page says: nothing here asks a library to run code that comes with weights or a dataset."""
    found = [path for path in (ROOT / "tools").rglob("*.py") if "trust_remote_code" in path.read_text(encoding="utf-8")]
    assert not found
