"""Strangers that want a node's memory and time, over real libp2p.

Each keeps to the protocol for as long as it gains by that, gives credit back at once, and comes back when it
was thrown out.
"""

import random
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import trio

from p2pforum.core import limits
from p2pforum.core.errors import NetworkError
from p2pforum.core.network_params import NetworkParams
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_network import Libp2pNetwork, open_libp2p_network
from p2pforum.sync.boards import tag_of
from p2pforum.sync.wire import negentropy
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode
from p2pforum.sync.wire.payloads import (
    NONCE_SIZE,
    Board,
    Boards,
    Credit,
    Gone,
    Grant,
    Hello,
    Look,
    Neg,
    Posts,
    PostsReason,
    Pull,
    Want,
)

MILLION = 1_000_000
_LOST = (trio.BrokenResourceError, trio.ClosedResourceError, EOFError)
_IDS = 1_000  # in one frame
_RANGES = 1_400  # in one message: 32 KiB


@dataclass
class Scene:
    """Whom the attack is on, and what the attackers know of it. `did` counts what they did."""

    params: NetworkParams
    address: str
    boards: Sequence[str]
    raws: Sequence[bytes]  #: posts that it has
    now: int
    did: Counter[str] = field(default_factory=Counter)


class Talk:
    """One stream, and how much may be sent on it."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._one = trio.Lock()
        self._reader = SyncFrameReader()
        self._heard: list[tuple[Frame, int]] = []
        self._credit = {Credit.NEG: limits.SYNC_NEG_WINDOW, Credit.POSTS: limits.SYNC_POSTS_WINDOW}
        self._more = trio.lowlevel.ParkingLot()

    async def say(self, *frames: Frame) -> None:
        async with self._one:
            await self._stream.send_all(b"".join(map(encode, frames)))

    async def spend(self, frame: Neg | Posts) -> None:
        """Say it when there is credit."""
        kind, size = _kind(frame), len(encode(frame))
        while self._credit[kind] < size:
            await self._more.park()
        self._credit[kind] -= size
        await self.say(frame)

    async def hear(self) -> Frame:
        while not self._heard:
            received = await self._stream.receive_some(65_536)
            if not received:
                raise EOFError
            self._heard += self._reader.feed(bytes(received))
        frame, size = self._heard.pop(0)
        if isinstance(frame, Grant):
            self._credit[frame.credit] += frame.size
            self._more.unpark_all()
        elif isinstance(frame, Neg | Posts):
            await self.say(Grant(_kind(frame), size))
        return frame

    async def meet(self, now: int) -> bytes:
        """HELLO both ways, and a LOOK that nothing is the same; the nonce of the other."""
        await self.say(Hello(bytes(NONCE_SIZE), now, 0))
        while not isinstance(hello := await self.hear(), Hello):
            pass
        while not isinstance(look := await self.hear(), Look):
            pass
        await self.say(Look(tuple(bytes(len(seen)) for seen in look.seen)))
        return hello.nonce

    async def begin(self, now: int) -> None:
        """As an initiator, up to where boards are compared."""
        await self.meet(now)
        while not (isinstance(frame := await self.hear(), Boards) and frame.last):
            pass
        await self.say(Boards(True, ()))


def _kind(frame: Neg | Posts) -> Credit:
    return Credit.NEG if isinstance(frame, Neg) else Credit.POSTS


Attack = Callable[[Talk, Scene], Awaitable[None]]

# --- sessions that the attacker opens -----------------------------------------------------------------------


def _ask(name: str, message: Callable[[Scene], bytes]) -> Attack:
    """The same question of all boards without end."""

    async def attack(talk: Talk, scene: Scene) -> None:
        await talk.begin(scene.now)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, talk)
            while True:
                for number in range(len(scene.boards)):
                    await talk.spend(Neg(number, True, message(scene)))
                scene.did[name] += 1

    return attack


async def _listen(talk: Talk) -> None:
    while True:
        await talk.hear()


def _wrong(scene: Scene) -> bytes:
    """Fingerprints of many ranges; all differ."""
    cuts = sorted((scene.now - random.randrange(400), random.randbytes(2)) for _ in range(_RANGES))
    writer = negentropy.MessageWriter()
    for cut in dict.fromkeys(cuts):
        writer.add(writer.reached, (cut, negentropy.Mode.FINGERPRINT, bytes(16)))
    return writer.message()


async def pulls(talk: Talk, scene: Scene) -> None:
    """All posts of all boards, again and again."""
    await talk.begin(scene.now)
    everything = Pull(0, False, negentropy.LOWEST, negentropy.HIGHEST, 0)
    await talk.say(*[everything] * limits.SYNC_PULL_WINDOW)
    while True:
        frame = await talk.hear()
        if isinstance(frame, Posts) and frame.how is PostsReason.PULLED_ALL:
            await talk.say(everything)
            scene.did["pulls"] += 1


async def wants_fakes(talk: Talk, scene: Scene) -> None:
    """Posts that nobody has."""
    await talk.begin(scene.now)
    left = 0
    while True:
        while left + _IDS <= limits.SYNC_WANT_WINDOW:
            await talk.say(Want(fakes(_IDS)))
            left += _IDS
        if isinstance(frame := await talk.hear(), Gone):
            left -= frame.count
            scene.did["wants"] += 1


async def pushes(talk: Talk, scene: Scene) -> None:
    """Posts that are there."""
    await talk.begin(scene.now)
    for number in range(len(scene.boards)):
        await talk.spend(Neg(number, True, b"\x61"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, talk)
        while True:
            start = random.randrange(len(scene.raws) - 200)
            await talk.spend(Posts(PostsReason.PUSHED, tuple(scene.raws[start : start + 200])))
            scene.did["pushes"] += 1


async def sends_unasked(talk: Talk, scene: Scene) -> None:
    await talk.begin(scene.now)
    await talk.say(Posts(PostsReason.WANTED, (scene.raws[0],)))
    scene.did["unasked"] += 1
    await _listen(talk)


async def trickles(talk: Talk, scene: Scene) -> None:
    """A slow-loris: a byte now and then."""
    for byte in encode(Hello(bytes(NONCE_SIZE), scene.now, 0)):
        await talk._stream.send_all(bytes([byte]))
        scene.did["trickles"] += 1
        await trio.sleep(5)


OPENING: Sequence[Attack] = (
    *[_ask("everything", lambda _: bytes.fromhex("6100000200"))] * 2,
    *[_ask("wrong", _wrong)] * 3,
    *[_ask("tiny", lambda _: b"\x61")] * 2,
    *[pulls, wants_fakes, pushes] * 2,
    sends_unasked,
    trickles,
)

WAYS = ("everything", "wrong", "tiny", "pulls", "wants", "pushes", "unasked", "trickles", "rounds")
"""What of them is done, in Scene.did; the last by `never_agrees`."""

# --- sessions that the node opens ---------------------------------------------------------------------------


async def _tell(talk: Talk, scene: Scene) -> None:
    """Claims to have almost the same of all boards."""
    nonces = await talk.meet(scene.now) + bytes(NONCE_SIZE)
    tags = sorted(tag_of(name, nonces) for name in scene.boards)
    each = len(scene.raws) // len(tags)
    await talk.say(Boards(True, tuple(Board(tag, 0, each, bytes(16)) for tag in tags)))


async def never_agrees(talk: Talk, scene: Scene) -> None:
    """Rounds without end."""
    await _tell(talk, scene)
    writer = negentropy.MessageWriter()
    writer.add(negentropy.LOWEST, (negentropy.HIGHEST, negentropy.Mode.FINGERPRINT, bytes(16)))
    while True:
        if isinstance(frame := await talk.hear(), Neg):
            await talk.spend(Neg(frame.board, True, writer.message()))
            scene.did["rounds"] += 1


async def lists_fakes(talk: Talk, scene: Scene) -> None:
    """A million IDs of posts that do not exist, so that they never come either."""
    await _tell(talk, scene)
    while not isinstance(frame := await talk.hear(), Neg):
        pass
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_listen, talk)
        while scene.did["listed"] < MILLION:
            writer = negentropy.MessageWriter()
            here = (negentropy.HIGHEST, negentropy.Mode.ID_LIST, b"".join(fakes(_IDS)))
            writer.add((scene.now + 1, b""), here)
            await talk.spend(Neg(frame.board, False, writer.message()))
            scene.did["listed"] += _IDS


def fakes(count: int) -> tuple[bytes, ...]:
    return tuple(random.randbytes(32) for _ in range(count))


# --- attackers ----------------------------------------------------------------------------------------------


async def strike(scene: Scene, opens: Attack | None, answers: Attack) -> None:
    """For ever: under a new name after each time that it was cut off."""
    while True:
        with suppress(NetworkError):
            async with open_libp2p_network() as network:
                network.set_handler(scene.params.sync_protocol, _answering(scene, answers))
                peer = await network.dial(scene.address)
                if opens is None:
                    await trio.sleep_forever()
                while True:
                    await _open(network, peer, scene, opens)
        await trio.sleep(0.5)


def _answering(scene: Scene, attack: Attack) -> Callable[[PeerID, trio.abc.Stream], Awaitable[None]]:
    async def answer(_: PeerID, stream: trio.abc.Stream) -> None:
        await _run(attack, stream, scene)

    return answer


async def _open(network: Libp2pNetwork, peer: PeerID, scene: Scene, attack: Attack) -> None:
    await _run(attack, await network.open_stream(peer, scene.params.sync_protocol), scene)
    await trio.sleep(0.1)


async def _run(attack: Attack, stream: trio.abc.Stream, scene: Scene) -> None:
    async with stream:
        try:
            await attack(Talk(stream), scene)
        except* _LOST:
            pass
