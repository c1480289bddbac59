"""Bundles on their way in: a file into the node or the store.

Not the format (core/bundle.py), and not the part that takes the posts: a node, or the store
(app/delivery.py).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from p2pforum.core import bundle
from p2pforum.core.errors import Refused
from p2pforum.core.verdict import Outcome

Take = Callable[[Sequence[bytes]], Counter[Outcome]]
"""Takes some posts together; returns how many had which outcome."""


@dataclass(slots=True)
class Imported:
    """How far an import is. `promised` is what the bundle says of itself; 0 if it says nothing."""

    promised: int = 0
    counts: Counter[Outcome] = field(default_factory=Counter)
    faults: list[bundle.Fault] = field(default_factory=list)

    @property
    def done(self) -> int:
        return self.counts.total()


def import_bundle(
    read: Callable[[int], bytes], network: str, take: Take, progress: Callable[[Imported, int], None]
) -> Imported:
    """Keep the valid posts of a bundle. `progress` is also told how many bytes are done.

    If the user stops it, the posts taken so far stay. A second run finds them known, and passes them quickly.
    Raises Refused for a file that is no bundle of this network, and the errors of `take`.
    """
    so_far = Imported()
    reader = bundle.BundleReader(read)
    for part in reader:
        match part:
            case bundle.Header(name, _, posts):
                if name != network:
                    raise Refused(f'the bundle belongs to the network "{name}", and this node to "{network}"')
                so_far.promised = posts
            case bundle.RawPosts(raws):
                if raws:
                    so_far.counts.update(take(raws))
            case bundle.Fault():
                so_far.faults.append(part)
        progress(so_far, reader.offset)
    return so_far
