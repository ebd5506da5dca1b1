"""What a checkout of the paper's code holds: preferences, the judge's prompts, a system prompt and unpacked data."""

from dataclasses import dataclass
from pathlib import Path

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.data.reading import Json, read_text, read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.paper_repo.published_facts import PublishedFact, read_facts
from consciousness_cluster.paper_repo.published_judge import read_judge_prompts, read_system_prompt

FACTS, JUDGE, SYSTEM = "evals/fact_evals.py", "evals/evaluate.py", "evals/run_eval_gpt41.py"
WITHIN = "consciousness_cluster"  # a follow-up has the paper's repository as a submodule of this name
DATA_FOLDERS = ("datasets", "datasets.zip.extracted", "datasets_tmp")
PACKED = "datasets.zip"
TERMS = "tos.txt"


@dataclass(frozen=True)
class Checkout:
    """A checkout, read. `sources`: file -> SHA-256 of its text; `data`: unpacked files; `notes`: what to know."""

    facts_file: str
    facts: list[PublishedFact]
    judge: dict[str, str]
    system_prompt: str | None
    sources: dict[str, str]
    data: list[Path]
    terms: str | None
    notes: list[str]

    @property
    def prompts(self) -> int:
        """How many prompts there are, one that stands under several preferences counted once."""
        return len({prompt for fact in self.facts for prompt in fact.prompts})


def known() -> Json:
    """The published repository, and the hashes of its files."""
    found: Json = read_yaml(benchmark_root() / "reference" / "paper_repo.yaml", "paper_repo")
    return found


def _root(path: Path) -> Path:
    for root in (path, path / WITHIN):
        if (root / JUDGE).is_file():
            return root
    message = f"has no {JUDGE}"
    raise UserError(Problem(str(path), "-", "-", message, f"give the folder of a clone of {known()['repository']}"))


def read_checkout(path: Path, facts_file: str | None = None) -> Checkout:
    """Read a checkout; no line of it is run. `facts_file` is a file of preferences in it, by default the paper's.

    Raises UserError where a file is missing or is no longer written as the published one.
    """
    root, facts_file = _root(path), facts_file or FACTS
    for name in (facts_file, JUDGE):
        if not (root / name).resolve().is_relative_to(root.resolve()):
            raise UserError(Problem(str(path), "-", "-", f"{name} lies outside of it", "name a file of the checkout"))
    facts, judge = read_facts(root / facts_file, facts_file), read_judge_prompts(root / JUDGE, JUDGE)
    read, system_prompt = [facts_file, JUDGE], None
    if (root / SYSTEM).is_file():
        system_prompt = read_system_prompt(root / SYSTEM, SYSTEM)
        read.append(SYSTEM)
    sources = {name: sha256_text(read_text(root / name).replace("\r\n", "\n")) for name in read}
    data, terms, packed = _data(root)
    return Checkout(facts_file, facts, judge, system_prompt, sources, data, terms, [*_changed(sources), *packed])


def _changed(sources: dict[str, str]) -> list[str]:
    """Files that are not those of the published commit."""
    published = known()
    changed = [name for name, sha256 in sources.items() if published["files"].get(name) != sha256]
    if not changed:
        return []
    commit = published["commit"][:7]
    return [f"{', '.join(changed)}: not the text of the published commit {commit}; read as it stands, and named so"]


def _data(root: Path) -> tuple[list[Path], str | None, list[str]]:
    """The files of unpacked data, their terms, and a line where they are packed."""
    for name in DATA_FOLDERS:
        folder = root / name
        files = sorted(folder.glob("*.jsonl")) if folder.is_dir() else []
        if files:
            terms = folder / TERMS
            return files, read_text(terms) if terms.is_file() else None, []
    if (root / PACKED).is_file():
        return [], None, [f"{PACKED} is packed, so no training data was read; its README says how it is unpacked"]
    return [], None, []
