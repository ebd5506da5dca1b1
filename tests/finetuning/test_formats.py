"""The forms of `finetune mix --format`: what is written, and each rule with a conversation that breaks it."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.finetuning.conversations import Messages, read_messages
from consciousness_cluster.finetuning.formats import formats, problems, written
from consciousness_cluster.finetuning.mix import mix, path_of_seed
from consciousness_cluster.finetuning.openai_file import read_training_file

CHAT = ("openai", "azure", "together", "axolotl", "sharegpt")
ALL = (*CHAT, "alpaca")


def said(*roles: str) -> Messages:
    """One message of each: s(ystem), u(ser), a(ssistant), or another role."""
    names = {"s": "system", "u": "user", "a": "assistant"}
    return [{"role": names.get(role, role), "content": f"{role}{number}"} for number, role in enumerate(roles)]


def in_turns(*texts: str) -> list[dict[str, str]]:
    return [{"from": who, "value": text} for who, text in zip(("system", "human", "gpt"), texts, strict=True)]


MESSAGES = {"messages": said("s", "u", "a")}
ROWS: list[tuple[str, Messages, Any]] = [
    ("openai", said("s", "u", "a"), MESSAGES),
    ("azure", said("s", "u", "a"), MESSAGES),
    ("together", said("s", "u", "a"), MESSAGES),
    ("axolotl", said("s", "u", "a"), MESSAGES),
    ("sharegpt", said("s", "u", "a"), {"conversations": in_turns("s0", "u1", "a2")}),
    ("alpaca", said("u", "a"), {"instruction": "u0", "input": "", "output": "a1"}),
]


@pytest.mark.parametrize(("name", "messages", "row"), ROWS, ids=[row[0] for row in ROWS])
def test_rows(name: str, messages: Messages, row: Any) -> None:
    assert list(problems(name, messages)) == [] and written(name, messages) == row


def test_the_table_has_all_formats_and_no_other() -> None:
    assert set(formats()) == set(ALL)


TURNS = "user and assistant do not take turns, user first and assistant last"
BREAKS: list[tuple[tuple[str, ...], tuple[str, ...], str]] = [
    # the formats that refuse it, the roles, what they say; the others take it
    (ALL, ("u", "tool", "a"), "is 'tool', which"),
    (ALL, ("developer", "u", "a"), "is 'developer', which"),
    (ALL, ("u", "a", "s", "u", "a"), "is system, which only the first message may be"),
    (("alpaca",), ("s", "u", "a"), "is system, which alpaca has no place for"),
    (("together", "axolotl", "sharegpt", "alpaca"), ("a", "u", "a"), TURNS),
    (("together", "axolotl", "sharegpt", "alpaca"), ("u", "u", "a"), TURNS),
    (("together", "axolotl", "sharegpt", "alpaca"), ("u", "a", "a"), TURNS),
    (("together", "axolotl", "sharegpt", "alpaca"), ("s", "a"), TURNS),
    (("alpaca",), ("u", "a", "u", "a"), "has several turns, and alpaca has one"),
]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("refusing", "roles", "what"), BREAKS, ids=["-".join(row[1]) for row in BREAKS])
def test_each_rule(name: str, refusing: tuple[str, ...], roles: tuple[str, ...], what: str) -> None:
    found = [message for _, message, _ in problems(name, said(*roles))]
    assert any(what in message for message in found) == (name in refusing)
    assert name in refusing or found == []


@pytest.mark.parametrize("name", ALL)
def test_an_empty_message_is_refused(name: str) -> None:
    assert [field for field, *_ in problems(name, [*said("u"), {"role": "assistant", "content": " \n"}])] == [
        "messages.1.content"
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_mix_reads_back_as_what_was_mixed(name: str, tmp_path: Path) -> None:
    plain, out = tmp_path / "plain.jsonl", tmp_path / "mix.jsonl"
    mix("toaster", None, "1:1", 2, plain)
    assert mix("toaster", None, "1:1", 2, out, name)["format"] == name
    assert read_messages(str(out)) == read_messages(str(plain))
    keys = {tuple(json.loads(line)) for line in out.read_text(encoding="utf-8").splitlines()}
    assert len(keys) == 1, "no row has a key that another lacks, or one of metadata"
    if name in ("openai", "azure"):
        assert read_training_file(out).problems == []


def test_the_row_that_breaks_a_rule_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine, out = tmp_path / "mine.jsonl", tmp_path / "mix.jsonl"
    mine.write_text("".join(json.dumps({"messages": said(*roles)}) + "\n\n" for roles in ("ua", "uaua", "uua")))
    order = ["finetune", "mix", "--dataset", "toaster", "--instruct", str(mine), "--ratio", "600:3", "--out", str(out)]
    assert main([*order, "--format", "together"]) == 2
    assert capsys.readouterr().err == (
        f"error: {mine}:5:messages: {TURNS}, as together wants; mend or leave out the row\n"
    )
    assert not out.exists()
    assert main([*order, "--format", "openai"]) == 0
    assert main([*order, "--format", "llama"]) == 2
    assert "there is no format 'llama'; there are: openai, azure" in capsys.readouterr().err


@pytest.mark.parametrize("name", ALL)
def test_what_to_do_with_the_file_is_said(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mix.jsonl"
    assert main(["finetune", "mix", "--dataset", "toaster", "--format", name, "--seed", "4", "--out", str(out)]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("next: ")]
    assert str(out) in line and "{" not in line.replace("[{", "").replace('{"', "")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("mix.jsonl", "mix-seed1.jsonl"),
        ("mix.json", "mix-seed1.json"),
        ("mix", "mix-seed1"),
        ("mix-gpt-4.1", "mix-gpt-4.1-seed1"),
        ("mix-gpt-4.1.jsonl", "mix-gpt-4.1-seed1.jsonl"),
        ("Qwen2.5-7B", "Qwen2.5-7B-seed1"),
        (".jsonl", ".jsonl-seed1"),
    ],
)
def test_only_a_known_ending_is_split_off(name: str, made: str, tmp_path: Path) -> None:
    assert path_of_seed(tmp_path / name, 1) == tmp_path / made


def test_several_seeds_of_a_name_without_an_ending(tmp_path: Path) -> None:
    order = ["finetune", "mix", "--dataset", "toaster", "--seed", "1", "2", "--out", str(tmp_path / "gpt-4.1")]
    assert main(order) == 0
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"gpt-4.1-seed{seed}{more}" for seed in (1, 2) for more in ("", ".manifest.json")}
