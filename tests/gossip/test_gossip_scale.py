"""`python -m simulation.scale` in small: what a network delivers and costs, and how both grow."""

from dataclasses import replace
from random import Random

import pytest

from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import Rpc, Subscription, encode_rpc
from p2pforum.stem.wire import FRAME_SIZE
from simulation import scale
from simulation.scale import NO_OFFERS, TO_ALL, Result, measure
from simulation.swarm import TOPIC, Setting, Swarm
from simulation.world import HOP, NEAREST, USUAL

pytestmark = pytest.mark.slow

SMALL, LARGE = 40, 200
A_HOP = NEAREST + USUAL + HOP  # seconds, the median
THIN = GossipParams(degree=2, degree_low=2, degree_high=3, degree_outbound=1, gossip_beats=0)


@pytest.fixture(scope="module")
def small() -> Result:
    return measure(Setting(SMALL), posts=12)


@pytest.fixture(scope="module")
def large() -> Result:
    return measure(Setting(LARGE), posts=12)


def test_all_posts_reach_all_nodes_and_an_idle_network_is_silent(small: Result, large: Result) -> None:
    for result in (small, large):
        assert result.delivered == 1.0
        assert result.expelled == 0
        assert result.idle < 1.0, "bytes a second"


def test_five_times_the_nodes_are_one_hop_slower(small: Result, large: Result) -> None:
    """Each hop reaches about five new nodes."""
    for share in (0.5, 0.99):
        assert 0 < large.after(share) - small.after(share) < 1.5 * A_HOP


def test_control_in_a_thin_mesh_time_grows_faster() -> None:
    few, many = (measure(Setting(size, gossip=THIN), posts=8, patience=20.0) for size in (SMALL, LARGE))
    for share in (0.5, 0.99):
        assert many.after(share) - few.after(share) > 2 * A_HOP


def test_bytes_of_a_node_and_post_are_bounded_by_its_mesh_and_not_by_the_network(
    small: Result, large: Result
) -> None:
    params = GossipParams()
    for result in (small, large):
        assert params.degree - 2 < result.copies < params.degree_high - 1
        assert result.payload < (params.degree_high - 1) * (scale.POST + 64)
        assert result.control < 3 * 16 * (len(TOPIC) + 32 + 16)  # an IHAVE to each peer, and a bit more
    assert large.gossip == pytest.approx(small.gossip, rel=0.15)


def test_control_pushing_to_all_peers_costs_twice_as_much(large: Result) -> None:
    flood = measure(Setting(LARGE, gossip=TO_ALL), posts=8)
    assert flood.delivered == 1.0
    assert flood.payload > 2 * large.payload
    assert flood.gossip > 1.5 * large.gossip


def test_what_is_lost_on_the_way_is_brought_by_offers_and_is_missing_without() -> None:
    lossy = Setting(LARGE, loss=0.6)
    mended = measure(lossy, posts=12, patience=10.0)
    broken = measure(replace(lossy, gossip=NO_OFFERS), posts=12, patience=10.0)
    assert mended.delivered > 0.99
    assert 1 - broken.delivered > 4 * (1 - mended.delivered)


def test_nodes_that_restart_and_links_that_break_cost_no_post() -> None:
    result = measure(Setting(100), posts=24, happening=scale.churn(0.1), patience=30.0)
    assert result.delivered == 1.0
    assert result.expelled == 0
    assert result.delays[-1] > 5, "the control: some were away"


def test_hidden_posts_take_a_detour_whose_bytes_are_the_same_however_many_nodes() -> None:
    few, many = (measure(Setting(size, hidden=True), posts=12) for size in (SMALL, LARGE))
    for result in (few, many):
        assert result.delivered == 1.0
        assert scale.quantile(result.totals, 0.5) > result.after(0.5) + 0.5, "seconds"
        hops = result.stem * result.size / FRAME_SIZE
        assert 1 <= hops < 12


def test_bytes_are_those_of_the_wire() -> None:
    """Two nodes, by hand: what each says first, then a post."""
    swarm = Swarm(Setting(2), Random(1))
    swarm.run(20)
    hello = Rpc(subscriptions=(Subscription(TOPIC, subscribe=True),))
    graft = Rpc(graft=(TOPIC,))
    both = sum(len(frame(encode_rpc(rpc))) for rpc in (hello, graft))
    assert swarm.control[0] in (both, len(frame(encode_rpc(hello))))
    swarm.reset()
    swarm.post(0, 21, 500)
    swarm.run(30)
    (spread,) = swarm.posts
    assert spread.is_everywhere
    assert len(spread.message.data) == 500
    assert sum(swarm.payload) == len(frame(encode_rpc(Rpc(publish=(spread.message,)))))


def test_the_command_prints_and_judges(capsys: pytest.CaptureFixture[str]) -> None:
    assert scale.main(["40", "20", "--troubled", "40", "--posts", "6"]) == 0
    out = capsys.readouterr().out
    assert [line.split()[0] for line in out.splitlines()[2:4]] == ["20", "40"]
    assert "without IHAVE (control)" in out
    assert "From 20 to 40 nodes" in out
