"""Which addresses count as one owner's."""

import pytest

from p2pforum.network.groups import address_group, network_group

PEER = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
ONION = "vww6ybal4bd7szmgncyruucpgfkqahzddi37ktceo3ah7ngmcopnpyyd"


@pytest.mark.parametrize(
    ("address", "group"),
    [
        (f"/ip4/8.8.4.4/tcp/4001/p2p/{PEER}", "8.8.0.0/16"),
        ("/ip4/8.8.200.1/tcp/1", "8.8.0.0/16"),
        ("/ip4/8.9.4.4/tcp/1", "8.9.0.0/16"),
        ("/ip6/2606:4700:1::5/tcp/1", "2606:4700::/32"),
        ("/ip4/127.0.0.1/tcp/1", ""),
        ("/ip4/10.0.0.1/tcp/1", ""),
        ("/ip6/fe80::1/tcp/1", ""),
        ("/dns/example.org/tcp/1", ""),
        (f"/onion3/{ONION}:1234/p2p/{PEER}", "onion3/a"),  # "v" is 21: its first four bits are ten
        (f"/onion3/{ONION[:-1]}e:1234", ""),  # a slip of the pen
        ("/memory/n1/p2p/n1", ""),
        ("", ""),
    ],
)
def test_groups(address: str, group: str) -> None:
    assert network_group(address) == group


@pytest.mark.parametrize(
    ("address", "group"),
    [
        (f"/ip4/8.8.4.4/tcp/4001/p2p/{PEER}", "8.8.4.4"),
        ("/ip6/2600:1f18:1:2:3:4:5:6/tcp/4001", "2600:1f18:1:2::/64"),
        ("/ip4/127.0.0.1/tcp/4001", ""),
        ("/ip4/192.168.1.7/tcp/4001", ""),
        ("/ip6/::1/tcp/1", ""),
        ("/ip6/fe80::1/tcp/1", ""),
        (f"/onion3/{ONION}:1234", ""),
        ("/memory/alice/p2p/alice", ""),
        ("/ip4/nonsense/tcp/1", ""),
        ("/ip4", ""),
        ("", ""),
    ],
)
def test_the_public_address_that_sybils_share(address: str, group: str) -> None:
    assert address_group(address) == group
