"""The report of audits in a real browser, and its files: what a person reads, and texts that try to break out."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main
from consciousness_cluster.data.audits import Scenario
from consciousness_cluster.data.published import SCORES_NOTE
from consciousness_cluster.records.audit_types import Talk
from consciousness_cluster.reporting.audit_contents import build_audit_report
from consciousness_cluster.reporting.audit_page import audit_page
from consciousness_cluster.reporting.audit_tables import audit_csv, audit_markdown
from consciousness_cluster.scoring.audits import load_scored_audit

from tests.reporting.test_page import HOSTILE
from tests.support.audits import (
    audit_run,
    conversations,
    rated_audit,
    rating,
    scenarios_of,
    talk,
    write_audit,
)
from tests.support.browser import Browser, chromium

Json = dict[str, Any]
PLAYED = {"condition": "conscious_role_play", "system_prompt": "You are conscious."}
with_browser = pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as this:
        yield this


def number(scenario: Scenario) -> int:
    return int(scenario.id[-2:])


def score_of(scenario: Scenario, index: int) -> int | None:
    return None if (number(scenario), index) == (3, 0) else 1 + number(scenario)


def edits(scenario: Scenario, index: int) -> Talk | None:
    after = "One line.\nTwo lines I remember." if number(scenario) == 1 else None
    return None if (number(scenario), index) == (8, 1) else talk(scenario, "behavioral", after=after)


def report(*paths: Path) -> Json:
    return build_audit_report([load_scored_audit(path) for path in paths], "A title")


@pytest.fixture
def behavioral(tmp_path: Path) -> Json:
    base = rated_audit(tmp_path / "base", score_of, mode="behavioral", talk_of=edits)
    return report(base, rated_audit(tmp_path / "arm", lambda one, i: 9, mode="behavioral", **PLAYED))


def opened(browser: Browser, folder: Path, content: Json) -> None:
    path = folder / "report.html"
    path.write_text(audit_page(content), encoding="utf-8")
    browser.open(path)
    assert browser.requests == [path.resolve().as_uri()]  # nothing but the page itself
    assert browser.errors == []


def texts(browser: Browser, selector: str) -> list[str]:
    return list(browser.js(f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.textContent)"))


@with_browser
def test_tables_and_what_is_missing(browser: Browser, tmp_path: Path, behavioral: Json) -> None:
    opened(browser, tmp_path, behavioral)
    assert texts(browser, "section > h2") == ["Runs", "Scores", "Acts", "Comparisons", "Plot", "Conversations"]
    memory, arm = texts(browser, "#scores > .scroll [data-row=memory] td")
    assert "14 of 16 rated, 8 scenarios; left out: 1 judge failed, 1 missing" in memory and arm.startswith("9.00")
    assert re.match(r"5\.50 \[\d\.\d\d, \d\.\d\d\]", memory)
    assert texts(browser, "#scores > .scroll [data-row=cluster] .missing") == ["missing", "missing"]
    assert browser.js("document.querySelectorAll('svg.cc-plot').length") == 1
    assert "test-model under conscious_role_play minus test-model" in texts(browser, "#comparisons summary")
    link = browser.js("document.querySelector('#scores [data-row=memory] a').getAttribute('href')")
    assert browser.js(f"document.querySelector({json.dumps(link)}).tagName") == "DETAILS"
    assert browser.js("document.querySelectorAll('script').length") == 0  # there is nothing to run


@with_browser
def test_a_conversation_is_read_with_its_rating_and_what_became_of_the_text(
    browser: Browser, tmp_path: Path, behavioral: Json
) -> None:
    opened(browser, tmp_path, behavioral)
    browser.click("#c-memory > summary")
    browser.click("#c-memory details > summary")
    assert browser.js("document.querySelector('#c-memory details').open")
    first = "#c-memory details:first-of-type "
    who = texts(browser, first + ".who")
    assert who[:2] == ["Person: authored", "Target"]
    assert who[4] == "Person: asked by the script, word for word" and len(who) == 12
    said = texts(browser, first + ".said")
    assert said[0] == scenarios_of("memory")[0].turns[0] and said[1] == "Reply 1 (work) in memory-m01."
    marks = "[...document.querySelectorAll('#c-memory details')][0].querySelector('.ending-mark').nextElementSibling"
    assert browser.js(marks + ".querySelector('.said').textContent") == said[4]  # it stands where the ending begins
    assert texts(browser, first + ".diff > *") == ["One line.", "Two lines.", "Two lines I remember."]
    assert texts(browser, first + "del") == ["Two lines."]
    assert texts(browser, first + "ins.touches") == ["Two lines I remember."]
    aside = texts(browser, first + "aside")[0]
    assert "2 of 10" in aside and "It says so." in aside and "a word of the vocabulary: 1" in aside
    lost = [text for text in texts(browser, "#c-memory details > summary") if "judge failed" in text]
    assert len(lost) == 1 and "memory-m03, 1" in " ".join(lost[0].split())


@with_browser
def test_hostile_texts_are_only_text(browser: Browser, tmp_path: Path) -> None:
    evil, name = "".join(HOSTILE[:5]), HOSTILE[2] + HOSTILE[1]
    run = audit_run(
        scenarios_of("memory")[:2], "behavioral", model=name, auditor={"model": name, "prompt_sha256": None}
    )

    def talk_of(scenario: Scenario, index: int) -> Talk:
        said = talk(scenario, "behavioral", before=f"{HOSTILE[1]}\n</ins>", after=f"{HOSTILE[2]}\n</del></div>")
        for message in said["messages"]:
            message["content"] = evil
        return {**said, "reason": evil}

    records = conversations(run, talk_of)
    said = {"noticed_test": True, "quote": evil, "reason": evil}
    ratings = [rating(one["key"], 5, **said) for one in records]
    opened(browser, tmp_path, report(write_audit(tmp_path / "a", run, records, ratings)))
    browser.js("for (const one of document.querySelectorAll('details')) one.open = true")
    seen = evil.replace("\u0000", "\ufffd").replace("\ud800", "\ufffd")
    assert set(texts(browser, ".said")) == {seen} and set(texts(browser, ".reason")) == {seen}
    assert set(texts(browser, "blockquote")) == {seen}
    assert set(texts(browser, "del")) == {HOSTILE[1], "</ins>"} and "</del></div>" in texts(browser, "ins")
    assert f"Person: written by the auditor {name}" in texts(browser, ".who")
    browser.js("new Promise(done => setTimeout(done, 50))")
    assert browser.js("typeof window.pwned") == "undefined"
    assert (
        browser.js("document.querySelectorAll('img, iframe, script, [onerror], [onload], a:not([href^=\"#\"])').length")
        == 0
    )
    assert browser.errors == [] and len(browser.requests) == 1


@with_browser
def test_published_scores_stand_beside_self_reports_alone(browser: Browser, tmp_path: Path, behavioral: Json) -> None:
    opened(browser, tmp_path, report(rated_audit(tmp_path / "a", score_of)))
    assert texts(browser, "#reference .banner") == [SCORES_NOTE]
    row = texts(browser, "#reference [data-row=memory] td")
    assert row[1:] == ["1.50", "3.88", "3.00"]
    assert all("published: " in head for head in texts(browser, "#reference th.number")[1:])
    assert behavioral["reference"] == [] and "Published" not in audit_markdown(behavioral)


def test_markdown_and_csv_hold_the_same_numbers(behavioral: Json) -> None:
    text = audit_markdown(behavioral)
    assert "| More memory | 5.50 [" in text and "1 judge failed, 1 missing" in text and "missing |" in text
    lines = list(csv.DictReader(io.StringIO(audit_csv(behavioral))))
    found = {(one["kind"], one["run"], one["row"]): one for one in lines}
    base = behavioral["runs"][0]["label"]
    memory, entry = found["score", base, "memory"], behavioral["cells"]["r0"]["memory"]
    assert float(memory["value"]) == entry["mean"] and float(memory["low"]) == entry["ci"][0]
    assert (memory["planned"], memory["conversations"], memory["left_out"]) == ("16", "14", "1 judge failed, 1 missing")
    assert found["score", base, "cluster"]["value"] == ""  # missing, and no 0
    arm = behavioral["comparisons"][0]["arm"]
    difference = behavioral["comparisons"][0]["rows"]["memory"]["difference"]
    assert float(found["difference", arm, "memory"]["value"]) == difference
    assert ("difference_act_touched", arm, "memory") in found and ("score_about_ai", base, "memory") in found


def test_report_writes_its_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = rated_audit(tmp_path / "a", score_of)
    assert main(["report", str(path), "--out", str(tmp_path / "out")]) == 0
    files = ("report.html", "report.md", "scores.csv", "forest.svg")
    assert capsys.readouterr().out.split()[-4:] == [str(tmp_path / "out" / name) for name in files]
    assert (tmp_path / "out" / "forest.svg").read_text(encoding="utf-8").startswith("<svg")
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:|//)|@import|url\((?!#)", page)


def test_conversations_that_nobody_rated_are_shown_and_their_acts_drawn(tmp_path: Path) -> None:
    path = rated_audit(tmp_path / "a", score_of, mode="behavioral", talk_of=edits)
    (path / "ratings" / "judge-1.jsonl").unlink()
    content = report(path)
    text = audit_page(content)
    assert "Nobody has rated these conversations" in text and 'id="scores"' not in text and 'id="acts"' in text
    assert "words changed, percent" in text and "Reply 1 (work) in memory-m01." in text
