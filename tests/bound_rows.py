"""What takes `n` of what a bound counts: it raises, or answers False, where that is too much."""

import io
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import trio
from forum_world import Shelf, a_person
from libp2p.pubsub.pb import rpc_pb2
from nacl.bindings import crypto_sign
from peers_tools import a_book, an_address, source
from strategies import HOUR, TEST_NETWORK, a_key, a_post, a_seed

from p2pforum.core import bundle, invite, limits
from p2pforum.core.peer_id import peer_id_of
from p2pforum.exchange import record
from p2pforum.gossip.wire.rpc import decode_rpc, encode_uvarint
from p2pforum.keystore import format as keystore_format
from p2pforum.keystore.format import KdfCost, Lock
from p2pforum.network import multistream
from p2pforum.network.bans import Bans
from p2pforum.network.memory_stream import memory_stream_pair
from p2pforum.peers.entry import Entry
from p2pforum.sync.boards import BoardsCheck
from p2pforum.sync.budget import Report
from p2pforum.sync.serve import Serving
from p2pforum.sync.wire import payloads
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
from p2pforum.sync.wire.negentropy import HIGHEST

PEER = peer_id_of(a_key(1))
HOME = "/ip4/203.0.113.7/tcp/4001"
PAST = 1_000  # days: an address that answered then has been silent for long

# -- posts -------------------------------------------------------------------------------------------------


def post_of_size(n: int) -> None:
    """Of a version to come: a text of today never fills a post."""
    spare = n - len(a_post(version=2, content=(bytes(15_000),)).raw)
    a_post(version=2, content=(bytes(15_000 + spare),))


def nested(n: int) -> None:
    """The content is the first of the arrays."""
    content: tuple[Any, ...] = ()
    for _ in range(n - 1):
        content = (content,)
    a_post(version=2, content=content)


def reply_to(n: int) -> None:
    a_post(root=bytes(32), parents=[bytes([i]) * 32 for i in range(n)])


def answers(n: int) -> None:
    """One reply to so many posts."""
    root = a_post()
    others = [a_post(f"{i}", root=root.id) for i in range(n)]
    shelf = Shelf()
    shelf.put(root, *others)
    with tempfile.TemporaryDirectory() as directory:
        first, *also = [post.id for post in others]
        a_person(Path(directory), shelf).publisher.reply(first, "To all.", also=also)


# -- bundles and invites -----------------------------------------------------------------------------------


def chunk_of(n: int) -> bool:
    """Posts of any size, and one more that fills the chunk."""
    raws = [bytes(10_000)] * (n // 10_002 - 1)
    raws.append(bytes(n - len(bundle.join_posts(raws)) - 2))
    head = bundle._frame(bundle.FrameKind.HEADER, bundle._HEADER.pack(bundle.VERSION, 1, 1) + b"test.net")
    file = io.BytesIO(bundle.MAGIC + head + bundle._frame(bundle.FrameKind.POSTS, bundle.join_posts(raws)))
    return any(isinstance(part, bundle.RawPosts) for part in bundle.BundleReader(file.read))


def invite_to(peers: int = 0, boards: int = 0, lists: int = 0) -> None:
    invite.encode_invite(
        invite.Invite(
            "test.net",
            tuple(f"/ip4/203.0.113.7/tcp/{1 + n}/p2p/{PEER}" for n in range(peers)),
            tuple(f"b{n}" for n in range(boards)),
            tuple(a_key(1 + n) for n in range(lists)),
        )
    )


def invite_with_address(n: int) -> None:
    rest = f"/tcp/4001/p2p/{PEER}"
    name = ("abcdefg." * 40)[: n - len("/dns4/") - len(rest) - 1] + "x"
    invite.encode_invite(invite.Invite("test.net", (f"/dns4/{name}{rest}",), (), ()))


def invite_of_length(n: int) -> None:
    """White space counts, though it is ignored."""
    line = invite.encode_invite(invite.Invite("test.net", (), ("general",), ()))
    invite.decode_invite(line.ljust(n))


# -- records of peers --------------------------------------------------------------------------------------


def a_record(addresses: list[str], sequence: int = 1) -> None:
    secret = a_seed(1) + a_key(1)
    record.make(addresses, sequence, a_key(1), lambda data: crypto_sign(data, secret)[:64], TEST_NETWORK)


def record_of(addresses: int) -> None:
    a_record([f"/ip4/203.0.113.7/tcp/{1 + n}" for n in range(addresses)])


# -- gossip ------------------------------------------------------------------------------------------------

JUNK = b"\x78\x00"  # field 15, two bytes


def rpc(**parts: Any) -> None:
    decode_rpc(rpc_pb2.RPC(**parts).SerializeToString())


def control(**parts: Any) -> None:
    rpc(control=parts)


def rpc_of_size(n: int) -> None:
    """One field that nobody knows."""
    head = b"\x7a" + encode_uvarint(n - 4)
    decode_rpc(head + bytes(n - len(head)))


# -- sync --------------------------------------------------------------------------------------------------


def read(frame: Frame | bytes) -> None:
    list(SyncFrameReader().feed(frame if isinstance(frame, bytes) else encode(frame)))


def bound_at(hour: int) -> None:
    read(payloads.Pull(0, False, (hour, b""), HIGHEST, 0))


def boards_told(n: int) -> None:
    boards = (payloads.Board(i.to_bytes(8, "big"), HOUR, 1, bytes(16)) for i in range(1, n + 1))
    BoardsCheck().check(payloads.Boards(True, tuple(boards)))


class NoItems:
    def find(self, hour: int, prefix: bytes) -> int:
        return 0


def wants(n: int) -> None:
    serving = Serving(None, Report())  # type: ignore[arg-type]  # none is answered
    for _ in range(n // 64):
        serving.on_want(payloads.Want((bytes(32),) * 64))
    if n % 64:
        serving.on_want(payloads.Want((bytes(32),) * (n % 64)))


def pulls(n: int) -> None:
    serving = Serving(None, Report())  # type: ignore[arg-type]
    for _ in range(n):
        serving.on_pull(payloads.Pull(0, False, (0, b""), HIGHEST, 0), NoItems())  # type: ignore[arg-type]


# -- the network -------------------------------------------------------------------------------------------


def in_trio(work: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda n: trio.run(work, n)


async def bans_of(n: int) -> bool:
    bans = Bans()
    for peer in range(n):
        bans.add(f"{peer}")
    return "0" in bans


async def protocol_name_of(n: int) -> bool:
    """Its newline counts."""
    name = b"/" + b"x" * (n - 2)
    stranger, ours = memory_stream_pair(10_000)
    await stranger.send_all(multistream.encode(multistream.HEADER) + multistream.encode(name))
    return await multistream.answer(ours, {name}) == name.decode()


async def protocol_tries(n: int) -> bool:
    stranger, ours = memory_stream_pair(10_000)
    asked = [multistream.HEADER, *[b"/x/1"] * (n - 1), b"/a/1"]
    await stranger.send_all(b"".join(map(multistream.encode, asked)))
    return await multistream.answer(ours, {b"/a/1"}) == "/a/1"


# -- files -------------------------------------------------------------------------------------------------


def asks_for(passes: int = limits.KDF_PASSES, memory: int = limits.KDF_MEMORY) -> None:
    """A keystore whose KDF costs so much; the cost is not paid."""
    raw = keystore_format.seal(b"x", Lock(bytes(32), bytes(16), KdfCost(passes, memory)))
    keystore_format.parse(raw, KdfCost(1, limits.KDF_LEAST_MEMORY))


def passphrase_of(n: int) -> None:
    keystore_format.derive(b"x" * n, bytes(16), KdfCost(1, 8 * limits.KIB))


def learnt(n: int) -> bool:
    """An address from a record of so many bytes."""
    return a_book().learn(an_address(1), source(2), HOUR, bytes(n))


def lasts(*, heard: int = PAST, day: int = 0, failures: int = 0) -> bool:
    """Whether an address of the book is worth keeping on day PAST. `heard` and `day` are days."""
    one = Entry("", "", "", "", 0, heard * 24, day > 0, day, failures)
    return not one.is_terrible(PAST * 24)
