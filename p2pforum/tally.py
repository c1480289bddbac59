"""Sums over the sync sessions that a front end asked for, and how each ended.

It names peers and counts posts. It never names a post.
"""

from p2pforum.api.answers import SyncedPeer, SyncResult, SyncSums
from p2pforum.api.backend import SyncProgress
from p2pforum.sync.budget import Report
from p2pforum.sync.wire.payloads import Code


class Tally:
    """The sessions of one request, with one peer after another."""

    def __init__(self, peers: int, progress: SyncProgress) -> None:
        self._progress = progress
        # Of the sessions that have ended, and with the one that goes on.
        self._before: SyncSums = {"peers": peers, "wanted": 0, "got": 0, "new": 0, "sent": 0, "bytes": 0}
        self._now = self._before
        self._sessions: list[SyncedPeer] = []

    def show(self, so_far: Report) -> None:
        """Report the sums with this running session's counts in them."""
        self._now = _plus(self._before, so_far)
        self._progress(self._now)

    def end(self, session: SyncedPeer) -> None:
        """Note how the session with one peer ended."""
        self._before = self._now
        self._sessions.append(session)

    def result(self) -> SyncResult:
        """Sums over all sessions, and a row for each."""
        done = sum(session["outcome"] == Code.DONE.name.lower() for session in self._sessions)
        return {**self._before, "done": done, "sessions": self._sessions}


def _plus(sums: SyncSums, report: Report) -> SyncSums:
    """With the part of a report that adds up over peers, in the API's words."""
    return {
        "peers": sums["peers"],
        "wanted": sums["wanted"] + report.wanted,
        "got": sums["got"] + report.received,
        "new": sums["new"] + report.new,
        "sent": sums["sent"] + report.sent,
        "bytes": sums["bytes"] + report.bytes_in + report.bytes_out,
    }
