"""The stem over streams: what a wire shows, what the store shows, and who is blamed."""

import functools
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from random import Random

import pytest
import trio
import trio.lowlevel
from stem_bench import DIFFUSING, RELAYING
from stem_nodes import StemNode, Stranger, a_stem_node
from strategies import HOUR, TEST_NETWORK, a_post
from trio.testing import MockClock

from p2pforum.core.errors import NetworkError, RemoteProtocolError
from p2pforum.core.post import Post
from p2pforum.core.verdict import Origin
from p2pforum.gossip.service import PROTOCOL
from p2pforum.gossip.wire.framing import FrameSplitter, frame
from p2pforum.gossip.wire.rpc import Rpc, Subscription, decode_rpc, encode_rpc
from p2pforum.network.interface import Network, PeerID
from p2pforum.network.memory_network import MemoryHub
from p2pforum.stem.guards import Guard, Guards
from p2pforum.stem.wire import ANSWER, CELL_SIZE, FRAME_SIZE, decode_frame, encode_frame, size_of

STEM = TEST_NETWORK.stem_protocol
Handler = Callable[[StemNode, PeerID, trio.abc.Stream], Awaitable[None]]


@asynccontextmanager
async def line(hub: MemoryHub, *names: str, **how: object) -> AsyncIterator[list[StemNode]]:
    """Each dials the next."""
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(a_stem_node(hub, name, **how)) for name in names]
        for node, following in itertools.pairwise(nodes):
            await node.dial(following)
        yield nodes


def forged(post: Post) -> bytes:
    """The same post under the same ID, with a signature that is none."""
    return post.raw[:-1] + bytes((post.raw[-1] ^ 1,))


# --- the wire -----------------------------------------------------------------------------------------


def test_every_post_makes_a_frame_of_one_size() -> None:
    sizes = {len(encode_frame(bytes(n))) for n in (1, 100, 15_999, 16_000)}
    assert sizes == {FRAME_SIZE} == {16_384}
    assert decode_frame(encode_frame(b"x" * 16_000)) == b"x" * 16_000
    later = {2: FRAME_SIZE, 63: FRAME_SIZE, 64: CELL_SIZE, 127: CELL_SIZE}
    for kind, size in later.items():
        assert size_of(kind) == size
        assert decode_frame(bytes((kind,)) + Random(1).randbytes(size - 1)) is None, "of a later version"
    assert CELL_SIZE == 4_608


@pytest.mark.parametrize(
    "frame",
    [
        bytes(FRAME_SIZE - 1),
        b"",
        b"\x01" + bytes(FRAME_SIZE - 1),
        b"\x40" + bytes(FRAME_SIZE - 1),
        b"\x3f" + bytes(CELL_SIZE - 1),
        b"\x80" + bytes(FRAME_SIZE - 1),
        b"\xff" + bytes(CELL_SIZE - 1),
        b"\x01\xff\xff".ljust(FRAME_SIZE, b"x"),
        encode_frame(b"x")[:-1] + b"\x01",
    ],
)
def test_what_is_no_frame(frame: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_frame(frame)


async def answers_to_every_sort(handler: Handler | None = None) -> dict[str, tuple[bytes, float]]:
    """What a stranger hears, and when, who sends a relay every sort of frame."""
    hub = MemoryHub(Random(1), latency=(0.01, 0.01))
    real, public, looped = a_post("Real."), a_post("Public."), a_post("Looped.")
    early, long = a_post("Early.", hour=HOUR + 5), a_post("x" * 12_000)
    async with line(hub, "relay", "next") as (relay, _), hub.network("prober") as network:
        if handler is not None:
            relay.network.set_handler(STEM, functools.partial(handler, relay))
        prober = Stranger(network)
        await network.dial(relay.network.addresses[0])
        await trio.sleep(20)
        await relay.stem._door.ingest([public.raw], Origin.GOSSIP)
        await relay.publish(looped)
        await trio.sleep(5)
        sorts = {
            "real": encode_frame(real.raw),
            "duplicate": encode_frame(real.raw),
            "public": encode_frame(public.raw),
            "looped": encode_frame(looped.raw),
            "too early": encode_frame(early.raw),
            "long": encode_frame(long.raw),
            "later type": b"\x02" + bytes(FRAME_SIZE - 1),
            "cell": b"\x40" + bytes(CELL_SIZE - 1),
        }
        answers = {sort: await prober.say("relay", frame) for sort, frame in sorts.items()}
        for n in range(40):
            answers[f"over the limit {n}"] = await prober.say("relay", encode_frame(a_post(f"{n}").raw))
        await trio.sleep(120)  # else it is over the limit, and not looked at
        answers["invalid"] = b"", 0.0
        with suppress(trio.BrokenResourceError):  # the control cuts us off first
            answers["invalid"] = await prober.say("relay", encode_frame(forged(a_post("Forged."))))
        await trio.sleep(2)
        counts = relay.stem.view().counts
        assert counts.excess > 20
        assert counts.invalid == 1
        return answers


async def test_one_length_and_one_answer_whatever_the_frame(autojump_clock: trio.testing.MockClock) -> None:
    """T5."""
    answers = await answers_to_every_sort()
    assert {answer for answer, _ in answers.values()} == {ANSWER}
    assert len({round(took, 6) for _, took in answers.values()}) == 1, "and at one time"


async def test_control_who_looks_before_it_answers_tells_by_the_time(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def looks_first(relay: StemNode, peer: PeerID, stream: trio.abc.Stream) -> None:
        frame = b""
        while not frame or len(frame) < size_of(frame[0]):
            frame += await stream.receive_some()
        await relay.stem._take(peer, frame)
        await stream.send_all(ANSWER)

    answers = await answers_to_every_sort(looks_first)
    assert answers["invalid"] != answers["real"]


async def test_the_frames_between_nodes_have_one_length(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(1), latency=(0.01, 0.05))
    async with a_stem_node(hub, "author") as author, hub.network("guard") as network:
        guard = Stranger(network)
        await author.network.dial("/memory/guard/p2p/guard")
        await trio.sleep(20)
        posts = [a_post("short"), a_post("x" * 12_000), a_post("middle " * 100)]
        for post in posts:
            await author.publish(post)
        await trio.sleep(30)
        assert {len(frame) for frame in guard.frames} == {FRAME_SIZE}
        assert len(guard.frames) == 4, "one of them empty: it came first, and looks alike"
        assert decode_frame(guard.frames[0]) is None
        assert sorted(map(decode_frame, guard.frames[1:])) == sorted(post.raw for post in posts)
        assert len({len(post.raw) for post in posts}) == 3, "the control: posts differ"


# --- what the store shows, and when ---------------------------------------------------------------------


async def test_nothing_is_public_at_author_or_relay_before_it_is_fluffed(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(2), latency=(0.01, 0.05))
    async with AsyncExitStack() as stack:
        author, relay = [
            await stack.enter_async_context(a_stem_node(hub, name, params=RELAYING))
            for name in ("author", "relay")
        ]
        end = await stack.enter_async_context(a_stem_node(hub, "end", params=DIFFUSING))
        await author.dial(relay)
        await relay.dial(end)
        await trio.sleep(20)
        post = a_post("Hidden.")
        await author.publish(post)
        seen_at_end = False
        with trio.fail_after(60):
            while post.id not in author.public:
                if not end.public:
                    assert not author.public
                    assert not relay.public
                seen_at_end = seen_at_end or post.id in end.store.posts
                await trio.sleep(0.01)
        assert seen_at_end
        assert end.fluffed == [post.id]
        assert not author.fluffed
        assert author.stem.view().own == 1, "until the next look"
        await trio.sleep(10)
        assert (author.stem.view().own, relay.stem.view().relayed) == (0, 0)


async def test_own_and_others_posts_in_the_stem_look_alike_in_the_store(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(3))
    async with (
        line(hub, "before", "node", params=RELAYING) as (before, node),
        hub.network("after") as network,
    ):
        Stranger(network)  # takes frames and passes none on
        await node.network.dial("/memory/after/p2p/after")
        await trio.sleep(20)
        theirs, mine = a_post("Theirs."), a_post("Mine.")
        await before.publish(theirs)
        await node.publish(mine)
        await trio.sleep(5)
        view = node.stem.view()
        assert (view.own, view.relayed) == (1, 1)
        assert node.stem.unsent([theirs.raw, mine.raw, a_post("New.").raw]) == [a_post("New.").raw]
        assert node.store.posts == {theirs.id: False, mine.id: False}


async def test_alone_a_post_stays_kept_after_the_embargo_and_waits_for_a_taker(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(4))
    async with a_stem_node(hub, "alone") as node:
        post = a_post("To nobody.")
        await node.publish(post)
        await trio.sleep(59)
        assert node.stem.unsent([post.raw]) == []
        await trio.sleep(60 + 5 * 120)
        assert node.fluffed == [post.id]
        assert not node.public, "nobody would take it"
        assert node.stem.unsent([post.raw]) == [post.raw], "the backlog's"


class Tap:
    """Joins the mesh, asks for nothing, and records by when it was pushed or offered which post."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.pushed: dict[bytes, float] = {}
        self.offered: dict[bytes, float] = {}
        self._splitter = FrameSplitter()
        network.set_handler(PROTOCOL, self._listen)

    async def _listen(self, peer: PeerID, stream: trio.abc.Stream) -> None:
        while chunk := await stream.receive_some():
            for body in self._splitter.feed(chunk):
                rpc = decode_rpc(body)
                for message in rpc.publish:
                    self.pushed.setdefault(message.data, trio.current_time())
                for name in (name for offer in rpc.ihave for name in offer.ids):
                    self.offered.setdefault(name, trio.current_time())

    async def join(self, peer: PeerID) -> None:
        stream = await self.network.open_stream(peer, PROTOCOL)
        joined = Subscription(TEST_NETWORK.topic, subscribe=True)
        await stream.send_all(frame(encode_rpc(Rpc(subscriptions=(joined,), graft=(joined.topic,)))))


async def test_who_brought_a_post_is_pushed_to_as_all_others_when_its_stem_ends(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Else spies see who gets the post from somebody else and later than usual: who brought it."""
    hub = MemoryHub(Random(3), latency=(0.01, 0.05))
    async with (
        a_stem_node(hub, "guard", params=DIFFUSING) as guard,
        hub.network("author") as one,
        hub.network("other") as two,
    ):
        author, other = Tap(one), Tap(two)
        for tap in (author, other):
            await tap.network.dial(guard.network.addresses[0])
            await tap.join(guard.network.peer_id)
        await trio.sleep(3)
        post = a_post("By the author.")
        await Stranger(one).say(guard.network.peer_id, encode_frame(post.raw))
        await trio.sleep(5)
        assert guard.public == {post.id}
        assert abs(author.pushed[post.raw] - other.pushed[post.raw]) < 0.1
        assert not author.offered, "nor is anything else done for those who brought it"


async def test_whose_only_peer_is_its_guard_hears_a_post_back_in_seconds(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(3), latency=(0.01, 0.05))
    async with line(hub, "author", "guard", params=DIFFUSING) as (author, guard):
        await trio.sleep(20)
        post = a_post("There and back.")
        await author.publish(post)
        await trio.sleep(10)
        assert guard.fluffed == [post.id]
        assert author.public == guard.public == {post.id}
        assert not author.fluffed


# --- trouble -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("answers", [True, False])
async def test_a_guard_that_swallows_posts_delays_them_only(
    autojump_clock: trio.testing.MockClock, answers: bool
) -> None:
    hub = MemoryHub(Random(5), latency=(0.01, 0.05))
    async with line(hub, "author", "friend") as (author, friend), hub.network("hole") as network:
        hole = Stranger(network, answers=answers)
        await author.network.dial("/memory/hole/p2p/hole")
        author.stem.router.guards.kept[:] = [Guard(n, "hole", "", "", 999_999, True) for n in range(16)]
        await trio.sleep(20)
        post = a_post("Swallowed.")
        await author.publish(post)
        await trio.sleep(60 + 5 * 120)
        assert friend.public == author.public == {post.id}
        assert len(hole.frames) == (2 if answers else 0), "an empty one and the post"
        assert (author.stem.view().counts.failed > 0) is not answers


async def test_a_peer_without_the_protocol_is_no_guard_for_long(
    autojump_clock: trio.testing.MockClock,
) -> None:
    hub = MemoryHub(Random(6), latency=(0.01, 0.05))
    async with line(hub, "author", "friend") as (author, friend), hub.network("old"):
        await author.network.dial("/memory/old/p2p/old")
        await trio.sleep(20)
        for n in range(5):
            await author.publish(a_post(f"{n}"))
        await trio.sleep(30)
        assert len(friend.public) == 5
        assert not author.fluffed


@pytest.mark.parametrize(
    "frame",
    [
        encode_frame(forged(a_post("Forged."))),
        encode_frame(b"no post"),
        encode_frame(b"x")[:-1] + b"\x01",
    ],
)
async def test_who_sends_an_invalid_frame_is_dropped(
    autojump_clock: trio.testing.MockClock, frame: bytes
) -> None:
    hub = MemoryHub(Random(7))
    async with a_stem_node(hub, "node") as node, hub.network("peer") as network:
        await network.dial(node.network.addresses[0])
        peer = Stranger(network)
        await peer.say("node", encode_frame(a_post("Valid.").raw))
        await trio.sleep(1)
        assert network.connections(), "the control"
        await peer.say("node", frame)
        await trio.sleep(3)
        assert not network.connections()
        assert node.stem.view().counts.invalid == 1


async def test_a_forged_copy_does_not_tell_whether_the_post_is_here(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Two nodes, one of which holds the post in its stempool: the prober is dropped by both."""
    hub = MemoryHub(Random(8))
    post = a_post("Probed.")
    for holds in (True, False):
        async with a_stem_node(hub, "node") as node, hub.network("peer") as network:
            if holds:
                await node.publish(post)
            await network.dial(node.network.addresses[0])
            peer = Stranger(network)
            assert (await peer.say("node", encode_frame(forged(post))))[0] == ANSWER
            await trio.sleep(3)
            assert not network.connections()


async def test_half_a_frame_gets_no_answer_and_stops_nothing(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(9))
    async with a_stem_node(hub, "node") as node, hub.network("peer") as network:
        await network.dial(node.network.addresses[0])
        peer = Stranger(network)
        with pytest.raises(trio.BrokenResourceError):
            await peer.say("node", encode_frame(a_post("Half.").raw)[:-1])
        assert node.stem.view().counts.received == 0
        assert (await peer.say("node", encode_frame(a_post("Whole.").raw)))[0] == ANSWER
        await trio.sleep(1)
        assert node.stem.view().counts.received == 1


@pytest.mark.parametrize("frame", [bytes((64,)).ljust(CELL_SIZE - 1), bytes((128,)).ljust(FRAME_SIZE)])
async def test_half_a_cell_and_a_class_of_later_get_no_answer_and_no_blame(
    autojump_clock: trio.testing.MockClock, frame: bytes
) -> None:
    hub = MemoryHub(Random(9))
    async with a_stem_node(hub, "node") as node, hub.network("peer") as network:
        await network.dial(node.network.addresses[0])
        peer = Stranger(network)
        with pytest.raises(trio.BrokenResourceError):
            await peer.say("node", frame)
        cell = bytes((64,)).ljust(CELL_SIZE, b"x")
        assert (await peer.say("node", cell + b"more"))[0] == ANSWER, "the control: a whole cell"
        await trio.sleep(5)
        assert [connection.peer for connection in node.network.connections()] == ["peer"]
        assert node.stem.view().counts.cover == 1


async def test_a_broken_disk_stops_nothing(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(10))
    async with line(hub, "other", "node") as (_, node), hub.network("peer") as network:
        await network.dial(node.network.addresses[0])
        peer = Stranger(network)
        node.store.is_broken = True
        await peer.say("node", encode_frame(a_post("One.").raw))
        await trio.sleep(1)
        node.store.is_broken = False
        await peer.say("node", encode_frame(a_post("Two.").raw))
        await trio.sleep(60 + 5 * 120)
        assert node.public == {a_post("Two.").id}


async def test_guards_are_saved_and_say_nothing_of_posts(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(11))
    async with line(hub, "author", "friend") as (author, _):
        await trio.sleep(20)
        saved = list(author.saved)
        await author.publish(a_post("One."))
        await trio.sleep(300)
        assert author.saved == saved, "nothing is written because of a post"
        assert {guard.peer for guard in Guards.decode(saved[-1]).kept} == {"friend"}
        assert len(Guards.decode(saved[-1]).kept) == 16, "of all slots, used or not"


async def test_the_guard_is_the_one_of_before_the_restart(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(12), latency=(0.01, 0.02))
    async with AsyncExitStack() as stack:
        names = [f"peer{n}" for n in range(6)]
        peers = [await stack.enter_async_context(a_stem_node(hub, name)) for name in names]
        saved = ""
        for start in range(4):
            guards = Guards.decode(saved) if saved else None
            async with a_stem_node(hub, "author", guards=guards) as author:
                for peer in peers:
                    await author.dial(peer)
                await trio.sleep(20)
                saved = saved or author.saved[-1]
                post = a_post(f"{start}")
                await author.publish(post)
                await trio.sleep(5)
                kept = Guards.decode(saved)
                first = kept.of(kept.slot_of(post.author))[0]
                holders = [p.name for p in peers if p.stem.view().counts.received > start]
                assert first in holders
                assert author.saved[-1:] == ([saved] if start == 0 else [])


async def test_no_stranger_no_stream(autojump_clock: trio.testing.MockClock) -> None:
    hub = MemoryHub(Random(13))
    async with a_stem_node(hub, "node"), hub.network("peer") as network:
        with pytest.raises(NetworkError):
            await network.open_stream(PeerID("node"), STEM)


# --- strangers who send all they may ------------------------------------------------------------------


async def test_no_crowd_at_the_door_costs_a_peer_its_post(autojump_clock: trio.testing.MockClock) -> None:
    """The door stands still, and four strangers have sent all that they may send at once."""
    hub = MemoryHub(Random(1), latency=(0.01, 0.01))
    post = a_post("Honest.")
    async with line(hub, "relay", "next", params=RELAYING) as (relay, _), AsyncExitStack() as stack:
        names = [*[f"stranger{n}" for n in range(4)], "honest"]
        strangers = [Stranger(await stack.enter_async_context(hub.network(name))) for name in names]
        for stranger in strangers:
            await stranger.network.dial(relay.network.addresses[0])
        await trio.sleep(20)
        gate, real = trio.Event(), relay.stem._door.ingest

        async def stand_still(raws: list[bytes], origin: Origin) -> object:
            await gate.wait()
            return await real(raws, origin)

        relay.stem._door.ingest = stand_still
        for n, stranger in enumerate(strangers[:-1]):
            for m in range(25):
                await stranger.say("relay", encode_frame(a_post(f"{n} {m}").raw))
        await strangers[-1].say("relay", encode_frame(post.raw))
        await trio.sleep(1)
        assert len(relay.stem._judging) == 4 * 20 + 1  # more of a peer are not taken
        assert relay.stem.view().counts.excess == 4 * 5
        gate.set()
        await trio.lowlevel.checkpoint()
        relay.stem._door.ingest = real
        await trio.sleep(0.05)
        assert relay.stem.router.holds(post.id)
        assert not relay.stem._at_door


# --- connections that come and go ---------------------------------------------------------------------


async def test_a_peer_is_known_by_the_connection_that_it_has_now(autojump_clock: MockClock) -> None:
    """Only peers that this node dialled can be relay or guard: not one that lost that connection and dialled
    back. And on a new connection a peer must show again that it takes frames."""
    hub = MemoryHub(Random(1))
    async with line(hub, "leaf", "home") as (leaf, home):
        await trio.sleep(60)
        assert "home" in leaf.stem.router.contacts.candidates()
        hub.lose_connections("home", 40.0)
        await home.dial(leaf)
        await trio.sleep(60)
        assert leaf.stem.router.contacts.candidates() == {}
        assert "leaf" in home.stem.router.contacts.candidates()
        await leaf.network.disconnect("home")
        await leaf.dial(home)
        await trio.sleep(0.1)
        assert leaf.stem.router.contacts["home"].outbound
        assert leaf.stem.router.contacts.candidates() == {}, "not before it has taken a frame"
        await trio.sleep(60)
        assert "home" in leaf.stem.router.contacts.candidates()
