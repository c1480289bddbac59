"""A node that comes back, and a spy who asks it by sync which posts it lacks: that would tell who it is.

The spy is no node of ours: it speaks sync by hand. The control answers at once (see odd_node.py).
"""

from pathlib import Path

import pytest
from e2e_attacks import Talk
from e2e_filled import PARAMS, fill
from e2e_floods import arrived, nodes
from strategies import a_post
from test_e2e_reconnect import listening

from p2pforum.app.clock import this_hour
from p2pforum.core.post import Post
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.payloads import Posts, PostsReason, Pull

pytestmark = pytest.mark.e2e

COUNT, MISSED = 40, 5


def some_posts() -> list[Post]:
    return [a_post(f"{n}", hour=this_hour() - n, params=PARAMS) for n in range(COUNT)]


async def told(address: str) -> set[bytes] | None:
    """All the posts of a node's one board; None: it ends the session without a word."""
    found: set[bytes] = set()
    async with open_libp2p_network() as network:
        peer = await network.dial(address)
        async with await network.open_stream(peer, PARAMS.sync_protocol) as stream:
            talk = Talk(stream)
            try:
                await talk.begin(this_hour())
            except EOFError:
                return None
            await talk.say(Pull(0, False, negentropy.LOWEST, negentropy.HIGHEST, 0))
            while True:
                frame = await talk.hear()
                if isinstance(frame, Posts):
                    found |= set(frame.posts)
                    if frame.how is PostsReason.PULLED_ALL:
                        return found


async def test_a_node_that_comes_back_tells_no_stranger_what_it_lacks(tmp_path: Path) -> None:
    posts = some_posts()
    with nodes(tmp_path, ["plain"]) as (back,), listening("friend", tmp_path) as friend:
        fill([back], posts[MISSED:])
        fill([friend], posts)
        friend.start()
        address = friend.address()
        friend.stop()
        back.start(address)
        assert await told(back.address()) is None
        friend.start()
        assert arrived(back, posts, 30) == COUNT
        assert await told(back.address()) == {post.raw for post in posts}, "it has caught up, and answers"


async def test_control_who_answers_at_once_tells_what_it_lacks(tmp_path: Path) -> None:
    posts = some_posts()
    with nodes(tmp_path, ["open"]) as (back,):
        fill([back], posts[MISSED:])
        back.start("/ip4/127.0.0.1/tcp/9/p2p/12D3KooWGjMCqQWSqFVTPgzhrNDnzsGDbGQAo9NKVP1fZyA3rZYP")
        assert {post.raw for post in posts} - (await told(back.address()) or set()) == {
            p.raw for p in posts[:MISSED]
        }
