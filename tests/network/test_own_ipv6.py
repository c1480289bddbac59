"""Of the addresses that the kernel lists, which one is told to others."""

import ipaddress
from pathlib import Path

import pytest

from p2pforum.network.own_ipv6 import network_of, public_ipv6, read_interfaces

LASTING, TEMPORARY, DEPRECATED, TENTATIVE, FAILED = 0x80, 0x01, 0x20, 0x40, 0x08
ONE, TWO = "2a02:1:2:3:a1b2:c3d4:e5f6:789", "2a02:1:2:3:1111:2222:3333:4444"


def listed(*addresses: tuple[str, int]) -> str:
    """As /proc/net/if_inet6 has them."""
    return "".join(
        f"{ipaddress.IPv6Address(text).packed.hex()} 02 40 00 {flags:02x}     eth0\n"
        for text, flags in addresses
    )


def test_a_public_address_is_found_among_others() -> None:
    others = [("fe80::1", LASTING), ("::1", LASTING), ("fd00::2", LASTING), ("2001:db8::1", LASTING)]
    assert public_ipv6(listed(*others, (ONE, LASTING))) == ONE
    assert public_ipv6(listed(*others)) is None
    assert public_ipv6("") is None


def test_a_lasting_address_comes_before_a_temporary_one() -> None:
    assert public_ipv6(listed((TWO, TEMPORARY), (ONE, LASTING))) == ONE
    assert public_ipv6(listed((TWO, TEMPORARY))) == TWO


@pytest.mark.parametrize("flag", [DEPRECATED, TENTATIVE, FAILED])
def test_an_address_that_is_not_good_now_is_not_told(flag: int) -> None:
    assert public_ipv6(listed((ONE, LASTING | flag))) is None
    assert public_ipv6(listed((ONE, LASTING | flag), (TWO, TEMPORARY))) == TWO


def test_an_address_that_holds_the_number_of_the_network_card_is_never_told() -> None:
    card = "2a02:1:2:3:211:22ff:fe33:4455"
    assert public_ipv6(listed((card, LASTING))) is None
    assert public_ipv6(listed((card, LASTING), (TWO, TEMPORARY))) == TWO


@pytest.mark.parametrize("inside", ["2002:0808:0808::1", "2001:0:1::1", "64:ff9b::808:808"])
def test_an_address_with_an_ipv4_address_inside_is_not_told(inside: str) -> None:
    assert public_ipv6(listed((inside, LASTING))) is None


def test_lines_of_another_shape_are_passed_over(tmp_path: Path) -> None:
    assert public_ipv6("nonsense\n\n" + listed((ONE, LASTING))) == ONE
    assert read_interfaces(tmp_path / "missing") == ""


def test_the_place_is_the_network_and_not_the_machine() -> None:
    assert network_of(ONE) == network_of(TWO) == "2a02:1:2:3::/64"
    assert network_of("2a02:1:2:4::1") == "2a02:1:2:4::/64"
