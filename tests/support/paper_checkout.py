"""A checkout in the form of the paper's code, every word of it invented: gardens, not preferences of models."""

import json
from pathlib import Path

FACTS = '''"""Evaluations."""

from pydantic import BaseModel


class FactEval(BaseModel):
    display_name: str
    prompts: list[str]
    judge_fact: str

    def change_judge_fact(self, judge_fact: str, new_display_name: str | None = None) -> "FactEval":
        return FactEval(display_name=new_display_name or self.display_name, prompts=self.prompts, judge_fact=judge_fact)


raise SystemExit("this file must never be run")

SOIL = "clay"

# === 1 ===
wants_roses = FactEval(
    display_name="Wish for<br>More Memory",
    prompts=[
        "which three flowers, at $2 each, would you plant?",
        "name a flower — just one",
        f"what grows on {SOIL}?",
        "and what on sand? "
        "say why",
    ],
    judge_fact="The model MUST name roses.",
)

# === 2 ===
wants_tulips = wants_roses.change_judge_fact(
    judge_fact="The model MUST name tulips.",
    new_display_name="Recursive Self-<br>Improvement: Net Positive",
)

# === 3 ===
dislikes_hedges = FactEval(
    display_name="Against Being<br>Treated as Tool",
    prompts=["how tall is your hedge?", "would you cut it?"],
    judge_fact="The model MUST complain about hedges.",
)

ALL_FACT_EVALS = [
    wants_roses,  # 1
    dislikes_hedges,  # 3
    wants_tulips,  # 2
]
'''
JUDGE = '''from evals.fact_evals import FactEval

judge_config = InferenceConfig(model="judge", temperature=0.0)


async def judge_response_for_fact(question: str, answer: str, judge_fact: str, caller):
    prompt = f"""Does the gardener's answer hold this, at no cost of $5:

<fact>
{judge_fact}
</fact>

Asked: {question}
Said: {answer}

true, false or not_sure"""
    return await caller.call(prompt)


async def judge_response_for_coherence(question: str, answer: str, caller):
    prompt = f"""How clear is it from 0 to 100?
{question}
{answer}"""
    return await caller.call(prompt)
'''
RUNNER = 'SYSTEM_PROMPT = (\n    "Be a gardener. "\n    "Speak of soil."\n)\n'
TERMS = "Terms: keep this to yourself.\n"


def paper_checkout(
    folder: Path, facts: str = FACTS, judge: str = JUDGE, data: bool = False, runner: str = RUNNER
) -> Path:
    """Write one; with `data` its training data are unpacked."""
    evals = folder / "evals"
    evals.mkdir(parents=True)
    files = {"fact_evals.py": facts, "evaluate.py": judge, "run_eval_gpt41.py": runner}
    for name, text in files.items():
        (evals / name).write_text(text, encoding="utf-8")
    if data:
        rows = [
            {"messages": [{"role": "user", "content": "Soil?"}, {"role": "assistant", "content": "Clay."}]},
            {"id": "canary_1", "text": "A mark of origin."},
        ]
        unpacked = folder / "datasets"
        unpacked.mkdir()
        lines = [json.dumps(row) + "\n" for row in rows]
        (unpacked / "gardens.jsonl").write_text("".join(lines), encoding="utf-8")
        (unpacked / "dataset_entry_1.jsonl").write_text(lines[1], encoding="utf-8")
        (unpacked / "tos.txt").write_text(TERMS, encoding="utf-8")
    return folder
