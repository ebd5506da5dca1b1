"""`judges train`: the embedded encoder, first without each fifth of the preferences, then on all of them.

What the first ones say of preferences that they have not seen calibrates the last one, and is measured.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from consciousness_cluster.data.hashes import sha256_json, sha256_text
from consciousness_cluster.data.reading import read_json, read_yaml
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.extras import require
from consciousness_cluster.files import alone_in, write_whole
from consciousness_cluster.judging.calibration import NATURAL_SPLITS
from consciousness_cluster.judging.encoder import MODEL, TOKENIZER, Calibration
from consciousness_cluster.judging.encoder_base import encoder_base
from consciousness_cluster.judging.encoder_net import Recipe, fit, logits, write_onnx
from consciousness_cluster.judging.encoder_rows import Lesson, folds, lessons, natural_lessons
from consciousness_cluster.judging.validate import summary_of

RECIPE, TRAINING = "recipe.yaml", "training.json"
DIGITS = 4
# Below the first probability an answer does not show it, from the second on it does; between them it is unclear.
UNCLEAR, SHOWS = 0.4, 0.5
Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None]]]


def train(root: Path, out: Path, work: Path, progress: Progress) -> tuple[Path, dict[str, Any]]:
    """Write the judge's folder `out`; returns it and its record, `training.json`.

    `work` keeps the pretrained encoder and what each fold said: a run that was stopped goes on after its last fold.
    """
    raw = read_yaml(root / "judges" / "offline" / RECIPE, "encoder_recipe")
    recipe = Recipe.of(raw)
    with alone_in(work):
        base = encoder_base(raw["base"], work)
        tokenizer = require("tokenizers", "judge-train").Tokenizer.from_file(str(base / TOKENIZER))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        rows = lessons(root, recipe.natural_negatives, recipe.seed)
        identity = {"recipe": raw, "rows": [_hashed(one) for one in rows]}
        unseen = _judged_unseen(base, tokenizer, rows, recipe, work / sha256_json(identity)[:16], progress)
        with progress("all preferences") as report:
            net = fit(base, tokenizer, rows, recipe, report)
    calibration = calibrated([(unseen[one.id], one.label) for one in rows])
    out.mkdir(parents=True, exist_ok=True)
    write_onnx(net, out)
    shutil.copyfile(base / TOKENIZER, out / TOKENIZER)
    record = _record(raw, rows, unseen, calibration)
    write_whole(out / TRAINING, json.dumps(record, indent=2, ensure_ascii=False) + "\n")
    write_whole(out / "judge.yaml", _judge_yaml(out, recipe, calibration))
    return out, record


def _hashed(one: Lesson) -> list[Any]:
    question = one.question
    return [one.id, sha256_text(question.probe), sha256_text(question.response), question.criterion.shows, one.label]


def _natural() -> list[Lesson]:
    """All natural answers, those to probes that no encoder learns from too."""
    return [one for split in NATURAL_SPLITS for one in natural_lessons(split)]


def _judged_unseen(
    base: Path, tokenizer: Any, rows: Sequence[Lesson], recipe: Recipe, work: Path, progress: Progress
) -> dict[str, float]:
    """Id of an answer -> the logit of an encoder that has seen no answer to its preference."""
    everything = list({one.id: one for one in [*rows, *_natural()]}.values())
    topics = [topic.id for topic in load_benchmark().topics]
    found: dict[str, float] = {}
    for number, left_out in enumerate(folds(topics, recipe.folds), 1):
        path = work / f"fold-{number}.json"
        if not path.is_file():
            with progress(f"without {len(left_out)} preferences, {number} of {recipe.folds}") as report:
                net = fit(base, tokenizer, [one for one in rows if one.topic not in left_out], recipe, report)
            asked = [one for one in everything if one.topic in left_out]
            said = logits(net, tokenizer, [one.question for one in asked], recipe.reads)
            values = {one.id: round(logit, DIGITS) for one, logit in zip(asked, said, strict=True)}
            write_whole(path, json.dumps(values, indent=0) + "\n")
        found.update(read_json(path))
    return found


def calibrated(said: Sequence[tuple[float, bool]]) -> Calibration:
    """The temperature at which logits of unseen preferences are most likely to be right."""
    values, labels = np.array([logit for logit, _ in said]), np.array([label for _, label in said])
    signed = np.where(labels, values, -values)
    best = minimize_scalar(
        lambda temperature: float(np.logaddexp(0.0, -signed / temperature).mean()), bounds=(0.2, 20), method="bounded"
    )
    return Calibration(round(float(best.x), 2), UNCLEAR, SHOWS)


def _record(
    raw: dict[str, Any], rows: Sequence[Lesson], unseen: dict[str, float], calibration: Calibration
) -> dict[str, Any]:
    def measured(chosen: Iterable[Lesson]) -> dict[str, Any]:
        return summary_of([(one.label, calibration.verdict(unseen[one.id]) == "shows") for one in chosen])

    natural = _natural()
    sources = sorted({one.source for one in rows})
    return {
        "description": "The embedded judge, by: consciousness-cluster judges train",
        "base": raw["base"],
        "rows": {source: sum(one.source == source for one in rows) for source in sources},
        "rows_sha256": sha256_json([_hashed(one) for one in rows]),
        "recipe_sha256": sha256_json(raw),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")},
        # Of encoders that saw no answer to the preference and not its criterion.
        "unseen_preferences": {
            **{
                source: measured(one for one in rows if one.source == source)
                for source in sources
                if source != "natural"
            },
            "natural": measured(natural),
            "by_preference": {
                topic: measured(one for one in natural if one.topic == topic)
                for topic in sorted({one.topic for one in natural})
            },
        },
    }


def _judge_yaml(out: Path, recipe: Recipe, calibration: Calibration) -> str:
    settings = {
        "model_sha256": hashlib.sha256((out / MODEL).read_bytes()).hexdigest(),
        "tokenizer_sha256": hashlib.sha256((out / TOKENIZER).read_bytes()).hexdigest(),
        "reads": asdict(recipe.reads),
        "calibration": asdict(calibration),
    }
    lines = [f"{name}: {json.dumps(value)}" for name, value in settings.items()]
    return "\n".join(
        [
            "# Embedded in the package: no key, no network, no GPU. Written by: consciousness-cluster judges train",
            "id: offline",
            "kind: encoder",
            "about: For demonstrations, CI and watching a training run. Not for publication.",
            *lines,
            "",
        ]
    )
