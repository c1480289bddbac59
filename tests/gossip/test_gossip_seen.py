"""The caches keep what is young, and never more than they may."""

from hypothesis import given
from hypothesis import strategies as st

from p2pforum.gossip.seen import MessageCache, SeenCache, message_id
from p2pforum.gossip.wire.rpc import Message


def a_message(n: int, size: int = 10) -> tuple[bytes, Message]:
    data = n.to_bytes(4, "big") + bytes(size)
    return message_id(data), Message("t", data)


def test_an_id_is_forgotten_after_its_time() -> None:
    seen = SeenCache(ttl=10, size=100)
    seen.add(b"a", 0)
    assert seen.has(b"a", 9.9)
    assert not seen.has(b"a", 10)
    assert not seen.has(b"b", 0)
    seen.expire(10)
    assert len(seen) == 0


def test_a_second_meeting_renews_it_and_keeps_the_order_of_expiry() -> None:
    seen = SeenCache(ttl=10, size=100)
    seen.add(b"a", 0)
    seen.add(b"b", 1)
    seen.add(b"a", 5)
    seen.expire(12)
    assert seen.has(b"a", 12)
    assert not seen.has(b"b", 12)


@given(st.lists(st.integers(0, 50)), st.integers(1, 10))
def test_seen_never_holds_more_than_it_may(numbers: list[int], size: int) -> None:
    seen = SeenCache(ttl=100, size=size)
    for now, n in enumerate(numbers):
        seen.add(bytes((n,)), now)
        assert len(seen) <= size
        assert seen.has(bytes((n,)), now)


def test_messages_are_offered_for_some_beats_and_kept_for_more() -> None:
    cache = MessageCache(history=5, gossip=3, max_count=100, max_bytes=10_000)
    name, message = a_message(1)
    cache.put(name, message, now=0)
    offered = kept = 0
    for _ in range(10):
        offered += cache.fresh() == [name]
        kept += cache.get(name) == message
        assert (name in cache) == bool(cache.ids())
        cache.shift()
    assert (offered, kept) == (3, 5)
    assert cache.size == 0


def test_offers_are_newest_first() -> None:
    cache = MessageCache(5, 3, 100, 10_000)
    names = []
    for n in range(3):
        name, message = a_message(n)
        cache.put(name, message, now=n)
        names.append(name)
    assert cache.fresh() == cache.ids() == names[::-1]
    assert cache.age(names[1], 5) == 4
    assert cache.age(b"other", 5) is None


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 300), st.booleans())))
def test_the_cache_never_holds_more_than_it_may(steps: list[tuple[int, int, bool]]) -> None:
    cache = MessageCache(4, 2, max_count=10, max_bytes=1_000)
    for n, size, beat in steps:
        name, message = a_message(n, size=size)
        cache.put(name, message, now=0)
        assert len(cache) <= 10
        assert cache.size <= 1_000
        assert cache.size == sum(len(cache.get(i).data) for i in cache.ids())
        if beat:
            cache.shift()


def test_the_id_is_the_hash_of_the_data_alone() -> None:
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, "abc"
    assert message_id(b"abc").hex() == expected
