"""One budget for all that peers make a node keep: who is cut when it is spent; what all bounds add up to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core import limits
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.rpc_queue import RpcQueue
from p2pforum.network.interface import Account, PeerID
from p2pforum.network.memory_budget import MemoryBudget
from p2pforum.network.yamux_stream import MAX_DATA

PEERS = [PeerID(f"peer{n}") for n in range(10)]
SIZE = 1_000


class World:
    """A budget, two accounts for each peer; the first three peers were dialled by the node."""

    def __init__(self, size: int = SIZE) -> None:
        self.cut: list[tuple[PeerID, int]] = []
        self.budget = MemoryBudget(size, self._cut, lambda peer: peer not in PEERS[:3])
        self.accounts: dict[tuple[PeerID, int], Account] = {}
        self.held: dict[tuple[PeerID, int], int] = {}
        for peer in PEERS:
            self._meet(peer)

    def _meet(self, peer: PeerID) -> None:
        for place in (0, 1):
            self.accounts[peer, place] = self.budget.open(peer)
            self.held[peer, place] = 0

    def _cut(self, peer: PeerID) -> None:
        self.cut.append((peer, self.of(peer)))
        self._meet(peer)  # it comes back

    def of(self, peer: PeerID) -> int:
        return self.held[peer, 0] + self.held[peer, 1]

    def set(self, peer: PeerID, place: int, held: int) -> None:
        self.held[peer, place] = held
        self.accounts[peer, place].set(held)


@given(st.lists(st.tuples(st.sampled_from(PEERS), st.integers(0, 1), st.integers(0, 400)), max_size=80))
def test_never_more_than_all_and_never_at_the_cost_of_the_modest(
    steps: list[tuple[PeerID, int, int]],
) -> None:
    world = World()
    for peer, place, held in steps:
        before = len(world.cut)
        world.set(peer, place, held)
        assert world.budget.held == sum(world.held.values()) <= SIZE
        for gone, had in world.cut[before:]:
            assert had > 0
            if gone in PEERS[:3]:  # only when no stranger held anything
                assert all(world.of(stranger) == 0 for stranger in PEERS[3:])


@given(st.lists(st.tuples(st.sampled_from(PEERS[3:]), st.integers(0, 2 * SIZE)), max_size=80))
def test_who_holds_less_than_an_even_share_is_never_cut(steps: list[tuple[PeerID, int]]) -> None:
    world = World()
    for peer, held in steps:
        world.set(peer, 0, held)
        assert all(had > SIZE / len(PEERS) for _, had in world.cut)


def test_the_largest_stranger_goes_before_a_peer_that_was_dialled() -> None:
    world = World()
    world.set(PEERS[0], 0, 600)
    world.set(PEERS[4], 0, 100)
    world.set(PEERS[5], 0, 150)
    world.set(PEERS[5], 1, 150)
    assert world.cut == []
    world.set(PEERS[6], 0, 1)
    assert world.cut == [(PEERS[5], 300)]


def test_what_a_cut_peer_had_counts_no_more_and_can_not_be_changed() -> None:
    """Its handlers end a little later, and give back what is no longer counted."""
    world = World()
    old = world.accounts[PEERS[5], 0]
    world.set(PEERS[5], 0, SIZE + 1)
    assert world.cut == [(PEERS[5], SIZE + 1)]
    for late in (SIZE, 0):
        old.set(late)
        assert world.budget.held == 0
    old.close()
    assert world.budget.held == 0


def test_it_is_tight_when_three_quarters_are_spent() -> None:
    world = World()
    world.set(PEERS[7], 1, SIZE * 3 // 4)
    assert not world.budget.is_tight
    world.set(PEERS[7], 0, 1)
    assert world.budget.is_tight


@pytest.mark.parametrize("size", [SIZE, SIZE + 1])
def test_both_sides_of_the_bound(size: int) -> None:
    world = World()
    world.set(PEERS[7], 1, size)
    assert bool(world.cut) is (size > SIZE)


# -- sums: what the numbers of core/limits.py come to when all places are taken ----------------------------


def test_a_peer_that_takes_what_it_is_sent_stays_below_an_even_share() -> None:
    """However much the node has for it: so memory is no reason to cut it while others hold more."""
    streams = 2 * limits.STREAM_MEMORY  # of gossip
    outbox = RpcQueue()
    outbox.add_asked([bytes(32)] * limits.OUTBOX_ASKED)
    most = outbox.held + limits.OUTBOX_BYTES + limits.SEND_QUEUE + MAX_DATA + streams
    assert most <= limits.CONNECTION_MEMORY / limits.MAX_CONNECTIONS


def parts() -> dict[str, int]:
    """docs/ARCHITECTURE.md, Memory. Measured: a process without peers, an idle connection, one entry."""
    p = GossipParams()
    megabyte, entry = 10**6, 200
    return {
        "without peers": 100 * megabyte,
        "counted by the budget": limits.CONNECTION_MEMORY,
        "connections": limits.MAX_CONNECTIONS * (120_000 + 65_537),  # and half a Noise message each
        "handshakes": limits.MAX_PENDING_INBOUND * 65_537,
        "gossip: history and seen": p.history_bytes + 2 * p.seen_count * entry,
        "gossip: served to each": limits.MAX_CONNECTIONS * p.serve_remembered * entry,
        "gossip: at the door": limits.GOSSIP_BATCH * (limits.MAX_POST + limits.GOSSIP_MESSAGE_MEMORY),
        "sync": 50 * megabyte,
    }


def test_the_sum_of_all_bounds_is_what_the_documentation_says() -> None:
    assert sum(parts().values()) <= limits.MEMORY_MOST


def test_control_each_for_itself_they_came_to_gigabytes() -> None:
    """As it was: bounds of a connection, which nobody had multiplied."""
    of_one = limits.STREAM_BUFFER + limits.MAX_STREAM_WINDOW + limits.OUTBOX_BYTES
    assert limits.MAX_CONNECTIONS * of_one > 4 * limits.MEMORY_MOST
