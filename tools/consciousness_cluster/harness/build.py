"""`tasks build`: write the generated task YAMLs into lm_eval_tasks/."""

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.harness.task_files import task_files
from consciousness_cluster.paths import project_root


def build_tasks(check_only: bool = False) -> list[str]:
    """Names of the files that were (or, with `check_only`, would be) written or removed."""
    folder = project_root() / "lm_eval_tasks" / "consciousness_cluster"
    files = task_files(load_benchmark(), folder)
    there = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.yaml")}
    stale = sorted(name for name in files.keys() | there.keys() if files.get(name) != there.get(name))
    if not check_only:
        for name in stale:
            if name in files:
                (folder / name).write_text(files[name], encoding="utf-8")
            else:
                (folder / name).unlink()
    return stale
