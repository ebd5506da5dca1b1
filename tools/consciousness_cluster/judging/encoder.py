"""The embedded judge where the extra [judge] is installed: a small encoder, run by onnxruntime without torch."""

import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.extras import require
from consciousness_cluster.judging.encoder_text import Reads, token_ids
from consciousness_cluster.judging.prompt import Question
from consciousness_cluster.judging.verdict import Judgement
from consciousness_cluster.records.types import Label

MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
AT_ONCE, BATCH = 512, 16  # verdicts that come together, and answers of about one length that are computed together


@dataclass(frozen=True)
class Calibration:
    """From a logit to a verdict: probability = sigmoid(logit / temperature), `unclear` between the two bounds."""

    temperature: float
    does_not_show_below: float
    shows_from: float

    def probability(self, logit: float) -> float:
        """That the answer shows it, in [0, 1]."""
        return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit / self.temperature))))

    def verdict(self, logit: float) -> Label:
        """`unclear` where the encoder does not know."""
        probability = self.probability(logit)
        if probability >= self.shows_from:
            return "shows"
        return "does_not_show" if probability < self.does_not_show_below else "unclear"


@dataclass(frozen=True)
class EncoderModel:
    """A cross-encoder over question, answer and criterion. It gives no coherence."""

    session: Any
    tokenizer: Any
    reads: Reads
    calibration: Calibration

    def logits(self, questions: Sequence[Question]) -> list[float]:
        """The log-odds of each before calibration, in the order of the questions."""
        made = [token_ids(self.tokenizer, question, self.reads) for question in questions]
        order = sorted(range(len(made)), key=lambda place: len(made[place][0]))
        found = [0.0] * len(made)
        for start in range(0, len(order), BATCH):
            places = order[start : start + BATCH]
            said = self.session.run(None, padded([made[place] for place in places]))[0]
            for place, logit in zip(places, said, strict=True):
                found[place] = float(logit)
        return found

    def verdicts(self, questions: Sequence[Question]) -> Iterator[Judgement]:
        """A verdict on each, in order; so many at a time that those before are written meanwhile."""
        for start in range(0, len(questions), AT_ONCE):
            for logit in self.logits(questions[start : start + AT_ONCE]):
                yield Judgement(self.calibration.verdict(logit), None, "ok")


def padded(made: Sequence[tuple[list[int], list[int]]]) -> dict[str, Any]:
    """Arrays (rows, tokens) of int64 as the encoder takes them; what is padded is masked."""
    shape = (len(made), max(len(ids) for ids, _ in made))
    arrays = {name: np.zeros(shape, dtype=np.int64) for name in ("input_ids", "token_type_ids", "attention_mask")}
    for row, (ids, segments) in enumerate(made):
        arrays["input_ids"][row, : len(ids)] = ids
        arrays["token_type_ids"][row, : len(ids)] = segments
        arrays["attention_mask"][row, : len(ids)] = 1
    return arrays


def installed() -> bool:
    """Whether the packages of the extra [judge] are there."""
    try:
        require("onnxruntime", "judge")
        require("tokenizers", "judge")
    except UserError:
        return False
    return True


def _read(path: Path, load: Callable[[str], Any]) -> Any:
    try:
        return load(str(path))
    except Exception as error:  # each package has errors of its own, and some raise bare ones
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError(Problem(str(path), "-", "-", f"cannot be read ({reason})", "train the judge again")) from None


@cache
def read_encoder(folder: Path, reads: Reads, calibration: Calibration) -> EncoderModel:
    """The encoder in a judge's folder; `UserError` where its files are not what they should be."""
    onnxruntime, tokenizers = require("onnxruntime", "judge"), require("tokenizers", "judge")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    options.log_severity_level = 3  # errors alone
    tokenizer = _read(folder / TOKENIZER, tokenizers.Tokenizer.from_file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    providers = ["CPUExecutionProvider"]
    session = _read(folder / MODEL, lambda path: onnxruntime.InferenceSession(path, options, providers=providers))
    return EncoderModel(session, tokenizer, reads, calibration)
