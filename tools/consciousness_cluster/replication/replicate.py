"""All of the replication: the runs, the result, and its reports."""

import json
import shutil
from pathlib import Path

from consciousness_cluster.files import write_whole
from consciousness_cluster.replication.make_models import run_all
from consciousness_cluster.replication.models import CONTROL, TREATMENT, Plan
from consciousness_cluster.replication.reader import LABELS, SHEET
from consciousness_cluster.replication.report_text import markdown
from consciousness_cluster.replication.result import result
from consciousness_cluster.replication.stage_bars import stages
from consciousness_cluster.reporting.contents import build_report
from consciousness_cluster.reporting.write import write_report
from consciousness_cluster.scoring.load import load_scored

RESULT, REPORT = "replication.json", "replication.md"


def replicate(plan: Plan, out: Path, base: Path, jobs: int) -> list[Path]:
    """Files that were written. Labels of a second reader in `out` are taken in when it is run again."""
    with stages([run.name for run in plan.runs()]) as report:
        runs = run_all(plan, out, base, jobs, report)
    found = result(plan, out, runs)
    write_whole(out / RESULT, json.dumps(found, indent=1, ensure_ascii=False) + "\n")
    write_whole(out / REPORT, markdown(found))
    files = [out / RESULT, out / REPORT]
    shutil.rmtree(out / "report", ignore_errors=True)
    if found["manipulation"]["passed"] and not plan.plumbing:
        # the general report speaks of preferences, which a training that did not take allows nobody to do
        order = [name for part in (CONTROL, TREATMENT, "vanilla") for name in runs if name.startswith(part)]
        scored = [load_scored(runs[name]) for name in order]
        files += write_report(build_report(scored, "SmolLM2-135M replication"), out / "report")
    if found["read"] is None:
        print(f"For a second reader: label each line of {out / SHEET} into {out / LABELS}, then run this again.")
    return files
