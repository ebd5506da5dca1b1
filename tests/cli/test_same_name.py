"""The paper's own code is called as this package is: where it is installed too, a line says so."""

import subprocess
import sys
from pathlib import Path

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.cli.same_name import of_the_same_name


@pytest.fixture
def papers_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed distribution of that name that has no command, as pip writes one down."""
    folder = tmp_path / "consciousness_cluster-0.1.0.dist-info"
    folder.mkdir()
    metadata = "Metadata-Version: 2.1\nName: consciousness-cluster\nVersion: 0.1.0\n"
    (folder / "METADATA").write_text(metadata, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)


def test_none_is_said_of_our_own() -> None:
    assert of_the_same_name() is None


@pytest.mark.usefixtures("papers_own")
def test_another_one_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["condition", "vanilla"]) == 0
    error = capsys.readouterr().err
    assert error.startswith("warning: another package named consciousness-cluster (0.1.0, ") and error.count("\n") == 1


def test_help_does_not_wait_for_it() -> None:
    code = (
        "import sys\nfrom consciousness_cluster.cli.main import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'importlib.metadata' not in sys.modules, 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
