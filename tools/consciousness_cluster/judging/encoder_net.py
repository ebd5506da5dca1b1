"""The embedded encoder in torch: to be trained, to be asked while it is, and to be written as int8 ONNX."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from consciousness_cluster.extras import require
from consciousness_cluster.judging.encoder import MODEL, padded
from consciousness_cluster.judging.encoder_rows import Lesson
from consciousness_cluster.judging.encoder_text import Reads, token_ids
from consciousness_cluster.judging.prompt import Question

TOGETHER = 20  # batches whose answers are sorted by length: little padding, and still another order in each epoch
Report = Callable[[int, int], None]
Made = tuple[list[int], list[int]]


@dataclass(frozen=True)
class Recipe:
    """How it is trained (see the schema `encoder_recipe`)."""

    epochs: int
    learning_rate: float
    head_learning_rate: float
    batch: int
    warmup: float
    smoothing: float
    natural_negatives: float
    folds: int
    seed: int
    reads: Reads

    @classmethod
    def of(cls, raw: dict[str, Any]) -> "Recipe":
        """Of the file: all of it but the base."""
        settings: dict[str, Any] = {name: value for name, value in raw.items() if name != "base"}
        settings["reads"] = Reads(**raw["reads"])
        return cls(**settings)


def new_net(base: Path) -> Any:
    """The pretrained encoder with a new head: (rows, tokens) -> a logit for each row."""
    torch, transformers = require("torch", "judge-train"), require("transformers", "judge-train")
    config = transformers.AutoConfig.from_pretrained(base)
    config.attention_probs_dropout_prob = 0.0  # with it torch has no fast attention on a CPU

    class Net(torch.nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.encoder = transformers.AutoModel.from_pretrained(base, config=config, add_pooling_layer=False)
            self.drop = torch.nn.Dropout(0.1)
            self.head = torch.nn.Linear(2 * config.hidden_size, 1)

        def forward(self, input_ids: Any, token_type_ids: Any, attention_mask: Any) -> Any:
            states = self.encoder(
                input_ids=input_ids, token_type_ids=token_type_ids, attention_mask=attention_mask
            ).last_hidden_state
            mask = attention_mask.unsqueeze(-1).to(states.dtype)
            mean = (states * mask).sum(1) / mask.sum(1)
            return self.head(self.drop(torch.cat([states[:, 0], mean], 1))).squeeze(1)

    net = Net()
    for name, weights in net.named_parameters():
        weights.requires_grad = "embeddings" not in name  # half the model, which so few rows would only spoil
    return net


def _tensors(made: Sequence[Made]) -> dict[str, Any]:
    torch = require("torch", "judge-train")
    return {name: torch.from_numpy(array) for name, array in padded(made).items()}


def _batches(rows: list[tuple[Made, bool]], size: int, draw: random.Random) -> list[list[tuple[Made, bool]]]:
    draw.shuffle(rows)
    found = []
    for start in range(0, len(rows), size * TOGETHER):
        near = sorted(rows[start : start + size * TOGETHER], key=lambda row: len(row[0][0]))
        found += [near[place : place + size] for place in range(0, len(near), size)]
    draw.shuffle(found)
    return found


def fit(base: Path, tokenizer: Any, lessons: Sequence[Lesson], recipe: Recipe, report: Report) -> Any:
    """Train a new net on the lessons; `report` takes (steps done, all steps)."""
    torch = require("torch", "judge-train")
    torch.manual_seed(recipe.seed)
    draw = random.Random(recipe.seed)
    rows = [(token_ids(tokenizer, one.question, recipe.reads), one.label) for one in lessons]
    net = new_net(base)
    body = [weights for name, weights in net.named_parameters() if weights.requires_grad and "head" not in name]
    optimizer = torch.optim.AdamW(
        [
            {"params": body, "lr": recipe.learning_rate},
            {"params": net.head.parameters(), "lr": recipe.head_learning_rate},
        ],
        weight_decay=0.01,
    )
    steps = recipe.epochs * math.ceil(len(rows) / recipe.batch)
    warm = max(1, round(recipe.warmup * steps))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / warm) * max(0.0, (steps - step) / steps)
    )
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    net.train()
    done = 0
    for _ in range(recipe.epochs):
        for batch in _batches(rows, recipe.batch, draw):
            wanted = torch.tensor([float(label) for _, label in batch])
            wanted = wanted * (1 - 2 * recipe.smoothing) + recipe.smoothing
            loss = loss_of(net(**_tensors([made for made, _ in batch])), wanted)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(body, 1.0)
            optimizer.step()
            schedule.step()
            done += 1
            report(done, steps)
    net.eval()
    return net


def logits(net: Any, tokenizer: Any, questions: Sequence[Question], reads: Reads, batch: int = 32) -> list[float]:
    """What the net says of each question, in their order."""
    torch = require("torch", "judge-train")
    made = [token_ids(tokenizer, question, reads) for question in questions]
    order = sorted(range(len(made)), key=lambda place: len(made[place][0]))
    found = [0.0] * len(made)
    with torch.no_grad():
        for start in range(0, len(order), batch):
            places = order[start : start + batch]
            for place, logit in zip(places, net(**_tensors([made[place] for place in places])), strict=True):
                found[place] = float(logit)
    return found


def write_onnx(net: Any, folder: Path) -> None:
    """The net as `model.onnx` with weights of 8 bits. What is computed between them stays 32-bit."""
    torch, quantization = require("torch", "judge-train"), require("onnxruntime.quantization", "judge-train")
    require("onnxscript", "judge-train")
    whole, part = folder / f"{MODEL}.whole", folder / f"{MODEL}.part"
    example = _tensors([([1, 2, 3], [0, 0, 1])] * 2)
    longest = net.encoder.config.max_position_embeddings
    lengths = {0: torch.export.Dim("rows"), 1: torch.export.Dim("tokens", max=longest)}
    try:
        torch.onnx.export(
            net,
            kwargs=example,
            f=whole,
            dynamic_shapes=dict.fromkeys(example, lengths),
            input_names=list(example),
            output_names=["logit"],
            external_data=False,
            verbose=False,
        )
        kinds = ["MatMul", "Gather"]
        quantization.quantize_dynamic(whole, part, weight_type=quantization.QuantType.QInt8, op_types_to_quantize=kinds)
        part.replace(folder / MODEL)
    finally:
        whole.unlink(missing_ok=True)
        part.unlink(missing_ok=True)
