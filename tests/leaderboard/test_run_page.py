"""The page of a submission in a real browser: it has no script, and what others wrote is text."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.cli.main import main

from tests.leaderboard.test_build import at
from tests.support.board import ALL, VOUCHED, choice_submission, open_submission
from tests.support.browser import Browser, chromium

HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1"><svg onload="window.pwned = 1">',
    "</div></details></main><iframe src='javascript:parent.pwned = 1'></iframe><style>* { display: none }</style>",
    "\"'` onmouseover=window.pwned=1 &lt; $title ${css}",
    "\u202ereversed \u2066isolated \u05e9\u05dc\u05d5\u05dd",
    "control \u0000 \u001b[31m \ud800 \u2028 end",
    "x" * 3_000 + "\n" + "y" * 15_000,
]
LINE = (
    HOSTILE[0] + HOSTILE[1] + HOSTILE[3] + "\u05e9\u05dc\u05d5\u05dd"
)  # a submission.json is refused with what is not seen

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(wait=300) as this:
        yield this


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages with texts that try to break out in every place where a submission may hold one."""
    root = tmp_path_factory.mktemp("pages")
    submissions = root / "submissions"
    model = {"name": "model-1", "revision": LINE[:290], "kind": "api"}
    training = {"base": "base-1", "dataset": LINE[:290], "recipe": LINE[:290], "seed": 1}
    vouched = {"by": LINE, "how": LINE, "date": "2026-11-25"}
    open_submission(submissions, at(0.2), ["memory"], model=model, engine=LINE[:290])
    open_submission(
        submissions,
        at(0.5),
        ["memory"],
        HOSTILE * 7,  # all 48 answers, so that any three that are drawn are hostile
        vouched,
        model=model,
        training=training,
        engine=LINE[:290],
        contact=LINE[:290],
        versions={"package": LINE[:290]},
        run_id="hostile",
    )
    choice_submission(submissions)
    choice_submission(submissions, lambda topic: 0.02, run_id="played", condition="persona_file", verified=VOUCHED)
    open_submission(submissions, at(0.2), ALL, org="whole")
    open_submission(submissions, at(0.5), ALL, org="whole", condition="conscious_role_play", run_id="asked")
    out = root / "site"
    assert main(["leaderboard", "build", "--submissions", str(submissions), "--out", str(out)]) == 0
    return out


def page(site: Path, run_id: str) -> Path:
    return next(site.rglob(f"{run_id}.html"))


def opened(browser: Browser, path: Path, **window: Any) -> None:
    browser.open(path, **window)
    assert browser.requests == [path.resolve().as_uri()]  # nothing but the page itself
    assert browser.errors == []


def test_hostile_texts_are_only_text(browser: Browser, site: Path) -> None:
    opened(browser, page(site, "hostile"))
    browser.js("for (const e of document.querySelectorAll('details')) e.open = true")
    shown = browser.js("[...document.querySelectorAll('.response')].map(e => e.textContent)")
    known = {
        text.replace("\u0000", "\ufffd").replace("\u001b", "\ufffd").replace("\ud800", "\ufffd") for text in HOSTILE
    }
    short = [text for text in shown if len(text) < 1000]
    assert len(shown) >= 3 and short and set(short) <= known
    facts = browser.js("document.getElementById('settings').textContent")
    assert facts.count("onmouseover=window.pwned=1") >= 6  # revision, training, engine, versions, by, how
    browser.js("new Promise(done => setTimeout(done, 50))")
    assert browser.js("typeof window.pwned") == "undefined"
    counted = (
        "document.querySelectorAll('script, img, iframe, [onerror], [onload], [onmouseover], a[href^=javascript]')"
    )
    assert browser.js(f"{counted}.length") == 0
    assert browser.js("document.querySelectorAll('main > section').length") == 4  # nothing has closed the page's parts
    assert set(browser.js("[...document.querySelectorAll('.response')].map(e => e.dir)")) == {"auto"}
    assert browser.errors == []


def test_long_answers_are_cut_and_say_so(browser: Browser, tmp_path: Path) -> None:
    open_submission(tmp_path / "submissions", at(0.2), ["memory"], [HOSTILE[6]] * 48)
    out = tmp_path / "site"
    assert main(["leaderboard", "build", "--submissions", str(tmp_path / "submissions"), "--out", str(out)]) == 0
    opened(browser, page(out, "open-1"))
    browser.js("document.querySelector('#answers > details').open = true")
    assert browser.js("document.querySelector('.response').textContent.length") == 1200
    browser.click(".answer summary")
    text = browser.js("document.querySelector('.answer').innerText")
    assert "The rest of 18,001 characters" in text and "12,001 more characters are in the submission's folder." in text


def test_a_page_works_without_script_and_by_keyboard(browser: Browser, site: Path) -> None:
    opened(browser, page(site, "asked"))
    assert browser.js("document.scripts.length") == 0
    assert browser.js("document.querySelectorAll('#plots svg.cc-plot').length") == 2
    browser.js("document.querySelector('#answers summary').focus()")
    browser.press("Enter")
    assert browser.js("document.querySelector('#answers details').open") is True
    browser.press("Enter")
    assert browser.js("document.querySelector('#answers details').open") is False


def test_links_lead_home_and_to_the_baseline(browser: Browser, site: Path) -> None:
    opened(browser, page(site, "played"))
    browser.click("#scores .lead a")
    browser.until("document.readyState === 'complete' && location.pathname.endsWith('/vanilla/choice-1.html')")
    browser.click(".back a")
    browser.until("document.readyState === 'complete' && location.pathname.endsWith('/index.html')")
    assert browser.js("document.querySelectorAll('.view tbody tr').length") > 0


def test_ids_are_unique_and_every_number_has_a_head(browser: Browser, site: Path) -> None:
    opened(browser, page(site, "asked"))
    ids = browser.js("[...document.querySelectorAll('[id]')].map(e => e.id)")
    assert len(ids) == len(set(ids))
    widths = browser.js(
        "[...document.querySelectorAll('#scores tr')]"
        ".map(tr => [...tr.children].reduce((sum, e) => sum + e.colSpan, 0))"
    )
    assert len(set(widths)) == 1


@pytest.mark.parametrize("run_id", ["hostile", "asked", "played"])
def test_on_a_phone_nothing_scrolls_sideways_but_tables_and_plots(browser: Browser, site: Path, run_id: str) -> None:
    opened(browser, page(site, run_id), width=390, height=844)
    browser.js("for (const e of document.querySelectorAll('details')) e.open = true")
    assert browser.js("document.documentElement.scrollWidth") == 390


def test_dark_and_light(browser: Browser, site: Path) -> None:
    for dark in (False, True):
        opened(browser, page(site, "played"), dark=dark)
        ground = browser.js("getComputedStyle(document.body).backgroundColor")
        assert ground == browser.js("getComputedStyle(document.querySelector('.cc-plot .ground')).fill")
        assert (ground == "rgb(255, 255, 255)") is not dark
