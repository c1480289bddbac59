"""A swarm, with the node's own routers, in which every spy dials every node and passes nothing on.

A spy echoes each post to the peer that brought it, which keeps its slots in the meshes at no cost. It offers
nothing and asks for nothing, so each push that it hears is one that a node decided on by itself.
"""

import dataclasses
from collections import defaultdict
from random import Random

from p2pforum.gossip.effects import Forward
from p2pforum.gossip.params import ScoreParams
from p2pforum.gossip.router import Router
from p2pforum.gossip.wire.rpc import Rpc
from p2pforum.stem.router import RelayPost
from simulation.silence import Sighting
from simulation.spread import Telling
from simulation.swarm import TOPIC, Setting, Spread, Swarm
from simulation.world import HOP


class Watched(Swarm):
    exempting = False  #: the end of a stem does not push to the peers that brought the post (the control)

    def __init__(self, setting: Setting, rng: Random) -> None:
        super().__init__(setting, rng)
        size = setting.size
        greedy = dataclasses.replace(setting.gossip, degree=size, degree_low=size, degree_high=2 * size)
        patient = ScoreParams(graylist_threshold=float("-inf"))  # spies send no peer away
        for spy in setting.spies:
            self.routers[spy] = Router(TOPIC, Random(rng.random()), greedy, patient)

    def reset(self) -> None:
        super().reset()
        self._heard: dict[bytes, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
        self._handed: dict[bytes, int] = {}
        self._brought: dict[tuple[int, bytes], set[str]] = defaultdict(set)
        self._but: set[str] = set()

    def dial_everybody(self) -> None:
        for spy in self.setting.spies:
            for v in range(self.setting.size):
                if v != spy and v not in self.links[spy]:
                    self.connect(spy, v)

    def sightings(self) -> list[Sighting]:
        return [self._sighting(spread) for spread in self.posts]

    def guard(self, author: int) -> int:
        guards = self.stem_router(author).guards
        return int(guards.of(guards.slot_of(b""))[0])

    def _sighting(self, spread: Spread) -> Sighting:
        data = spread.message.data
        told = {v: Telling(min(times), max(times) - min(times)) for v, times in self._heard[data].items()}
        return Sighting(spread.author, told, self._handed.get(data))

    # -- what spies do --------------------------------------------------------------------------------

    def _send(self, v: int, w: int, rpc: Rpc) -> None:
        if v in self.setting.spies:
            rpc = dataclasses.replace(rpc, ihave=(), iwant=())
        if rpc != Rpc():  # an empty RPC would cost the spy its slot
            super()._send(v, w, rpc)

    def _forward(self, v: int, effect: Forward) -> None:
        if v not in self.setting.spies:
            peers = tuple(peer for peer in effect.peers if peer not in self._but)
            super()._forward(v, Forward(peers, effect.message))

    def _spy(self, teller: int, rpc: Rpc) -> None:
        """`_arrive` notes each push, because it knows the time."""

    def _arrive(self, v: int, teller: int, rpc: Rpc) -> None:
        if v in self.setting.spies and teller in self.links[v] and teller not in self.setting.spies:
            for message in rpc.publish:
                self._heard[message.data][teller].append(self.now - self.links[v][teller])
                self.at(self.now + HOP, super()._forward, v, Forward((self._names[teller],), message))
        if v in self.setting.spies:  # otherwise its router would expect posts that it must not ask for
            rpc = dataclasses.replace(rpc, ihave=())
        super()._arrive(v, teller, rpc)

    # -- stems ----------------------------------------------------------------------------------------

    def _stem_frame(self, v: int, teller: int, effect: RelayPost) -> None:
        self._brought[v, effect.raw].add(self._names[teller])
        if v in self.setting.spies and teller not in self.setting.spies:
            self._handed.setdefault(effect.raw, teller)
        super()._stem_frame(v, teller, effect)

    def _publish(self, v: int, data: bytes) -> None:
        self._but = self._brought[v, data] if self.exempting else set()
        super()._publish(v, data)
        self._but = set()
