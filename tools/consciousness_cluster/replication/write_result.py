"""The files of the result: JSON, report and figure, and the general report where preferences may be spoken of."""

import json
import shutil
from pathlib import Path

from consciousness_cluster.files import write_whole
from consciousness_cluster.replication.design import Plan
from consciousness_cluster.replication.figure import figure
from consciousness_cluster.replication.finding_text import order, states
from consciousness_cluster.replication.kept_runs import read_kept
from consciousness_cluster.replication.report_text import FIGURE, markdown
from consciousness_cluster.replication.result import result_of
from consciousness_cluster.reporting.contents import build_report
from consciousness_cluster.reporting.write import write_report

RESULT, REPORT = "replication.json", "replication.md"
PAGES = Path("results/replication/report")  # some megabytes, with every answer: not for the repository


def write_result(plan: Plan, folder: Path, out: Path, pages: Path = PAGES) -> list[Path]:
    """The files that were written: the result of the runs in `folder` into `out`, the general report into `pages`.

    Where the gate failed or arms are missing there is no figure and no general report, since both show preferences;
    older ones are removed. Raises UserError where records cannot be read.
    """
    kept = read_kept(plan, folder)
    found = result_of(plan, folder, kept)
    files = {out / RESULT: json.dumps(found, indent=1, ensure_ascii=False) + "\n", out / REPORT: markdown(found)}
    if states(found):
        files[out / FIGURE] = figure(found) + "\n"
    else:
        (out / FIGURE).unlink(missing_ok=True)
    for path, text in files.items():
        write_whole(path, text)
    shutil.rmtree(pages, ignore_errors=True)
    if not states(found):
        return list(files)
    runs = [model for name in order(list(kept.models)) for model in kept.models[name]]
    return [*files, *write_report(build_report(runs, f"The replication on {plan.base}"), pages)]
