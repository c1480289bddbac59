"""What is on its way through a node: how much, and what goes when others bring too much."""

import pytest
from stem_bench import RELAYING, Bench, fluffs

from p2pforum.stem.params import StemParams
from p2pforum.stem.pool import Pool, StemPost


def test_the_pool_is_bounded_and_others_can_not_fill_it() -> None:
    bench = Bench(params=RELAYING)
    for n in range(300):
        bench.bring("in0", n)
    assert bench.router.relayed == 256
    for n in range(1000, 1256):
        bench.own(n)
    assert not bench.router.originate(b"x" * 32, b"raw", bench.now)
    big = Bench(params=RELAYING)
    for n in range(100):
        big.bring("in0", n, size=16_000)
    assert big.router.relayed == 65  # a MiB
    assert big.router.originate(b"x" * 32, bytes(16_000), big.now)


@pytest.mark.parametrize(("size", "fits"), [(100, 256), (12_000, 87)])
def test_a_crowd_costs_no_other_peer_its_stem_and_nobody_a_post(size: int, fits: int) -> None:
    """What is too much becomes public at once, and it is what those brought who brought most."""
    bench = Bench(params=RELAYING, inbound=40)
    bench.bring("in0", 9_000, 12_000)
    for n in range(500):
        bench.bring(f"in{1 + n % 20}", n, size)
    out = fluffs(bench.run(0))
    assert bench.router.relayed in (fits, fits + 1)
    assert len(out) + bench.router.relayed == 501
    assert bench.router.holds((9_000).to_bytes(32, "big"))
    assert len({fluff.post_id for fluff in out}) == len(out)


@pytest.mark.parametrize("name", ["0", "z"])
def test_of_a_crowd_that_brings_one_post_each_the_oldest_goes_whatever_their_names(name: str) -> None:
    """A peer's post stays while 255 others come behind it: for seconds at any rate that stamps allow."""
    pool = Pool(StemParams())

    def bring(holder: str, n: int) -> list[int]:
        pool.add(StemPost(n.to_bytes(32, "big"), bytes(100), own=False, holder=holder))
        return [int.from_bytes(post.post_id, "big") for post in pool.crowd_out()]

    for n in range(255):
        assert bring(f"crowd {n}", n) == []
    assert bring(name, 1_000) == []
    assert [bring(f"crowd {n}", n) for n in range(255, 510)] == [[n] for n in range(255)]
    assert bring("crowd 510", 510) == [1_000]


def test_what_is_crowded_out_is_still_on_its_way_until_it_is_public() -> None:
    """Else it would be taken for an own post that waits."""
    bench = Bench(params=StemParams(diffuser=0.0, pool_posts=1))
    bench.bring("in0", 1)
    bench.bring("in0", 2)
    names = [n.to_bytes(32, "big") for n in (1, 2)]
    assert all(map(bench.router.holds, names))
    assert [fluff.post_id for fluff in fluffs(bench.run(0))] == names[:1]
    assert not bench.router.holds(names[0])
