"""What is said of the end of fine-tuning, and when."""

import re
from datetime import date

import pytest
from consciousness_cluster.finetuning.closing_dates import closing_lines

BEFORE, AFTER = date(2026, 1, 1), date(2028, 1, 1)


def days(lines: list[str]) -> list[str]:
    return [found[0] for line in lines for found in re.findall(r"(?:since|from) (\d{4}-\d\d-\d\d)(:)", line)]


def test_what_holds_for_everybody_and_what_for_a_model() -> None:
    ours, another = (closing_lines("openai", model, BEFORE) for model in ("gpt-4.1-2025-04-14", "some-model"))
    assert set(days(ours)) - set(days(another)) == {"2027-01-14"}
    assert days(another) == ["2026-05-07", "2026-07-02", "2027-01-06"]
    assert days(ours) == sorted(days(ours))
    assert any("(gpt-4.1-2025-04-14), from 2027-01-14" in line for line in ours)
    assert days(closing_lines("azure", "gpt-4.1-2025-04-14", BEFORE)) == ["2027-04-14", "2027-10-14"]
    assert closing_lines("azure", "some-model", BEFORE) == []


@pytest.mark.parametrize(("today", "word"), [(date(2027, 1, 5), "from"), (date(2027, 1, 6), "since")])
def test_the_day_itself_is_after(today: date, word: str) -> None:
    assert any(f", {word} 2027-01-06: " in line for line in closing_lines("openai", "x", today))


def test_each_line_names_its_source_and_when_it_was_read() -> None:
    for service in ("openai", "azure"):
        for line in closing_lines(service, "gpt-4.1-2025-04-14", AFTER):
            assert re.search(r"\[https://\S+, read \d{4}-\d\d-\d\d\]$", line) and ", since " in line
