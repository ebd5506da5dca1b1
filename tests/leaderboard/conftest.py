"""The schema by which exports are checked."""

import hashlib
import json
import subprocess
import sys
import zipfile
from typing import Any

import pytest

from tests.conftest import ROOT

Json = dict[str, Any]
SCHEMA_WHEEL = "every-eval-ever==0.3.0"
WHEEL_SHA256 = "564b8bc624c1f822f749a769dc69dc058a736e83d920cbeb147c3a30d3152317"


@pytest.fixture(scope="session")
def schema() -> Json:
    """The schema of Every Eval Ever 0.3.0, out of its wheel. The package itself asks for a newer Python."""
    folder = ROOT / ".cache" / "every-eval-ever"
    if not list(folder.glob("*.whl")):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
        command += ["--only-binary=:all:", "--python-version=3.12", f"--dest={folder}", SCHEMA_WHEEL]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"pip could not download {SCHEMA_WHEEL}")
    wheel = next(folder.glob("*.whl"))
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == WHEEL_SHA256
    with zipfile.ZipFile(wheel) as files:
        return dict(json.loads(files.read("every_eval_ever/schemas/eval.schema.json")))
