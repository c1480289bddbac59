"""The score of each peer, as in gossipsub v1.1. This node keeps it and shows it to no peer.

Counters decay at intervals; a score is computed when it is asked for after a change. A bad record outlives
its connection, and so does a ban. A good one does not; otherwise an attacker could earn one and misuse it
later. New peer IDs cost nothing, so scores make misbehaviour expensive but can't prevent it.
"""

from dataclasses import dataclass

from p2pforum.core.bounded import BoundedDict
from p2pforum.gossip.params import ScoreParams


@dataclass(slots=True)
class PeerScore:
    """One peer. `left` is the time when its last connection ended."""

    first: float = 0.0  # P2
    delivered: float = 0.0  # P3: first or soon after, while in the mesh
    failures: float = 0.0  # P3b
    since: float | None = None  # when it was grafted
    invalid: float = 0.0  # P4
    behaviour: float = 0.0  # P7
    group: str = ""
    left: float | None = None
    banned_until: float = 0.0
    score: float = 0.0
    faults: float = 0.0  # the score without P3 and P3b
    is_stale: bool = False  # whether the score must be computed anew


class PeerScores:
    """All records. `group` of a peer is its public address, which an attacker's peers would share; "" if
    none."""

    def __init__(self, params: ScoreParams, remembered: int) -> None:
        self.params = params
        self._here: dict[str, PeerScore] = {}
        self._left = BoundedDict[str, PeerScore](remembered)
        self._groups: dict[str, set[str]] = {}
        self._expected = 0.0  # messages that came while the mesh was crowded
        self._decayed_at = 0.0

    def __len__(self) -> int:
        return len(self._here) + len(self._left)

    # -- coming and going ------------------------------------------------------------------------------

    def join(self, peer: str, group: str, now: float) -> None:
        """The peer is here, or has another public address than before."""
        if (here := self._here.get(peer)) is not None:
            self._leave_group(peer, here)
        record = here or self._left.pop(peer, None) or PeerScore()
        record.left = None
        record.group = group
        self._here[peer] = record
        if group:
            self._groups.setdefault(group, set()).add(peer)
        self._refresh_group(group)
        self._refresh(record, now)

    def leave(self, peer: str, now: float) -> None:
        """The peer is gone. Its record is kept only if its score is below zero or it is banned."""
        record = self._here.pop(peer, None)
        if record is None:
            return
        self._end_of_mesh(record, now)
        self._leave_group(peer, record)
        self._work_out(record, now)
        if record.score < 0 or record.banned_until > now:
            self._remember(peer, record, now)

    def _remember(self, peer: str, record: PeerScore, now: float) -> None:
        record.left = now
        self._left[peer] = record

    def _leave_group(self, peer: str, record: PeerScore) -> None:
        members = self._groups.get(record.group)
        if members is not None:
            members.discard(peer)
            self._refresh_group(record.group)
            if not members:
                del self._groups[record.group]

    def _refresh_group(self, group: str) -> None:
        for peer in self._groups.get(group, ()):
            self._here[peer].is_stale = True

    # -- what peers do ---------------------------------------------------------------------------------

    def grafted(self, peer: str, now: float) -> None:
        record = self._here.get(peer)
        if record is not None and record.since is None:
            record.since = now
            record.delivered = max(record.delivered, self._expectation)  # it need not have delivered before

    def pruned(self, peer: str, now: float) -> None:
        record = self._here.get(peer)
        if record is not None:
            self._end_of_mesh(record, now)

    def _end_of_mesh(self, record: PeerScore, now: float) -> None:
        record.failures += self._deficit(record, now) ** 2
        record.since = None
        record.is_stale = True

    def accepted(self, *, crowded: bool) -> None:
        """A valid message came in. `crowded`: the mesh could do with fewer peers."""
        if crowded:
            most = self.params.delivery_cap / self.params.delivery_share
            self._expected = min(self._expected + 1.0, most)

    def first_delivery(self, peer: str) -> None:
        record = self._here.get(peer)
        if record is not None:
            record.first = min(record.first + 1.0, self.params.first_cap)
            record.is_stale = True
        self.delivery(peer)

    def delivery(self, peer: str) -> None:
        """The peer brought the first copy of a valid message, or one close behind it. Counts only in the
        mesh."""
        record = self._here.get(peer)
        if record is not None and record.since is not None:
            record.delivered = min(record.delivered + 1.0, 2 * self.params.delivery_cap)
            record.is_stale = True

    def invalid(self, peer: str, now: float) -> None:
        """The peer sent a message that breaks a rule for all nodes. Counts also for a peer that has just
        left."""
        record = self._record(peer, now)
        record.invalid += 1.0
        record.is_stale = True

    def misbehaved(self, peer: str, now: float, amount: float = 1.0) -> None:
        record = self._record(peer, now)
        record.behaviour += amount
        record.is_stale = True

    def ban(self, peer: str, now: float) -> None:
        self._record(peer, now).banned_until = now + self.params.ban

    def is_banned(self, peer: str, now: float) -> bool:
        record = self._here.get(peer) or self._left.get(peer)
        return record is not None and record.banned_until > now

    def _record(self, peer: str, now: float) -> PeerScore:
        record = self._here.get(peer) or self._left.get(peer)
        if record is None:
            record = PeerScore()
            self._remember(peer, record, now)
        return record

    # -- the score -------------------------------------------------------------------------------------

    def score(self, peer: str, now: float) -> float:
        record = self._here.get(peer) or self._left.get(peer)
        if record is None:
            return 0.0
        self._refresh(record, now)
        return record.score

    def standing(self, peer: str, now: float) -> tuple[float, float]:
        """A peer's score, and how many new messages it brought first of late."""
        record = self._here.get(peer) or PeerScore()
        return self.score(peer, now), record.first

    def negatives(self, now: float) -> set[str]:
        """Connected peers with a score below zero."""
        return {peer for peer in self._here if self.score(peer, now) < 0}

    def is_only_slow(self, peer: str, now: float) -> bool:
        """Whether only P3 speaks against this peer."""
        record = self._here.get(peer) or PeerScore()
        self._refresh(record, now)
        return record.faults >= 0

    def _refresh(self, record: PeerScore, now: float) -> None:
        if record.is_stale:
            self._work_out(record, now)

    def _work_out(self, record: PeerScore, now: float) -> None:
        p = self.params
        merit = p.first_weight * record.first
        penalty = p.failure_weight * record.failures
        if record.since is not None:  # a shortcut: most are not in the mesh, and each message computes this
            merit += p.time_weight * min((now - record.since) / p.time_quantum, p.time_cap)
            penalty += p.delivery_weight * self._deficit(record, now) ** 2
        excess = max(0.0, record.behaviour - p.behaviour_threshold)
        record.faults = (
            merit
            + p.invalid_weight * record.invalid**2
            + self._colocation(record)
            + p.behaviour_weight * excess**2
        )
        record.score = record.faults + max(penalty, p.delivery_floor)
        record.is_stale = False

    @property
    def _expectation(self) -> float:
        return self.params.delivery_share * self._expected

    def _deficit(self, record: PeerScore, now: float) -> float:
        if record.since is None or now - record.since < self.params.delivery_activation:
            return 0.0
        return max(0.0, self._expectation - record.delivered)

    def _colocation(self, record: PeerScore) -> float:
        surplus = len(self._groups.get(record.group, ())) - self.params.colocation_threshold
        if surplus <= 0:
            return 0.0
        return max(self.params.colocation_weight * surplus**2, self.params.colocation_floor)

    # -- forgetting ------------------------------------------------------------------------------------

    def decay(self, now: float) -> None:
        """Call it often; it acts once in each interval."""
        p = self.params
        if now - self._decayed_at < p.decay_interval:
            return
        self._decayed_at = now
        self._expected = self._faded(self._expected, p.delivery_decay)
        for records in (self._here, self._left):
            for record in records.values():
                self._decay_record(record)
        for peer, record in list(self._left.items()):
            if now - (record.left or 0.0) > p.retain and record.banned_until <= now:
                del self._left[peer]

    def _decay_record(self, record: PeerScore) -> None:
        p = self.params
        record.first = self._faded(record.first, p.first_decay)
        record.delivered = self._faded(record.delivered, p.delivery_decay)
        record.failures = self._faded(record.failures, p.failure_decay)
        record.invalid = self._faded(record.invalid, p.invalid_decay)
        record.behaviour = self._faded(record.behaviour, p.behaviour_decay)
        record.is_stale = True

    def _faded(self, value: float, factor: float) -> float:
        value *= factor
        return value if value >= self.params.decay_to_zero else 0.0
