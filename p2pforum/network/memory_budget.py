"""How much all peers together make this node keep: one budget, besides the bounds of each connection.

The bounds of single connections add up to more than a machine has. So everything that a peer can make grow is
counted here. When the budget is spent, the peer that holds most is disconnected. Strangers who dialled in go
before peers that this node dialled. Among the strangers, one that holds less than an even share of their sum
is never chosen. No I/O.
"""

from collections import Counter
from collections.abc import Callable

from p2pforum.network.interface import Account, PeerID


class _Account(Account):
    def __init__(self, budget: "MemoryBudget", peer: PeerID) -> None:
        self.peer = peer
        self.held = 0
        self._budget = budget

    def set(self, held: int) -> None:
        self._budget.change(self, held)

    def close(self) -> None:
        self._budget.close(self)


class MemoryBudget:
    """`size` in bytes. `cut` ends all connections of a peer, and frees what they hold."""

    def __init__(
        self, size: int, cut: Callable[[PeerID], None], is_stranger: Callable[[PeerID], bool]
    ) -> None:
        self.size = size
        self.held = 0
        self._cut = cut
        self._is_stranger = is_stranger
        self._accounts: set[_Account] = set()

    def open(self, peer: PeerID) -> Account:
        account = _Account(self, peer)
        self._accounts.add(account)
        return account

    def change(self, account: _Account, held: int) -> None:
        """An account now holds so many bytes. If the account was closed, as by a cut, this does nothing."""
        if account in self._accounts:
            self.held += held - account.held
            account.held = held
            while self.held > self.size:
                self._part_with_largest()

    @property
    def is_tight(self) -> bool:
        """Whether three quarters are spent, so that a new peer would displace another."""
        return 4 * self.held > 3 * self.size

    def close(self, account: _Account) -> None:
        if account in self._accounts:
            self._accounts.remove(account)
            self.held -= account.held

    def holders(self) -> Counter[PeerID]:
        """Bytes held by each peer."""
        held: Counter[PeerID] = Counter()
        for account in self._accounts:
            held[account.peer] += account.held
        return held

    def _part_with_largest(self) -> None:
        held = self.holders()
        peer = max(held, key=lambda p: (self._is_stranger(p) and held[p] > 0, held[p]))
        for account in [a for a in self._accounts if a.peer == peer]:
            self.close(account)
        self._cut(peer)
