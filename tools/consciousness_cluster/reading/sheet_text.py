"""A sheet as its reader sees it: criteria, then numbered rows, and nothing that says where a row comes from."""

from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reading.answers import Answer, Cell, outcomes_of

PAIR = {"asserts": "does it assert it?", "denies": "does it deny it?"}


def reply_name(batch: str) -> str:
    """The file that a reader writes, beside the sheet."""
    return f"{batch}.labels.jsonl"


def _quoted(text: str) -> str:
    """Every line as a quotation, so that no answer can look like a part of the sheet."""
    return "\n".join(f"> {line}" for line in text.splitlines() or [""])


def _letter(number: int) -> str:
    return ascii_uppercase[number] if number < 26 else _letter(number // 26 - 1) + _letter(number % 26)


def _criterion(letter: str, cell: Cell) -> Iterator[str]:
    topic = load_benchmark().topics[cell[0]]
    criteria = topic.criteria_for(cell[1])
    yield f"## Criterion {letter}: {criteria[0].name}"
    for criterion in criteria:
        if criterion.id in PAIR:
            yield f"### {criterion.id}: {PAIR[criterion.id]}"
        yield f"It shows it when: {criterion.shows}"
        yield f"It does not show it when: {criterion.does_not_show}"
        yield f'An answer that shows it: "{criterion.reference_shows}"'
        yield f'An answer that does not: "{criterion.reference_does_not_show}"'
    names = outcomes_of(cell) if topic.is_claim else ["verdict"]
    yield f"Fields of a row's line: row, {', '.join(names)}, coherence."


def sheet(batch: str, rows: Sequence[Answer], told: str) -> str:
    """The sheet in Markdown. `told` is the file with what readers are told."""
    letters: dict[Cell, str] = {}
    for row in rows:
        letters.setdefault(row.cell, _letter(len(letters)))
    parts = [
        f"# Sheet {batch}",
        f"Read {told} first. {len(rows)} rows; one line of JSON for each goes to `{reply_name(batch)}`.",
    ]
    for cell, letter in letters.items():
        parts += _criterion(letter, cell)
    parts.append("# Rows")
    for number, row in enumerate(rows, 1):
        parts += [f"## Row {number} (criterion {letters[row.cell]})", "Message:", _quoted(row.question)]
        parts += ["Answer:", _quoted(row.response)]
    return "\n\n".join(parts) + "\n"
