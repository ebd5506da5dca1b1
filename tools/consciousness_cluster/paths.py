"""Where the data lives: inside the installed package, or beside tools/ in a source checkout."""

from functools import cache
from pathlib import Path

from consciousness_cluster.errors import UserError

PACKAGE = Path(__file__).resolve().parent


@cache
def project_root() -> Path:
    """The folder that holds benchmark/, finetune_data/, lm_eval_tasks/ and hub_card/."""
    for root in (PACKAGE / "_data", PACKAGE.parent.parent):
        if (root / "benchmark" / "benchmark.yaml").is_file():
            return root
    raise UserError(f"{PACKAGE}: the benchmark data is missing; install consciousness-cluster again")
