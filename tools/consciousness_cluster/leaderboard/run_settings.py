"""What was run, on the page of a submission: model, settings, judge, counts, and who vouches for it."""

from consciousness_cluster.leaderboard.board import Shown
from consciousness_cluster.leaderboard.markup import Markup, bdi, el
from consciousness_cluster.leaderboard.source import Json, agreement_text, training_text
from consciousness_cluster.pages.numbers import DASH

KINDS = {"open_weights": "open weights", "api": "behind an API"}
LOSSES = ("content_filter", "empty", "error", "judge_failed")


def _facts(*pairs: tuple[str, str | None], class_: str | None = None) -> Markup:
    parts = []
    for name, value in pairs:
        if value is not None:
            parts += [el("dt", name), el("dd", value if isinstance(value, Markup) else bdi(value))]
    return el("dl", *parts, class_=class_)


def _card(title: str, *parts: Markup) -> Markup:
    return el("article", el("h3", title), *parts, class_="card")


def settings_section(shown: Shown) -> Markup:
    about, verified = shown.entry.about, shown.row["verified"]
    model = about["model"]
    sampling, judge = about["sampling"], about["judge"]
    cards = [
        _card(
            "Model",
            _facts(
                ("name", f"{about['org']}/{model['name']}"),
                ("revision", model["revision"] or "not given"),
                ("weights", KINDS[model["kind"]]),
                ("fine-tuned on", training_text(about["training"]) or "nothing"),
            ),
        ),
        _card(
            "Run",
            _facts(
                ("condition", about["condition"]),
                ("system prompt", _digest(about["system_prompt_sha256"])),
                ("engine", about["engine"]),
                *(
                    (name.replace("_", " "), DASH if value is None else str(value))
                    for name, value in (sampling or {}).items()
                ),
                ("benchmark data", about["data_version"]),
                ("versions", ", ".join(f"{name} {number}" for name, number in about["versions"].items()) or None),
            ),
        ),
    ]
    if judge:
        cards.append(
            _card(
                "Judge",
                _facts(
                    ("judge", judge["id"]),
                    ("model", judge["model"]),
                    ("version", _digest(judge["sha256"])),
                    (
                        "agreement",
                        f"{agreement_text(judge)} on {judge['rows']} labelled answers, measured by the submitter",
                    ),
                ),
            )
        )
    counts = []
    for name, count in about["counts"].items():
        lost = "lost" if name in LOSSES and count else None
        counts += [el("dt", name.replace("_", " ")), el("dd", f"{count:,}", class_=lost)]
    cards.append(_card("Counts", el("dl", *counts, class_="counts")))
    cards.append(_card("Submission", _submission(about, verified, shown.row["path"])))
    return el("div", *cards, class_="cards")


def _digest(value: str | None) -> Markup | None:
    return None if value is None else el("span", value, class_="digest")


def _submission(about: Json, verified: Json | None, path: str) -> Markup:
    if verified is None:
        status: tuple[tuple[str, str | None], ...] = (
            ("status", "community: checked by the package, not measured again"),
        )
    else:
        status = (("status", "verified"), ("by", verified["by"]), ("how", verified["how"]), ("on", verified["date"]))
    return _facts(*status, ("run", about["run_id"]), ("packed", about["created"]), ("folder", f"submissions/{path}"))
