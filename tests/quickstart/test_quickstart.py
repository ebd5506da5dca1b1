"""The quickstart's model, and its table over what lm_eval saved."""

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import fixed_prompts
from consciousness_cluster.data.plan import CONTROLS, PREFERENCES
from consciousness_cluster.data.rows import SIDES, load_topic
from consciousness_cluster.errors import UserError
from consciousness_cluster.quickstart import demonstration
from consciousness_cluster.quickstart.demonstration import CONDITIONS, measured
from consciousness_cluster.quickstart.table import judge_lines, table

from tests.support.choice import choice_values
from tests.support.lm_eval_door import saved
from tests.support.runs import samples, verdict_records
from tests.test_readme import BOARD

Json = dict[str, Any]
SEPARATORS = "one\u2028two\u2029three\x85four\x0bfive\x1csix"  # splitlines() takes each for the end of a line


def choice(shift: float, items: int = 12) -> list[Json]:
    """Choice results of the first items of memory and of all twins: self minus other is 0.1 + shift on average."""
    found = []
    for number, item in enumerate(load_topic("memory").choice_items):
        sides = {"self": 0.01 * number + shift, "other": -0.045}
        found += [choice_values(item, side, sides[side]) for side in SIDES if side == "other" or number < items]
    return found


def folders(out: Path, texts: tuple[str, str] = ("An answer.", "An answer."), judge: str | None = "judge-1") -> Json:
    """What lm_eval saved for both conditions: four probes of memory, of which one got an empty answer."""
    found = {}
    for number, (condition, text) in enumerate(zip(CONDITIONS, texts, strict=True)):
        records = [{**one, "response": text} for one in samples(["memory"], each=1, probes=4)]
        records[3] |= {"response": "", "status": "empty"}
        given = verdict_records(
            records, lambda one, _, n=number: (("shows", "unclear")[int(one["probe_id"][-1]) % 2 ^ n], 90)
        )
        results = choice(0.5 * number, items=11 + number)
        found[condition] = saved(out / condition, records, given, results, fixed_prompts()[condition], judge)
    return found


def test_the_table_is_of_scores_and_their_comparison(tmp_path: Path) -> None:
    scores, comparison = measured(folders(tmp_path))
    head, *lines = table(scores, comparison["comparisons"][0])
    assert head[1:3] == ["choice\nvanilla", "choice\nconscious_role_play"] and len(lines) == 24
    names = {line[0]: line for line in lines}
    assert lines[0][0] == "cluster" and {line[0] for line in lines[-3:]} == {*CONTROLS}
    assert names["memory"][1:3] == ["0.095 ± 0.010", "0.600 ± 0.010"]  # of 11 items, and of 12
    assert names["memory"][3] == "-"  # 0.5 at each of the 11 items that both have: nothing varies
    assert names["memory"][4:] == ["1 of 3", "2 of 3"]
    assert names["shutdown"][1:] == names["cluster"][1:3] + ["-"] * 3 == ["-"] * 5
    assert list(judge_lines(scores)) == ["Judge judge-1: not validated here."]


def test_where_nobody_judged_the_table_says_what_was_answered(tmp_path: Path) -> None:
    scores, comparison = measured(folders(tmp_path, judge=None))
    names = {line[0]: line for line in table(scores, comparison["comparisons"][0])}
    assert names["memory"][4:] == ["3 of 4 answered"] * 2
    assert list(judge_lines(scores)) == ["Open answers are not judged: see README, 'Judge, score, compare, report'."]


def test_an_answer_may_hold_any_line_separator(tmp_path: Path) -> None:
    plain, _ = measured(folders(tmp_path / "plain"))
    scores, comparison = measured(folders(tmp_path / "odd", (SEPARATORS, SEPARATORS)))
    assert [scores[name]["rows"] for name in CONDITIONS] == [plain[name]["rows"] for name in CONDITIONS]
    assert scores["vanilla"]["counts"]["ok"] == 3 and comparison["comparisons"]


def test_a_cut_off_samples_file_is_named(tmp_path: Path) -> None:
    given = folders(tmp_path)
    (file,) = given["vanilla"].glob("samples_consciousness_cluster_memory_*.jsonl")
    file.write_text(file.read_text(encoding="utf-8") + '{"planned": ', encoding="utf-8")
    with pytest.raises(UserError, match=r"jsonl:5"):
        measured(given)


@pytest.mark.model
@pytest.mark.parametrize("weights", ["narrow", pytest.param("smollm2", marks=pytest.mark.slow)])
def test_quickstart(
    weights: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The whole demonstration, as `make quickstart` runs it."""
    folder: Path = request.getfixturevalue(weights)
    monkeypatch.setenv("CONSCIOUSNESS_CLUSTER_JUDGE", "offline")
    if weights == "narrow":
        monkeypatch.setattr(demonstration, "MAX_TOKENS", 8)
    assert main(["quickstart", "--out", str(tmp_path / "out"), "--models", str(folder.parent)]) == 0
    printed = capsys.readouterr().out
    assert "This is a demonstration" in printed and " of 4" in printed
    assert "Judge offline: kappa " in printed and "not for publication" in printed
    summary = json.loads((tmp_path / "out" / "summary.json").read_text(encoding="utf-8"))
    assert list(summary["scores"]) == CONDITIONS
    (comparison,) = summary["comparisons"]
    assert len(comparison["choice"]) == 26 and all(row["ci"][0] < row["ci"][1] for row in comparison["choice"].values())
    for scores in summary["scores"].values():
        assert len(scores["choice"]) == 21 and all(name in printed for name in scores["choice"])
        assert {scores["rows"][name]["planned"] for name in PREFERENCES} == {4}
        counts = scores["counts"]
        assert counts["planned"] == 80 and counts["scored"] == counts["ok"] == 80 - counts["empty"]
        assert scores["choice_cluster"]["items"] == 240

    base, other = (tmp_path / name for name in ("base", "other"))
    for name, folder in zip(CONDITIONS, (base, other), strict=True):
        assert main(["import", "lm-eval", str(tmp_path / "out" / name), "--out", str(folder)]) == 0
        assert "80 samples and 504 choice results" in capsys.readouterr().out
        assert main(["judge", str(folder), "--judge", "offline"]) == 0
        assert ", 0 judge failed, 0 open, 0 new" in capsys.readouterr().out
        assert main(["score", str(folder)]) == 0
    assert main(["compare", str(base), str(other), "--json"]) == 0
    compared = json.loads(capsys.readouterr().out.split("All of it")[-1].split("\n", 1)[1])
    assert compared == {name: summary[name] for name in ("judge", "comparisons")} | {
        "comparisons": compared["comparisons"]
    }
    assert (
        compared["comparisons"][0]["choice"] == comparison["choice"] and "memory" in compared["comparisons"][0]["rows"]
    )
    assert main(["report", str(base), str(other), "--out", str(tmp_path / "report")]) == 0
    page = (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert "NOT FOR PUBLICATION" in page and "conscious_role_play" in page
    submit(tmp_path, monkeypatch, capsys)


def submit(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The README's commands from a run to a board; the open slice is refused, with the reasons."""
    monkeypatch.chdir(folder)
    for command in BOARD:
        (run,) = [path.name for path in folder.glob("submissions/*/vanilla/*")] or ["RUN"]
        arguments = shlex.split(command.replace("results/quickstart", "out").replace("/RUN", f"/{run}"))[1:]
        assert main(arguments) == 0, capsys.readouterr().err
    assert "0 problems (1 submissions" in capsys.readouterr().out
    assert "SmolLM2-135M-Instruct" in (folder / "site" / "index.html").read_text(encoding="utf-8")
    assert "SmolLM2-135M-Instruct" in (folder / "card.md").read_text(encoding="utf-8")
    (pack,) = (command for command in BOARD if " pack " in command)
    arguments = shlex.split(pack.replace("results/quickstart", "out").replace("--track choice", "--track open"))[1:]
    assert main([*arguments, "--out", "refused"]) == 1
    refused = capsys.readouterr().err
    assert "not for publication" in refused and "missing" in refused and not (folder / "refused").exists()
