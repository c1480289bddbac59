"""Guards that spy, over TCP: of the keys of one user, which come to which of them?

The guards are no nodes of ours: each takes stem frames by hand, and publishes what is in them to an honest
peer, from which the author hears it back. The author is a real process that has kept them for months: one for
each slot, and a stand-in. The control has one slot (see odd_node.py).
"""

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trio
from e2e_floods import CONFIG, OddNode
from gossip_nodes import Probe, as_message
from gossip_real import LOOPBACK, real_node, until
from stem_nodes import Stranger
from strategies import TEST_NETWORK, a_key, a_post

from p2pforum.app.clock import this_hour
from p2pforum.core.post import decode
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.stem.guard_file import GuardFile
from p2pforum.stem.guards import Guard, Guards
from p2pforum.stem.params import GuardParams
from p2pforum.stem.wire import decode_frame

pytestmark = pytest.mark.e2e

SLOTS = GuardParams().slots
KEYS = range(1, 9)
SECRET = bytes(31) + b"\x01"


@dataclass
class Spy:
    """A guard. It also notes who writes."""

    taken: Stranger
    way: Probe
    keys: list[bytes] = field(default_factory=list)

    async def work(self) -> None:
        """Publish what comes."""
        for done in itertools.count():
            while len(self.taken.frames) <= done:
                await trio.sleep(0.02)
            if (raw := decode_frame(self.taken.frames[done])) is not None:
                post = decode(raw, TEST_NETWORK)
                self.keys.append(post.author)
                await self.way.say(publish=(as_message(post),))


def kept_for_months(home: Path, spies: Sequence[Spy], slots: int) -> None:
    """As the node writes it: a guard for each slot, the next one for its absence."""
    guards = Guards(secret=SECRET, since=1)
    for slot in range(slots):
        for n, spy in enumerate((spies[slot], spies[(slot + 1) % SLOTS])):
            network = spy.taken.network
            until = this_hour() + 1_000
            guards.kept.append(Guard(slot, network.peer_id, network.addresses[0], "", until, is_first=not n))
    home.mkdir(mode=0o700)
    GuardFile(home).save(guards.encode())


async def seen(directory: Path, kind: str) -> list[Counter[bytes]]:
    """The keys that each of the guards has seen, and how often; all posts are public then."""
    slots = 1 if kind == "one_slot" else SLOTS
    config = CONFIG.replace("test.e2e", TEST_NETWORK.name).replace("hide_origin = false\n", "")
    with OddNode("author", directory / "author", config) as author:
        author.kind = kind
        async with AsyncExitStack() as stack:
            honest = await stack.enter_async_context(real_node(this_hour))
            nursery = await stack.enter_async_context(trio.open_nursery())
            spies = []
            for _ in range(SLOTS):
                network = await stack.enter_async_context(open_libp2p_network([LOOPBACK]))
                spies.append(Spy(Stranger(network), Probe(network, nursery)))
                await spies[-1].way.join_at(honest.address)
                nursery.start_soon(spies[-1].work)
            kept_for_months(author.data_dir, spies, slots)
            await trio.to_thread.run_sync(author.start, honest.address)
            await until(lambda: author.node.status()["gossip"]["mesh_peers"])
            posts = [a_post(f"{n}", key=key, hour=this_hour()) for n in range(2) for key in KEYS]
            for post in posts:
                await trio.to_thread.run_sync(author.node.submit, post.raw)
            await until(lambda: all(map(author.holds, posts)), 60)
            assert honest.holds(*posts)
            nursery.cancel_scope.cancel()
            return [Counter(spy.keys) for spy in spies]


def linked(found: Sequence[Counter[bytes]]) -> set[tuple[bytes, bytes]]:
    """Pairs of keys that one guard has seen."""
    return {pair for keys in found for pair in itertools.combinations(sorted(keys), 2)}


async def test_a_guard_sees_the_keys_of_its_slot_and_no_others(tmp_path: Path) -> None:
    found = await seen(tmp_path, "plain")
    slots = defaultdict(list)
    for key in map(a_key, KEYS):
        slots[Guards(secret=SECRET).slot_of(key)].append(key)
    assert found == [Counter(dict.fromkeys(slots[slot], 2)) for slot in range(SLOTS)]
    print(f"{len(linked(found))} of {len(KEYS) * (len(KEYS) - 1) // 2} pairs are linked")
    assert len(linked(found)) <= 2, "of 28"


async def test_control_one_guard_for_all_keys_links_them(tmp_path: Path) -> None:
    found = await seen(tmp_path, "one_slot")
    assert len(linked(found)) == len(KEYS) * (len(KEYS) - 1) // 2
