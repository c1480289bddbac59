"""What a node says of itself, of a peer and of a sync, for tests that change some of it."""

from typing import Any

from p2pforum.api.answers import NodeStatus, PeerStatus, SyncSums


def a_status(**changes: Any) -> NodeStatus:
    """Of a node on its own. A change that is a dict changes some keys of a part."""
    status: Any = {
        "version": "0.1.0",
        "network": "test",
        "peer_id": "12D3KooWself",
        "addresses": [],
        "announced": [],
        "proxy": None,
        "peers": 0,
        "uptime": 1,
        "trouble": None,
        "gossip": {"peers": 0},
        "stem": {"own": 0, "relayed": 0, "guards": 1, "guards_connected": 0, "counts": {"sent": 0}},
        "book": {"new": 0, "tried": 0, "outbound": 0, "wanted": 8},
        "exchange": None,
        "lan": None,
        "clock": {"peers_ahead": None, "confirmed": True, "problem": None},
    }
    for name, value in changes.items():
        status[name] = {**(status[name] or {}), **value} if isinstance(value, dict) else value
    return status


def a_peer(**changes: Any) -> PeerStatus:
    peer: Any = {
        "peer": None,
        "direction": "outbound",
        "address": "",
        "stage": "connected",
        "named": False,
        "error": None,
        "gossip": None,
    }
    return {**peer, **changes}


def sums(**changes: int) -> SyncSums:
    none: Any = {"peers": 1, "wanted": 0, "got": 0, "new": 0, "sent": 0, "bytes": 0}
    return {**none, **changes}
