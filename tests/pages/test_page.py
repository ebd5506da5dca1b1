"""The kit of pages: what is not given is an error, what is given is text, nothing runs but the page's own script."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from consciousness_cluster.leaderboard.board import board
from consciousness_cluster.leaderboard.index_page import index_page
from consciousness_cluster.pages.page import data_block, fill, page
from consciousness_cluster.reporting.report_page import report_page
from jinja2 import UndefinedError

from tests.reporting.test_page import HOSTILE, answers, report
from tests.support.board import row

SENDS = ("onerror", "onload", "onclick", "onmouseover", "style")


class Reader(HTMLParser):
    """Tags, attributes, and the contents of scripts and styles of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.blocks: list[tuple[str, dict[str, str | None], str]] = []
        self._inside: tuple[str, dict[str, str | None]] | None = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = (tag, dict(attrs)) if tag in ("script", "style") else None

    def handle_data(self, data: str) -> None:
        if self._inside:
            self.blocks.append((*self._inside, data))
            self._inside = None


def hostile_report() -> dict[str, Any]:
    name = HOSTILE[2] + HOSTILE[1] + '" onclick="pwned()"'
    content = report({"memory": answers(list(HOSTILE), probe=name)}, name=name)
    content["probes"][name] = name
    content["banners"] = [name]
    content["cells"]["r0"]["memory"]["flags"] = [name]
    content["runs"][0] |= {"model": name, "condition": name, "engine": name, "training": {"dataset": name}}
    content["runs"][0] |= {"judge": {"id": name, "agreement": name}, "judge_errors": name}
    content["comparisons"][0] |= {"arm": name, "why": name}
    content["choice"][0] |= {"arm": name}
    content["reference"][0] |= {"source": name, "model": name, "condition": name}
    return content


def hostile_board() -> dict[str, Any]:
    name = HOSTILE[2] + HOSTILE[1] + '" onclick="pwned()"'
    rows = []
    for track in ("open", "choice"):
        one = row(1, track, org=name, run_id=name, condition=name, engine=name, warnings=[name], no_difference=name)
        one |= {"training": {"dataset": name, "recipe": name, "seed": None}, "flags": {"memory": [name]}}
        one["model"] = {"name": name, "revision": name, "kind": name}
        rows.append(one)
    rows[0]["judge"] = {**rows[0]["judge"], "id": name}
    return board(rows)


PAGES = {"report": lambda: report_page(hostile_report()), "board": lambda: index_page(hostile_board())}


@pytest.mark.parametrize("name", PAGES)
def test_hostile_texts_make_no_element_and_no_attribute(name: str) -> None:
    text = PAGES[name]()
    text.encode()  # no lone surrogate is left
    assert "\x00" not in text
    found = Reader(text)
    assert not {tag for tag, _ in found.tags} & {"img", "iframe", "object", "base"}
    assert not {key for _, attributes in found.tags for key in attributes} & set(SENDS)
    assert all(key not in attributes for _, attributes in found.tags for key in ("src", "srcdoc"))
    links = [attributes["href"] or "" for tag, attributes in found.tags if tag == "a"]
    assert links and all(re.match(r"#|submissions/|leaderboard\.json$", link) for link in links)
    executed = [attributes for tag, attributes in found.tags if tag == "script" and "type" not in attributes]
    assert executed == [{}]


@pytest.mark.parametrize("name", PAGES)
def test_the_policy_has_the_hash_of_each_script_and_style(name: str) -> None:
    found = Reader(PAGES[name]())
    (policy,) = (attributes["content"] for _, attributes in found.tags if "http-equiv" in attributes)
    assert policy and policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy and "base-uri 'none'; form-action 'none'" in policy
    used = {
        f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'"
        for tag, attributes, content in found.blocks
        if tag == "style" or attributes.get("type") is None
    }
    assert len(used) >= 3 and all(source in policy for source in used)


@pytest.mark.parametrize("name", PAGES)
def test_the_same_content_gives_the_same_bytes(name: str) -> None:
    assert PAGES[name]() == PAGES[name]()


def test_a_data_block_cannot_be_ended_by_what_it_holds() -> None:
    value = {"a": [*HOSTILE, "</script>", "<!--", "]]>"]}
    block = data_block("it", value)
    opened, closed = '<script type="application/json" id="it">', "</script>"
    inside = block.removeprefix(opened).removesuffix(closed)
    assert not set("<>&") & set(inside) and inside.isascii() and json.loads(inside) == value
    with pytest.raises(ValueError, match="JSON"):
        data_block("it", float("nan"))


def test_what_a_template_is_not_given_is_an_error(tmp_path: Path) -> None:
    template = tmp_path / "text.jinja"
    template.write_text("{{ one }} & {{ two }}\n", encoding="utf-8")
    assert fill(template, {"one": "<1>", "two": 2}) == "<1> & 2\n"  # no page: nothing is escaped
    with pytest.raises(UndefinedError, match="two"):
        fill(template, {"one": 1})
    with pytest.raises(UndefinedError):
        page("report.html.jinja", css=["page.css"])
