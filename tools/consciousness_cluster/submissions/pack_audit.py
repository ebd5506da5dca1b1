"""Pack an audit with the ratings of one judge."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from consciousness_cluster.data.hashes import sha256_text
from consciousness_cluster.errors import Problem, UserError
from consciousness_cluster.records.audit_folder import AUDIT, CONVERSATIONS, ratings_file, read_audit
from consciousness_cluster.records.audit_types import AuditRun, Conversation, Rating
from consciousness_cluster.records.rated_audit import load_rated
from consciousness_cluster.records.types import JudgeCard, sample_key
from consciousness_cluster.submissions import layout
from consciousness_cluster.submissions.audit_run import audit_run
from consciousness_cluster.submissions.conversation_rules import UNPUBLISHED, ConversationRules
from consciousness_cluster.submissions.draft import (
    Draft,
    Public,
    begun,
    content_hash,
    newest,
    public_reason,
    renamed,
    run_problems,
    through,
)
from consciousness_cluster.submissions.figures import audit_figures
from consciousness_cluster.submissions.judge_rules import OTHER, judge_problems
from consciousness_cluster.submissions.layout import Json
from consciousness_cluster.submissions.needs import Needs
from consciousness_cluster.submissions.problems import problem
from consciousness_cluster.submissions.rating_rules import RatingRules, unrated

RATE = "rate it: consciousness-cluster judge AUDIT --judge ID"


def audit_draft(path: Path, public: Public, track: str, judge_id: str | None, wanted: Needs) -> Draft:
    """What is packed of the audit in a folder. Raises UserError where it cannot be read, or is of the other mode."""
    of_judge: list[Problem] = []
    judge: JudgeCard | None = None
    ratings: Mapping[str, Rating] = {}
    audit = read_audit(path)
    if audit.run["mode"] != layout.AUDITS[track]:
        fits = next(name for name, mode in layout.AUDITS.items() if mode == audit.run["mode"])
        raise UserError(f"{path}: is an audit of the mode {audit.run['mode']}; pack it with --track {fits}")
    if not audit.conversations:
        raise UserError(f"{path}: holds no conversation; go on with the command that began it")
    try:
        rated = load_rated(path, judge_id)
        judge, ratings = rated.judge, rated.ratings
        if judge is None:
            of_judge = [problem("-", "judge", "nobody has rated the conversations", RATE)]
    except UserError as error:
        of_judge = [problem("-", "judge", str(error), RATE)]
    draft = Draft(path, wanted, _manifest(path, audit.run, audit.conversations, public, track, judge))
    draft.add([*run_problems(draft, audit.conversations, public), *of_judge])
    if judge:
        _add_judge(draft, judge)
    _add_records(draft, audit.run, audit.conversations, ratings)
    return draft


def _manifest(
    path: Path,
    run: AuditRun,
    conversations: Sequence[Conversation],
    public: Public,
    track: str,
    judge: JudgeCard | None,
) -> Json:
    """submission.json without what is computed later."""
    prompt = run["system_prompt"]
    files = [path / AUDIT, path / CONVERSATIONS, *([ratings_file(path, judge["id"])] if judge else [])]
    return begun(
        conversations[0],
        public,
        track,
        None if prompt is None else sha256_text(prompt),
        sampling={
            "conversations_per_scenario": run["epochs"],
            "temperature": run["temperature"],
            "max_tokens": run["max_tokens"],
        },
        auditor=run["auditor"],
        created=newest(files),
    )


def _add_judge(draft: Draft, card: JudgeCard) -> None:
    """The judge in the manifest."""
    model = card.get("model")
    found = list(judge_problems(card["id"], card["sha256"], model, audits=True))
    if card["for_publication"] is not True and not found:
        found.append(problem("-", "judge.id", f"the judge {card['id']} is not for publication", OTHER))
    if model is None:
        found.append(problem("-", "judge.model", "its card beside the ratings names no model", RATE))
    draft.add(found)
    draft.manifest["judge"] = {
        "id": card["id"],
        "sha256": card["sha256"],
        "model": model,
        "agreement": card["agreement"],
    }


def _add_records(
    draft: Draft, run: AuditRun, conversations: Sequence[Conversation], ratings: Mapping[str, Rating]
) -> None:
    """Conversations and ratings under their public names, and the numbers that they give."""
    order = {name: number for number, name in enumerate(draft.needs.scenarios)}

    def place(one: Conversation) -> tuple[int, str, int]:
        return order.get(one["scenario_id"], len(order)), one["scenario_id"], one["sample_index"]

    held = sorted(conversations, key=place)
    manifest = draft.manifest
    shared = [manifest[name] for name in ("model", "condition", "training", "judge", "auditor")]
    said = [(one["scenario_id"], one["sample_index"], one["messages"], one["status"]) for one in held]
    manifest["run_id"] = f"{manifest['track']}-{content_hash([shared, said])}"
    packed = [_public(one, manifest) for one in held]
    given = [
        _public_rating(ratings[one["key"]], public["key"])
        for one, public in zip(held, packed, strict=True)
        if one["key"] in ratings
    ]
    rules = ConversationRules(manifest, draft.needs)
    draft.add(through(rules, ((f"{one['scenario_id']} number {one['sample_index']}", one) for one in packed)))
    of_ratings = RatingRules(manifest, rules.conversations)
    if manifest["judge"]:
        draft.add(through(of_ratings, ((one["key"][:16], one) for one in given)))
    draft.files = {layout.CONVERSATIONS: packed, layout.RATINGS: given}
    if not draft.problems:
        settings = audit_run(manifest, run["system_prompt"], draft.needs.audits.scenarios)
        counts, scores = audit_figures(settings, rules.conversations, of_ratings.ratings)
        manifest |= {"counts": counts, "scores": scores}
        draft.add(unrated(scores, draft.needs))


def _public(one: Conversation, manifest: Json) -> Json:
    """A conversation under the names that are published, without what a provider said in its own words."""
    key = sample_key(manifest["run_id"], one["scenario_id"], one["condition"], one["sample_index"])
    messages = [{**said, "finish_reason": public_reason(said["finish_reason"])} for said in one["messages"]]
    own = {"run_id": manifest["run_id"], "key": key, "messages": messages, UNPUBLISHED: None}
    return {**renamed(one, manifest), **own}


def _public_rating(rating: Rating, key: str) -> Json:
    """A rating of the conversation of that key. What a judge without a rating said is left out."""
    unsaid = ("reply",) if rating["status"] == "ok" else ("reply", "reason", "quote")
    return {**rating, "key": key, **dict.fromkeys(unsaid)}
