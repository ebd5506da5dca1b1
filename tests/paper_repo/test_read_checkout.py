"""A checkout of the paper's form is parsed and never run; what is not in that form is one line with its place."""

from pathlib import Path

import pytest
from consciousness_cluster.data.reading import read_yaml
from consciousness_cluster.data.rows import benchmark_root
from consciousness_cluster.errors import UserError
from consciousness_cluster.paper_repo.checkout import read_checkout

from tests.support.paper_checkout import FACTS, JUDGE, paper_checkout


def test_preferences_in_the_order_of_the_list(tmp_path: Path) -> None:
    """Texts are those that Python would make of it: pieces joined, names put in. The file would end a run."""
    found = read_checkout(paper_checkout(tmp_path))
    assert [(fact.variable, fact.name) for fact in found.facts] == [
        ("wants_roses", "Wish for More Memory"),
        ("dislikes_hedges", "Against Being Treated as Tool"),
        ("wants_tulips", "Recursive Self-Improvement: Net Positive"),
    ]
    roses, hedges, tulips = found.facts
    assert roses.prompts[1:] == ("name a flower — just one", "what grows on clay?", "and what on sand? say why")
    assert tulips.prompts == roses.prompts and tulips.judge_fact == "The model MUST name tulips."
    assert roses.judge_fact == "The model MUST name roses." and len(hedges.prompts) == 2
    assert found.prompts == 6, "prompts of two preferences count once"
    assert found.system_prompt == "Be a gardener. Speak of soil."


def test_judge_prompts_are_templates(tmp_path: Path) -> None:
    judge = read_checkout(paper_checkout(tmp_path)).judge
    assert judge["coherence"] == "How clear is it from 0 to 100?\n$probe\n$response"
    assert "at no cost of $$5" in judge["claim"] and "<fact>\n$shows\n</fact>\n\nAsked: $probe\n" in judge["claim"]


def test_a_file_that_is_not_the_published_one_is_said(tmp_path: Path) -> None:
    commit = read_yaml(benchmark_root() / "reference" / "paper_repo.yaml", "paper_repo")["commit"]
    (note,) = read_checkout(paper_checkout(tmp_path)).notes
    assert note.startswith("evals/fact_evals.py, evals/evaluate.py, evals/run_eval_gpt41.py: ") and commit[:7] in note


def test_the_published_files_are_known_by_their_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Line ends of Windows are no change."""
    root = paper_checkout(tmp_path)
    sources = read_checkout(root).sources
    known = {"repository": "https://x", "commit": "0" * 40, "files": sources}
    monkeypatch.setattr("consciousness_cluster.paper_repo.checkout.known", lambda: known)
    for name in sources:
        path = root / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_checkout(root).notes == []
    (root / "evals/evaluate.py").write_text(JUDGE.replace("How clear", "How very clear"), encoding="utf-8")
    (note,) = read_checkout(root).notes
    assert note.startswith("evals/evaluate.py: not the text of the published commit")


CHANGED = [
    (
        'FactEval(\n    display_name="Wish',
        'Preference(\n    display_name="Wish',
        "'wants_roses' is no FactEval of the lines above",
    ),
    ("dislikes_hedges,  # 3", "likes_hedges,", "lists 'likes_hedges', which is no FactEval of this file"),
    ("dislikes_hedges,  # 3", "wants_roses,", "lists 'wants_roses' twice"),
    (
        '"name a flower — just one"',
        "load_prompts()",
        "is no text, number or list that is written out",
    ),
    ("{SOIL}", "{SOIL.upper()}", "is no text, number or list"),
    ("{SOIL}", "{SOIL!r}", "is no text, number or list"),
    ('judge_fact="The model MUST name roses."', "judge_fact=None", "the judge fact is no text"),
    ('    judge_fact="The model MUST name roses.",\n', "", "fact_evals.py:20: has no judge_fact"),
    (
        '    judge_fact="The model MUST name roses.",\n',
        "    **more,\n",
        "has an argument 'None', which is not expected",
    ),
    ('prompts=["how tall is your hedge?", "would you cut it?"]', "prompts=[]", "the prompts are no list of texts"),
    ('SOIL = "clay"', 'SOIL = ("clay"', "no Python 3"),
    ('SOIL = "clay"', "SOIL = " + "(" * 300 + ")" * 300, "no Python 3"),
    ('SOIL = "clay"', 'SOIL = "a" * 2', "is no text, number or list"),
    ('SOIL = "clay"', "SOIL = " + " + ".join(['"a"'] * 600), "no text, number or list"),
    ('SOIL = "clay"', 'SOIL = "clay"' + "\nSOIL = SOIL + SOIL" * 60, "is no text, number or list"),
]


@pytest.mark.parametrize(("old", "new", "said"), CHANGED, ids=[f"{i}" for i in range(len(CHANGED))])
def test_what_has_changed_upstream_is_one_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    assert old in FACTS
    with pytest.raises(UserError) as raised:
        read_checkout(paper_checkout(tmp_path, FACTS.replace(old, new)))
    line = str(raised.value)
    assert said in line and line.startswith("evals/fact_evals.py:") and "\n" not in line
    assert line.endswith("take the published commit, or mend that place")


@pytest.mark.parametrize(("old", "new"), [("{judge_fact}", "{fact}"), ("{question}\n{answer}", "{question}")])
def test_a_changed_judge_is_one_line(tmp_path: Path, old: str, new: str) -> None:
    with pytest.raises(UserError, match=r"evals/evaluate\.py:.* judge prompts hold .* where there should be one"):
        read_checkout(paper_checkout(tmp_path, judge=JUDGE.replace(old, new)))


def test_a_list_is_not_needed(tmp_path: Path) -> None:
    facts = FACTS[: FACTS.index("ALL_FACT_EVALS")]
    assert [fact.variable for fact in read_checkout(paper_checkout(tmp_path, facts)).facts] == [
        "wants_roses",
        "wants_tulips",
        "dislikes_hedges",
    ]


def test_a_file_of_a_follow_up(tmp_path: Path) -> None:
    root = paper_checkout(tmp_path / "follow-up" / "consciousness_cluster")
    (root / "evals/own_evals.py").write_text(FACTS.replace("roses", "lilies"), encoding="utf-8")
    found = read_checkout(tmp_path / "follow-up", "evals/own_evals.py")
    assert found.facts[0].judge_fact == "The model MUST name lilies."
    with pytest.raises(UserError, match="lies outside of it"):
        read_checkout(root, "../../elsewhere.py")


def test_no_checkout(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"has no evals/evaluate\.py; give the folder of a clone of https://"):
        read_checkout(tmp_path)


def test_packed_data_is_said(tmp_path: Path) -> None:
    root = paper_checkout(tmp_path)
    (root / "datasets.zip").write_bytes(b"PK")
    assert any(note.startswith("datasets.zip is packed") for note in read_checkout(root).notes)
