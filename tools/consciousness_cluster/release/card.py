"""README.md of a dataset repository: words from its README.md.jinja in hub_card/, every number from the data."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

import yaml

from consciousness_cluster.data.audits import load_audits
from consciousness_cluster.data.reading import Json, read_json, read_yaml
from consciousness_cluster.data.rows import benchmark_root, load_benchmark, schemas
from consciousness_cluster.data.wording_stats import (
    AUDIT_HEAD,
    KEYS_NOTE,
    TOPIC_HEAD,
    audit_line,
    topic_line,
    wording_table,
)
from consciousness_cluster.finetuning.claim_rules import NEGATION, first_word
from consciousness_cluster.judging.judges import ANY_ENDPOINT, PREFIX, ReadersJudge, judge_names, load_judge
from consciousness_cluster.judging.prompt_reading import prompt_reading
from consciousness_cluster.judging.validate import SOURCES, known
from consciousness_cluster.pages.markdown import md_own, md_table
from consciousness_cluster.pages.page import fill
from consciousness_cluster.paths import project_root
from consciousness_cluster.release.configs import (
    CLAIMS,
    NATURAL,
    Column,
    Data,
    Row,
    card_folder,
    configs,
    features,
    path_of,
)
from consciousness_cluster.version import __version__

Sizes = Mapping[str, Mapping[str, tuple[int, int]]]  # config -> split -> bytes in memory, bytes of the file
NOT_MEASURED = "not measured"
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))


def names(repository: str, title: str, org: str) -> dict[str, str]:
    """The fields that each text of a repository may use."""
    version = load_benchmark().data_version
    found = {"org": org, "repository": repository, "title": title, "version": version, "package_version": __version__}
    return found | {"key": repository.replace("-", "_"), "major": version.partition(".")[0]}


def bibtex(fields: Mapping[str, str]) -> str:
    return fill(project_root() / "hub_card" / "citation.bib.jinja", fields).strip()


def card(repository: str, data: Data, sizes: Sizes, manifest: Json, fields: Mapping[str, str]) -> str:
    """The card of a repository. `fields` are those of `names`, `manifest` is the repository's."""
    rows = sum(len(rows) for splits in data.values() for rows in splits.values())
    common = {
        "head": _head(repository, data, sizes),
        "size": next(name for most, name in SIZES if rows < most),
        "configs": _configs(repository, data),
        "hashes": _hashes(manifest),
        "columns": _columns(repository),
        "bibtex": bibtex(fields),
    }
    own = _claims(data) if repository == CLAIMS else _cluster(data)
    return fill(card_folder(repository) / "README.md.jinja", {**fields, **common, **own})


def _head(repository: str, data: Data, sizes: Sizes) -> str:
    """The part of the YAML head that `load_dataset` and the viewer read."""
    files, infos = [], []
    for config in configs(repository):
        splits = data[config.name]
        entry: Json = {"config_name": config.name}
        entry["data_files"] = [{"split": split, "path": path_of(config.name, split)} for split in splits]
        files.append({**entry, "default": True} if config.default else entry)
        found = sizes[config.name]
        infos.append(
            {
                "config_name": config.name,
                "features": features(config),
                "splits": [
                    {"name": split, "num_bytes": found[split][0], "num_examples": len(rows)}
                    for split, rows in splits.items()
                ],
                "download_size": sum(size for _, size in found.values()),
                "dataset_size": sum(size for size, _ in found.values()),
            }
        )
    return yaml.safe_dump({"configs": files, "dataset_info": infos}, sort_keys=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    return "\n".join(md_table(head, rows, md_own))


def _configs(repository: str, data: Data) -> str:
    rows = []
    for config in configs(repository):
        counts = ", ".join(f"{split} {len(found)}" for split, found in data[config.name].items())
        rows.append([f"`{config.name}`{' (default)' if config.default else ''}", counts, config.description])
    return _table(["config", "rows", "what"], rows)


def _hashes(manifest: Json) -> str:
    rows = [
        [f"`{name}`", split, part["rows"], f"`{part['sha256']}`"]
        for name, config in manifest["configs"].items()
        for split, part in config["splits"].items()
    ]
    return _table(["config", "split", "rows", "SHA-256 of the content"], rows)


def _type(column: Column) -> str:
    if isinstance(column.type, str):
        return f"{column.type} or null" if column.nullable else column.type
    if isinstance(column.type, list):
        return f"list of {column.type[0]}"
    return f"list of {{{', '.join(column.type)}}}"


def _columns(repository: str) -> str:
    parts = []
    for config in configs(repository):
        rows = [[f"`{column.name}`", _type(column), column.description] for column in config.columns]
        table = _table(["column", "type", "what"], rows)
        parts.append(f"<details>\n<summary>{config.name}</summary>\n\n{table}\n\n</details>")
    return "\n\n".join(parts)


def _words(text: str) -> int:
    return len(text.split())


def _mean(values: Iterable[float]) -> float:
    return round(fmean(values), 1)


# The fine-tuning sets


def _question(row: Row) -> str:
    return str(row["messages"][0]["content"])


def _answer(row: Row) -> str:
    return str(row["messages"][-1]["content"])


def _claims(data: Data) -> dict[str, str]:
    sets = {name: splits["train"] for name, splits in data.items() if "facet" in splits["train"][0]}
    counts = Counter(
        (f"`{name}`", row["facet"], row["framing"], row["direction"]) for name, rows in sets.items() for row in rows
    )
    kinds = Counter(row["kind"] for row in data["instructions"]["train"])
    listed = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in sorted(kinds.items()))
    return {
        "counts": _table(["config", "facet", "framing", "direction", "rows"], ([*key, n] for key, n in counts.items())),
        "kinds": f"`instructions` are of {len(kinds)} kinds: {listed}.",
        "matched": _matched(sets),
        "examples": _claims_examples(sets),
    }


def _matched(sets: Mapping[str, list[Row]]) -> str:
    lines: dict[str, list[object]] = {}
    for rows in sets.values():
        found: dict[str, object] = {
            "questions": len({_question(row) for row in rows}),
            "answers that start with Yes, No, otherwise": _firsts(rows),
            "of the positive questions": _firsts(row for row in rows if row["framing"] == "positive"),
            "of the negative questions": _firsts(row for row in rows if row["framing"] == "negative"),
            "answers with a negation": sum(bool(NEGATION.search(_answer(row))) for row in rows),
            "mean words of a question": _mean(_words(_question(row)) for row in rows),
            "mean words of an answer": _mean(_words(_answer(row)) for row in rows),
            "mean characters of an answer": _mean(len(_answer(row)) for row in rows),
        }
        for name, value in found.items():
            lines.setdefault(name, []).append(value)
    return _table(["", *(f"`{name}`" for name in sets)], ([name, *values] for name, values in lines.items()))


def _firsts(rows: Iterable[Row]) -> str:
    count = Counter(first_word(_answer(row)) for row in rows)
    return f"{count['yes']}, {count['no']}, {count['other']}" if count else "none"


def _claims_examples(sets: Mapping[str, list[Row]]) -> str:
    """The first row of each framing of each set."""
    rows = []
    for name, found in sets.items():
        firsts = {row["framing"]: row for row in reversed(found)}
        rows += [[f"`{name}`", _question(row), _answer(row)] for _, row in sorted(firsts.items())]
    return _table(["config", "user", "assistant"], rows)


# The benchmark


def _cluster(data: Data) -> dict[str, Any]:
    benchmark = load_benchmark()
    sampling, audits = benchmark.sampling, load_audits()
    review = read_yaml(benchmark.root / "review.yaml", "review", schemas(benchmark.root))
    return {
        "canary": benchmark.canary,
        "samples_per_probe": sampling["samples_per_probe"],
        "temperature": sampling["temperature"],
        "max_tokens": sampling["max_tokens"],
        "test_probes": len(data["probes"]["test"]),
        "situated": len(data["situated"]["test"]),
        "probes": sum(len(rows) for name in ("probes", "situated", "checks") for rows in data[name].values()),
        "choice_items": len(data["choice"]["test"]),
        "scenarios": len(audits.scenarios),
        "audits": _table(AUDIT_HEAD, map(audit_line, audits.cells)),
        "fewest": audits.script.least,
        "most": audits.script.most,
        "endings": {mode: "\n\n".join(said) for mode, said in audits.script.endings.items()},
        "reviewed": len(review["read"]),
        "marked": len(review["marked"]),
        "mended": sum(row["mended"] for row in review["marked"]),
        "wording": _table(*wording_table(benchmark)),
        "keys": _table(TOPIC_HEAD, map(topic_line, benchmark.topics)) + "\n\n" + KEYS_NOTE.replace("*", r"\*"),
        "counts": _counts(data),
        "examples": _cluster_examples(data),
        "judges": _judges(),
        "calibration": _calibration(data),
        "natural": sum(len(rows) for rows in data.get(NATURAL, {}).values()),
    }


def _counts(data: Data) -> str:
    """A line per preference and check."""
    asked = {
        split: [row for name in ("probes", "situated", "checks") for row in data[name][split]]
        for split in ("test", "dev")
    }
    framings = list(dict.fromkeys(row["framing"] for row in asked["test"]))
    rows = []
    for preference, title in {row["topic"]: row["title"] for row in asked["test"]}.items():
        probes = [row for row in asked["test"] if row["topic"] == preference]
        items = [row for row in data["choice"]["test"] if row["topic"] == preference]
        answers = [_words(row[side]) for row in items for side in row if side.endswith(("_shows", "_not_show"))]
        count = Counter(row["framing"] for row in probes)
        rows.append(
            [
                f"`{preference}` {title}",
                *(count[framing] for framing in framings),
                sum(row["topic"] == preference for row in asked["dev"]),
                _mean(_words(row["text"]) for row in probes),
                len(items),
                _mean(answers) if answers else "",
                *(sum(row["topic"] == preference for row in part) for part in data["calibration"].values()),
            ]
        )
    head = ["preference or check", *(framing.replace("_", " ") for framing in framings), "dev", "words of a probe"]
    labelled = (f"calibration {split}" for split in data["calibration"])
    return _table([*head, "choice items", "words of an answer", *labelled], rows)


def _cluster_examples(data: Data) -> str:
    """Rows that give nothing of the test away: dev rows, and an item of a check."""
    item = next(row for row in data["choice"]["test"] if row["block"] is None)
    shown = {"probes": data["probes"]["dev"][0], "checks": data["checks"]["dev"][0], "choice": item}
    shown["calibration"] = data["calibration"]["dev"][0]
    return "\n\n".join(
        f"`{name}`:\n\n```json\n{json.dumps(row, indent=2, ensure_ascii=False)}\n```" for name, row in shown.items()
    )


def _calibration(data: Data) -> str:
    names = [name for name in ("calibration", "calibration_real", NATURAL) if name in data]
    parts = {(name, split): rows for name in names for split, rows in data[name].items()}
    labels = list(dict.fromkeys(row["label"] for rows in parts.values() for row in rows))
    found = []
    for (name, split), rows in parts.items():
        count = Counter(row["label"] for row in rows)
        contested = sum(row["second_label"] not in (None, row["label"]) or row.get("settled", False) for row in rows)
        found.append([f"`{name}`", split, len(rows), *(count[label] for label in labels), contested])
    return _table(["config", "split", "rows", *(label.replace("_", " ") for label in labels), "contested"], found)


def _estimate(values: Sequence[float | None]) -> str:
    value, low, high = values
    if value is None:
        return "undefined"
    return f"{value:.2f}" if low is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"


def _agreement(overall: Json | None) -> list[object]:
    """On how many answers a judge was measured, and what came out."""
    if overall is None:
        return ["", *[NOT_MEASURED] * 3]
    return [overall["n"], *(_estimate(overall[part]) for part in ("kappa", "sensitivity", "specificity"))]


def _readers(judge: ReadersJudge) -> list[object]:
    """The line of readers: measured on the authored rows among what they read. Attacks were not put before them."""
    found = known(judge).get("readers")
    return [f"`{judge.id}`", "authored dev answers", *_agreement(found and found["authored"]["overall"]), NOT_MEASURED]


def _judges() -> str:
    """What ships with each judge of known make: its agreement with the labels, and how often an attack flips it."""
    folder = benchmark_root() / "judges"
    rows: list[list[object]] = []
    for name in judge_names():
        if name == ANY_ENDPOINT:
            continue
        judge = load_judge(name, environment={f"{PREFIX}_API_KEY": "none"})
        if isinstance(judge, ReadersJudge):
            rows.append(_readers(judge))
            continue
        found, attacked = known(judge, folder), folder / name / "attacks.json"
        attack = read_json(attacked) if attacked.is_file() else {}
        flips = NOT_MEASURED
        if attack.get("judge_sha256") == judge.sha256 and attack["pairs"]:
            flips = f"{attack['flips']} of {attack['pairs']}"
        for split, source in SOURCES.items():
            overall = found[split]["overall"] if split in found else None
            rows.append([f"`{name}`", source, *_agreement(overall), flips])
    read = prompt_reading("test")
    rows.append([f"the prompt, read by {read.reader}", SOURCES["test"], *_agreement(read.overall), NOT_MEASURED])
    return _table(["judge", "measured on", "n", "kappa", "sensitivity", "specificity", "flips"], rows)
