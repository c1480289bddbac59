"""Nodes that gossip: the node's own Router in each, its StemRouter if asked, one queue of
events, no sockets.

Not modelled: what posts are (every post is valid, and judging it takes HOP seconds), bandwidth, and full
outboxes but by `loss`. Counted are the bytes of RPCs with their lengths, and stem frames; not the bytes that
Noise and Yamux add (about 30 for each write).
"""

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from random import Random

from p2pforum.core.verdict import Outcome
from p2pforum.gossip.effects import Disconnect, Effect, Forward, Send, Serve, Validate
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import Message, Rpc, encode_publish, encode_rpc
from p2pforum.stem.guards import Guards
from p2pforum.stem.params import StemParams
from p2pforum.stem.router import Effect as StemEffect
from p2pforum.stem.router import Probe, RelayPost, StemRouter
from p2pforum.stem.wire import ANSWER, FRAME_SIZE
from simulation.world import HOP, HOUR, ONE_KEY, OUTBOUND, draw_latency

TOPIC = "simulation/posts/1"
JOINING = 10.0  # seconds in which all nodes come
SLOW = 1.0  # seconds that everything to and from a slow node takes longer
AWAY = 15.0  # seconds that a node is gone, or a connection


@dataclass(frozen=True)
class Setting:
    """`loss`: the part of a node's messages to a peer that is lost on the way. `slow`: the
    part of slow nodes.
    """

    size: int
    gossip: GossipParams = field(default_factory=GossipParams)
    loss: float = 0.0
    slow: float = 0.0
    dials: int = OUTBOUND  #: others, by each node
    hidden: bool = False  #: own posts go through the stem
    stem: StemParams = field(default_factory=StemParams)
    spies: frozenset[int] = frozenset()  #: behave like all others, and note which peer told them what first


@dataclass
class Spread:
    """One post on its way: which nodes have it, and how long after its publication each got it."""

    author: int
    message: Message
    written: float
    held: bytearray
    public: float | None = None
    delays: list[float] = field(default_factory=list)
    told_by: int | None = None  #: the first node that told a spy

    @property
    def holders(self) -> int:
        return sum(self.held)

    @property
    def is_everywhere(self) -> bool:
        return 0 not in self.held


class Swarm:
    def __init__(self, setting: Setting, rng: Random) -> None:
        self.setting = setting
        self.now = 0.0
        self.posts: list[Spread] = []
        self._named: dict[bytes, Spread] = {}
        self.reset()
        self.expelled = 0
        self.routers = [self._router(Random(rng.random())) for _ in range(setting.size)]
        self.links: list[dict[int, float]] = [{} for _ in range(setting.size)]  # peer -> seconds one way
        self.dialled: list[set[int]] = [set() for _ in range(setting.size)]
        self._away: set[int] = set()
        self._stems: dict[int, StemRouter] = {}
        self._names = [str(v) for v in range(setting.size)]
        self._rng = rng
        self._slow = set(rng.sample(range(setting.size), round(setting.slow * setting.size)))
        self._queue: list[tuple[float, int, Callable[..., None], tuple[object, ...]]] = []
        self._count = itertools.count()
        for v in range(setting.size):
            self.at(rng.random() * JOINING, self._join, v)
            self.at(rng.random() * setting.gossip.heartbeat, self._beat, v)

    def reset(self) -> None:
        """Count anew, from zero."""
        size = self.setting.size
        self.payload = [0] * size  # bytes that each node has sent: messages,
        self.control = [0] * size  # everything else of gossip,
        self.stem = [0] * size  # and stem frames
        self.copies = 0  # messages sent

    def _router(self, rng: Random) -> Router:
        return Router(TOPIC, rng, self.setting.gossip)

    # -- time ------------------------------------------------------------------------------------------

    def at(self, when: float, act: Callable[..., None], *arguments: object) -> None:
        heapq.heappush(self._queue, (when, next(self._count), act, arguments))

    def run(self, until: float) -> None:
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, act, arguments = heapq.heappop(queue)
            act(*arguments)
        self.now = until

    def _beat(self, v: int) -> None:
        if v not in self._away:
            self._perform(v, self.routers[v].heartbeat(self.now))
        self.at(self.now + self.setting.gossip.heartbeat, self._beat, v)

    # -- connections -----------------------------------------------------------------------------------

    def _join(self, v: int) -> None:
        """Dial others by lot until the node has dialled enough."""
        wanted = min(self.setting.dials, self.setting.size - 1 - len(self.links[v]))
        while len(self.dialled[v]) < wanted:
            w = self._rng.randrange(self.setting.size)
            if w != v and w not in self.links[v]:
                self.connect(v, w)

    def connect(self, v: int, w: int) -> None:
        """`v` dials `w`: draw a latency in seconds, and let both routers greet."""
        slower = SLOW if v in self._slow or w in self._slow else 0.0
        self.links[v][w] = self.links[w][v] = slower + draw_latency(self._rng)
        self.dialled[v].add(w)
        for a, b in ((v, w), (w, v)):
            self.routers[a].add_peer(self._names[b], self.now, outbound=a == v)
            self.at(self.now + 2 * self.links[v][w], self._greet, a, b)

    def _greet(self, v: int, w: int) -> None:
        if w in self.links[v]:
            self._send(v, w, self.routers[v].hello(self._names[w], again=False))

    def disconnect(self, v: int, w: int) -> None:
        for a, b in ((v, w), (w, v)):
            if self.links[a].pop(b, None) is not None:
                self.routers[a].remove_peer(self._names[b], self.now)

    def drop(self, v: int, w: int) -> None:
        """The connection breaks; the node that dialled dials again."""
        if w in self.links[v]:
            self.disconnect(v, w)
            self.at(self.now + AWAY, self._redial, v, w)

    def _redial(self, v: int, w: int) -> None:
        if w not in self.links[v] and not self._away.intersection((v, w)):
            self.connect(*((v, w) if w in self.dialled[v] else (w, v)))

    def restart(self, v: int) -> None:
        """The node is gone for a while and remembers nothing but its posts."""
        self._away.add(v)
        for w in list(self.links[v]):
            self.disconnect(v, w)
            self.at(self.now + AWAY, self._redial, v, w)
        self.at(self.now + AWAY - 0.1, self._return, v)

    def _return(self, v: int) -> None:
        self.routers[v] = self._router(Random(self._rng.random()))
        self._away.discard(v)

    # -- gossip ----------------------------------------------------------------------------------------

    def _perform(self, v: int, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Forward):
                self._forward(v, effect)
            elif isinstance(effect, Serve):
                self._serve(v, effect)
            elif isinstance(effect, Send):
                self._send(v, int(effect.peer), effect.rpc)
            elif isinstance(effect, Validate) and not effect.is_again:
                self.at(self.now + HOP, self._judge, v, effect.message_id, effect.message)
            elif isinstance(effect, Disconnect):
                self.expelled += 1
                self.disconnect(v, int(effect.peer))

    def _send(self, v: int, w: int, rpc: Rpc) -> None:
        if (delay := self.links[v].get(w)) is not None:
            self.control[v] += len(frame(encode_rpc(rpc)))
            self.at(self.now + delay, self._arrive, w, v, rpc)

    def _forward(self, v: int, effect: Forward) -> None:
        rpc, size = _as_rpc(effect.message)
        links, loss = self.links[v], self.setting.loss
        for peer in effect.peers:
            w = int(peer)
            if (delay := links.get(w)) is None:
                continue
            self.payload[v] += size
            self.copies += 1
            if not loss or self._rng.random() >= loss:
                self.at(self.now + delay, self._arrive, w, v, rpc)

    def _serve(self, v: int, effect: Serve) -> None:
        for message in filter(None, map(self.routers[v].kept, effect.ids)):
            self._forward(v, Forward((effect.peer,), message))

    def _arrive(self, v: int, teller: int, rpc: Rpc) -> None:
        if teller in self.links[v]:
            if v in self.setting.spies:
                self._spy(teller, rpc)
            self._perform(v, self.routers[v].on_rpc(self._names[teller], rpc, self.now))

    def _spy(self, teller: int, rpc: Rpc) -> None:
        """A node that offers a post has it, too."""
        names = [message_id(message.data) for message in rpc.publish]
        for name in names + [name for offer in rpc.ihave for name in offer.ids]:
            self._note(teller, self._named[name])

    def _note(self, teller: int, spread: Spread) -> None:
        if spread.told_by is None and teller not in self.setting.spies:
            spread.told_by = teller

    def _judge(self, v: int, name: bytes, message: Message) -> None:
        """The check of a post, and the store, which outlives a restart."""
        spread = self._spread(message.data)
        outcome = Outcome.DUPLICATE if spread.held[v] else Outcome.STORED
        self._hold(v, spread)
        self._perform(v, self.routers[v].on_verdict(name, outcome, self.now))

    def _spread(self, data: bytes) -> Spread:
        return self.posts[int.from_bytes(data[:4], "big")]

    def _hold(self, v: int, spread: Spread) -> None:
        if not spread.held[v]:
            spread.held[v] = 1
            if spread.public is not None:
                spread.delays.append(self.now - spread.public)
            if v in self._stems:
                self._stems[v].on_public([message_id(spread.message.data)])

    # -- own posts -------------------------------------------------------------------------------------

    def post(self, author: int, when: float, size: int) -> None:
        """`author` writes a post of `size` bytes."""
        head = len(self.posts).to_bytes(4, "big")
        message = Message(TOPIC, head + self._rng.randbytes(size - len(head)))
        self.posts.append(Spread(author, message, when, bytearray(self.setting.size)))
        self._named[message_id(message.data)] = self.posts[-1]
        self.at(when, self._write, self.posts[-1])

    def _write(self, spread: Spread) -> None:
        v, data = spread.author, spread.message.data
        if v in self._away or not self.routers[v].has_taker(self.now):
            self.at(self.now + 1, self._write, spread)  # as a node does, it keeps the post meanwhile
        elif self.setting.hidden:
            self.stem_router(v).originate(message_id(data), data, self.now)
            self._tick(v)
        else:
            self._publish(v, data)

    def _publish(self, v: int, data: bytes) -> None:
        spread = self._spread(data)
        if spread.public is None:
            spread.public = self.now
        self._hold(v, spread)
        self._perform(v, self.routers[v].originate(data, self.now))

    def stem_router(self, v: int) -> StemRouter:
        """Made when the node's first post comes. Until then a node is like any other, with guards by lot."""
        if v not in self._stems:
            rng = Random(self._rng.random())
            stem = self._stems[v] = StemRouter(rng, Guards(ONE_KEY), 0.0, self.setting.stem)
            for w in self.links[v]:
                stem.add_peer(self._names[w], 0.0, outbound=w in self.dialled[v])
                stem.on_answer(self._names[w])
            stem.maintain_guards(HOUR, stem.params.settle)
        return self._stems[v]

    def _tick(self, v: int) -> None:
        stem = self.stem_router(v)
        for effect in stem.tick(self.now):
            self._carry_out(v, effect)
        if (wake := stem.next_wake()) < float("inf"):
            self.at(wake, self._tick, v)

    def _carry_out(self, v: int, effect: StemEffect) -> None:
        if isinstance(effect, Probe):
            return  # all peers answer
        if isinstance(effect, RelayPost):
            w = int(effect.peer)
            self.stem[v] += FRAME_SIZE
            self.stem[w] += len(ANSWER)
            self.at(self.now + 3 * self.links[v][w], self._stem_frame, w, v, effect)
        else:
            self._publish(v, effect.raw)

    def _stem_frame(self, v: int, teller: int, effect: RelayPost) -> None:
        if v in self.setting.spies:
            self._note(teller, self._spread(effect.raw))
        if not self._spread(effect.raw).held[v]:
            self.stem_router(v).on_post(self._names[teller], effect.post_id, effect.raw, self.now)
            self._tick(v)


@lru_cache(64)
def _as_rpc(message: Message) -> tuple[Rpc, int]:
    """One message goes to many peers: one RPC for all."""
    return Rpc(publish=(message,)), len(frame(encode_publish(message)))
