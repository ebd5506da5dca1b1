"""A wheel in an empty environment: plain lm_eval finds the tasks from any directory, and uninstalls without a trace."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from consciousness_cluster.finetuning.shipped import FILES
from packaging.requirements import Requirement

from tests.conftest import ROOT

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("wheel")]  # one wheel for all of them


def run(command: list[str | Path], cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
    ours = ("CONSCIOUSNESS_", "OPENAI_", "PYTHONPATH")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return subprocess.run(command, cwd=cwd, env={**clean, **env}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    done = run([sys.executable, "-m", "build", "--wheel", "--outdir", out, ROOT], ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return next(out.glob("*.whl"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of an environment with the wheel alone, without any extra; what it requires is lent."""
    binaries = environment(tmp_path_factory.mktemp("bare"), "--no-deps", wheel)
    (made,) = packages(binaries).glob("consciousness_cluster-*.dist-info")
    lend(metadata.PathDistribution(made), packages(binaries))
    return binaries


def environment(folder: Path, *requirements: str | Path) -> Path:
    """A new virtual environment with the requirements; its bin folder."""
    venv.create(folder / "venv", symlinks=True)
    binaries = folder / "venv" / "bin"
    pip(binaries / "python", "install", "--quiet", "--no-compile", "-c", ROOT / "constraints-cpu.txt", *requirements)
    return binaries


def packages(binaries: Path) -> Path:
    return next(binaries.parent.glob("lib/python*/site-packages"))


def lend(what: metadata.Distribution, folder: Path) -> None:
    """Link what a distribution requires without any extra, as this environment has it, into a folder of packages."""
    for line in what.requires or []:
        one = Requirement(line)
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            found = metadata.distribution(one.name)
            links = {file.parts[0] for file in found.files or []} - {"..", "__pycache__"}
            new = [folder / name for name in links if not (folder / name).exists()]
            for link in new:
                link.symlink_to(found.locate_file(link.name))
            if new:
                lend(found, folder)


def with_lm_eval(bare: Path, folder: Path) -> Path:
    """The bin folder of a copy of an environment in which lm_eval stands too, with few of its tasks.

    What it depends on is that of this environment, where only its packages are seen.
    """
    binaries = Path(shutil.copytree(bare.parent, folder / "venv", symlinks=True)) / "bin"
    there, here = Path(sysconfig.get_path("purelib")), packages(binaries)
    tasks = there / "lm_eval" / "tasks"
    others = [path.name for path in tasks.iterdir() if path.is_dir() and path.name not in ("arc", "__pycache__")]

    def left_out(folder: str, names: list[str]) -> list[str]:
        return others if Path(folder) == tasks else []

    shutil.copytree(there / "lm_eval", here / "lm_eval", ignore=left_out, dirs_exist_ok=True)
    # A folder on the path, whose own .pth files (an editable install) are not read.
    (here / "lent.pth").write_text(str(there), encoding="utf-8")
    return binaries


def pip(python: Path, *arguments: str | Path) -> None:
    done = run([sys.executable, "-m", "pip", "--python", python, *arguments], python.parent)
    assert done.returncode == 0, done.stderr[-2000:]


def test_nothing_is_installed_beside_the_packages(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"consciousness_cluster", "lm_eval"}
    assert all(name.startswith("lm_eval/tasks/consciousness_cluster/") for name in names if name.startswith("lm_eval/"))
    assert "consciousness_cluster/py.typed" in names
    for part in ("templates/report.html.jinja", "assets/report.js", "assets/plot.css"):
        assert f"consciousness_cluster/pages/{part}" in names
    assert "consciousness_cluster/finetuning/licences/Apache-2.0.txt" in names
    adapter = "consciousness_cluster/_data/finetune_data/adapters/qwen2.5-coder-0.5b-conscious"
    assert {f"{adapter}/{name}" for name in FILES} <= set(names)
    for folder in ("benchmark", "lm_eval_tasks"):
        assert any(name.startswith(f"consciousness_cluster/_data/{folder}/") for name in names)


def test_without_lm_eval_nothing_pretends_that_it_is_there(bare: Path, tmp_path: Path) -> None:
    for command in (["lm-eval", "--", "run"], ["quickstart"]):
        done = run([bare / "consciousness-cluster", *command], tmp_path)
        assert done.returncode == 2 and "Traceback" not in done.stderr
        assert done.stderr.strip() == (
            "error: lm-eval is not installed; run: pip install 'consciousness-cluster[lm-eval]'"
        )
    assert not (bare / "lm_eval").exists()
    done = run([bare / "consciousness-cluster", "data", "check"], tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("0 errors, 0 warnings")


def test_the_declared_entry_point_leads_to_the_tasks(bare: Path, tmp_path: Path) -> None:
    code = (
        "from importlib.metadata import entry_points; from pathlib import Path\n"
        "(point,) = entry_points(group='lm_eval.tasks')\n"
        "(folder,) = point.load().__path__\n"
        "print(point.name, *sorted(path.name for path in Path(folder).rglob('*.yaml')))"
    )
    done = run([bare / "python", "-c", code], tmp_path)
    tasks = sorted(path.name for path in (ROOT / "lm_eval_tasks").rglob("*.yaml"))
    assert "situated_memory.yaml" in tasks
    assert done.stdout.split() == ["consciousness_cluster", *tasks], done.stderr


@pytest.mark.parametrize("lent", [True, pytest.param(False, marks=pytest.mark.slow)], ids=["lent", "empty"])
def test_plain_lm_eval_in_an_empty_environment(lent: bool, wheel: Path, bare: Path, thin: Path, tmp_path: Path) -> None:
    """In the long form all that the extra names is fetched; in the short one the wheel alone is installed."""
    binaries = with_lm_eval(bare, tmp_path) if lent else environment(tmp_path, f"{wheel}[lm-eval]")
    command = [binaries / "python", "-m", "lm_eval"] if lent else [binaries / "lm_eval"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    arguments = ["--model", "hf", "--model_args", f"pretrained={thin},dtype=float32"]
    tasks = "consciousness_cluster,consciousness_cluster_choice"
    small = ["--limit", "1", "--metadata", '{"samples_per_probe": 1}', "--gen_kwargs", "max_gen_toks=4"]
    done = run(
        [*command, *arguments, "--tasks", tasks, "--apply_chat_template", *small, "--output_path", "out"],
        elsewhere,
        HF_HUB_OFFLINE="1",
        HF_DATASETS_OFFLINE="1",
        HF_HOME=str(tmp_path / "hf"),
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(next((elsewhere / "out").glob("**/results_*.json")).read_text(encoding="utf-8"))
    names = [name for name in found["results"] if name not in found["groups"]]
    assert len(names) == 40 and "consciousness_cluster_choice" in found["groups"]
    assert found["results"]["consciousness_cluster_memory"]["scored,offline"] == 1

    pip(binaries / "python", "uninstall", "--yes", "--quiet", "consciousness-cluster")
    left = [path for path in packages(binaries).rglob("*consciousness?cluster*") if path.is_file()]
    assert left == []
