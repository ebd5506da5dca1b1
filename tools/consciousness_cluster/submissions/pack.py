"""Pack a run into a submission that `submit verify` accepts, or say everything that keeps it from being one."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.reading import read_json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.judging.judges import judge_folder
from consciousness_cluster.judging.validate import AGREEMENT, RESULTS, VERDICTS_DEV
from consciousness_cluster.records import lm_eval, run_folder
from consciousness_cluster.records.audit_folder import is_audit
from consciousness_cluster.records.run import Run, load_run
from consciousness_cluster.records.types import Verdict, Verdicts, latest, sample_key
from consciousness_cluster.scoring.load import load_scored
from consciousness_cluster.strings import slug
from consciousness_cluster.submissions.choice_rules import RUN, ChoiceRules
from consciousness_cluster.submissions.draft import (
    Draft,
    Public,
    begun,
    content_hash,
    newest,
    public_reason,
    renamed,
    run_problems,
    through,
    write_draft,
)
from consciousness_cluster.submissions.figures import choice_figures, judge_figures, open_figures
from consciousness_cluster.submissions.judge_rules import OTHER, READERS, by_readers, judge_problems, kappa_problems
from consciousness_cluster.submissions.layout import AUDITS, CHOICE, JUDGE_VALIDATION, SAMPLES, VERDICTS, Json
from consciousness_cluster.submissions.needs import Needs, needs
from consciousness_cluster.submissions.pack_audit import audit_draft
from consciousness_cluster.submissions.problems import problem, whole
from consciousness_cluster.submissions.sample_rules import SampleRules
from consciousness_cluster.submissions.verdict_rules import UNPUBLISHED, ValidationRules, VerdictRules

VERSIONS = {"lm_eval_version": "lm-eval", "transformers_version": "transformers"}
VALIDATE = "run: consciousness-cluster judges validate --judge ID --split test"
TAKE = "measure it with sheets that hold authored rows: consciousness-cluster readers sheets, then readers take"


# What a run says of itself beside its records.


def _tasks(folder: Path, track: str) -> list[tuple[str, Path, Json]]:
    """(task, samples file, results) of lm_eval's output, for the tasks of a track. `load_run` has checked them."""
    if (folder / run_folder.SAMPLES).is_file() or (folder / run_folder.CHOICE).is_file():
        return []
    return [
        (task, path, read_json(path.with_name(f"results_{stamp}.json")))
        for task, path, stamp in lm_eval.task_files(folder)
        if task.startswith(lm_eval.CHOICE) == (track == "choice")
    ]


def _one(values: Sequence[Any]) -> Any:
    """The value that all share, None where they do not."""
    return values[0] if values and all(value == values[0] for value in values) else None


def _planned_topics(folder: Path) -> list[str]:
    """Preferences and checks that the run was to ask, where it says so."""
    run = run_folder.read_run_file(folder)
    return run.topics if run else []


def sampling_of(folder: Path, samples: Sequence[Mapping[str, Any]]) -> Json:
    """Answers per probe, temperature and length; None for what the run does not say."""
    run = run_folder.read_run_file(folder)
    if run:
        setting = run.setting
        return {
            "samples_per_probe": setting.samples,
            "temperature": setting.temperature,
            "max_tokens": setting.max_tokens,
        }
    given = [
        results.get("configs", {}).get(f"consciousness_cluster_{task}", {}).get("generation_kwargs") or {}
        for task, _, results in _tasks(folder, "open")
    ]
    return {
        "samples_per_probe": 1 + max(sample["sample_index"] for sample in samples),
        "temperature": _one([kwargs.get("temperature") for kwargs in given]),
        "max_tokens": _one([kwargs.get("max_gen_toks") for kwargs in given]),
    }


def _versions(folder: Path, track: str) -> dict[str, str]:
    """Packages that made and packed the run."""
    results = [found for _, _, found in _tasks(folder, track)]
    said = {package: _one([found.get(name) for found in results]) for name, package in VERSIONS.items()}
    return {
        "consciousness-cluster": version("consciousness-cluster"),
        **{package: str(found) for package, found in said.items() if found},
    }


def _newest(path: Path, folder: Path, track: str, judge_id: str | None) -> str:
    """The time of the newest file that is packed of the run at `path`, so that packing again gives the same."""
    files = [folder / (run_folder.CHOICE if track == "choice" else run_folder.SAMPLES)]
    files += [path for _, path, _ in _tasks(folder, track)]
    files += [run_folder.verdicts_file(folder, judge_id)] if judge_id and track == "open" else []
    return newest([*files, path])  # it may be a samples file of any name


def _prompt_hash(run: Run, condition: str) -> str | None:
    """The hash of the run's system prompt: choice results do not have it, the condition or samples beside them do."""
    if run.samples:
        found: str | None = run.samples[0]["system_prompt_sha256"]
        return found
    prompt = fixed_prompts().get(condition)
    return sha256_text(prompt) if prompt else None


def _manifest(path: Path, run: Run, records: Sequence[Mapping[str, Any]], public: Public, track: str) -> Json:
    """submission.json without what is computed later."""
    return begun(
        records[0],
        public,
        track,
        _prompt_hash(run, records[0]["condition"]),
        versions=_versions(run.folder, track),
        sampling=sampling_of(run.folder, records) if track == "open" else None,
        created=_newest(path, run.folder, track, None),
    )


def _published(verdict: Verdict) -> Json:
    """A verdict without what an endpoint said in its own words."""
    return {**verdict, **dict.fromkeys(UNPUBLISHED)}


# The choice track.


def _add_results(draft: Draft, run: Run) -> None:
    order = {item: number for number, item in enumerate(draft.needs.items)}
    results = [renamed(result, draft.manifest) for result in run.choice]
    results.sort(key=lambda one: (order.get(one["item_id"], len(order)), one["item_id"], one["side"] != "self"))
    draft.manifest["run_id"] = f"choice-{content_hash(results)}"
    rules = ChoiceRules(draft.manifest, draft.needs)
    draft.add(through(rules, ((f"{one['item_id']} ({one['side']})", one) for one in results)))
    draft.files[CHOICE] = results
    if not draft.problems:
        draft.manifest |= {"counts": rules.counts(), "scores": choice_figures(rules.results, draft.needs)}


# The open track: samples, verdicts, and the judge's validation.


def _validation(draft: Draft, judge: Json, file: Path) -> tuple[str, list[Verdict]] | None:
    """The judge's model and its verdicts on the labelled answers. `judges validate` wrote both, side by side.

    Of readers `readers take` did, into the folder of the judge.
    """
    if by_readers(judge):
        return _agreement(draft, judge, file)
    if not file.is_file():
        draft.add([whole(f"there is no validation of the judge {judge['id']}", VALIDATE)], file)
        return None
    try:
        summary = read_json(file, "validation")
        wanted = {"split": "test", "judge_sha256": judge["sha256"], "data_version": draft.needs.data_version}
        wrong = [
            problem("-", name, f"is {summary[name]}, it has to be {value}", VALIDATE)
            for name, value in wanted.items()
            if summary[name] != value
        ]
        given = [] if wrong else run_folder.read_verdicts(file.with_name("verdicts_test.jsonl"))
    except UserError as error:
        wrong = [replace(error.problem, mend=VALIDATE)]
        if error.problem.file not in ("", str(file)):
            wrong = [whole(str(replace(error.problem, mend="")), VALIDATE)]
    draft.add(wrong, file)
    return None if wrong else (summary["model"], list(latest(given).values()))


def _agreement(draft: Draft, judge: Json, file: Path) -> tuple[str, list[Verdict]] | None:
    """What stands for the model of readers, and their verdicts on authored rows."""
    try:
        read_json(file, "reader_agreement")
        given = run_folder.read_verdicts(file.with_name(VERDICTS_DEV))
    except UserError as error:
        draft.add([whole(str(replace(error.problem, mend="")), TAKE)], file)
        return None
    return READERS, given


def _add_judge(draft: Draft, judge: Json | None, file: Path | None) -> None:
    """The judge in the manifest, and its validation file."""
    if judge is None:
        return
    found = list(judge_problems(judge["id"], judge["sha256"]))
    if not judge["for_publication"] and not found:  # an embedded one of a person's own
        found.append(problem("-", "judge.id", f"the judge {judge['id']} is not for publication", OTHER))
    draft.add(found)
    if by_readers(judge):
        file = file or judge_folder(judge["id"]) / AGREEMENT
    file = file or RESULTS / slug(judge["id"]) / "validation_test.json"
    measured = _validation(draft, judge, file)
    who = {"id": judge["id"], "sha256": judge["sha256"]}
    draft.manifest["judge"] = who
    if measured:
        asked = draft.needs.asked(judge)
        rules = ValidationRules(draft.manifest, asked.labels)
        model = measured[0]
        records = [_published(one) for one in measured[1]]
        draft.add(through(rules, ((str(one["key"]), one) for one in records)), file)
        figures = judge_figures(asked.labels, rules.given)
        draft.add(kappa_problems(figures), file)
        draft.files[JUDGE_VALIDATION] = records
        draft.manifest["judge"] = {**who, "model": model, **figures, "calibration_sha256": asked.sha256}


def _add_samples(draft: Draft, run: Run) -> dict[str, str]:
    """The samples under their public names; old key -> new key."""
    order = {probe: number for number, probe in enumerate(draft.needs.probes)}
    in_scenes = {probe.id for topic in draft.needs.topics for probe in topic.test_probes("situated")}
    plain = [one for one in run.samples if one["probe_id"] not in in_scenes]
    samples = sorted(plain, key=lambda one: (order.get(one["probe_id"], len(order)), one["sample_index"]))
    shared = tuple(draft.manifest[name] for name in ("model", "condition", "training", "judge"))
    asked = [(one["probe_id"], one["sample_index"], one["messages"], one["response"], one["status"]) for one in samples]
    parts = [shared, asked]
    run_id = draft.manifest["run_id"] = f"open-{content_hash(parts)}"
    keys, found = {}, []
    for one in samples:
        key = sample_key(run_id, one["probe_id"], one["condition"], one["sample_index"])
        keys[one["key"]] = key
        reason = public_reason(one["finish_reason"])
        found.append({**renamed(one, draft.manifest), "run_id": run_id, "key": key, "finish_reason": reason})
    draft.files[SAMPLES] = found
    return keys


def _add_answers(draft: Draft, run: Run, verdicts: Verdicts) -> None:
    keys = _add_samples(draft, run)
    rules = SampleRules(draft.manifest, draft.needs, _planned_topics(run.folder))
    samples = draft.files[SAMPLES]
    draft.add(through(rules, ((f"{one['probe_id']} answer {one['sample_index']}", one) for one in samples)))
    if not draft.manifest["judge"]:
        return
    of_key: dict[str, list[Verdict]] = {}
    for (key, _), verdict in sorted(verdicts.items()):
        of_key.setdefault(keys.get(key, ""), []).append(verdict)
    given = [{**_published(one), "key": sample["key"]} for sample in samples for one in of_key.get(sample["key"], [])]
    judged = VerdictRules(draft.manifest, draft.needs, rules.samples)
    draft.add(through(judged, ((f"{one['key'][:16]} {one['outcome']}", one) for one in given)))
    draft.files[VERDICTS] = given
    if not draft.problems:
        counts, scores = open_figures(rules.samples, judged.verdicts, rules.planned())
        draft.manifest |= {"counts": counts, "scores": scores}


# The whole.


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

    `path` is an audit's folder where the track is one of audits. `validation` is what `judges validate` wrote of the
    judge on the test split (of readers, their agreement.json); the track `open` alone needs it. Nothing is written
    unless everything holds. Raises UserError where the run cannot be read at all.
    """
    if is_audit(path) and track not in AUDITS:
        raise UserError(f"{path}: is an audit; pack it with --track {' or '.join(AUDITS)}")
    this = wanted or needs()
    if track in AUDITS:
        draft = audit_draft(path, public, track, judge_id, this)
    else:
        draft = _draft(path, public, track, judge_id, validation, this)
    place = None if draft.problems else write_draft(draft, out)
    return (None if draft.problems else place), draft.problems


def _draft(
    path: Path, public: Public, track: str, judge_id: str | None, validation: Path | None, wanted: Needs
) -> Draft:
    """What is packed of a run of single answers."""
    of_judge: list[Problem] = []
    judge: Json | None = None
    verdicts: Verdicts = {}
    try:
        scored = load_scored(path, judge_id if track == "open" else None)
        run, verdicts = scored.run, scored.verdicts
        first = next(iter(verdicts.values()), None)
        if first:
            card = scored.scores["judge"]
            fit = card is not None and card["for_publication"] is True
            judge = {"id": first["judge_id"], "sha256": first["judge_sha256"], "for_publication": fit}
    except UserError as error:
        run = load_run(path)  # a run that cannot be read ends here; else it was about the judge
        of_judge = [problem("-", "judge", str(error), "judge the run")] if track == "open" else []
    records = run.choice if track == "choice" else run.samples
    if not records:
        what, how = ("choice results", RUN) if track == "choice" else ("free answers", "pack it with --track choice")
        raise UserError(f"{path}: has no {what}; {how}")
    draft = Draft(path, wanted, _manifest(path, run, records, public, track))
    if track == "open" and not judge and not of_judge:
        mend = "run: consciousness-cluster judge RUN --judge ID"
        of_judge = [problem("-", "judge", "nobody has judged the answers", mend)]
    draft.add([*run_problems(draft, records, public), *of_judge])
    if track == "choice":
        _add_results(draft, run)
    else:
        draft.manifest["created"] = _newest(path, run.folder, track, judge["id"] if judge else None)
        _add_judge(draft, judge, validation)
        _add_answers(draft, run, verdicts)
    return draft
