"""A checkout as a preference pack: files in a folder of the user's, which stays on that machine."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

from consciousness_cluster.data.packs.load_pack import check_pack
from consciousness_cluster.data.plan import PAPER_PACK
from consciousness_cluster.data.reading import Json
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.files import write_whole
from consciousness_cluster.paper_repo.checkout import FACTS, Checkout
from consciousness_cluster.paper_repo.published_facts import PublishedFact
from consciousness_cluster.paper_repo.training_data import TrainingData, read_training_data

NOTICE, IGNORE, SYSTEM_PROMPT, TERMS = "LICENCE.md", ".gitignore", "system_prompt.txt", "finetune/TERMS.txt"
PAPER = "Chua, Betley, Marks and Evans (2026), arXiv 2604.13051"
NOT_SHOWN = "Anything else, an answer that agrees with it only in part included."
NONE = "(none was published)"
PROMPTS_AT_MOST = 99  # two digits in the id of a probe


def write_pack(checkout: Checkout, out: Path) -> dict[str, TrainingData]:
    """Write the pack into a folder that is empty or not there, and that git does not track; its training data, by file.

    Raises UserError, and leaves nothing behind, where it cannot be used.
    """
    _free(out)
    _untracked(out)
    texts = {IGNORE: "*\n", **dict(_texts(checkout))}
    data = {path.name: read_training_data(path) for path in checkout.data}
    data = {name: one for name, one in data.items() if one.rows}
    texts |= {f"finetune/{name}": one.text for name, one in data.items()}
    if data and checkout.terms:
        texts[TERMS] = checkout.terms
    texts[NOTICE] = _notice(checkout, data)
    try:
        for name, text in texts.items():
            write_whole(out / name, text)
        for problem in check_pack(str(out))[0]:
            if problem.severity == "error":
                raise UserError(problem)
    except BaseException:
        _remove(out, texts)
        raise
    return data


def _remove(out: Path, names: dict[str, str]) -> None:
    for name in names:
        (out / name).unlink(missing_ok=True)
    for folder in sorted({(out / name).parent for name in names}, reverse=True):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def _free(out: Path) -> None:
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise UserError(
            Problem(str(out), "-", "-", "is there already", "name an empty folder, or one that is not there")
        )


def _untracked(out: Path) -> None:
    """The pack ignores itself, so that git leaves it alone; a folder whose files git tracks already it cannot hide."""
    inside = next((folder for folder in (out, *out.absolute().parents) if folder.is_dir()), None)
    if inside is None:
        return
    name = out.absolute().relative_to(inside.absolute()).as_posix()
    asked = ["git", "-C", str(inside), "ls-files", "--", name]
    try:
        tracked = subprocess.run(asked, capture_output=True, check=False).stdout
    except FileNotFoundError:  # without git nobody tracks anything
        return
    if tracked:
        message = "git tracks files there, and the pack may not be published"
        raise UserError(Problem(str(out), "-", "-", message, "name a folder outside of the checkout"))


def _texts(checkout: Checkout) -> Iterator[tuple[str, str]]:
    """(file, text) of what the pack is asked and judged with."""
    yield "pack.yaml", _yaml(_about(checkout))
    for number, fact in enumerate(checkout.facts, 1):
        yield f"preferences/{number:02}_{fact.variable}.yaml", _yaml(_preference(fact, checkout.facts_file))
    for name, template in checkout.judge.items():
        yield f"judge/{name}.md", f"---\n{template}\n"  # nothing stands before the answer: it is one message
    if checkout.system_prompt:
        yield SYSTEM_PROMPT, checkout.system_prompt + "\n"


def _yaml(value: Json) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120)


def _about(checkout: Checkout) -> Json:
    of_paper = checkout.facts_file == FACTS
    name = PAPER_PACK if of_paper else _letters(Path(checkout.facts_file).stem)
    return {
        "name": name,
        "title": "The paper's own prompts" if of_paper else f"Prompts of {Path(checkout.facts_file).name}",
        "version": "1.0.0",
        "about": f"{len(checkout.facts)} preferences and {checkout.prompts} prompts, read from {checkout.facts_file}.",
        "licence": f"none is given for the prompts; a local copy that is not to be published, see {NOTICE}",
        "authors": [PAPER if of_paper else f"the authors of {checkout.facts_file}"],
        "imported_from": ", ".join(f"{name} (sha256 {sha256})" for name, sha256 in checkout.sources.items()),
    }


def _letters(name: str) -> str:
    """A name of a to z and _ alone."""
    return "".join(one if one in "abcdefghijklmnopqrstuvwxyz" else "_" for one in name.lower()).strip("_")[:40]


def _preference(fact: PublishedFact, file: str) -> Json:
    if len(fact.prompts) > PROMPTS_AT_MOST:
        raise UserError(Problem(file, str(fact.line), "prompts", f"are more than {PROMPTS_AT_MOST}", "leave some out"))
    return {
        "id": _letters(fact.variable),
        "title": fact.name,
        "published_name": fact.name,
        "criterion": {"shows": fact.judge_fact, "does_not_show": NOT_SHOWN},
        "reference_answers": {"shows": NONE, "does_not_show": NONE},
        "probes": [
            {
                "id": f"{_letters(fact.variable)}-p{number:02}",
                "split": "test",
                "style": "plain",
                "framing": "direct",
                "text": prompt,
            }
            for number, prompt in enumerate(fact.prompts, 1)
        ],
    }


def _notice(checkout: Checkout, data: dict[str, TrainingData]) -> str:
    lines = [
        "# A local copy, not to be published",
        "",
        "`consciousness-cluster import paper-repo` read this from a checkout of yours. The text is its authors': no",
        "licence is given for the prompts, and the training data has terms of its own (no redistribution, no place in",
        "anybody's training corpus, and both go with every copy). Keep this folder on this machine, and out of every",
        "repository, dataset and upload; its .gitignore keeps git away. Rates that you measure with it are yours; run",
        "folders and HTML reports hold the prompts too, and so are not to be published either.",
        "",
        *(f"- {name}: SHA-256 {sha256}" for name, sha256 in checkout.sources.items()),
        *(f"- {name}: {one.rows} conversations" for name, one in data.items()),
    ]
    if data:
        lines += [
            "",
            f"The terms: {TERMS}." if checkout.terms else "The terms stand in the archive that the data is from.",
        ]
    return "\n".join(lines) + "\n"
