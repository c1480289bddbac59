"""The mesh: degrees, quotas, backoff, and a GRAFT flood."""

import pytest
from gossip_bed import FOREIGN, Bed, T, disconnected

from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.wire.rpc import Message, Prune, Subscription

P = GossipParams()


def misbehave(bed: Bed, peer: str) -> None:
    """Enough for a score below zero, not for the graylist."""
    bed.say(peer, publish=(Message(T, b"named", authored=True),))


def test_two_nodes_that_meet_graft_at_once() -> None:
    bed = Bed()
    bed.add("a")
    (send,) = bed.sends()
    assert send.rpc.graft == (T,)
    assert bed.mesh() == ["a"]


def test_the_mesh_fills_to_its_degree_and_no_further() -> None:
    bed = Bed()
    bed.add_many(30)
    bed.beat(5)
    assert P.degree_low <= len(bed.mesh()) <= P.degree


def test_only_subscribers_are_grafted() -> None:
    bed = Bed()
    bed.add("a")
    bed.add("elsewhere", topic=FOREIGN)
    bed.beat()
    assert bed.mesh() == ["a"]
    bed.say("a", subscriptions=(Subscription(FOREIGN, False),))
    assert bed.mesh() == ["a"]
    bed.say("a", subscriptions=(Subscription(T, False),))
    assert bed.mesh() == []


def test_a_graft_is_accepted_up_to_the_greatest_degree() -> None:
    bed = Bed()
    peers = bed.add_many(30)
    bed.clear()
    for peer in peers:
        bed.graft(peer)
    assert len(bed.mesh()) == P.degree_high
    assert len(bed.pruned()) == 30 - P.degree_high


def test_an_outbound_peer_is_accepted_even_then_and_the_heartbeat_trims() -> None:
    bed = Bed()
    for peer in bed.add_many(30):
        bed.graft(peer)
    outs = bed.add_many(2, "out", outbound=True)
    for peer in outs:
        bed.graft(peer)
    assert set(outs) <= set(bed.mesh())
    bed.beat()
    assert len(bed.mesh()) == P.degree
    assert set(outs) <= set(bed.mesh())  # D_out holds over the trimming


def test_trimming_keeps_the_best() -> None:
    bed = Bed()
    peers = bed.add_many(P.degree_high)
    for peer in peers:
        bed.graft(peer)
    best = bed.mesh()[-P.degree_score :]
    for n, peer in enumerate(best):
        bed.deliver(peer, b"post %d" % n)
    bed.add("out", outbound=True)
    bed.graft("out")
    bed.beat()
    assert set(best) <= set(bed.mesh())
    assert len(bed.mesh()) == P.degree


def test_a_mesh_of_strangers_takes_in_peers_that_we_chose() -> None:
    bed = Bed()
    bed.add_many(5, "in")
    outs = bed.add_many(3, "out", outbound=True)
    for peer in bed.mesh():
        if peer in outs:
            bed.prune(peer)
    bed.now += 120
    bed.beat()
    assert len(set(bed.mesh()) & set(outs)) >= P.degree_outbound


def test_a_pruned_peer_is_not_grafted_again_before_its_time() -> None:
    bed = Bed()
    bed.add("a")
    bed.clear()
    bed.prune("a")
    bed.beat(round(P.backoff))
    assert bed.grafted() == []
    bed.beat(2)
    assert bed.grafted() == ["a"]


def test_the_backoff_a_peer_asks_for_is_kept_within_reason() -> None:
    bed = Bed()
    bed.add("a")
    bed.clear()
    bed.prune("a", backoff=100)
    bed.beat(100)
    assert bed.grafted() == []
    bed.beat(2)
    assert bed.grafted() == ["a"]
    bed.clear()
    bed.prune("a", backoff=2**64 - 1)
    bed.now += P.backoff_longest + 2
    bed.beat()
    assert bed.grafted() == ["a"]


def test_a_backoff_is_not_shortened_by_another_prune_and_holds_over_a_reconnect() -> None:
    bed = Bed()
    bed.add("a")
    bed.prune("a", backoff=100)
    bed.prune("a", backoff=0)
    bed.remove("a")
    bed.add("a")
    bed.clear()
    bed.beat(90)
    assert bed.grafted() == []


def test_a_graft_within_the_backoff_is_refused_and_counts_against_the_peer() -> None:
    bed = Bed()
    bed.add("a")
    bed.prune("a")
    bed.now += 30
    bed.clear()
    bed.graft("a")
    assert bed.pruned() == ["a"]
    assert bed.mesh() == []
    bed.now += 45  # the first backoff is over, but the early GRAFT has begun a new one
    bed.graft("a")
    assert bed.pruned() == ["a", "a"]


def test_a_graft_flood_ends_in_a_ban() -> None:
    bed = Bed()
    bed.add("a")
    bed.prune("a")
    rounds = next(n for n in range(100) if disconnected(bed.graft("a")))
    assert rounds < 10
    assert len(bed.pruned()) < 10  # it is not answered for ever


def test_one_early_graft_is_forgiven() -> None:
    bed = Bed()
    bed.add("a")
    bed.prune("a")
    bed.graft("a")
    assert bed.score("a") >= 0


def test_a_graft_for_an_unknown_topic_is_not_answered() -> None:
    bed = Bed()
    bed.add("a")
    assert bed.graft("a", FOREIGN) == []
    assert bed.prune("a", FOREIGN) == []
    assert bed.mesh() == ["a"]
    bed.add("elsewhere", topic=FOREIGN)
    assert bed.graft("elsewhere", FOREIGN) == [], "nor refused: that would be an answer"


def test_a_graft_without_a_subscription_is_refused() -> None:
    bed = Bed()
    bed.add("a", topic=FOREIGN)
    bed.graft("a")
    assert bed.pruned() == ["a"]


def test_our_prune_tells_the_backoff_and_names_no_peers() -> None:
    bed = Bed()
    bed.add("a", topic=FOREIGN)
    (send,) = bed.graft("a")
    assert send.rpc.prune == (Prune(T, 60),)


def test_a_peer_of_negative_score_leaves_the_mesh_and_is_not_let_in() -> None:
    bed = Bed()
    bed.add("a", "b")
    misbehave(bed, "a")
    bed.clear()
    bed.beat()
    assert bed.mesh() == ["b"]
    assert bed.pruned() == ["a"]
    bed.graft("a")
    assert bed.mesh() == ["b"]


def test_a_mesh_of_equals_stays_as_it_is() -> None:
    """py-libp2p grafts two peers at every heartbeat when all scores are equal, and prunes them again."""
    bed = Bed()
    bed.add_many(30)
    bed.beat()
    before = bed.mesh()
    bed.clear()
    bed.beat(600)
    assert bed.sends() == []
    assert bed.mesh() == before


def test_a_poor_mesh_takes_in_clearly_better_peers_and_then_rests() -> None:
    bed = Bed()
    bed.add_many(30)
    bed.beat()
    outsiders = [f"p{n}" for n in range(30) if f"p{n}" not in bed.mesh()]
    better, slightly = outsiders[:3], outsiders[3:6]
    grafted: list[str] = []
    for n in range(200):
        bed.now += 1
        for m, peer in enumerate(better):
            bed.deliver(peer, b"%d %d" % (n, m))
        if n % 100 == 0:
            bed.deliver(slightly[0], b"slight %d" % n)
        bed.clear()
        bed.beat()
        grafted += bed.grafted()
    assert len(grafted) >= 2
    assert set(grafted) <= set(better)
    assert len(grafted) == len(set(grafted))  # nobody twice: it does not churn


@pytest.mark.parametrize("count", [1, 3, 8])
def test_a_small_network_is_one_mesh(count: int) -> None:
    bed = Bed()
    peers = bed.add_many(count)
    for peer in peers:
        bed.graft(peer)  # as they do when they see our hello
    bed.beat(3)
    assert set(bed.mesh()) == set(peers)


def test_silent_peers_make_room_in_a_crowd_but_never_empty_the_mesh() -> None:
    bed = Bed()
    peers = bed.add_many(P.degree_high)
    for peer in peers:
        bed.graft(peer)
    bed.beat(70)
    for n in range(300):
        bed.deliver("p0", b"%d" % n)
        bed.beat()
    assert len(bed.mesh()) == P.degree
    assert "p0" in bed.mesh()
    assert disconnected(bed.effects) == []
    assert all(bed.score(peer) > -10 for peer in peers)  # still offered all there is


def test_a_leaf_in_a_small_network_is_never_thought_ill_of() -> None:
    """A line a - here - leaf: all posts come from one side."""
    bed = Bed()
    bed.add("a", "leaf")
    for n in range(600):
        bed.deliver("a", b"%d" % n)
        bed.beat()
    assert bed.score("leaf") >= 0
    assert set(bed.mesh()) == {"a", "leaf"}


def test_backoffs_are_remembered_for_a_bounded_number_of_peers() -> None:
    bed = Bed(GossipParams(remembered=10))
    for peer in bed.add_many(50):
        bed.prune(peer)
        bed.remove(peer)
    assert len(bed.router._mesh._backoffs) == 10
