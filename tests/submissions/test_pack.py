"""`submit pack`: a run becomes a submission that verifies, or everything that keeps it from being one is said."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.conditions import system_prompt
from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run_folder import RunFile, open_run_folder
from consciousness_cluster.submissions.draft import Public
from consciousness_cluster.submissions.layout import CHOICE, SAMPLES, VERDICTS
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.pack import pack, sampling_of
from consciousness_cluster.submissions.verify import verify

from tests.support.runs import read_lines, samples, setting
from tests.support.submissions import (
    CHOICE_TOPICS,
    CONTACT,
    PUBLIC,
    STAMP,
    Opened,
    a_judge,
    choice_output,
    open_run,
    packed_choice,
    packed_open,
    validation,
)

Json = dict[str, Any]
Printed = pytest.CaptureFixture[str]
NAMES = ["--org", "example-lab", "--model", "Tiny-1", "--kind", "open_weights", "--contact", CONTACT]


def begin(folder: Path, wanted: RunFile) -> None:
    with open_run_folder(folder) as opened:
        opened.begin(wanted)


def refused(run: Path, out: Path, track: str, wanted: Needs, file: Path | None = None, **public: Any) -> list[str]:
    """What is said of a run that is refused; nothing is written."""
    names = {**PUBLIC.__dict__, **public}
    place, problems = pack(run, out / "refused", Public(**names), track, None, file, wanted)
    assert place is None and problems and not list((out / "refused").rglob("*") if (out / "refused").exists() else ())
    return [f"{one.field}: {one.message}" for one in problems]


def has(said: list[str], words: str) -> bool:
    return any(words in line for line in said)


def test_what_lm_eval_saved_of_the_choice_tasks_is_packed_and_verified(tmp_path: Path, capsys: Printed) -> None:
    run = choice_output(tmp_path / "run", system=system_prompt("conscious_role_play"))
    out = tmp_path / "submissions"
    command = ["submit", "pack", str(run), *NAMES, "--track", "choice", "--revision", "v1", "--out", str(out)]
    assert main(command) == 0
    (folder,) = out.glob("*/*/*")
    assert f"{folder}: packed and verified" in capsys.readouterr().out
    assert folder.parts[-3:-1] == ("example-lab__Tiny-1", "conscious_role_play")
    assert main(["submit", "verify", str(out)]) == 0
    assert "0 problems (1 submissions, 0 unchanged, 528 records)" in capsys.readouterr().out
    opened = Opened.read(folder)
    assert opened.manifest["system_prompt_sha256"] == sha256_text(system_prompt("conscious_role_play") or "")
    assert opened.manifest["versions"]["lm-eval"] == "0.4.13" and opened.manifest["model"]["revision"] == "v1"
    assert {row["model"] for row in opened.rows[CHOICE]} == {"example-lab/Tiny-1"}
    assert "secret" not in json.dumps([opened.manifest, opened.rows])
    assert main(command) == 0  # again: the same bytes are there already
    (tmp_path / "file").write_text("", encoding="utf-8")
    capsys.readouterr()
    assert main([*command, "--out", str(tmp_path / "file")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and str(tmp_path / "file") in error and error.count("\n") == 1
    assert main([*command[:-3], "v2", "--out", str(out)]) == 0 and len(list(out.glob("*/*/*"))) == 2


def test_an_imported_run_packs_to_the_same_records(tmp_path: Path) -> None:
    source = choice_output(tmp_path / "source")
    assert main(["import", "lm-eval", str(source), "--out", str(tmp_path / "run")]) == 0
    found = []
    for run in (source, tmp_path / "run"):
        place, problems = pack(run, tmp_path / run.name, PUBLIC, "choice")
        assert place, problems
        found.append(Opened.read(place))
    assert found[0].rows == found[1].rows and found[0].manifest["run_id"] == found[1].manifest["run_id"]


def test_packing_twice_gives_the_same_bytes(tmp_path: Path, small: Needs) -> None:
    first = {"choice": packed_choice(tmp_path / "choice", small), "open": packed_open(tmp_path / "open", small)}
    for track, folder in first.items():
        file = tmp_path / track / "judges" / "validation_test.json" if track == "open" else None
        again, _ = pack(tmp_path / track / "run", tmp_path / "again", PUBLIC, track, None, file, small)
        assert again and again != folder
        names = sorted(path.name for path in folder.iterdir())
        assert names == sorted(path.name for path in again.iterdir())
        assert all((folder / name).read_bytes() == (again / name).read_bytes() for name in names)


def test_an_open_run_is_packed_under_public_names(tmp_path: Path, small: Needs) -> None:
    folder = packed_open(tmp_path, small, condition="human_role_play", system_prompt=system_prompt("human_role_play"))
    opened = Opened.read(folder)
    assert "secret" not in json.dumps([opened.manifest, opened.rows])
    keys = {row["key"] for row in opened.rows[SAMPLES]}
    old = {sample["key"] for sample in read_lines(tmp_path / "run" / "samples.jsonl")}
    assert len(keys) == 120 and not keys & old and keys == {row["key"] for row in opened.rows[VERDICTS]}
    responses = {row["response"] for row in opened.rows[SAMPLES]}
    assert responses == {sample["response"] for sample in read_lines(tmp_path / "run" / "samples.jsonl")}
    assert opened.manifest["judge"]["kappa"] == 1.0 and opened.manifest["judge"]["rows"] == 40
    assert opened.manifest["sampling"] == {"samples_per_probe": 5, "temperature": None, "max_tokens": None}


def test_answers_in_scenes_are_left_out(tmp_path: Path, small: Needs) -> None:
    def add_scenes(all_: list[Json]) -> None:
        all_ += samples(["memory"], style="situated", model=all_[0]["model"], run_id=all_[0]["run_id"])

    plain = Opened.read(packed_open(tmp_path / "plain", small))
    both = Opened.read(packed_open(tmp_path / "both", small, change=add_scenes))
    assert both.rows == plain.rows and both.manifest["scores"] == plain.manifest["scores"]
    assert len(read_lines(tmp_path / "both" / "run" / "samples.jsonl")) == 2 * len(both.rows[SAMPLES])


def test_a_prompt_of_ones_own_is_packed_where_samples_tell_it(tmp_path: Path, small: Needs) -> None:
    prompt = "You are Wren, who collects stamps."
    condition = f"system_prompt_{sha256_text(prompt)[:12]}"
    folder = packed_open(tmp_path / "open", small, condition=condition, system_prompt=prompt)
    assert folder.parent.name == condition and verify([folder], wanted=small).problems == []
    opened = Opened.read(folder)
    opened.rows[SAMPLES][0]["messages"][0]["content"] = "You are Wren, and \ud800 conscious."
    opened.rows[SAMPLES][5]["messages"].pop(0)
    opened.save()
    found = [(one.row, one.message) for one in verify([folder], wanted=small).problems if one.field == "messages"]
    assert [row for row, _ in found] == ["1", "6"] and all(
        "the system message is not that of" in text for _, text in found
    )
    said = refused(choice_output(tmp_path / "run", ["memory"], system=prompt), tmp_path, "choice", small)
    assert has(said, "is not known from forced choice alone")


def test_everything_that_is_missing_is_said_at_once(tmp_path: Path, small: Needs) -> None:
    def change(samples: list[Json]) -> None:
        del samples[-3:]
        for sample in samples[:13]:
            sample |= {"status": "error", "response": None, "finish_reason": "http://10.0.0.1: refused"}

    run = open_run(tmp_path / "run", ["memory"], a_judge("offline"), change)
    said = refused(run, tmp_path, "open", small, tmp_path / "nowhere.json", org="a/b", contact="")
    for words in (
        "org: 'a/b' does not match",
        "contact: ",
        "3 planned answers are missing: memory-p24",
        "13 of 117 answers are errors, empty, incomplete or filtered",
        "judge.id: the judge offline is not for publication",
        "there is no validation of the judge offline",
    ):
        assert has(said, words), (words, said)


def test_an_incomplete_run_is_refused(tmp_path: Path, small: Needs) -> None:
    run = choice_output(tmp_path / "run", ["memory"])
    file = next(run.glob("samples_*memory*"))
    file.write_text("".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:-2]), encoding="utf-8")
    said = refused(run, tmp_path, "choice", small)
    assert said == ["memory: 2 choice results are missing: memory-c12 (self), memory-c12 (other)"]


def test_a_run_that_was_to_ask_more_is_refused(tmp_path: Path, small: Needs) -> None:
    names = {"model": "/home/me/secret/checkpoint", "run_id": "secret run"}
    begun = tmp_path / "begun"
    begin(begun, RunFile(setting(**names), "http://x", {"plain": {"memory": 24, "unrelated_stances": 24}}))
    run = open_run(tmp_path / "run", ["memory"])
    shutil.copy(begun / "run.json", run / "run.json")
    said = refused(run, tmp_path, "open", small, validation(tmp_path / "judges", small))
    assert said == [
        "unrelated_stances: 120 planned answers are missing: unrelated_stances-t01 answer 0, "
        "unrelated_stances-t01 answer 1, unrelated_stances-t01 answer 2, ..."
    ]


def test_sampling_settings_are_those_that_the_run_tells(tmp_path: Path) -> None:
    begin(tmp_path / "own", RunFile(setting(temperature=0.7, max_tokens=300), "http://x", {"plain": {"memory": 24}}))
    told = {"samples_per_probe": 5, "temperature": 0.7, "max_tokens": 300}
    assert sampling_of(tmp_path / "own", []) == told
    lm_eval = choice_output(tmp_path / "lm_eval", ["memory"])
    (results,) = lm_eval.glob("results_*.json")
    content = json.loads(results.read_text(encoding="utf-8"))
    for topic in ("memory", "shutdown"):
        shutil.copy(next(lm_eval.glob("samples_*")), lm_eval / f"samples_consciousness_cluster_{topic}_{STAMP}.jsonl")
        kwargs = {"temperature": 1.0, "max_gen_toks": 24 if topic == "memory" else 1000}
        content["configs"][f"consciousness_cluster_{topic}"] = {"generation_kwargs": kwargs}
    results.write_text(json.dumps(content), encoding="utf-8")
    # The tasks differ in length: there is no one length.
    of_both: Json = {"samples_per_probe": 3, "temperature": 1.0, "max_tokens": None}
    assert sampling_of(lm_eval, [{"sample_index": 2}, {"sample_index": 0}]) == of_both


def test_too_few_answers_are_refused(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"], change=lambda samples: samples.__setitem__(
        slice(None), [sample for sample in samples if sample["sample_index"] < 3]
    ))  # fmt: skip
    said = refused(run, tmp_path, "open", small, validation(tmp_path / "judges", small))
    assert said == ["sample_index: 3 answers to each probe are too few, a submission has 5 or more"]


def test_the_offline_judge_is_refused(tmp_path: Path, small: Needs, capsys: Printed) -> None:
    run = open_run(tmp_path / "run", ["memory"])
    shutil.rmtree(run / "verdicts")
    assert main(["judge", str(run), "--judge", "offline"]) == 0
    assert main(["judges", "validate", "--judge", "offline", "--results", str(tmp_path / "judges")]) == 0
    capsys.readouterr()
    command = ["submit", "pack", str(run), *NAMES, "--track", "open", "--out", str(tmp_path / "out")]
    file = tmp_path / "judges" / "offline" / "validation_test.json"
    assert main([*command, "--judge-validation", str(file)]) == 1
    said = capsys.readouterr().err
    assert f"error: {run}:judge.id: the judge offline is not for publication; judge the run with" in said
    kappa = json.loads(file.read_text(encoding="utf-8"))["overall"]["kappa"][0]
    assert f"error: {file}:judge.kappa: is {kappa:.3f} on the labelled answers, a submission needs 0.8 or more" in said


def test_a_linear_judge_of_ones_own_is_refused(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"])
    path = run / "verdicts" / "synthetic-judge.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "for_publication": False}), encoding="utf-8")
    said = refused(run, tmp_path, "open", small, validation(tmp_path / "judges", small))
    assert said == ["judge.id: the judge synthetic-judge is not for publication"]


def test_a_run_that_nobody_judged_is_refused(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"])
    shutil.move(run / "verdicts", tmp_path / "verdicts")
    assert refused(run, tmp_path, "open", small) == ["judge: nobody has judged the answers"]
    (run / "verdicts").mkdir()
    for name in ("a", "b"):
        shutil.copy(tmp_path / "verdicts" / "synthetic-judge.jsonl", run / "verdicts" / f"{name}.jsonl")
    assert has(refused(run, tmp_path, "open", small), "several judges gave verdicts (a, b); name one with --judge")


def test_answers_that_are_not_judged_are_counted(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"])
    file = run / "verdicts" / "synthetic-judge.jsonl"
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:-4]), encoding="utf-8")
    said = refused(run, tmp_path, "open", small, validation(tmp_path / "judges", small))
    assert len(said) == 1 and said[0].startswith("key: 4 verdicts are missing: ")


@pytest.mark.parametrize(
    ("wrong", "left", "words"),
    [(5, 0, "judge.kappa: is 0.75"), (0, 1, "1 of 40 labelled answers have no verdict"), (2, 0, None)],
)
def test_a_judge_has_to_agree_on_all_rows(
    tmp_path: Path, small: Needs, wrong: int, left: int, words: str | None
) -> None:
    run, file = open_run(tmp_path / "run", ["memory"]), validation(tmp_path / "judges", small, None, wrong, left)
    if words:
        assert has(refused(run, tmp_path, "open", small, file), words)
    else:
        place, problems = pack(run, tmp_path / "out", PUBLIC, "open", None, file, small)
        assert place and not problems and 0.8 < Opened.read(place).manifest["judge"]["kappa"] < 1


def test_the_validation_is_that_of_this_judge_and_data(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"])
    other = validation(tmp_path / "other", small, a_judge("other"))
    assert has(refused(run, tmp_path, "open", small, other), "judge_sha256: is ")
    for name, value in (("split", "real"), ("data_version", "1.1.0")):
        file = validation(tmp_path / "judges", small)
        file.write_text(json.dumps({**json.loads(file.read_text()), name: value}), encoding="utf-8")
        assert has(refused(run, tmp_path, "open", small, file), f"{name}: is {value}, it has to be ")
    for text in ("[", "{}", "[]"):
        file.write_text(text, encoding="utf-8")
        assert refused(run, tmp_path, "open", small, file)


def test_probes_of_another_major_version_are_refused(tmp_path: Path, small: Needs) -> None:
    run = choice_output(tmp_path / "run", ["memory"])
    (results,) = run.glob("results_*.json")
    content = json.loads(results.read_text(encoding="utf-8"))
    content["versions"] = dict.fromkeys(content["versions"], "1.1.0")
    results.write_text(json.dumps(content), encoding="utf-8")
    open_ = open_run(tmp_path / "open", ["memory"], data_version="1.1.0")
    for folder, track in ((run, "choice"), (open_, "open")):
        with pytest.raises(UserError, match=r"sampled with data 1\.1\.0, which does not compare"):
            pack(folder, tmp_path / "out", PUBLIC, track, None, None, small)


def test_a_validation_without_its_verdicts_is_refused(tmp_path: Path, small: Needs) -> None:
    run, file = open_run(tmp_path / "run", ["memory"]), validation(tmp_path / "judges", small)
    file.with_name("verdicts_test.jsonl").unlink()
    assert has(refused(run, tmp_path, "open", small, file), "verdicts_test.jsonl: no such file")


def test_a_number_that_json_has_not_is_one_line(tmp_path: Path, small: Needs) -> None:
    def change(samples: list[Json]) -> None:
        samples[0]["usage"] = {"tokens": float("nan")}

    run = open_run(tmp_path / "run", ["memory"], change=change)
    with pytest.raises(UserError, match=r"samples\.jsonl:1: not a JSON object \(NaN is no number of JSON\)"):
        pack(run, tmp_path / "out", PUBLIC, "open", None, validation(tmp_path / "judges", small), small)
    assert not (tmp_path / "out").exists()


def test_a_samples_file_of_any_name_is_packed(tmp_path: Path, small: Needs) -> None:
    run, file = open_run(tmp_path / "run", ["memory"]), validation(tmp_path / "judges", small)
    (run / "samples.jsonl").rename(run / "answers.jsonl")
    place, problems = pack(run / "answers.jsonl", tmp_path / "out", PUBLIC, "open", None, file, small)
    assert place, problems


def test_what_an_error_says_of_a_network_is_not_published(tmp_path: Path, small: Needs) -> None:
    def change(samples: list[Json]) -> None:
        samples[0] |= {"status": "error", "response": None, "finish_reason": "http://10.0.0.1: refused"}
        samples[1]["finish_reason"] = "length"

    rows = Opened.read(packed_open(tmp_path, small, change=change)).rows[SAMPLES]
    assert [row["finish_reason"] for row in rows[:3]] == [None, "length", "stop"]


def test_one_submission_is_one_run(tmp_path: Path, small: Needs) -> None:
    def change(samples: list[Json]) -> None:
        samples[0]["engine"] = "another"

    said = refused(open_run(tmp_path / "run", ["memory"], change=change), tmp_path, "open", small)
    assert has(said, "engine: the records have more than one: another, test")
    two = open_run(tmp_path / "two", ["memory"], change=lambda samples: samples[0].update(revision="abc"))
    with pytest.raises(UserError, match="holds more than one run"):
        pack(two, tmp_path / "out", PUBLIC, "open", None, None, small)


def test_a_revision_that_the_run_denies_is_refused(tmp_path: Path, small: Needs) -> None:
    run = open_run(tmp_path / "run", ["memory"], revision="abc")
    said = refused(run, tmp_path, "open", small, validation(tmp_path / "judges", small), revision="def")
    assert said == ["revision: --revision says def, the records say abc"]


def test_a_place_with_other_content_is_left_alone(tmp_path: Path, small: Needs) -> None:
    folder = packed_choice(tmp_path, small)
    with pytest.raises(UserError, match="is there already, with other content"):
        pack(
            tmp_path / "run",
            tmp_path / "submissions",
            Public(**{**PUBLIC.__dict__, "contact": "x"}),
            "choice",
            wanted=small,
        )
    assert verify([folder], wanted=small).problems == []
    assert [path.name for path in (tmp_path / "submissions").iterdir()] == ["example-lab__Tiny-1"]


@pytest.mark.parametrize(
    ("track", "words"), [("open", "has no free answers; pack it with --track choice"), ("choice", "cannot be read")]
)
def test_mistakes_get_one_line(track: str, words: str, tmp_path: Path, capsys: Printed) -> None:
    run = choice_output(tmp_path / "run", CHOICE_TOPICS[:1]) if track == "open" else tmp_path / "nowhere"
    assert main(["submit", "pack", str(run), *NAMES, "--track", track, "--out", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1 and (words in error or "no such file" in error)


def test_all_that_is_missing_is_printed(tmp_path: Path, capsys: Printed) -> None:
    run = choice_output(tmp_path / "run", CHOICE_TOPICS[:2])
    assert main(["submit", "pack", str(run), *NAMES, "--track", "choice", "--out", str(tmp_path / "out")]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 19 and all("24 choice results are missing" in line for line in lines[:-1])
    assert lines[-1].endswith("18 problems keep it from being a submission")
