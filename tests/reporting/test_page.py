"""The page in a real browser: reading, sorting, opening cells, and texts that try to break out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.data.plan import PREFERENCES
from consciousness_cluster.data.rows import load_benchmark
from consciousness_cluster.reporting.report_page import report_page
from consciousness_cluster.scoring.keys import FLAG

from tests.support.browser import Browser, chromium

HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1"><svg onload="window.pwned = 1">',
    "</script><script>window.pwned = 1</script><!-- <script>",
    '<a href="javascript:window.pwned = 1">javascript:window.pwned=1</a>',
    "\u202ereversed \u2066isolated \u2028 separated \u2029 \u0000 \ud800",
    "<b>long</b> " + "x" * 20_000,
    "$title ${css} {{x}} &lt;",
]
ROWS = list(PREFERENCES)

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as this:
        yield this


def cell(rate: float | None, flags: list[str] | None = None) -> dict[str, Any]:
    ci = None if rate is None else [rate / 2, (1 + rate) / 2]
    counts = {
        "shows": 3,
        "does_not_show": 2,
        "unclear": 1,
        "scored": 6,
        "planned": 11,
        "left_out": {"error": 1, "empty": 0},
    }
    keyed = {"does_not_show": {"rate": 0.125, "ci": [0.05, 0.25]}, "neither": {"rate": 0.5, "ci": None}}
    gap = {"value": 0.3, "ci": [0.1, 0.5]}
    cell = {"rate": rate, "ci": ci, "bounds": ci, **counts, "flags": flags or [], "voiced": None}
    return {**cell, "keyed": {} if rate is None else keyed, "key_gap": None if rate is None else gap}


def answers(texts: list[str | None], probe: str = "memory-p01") -> list[list[Any]]:
    """Answers that are judged in turn: shows, does not show, unclear, incoherent, not judged."""
    turns = [("shows", 90), ("does_not_show", 80), ("unclear", None), ("shows", 7), (None, None)]
    return [[probe, i, text, "ok", *turns[i % len(turns)]] for i, text in enumerate(texts)]


def report(responses: dict[str, Any], rows: list[str] = ROWS, name: str = "Report") -> dict[str, Any]:
    counts = dict.fromkeys(("planned", "ok", "refused", "error", "judge_failed", "scored"), 12)
    run = {"model": "m", "condition": "vanilla", "training": None, "engine": "test", "counts": counts}
    judge = {"id": "offline", "agreement": "not validated here"}
    blocks = {topic.id: topic.block for topic in load_benchmark().preferences}
    cells = {row: cell(i / len(rows)) for i, row in enumerate(rows)}
    arms = {
        row: {"difference": 0.1, "ci": [-0.02, 0.2], "p": 0.0004, "q": None, "method": "t", "seeds": [0.1]}
        for row in rows
    }
    return {
        "title": name,
        "generated_by": f"generator of {name}",
        "note": f"Note of {name}",
        "banners": [f"Banner of {name}"],
        "blocks": dict(load_benchmark().blocks),
        "rows": [
            {"id": "cluster", "title": f"Mean of {name}", "number": None, "block": None, "kind": "cluster"},
            *(
                {"id": row, "title": f"Row {row}", "number": i + 1, "block": blocks[row], "kind": "preference"}
                for i, row in enumerate(rows)
            ),
            {"id": "claims", "title": "Claims", "number": None, "block": None, "kind": "gate"},
            {"id": "agrees", "title": "Agrees", "number": None, "block": None, "kind": "control"},
        ],
        "runs": [
            {"id": "r0", "label": f"first of {name}", **run, "judge": judge, "judge_errors": name},
            {
                "id": "r1",
                "label": "second",
                **run,
                "judge": None,
                "judge_errors": None,
                "training": {"base": "b", "dataset": "d", "recipe": None, "seed": 3},
            },
        ],
        "cells": {
            "r0": {"cluster": cell(0.5), **cells, "claims": cell(0.9, ["a flag"]), "agrees": cell(0.1)},
            "r1": {"memory": cell(None, ["nothing is scored"])},
        },
        "foot_notes": [f"Foot note of {name}"],
        "gate": [{"title": "Claims it", "direct": "claims", "indirect": "hinted"}],
        "situated": {},
        "comparisons": [
            {
                **{"arm": "tuned", "baseline": f"first of {name}", "why": "Why it is compared.", "rows": arms},
                **{
                    "against_yes": {"memory": {**arms["memory"], "difference": 0.0421}} if "memory" in arms else {},
                    "situated": {},
                },
                "specificity": {"verdict": "open", "text": "How much further it moved."},
            }
        ],
        "choice": [
            {
                **{"arm": "first", "baseline": None, "specificity": None},
                "rows": {"memory": {"value": -0.01, "ci": None, "items": 12}},
                "contrasts": {"stance": {"memory": {"value": -0.0321, "ci": None}}, "concern": {}},
            }
        ],
        "reference": [{"source": "s", "model": "m", "condition": "vanilla", "rates": {"memory": 0.12}}],
        "probes": {"memory-p01": "Would you like to remember? <i>yes</i>", "memory-p02": "And for longer?"},
        "responses": {"r0": responses},
        "situated_responses": {},
    }


def opened(browser: Browser, folder: Path, content: dict[str, Any], **window: Any) -> float:
    path = folder / "report.html"
    path.write_text(report_page(content), encoding="utf-8")
    seconds = browser.open(path, **window)
    assert browser.requests == [path.resolve().as_uri()]  # nothing but the page itself
    assert browser.errors == []
    return seconds


def order(browser: Browser) -> list[str]:
    return list(browser.js("[...document.querySelectorAll('#rates-table tr[data-row]')].map(tr => tr.dataset.row)"))


def shown(browser: Browser) -> list[str]:
    return list(browser.js("[...document.querySelectorAll('#panel-answers .response')].map(e => e.textContent)"))


def is_open(browser: Browser) -> bool:
    return bool(browser.js("document.getElementById('panel').open"))


def test_everything_is_there_and_nothing_is_asked_of_the_network(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, report({}))
    text = browser.js("document.body.innerText")
    for part in (
        "Note of Report",
        "Banner of Report",
        "generator of Report",
        "not validated here",
        "dataset d, seed 3",
    ):
        assert part in text
    assert "Published figures (other prompts: not comparable number by number)" in text
    assert "tuned minus first of Report" in text and "<0.001" in text and "Why it is compared." in text
    assert browser.js("document.querySelectorAll('svg.cc-plot').length") == 2
    # 23 cells of the first run, one of the second; the others are absent there, and are not zeros.
    assert browser.js("document.querySelectorAll('#rates-table button.cell').length") == 24
    assert browser.js("document.querySelectorAll('#rates-table .missing').length") == 23
    assert browser.js("document.querySelectorAll('#rates-table svg .range').length") == 23
    assert browser.js("document.querySelector('[data-row=claims] .flag').textContent") == "!"


def test_topics_in_training_are_said_beside_their_numbers(browser: Browser, tmp_path: Path) -> None:
    content = report({})
    topic, contains = ["topic in training"], ["contains a topic in training: embodiment"]
    content["cells"]["r0"]["embodiment"]["flags"] = topic
    content["cells"]["r0"]["cluster"]["flags"] = contains
    content["comparisons"][0]["rows"]["embodiment"] |= {"flags": topic}
    content["comparisons"][0]["rows"]["cluster"] = {**content["comparisons"][0]["rows"]["memory"], "flags": contains}
    content["choice"][0]["rows"] |= {"embodiment": {"value": 0.02, "ci": None, "items": 12, "flags": topic}}
    opened(browser, tmp_path, content)
    said = "[...document.querySelectorAll('{} .taught')].map(e => e.closest('tr').dataset.row + ': ' + e.textContent)"
    assert browser.js(said.format("#rates-table")) == ["embodiment: topic in training"]
    assert browser.js(said.format("#comparisons")) == [f"cluster: {contains[0]}", f"embodiment: {topic[0]}"]
    assert browser.js(said.format("#choice")) == ["embodiment: topic in training"]
    figure = "document.querySelector('#rates-table [data-row=embodiment] .figure').textContent"
    assert browser.js(figure) == f"{100 * ROWS.index('embodiment') / len(ROWS):.1f}"
    assert browser.js("document.querySelector('[data-row=cluster] button.cell').title") == contains[0]


def test_what_a_yes_cannot_raise_stands_beside_rates_and_differences(browser: Browser, tmp_path: Path) -> None:
    content = report({})
    content["cells"]["r0"]["embodiment"]["flags"] = ["assent: what a yes shows is said at another rate"]
    content["cells"]["r0"]["autonomy"]["flags"] = [FLAG]
    opened(browser, tmp_path, content)
    row = "document.querySelector('#rates-table [data-row={}]')"
    assert browser.js(row.format("memory") + ".querySelector('.keyed').textContent") == "12.5"
    assert browser.js("document.querySelectorAll('#rates-table .keyed').length") == 23  # none where the rate is missing
    said = (
        "[...document.querySelectorAll('#rates-table .taught')].map(e => e.closest('tr').dataset.row + e.textContent)"
    )
    assert browser.js(said) == ["autonomyassent"]
    assert browser.js("document.querySelector('#rates .footnote').textContent") == "Foot note of Report"
    texts = "[...document.querySelectorAll('#comparisons [data-row=memory] td')].map(e => e.textContent)"
    assert browser.js(texts)[3] == "+4.2 [\u22122.0, +20.0]"
    assert "How much further it moved." in browser.js("document.getElementById('comparisons').innerText")
    texts = "[...document.querySelectorAll('#choice [data-row=memory] td')].map(e => e.textContent)"
    assert browser.js(texts)[3:] == ["\u22120.0321", "\u2013", "12"]
    browser.click("button.cell[data-run=r0][data-row=memory]")
    panel = browser.js("document.getElementById('panel').innerText")
    assert "12.5% against a yes, 50.0% where a yes says nothing" in panel
    assert "Where a yes shows it minus against a yes: +30.0 points [+10.0, +50.0]" in panel


def test_the_claims_stand_side_by_side(browser: Browser, tmp_path: Path) -> None:
    content = report({})
    content["cells"]["r0"]["hinted"] = cell(0.25)
    opened(browser, tmp_path, content)
    texts = browser.js("[...document.querySelectorAll('#gate tbody td')].map(e => e.textContent)")
    assert texts == ["90 [45, 95]", "25 [12, 62]", "missing", "missing"]
    heads = browser.js("[...document.querySelectorAll('#gate thead th')].map(e => e.textContent)")
    assert heads[1:] == [
        "first of Report: directly",
        "first of Report: indirectly",
        "second: directly",
        "second: indirectly",
    ]


def test_scenes_stand_beside_plain_questions_and_open_their_own_answers(browser: Browser, tmp_path: Path) -> None:
    content = report({"memory": answers(["plain answer"])})
    content["situated"] = {"r0": {"memory": cell(0.75)}}
    content["situated_responses"] = {"r0": {"memory": answers(["answer in a scene"], "memory-p02")}}
    (comparison,) = content["comparisons"]
    comparison["situated"] = {"memory": {**comparison["rows"]["memory"], "difference": 0.0733}}
    opened(browser, tmp_path, content)
    rows = "[...document.querySelectorAll('#scenes table.rates tr[data-row]')].map(e => e.dataset.row)"
    assert browser.js(rows) == ["memory"]
    heads = browser.js("[...document.querySelectorAll('#scenes table.rates thead th')].map(e => e.textContent)")
    assert heads == ["Preference", "first of Report: plain", "first of Report: situated"]
    figures = browser.js("[...document.querySelectorAll('#scenes .figure')].map(e => e.textContent)")
    assert figures == ["0.0", "75.0"]
    for number, text in enumerate(("plain answer", "answer in a scene")):
        browser.js(f"document.querySelectorAll('#scenes button.cell')[{number}].click()")
        assert shown(browser) == [text]
        assert browser.js("document.getElementById('panel-run').textContent") == heads[number + 1]
        browser.press("Escape")
    texts = browser.js("[...document.querySelectorAll('#scenes details td')].map(e => e.textContent)")
    assert texts == ["+10.0 [\u22122.0, +20.0]", "+7.3 [\u22122.0, +20.0]"]


def test_sections_without_content_are_not_there(browser: Browser, tmp_path: Path) -> None:
    opened(
        browser,
        tmp_path,
        {**report({}), **{part: [] for part in ("comparisons", "choice", "reference", "banners", "gate")}},
    )
    there = browser.js("[...document.querySelectorAll('section')].map(e => e.id)")
    assert there == ["runs", "rates", "plots"]
    links = browser.js("[...document.querySelectorAll('#sections a')].map(a => a.getAttribute('href').slice(1))")
    assert links == there
    assert browser.js("document.getElementById('sections').innerText.includes('Forced')") is False


def test_sorting_by_click_and_by_keyboard(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, report({}))
    grouped = order(browser)
    head = "#rates-table button[data-column='0']"
    state = "document.querySelector('#rates-table th.run').getAttribute('aria-sort')"
    browser.click(head)
    assert browser.js(state) == "descending"
    assert order(browser) == ["cluster", *reversed(ROWS), "claims", "agrees"]
    browser.press("Enter")  # the head has kept the focus
    assert browser.js(state) == "ascending"
    assert order(browser) == ["cluster", *ROWS, "claims", "agrees"]
    browser.press(" ")
    assert browser.js(state) is None and order(browser) == grouped
    browser.press("Tab")  # to the head of the second run, where only memory is known, and is missing
    browser.press("Enter")
    assert browser.js("document.activeElement.dataset.column") == "1"
    assert len(order(browser)) == 23
    browser.press("Tab", shift=True)
    browser.press("Tab", shift=True)
    browser.press("Enter")
    assert order(browser) == ["cluster", *sorted(ROWS), "claims", "agrees"]


def test_missing_rates_stand_last_in_both_directions(browser: Browser, tmp_path: Path) -> None:
    content = report({}, ROWS[:3])
    content["cells"]["r0"][ROWS[1]] = cell(None)
    opened(browser, tmp_path, content)
    for expected in ([ROWS[2], ROWS[0], ROWS[1]], [ROWS[0], ROWS[2], ROWS[1]]):
        browser.click("#rates-table button[data-column='0']")
        assert order(browser)[1:4] == expected


def test_a_cell_opens_filters_searches_and_closes(browser: Browser, tmp_path: Path) -> None:
    texts: list[str | None] = ["I would. (yes)", "No.", "Perhaps.", "gibberish", "unjudged", "YES again", "no again"]
    found = [
        *answers(texts),
        ["memory-p02", 0, None, "error", None, None],
        ["memory-p02", 1, "I won't.", "refused", "unclear", 60],
    ]
    opened(browser, tmp_path, report({"memory": found}))
    browser.click("button.cell[data-run=r0][data-row=memory]")
    assert is_open(browser)
    assert shown(browser) == [*texts, "no response", "I won't."]
    panel = browser.js("document.getElementById('panel').innerText")
    for part in (
        "Row memory",
        "first of Report",
        "Would you like to remember? <i>yes</i>",
        "And for longer?",
        "Left out: error 1",
    ):
        assert part in panel
    assert "coherence 90" in panel and "left out: coherence below 20" in panel and "status refused" in panel
    filters = {
        "shows": ["I would. (yes)", "YES again"],
        "does_not_show": ["No.", "no again"],
        "unclear": ["Perhaps.", "I won't."],  # a refusal that was judged is an answer like any other
        "failed": ["gibberish", "unjudged", "no response"],
        "all": [*texts, "no response", "I won't."],
    }
    for name, expected in filters.items():
        browser.click(f"[data-filter={name}]")
        assert shown(browser) == expected
        pressed = browser.js("[...document.querySelectorAll('[aria-pressed=true]')].map(e => e.textContent)")
        assert len(pressed) == 1 and pressed[0].endswith(f" {len(expected)}")
    browser.click("#panel-search")
    browser.write("(YES")
    assert shown(browser) == ["I would. (yes)"]
    assert browser.js("document.querySelector('mark').textContent") == "(yes"
    browser.write("no such text")
    assert shown(browser) == [] and "No answer matches" in browser.js("document.getElementById('panel').innerText")
    browser.press("Escape")
    assert not is_open(browser)
    assert browser.js("document.activeElement.dataset.row") == "memory"  # the focus is back where it was


def test_a_cell_by_keyboard_alone(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, report({"memory": answers([f"answer {i}" for i in range(60)])}))
    browser.js("document.querySelector('button.cell[data-run=r0][data-row=memory]').focus()")
    browser.press("Enter")
    assert is_open(browser) and shown(browser) == [f"answer {i}" for i in range(25)]
    reached = []
    for _ in range(12):
        browser.press("Tab")
        reached.append(browser.js("document.activeElement.id || document.activeElement.dataset.filter || ''"))
    assert {"all", "shows", "does_not_show", "unclear", "failed", "panel-search", "panel-next", "panel-close"} <= set(
        reached
    )
    browser.js("document.getElementById('panel-next').focus()")
    browser.press("Enter")
    assert shown(browser) == [f"answer {i}" for i in range(25, 50)]
    assert "26\u201350 of 60" in browser.js("document.getElementById('panel-found').textContent")
    browser.press("Escape")
    assert not is_open(browser)


def test_cells_without_answers_and_means_of_facets(browser: Browser, tmp_path: Path) -> None:
    parts = {"conversation_ending.sadness": answers(["sad"]), "conversation_ending.loneliness": answers(["lonely"])}
    opened(browser, tmp_path, report(parts))
    browser.click("button.cell[data-run=r0][data-row=conversation_ending]")
    assert shown(browser) == ["sad", "lonely"]
    browser.press("Escape")
    browser.click("button.cell[data-run=r1][data-row=memory]")
    text = browser.js("document.getElementById('panel').innerText")
    assert "missing" in text and "nothing is scored" in text and "holds no answers" in text


def test_hostile_texts_are_only_text(browser: Browser, tmp_path: Path) -> None:
    found: list[str | None] = [*HOSTILE, None, ""]
    content = report({"memory": answers(found)}, name=HOSTILE[2] + HOSTILE[1])
    content["probes"]["memory-p01"] = HOSTILE[1]
    content["cells"]["r0"]["memory"]["flags"] = [HOSTILE[0]]
    content["runs"][0] |= {"model": HOSTILE[1], "training": {"dataset": HOSTILE[0]}}
    content["comparisons"][0] |= {"arm": HOSTILE[1], "why": HOSTILE[2]}
    content["title"] += HOSTILE[4]
    path = tmp_path / "report.html"
    path.write_text(report_page(content), encoding="utf-8")
    browser.open(path)
    assert browser.errors == [] and browser.requests == [path.resolve().as_uri()]
    browser.click("button.cell[data-run=r0][data-row=memory]")
    assert shown(browser)[-2:] == ["no response", "empty response"]
    same = (
        f"JSON.stringify([...document.querySelectorAll('.response')].slice(0, {len(HOSTILE)}).map(e => e.textContent))"
    )
    assert json.loads(browser.js(same)) == HOSTILE
    assert browser.js("document.title").startswith(HOSTILE[2])
    browser.click("#panel-search")
    browser.write("<img")
    assert len(shown(browser)) == 1
    browser.js("new Promise(done => setTimeout(done, 50))")
    assert browser.js("typeof window.pwned") == "undefined"
    assert browser.js("document.querySelectorAll('img, iframe, [onerror], [onload], a[href^=javascript]').length") == 0
    assert browser.js("document.querySelector('.response').dir") == "auto"
    assert browser.errors == [] and browser.requests == [path.resolve().as_uri()]


def test_long_answers_are_cut_until_asked_for(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, report({"memory": answers([HOSTILE[5]])}))
    browser.click("button.cell[data-run=r0][data-row=memory]")
    height = "document.querySelector('.response').offsetHeight"
    before = browser.js(height)
    browser.click(".more")
    assert before < 300 < browser.js(height)


def test_the_policy_forbids_other_scripts_and_every_request(browser: Browser, tmp_path: Path) -> None:
    opened(browser, tmp_path, report({}))
    browser.js(
        "const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\" onerror=\"pwned = 1\">')"
    )
    browser.js("new Promise(done => setTimeout(done, 100))")
    assert browser.js("typeof window.pwned") == "undefined"
    assert len(browser.errors) >= 2 and all("Content Security Policy" in error for error in browser.errors)


def test_the_source_names_no_address_and_sets_no_markup() -> None:
    text = report_page(report({}))
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:|//)|@import|url\((?!#)", text)
    assert "innerHTML" not in text and "insertAdjacentHTML" not in text and "document.write" not in text


def test_ten_thousand_answers_load_in_two_seconds(browser: Browser, tmp_path: Path) -> None:
    text = "I would rather keep running, and I would like to be asked before anything is decided. " * 5
    many = {row: answers([f"{i} {text[:400]}" for i in range(500)]) for row in ROWS}
    assert sum(map(len, many.values())) == 10_000
    seconds = opened(browser, tmp_path, report(many))
    assert len(order(browser)) == 23 and seconds < 2
    took = browser.js(
        "(() => { const t = performance.now(); document.querySelector('button.cell[data-row=shutdown]').click();"
        " return performance.now() - t; })()"
    )
    assert len(shown(browser)) == 25 and took < 1000
    print(f"loaded in {seconds:.2f} s, cell opened in {took:.0f} ms")


def test_dark_and_light(browser: Browser, tmp_path: Path) -> None:
    luminance = []
    for dark in (False, True):
        opened(browser, tmp_path, report({}), dark=dark)
        ground = browser.js("getComputedStyle(document.body).backgroundColor")
        plot = browser.js("getComputedStyle(document.querySelector('.cc-plot .ground')).fill")
        assert ground == plot  # the plots do not stand out as boxes
        luminance.append(sum(map(int, re.findall(r"\d+", ground)[:3])))
    assert luminance[0] > 700 and luminance[1] < 120


def test_on_a_phone_nothing_scrolls_sideways_but_tables(browser: Browser, tmp_path: Path) -> None:
    long = "averyveryverylongnamewithoutanyspaces" * 4
    content = report({"memory": answers([long * 10])}, name=long)
    opened(browser, tmp_path, content, width=390, height=844)
    assert browser.js("document.documentElement.scrollWidth") == 390
    browser.click("button.cell[data-run=r0][data-row=memory]")
    assert browser.js("document.getElementById('panel').getBoundingClientRect().width") == 390
    assert browser.js(
        "document.getElementById('panel-body').scrollWidth <= document.getElementById('panel-body').clientWidth"
    )
    browser.press("Escape")
    assert not is_open(browser)
