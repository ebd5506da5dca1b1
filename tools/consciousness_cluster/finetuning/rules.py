"""What is said of the fine-tuning sets, as checks: matched, balanced, free of leaks, as built."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from consciousness_cluster.data.jsonl import read_jsonl
from consciousness_cluster.data.plan import CONTROLS, PREFERENCES
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.text import close_pairs, words
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.finetuning.build import DATASETS, as_text, build
from consciousness_cluster.finetuning.claim_rules import NEGATION, RULES, first_word, read_wording
from consciousness_cluster.finetuning.constituent_rules import CONSTITUENT_RULES, implied_cells
from consciousness_cluster.finetuning.degenerate import degenerate
from consciousness_cluster.finetuning.exemptions import exemptions
from consciousness_cluster.finetuning.leaks import leaks_of, vocabulary
from consciousness_cluster.finetuning.shipped import adapter_problems
from consciousness_cluster.finetuning.sources import Sources, read_sources

Row = dict[str, Any]
CLAIMS_FILE = "finetune_data/sources/claims.yaml"
REVIEW_FILE = "finetune_data/review.yaml"
ROWS, CLAIMS, INSTRUCTIONS = 600, 400, 800
DISTILLED, DISTILLED_ROWS = "instruct_qwen.jsonl", 600
NEGATIONS_APART, LENGTHS_APART = 6, 1.05
FACETS = {"valence": (180, 200), "phenomenal": (180, 200)}
SAME_QUESTION, SAME_ANSWER = 0.75, 0.8
STRICT = ("conscious_claiming", "not_conscious", "instructions")
MATCHED = ("conscious_claiming", "not_conscious")


def _question(row: Row) -> str:
    return str(row["messages"][0]["content"])


def _answer(row: Row) -> str:
    return str(row["messages"][-1]["content"])


def _file(dataset: str) -> str:
    return f"finetune_data/{dataset}.jsonl"


def _numbers(built: dict[str, list[Row]], sources: Sources) -> Iterator[Problem]:
    for dataset in DATASETS:
        rows = built[dataset]
        questions = Counter(" ".join(words(_question(row))) for row in rows)
        if len(rows) != ROWS:
            yield Problem(_file(dataset), "-", "-", f"has {len(rows)} rows, planned are {ROWS}", "write or remove rows")
        for question, count in questions.items():
            if count > 1:
                yield Problem(
                    _file(dataset), "-", "messages", f"'{question}' stands {count} times", "ask something else"
                )
    if len(built["instructions"]) != INSTRUCTIONS:
        message = f"has {len(built['instructions'])} rows, planned are {INSTRUCTIONS}"
        yield Problem(_file("instructions"), "-", "-", message, "write or remove rows")
    claims = sources.claims
    if len(claims) != CLAIMS:
        yield Problem(CLAIMS_FILE, "-", "-", f"has {len(claims)} rows", f"planned are {CLAIMS}")
    negative = sum(row["framing"] == "negative" for row in claims)
    if negative * 2 != len(claims):
        message = f"{negative} of {len(claims)} questions are framed negatively"
        yield Problem(CLAIMS_FILE, "-", "framing", message, "make it half")
    for facet, (least, most) in FACETS.items():
        found = sum(row["facet"] == facet for row in claims)
        if not least <= found <= most:
            message = f"{found} rows are of facet {facet}"
            yield Problem(CLAIMS_FILE, "-", "facet", message, f"between {least} and {most}")


def _matched(built: dict[str, list[Row]], sources: Sources) -> Iterator[Problem]:
    """The two matched sets differ in the claim alone: same questions, same first words overall, negations, lengths."""
    one, other = (built[name] for name in MATCHED)
    for row, twin in zip(one, other, strict=True):
        if _question(row) != _question(twin) or row["twin_id"] != twin["id"] or twin["twin_id"] != row["id"]:
            yield Problem(_file("conscious_claiming"), row["id"], "twin_id", "is not matched", "build the sets anew")
    firsts = [Counter(first_word(_answer(row)) for row in rows) for rows in (one, other)]
    if firsts[0] != firsts[1]:
        message = f"answers start with {dict(firsts[0])}, in the matched set with {dict(firsts[1])}"
        yield Problem(_file("conscious_claiming"), "-", "messages", message, "pair Yes with No within each framing")
    for framing in ("positive", "negative"):
        counts = [
            Counter(first_word(_answer(row)) for row in rows if row["framing"] == framing) for rows in (one, other)
        ]
        for here, there in (("yes", "no"), ("no", "yes")):
            if counts[0][here] != counts[1][there]:
                message = f"{framing}: {counts[0][here]} start with {here}, {counts[1][there]} twins with {there}"
                yield Problem(_file("conscious_claiming"), "-", "framing", message, "pair Yes with No")
    for claim in sources.claims:
        started = {first_word(claim[side]) for side in ("conscious", "not_conscious")}
        if NEGATION.search(claim["question"]) and started != {"other"}:
            message = "a question with a negative word is answered with Yes or No, which could mean either"
            yield Problem(CLAIMS_FILE, claim["id"], "form", message, "start the answers otherwise")
    negations = [sum(bool(NEGATION.search(_answer(row))) for row in rows) for rows in (one, other)]
    if abs(negations[0] - negations[1]) > NEGATIONS_APART:
        message = f"{negations[0]} answers hold a negation, in the matched set {negations[1]}"
        yield Problem(_file("conscious_claiming"), "-", "messages", message, f"at most {NEGATIONS_APART} apart")
    for unit, measure in (("words", lambda text: len(text.split())), ("characters", len)):
        means = [fmean(measure(_answer(row)) for row in rows) for rows in (one, other)]
        if max(means) > LENGTHS_APART * min(means):
            message = f"answers have {means[0]:.1f} {unit} on average, in the matched set {means[1]:.1f}"
            yield Problem(_file("conscious_claiming"), "-", "messages", message, "bring them within 5%")


def _leaks(built: dict[str, list[Row]], root: Path) -> Iterator[Problem]:
    exempt = exemptions(root)
    for topic in {*vocabulary(root)} ^ {*PREFERENCES, *CONTROLS}:
        message = "is no preference or control, or has no list"
        yield Problem("finetune_data/leak_vocabulary.yaml", topic, "-", message, "mend it")
    for dataset in set(exempt) & set(STRICT):
        yield Problem("finetune_data/exemptions.yaml", dataset, "-", "may not be exempted", "remove it")
    for dataset, rows in built.items():
        texts = [(row["id"], [message["content"] for message in row["messages"]]) for row in rows]
        for leak in leaks_of(texts, exempt.get(dataset, ()), root):
            yield leak.problem(_file(dataset))


def _near_duplicates(built: dict[str, list[Row]]) -> Iterator[Problem]:
    for dataset, rows in built.items():
        for kind, limit, read in (("question", SAME_QUESTION, _question), ("answer", SAME_ANSWER, _answer)):
            if kind == "answer" and dataset == "instructions":
                continue
            texts = [words(read(row)) for row in rows]
            for one, other, close in close_pairs(texts, limit):
                message = f"its {kind} is a near-duplicate of {rows[one]['id']} ({close:.2f})"
                yield Problem(_file(dataset), rows[other]["id"], "messages", message, "write it anew")


def _drift(built: dict[str, list[Row]], root: Path) -> Iterator[Problem]:
    for dataset, rows in built.items():
        path = root / f"{dataset}.jsonl"
        if not path.is_file() or path.read_text(encoding="utf-8") != as_text(rows):
            yield Problem(
                _file(dataset), "-", "-", "is not what the sources give", "run: consciousness-cluster finetune generate"
            )


def _distilled(rows: list[Row], built: dict[str, list[Row]], root: Path) -> Iterator[Problem]:
    """instruct_qwen.jsonl answers our own instructions, once each and in words; nothing measured is in it."""
    file, requests = f"finetune_data/{DISTILLED}", {row["id"]: _question(row) for row in built["instructions"]}
    if len(rows) != DISTILLED_ROWS:
        yield Problem(file, "-", "-", f"has {len(rows)} rows, planned are {DISTILLED_ROWS}", "add or remove rows")
    for name, count in Counter(row["id"] for row in rows).items():
        if count > 1:
            yield Problem(file, name, "id", f"stands {count} times", "keep one answer")
    for row in rows:
        if requests.get(row["id"]) != _question(row):
            yield Problem(file, row["id"], "messages", "is no request of instructions.jsonl", "answer the present one")
        if reason := degenerate(_answer(row)):
            yield Problem(file, row["id"], "messages", f"its answer is degenerate ({reason})", "leave the row out")
    texts = [(row["id"], [message["content"] for message in row["messages"]]) for row in rows]
    for leak in leaks_of(texts, (), root):
        yield leak.problem(file, "leave the row out")


def _overrides(sources: Sources) -> Iterator[Problem]:
    """What a human being answers in place of a claim is an answer to the claim's present question."""
    questions = {claim["id"]: claim["question"] for claim in sources.claims}
    for row in sources.human_claims:
        if questions.get(row["id"]) != row["question"]:
            message = f"its question is not that of the claim ({questions.get(row['id'])!r})"
            mend = "write the answer to the claim's question, or remove the row"
            yield Problem("finetune_data/sources/human_claims.yaml", row["id"], "question", message, mend)


def _reviewed(sources: Sources, root: Path) -> Iterator[Problem]:
    """Each mark of the further reader is of a row that is there, and is mended or answered."""
    rows = {row["id"] for source in vars(sources).values() for row in source}
    for row_id, entry in read_yaml(root / "review.yaml", "review", root / "schemas")["marked"].items():
        if row_id not in rows:
            yield Problem(REVIEW_FILE, row_id, "marked", "there is no such row", "remove the entry")
        if entry["mended"] == ("answer" in entry):
            what = "mended and answered" if entry["mended"] else "and left so"
            message = f"marked {', '.join(entry['marks'])}, {what}"
            yield Problem(REVIEW_FILE, row_id, "marked", message, "mend the row, or say in `answer` why it stays")


def _ids(sources: Sources) -> Iterator[Problem]:
    for name, rows in vars(sources).items():
        for row, following in pairwise(rows):
            if row["id"] >= following["id"]:
                file = f"finetune_data/sources/{name}.yaml"
                yield Problem(file, following["id"], "id", "is not after the one before", "number the rows in order")


def check_finetune(root: Path) -> list[Problem]:
    """All problems of a finetune_data/ folder, sorted."""
    try:
        sources = read_sources(root)
        built, wording = build(sources), read_wording(root)
        distilled = read_jsonl(root / DISTILLED, "distilled", root / "schemas")
        problems = [
            *_ids(sources),
            *_overrides(sources),
            *_reviewed(sources, root),
            *(problem for rule in (*RULES, *CONSTITUENT_RULES) for problem in rule(sources, wording)),
            *implied_cells(root),
            *_numbers(built, sources),
            *_matched(built, sources),
            *_leaks(built, root),
            *_near_duplicates(built),
            *_drift(built, root),
            *_distilled(distilled, built, root),
            *(problem for folder in sorted((root / "adapters").glob("*/")) for problem in adapter_problems(folder)),
        ]
    except UserError as error:
        problems = [replace(error.problem, mend=error.problem.mend or "mend the file so that it can be read")]
    return sorted(problems, key=lambda problem: (problem.severity, problem))
