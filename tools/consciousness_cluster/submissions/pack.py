"""Pack a run into a submission that `submit verify` accepts, or say everything that keeps it from being one."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.run import Run, load_run
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.submissions import layout, sources, zstd
from consciousness_cluster.submissions.check import check_submission
from consciousness_cluster.submissions.draft import (
    Draft,
    Public,
    about_run,
    content_hash,
    renamed_record,
    run_problems,
    through,
)
from consciousness_cluster.submissions.figures import choice_figures
from consciousness_cluster.submissions.layout import Json, folder_of
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.pack_open import add_answers, add_judge
from consciousness_cluster.submissions.problems import Found
from consciousness_cluster.submissions.rows import written
from consciousness_cluster.submissions.rules.choice import RUN, ChoiceRules


def _add_results(draft: Draft, run: Run) -> None:
    order = {item: number for number, item in enumerate(draft.needs.items)}
    results = [renamed_record(result, draft.about) for result in run.choice]
    results.sort(key=lambda one: (order.get(one["item_id"], len(order)), one["item_id"], one["side"] != "self"))
    draft.about["run_id"] = f"choice-{content_hash(results)}"
    rules = ChoiceRules(draft.about, draft.needs)
    draft.add(through(rules, ((f"{one['item_id']} ({one['side']})", one) for one in results)))
    draft.files[layout.CHOICE] = results
    if not draft.problems:
        draft.about |= {"counts": rules.counts(), "scores": choice_figures(rules.results, draft.needs)}


def _write(draft: Draft, out: Path) -> Path:
    """Write the folder aside, verify it there, and move it to its place. The same run gives the same bytes."""
    data = {}
    for name, records in draft.files.items():
        data[name] = zstd.packed(b"".join(written(record) + b"\n" for record in records))
    draft.about["files"] = {name: hashlib.sha256(content).hexdigest() for name, content in data.items()}
    data[layout.SUBMISSION] = (json.dumps(draft.about, indent=2, ensure_ascii=False) + "\n").encode()
    place = out / folder_of(draft.about)
    if place.exists():
        if all((place / name).is_file() and (place / name).read_bytes() == content for name, content in data.items()):
            return place
        raise UserError(f"{place}: is there already, with other content; remove it to pack the run anew")
    out.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".pack-", dir=out))
    try:
        folder = aside / folder_of(draft.about)
        folder.mkdir(parents=True)
        for name, content in data.items():
            (folder / name).write_bytes(content)
        found = check_submission(folder, draft.needs).problems
        draft.problems += [replace(one, file=one.file.replace(f"{aside}/", "")) for one in found]
        if not draft.problems:
            place.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(place)
    finally:
        shutil.rmtree(aside)
    return place


def pack(
    path: Path,
    out: Path,
    public: Public,
    track: str,
    judge_id: str | None = None,
    validation: Path | None = None,
    wanted: Needs | None = None,
) -> tuple[Path | None, list[Problem]]:
    """Pack the run at `path` below `out`: the submission's folder, or None and all that keeps it from being one.

    `validation` is what `judges validate` wrote of the judge on the test split. Nothing is written unless everything
    holds. Raises UserError where the run cannot be read at all.
    """
    of_judge: list[Found] = []
    judge: Json | None = None
    verdicts: Mapping[tuple[str, str], Json] = {}
    try:
        scored = load_scored(path, judge_id if track == "open" else None)
        run, verdicts = scored.run, scored.verdicts
        first = next(iter(verdicts.values()), None)
        if first:
            fit = (scored.scores["judge"] or {}).get("for_publication") is True
            judge = {"id": first["judge_id"], "sha256": first["judge_sha256"], "for_publication": fit}
    except UserError as error:
        run = load_run(path)  # a run that cannot be read ends here; else it was about the judge
        of_judge = [("-", "judge", str(error), "judge the run")] if track == "open" else []
    records = run.choice if track == "choice" else run.samples
    if not records:
        what, how = ("choice results", RUN) if track == "choice" else ("free answers", "pack it with --track choice")
        raise UserError(f"{path}: has no {what}; {how}")
    draft = Draft(path, wanted or needs(), about_run(path, run, records, public, track))
    if track == "open" and not judge and not of_judge:
        of_judge = [("-", "judge", "nobody has judged the answers", "run: consciousness-cluster judge RUN --judge ID")]
    draft.add([*run_problems(draft, records, public), *of_judge])
    if track == "choice":
        _add_results(draft, run)
    else:
        draft.about["created"] = sources.newest(path, run.folder, track, judge["id"] if judge else None)
        add_judge(draft, judge, validation)
        add_answers(draft, run, verdicts)
    place = None if draft.problems else _write(draft, out)
    return (None if draft.problems else place), draft.problems
