"""Which addresses are kept and dialled, whoever tells them."""

from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.errors import NetworkError
from p2pforum.network.ranges import Range, is_polite_port, range_of


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """Besides public ones."""

    private: bool = False  #: of this machine and of private networks, whoever tells them
    lan: bool = False  #: such ones that were found in the local network itself
    onion: bool = False  #: a way to dial onions is there

    def admit(self, text: str, *, is_local: bool = False, is_named: bool = False) -> Address | None:
        """In its one spelling, with a peer ID. `is_local`: found in the local network; `is_named`: by the
        user, or it has answered already."""
        if len(text) > limits.MAX_BOOK_ADDRESS:
            return None
        try:
            address = parse_address(text)
        except NetworkError:
            return None
        allowed = {
            Range.PUBLIC: is_named or is_polite_port(address.port),
            Range.PRIVATE: self.private or (is_local and self.lan),
            Range.NAME: False,  # looked up only as long as the user names it
            Range.ONION: self.onion,
            Range.NOWHERE: False,
        }[range_of(address)]
        return address if allowed and address.peer is not None else None
