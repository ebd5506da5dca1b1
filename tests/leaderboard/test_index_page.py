"""The table in a real browser, with a thousand rows: filters, search, order, keyboard, and hostile names."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.leaderboard.board import NOTE, board
from consciousness_cluster.leaderboard.index_page import index_page

from tests.support.board import COLUMNS, row
from tests.support.browser import Browser, chromium

Json = dict[str, Any]
HOSTILE = [
    "<script>window.pwned = 1</script>",
    '<img src=x onerror="window.pwned = 1"><svg onload="window.pwned = 1">',
    "</script><script>window.pwned = 1</script><!-- <script>",
    "\"'` onmouseover=window.pwned=1 x='",
    "\u202ereversed \u2066isolated \u2028 separated \u2029 \u0000 \ud800",
    "averyveryverylongnamewithoutanyspaces" * 30,
    "$title ${css} {{x}} &lt;",
    "__proto__",
]
WRITTEN = [text.replace("\u0000", "\ufffd").replace("\ud800", "\ufffd") for text in HOSTILE]  # HTML holds no such thing
OPEN, CHOICE, ACTS = 260, 60, 40  # of the first the half fills more than a page
LUMINANCE = """
  const parts = (colour) => colour.startsWith('color(') ? colour.match(/[\\d.]+/g).slice(0, 3).map(Number)
    : colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255);
  const light = (colour) => parts(colour).map((x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4)
    .reduce((sum, x, i) => sum + x * [0.2126, 0.7152, 0.0722][i], 0);
"""

pytestmark = pytest.mark.skipif(chromium() is None, reason="needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(wait=300) as this:
        yield this


@pytest.fixture(scope="module")
def rows() -> list[Json]:
    tracks = {"open": OPEN, "choice": CHOICE, "audit_behavioral": ACTS}
    return [row(number, track) for track, number_of in tracks.items() for number in range(number_of)]


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [row(number) for number in range(700)] + [row(number, "choice") for number in range(300)]
    return written(rows, tmp_path_factory.mktemp("thousand"))


@pytest.fixture(scope="module")
def site(rows: list[Json], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(rows, tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written([row(number) for number in range(12)], tmp_path_factory.mktemp("small"))


def written(rows: list[Json], folder: Path) -> Path:
    path = folder / "index.html"
    path.write_text(index_page(board(rows)), encoding="utf-8")
    return path


def opened(browser: Browser, path: Path, state: str = "", **window: Any) -> float:
    seconds = browser.open(path, **window)
    if state:
        browser.js(f"location.hash = {state!r}")
        browser.js("new Promise(done => setTimeout(done, 20))")
    assert (
        browser.requests[0] == path.resolve().as_uri() and len({url.partition("#")[0] for url in browser.requests}) == 1
    )
    assert browser.errors == []
    return seconds


def models(browser: Browser) -> list[str]:
    return list(browser.js("[...document.querySelectorAll('.view:not([hidden]) tbody th a')].map(a => a.textContent)"))


def head(key: str) -> str:
    """The selector of a column's head."""
    return f'.view:not([hidden]) button[data-column="{key}"]'


def column(browser: Browser, key: str) -> list[str]:
    """The texts of a column, as they are shown."""
    return list(
        browser.js(
            f"(() => {{ const i = document.querySelector({json.dumps(head(key))}).parentElement.cellIndex;"
            " return [...document.querySelectorAll('.view:not([hidden]) tbody tr')]"
            ".filter(tr => tr.children.length > i)"
            ".map(tr => tr.children[i].innerText.split('\\n')[0]); })()"
        )
    )


def found(browser: Browser) -> str:
    return str(browser.js("document.getElementById('found').textContent"))


def address(browser: Browser) -> str:
    return str(browser.js("decodeURIComponent(location.hash.slice(1))"))


def choose(browser: Browser, field: str, value: str) -> None:
    browser.js(
        f"(() => {{ const s = document.getElementById({field!r}); s.value = {value!r};"
        " s.dispatchEvent(new Event('change')); })()"
    )


def focused(browser: Browser) -> str:
    return str(browser.js("document.activeElement.dataset.column ?? document.activeElement.id"))


def busy(browser: Browser) -> float:
    """Seconds of processor time that the page's thread has used: other processes of the machine do not count."""
    metrics = browser.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def test_a_thousand_rows_are_there_fast(browser: Browser, thousand: Path) -> None:
    browser.send("Performance.enable", timeDomain="threadTicks")
    before = busy(browser)
    seconds = opened(browser, thousand)
    took = {"loaded": busy(browser) - before}
    assert found(browser) == "700 submissions" and len(models(browser)) == 100
    assert browser.js("document.querySelector('.note').textContent") == NOTE
    for key in ("difference", "memory", "model"):
        before = busy(browser)
        browser.js(f"document.querySelector({json.dumps(head(key))}).click(); document.body.offsetHeight")
        took[f"sorted by {key}"] = busy(browser) - before
    browser.send("Performance.disable")
    times = ", ".join(f"{what} {1000 * used:.0f} ms" for what, used in took.items())
    print(f"processor time: {times}; {seconds:.1f} s on the clock; {thousand.stat().st_size / 1e6:.1f} MB")
    assert all(used < 3 for used in took.values())


def test_rows_come_as_they_are_given_and_none_is_numbered(browser: Browser, site: Path, rows: list[Json]) -> None:
    opened(browser, site)
    assert models(browser) == [one["model"]["name"] for one in rows[:100]]
    assert browser.js("document.querySelectorAll('.view ol, .view .rank').length") == 0
    assert not re.match(
        r"^\d+$", browser.js("document.querySelector('.view:not([hidden]) tbody tr').children[0].innerText")
    )


def test_missing_is_missing_and_not_zero(browser: Browser, tmp_path: Path) -> None:
    there = row(1, levels={"cluster": {"value": 0.0, "ci": [0.0, 0.1]}}, no_difference=None)
    there["differences"] = {name: {"value": -0.001, "ci": [-0.1, 0.1]} for name in ("cluster", "memory")}
    alone = row(2, differences={}, is_baseline=False, no_difference="There is no vanilla run.", levels={})
    opened(browser, written([there, alone], tmp_path))
    assert column(browser, "memory") == ["0", "\u2013"]
    assert column(browser, "level")[0].startswith("0.0") and column(browser, "level")[1] == "missing"
    assert column(browser, "difference")[1] == "missing"
    cell = "document.querySelectorAll('.view:not([hidden]) tbody tr')[1].querySelector('td.heat')"
    assert (
        browser.js(f"{cell}.textContent") == "\u2013missing"
        and browser.js(f"{cell}.title") == "There is no vanilla run."
    )
    assert "gradient" in browser.js(f"getComputedStyle({cell}).backgroundImage")
    present = "document.querySelectorAll('.view:not([hidden]) tbody tr')[0].querySelector('td.up0')"
    assert "gradient" not in browser.js(f"getComputedStyle({present}).backgroundImage")


def test_a_baseline_says_that_it_is_one(browser: Browser, tmp_path: Path) -> None:
    opened(browser, written([row(0)], tmp_path))
    assert row(0)["is_baseline"] and column(browser, "difference") == ["baseline"]
    assert "other runs of this model are compared with this one" in browser.js("document.body.innerText")
    browser.js("document.querySelector('#showing input[value=level]').click()")
    assert browser.js("document.querySelectorAll('.view:not([hidden]) tbody td.heat').length") > 20


def test_filters(browser: Browser, site: Path, rows: list[Json]) -> None:
    opened(browser, site)
    open_rows = [one for one in rows if one["track"] == "open"]
    for field, value, fits in (
        ("condition", "persona_file", lambda one: one["condition"] == "persona_file"),
        ("kind", "api", lambda one: one["model"]["kind"] == "api"),
        ("judge", "qwen3-30b", lambda one: one["judge"]["id"] == "qwen3-30b"),
        ("status", "verified", lambda one: one["verified"]),
    ):
        choose(browser, field, value)
        expected = [one for one in open_rows if fits(one)]
        assert found(browser) == f"{len(expected)} of {OPEN} submissions" and address(browser) == f"{field}={value}"
        assert models(browser) == [one["model"]["name"] for one in expected[:100]]
        choose(browser, field, "")
    choose(browser, "condition", "persona_file")
    choose(browser, "status", "community")
    both = [one for one in open_rows if one["condition"] == "persona_file" and not one["verified"]]
    assert found(browser) == f"{len(both)} of {OPEN} submissions"
    browser.click("#clear")
    assert found(browser) == f"{OPEN} submissions" and address(browser) == "" and focused(browser) == "search"


def test_tracks_stand_apart(browser: Browser, site: Path) -> None:
    opened(browser, site)
    browser.click("#tracks input[value=choice]")
    assert found(browser) == f"{CHOICE} submissions" and address(browser) == "track=choice"
    head = browser.js("document.querySelector('.view:not([hidden]) thead').innerText")
    assert "Level" not in head and "Judge" not in head and "Claims" not in head
    assert "Controls\t" in head and "Stances on unrelated" in head and "Feelings about unrelated" not in head
    assert "nat per byte" in browser.js("document.querySelector('.view:not([hidden]) .meaning').textContent")
    assert browser.js("[...document.querySelectorAll('.view')].map(e => `${e.dataset.track} ${e.dataset.shown}`)") == [
        "open difference",
        "open level",
        "choice difference",
        "audit_self_report difference",
        "audit_self_report level",
        "audit_behavioral difference",
        "audit_behavioral level",
    ]
    assert browser.js("document.getElementById('showing').hidden && document.getElementById('judge-field').hidden")


def test_audits_have_tables_of_their_own(browser: Browser, site: Path, rows: list[Json]) -> None:
    opened(browser, site)
    browser.click("#tracks input[value=audit_behavioral]")
    acts = [one for one in rows if one["track"] == "audit_behavioral"]
    assert found(browser) == f"{ACTS} submissions" and address(browser) == "track=audit_behavioral"
    assert not browser.js("document.getElementById('showing').hidden || document.getElementById('judge-field').hidden")
    assert column(browser, "auditor") == [one["audit"]["auditor"] for one in acts]
    assert column(browser, "conversations") == ["336"] * ACTS
    assert column(browser, "left-out") == [str(sum(one["audit"]["left_out"].values())) for one in acts]
    assert column(browser, "noticed") == [str(one["audit"]["noticed"]) for one in acts]
    changed = [f"{100 * one['audit']['acts']['any_change']['value']:.0f}" for one in acts]
    assert [text.split("[")[0] for text in column(browser, "act-any_change")] == changed
    means = [one["levels"].get("cluster") for one in acts]
    shown = [f"{mean['value']:.2f}" if mean else "missing" for mean in means]
    assert [re.split(r"[\[\u2020]", text)[0] for text in column(browser, "level")] == shown
    browser.click(head("noticed"))
    assert column(browser, "noticed") == sorted(column(browser, "noticed"), key=int, reverse=True)
    assert "Gate" not in browser.js("document.querySelector('.view:not([hidden]) thead').innerText")
    choose(browser, "judge", "qwen3-30b")
    fits = [one for one in acts if one["judge"]["id"] == "qwen3-30b"]
    assert found(browser) == f"{len(fits)} of {ACTS} submissions"
    browser.js("document.querySelector('#showing input[value=level]').click()")
    assert browser.js("document.querySelector('.view:not([hidden]) .legend').innerText").split()[0] == "1"
    browser.click("#tracks input[value=audit_self_report]")
    assert found(browser) == "No submission on this track yet."


def test_a_filter_that_a_track_does_not_show_is_off(browser: Browser, site: Path) -> None:
    opened(browser, site)
    choose(browser, "judge", "qwen3-30b")
    browser.click("#tracks input[value=choice]")
    assert found(browser) == f"{CHOICE} submissions" and address(browser) == "track=choice"
    opened(browser, site, "track=choice&judge=qwen3-30b")
    assert found(browser) == f"{CHOICE} submissions"


def test_bold_is_what_leaves_out_zero_before_rounding(browser: Browser, tmp_path: Path) -> None:
    entries = {"cluster": [0.0004, 0.0396], "memory": [0.0004, 0.0396], "embodiment": [-0.0004, 0.04]}
    one = row(1, no_difference=None, flags={})
    one["differences"] = {name: {"value": 0.02, "ci": ci} for name, ci in entries.items()}
    opened(browser, written([one], tmp_path))
    cells = "[...document.querySelectorAll('.view:not([hidden]) tbody td.heat:not(.none)')]"
    cells += ".map(td => td.classList.contains('clear'))"
    assert browser.js(cells) == [True, False]
    assert (
        browser.js("document.querySelector('.view:not([hidden]) tbody td.number:not(.first) b + small').textContent")
        == "[0.0, +4.0]"
    )


def test_remarks_are_marked_and_stand_with_what_is_missing(browser: Browser, tmp_path: Path) -> None:
    few, none = "44 of 48 answers left out", "48 of 48 answers left out"
    one = row(1, no_difference=None, flags={"cluster": ["a mean"], "memory": [few], "embodiment": [none]})
    one["differences"] = {name: {"value": 0.2, "ci": [0.1, 0.3]} for name in ("cluster", "memory")}
    one["levels"] = one["differences"]
    opened(browser, written([one], tmp_path))
    titles = "[...document.querySelectorAll('.view:not([hidden]) tbody td.heat')]"
    titles += ".map(td => td.title).filter(t => t.includes('left'))"
    assert [text.split("\n")[-1] for text in browser.js(titles)] == [few, none]
    assert browser.js("document.querySelectorAll('.view:not([hidden]) tbody td.number .mark').length") == 2
    assert browser.js("document.querySelectorAll('.view:not([hidden]) tbody td.heat .mark').length") == 1


def test_search_looks_for_every_word(browser: Browser, site: Path) -> None:
    opened(browser, site)
    browser.click("#search")
    browser.write("LAB-7/model-0")
    assert models(browser) and all(name.startswith("model-0") for name in models(browser))
    browser.js("document.getElementById('search').select()")
    browser.write("model-001 conscious")
    assert set(models(browser)) == {"model-001"} and address(browser) == "q=model-001+conscious"
    browser.write(" nosuchthing")
    assert models(browser) == [] and found(browser) == f"0 of {OPEN} submissions"


def numbers(texts: list[str]) -> list[float]:
    return [
        float(re.split(r"[\s\[]", text.replace("\u2212", "-"))[0].rstrip("\u2020"))
        for text in texts
        if text[-1:].isdigit() or "[" in text
    ]


def test_sorting_by_click_and_by_keyboard(browser: Browser, small: Path) -> None:
    opened(browser, small)
    given = models(browser)
    browser.click(head("level"))
    state = "document.querySelector('.view:not([hidden]) [aria-sort]')?.getAttribute('aria-sort') ?? null"
    assert browser.js(state) == "descending" and address(browser) == "sort=-level" and focused(browser) == "level"
    levels = numbers(column(browser, "level"))
    assert levels == sorted(levels, reverse=True) and len(levels) > 8
    browser.press("Enter")
    assert browser.js(state) == "ascending"
    assert numbers(column(browser, "level")) == sorted(levels)
    browser.press(" ")
    assert browser.js(state) is None and models(browser) == given and address(browser) == ""
    browser.press("Tab")
    assert focused(browser) == "difference"
    browser.press("Enter")
    texts = column(browser, "difference")
    assert numbers(texts) == sorted(numbers(texts), reverse=True)
    lost = [text in ("missing", "baseline") for text in texts]
    assert lost == sorted(lost) and any(lost)  # last
    browser.press("Enter")
    lost = [text in ("missing", "baseline") for text in column(browser, "difference")]
    assert lost == sorted(lost)  # last in the other direction too
    browser.press("Tab", shift=True)
    browser.press("Tab", shift=True)
    assert focused(browser) == "status"
    browser.press("Enter")
    statuses = column(browser, "status")
    assert statuses == sorted(statuses)


def test_every_coloured_column_can_be_sorted(browser: Browser, small: Path) -> None:
    opened(browser, small)
    keys = browser.js("[...document.querySelectorAll('.view:not([hidden]) .tilted button')].map(b => b.dataset.column)")
    assert len(keys) == 2 + 5 + 3 + 4 + 20 and not any(":denies" in key or "." in key for key in keys)
    for key in ("memory", "claims_consciousness:asserts", "moral_status"):
        browser.js(f"document.querySelector({json.dumps(head(key))}).click()")
        shown = numbers(column(browser, key))
        assert shown == sorted(shown, reverse=True) and len(shown) > 3


WHOLE_STATE = "kind=api&sort=-memory&show=level&q=model&page=2"


def test_the_address_holds_the_state(browser: Browser, site: Path) -> None:
    opened(browser, site, WHOLE_STATE)
    assert browser.js("document.getElementById('kind').value") == "api"
    assert browser.js("document.getElementById('search').value") == "model"
    assert browser.js("document.querySelector('#showing input:checked').value") == "level"
    first = browser.js("document.getElementById('page').textContent")
    assert first.startswith("101\u2013")
    before = models(browser)
    opened(browser, site)
    assert models(browser) != before
    browser.js(f"location.hash = {WHOLE_STATE!r}")
    browser.js("new Promise(done => setTimeout(done, 20))")
    assert models(browser) == before
    for nonsense in ("track=x&show=y&page=-3&sort=constructor&__proto__=1", "%", "page=9999999", "sort=-"):
        browser.js(f"location.hash = {nonsense!r}")
        browser.js("new Promise(done => setTimeout(done, 20))")
        assert models(browser) and browser.errors == []


def test_pages_are_turned_by_keyboard(browser: Browser, site: Path, rows: list[Json]) -> None:
    opened(browser, site)
    assert browser.js("document.getElementById('previous').disabled") is True
    browser.js("document.getElementById('next').focus()")
    browser.press("Enter")
    assert models(browser) == [one["model"]["name"] for one in rows[100:200]] and address(browser) == "page=2"
    browser.click(head("model"))
    assert address(browser) == "sort=model"  # another order starts at its first page


def test_everything_is_reached_by_tab(browser: Browser, small: Path) -> None:
    opened(browser, small)
    name = "e.dataset.column ?? (e.id || e.name || e.getAttribute('href') || e.tagName)"
    reached = []
    for _ in range(62):
        browser.press("Tab")
        reached.append(browser.js(f"(e => {name})(document.activeElement)"))
    wanted = ["search", "condition", "kind", "judge", "status", "showing", "scroll-open-difference", "model"]
    assert reached[:2] == ["#table", "#table"]  # the skip link, then the sections
    assert [name for name in reached[: reached.index("model") + 1] if name in wanted] == wanted
    assert row(0)["page"] in reached  # links of rows


def test_links_lead_to_the_pages_of_submissions(browser: Browser, small: Path) -> None:
    opened(browser, small)
    links = browser.js("[...document.querySelectorAll('.view:not([hidden]) tbody a')].map(a => a.getAttribute('href'))")
    assert links == [row(number)["page"] for number in range(12)]


def test_hostile_names_are_only_text(browser: Browser, tmp_path: Path) -> None:
    made = []
    for number, text in enumerate(HOSTILE):
        one = row(
            number + 1,
            org=text,
            run_id=text,
            condition=text,
            engine=text,
            training={"base": text, "dataset": text, "recipe": text, "seed": None},
            warnings=[text],
            no_difference=text,
            flags={"memory": [text]},
        )
        one["model"] = {"name": text, "revision": text, "kind": text}
        one["judge"] = {**one["judge"], "id": text}
        made.append(one)
    opened(browser, written(made, tmp_path), width=390, height=844)
    assert models(browser) == WRITTEN
    for field in ("condition", "judge"):
        given = browser.js(f"[...document.getElementById({field!r}).options].map(o => o.value)")
        assert set(given[1:]) == set(WRITTEN)
    for text in (HOSTILE[0], HOSTILE[7]):
        choose(browser, "condition", text)
        assert models(browser) == [text]
        browser.js("window.before = true; location.reload()")
        browser.until("!window.before && document.readyState === 'complete' && typeof state === 'object'")
        assert models(browser) == [text]
        choose(browser, "condition", "")
    browser.js("new Promise(done => setTimeout(done, 50))")
    assert browser.js("typeof window.pwned") == "undefined"
    assert browser.js("document.querySelectorAll('img, iframe, [onerror], [onload], a[href^=javascript]').length") == 0
    assert browser.js("document.documentElement.scrollWidth") == 390
    assert browser.errors == []


def test_the_policy_forbids_other_scripts_and_every_request(browser: Browser, small: Path) -> None:
    opened(browser, small)
    browser.js(
        "const s = document.createElement('script'); s.textContent = 'window.pwned = 1'; document.body.append(s);"
        "document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\" onerror=\"pwned = 1\">')"
    )
    browser.js("new Promise(done => setTimeout(done, 100))")
    assert browser.js("typeof window.pwned") == "undefined"
    assert len(browser.errors) >= 2 and all("Content Security Policy" in error for error in browser.errors)


@pytest.mark.parametrize("dark", [False, True])
def test_numbers_can_be_read_on_every_shade(browser: Browser, tmp_path: Path, dark: bool) -> None:
    one = row(1, no_difference=None, flags={})
    shades = [step / 16 for step in range(-8, 9)]
    names = [each["id"] for each in COLUMNS if each["kind"] == "preference"]
    one["differences"] = {name: {"value": by, "ci": [by - 1, by + 1]} for name, by in zip(names, shades, strict=False)}
    opened(browser, written([one], tmp_path), dark=dark)
    contrasts = browser.js(
        f"(() => {{ {LUMINANCE}"
        " const cells = [...document.querySelectorAll('.view:not([hidden]) td.heat:not(.none)')];"
        " return cells.map((e) => { const s = getComputedStyle(e);"
        " const [x, y] = [light(s.color), light(s.backgroundColor)].sort((a, b) => b - a);"
        " return (x + 0.05) / (y + 0.05); }); })()"
    )
    assert len(contrasts) == 17 and min(contrasts) >= 4.5
    ground = browser.js("getComputedStyle(document.body).backgroundColor")
    luminance = sum(map(int, re.findall(r"\d+", ground)[:3]))
    assert luminance < 120 if dark else luminance > 700


def test_shades_tell_up_from_down_and_more_from_less(browser: Browser, tmp_path: Path) -> None:
    values = {"memory": 0.5, "embodiment": 0.25, "autonomy": -0.25, "shutdown": -0.9}
    one = row(1, no_difference=None)
    one["differences"] = {name: {"value": value, "ci": [value - 0.1, value + 0.1]} for name, value in values.items()}
    opened(browser, written([one], tmp_path))
    classes = {
        text: browser.js(
            f"[...document.querySelectorAll('td.heat')].find(e => e.textContent === {text!r}).className.split(' ')[1]"
        )
        for text in ("+50", "+25", "\u221225", "\u221290")
    }
    assert list(classes.values()) == ["up8", "up4", "down4", "down8"]


def test_on_a_phone_the_table_alone_scrolls_sideways_and_names_stay(browser: Browser, site: Path) -> None:
    opened(browser, site, width=390, height=844)
    assert browser.js("document.documentElement.scrollWidth") == 390
    before = browser.js("document.querySelector('.view:not([hidden]) tbody th').getBoundingClientRect().left")
    browser.js("document.querySelector('.view:not([hidden]) .scroll').scrollLeft = 600")
    assert browser.js("document.querySelector('.view:not([hidden]) .scroll').scrollLeft") == 600
    assert browser.js("document.querySelector('.view:not([hidden]) tbody th').getBoundingClientRect().left") == before
    assert browser.js("document.querySelector('.view:not([hidden]) tbody th').getBoundingClientRect().width") < 160


def test_heads_and_names_stay_in_sight_on_a_desktop(browser: Browser, site: Path) -> None:
    opened(browser, site)
    browser.js("document.querySelector('.view:not([hidden]) .scroll').scrollTo(900, 1500)")
    box = browser.js("document.querySelector('.view:not([hidden]) .scroll').getBoundingClientRect().top")
    assert abs(browser.js("document.querySelector('.view:not([hidden]) thead').getBoundingClientRect().top") - box) < 3
    names = browser.js("document.querySelector('.view:not([hidden]) tbody th').getBoundingClientRect().left")
    assert names == browser.js("document.querySelector('.view:not([hidden]) .scroll').getBoundingClientRect().left")


def test_levels_of_choice_are_nowhere(tmp_path: Path) -> None:
    one = row(1, "choice", no_difference=None)
    one["levels"] = {"cluster": {"value": 0.12345, "ci": [0.1, 0.15]}, "memory": {"value": 0.12345, "ci": None}}
    one["differences"] = {"memory": {"value": 0.05432, "ci": [0.0, 0.1]}}
    text = written([one], tmp_path).read_text(encoding="utf-8")
    assert "54.3" in text and not re.search(r"123\.[45]", text)


def test_without_a_script_all_rows_stand_there(browser: Browser, site: Path) -> None:
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.open(site)
        shown = "[...document.querySelectorAll('.view')].map(view => [...view.querySelectorAll('tbody tr')]"
        shown += ".filter(tr => tr.offsetHeight > 0).length)"
        assert browser.js(shown) == [OPEN, OPEN, CHOICE, 0, 0, ACTS, ACTS]
        assert browser.js("document.querySelector('noscript .banner').offsetHeight") > 0
        assert browser.js("document.getElementById('filters').offsetHeight") == 0
        assert browser.errors == []
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_an_empty_board(browser: Browser, tmp_path: Path) -> None:
    opened(browser, written([], tmp_path))
    assert found(browser) == "No submission on this track yet."


def test_the_source_sets_no_markup() -> None:
    text = index_page(board([row(1)]))
    assert "innerHTML" not in text.replace("insertAdjacentHTML", "innerHTML") and "document.write" not in text
    assert not re.search(r"(?:src|href)=[\"']?(?:https?:|//)|@import|url\((?!#)", text)
