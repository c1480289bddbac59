"""Which addresses count as one owner's."""

import pytest

from p2pforum.network.groups import network_group

PEER = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"


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
        ("/memory/n1/p2p/n1", ""),
        ("", ""),
    ],
)
def test_groups(address: str, group: str) -> None:
    assert network_group(address) == group
