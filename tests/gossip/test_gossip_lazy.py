"""IHAVE and IWANT: full coverage of those outside the mesh, budgets, promises, floods."""

from gossip_bed import FOREIGN, Bed, T, disconnected, validations

from p2pforum.core import limits
from p2pforum.core.verdict import Outcome
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import IHave, Message, Rpc, Subscription, encode_rpc

P = GossipParams()
DATA = b"a post"
NAME = message_id(DATA)


def names(count: int, start: int = 0) -> list[bytes]:
    return [message_id(b"%d" % n) for n in range(start, start + count)]


def outside(bed: Bed, count: int) -> list[str]:
    return [p for p in (f"p{n}" for n in range(count)) if p not in bed.mesh()]


def test_everyone_outside_the_mesh_is_offered_a_message_and_few_twice() -> None:
    """Those in backoff too: they need it most. py-libp2p leaves them out, and they hear nothing."""
    bed = Bed()
    bed.add_many(40)
    bed.prune(bed.mesh()[0])
    bed.deliver("p0", DATA)
    bed.beat()
    outsiders = outside(bed, 40)
    bed.beat(P.gossip_beats - 1)
    offers = [(peer, name) for peer, ids in bed.offered().items() for name in ids]
    assert set(offers) >= {(peer, NAME) for peer in outsiders}
    assert len(offers) <= 40 + 2 * P.gossip_beats
    bed.clear()
    bed.beat(5)
    assert bed.offered() == {}


def test_who_joins_the_mesh_just_after_a_message_was_pushed_is_offered_it() -> None:
    bed = Bed()
    bed.add("a")
    bed.add("late", topic=FOREIGN)
    bed.deliver("a", DATA)
    bed.say("late", subscriptions=(Subscription(T, True),))
    bed.prune("late")
    bed.beat(60)
    bed.deliver("a", b"pushed")
    bed.clear()
    bed.beat()
    assert bed.grafted() == ["late"]
    assert bed.offered() == {"late": [message_id(b"pushed")]}
    bed.clear()
    bed.beat()
    assert bed.offered() == {}


def test_a_peer_that_asks_gets_it_three_times_and_no_more() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.deliver("a", DATA)
    assert [bed.served("b", NAME) for _ in range(5)] == [[DATA], [DATA], [DATA], [], []]
    assert bed.served("a", NAME, NAME) == [DATA]  # once for one asking


def test_what_is_gone_is_not_served() -> None:
    bed = Bed()
    bed.add("a")
    bed.deliver("a", DATA)
    bed.beat(P.history_beats)
    assert bed.say("a", iwant=(NAME,)) == []


def test_what_was_not_accepted_is_neither_offered_nor_served() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.message("a", DATA)
    assert bed.say("b", iwant=(NAME,)) == []
    bed.verdict(DATA, Outcome.REFUSED)
    assert bed.say("b", iwant=(NAME,)) == []
    bed.beat()
    assert bed.offered() == {}


def test_an_offer_is_asked_for_in_small_portions() -> None:
    """Other implementations answer an IWANT with one RPC, and sixteen of the largest posts fill it."""
    bed = Bed()
    bed.add("a")
    bed.clear()
    bed.ihave("a", *names(40))
    assert [len(send.rpc.iwant) for send in bed.sends()] == [16, 16, 8]
    assert bed.asked() == {"a": names(40)}
    answer = Rpc(publish=(Message(T, bytes(limits.MAX_POST)),) * P.ask_per_rpc)
    assert len(encode_rpc(answer)) <= limits.MAX_RPC


def test_no_more_is_asked_for_between_two_heartbeats_than_js_libp2p_answers() -> None:
    """Ten RPCs with IWANT. The others it would not answer, and we would think that it breaks promises."""
    bed = Bed()
    bed.add("a")
    bed.clear()
    bed.ihave("a", *names(1_000))
    assert len(bed.sends()) == 10


def test_what_is_known_or_under_way_is_not_asked_for() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.deliver("a", DATA)
    bed.message("a", b"under way")
    bed.message("a", b"early")
    bed.verdict(b"early", Outcome.TOO_EARLY)
    bed.clear()
    bed.ihave("b", NAME, message_id(b"under way"), message_id(b"early"), b"no ID", bytes(33))
    bed.ihave("b", names(1)[0], topic=FOREIGN)
    assert bed.asked() == {}


def test_one_peer_is_asked_first_and_the_others_if_it_is_slow() -> None:
    """One, one more, two more, four more: none of the offers is forgotten."""
    bed = Bed()
    some = bed.add_many(20)
    for peer in some:
        bed.ihave(peer, NAME)
    counts = [len(bed.asked())]
    assert bed.asked() == {"p0": [NAME]}
    for _ in range(5):
        bed.beat()
        counts.append(len(bed.asked()))
    assert counts == [1, 2, 4, 8, 16, 20]
    assert bed.asked() == {peer: [NAME] for peer in some}


def test_who_offers_when_others_were_asked_long_ago_is_asked_at_once() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.ihave("a", NAME)
    bed.now += P.ask_again
    bed.ihave("b", NAME)
    assert bed.asked() == {"a": [NAME], "b": [NAME]}


def test_who_leaves_takes_its_offers_along() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.ihave("a", NAME)
    bed.ihave("b", NAME)
    bed.remove("a")
    bed.beat()
    assert bed.asked() == {"a": [NAME], "b": [NAME]}
    bed.remove("b")
    assert bed.router._lazy.pending == 0


def test_ten_who_offer_and_never_send_hold_up_nothing_for_long() -> None:
    """They take turns in being asked, and the honest peer offers once, when one of them has just been."""
    bed = Bed()
    liars = bed.add_many(10, "liar")
    bed.add("honest")
    for n, liar in enumerate(liars):
        bed.ihave(liar, NAME)
        if n == 0:
            bed.ihave("honest", NAME)
        if "honest" in bed.asked():
            break
        bed.beat()
    assert n <= 4


def test_a_peer_is_not_blamed_for_what_it_sent_and_we_did_not_read() -> None:
    bed = Bed()
    bed.add("held", "free")
    for peer in ("held", "free"):
        for n in range(4):
            bed.ihave(peer, message_id(b"%s %d" % (peer.encode(), n)))
    bed.router.hold("held", held=True)
    bed.beat(20)
    assert bed.score("held") >= 0
    assert bed.score("free") < 0  # the control
    bed.router.hold("held", held=False)
    bed.beat(6)
    assert bed.score("held") < 0  # it had its time, and sent nothing


def test_what_waited_while_we_stood_still_is_nobody_s_fault() -> None:
    """A minute's IHAVE, a heartbeat's each, come at once. More than that are a flood."""
    bed = Bed()
    bed.add("a")
    for n in range(60):
        bed.ihave("a", *names(10, 10 * n))
    assert len(bed.asked()["a"]) == 100
    assert bed.router._scores._here["a"].behaviour == 0
    for n in range(60):
        bed.ihave("a", *names(10, 10 * n))
    assert bed.score("a") < 0


def test_a_kept_promise_costs_nothing_whoever_kept_it() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.ihave("a", NAME)
    bed.message("b", DATA)
    bed.verdict(DATA, Outcome.STORED)
    bed.beat(10)
    assert bed.router._scores._here["a"].behaviour == 0


def test_broken_promises_end_in_a_ban() -> None:
    bed = Bed()
    bed.add("liar", "honest")
    for n in range(100):
        bed.ihave("liar", message_id(b"nothing %d" % n))
        if disconnected(bed.beat()):
            break
    assert n < 15
    assert disconnected(bed.effects) == ["liar"]


def test_one_broken_promise_is_forgiven() -> None:
    bed = Bed()
    bed.add("a")
    bed.ihave("a", NAME)
    bed.beat(20)
    assert bed.score("a") >= 0
    assert bed.router._scores._here["a"].behaviour > 0


def test_a_promise_is_broken_once_however_many_ids_were_offered() -> None:
    bed = Bed()
    bed.add("a")
    bed.ihave("a", *names(500))
    bed.beat(10)
    assert bed.score("a") >= 0
    assert bed.router._lazy.pending == 0


def test_an_ihave_flood_makes_us_ask_for_a_bounded_number_and_ends_in_a_ban() -> None:
    bed = Bed()
    bed.add("a")
    bed.clear()
    for n in range(200):
        if disconnected(bed.ihave("a", *names(1_000, start=1_000 * n))):
            break
    assert n < P.ihave_burst + 40
    assert len(bed.asked()["a"]) <= P.ask_per_beat
    assert bed.router._lazy.pending <= P.ask_per_beat


def test_peers_that_offer_nonsense_fill_nobody_s_share_but_their_own() -> None:
    bed = Bed()
    for n, peer in enumerate(bed.add_many(50)):
        bed.ihave(peer, *names(1_000, start=1_000 * n))
    assert bed.router._lazy.pending == 50 * P.pending_asks
    bed.add("honest")
    bed.ihave("honest", NAME)
    assert bed.asked()["honest"] == [NAME]


def test_a_peer_whose_offers_all_fail_to_come_is_asked_for_no_more_until_they_lapse() -> None:
    bed = Bed()
    bed.add("a")
    bed.ihave("a", *names(P.pending_asks))
    bed.beat(2)
    bed.ihave("a", NAME)
    assert NAME not in bed.asked()["a"]
    bed.beat(4)
    bed.ihave("a", NAME)
    assert bed.asked()["a"][-1] == NAME


def test_an_iwant_flood_ends_in_a_ban_and_was_hardly_answered() -> None:
    bed = Bed()
    bed.add("a")
    for n in range(50):
        bed.deliver("a", b"%d" % n)
    sent = 0
    for _ in range(600):
        sent += len(bed.served("a", *names(50)))
        if disconnected(bed.effects):
            break
    assert sent == 150
    assert disconnected(bed.effects) == ["a"]


def test_a_peer_is_served_a_bounded_number_an_hour_and_not_blamed_for_asking() -> None:
    bed = Bed(GossipParams(serve_hourly=100))
    bed.add("a")
    for n in range(300):
        bed.deliver("a", b"%d" % n)
    assert sum(len(bed.served("a", *names(50, 50 * i))) for i in range(6)) == 100
    assert bed.score("a") >= 0
    bed.now += 1_800
    assert len(bed.served("a", *names(100, 100))) == 50


def test_servings_are_counted_in_bounded_memory() -> None:
    bed = Bed()
    bed.add("a")
    bed.say("a", iwant=tuple(names(4_000)))
    for n in range(3_000):
        bed.deliver("a", b"%d" % n)
    bed.beat()
    bed.say("a", iwant=tuple(names(2_500)))
    assert len(bed.router._lazy._quotas["a"].served) <= P.serve_remembered


def test_gossip_neither_comes_from_nor_goes_to_a_peer_of_bad_score() -> None:
    bed = Bed()
    bed.add_many(20)
    bad = outside(bed, 20)[0]
    bed.say(bad, publish=(Message(T, b"named", authored=True),) * 2)  # -40
    bed.deliver("p0", DATA)
    bed.clear()
    bed.beat(5)
    assert bad not in bed.offered()
    assert bed.ihave(bad, *names(3)) == []
    assert bed.say(bad, iwant=(NAME,)) == []


def test_a_peer_that_comes_back_is_offered_what_it_missed_once() -> None:
    bed = Bed()
    bed.add("a", "b")
    bed.deliver("a", DATA)
    bed.beat(60)
    bed.remove("b")
    bed.clear()
    bed.add("b")
    assert bed.offered() == {"b": [NAME]}
    bed.clear()
    for subscribe in (False, True) * 5:  # asking again by leaving and joining gets nothing
        bed.say("b", subscriptions=(Subscription(T, subscribe),))
    assert bed.offered() == {}


def test_a_long_offer_is_cut_into_rpcs_that_peers_can_read() -> None:
    bed = Bed()
    bed.add("a")
    for n in range(4_000):
        bed.deliver("a", b"%d" % n)
    bed.remove("a")
    bed.clear()
    bed.add("a")
    rpcs = [send.rpc for send in bed.sends()]
    assert len(rpcs) == 3
    assert all(len(encode_rpc(rpc)) <= limits.GOSSIP_RPC for rpc in rpcs)
    assert bed.offered()["a"] == list(reversed(names(4_000)))


def test_a_missed_message_is_repaired() -> None:
    """IHAVE, IWANT, message: between two routers."""
    here, there = Bed(), Bed()
    here.add("there")
    there.add("here")
    here.deliver("x", DATA)
    here.router.originate(DATA, here.now)
    offer = IHave(T, (NAME,))
    (want,) = there.say("here", ihave=(offer,))
    (answer,) = here.served("there", *want.rpc.iwant)
    assert validations(there.message("here", answer)) == [DATA]
