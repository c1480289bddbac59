"""Bundles: what is here into a file, and a file into what is here.

Not the format (core/bundle.py), and not who takes the posts: a node, or the store (app/delivery.py).
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from p2pforum.core import bundle
from p2pforum.core.errors import InvalidPost, Refused
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Post, decode
from p2pforum.core.post_id import format_id
from p2pforum.core.verdict import Outcome

Take = Callable[[Sequence[bytes]], Counter[Outcome]]
"""Gives posts to the door, together; how many had which outcome."""


@dataclass(slots=True)
class Imported:
    """How far an import is. `promised` is what the bundle says of itself; 0 if it does not."""

    promised: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    faults: list[bundle.Fault] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.counts.total()


def import_bundle(
    read: Callable[[int], bytes], network: str, take: Take, progress: Callable[[Imported, int], None]
) -> Imported:
    """Keep what is valid in a bundle; `progress` is also told how many bytes are done with.

    Stopped anywhere, what was taken stays; run again, it is known already, and passes quickly. Raises Refused
    for what is no bundle of this network, and whatever `take` raises.
    """
    so_far = Imported()
    reader = bundle.BundleReader(read)
    for part in reader:
        match part:
            case bundle.Header(name, _, posts):
                if name != network:
                    raise Refused(f'a bundle of the network "{name}", and this is "{network}"')
                so_far.promised = posts
            case bundle.Posts(raws):
                if raws:
                    so_far.counts.update(take(raws))
            case bundle.Fault():
                so_far.faults.append(part)
        progress(so_far, reader.offset)
    return so_far


def json_lines(raws: Iterator[bytes], params: NetworkParams) -> Iterator[str]:
    """Each post as one line of JSON, ASCII only; one damaged on disk is left out."""
    for raw in raws:
        try:
            post = decode(raw, params)
        except InvalidPost:
            continue
        yield json.dumps(_fields(post))


def _fields(post: Post) -> dict[str, object]:
    fields = post.payload
    return {
        "id": format_id(post.id),
        "board": fields.board,
        "root": format_id(post.thread),
        "parents": [format_id(parent) for parent in fields.parents],
        "hour": fields.hour,
        "key": format_id(post.author),
        "kind": fields.kind,
        "subject": post.subject,
        "body": post.body,
        "target": format_id(post.target) if post.target else None,
        "understood": post.meaning is not None,
    }
