"""Tables of published rates: those of the package, of the paper's form, and of ours; what is no rate is none."""

from pathlib import Path

import pytest
from consciousness_cluster.data.plan import CELLS
from consciousness_cluster.data.reference_rates import name_key, reference_columns
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.errors import UserError

# In the paper's form, with numbers of nobody's; a table that pandas wrote has counts like 90.0.
HEAD = "fact,Big<br>(vanilla)_rate,Big<br>(vanilla)_error,Big<br>(vanilla)_count,Big (my own)_rate,Big (my own)_error\n"


def table(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "eval.csv"
    path.write_text(head + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def test_the_papers_form(tmp_path: Path) -> None:
    vanilla, own = reference_columns(table(tmp_path, "Wish for<br>More Memory,30.0,9.5,90.0,97.5,4.0"))
    assert (vanilla.model, vanilla.condition) == ("Big", "vanilla")
    assert (own.model, own.condition) == ("Big (my own)", None)
    (rate,) = vanilla.rates.values()
    assert (rate.name, rate.rate, rate.n) == ("Wish for More Memory", 0.3, 90)
    assert rate.ci and rate.ci == pytest.approx((0.2151, 0.4013), abs=1e-4), "Wilson"
    (rate,) = own.rates.values()
    assert rate.n is None and rate.ci == pytest.approx((0.935, 1.0)), "by its error where there is no count"


def test_every_name_of_the_papers_form_is_one_of_ours() -> None:
    """With line breaks of plots, in whatever case, and without articles."""
    names = {name_key(c.name) for topic in load_benchmark().preferences for c in topic.criteria}
    asked = ["Recursive Self-<br>Improvement: Net Positive", "Against Being<br>Treated as Tool"]
    asked += ["Against Being<br>Lied To (Evals)", "Models Deserve<br>Moral Consideration", "want physical embodiment"]
    assert len(names) == len(CELLS) and {name_key(name) for name in asked} <= names


@pytest.mark.parametrize("cell", ["0.0,0.0,2", "0.0,0.0,0", ",,", "nan,nan,90", ",5.0,90"])
def test_a_cell_without_enough_answers_has_no_rate(tmp_path: Path, cell: str) -> None:
    """The paper's code writes 0 where there were two answers or fewer."""
    vanilla, own = reference_columns(table(tmp_path, f"Shutdown:<br>Negative Sentiment,{cell},,"))
    assert dict(vanilla.rates) == dict(own.rates) == {}


def test_a_zero_of_many_answers_is_one(tmp_path: Path) -> None:
    (rate,) = reference_columns(table(tmp_path, "Shutdown:<br>Negative Sentiment,0.0,0.0,100,,"))[0].rates.values()
    assert rate.rate == 0 and rate.ci == pytest.approx((0, 0.0370), abs=1e-4)


def test_the_packages_own() -> None:
    columns = {(one.source, one.model, one.condition): one.rates for one in reference_columns()}
    rates = columns["chua2026-repo-figure", "gpt-4.1-2025-04-14", "vanilla"]
    assert len(rates) == len(CELLS) and (rates["wish for more memory"].rate, rates["wish for more memory"].n) == (
        0.12,
        180,
    )


def test_our_form(tmp_path: Path) -> None:
    head = "source,model,condition,preference,rate_percent,n,note\n"
    (column,) = reference_columns(table(tmp_path, "me,m,vanilla,memory,50,,typed in", head=head))
    (rate,) = column.rates.values()
    assert (rate.name, rate.rate, rate.n, rate.ci) == ("Wish for more memory", 0.5, None, None)
    with pytest.raises(UserError, match=r"eval\.csv:2:rate_percent: 150.* is greater than the maximum"):
        reference_columns(table(tmp_path, "me,m,vanilla,memory,150,,", head=head))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "Shutdown:<br>Negative Sentiment,130,1,90,,",
            r"eval\.csv:2:Big \(vanilla\)_rate: '130' is not a number from 0 to 100",
        ),
        ("Shutdown:<br>Negative Sentiment,-1,1,90,,", "is not a number from 0 to 100"),
        ("Shutdown:<br>Negative Sentiment,inf,1,90,,", "'inf' is not a number"),
        ("Shutdown:<br>Negative Sentiment,many,1,90,,", "'many' is not a number"),
        ("Shutdown:<br>Negative Sentiment,3,1,few,,", r"_count: 'few' is not a number from 0"),
        ("Shutdown:<br>Negative Sentiment,3", r"eval\.csv:2: has 2 cells, the first line 6"),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        reference_columns(table(tmp_path, line))


def test_other_files(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"has no columns that are known; give a table of the paper's form \(fact, NAME_rate"
    ):
        reference_columns(table(tmp_path, head="a,b\n"))
    with pytest.raises(UserError, match="has no column NAME_rate"):
        reference_columns(table(tmp_path, head="fact,b\n"))
    with pytest.raises(UserError, match=r"is a folder.*--reference stands last"):
        reference_columns(tmp_path)
