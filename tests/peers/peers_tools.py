"""Peer IDs and addresses for tests of the address book."""

from collections.abc import Callable
from random import Random

from p2pforum.core.peer_id import peer_id_of
from p2pforum.network.groups import network_group
from p2pforum.peers.address_policy import AddressPolicy
from p2pforum.peers.book import Book
from p2pforum.peers.buckets import Buckets

HOUR = 480_000  # now
SECRET = bytes(range(32))


def a_peer(number: int) -> str:
    return peer_id_of(number.to_bytes(32, "big"))


def an_address(number: int, host: str | None = None, port: int = 4001) -> str:
    """Without `host`: public, in a /16 of its own for numbers below 10,000."""
    host = host or f"{20 + number // 250}.{number % 250}.1.1"
    return f"/ip4/{host}/tcp/{port}/p2p/{a_peer(number)}"


def a_book(
    seed: int = 1,
    policy: AddressPolicy | None = None,
    *,
    secret: bytes = SECRET,
    number: Callable[[bytes], int] = lambda _record: 0,
) -> Book:
    return Book(secret, Random(seed), policy, mine=a_peer(9_999_999), number=number)


def source(number: int) -> str:
    """The group of somebody who tells addresses."""
    return f"{100 + number // 250}.{number % 250}.0.0/16"


def tried(book: Book, *numbers: int, hour: int = HOUR) -> None:
    """As if the user had named them, and they had answered."""
    for number in numbers:
        book.attempted(an_address(number), True, hour, named=True)


def colliding(first: int = 1) -> tuple[int, int]:
    """Numbers from `first` on of two addresses with the same place among the tried."""
    spots: dict[object, int] = {}
    keyed = Buckets(SECRET)
    for number in range(first, first + 2_000):
        address = an_address(number)
        spot = keyed.spot(True, keyed.tried(network_group(address), address), address)
        if spot in spots:
            return spots[spot], number
        spots[spot] = number
    raise AssertionError("no two")
