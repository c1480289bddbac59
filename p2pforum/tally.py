"""Sums over the sync sessions that a front end asked for, and how each ended.

It names peers and counts posts. It never names a post.
"""

from collections import Counter
from typing import Any

from p2pforum.api.backend import SyncProgress
from p2pforum.network.interface import PeerID
from p2pforum.sync.budget import Report
from p2pforum.sync.wire.payloads import Code


class Tally:
    """The sessions of one request, with one peer after another."""

    def __init__(self, peers: int, progress: SyncProgress) -> None:
        self._peers = peers
        self._progress = progress
        self._before = _sums(Report())  # of the sessions that have ended
        self._now = self._before.copy()
        self._sessions: list[dict[str, Any]] = []

    def show(self, so_far: Report) -> None:
        """Report the sums with this running session's counts in them."""
        self._now = self._before.copy()
        self._now.update(_sums(so_far))
        self._progress({"peers": self._peers, **self._now})

    def end(self, peer: PeerID, outcome: str, **more: object) -> None:
        """Note how the session with this peer ended (`outcome`), and more fields of its row."""
        self._before = self._now
        self._sessions.append({"peer": peer, "outcome": outcome, **more})

    def result(self) -> dict[str, Any]:
        """Sums over all sessions ("peers", "done", "wanted", "got", "new", "sent", "bytes") and "sessions", a
        row each."""
        done = sum(session["outcome"] == Code.DONE.name.lower() for session in self._sessions)
        return {"peers": self._peers, "done": done, **self._before, "sessions": self._sessions}


def _sums(report: Report) -> Counter[str]:
    """The part of a report that adds up over peers, in the API's words."""
    size = report.bytes_in + report.bytes_out
    return Counter(wanted=report.wanted, got=report.received, new=report.new, sent=report.sent, bytes=size)
