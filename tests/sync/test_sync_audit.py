"""Equal fingerprints are believed, but not for ever: an audit compares boards that look the same."""

import random
from dataclasses import replace

from memory_posts import MemoryPosts
from strategies import HOUR
from sync_nodes import two_nodes
from sync_pair import TERMS, Side, meet, pool

from p2pforum.core import limits


def test_equal_fingerprints_are_not_trusted_in_an_audit() -> None:
    """As if ours had been forged (research: 2^33 hashes): the store says a wrong sum."""
    posts = pool(400, 1, 30)

    def run(audit: bool) -> Side:
        a = Side(MemoryPosts(posts[:-1]), terms=replace(TERMS, audit=audit))
        b = Side(MemoryPosts(posts[1:]))
        rng = random.Random(1)
        a.begin(rng, initiator=True)
        snapshot = a.session._snapshot
        items = snapshot.items("board-0", 0)
        theirs = MemoryPosts(posts[1:])
        with theirs.snapshot() as other:
            whole = other.items("board-0").sum(0, 399)
        real = items.sum
        items.sum = lambda lo, hi: whole if (lo, hi) == (0, 399) else real(lo, hi)  # type: ignore[method-assign]
        begin = a.begin
        session = a.session

        def keep(rng: random.Random, *, initiator: bool) -> None:
            a.session = session

        a.begin = keep  # type: ignore[method-assign]
        meet(a, b)
        a.begin = begin  # type: ignore[method-assign]
        return a

    fooled, audited = run(False), run(True)
    assert len(fooled.ids) == 399
    assert fooled.session.report.complete  # negative control: it believes that all is well
    assert len(audited.ids) == 400


async def test_a_session_is_an_audit_when_the_last_one_is_long_ago() -> None:
    """Control: the next session, at once, believes equal fingerprints again."""
    posts = pool(60)
    async with two_nodes(posts, posts) as (a, b):
        a.sync._audited = HOUR - limits.SYNC_AUDIT_HOURS
        audit, after = [await a.sync.sync(b.network.peer_id) for _ in range(2)]
    assert (audit.differing, after.differing) == (3, 0)
    assert audit.neg_out > 0
    assert after.neg_out == 0
