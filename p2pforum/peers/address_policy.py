"""Which addresses the node keeps and dials. The rules are the same for every peer that tells an address."""

from dataclasses import dataclass

from p2pforum.core import limits
from p2pforum.core.address import Address, parse_address
from p2pforum.core.errors import NetworkError
from p2pforum.network.ranges import Range, is_polite_port, range_of


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What is allowed besides public addresses."""

    private: bool = False  #: addresses of this machine and of private networks, from any teller
    lan: bool = False  #: private addresses that the node found in the local network itself
    onion: bool = False  #: onion services, because there is a proxy to dial them

    def admit(self, text: str, *, is_local: bool = False, is_named: bool = False) -> Address | None:
        """The parsed address, with a peer ID; None if it is not allowed.

        `is_local`: found in the local network. `is_named`: the user named it, or it has answered already.
        """
        if len(text) > limits.MAX_BOOK_ADDRESS:
            return None
        try:
            address = parse_address(text)
        except NetworkError:
            return None
        allowed = {
            Range.PUBLIC: is_named or is_polite_port(address.port),
            Range.PRIVATE: self.private or (is_local and self.lan),
            Range.NAME: False,  # a domain name is looked up only while the user names it
            Range.ONION: self.onion,
            Range.NOWHERE: False,
        }[range_of(address)]
        return address if allowed and address.peer is not None else None
