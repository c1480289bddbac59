"""Connected peers as the stem sees them: which side dialled, which take frames, and how many each may
send."""

from dataclasses import dataclass

from p2pforum.core.bounded import TokenBucket
from p2pforum.stem.params import StemParams
from p2pforum.stem.token_buckets import TokenBuckets


@dataclass(eq=False, slots=True)
class Contact:
    """One connection. `group` is the network group of its address, empty for none."""

    outbound: bool
    group: str
    inbound: TokenBucket
    onward: TokenBucket
    answers: bool = False  # it took a frame
    failed: bool = False  # it did not take the last frame


class Contacts:
    def __init__(self, params: StemParams) -> None:
        self._params = p = params
        self._here: dict[str, Contact] = {}
        rate, burst, memory = p.frames_per_minute, p.frames_burst, p.frames_remembered
        self._inbound = TokenBuckets(rate, burst, memory)
        self._onward = TokenBuckets(rate * p.own_share, burst * p.own_share, memory)
        self._newcomers = TokenBuckets(rate * p.frames_newcomers, burst * p.frames_newcomers, memory)

    def __contains__(self, peer: object) -> bool:
        return peer in self._here

    def add(self, peer: str, now: float, *, outbound: bool, group: str) -> None:
        first = None
        if not outbound and peer not in self._inbound:
            first = self._newcomers.of(group, now).take(self._params.frames_burst, now)
        inbound, onward = self._inbound.of(peer, now, first), self._onward.of(peer, now)
        self._here[peer] = Contact(outbound, group, inbound, onward)

    def remove(self, peer: str) -> None:
        self._here.pop(peer, None)

    def get(self, peer: str) -> Contact | None:
        return self._here.get(peer)

    def __getitem__(self, peer: str) -> Contact:
        return self._here[peer]

    def note(self, peer: str, *, answers: bool) -> bool:
        """The peer took a frame, or did not. False if it is gone."""
        contact = self._here.get(peer)
        if contact is not None:
            contact.answers, contact.failed = answers, not answers
        return contact is not None

    def may_send(self, peer: str, now: float) -> bool:
        """A frame of this peer has come; False if it sends too many. Invalid frames count too."""
        contact = self._here.get(peer)
        return contact is not None and contact.inbound.take_one(now) == 0.0

    def candidates(self) -> dict[str, str]:
        """Possible relays, with their groups. Only peers that this node dialled, so that an attacker can't
        choose to be a relay by dialling in."""
        return {name: c.group for name, c in self._here.items() if c.outbound and c.answers}

    def there(self) -> list[str]:
        """Peers that may take frames, whichever side dialled: for guards, which were chosen before."""
        return [name for name, contact in self._here.items() if not contact.failed]

    @property
    def outbound(self) -> bool:
        """Whether there is a peer that this node dialled."""
        return any(contact.outbound for contact in self._here.values())
