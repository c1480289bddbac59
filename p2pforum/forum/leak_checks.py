"""Before a post goes out: what in it might say more of its author than the user meant.
Advice: it stops nothing.

Local only: it looks at the text, the keystore and the store, and sends nothing.
"""

from collections.abc import Sequence

from p2pforum.forum import authors
from p2pforum.forum.leak_patterns import Leak, leaks_of_text
from p2pforum.forum.leak_traces import collect, leaks_to_traces
from p2pforum.keystore.contents import Contents
from p2pforum.store.queries import Reader


def check(
    text: str,
    box: Contents,
    reader: Reader,
    place: tuple[bytes, str | None],
    now: int,
    machine: Sequence[str],
) -> list[Leak]:
    """Look for leaks in a text. `place` is the root of the thread (empty for a new one) and the `key` of
    forum/publish.py.

    `now` is the hour since 1970. `machine` are the names of this machine and its user. Raises
    NotFound for an unknown key.
    """
    root, key = place
    signer = authors.choose(box, root, key).public
    return leaks_of_text(text, machine) + leaks_to_traces(text, collect(box, reader, signer, now), now)
