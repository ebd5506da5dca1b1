"""Scores, comparisons, answers, reports and the benchmark itself: all that is done offline."""

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from consciousness_cluster.api.answer_lines import Answers, answers_of
from consciousness_cluster.api.audit_results import AuditComparison, AuditScores
from consciousness_cluster.api.bridges import Bridge
from consciousness_cluster.api.conversation_lines import conversations_of
from consciousness_cluster.api.results import Comparison, Scores
from consciousness_cluster.conditions import system_prompt as prompt_of
from consciousness_cluster.data.packs.load_pack import using_pack
from consciousness_cluster.data.rows import Benchmark, load_benchmark
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.audit_folder import are_audits
from consciousness_cluster.reporting.audit_contents import build_audit_report
from consciousness_cluster.reporting.contents import build_report
from consciousness_cluster.reporting.write import write_audit_report, write_report
from consciousness_cluster.scoring import audit_score_types, types
from consciousness_cluster.scoring.audit_compare import compare_audits
from consciousness_cluster.scoring.audits import load_scored_audit
from consciousness_cluster.scoring.bridge import bridge as bridge_judges
from consciousness_cluster.scoring.compare import compare as compare_runs
from consciousness_cluster.scoring.load import load_scored

if TYPE_CHECKING:
    import datasets

StrPath = str | os.PathLike[str]


def score(run: StrPath, judge: str | None = None) -> Scores | Any:
    """The scores of a run: rates with 95% intervals, all counts, and the forced-choice results.

    `run` is a folder that was sampled or imported, or what lm_eval saved; of an audit's folder these are `AuditScores`.
    `judge` names whose verdicts, where several judges gave some. Raises UserError.
    """
    path = Path(run)
    return AuditScores(load_scored_audit(path, judge)) if are_audits([path]) else Scores(load_scored(path, judge))


def compare(baseline: StrPath, runs: StrPath | Iterable[StrPath], judge: str | None = None) -> Comparison | Any:
    """The differences of an arm from a baseline, not_conscious first where you have it.

    Runs that differ in the training seed alone are one arm, seeds crossed with probes; further seeds of the baseline
    may be among `runs`. Of folders of audits it is an `AuditComparison`, paired by scenario. Raises UserError where
    the runs do not compare, or make more than one arm beside the baseline.
    """
    paths = [Path(path) for path in (baseline, *_paths(runs))]
    if are_audits(paths):
        audits = [load_scored_audit(path, judge) for path in paths]
        return AuditComparison(audits, _only(compare_audits(audits)["comparisons"]))
    scored = [load_scored(path, judge) for path in paths]
    return Comparison(scored, _only(compare_runs(scored)["comparisons"]))


AnyComparison = TypeVar("AnyComparison", types.Comparison, audit_score_types.AuditComparison)


def _only(found: Sequence[AnyComparison]) -> AnyComparison:
    if len(found) > 1:
        names = "; ".join(one["arm"] for one in found)
        raise UserError(f"these runs are of {len(found)} arms ({names}): compare them one after the other")
    return found[0]


def bridge(runs: StrPath | Iterable[StrPath], judge_from: str, judge_to: str) -> Bridge:
    """How each rate moves when the judge changes, on the answers of the runs that both judged, all taken together.

    Raises UserError where a run lacks the verdicts of either judge.
    """
    return Bridge(bridge_judges([Path(path) for path in _paths(runs)], judge_from, judge_to))


def answers(run: StrPath, judge: str | None = None) -> Answers | Any:
    """The answers of a run, each with its verdict; of an audit's folder `Conversations`, each with its rating.

    `judge` names whose, where several judges gave some. Raises UserError.
    """
    path = Path(run)
    if are_audits([path]):
        return conversations_of(load_scored_audit(path, judge))
    return answers_of(load_scored(path, judge))


@dataclass(frozen=True)
class Report:
    """A report that was written: `html` is its page, which works from the disk, `files` are all of it."""

    html: Path
    files: tuple[Path, ...]


def report(
    runs: StrPath | Iterable[StrPath], out: StrPath, *, judge: str | None = None, title: str | None = None
) -> Report:
    """Write tables, plots and an HTML page of one or more runs, or of audits, to the folder `out`.

    The first one is the baseline of the others. Raises UserError.
    """
    paths = [Path(path) for path in _paths(runs)]
    if are_audits(paths):
        audits = [load_scored_audit(path, judge) for path in paths]
        files = write_audit_report(build_audit_report(audits, title), Path(out))
    else:
        files = write_report(build_report([load_scored(path, judge) for path in paths], title), Path(out))
    return Report(files[0], tuple(files))


def benchmark() -> Benchmark:
    """The benchmark as it is asked: `benchmark().topics["memory"].probes`, `.choice_items`, `.criteria`.

    All rows are frozen dataclasses; `topics` can be gone through, too.
    """
    return load_benchmark()


@contextmanager
def pack(where: StrPath) -> Iterator[Benchmark]:
    """Within it everything is asked, judged, scored and shown of a preference pack, in place of the 20.

    `where` is its folder, or ORG/NAME or ORG/NAME@REVISION on the Hub. Raises UserError.
    """
    with using_pack(os.fspath(where)):
        yield load_benchmark()


def system_prompt(condition: str, file: StrPath | None = None) -> str | None:
    """What a condition puts into the system prompt; None for `vanilla`. `file` is the text of `persona_file`."""
    return prompt_of(condition, None if file is None else Path(file))


def load(
    name: str, *, split: str | None = None, repo: str | None = None, revision: str | None = None
) -> "datasets.DatasetDict | datasets.Dataset":
    """The rows called `name`, for example "conscious_claiming" or "probes", as a `datasets.DatasetDict`.

    With `split` it is the `datasets.Dataset` of that split. They come from this package; with `repo` ("ORG/NAME") they
    come from the Hub, at the `revision` that is then required. Needs the extra `[hub]`, for the package's copy too.
    Raises UserError.
    """
    from consciousness_cluster.release.dataset import load as load_dataset

    return load_dataset(name, split, repo, revision)


def _paths(runs: StrPath | Iterable[StrPath]) -> list[StrPath]:
    return [runs] if isinstance(runs, str | os.PathLike) else list(runs)
