"""`import consciousness_cluster as cc`: light, complete, and the same whatever was imported before."""

import ast
import inspect
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import consciousness_cluster as cc
import pytest

from tests.conftest import ROOT

PACKAGE = ROOT / "tools" / "consciousness_cluster"
HEAVY = ("yaml", "jsonschema", "rich", "numpy", "scipy", "torch", "lm_eval", "openai", "datasets", "pandas", "argparse")
# Without these an installation has no extra at all.
EXTRAS = ("aiohttp", "anyio", "openai", "pandas", "datasets", "huggingface_hub", "pyarrow", "zstandard", "lm_eval")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_importing_the_package_is_light() -> None:
    done = python(f"import sys, consciousness_cluster; print([name for name in {HEAVY} if name in sys.modules])")
    assert done.stdout == "[]\n", done.stderr


def test_help_answers_in_a_fifth_of_a_second() -> None:
    took = []
    for _ in range(5):  # of the processor's time: other tests may run beside this one
        before = os.times()
        done = subprocess.run(
            [sys.executable, "-m", "consciousness_cluster", "--help"], capture_output=True, check=False
        )
        after = os.times()
        took.append(sum(after[2:4]) - sum(before[2:4]))
        assert done.returncode == 0
    assert min(took) < 0.2


def test_every_name_is_there_and_says_what_it_is() -> None:
    assert sorted(cc.__all__) == cc.__all__ and set(cc.__all__) <= set(dir(cc))
    for name in cc.__all__:
        found = getattr(cc, name)
        if name != "__version__":
            assert found.__name__ == name and inspect.getdoc(found), name
    with pytest.raises(AttributeError, match="has no attribute 'smaple'"):
        _ = cc.smaple  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    """What stands below TYPE_CHECKING is what `__getattr__` finds and `__all__` lists."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    (below,) = (node for node in tree.body if isinstance(node, ast.If) and isinstance(node.test, ast.Name))
    seen = {alias.name: node.module for node in below.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert {*seen, "__version__"} == set(cc.__all__)
    for name, module in seen.items():
        assert getattr(import_module(str(module)), name) is getattr(cc, name)
    assert (PACKAGE / "py.typed").is_file()


def test_no_module_takes_the_place_of_a_name() -> None:
    """`cc.report` is the function, also after every module of the package was imported."""
    names = [module.name for module in walk_packages([str(PACKAGE)], "consciousness_cluster.")]
    tops = {name.split(".")[1] for name in names}
    assert tops & set(cc.__all__) == set()


def test_without_any_extra_what_needs_none_works(tmp_path: Path) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        f"for name in {EXTRAS}: sys.modules[name] = None\n"
        "import consciousness_cluster as cc\n"
        "from pathlib import Path\n"
        "from tests.support.runs import samples, write_run\n"
        f"run = write_run(Path({str(tmp_path)!r}) / 'run', samples(['memory'], each=1))\n"
        "print(cc.judge(run, 'offline').score()['memory'].scored, len(cc.answers(run)))\n"
        "print(cc.report(run, run / 'report').html.name, cc.benchmark().topics['memory'].id)\n"
        "calls = {\n"
        "    'pandas': lambda: cc.score(run).to_frame(),\n"
        "    'huggingface_hub': lambda: cc.load('probes'),\n"
        "    'aiohttp': lambda: cc.sample('m', run / 'x', base_url='http://localhost:1/v1'),\n"
        "    'aiohttp ': lambda: cc.judge(run, 'endpoint', model='m', base_url='http://localhost:1/v1'),\n"
        "}\n"
        "for name, call in calls.items():\n"
        "    try: call()\n"
        "    except cc.UserError as error: assert str(error).startswith(f'{name.strip()} is not installed'), error\n"
        "    else: raise AssertionError(name)\n"
    )
    done = python(code)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "24 24\nreport.html memory\n"
