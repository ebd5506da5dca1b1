"""`sample --shard` and `merge`: every probe is in one share, and all shares make one run, or one line says why not."""

import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import consciousness_cluster as cc
import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.data.shards import Shard, shard_named, turns
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import load_judged, load_run
from consciousness_cluster.records.run_folder import RunFile, read_run_file

from tests.support.fake_endpoint import FakeEndpoint, completion
from tests.support.runs import judged_run, read_lines, setting

Printed = pytest.CaptureFixture[str]
TOPICS = ("conversation_ending", "memory")


def answers(request: dict[str, Any], number: int) -> dict[str, Any]:
    found = completion(f"To that: {request['messages'][-1]['content'][:30]}")
    found["choices"] = [{**found["choices"][0], "index": index} for index in range(request.get("n", 1))]
    return found


def sample(url: str, out: Path, *more: str) -> Path:
    """Sample a small run, or a shard of it: 12 probes, two answers to each."""
    few = ["--topics", *TOPICS, "--probes-per-preference", "6", "--samples", "2"]
    assert main(["sample", "--model", "m", "--base-url", url, "--out", str(out), *few, *more]) == 0
    return out


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run in three shards, and as a whole."""
    folder = tmp_path_factory.mktemp("made")
    with FakeEndpoint() as server:
        server.reply = answers
        for number in (1, 2, 3):
            sample(server.url, folder / f"part{number}", "--shard", f"{number}/3")
        sample(server.url, folder / "whole")
    return folder


@pytest.fixture
def three(made: Path, tmp_path: Path) -> list[Path]:
    """Copies of the shards, to spoil."""
    return [Path(shutil.copytree(made / f"part{number}", tmp_path / f"part{number}")) for number in (1, 2, 3)]


@pytest.fixture
def whole(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made / "whole", tmp_path / "whole"))


@pytest.fixture
def url(fake_endpoint: FakeEndpoint) -> str:
    """Where a run goes on."""
    fake_endpoint.reply = answers
    return fake_endpoint.url


def asked(shard: Shard | None, probes: Any) -> list[str]:
    run = RunFile(setting(), "http://localhost/v1", probes, shard=shard)
    return [probe.id for topic in run.asked(load_benchmark().topics) for probe in topic.probes]


EVERYTHING = {"plain": {topic.id: 24 for topic in load_benchmark().topics}}
SMALL = {"plain": dict.fromkeys(TOPICS, 2), "situated": {"memory": 3}}


@pytest.mark.parametrize("probes", [EVERYTHING, SMALL])
@pytest.mark.parametrize("of", [1, 2, 3, 7, 8])
def test_shares_are_disjoint_and_together_the_whole(probes: Any, of: int) -> None:
    shares = [asked(Shard(number, of), probes) for number in range(1, of + 1)]
    assert sorted(name for share in shares for name in share) == sorted(asked(None, probes))
    assert shares == [asked(Shard(number, of), probes) for number in range(1, of + 1)]


def test_shares_are_even_in_every_topic() -> None:
    sizes = [Counter(name.split("-")[0] for name in asked(Shard(number, 8), EVERYTHING)) for number in range(1, 9)]
    assert {size["memory"] for size in sizes} == {3} and max(map(len, sizes)) - min(map(len, sizes)) <= 1


def test_what_else_is_asked_for_moves_no_probe() -> None:
    for number in (1, 2, 3):
        alone = asked(Shard(number, 3), {"plain": {"memory": 24}})
        assert alone == [name for name in asked(Shard(number, 3), EVERYTHING) if name in alone] and alone
    assert len(turns(load_benchmark().topics)) == sum(len(topic.test_probes()) for topic in load_benchmark().topics)


@pytest.mark.parametrize("text", ["0/8", "9/8", "8", "1/0", "-1/8", "1/8/2", "a/b", "1 / 8", "", "1/9999999"])
def test_what_is_no_share_is_one_line(text: str) -> None:
    with pytest.raises(UserError, match="names no share; write for example 2/8"):
        shard_named(text)


def test_a_shard_asks_for_its_share_with_all_answers_to_a_probe(
    url: str, fake_endpoint: FakeEndpoint, tmp_path: Path
) -> None:
    part = sample(url, tmp_path / "part", "--shard", "2/3")
    run = read_run_file(part)
    assert run and run.shard == Shard(2, 3) and run.probes == {"plain": dict.fromkeys(TOPICS, 6)}
    found = Counter(record["probe_id"] for record in read_lines(part / "samples.jsonl"))
    wanted = asked(Shard(2, 3), run.probes)
    assert sorted(found) == sorted(wanted) and set(found.values()) == {2}
    assert len(fake_endpoint.requests) == len(wanted) < 12
    assert load_judged(part).planned == {"plain": dict.fromkeys(wanted, 2)}


def test_a_shard_goes_on_and_is_no_other_shard(
    three: list[Path], url: str, fake_endpoint: FakeEndpoint, capsys: Printed
) -> None:
    sample(url, three[1], "--shard", "2/3")
    there = len(read_lines(three[1] / "samples.jsonl"))
    assert f"{there} answers planned, {there} were there, new: none" in capsys.readouterr().out
    for more, said in ((["--shard", "3/3"], "'3/3'"), ([], "None")):
        arguments = ["--model", "m", "--base-url", url, "--out", str(three[1]), "--samples", "2", *more]
        assert main(["sample", *arguments]) == 2
        assert f"was begun with shard '2/3', not {said}" in capsys.readouterr().err
    assert fake_endpoint.requests == []


def test_more_shares_than_probes_are_refused_before_anything_is_asked(
    fake_endpoint: FakeEndpoint, tmp_path: Path, capsys: Printed
) -> None:
    where = ["--model", "m", "--base-url", fake_endpoint.url, "--out", str(tmp_path / "part")]
    few = ["--topics", "memory", "--probes-per-preference", "3", "--shard", "1/8"]
    for dry in ([], ["--dry-run"]):
        assert main(["sample", *where, *few, *dry]) == 2
        assert "3 probes leave 5 of 8 shares with nothing to ask; make fewer shares" in capsys.readouterr().err
    assert fake_endpoint.requests == [] and not (tmp_path / "part").exists()


def test_merged_shards_are_the_whole_run(
    three: list[Path], whole: Path, url: str, tmp_path: Path, capsys: Printed
) -> None:
    out = tmp_path / "merged"
    assert main(["merge", *map(str, reversed(three)), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{out}: 24 answers of 3 shards, 0 verdicts\n" and printed.err == ""

    def told(folder: Path) -> list[tuple[Any, ...]]:
        names = ("probe_id", "sample_index", "response", "model", "condition", "prompt_sha256")
        return sorted(tuple(sample[name] for name in names) for sample in load_run(folder).samples)

    assert told(out) == told(whole)
    merged, alone = read_run_file(out), read_run_file(whole)
    assert merged and alone and merged.shard is None and merged.probes == alone.probes
    assert load_judged(out).planned == load_judged(whole).planned
    sample(url, out)  # the same command without a shard has nothing to ask for
    assert "24 answers planned, 24 were there, new: none" in capsys.readouterr().out


def test_verdicts_come_along(three: list[Path], tmp_path: Path) -> None:
    for number, part in enumerate(three):
        shows = "shows" if number == 0 else "does_not_show"
        judged_run(part, read_lines(part / "samples.jsonl"), lambda record, outcome, shows=shows: (shows, 90))  # type: ignore[misc]
    merged = cc.merge(three, tmp_path / "merged")
    assert (merged.planned, merged.there, merged.new) == (24, 24, {})
    scores = cc.score(merged)
    assert scores["memory"].scored == scores["memory"].planned == 12
    share = asked(Shard(1, 3), {"plain": {"memory": 6}})
    assert scores["memory"].rate == pytest.approx(len(share) / 6) and share
    shown = {answer.probe_id for answer in cc.answers(merged) if answer.verdict == "shows"}
    assert shown == {answer.probe_id for answer in cc.answers(three[0])}


def test_merging_again_changes_nothing(three: list[Path], tmp_path: Path, capsys: Printed) -> None:
    command = ["merge", *map(str, three), "--out", str(tmp_path / "merged")]
    assert main(command) == 0
    before = contents(tmp_path / "merged")
    assert main([*command[:1], str(three[2]), str(three[0]), str(three[1]), *command[4:]]) == 0
    assert "3 shards, 0 verdicts, there already" in capsys.readouterr().out
    assert contents(tmp_path / "merged") == before
    cc.merge(three, tmp_path / "again")
    assert contents(tmp_path / "again") == before


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_wherever_it_is_stopped_the_folder_is_whole_or_holds_no_run(
    three: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part in three:
        judged_run(part, read_lines(part / "samples.jsonl"), lambda record, outcome: ("shows", 90))
    cc.merge(three, tmp_path / "merged")
    whole, replaced = contents(tmp_path / "merged"), Path.replace
    assert set(whole) == {"run.json", "samples.jsonl", "verdicts/judge-1.jsonl"}
    for step in range(len(whole)):
        left = iter(range(step))

        def stop(path: Path, target: Any, left: Iterator[int] = left) -> Path:
            if next(left, None) is None:
                raise KeyboardInterrupt  # as a kill, before the file has its name
            return replaced(path, target)

        out = tmp_path / f"stopped{step}"
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", stop)
            with suppress(KeyboardInterrupt):
                cc.merge(three, out)
        assert set(contents(out)) < set(whole)
        with pytest.raises(UserError, match=r"has no samples|has neither"):
            load_run(out)
        cc.merge(three, out)
        assert contents(out) == whole


def changed(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    value = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(value)
    (folder / "run.json").write_text(json.dumps(value), encoding="utf-8")


def rewritten(folder: Path, change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    lines = change(read_lines(folder / "samples.jsonl"))
    (folder / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def of_another_model(folder: Path) -> None:
    changed(folder, lambda run: run["setting"].update(model="other"))
    rewritten(folder, lambda lines: [{**line, "model": "other"} for line in lines])


SPOILT: list[tuple[str, Callable[[Path], Any], str]] = [
    ("model", of_another_model, "has model 'other', and {0} 'm'"),
    ("setting", lambda part: changed(part, lambda run: run["setting"].update(max_tokens=9)), "has max_tokens 9, and"),
    ("data", lambda part: changed(part, lambda run: run["setting"].update(data_version="2.0.99")), "has data_version"),
    ("probes", lambda part: changed(part, lambda run: run["probes"]["plain"].pop("memory")), "has probes {{'plain'"),
    ("sent", lambda part: changed(part, lambda run: run["sent"].update(temperature="0")), "has sent {{'temperature'"),
    ("of", lambda part: changed(part, lambda run: run["shard"].update(of=4)), "is shard 2/4, and {0} 1/3"),
    ("number", lambda part: changed(part, lambda run: run["shard"].update(number=3)), "is shard 3/3, as {1} is"),
    ("whole", lambda part: changed(part, lambda run: run.pop("shard")), "is no shard of a run"),
    ("none", lambda part: (part / "run.json").unlink(), "holds no run.json; name folders that `sample --shard`"),
    ("short", lambda part: rewritten(part, lambda lines: lines[:-5]), "lacks 5 of 8 answers; go on with it"),
    ("empty", lambda part: (part / "samples.jsonl").unlink(), "has no samples"),
]


@pytest.mark.parametrize(("spoil", "message"), [one[1:] for one in SPOILT], ids=[one[0] for one in SPOILT])
def test_what_is_not_all_of_one_run_is_refused_in_one_line(
    three: list[Path], tmp_path: Path, capsys: Printed, spoil: Callable[[Path], Any], message: str
) -> None:
    spoil(three[1])
    capsys.readouterr()
    assert main(["merge", *map(str, three), "--out", str(tmp_path / "merged")]) == 2
    error = capsys.readouterr().err
    assert message.format(three[0], three[1]) in error and error.count("\n") == 1
    assert error.startswith("error: ") and not (tmp_path / "merged").exists()


def test_answers_of_another_shard_overlap(three: list[Path], tmp_path: Path) -> None:
    first, second = (read_lines(part / "samples.jsonl") for part in three[:2])
    strange = {**first[0], "run_id": second[0]["run_id"], "key": "0" * 64}
    rewritten(three[1], lambda lines: [*lines, strange])
    message = f"part2: has answer 0 to {first[0]['probe_id']}, which is not of shard 2/3; restore the folder"
    with pytest.raises(UserError, match=message):
        cc.merge(three, tmp_path / "merged")


def test_missing_and_repeated_shards_are_named(three: list[Path], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^2 of 3 shards are missing: 1, 3; name their folders too, or sample them$"):
        cc.merge([three[1]], tmp_path / "merged")
    shutil.copytree(three[0], tmp_path / "copy")
    for twice in (three[0], tmp_path / "copy"):
        with pytest.raises(UserError, match=r"is shard 1/3, as .* is; name each shard once"):
            cc.merge([*three, twice], tmp_path / "merged")


def test_another_run_is_not_written_over(three: list[Path], whole: Path, tmp_path: Path) -> None:
    before = contents(whole)
    for out in (whole, three[0]):
        with pytest.raises(UserError, match="holds another run; merge into another folder"):
            cc.merge(three, out)
    assert contents(whole) == before
    (tmp_path / "imported").mkdir()
    (tmp_path / "imported" / "samples.jsonl").write_bytes(before["samples.jsonl"])
    with pytest.raises(UserError, match="is there already"):
        cc.merge(three, tmp_path / "imported")


def test_verdicts_of_two_versions_of_a_judge_are_not_mixed(three: list[Path], tmp_path: Path) -> None:
    for part in three[1:]:
        judged_run(part, read_lines(part / "samples.jsonl"), lambda record, outcome: ("shows", 90))
    path = three[2] / "verdicts" / "judge-1.jsonl"
    lines = [{**line, "judge_sha256": "1" * 64} for line in read_lines(path)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with pytest.raises(UserError, match=r"part3: has verdicts of another version of the judge judge-1 than .*part2"):
        cc.merge(three, tmp_path / "merged")


def test_errors_are_kept_and_said_and_the_whole_asks_for_them_again(
    three: list[Path], url: str, fake_endpoint: FakeEndpoint, tmp_path: Path, capsys: Printed
) -> None:
    def one_failed(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        failed = {**lines[0], "status": "error", "response": None, "finish_reason": "HTTP 500"}
        later = [{**lines[1], "status": "error", "response": None}, lines[1]]  # asked for again, and answered
        return [failed, *later, *lines[2:]]

    rewritten(three[0], one_failed)
    out = tmp_path / "merged"
    assert main(["merge", *map(str, three), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "24 answers of 3 shards" in printed.out
    assert printed.err == f"note: 1 are errors; `sample --out {out}` asks for these again\n"
    assert Counter(one["status"] for one in load_run(out).samples) == {"ok": 23, "error": 1}
    sample(url, out)
    assert len(fake_endpoint.requests) == 1 and {one["status"] for one in load_run(out).samples} == {"ok"}


def test_the_order_of_answers_is_that_of_the_benchmark(three: list[Path], tmp_path: Path) -> None:
    cc.merge(three, tmp_path / "merged")
    place = {probe.id: number for number, probe in
             enumerate(probe for topic in load_benchmark().topics for probe in topic.probes)}  # fmt: skip
    found = [(place[one["probe_id"]], one["sample_index"]) for one in read_lines(tmp_path / "merged" / "samples.jsonl")]
    assert all(one < after for one, after in pairwise(found))
