"""What came of a command as JSON: burns, reports, invites, proofs, imports.

docs/json/ has a JSON Schema of each.
"""

from typing import TYPE_CHECKING, Annotated, NotRequired, TypedDict

from p2pforum.app.clock import rfc3339
from p2pforum.core.post_id import format_id
from p2pforum.core.verdict import Outcome

if TYPE_CHECKING:
    from p2pforum.app.archives import Plan
    from p2pforum.app.proofs import Shown
    from p2pforum.core.invite import Invite
    from p2pforum.forum.backup import Restored
    from p2pforum.forum.bundling import Imported
    from p2pforum.forum.burning import BurnReport
    from p2pforum.forum.leak_report import SentReport
    from p2pforum.forum.scanning import Finding, Scan


class PlaceShape(TypedDict):
    """A place that holds what is burnt, or may hold it."""

    path: str
    offset: Annotated[int | None, "null: it may be anywhere inside, sealed or in another form"]
    size: Annotated[int, "bytes"]
    what: str


class ScanShape(TypedDict):
    """What a search of files found."""

    files: int
    size: Annotated[int, "bytes that were looked at"]
    found: list[PlaceShape]
    unread: Annotated[list[str], "files that could not be opened"]


class BurnShape(TypedDict):
    """What a burn took away, and what was found of it afterwards."""

    keys: int
    outbox: Annotated[int, "signed posts that were not handed in"]
    drafts: int
    threads: Annotated[int, "of which the traces are gone"]
    unsent: Annotated[int, "posts in the store that nobody else had"]
    problem: Annotated[str | None, "why unsent posts are still in the store"]
    scan: ScanShape


class LeftShape(TypedDict):
    """How a post of mine left, in peers. What the node did not count is null."""

    id: str
    hour: int
    time: str
    handed: Annotated[int, "peers that got it from this node"]
    listened: Annotated[int, "seconds"]
    told: Annotated[int | None, "peers that learnt that this node has it"]
    offered_back: int | None


class LeakReportShape(TypedDict):
    """What peers could learn about my posts."""

    posts: list[LeftShape]
    always: Annotated[dict[str, str], "what every peer is told by each part of the node, in words"]


class InviteShape(TypedDict):
    """An invite: one that was made, read or accepted."""

    network: str
    peers: list[str]
    boards: list[str]
    lists: Annotated[list[str], "keys of moderation lists"]
    invite: NotRequired[Annotated[str, "the line to hand on"]]
    name: NotRequired[Annotated[str, "under which it is kept here"]]
    new: NotRequired[Annotated[bool, "it was not accepted before"]]
    running: NotRequired[Annotated[bool, "a node runs, and has been told"]]


class DroppedShape(TypedDict):
    """An invite that is no longer accepted."""

    name: str
    dropped: bool


class ProofShape(TypedDict):
    """What a linking proof shows to the person who asks."""

    kind: Annotated[str, "public or private"]
    convinces: bool
    problem: Annotated[str | None, "why it does not convince"]
    keys: Annotated[list[str], "that one person has"]
    reader: Annotated[str | None, "the key of the only one whom it can convince"]


class MadeProofShape(TypedDict):
    """A linking proof, as it was made."""

    proof: str
    to: Annotated[str | None, "the key of its reader, as typed; null: it is for everybody"]
    made_up: Annotated[bool, "of keys of others, as its reader can"]


class PinShape(TypedDict):
    """A thread that is pinned, or no longer."""

    id: str
    pinned: bool
    changed: bool


class PetnameShape(TypedDict):
    """A name that the person gave."""

    petname: str
    key: str
    root: Annotated[str | None, "the thread in which it holds; null: in all"]


class RestoredShape(TypedDict):
    """What a keystore has from a backup that it had not."""

    keys: int
    drafts: int
    petnames: int
    threads: Annotated[int, "with read marks"]
    outbox: int


class FaultShape(TypedDict):
    """A part of a bundle that is damaged."""

    offset: Annotated[int, "in bytes"]
    text: str


_Outcomes = TypedDict(
    "_Outcomes", {"stored": int, "duplicate": int, "too early": int, "refused": int, "invalid": int}
)


class BundleShape(_Outcomes):
    """What came of a bundle's posts: how many had which outcome."""

    faults: list[FaultShape]


class CountShape(TypedDict):
    """How many of something."""

    what: str
    count: int
    first: NotRequired[Annotated[str, "the first such place"]]


class PlanShape(TypedDict):
    """What `publish` would publish of a file, and what not."""

    board: str
    thread_count: int
    post_count: int
    subjects: Annotated[list[str], "one for each thread"]
    left_out: Annotated[list[CountShape], "attachments, signatures, ..."]
    known_threads: Annotated[int, "that are here already, and skipped"]
    known_posts: int
    grown: Annotated[list[CountShape], "subjects of threads that are here, and posts of theirs that are not"]
    finds: Annotated[list[CountShape], "posts whose texts may name people or machines, by kind"]


def plan_shape(plan: "Plan", board: str) -> PlanShape:
    return {
        "board": board,
        "thread_count": len(plan.subjects),
        "post_count": len(plan.posts),
        "subjects": plan.subjects,
        "left_out": [{"what": kind, "count": n} for kind, n in sorted(plan.left_out.items())],
        "known_threads": plan.known_threads,
        "known_posts": plan.known_posts,
        "grown": [{"what": subject, "count": n} for subject, n in plan.grown],
        "finds": [{"what": kind, "count": n, "first": place} for kind, (n, place) in plan.finds.items()],
    }


def scan_shape(found: "Scan") -> ScanShape:
    return {
        "files": found.files,
        "size": found.size,
        "found": [_place(finding) for finding in found.findings],
        "unread": [str(path) for path in found.unread],
    }


def _place(finding: "Finding") -> PlaceShape:
    offset = finding.offset if finding.is_certain else None
    return {"path": str(finding.path), "offset": offset, "size": finding.size, "what": finding.what}


def burn_shape(burnt: "BurnReport") -> BurnShape:
    return {
        "keys": burnt.keys,
        "outbox": burnt.outbox,
        "drafts": burnt.drafts,
        "threads": burnt.threads,
        "unsent": burnt.unsent,
        "problem": burnt.problem or None,
        "scan": scan_shape(burnt.scan),
    }


def left_shape(left: "SentReport") -> LeftShape:
    sent = left.sent
    is_known = bool(sent.seconds)
    return {
        "id": format_id(left.post_id),
        "hour": sent.hour,
        "time": rfc3339(sent.hour),
        "handed": sent.handed,
        "listened": sent.seconds,
        "told": sent.told if is_known else None,
        "offered_back": sent.heard if is_known else None,
    }


def invite_shape(invite: "Invite") -> InviteShape:
    return {
        "network": invite.network,
        "peers": list(invite.peers),
        "boards": list(invite.boards),
        "lists": [format_id(key) for key in invite.lists],
    }


def proof_shape(shown: "Shown") -> ProofShape:
    return {
        "kind": shown.kind,
        "convinces": not shown.problem,
        "problem": shown.problem or None,
        "keys": [format_id(key) for key in shown.keys],
        "reader": format_id(shown.reader) if shown.reader else None,
    }


def restored_shape(restored: "Restored") -> RestoredShape:
    return {
        "keys": restored.keys,
        "drafts": restored.drafts,
        "petnames": restored.petnames,
        "threads": restored.threads,
        "outbox": restored.outbox,
    }


def bundle_shape(done: "Imported") -> BundleShape:
    counts = done.counts
    return {
        "stored": counts[Outcome.STORED],
        "duplicate": counts[Outcome.DUPLICATE],
        "too early": counts[Outcome.TOO_EARLY],
        "refused": counts[Outcome.REFUSED],
        "invalid": counts[Outcome.INVALID],
        "faults": [{"offset": fault.offset, "text": fault.text} for fault in done.faults],
    }
