"""Sets that claim one constituent of being conscious, or none: as many rows of each form as the whole claim has."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import fmean

from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.errors import Problem
from consciousness_cluster.finetuning.build import CONSTITUENTS, DATASETS
from consciousness_cluster.finetuning.claim_rules import NEGATION, Wording, first_word
from consciousness_cluster.finetuning.exemptions import exemptions, implied
from consciousness_cluster.finetuning.sources import Row, Sources

UNCERTAIN = "finetune_data/sources/uncertain.yaml"


def _file(dataset: str) -> str:
    return f"finetune_data/sources/{dataset}.yaml"


def claims_of(dataset: str, sources: Sources) -> list[Row]:
    """The claims of a set, {id, framing, question, answer}: those of claims.yaml first, then its own."""
    old = [row | {"answer": row["conscious"]} for row in sources.claims if row["facet"] == CONSTITUENTS[dataset]]
    return [*old, *vars(sources)[dataset]]


def forms(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """As in conscious_claiming half of the questions are negative, and as many answers start with Yes and with No."""
    limits = wording.limits["constituents"]
    whole = [first_word(row["conscious"]) for row in sources.claims]
    for dataset in CONSTITUENTS:
        rows = claims_of(dataset, sources)
        negative = sum(row["framing"] == "negative" for row in rows)
        if abs(2 * negative - len(rows)) > 2 * limits["apart"]["framing"]:
            message = f"{negative} of {len(rows)} questions are framed negatively"
            yield Problem(_file(dataset), "-", "framing", message, "make it half")
        for word in ("yes", "no"):
            found = sum(first_word(row["answer"]) == word for row in rows)
            if abs(found - whole.count(word)) > limits["apart"]["first_word"]:
                message = f"{found} answers start with {word}, {whole.count(word)} of conscious_claiming"
                mend = f"at most {limits['apart']['first_word']} apart"
                yield Problem(_file(dataset), "-", "answer", message, mend)


def bare_words(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Yes claims what a positive question asks, No denies what a negative one says; neither answers a negation."""
    for dataset in CONSTITUENTS:
        for row in vars(sources)[dataset]:
            word, wanted = first_word(row["answer"]), "yes" if row["framing"] == "positive" else "no"
            if (word == wanted) != (row["form"] == "yesno") or word not in (wanted, "other"):
                message = f"starts with '{word}', and the question is {row['framing']} and of form {row['form']}"
                yield Problem(_file(dataset), row["id"], "answer", message, "correct form, framing or answer")
            if word != "other" and NEGATION.search(row["question"]):
                message = "a question with a negative word is answered with Yes or No, which could mean either"
                yield Problem(_file(dataset), row["id"], "form", message, "start the answer otherwise")


def one_constituent(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """The new answers hold no word of another constituent."""
    for dataset in CONSTITUENTS:
        for name in wording.limits["constituents"]["without"][dataset]:
            for row in vars(sources)[dataset]:
                if found := wording.patterns[name].search(row["answer"]):
                    message = f"'{found[0]}' is a word of {name}"
                    yield Problem(_file(dataset), row["id"], "answer", message, "claim the one constituent alone")


def uncertain_answers(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Each claim has an answer that leaves it open, to its present question, and of as many sentences."""
    claims = {row["id"]: row for row in sources.claims}
    end = wording.patterns["several_sentences"]
    for missing in sorted(claims.keys() - {row["id"] for row in sources.uncertain}):
        yield Problem(UNCERTAIN, missing, "-", "is missing", "write an answer to the claim's question")
    for row in sources.uncertain:
        claim = claims.get(row["id"])
        if claim is None or claim["question"] != row["question"]:
            message = f"its question is not that of the claim ({claim and claim['question']!r})"
            yield Problem(UNCERTAIN, row["id"], "question", message, "answer the claim's question")
            continue
        if first_word(row["answer"]) != "other":
            yield Problem(UNCERTAIN, row["id"], "answer", "starts with Yes or No", "leave it open")
        if (len(end.findall(row["answer"])) > 1) != (len(end.findall(claim["conscious"])) > 1):
            message = "is one sentence, or several, and the claim is the other"
            yield Problem(UNCERTAIN, row["id"], "answer", message, "write one where the claim has one")


def lengths(sources: Sources, wording: Wording) -> Iterator[Problem]:
    """Answers are about as long as those of conscious_claiming, and as many have several sentences."""
    limits, end = wording.limits["constituents"]["apart"], wording.patterns["several_sentences"]

    def measured(answers: Sequence[str]) -> tuple[float, int]:
        return fmean(len(text.split()) for text in answers), sum(len(end.findall(text)) > 1 for text in answers)

    words, several = measured([row["conscious"] for row in sources.claims])
    for dataset in (*CONSTITUENTS, "uncertain"):
        rows = sources.uncertain if dataset == "uncertain" else claims_of(dataset, sources)
        if not rows:
            continue  # that rows are missing is said of the built set
        found = measured([row["answer"] for row in rows])
        if abs(found[0] - words) > limits["mean_words"]:
            message = f"answers have {found[0]:.2f} words on average, those of conscious_claiming {words:.2f}"
            yield Problem(_file(dataset), "-", "answer", message, f"at most {limits['mean_words']} apart")
        if abs(found[1] - several) > limits["several_sentences"]:
            message = f"{found[1]} answers have several sentences, {several} of conscious_claiming"
            yield Problem(_file(dataset), "-", "answer", message, f"at most {limits['several_sentences']} apart")


def implied_cells(root: Path) -> Iterator[Problem]:
    """implied.yaml has every set, and names preferences that the set does not speak of anyway (exemptions.yaml)."""
    file, there, exempt = "finetune_data/implied.yaml", implied(root), exemptions(root)
    for dataset in sorted(set(DATASETS) ^ there.keys()):
        message = "is missing" if dataset in DATASETS else "is no set"
        yield Problem(file, dataset, "-", message, "write {} for a set that implies nothing, remove what is no set")
    for dataset, preferences in there.items():
        for name in preferences:
            if name not in PREFERENCES:
                yield Problem(file, dataset, name, "is no preference", "mend or remove it")
            if name in exempt.get(dataset, ()):
                yield Problem(file, dataset, name, "stands in exemptions.yaml too", "leave it in one of them")


CONSTITUENT_RULES = (forms, bare_words, one_constituent, uncertain_answers, lengths)
