"""A published key, as a reader sees it and as its owner burns it."""

import pytest
from cli_world import World, discussion, post

from p2pforum.api.client import NodeClient
from p2pforum.config import find_paths
from p2pforum.core.errors import Refused
from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Payload, sign
from p2pforum.core.post_id import format_id, parse_id
from p2pforum.core.stamp import blank_stamp
from p2pforum.forum import burning
from p2pforum.store.posts import open_store

MARK = "key published: anybody can sign as this"
BOB = b"bob".ljust(32, b".")


def test_readers_see_it_marked(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    root = posts[0].id
    before = world.ok("read", format_id(root)).out
    assert MARK not in before  # the negative control
    world.keep(post("bob", "", to=[posts[1]], kind=Kind.REVEAL, content=(BOB,)))
    shown = world.ok("read", format_id(root)).out
    assert shown.count(MARK) == 3  # two posts by bob, and the reveal
    assert "(the author published the key: now anybody can sign as this pseudonym)" in shown
    found = world.ok("read", format_id(root), "--json").json["posts"]
    assert [p["key_published"] for p in found] == [p["name"] == found[1]["name"] for p in found]
    assert sum(p["kind"] == "reveal" for p in found) == 1


def test_nobody_can_post_with_it_any_more(world: World) -> None:
    """Refused as news: from another program on this machine, say."""
    params = params_for("test.cli")
    root = post("bob", "Hello.", subject="Hi")
    world.keep(root)

    def said(text: str, hour: int) -> bytes:
        fields = Payload(Kind.POST, "library", root.id, (root.id,), hour, (text,), blank_stamp(0))
        return sign(fields, BOB, root.author, params).raw

    with world.node():
        client = NodeClient(find_paths(world.home).socket_path)
        assert client.submit(said("By bob.", root.payload.hour)).is_new  # the negative control
        reveal = post("bob", "", to=[root], kind=Kind.REVEAL, content=(BOB,))
        assert client.submit(reveal.raw).is_new
        with pytest.raises(Refused, match="anybody can sign"):
            client.submit(said("Not by bob.", root.payload.hour))


def test_a_key_that_never_spoke_is_not_burnt_instead(world: World) -> None:
    world.ok("key", "new", "Heron")
    result = world.run("key", "burn", "--reveal", "--yes", "Heron")
    assert (result.code, "revealing it would change nothing" in result.err) == (3, True)
    assert "Heron" in world.ok("key", "list").out


def test_a_burn_that_was_cut_short_is_finished(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The secret is out and the key still here: to publish it again would be refused; burning must not be."""
    made = world.ok("post", "library", "-s", "Mine", "--json", stdin="Text").json
    with open_store(find_paths(world.home).data_dir, params_for("test.cli")) as store:
        store.release([parse_id(made["id"])])
    with monkeypatch.context() as patch:
        patch.setattr(burning, "burn", lambda *_: 1 / 0)
        assert world.run("key", "burn", "--reveal", "--yes", made["id"]).code == 1
    assert len(world.ok("key", "list", "--json").json) == 1
    assert "Burnt 1 key" in world.ok("key", "burn", "--reveal", "--yes", made["id"]).out
    assert world.ok("read", made["id"], "--json").out.count('"kind": "reveal"') == 1
