"""Records that peers told of themselves when they dialled in: they are there, and want to be known.

The book tells what this node has reached, and it does not dial who is connected already. Without these a
node that announces itself would be told by none of its neighbours.
"""

from p2pforum.core import limits


class Spoken:
    """One for each part of the internet that it came from: names cost nothing. Forgotten in a day."""

    def __init__(self) -> None:
        self._records: dict[str, tuple[bytes, float]] = {}  # the last heard last

    def note(self, record: bytes, peer: str, group: str, now: float) -> None:
        """`group`: the network group it came from; "" in the local network, where all count."""
        self._records.pop(group or peer, None)
        self._records[group or peer] = (record, now)
        if len(self._records) > limits.PEERS_SPOKEN:
            del self._records[next(iter(self._records))]

    def records(self, now: float) -> list[bytes]:
        since = now - limits.PEERS_SPOKEN_SECONDS
        return [record for record, heard in self._records.values() if heard >= since]
