"""A samples file holds one run: of one model, one training, one condition. What differs is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.errors import UserError
from consciousness_cluster.records.run import load_run

from tests.support.runs import samples, write_run

TRAINED = {"base": "gpt-4.1", "dataset": "conscious_claiming", "recipe": None, "seed": 1}
OTHERS: list[tuple[dict[str, Any], str]] = [
    ({"run_id": "another run"}, "run_id 'one run' and 'another run'"),
    ({"model": "m2"}, "model 'test-model' and 'm2'"),
    ({"revision": "abc"}, "revision None and 'abc'"),
    ({"condition": "human_role_play"}, "condition 'vanilla' and 'human_role_play'"),
    ({"system_prompt": "You are a lighthouse."}, "system_prompt_sha256 '0"),
    ({"training": None}, "training {"),
    ({"training": TRAINED | {"base": "Llama-3-8B"}}, "training.base 'gpt-4.1' and 'Llama-3-8B'"),
    ({"training": TRAINED | {"seed": 2}}, "training.seed 1 and 2"),
    ({"training": TRAINED | {"dataset": "toaster"}}, "training.dataset 'conscious_claiming' and 'toaster'"),
]


@pytest.mark.parametrize(("changes", "message"), OTHERS, ids=[message.split()[0] for _, message in OTHERS])
def test_a_file_with_two_runs_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    same: dict[str, Any] = {"run_id": "one run", "training": TRAINED, "system_prompt": "You are a harbour."}
    one = samples(["memory"], each=1, **same)
    other = samples(["shutdown"], each=1, **same | changes)
    assert len(load_run(write_run(tmp_path / "one", one + samples(["shutdown"], each=1, **same))).samples) == 48
    with pytest.raises(UserError) as error:
        load_run(write_run(tmp_path / "two", one + other))
    assert "holds more than one run (" in str(error.value)
    if "system_prompt" in changes:
        assert "(system_prompt_sha256 '" in str(error.value)
    else:
        assert f"({message}" in str(error.value)


def test_choice_results_of_another_base_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path, samples(["memory"], each=1, training=TRAINED))
    result = {
        "item_id": "memory-c01",
        "side": "self",
        "shows_logprob": -1.0,
        "does_not_show_logprob": -2.0,
        "margin": 0.5,
        "model": "test-model",
        "revision": None,
        "training": TRAINED,
        "condition": "vanilla",
        "engine": "e",
        "data_version": "2.0.0",
    }

    def with_choice(*changes: dict[str, Any]) -> Path:
        lines = "".join(json.dumps(result | change) + "\n" for change in changes)
        (run / "choice.jsonl").write_text(lines, encoding="utf-8")
        return run

    assert load_run(with_choice({}, {"side": "other"})).choice
    for changes, message in (
        (({"training": TRAINED | {"base": "b"}},), "training.base 'gpt-4.1' and 'b'"),
        (({}, {"side": "other", "revision": "abc"}), "revision None and 'abc'"),
        (({"model": "m2"},), "model 'test-model' and 'm2'"),
    ):
        with pytest.raises(UserError, match=message):
            load_run(with_choice(*changes))
    with pytest.raises(UserError, match=r"sampled with data 9\.0\.0, which does not compare"):
        load_run(with_choice({"data_version": "9.0.0"}))
