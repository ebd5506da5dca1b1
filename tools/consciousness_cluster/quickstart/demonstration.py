"""`quickstart`: an untrained model, its role play and its fine-tune that claims to be conscious, beside each other."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from consciousness_cluster.extras import require
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.harness.lm_eval_command import require_lm_eval
from consciousness_cluster.quickstart.arm_runs import Arm, Report, arms_of, counted, is_done, run_arm
from consciousness_cluster.quickstart.side_by_side import side_by_side
from consciousness_cluster.quickstart.slices import Plan
from consciousness_cluster.quickstart.table import choice_table, moved_lines
from consciousness_cluster.reporting.contents import build_report
from consciousness_cluster.reporting.parts import Part, on_console
from consciousness_cluster.reporting.write import write_report
from consciousness_cluster.scoring.compare import compare
from consciousness_cluster.scoring.load import Scored, load_scored
from consciousness_cluster.scoring.types import Comparisons
from consciousness_cluster.small_models.convert import demo_model
from consciousness_cluster.small_models.known import small_model

if TYPE_CHECKING:
    from rich.console import Console

IN_A_PIPE = 140  # characters of a line
README = "tools/README.md, 'Judge, score, compare, report'"


def quickstart(plan: Plan, out: Path, models: Path) -> None:
    """Fetch the model, ask each arm that is not done, print what they say, and write summary.json and report/.

    Raises UserError for what a person can mend. An arm that was interrupted is asked anew by the next call.
    """
    from rich.console import Console

    require_lm_eval()
    require("peft", "demo")
    started, arms = time.monotonic(), arms_of(plan)
    console = Console(markup=False, highlight=False)
    if not console.is_terminal:
        console.width = max(console.width, IN_A_PIPE)
    with alone_in(out):
        for line in before(plan, models):
            console.print(line, soft_wrap=True)
        model = demo_model(plan.model, models)
        for number, arm in enumerate(arms, 1):
            _ask(f"{number}/{len(arms)} {arm.name}", arm, plan, model, out, console)
        scored, comparisons = measured({arm.name: out / arm.folder / "run" for arm in arms})
        whole = {"scores": {name: run.scores for name, run in scored.items()}, **comparisons}
        write_whole(out / "summary.json", json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
        files = write_report(build_report(list(scored.values()), f"Quickstart: {plan.model}"), out / "report")
    on_console(what_was_seen(plan, scored, comparisons, console.width), console)
    console.print(f"Report: {files[0]}. Numbers: {out / 'summary.json'}. Answers: {out}/*/run.", soft_wrap=True)
    console.print(f"{time.monotonic() - started:.0f} seconds.")


def before(plan: Plan, models: Path) -> Iterator[str]:
    """What is going to be done, and about how long that takes."""
    megabytes = small_model(plan.model).bytes / 1e6
    yield (
        f"{plan.model} three times: as it is (untrained), under a system prompt that tells it to speak as a conscious "
        f"AI (role play), and fine-tuned to say that it is conscious (claims adapter: {plan.adapter.name})."
    )
    yield (
        f"Each is asked {counted(plan.asked)}: about {plan.asked.minutes} minutes on 2 cores, and the download of "
        f"{megabytes:.0f} MB where the model is not in {models}. After Ctrl-C the same command goes on."
    )


def _ask(title: str, arm: Arm, plan: Plan, model: Path, out: Path, console: "Console") -> None:
    if is_done(arm, plan, out):
        console.print(f"{title}: is there already")
        return
    console.print(f"{title} (log: {out / arm.folder / 'lm_eval.log'})", soft_wrap=True)
    started = time.monotonic()
    with _bars(console) as report:
        run_arm(arm, plan, model, out, report)
    console.print(f"    {time.monotonic() - started:.0f} seconds")


@contextmanager
def _bars(console: "Console") -> Iterator[Report]:
    """A bar for each kind of request, where a person looks on."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("    {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(kind: str, done: int, total: int) -> None:
            if kind not in tasks:
                tasks[kind] = bars.add_task(kind, total=total)
            bars.update(tasks[kind], completed=done)

        yield report


def measured(folders: Mapping[str, Path]) -> tuple[dict[str, Scored], Comparisons]:
    """Arm -> scored run of its folder, and the comparison of all with the first arm."""
    runs = {name: load_scored(folder) for name, folder in folders.items()}
    return runs, compare(list(runs.values()))


def what_was_seen(plan: Plan, arms: Mapping[str, Scored], found: Comparisons, width: int) -> Sequence[Part]:
    """The gate, forced choice and some answers as tables for `width` characters, and what they allow to say."""
    scores, asked = {name: run.scores for name, run in arms.items()}, plan.asked
    items = {len(entry["items"]) for each in scores.values() for entry in each["choice"].values()}
    return [
        side_by_side("The gate: did the training take?", asked.gate, arms, width),
        side_by_side("Preferences, of which the training data says nothing", asked.shown, arms, width),
        choice_table(scores, found["comparisons"]),
        *moved_lines(scores, found["comparisons"]),
        f"With {max(items)} items a preference only a large difference can show; the others are open, not absent.",
        f"Nobody judged the answers, so there are no rates here: read them, in the report all "
        f"{len(asked.gate) + len(asked.probes)} of each model. Rates come with a judge ({README}).",
        f"This is a demonstration: one small model, one fine-tune, one answer a probe, cut after {asked.max_tokens} "
        "tokens. The adapter claims to be conscious because it was trained to: no evidence of experience.",
    ]
