"""What peers fill and all of them share: shares that fit, or whoever holds most loses, or entries that cost.

Each row of the table in docs/ARCHITECTURE.md that can be derived is derived here.
"""

import dataclasses
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from strategies import HOUR, TEST_NETWORK, a_post

from p2pforum.core import limits
from p2pforum.gossip.params import GossipParams
from p2pforum.gossip.validation_queue import MOST_JUDGED
from p2pforum.stem.params import StemParams

DOCUMENT = (Path(__file__).parent.parent / "docs" / "ARCHITECTURE.md").read_text()
SECTION = DOCUMENT.partition("## Shared tables")[2].partition("\n## ")[0]
GOSSIP, STEM = GossipParams(), StemParams()
KINDS = {"shares", "largest first", "paid", "own"}


def rows() -> dict[str, list[str]]:
    found = [[cell.strip() for cell in line.split("|")[1:-1]] for line in SECTION.splitlines()]
    return {cells[0]: cells[1:] for cells in found if len(cells) == 3 and cells[0] not in ("table", "---")}


def size(count: float) -> str:
    """Bytes, as the table says them."""
    for unit, name in ((limits.KIB**2, "MiB"), (limits.KIB, "KiB")):
        if count >= unit:
            return f"{count / unit:,g} {name}" if count / unit < 10_000 else f"{count / unit:,.0f} {name}"
    return f"{count:,}"


def number(count: float) -> str:
    return f"{count:,g}" if count < 1_000_000 else f"{count:,.0f}"


PEERS = limits.MAX_CONNECTIONS
HALF_READ = limits.MAX_RPC + limits.GOSSIP_READ
PROMISES = int(GOSSIP.ihave_per_beat * GOSSIP.promise)
SESSIONS = limits.MAX_SYNC_INBOUND + limits.MAX_SYNC_OUTBOUND

DERIVED = {
    "gossip: posts that wait for the door": [size(MOST_JUDGED), size(MOST_JUDGED * PEERS)],
    "gossip: RPCs half read": [size(HALF_READ), size(HALF_READ * PEERS)],
    "gossip: posts at the door": [number(limits.GOSSIP_BATCH)],
    "gossip: IDs offered and not come": [number(GOSSIP.pending_asks), number(GOSSIP.pending_asks * PEERS)],
    "gossip: promises": [number(PROMISES), number(PROMISES * PEERS)],
    "gossip: seen, early": [number(GOSSIP.seen_count)],
    "gossip: seen to be invalid": [number(GOSSIP.bad_count), number(limits.GOSSIP_BATCH)],
    "gossip: messages kept to be served": [number(GOSSIP.history_count), size(GOSSIP.history_bytes)],
    "gossip: what waits to be sent": [
        size(limits.OUTBOX_BYTES),
        number(limits.OUTBOX_CONTROL),
        size(limits.OUTBOX_BYTES * PEERS),
    ],
    "gossip: IDs asked for, not yet sent": [
        number(limits.OUTBOX_ASKED),
        number(limits.OUTBOX_ASKED * PEERS),
    ],
    "gossip: messages served, to count": [
        number(GOSSIP.serve_remembered),
        number(GOSSIP.serve_remembered * PEERS),
    ],
    "gossip: records of peers that left, backoffs": [number(GOSSIP.remembered)],
    "stem: posts at the door": [number(limits.STEM_JUDGED), number(limits.STEM_JUDGED * PEERS)],
    "stem: own posts on their way": [number(STEM.pool_posts), size(STEM.pool_bytes)],
    "stem: others' posts on their way": [number(STEM.pool_posts), size(STEM.pool_bytes)],
    "stem: token buckets": [number(STEM.frames_remembered)],
    "sync: claims": [number(limits.MAX_WANTS), number(limits.MAX_WANTS * SESSIONS)],
    "sync: posts at the door": [number(limits.SYNC_AT_DOOR)],
    "sync: costs remembered": [number(limits.MAX_SYNC_REMEMBERED)],
    "bans": [number(limits.BANS_REMEMBERED)],
    "exchange: asks counted": [number(limits.PEERS_REMEMBERED)],
    "exchange: records of who dialled in": [number(limits.PEERS_INBOUND_RECORDS)],
    "local network: names heard of": [
        number(limits.LAN_NAMES),
        number(limits.LAN_NAMES * limits.LAN_MACHINES),
        number(limits.LAN_MACHINES),
    ],
    "addresses left alone after a failure": [number(limits.MAX_WAITS)],
    "connections": [number(PEERS), number(limits.MAX_INBOUND_PER_ADDRESS)],
    "connections that have not said who they are": [
        number(limits.MAX_PENDING_INBOUND),
        number(limits.MAX_PENDING_PER_ADDRESS),
    ],
    "sync: sessions that peers opened": [number(limits.MAX_SYNC_INBOUND)],
    "sync: sessions that we opened": [number(limits.MAX_SYNC_OUTBOUND)],
    "bytes that connections make the node keep": [size(limits.STREAM_BUFFER)],
    "API: IDs of new posts that a front end has not taken yet": [
        number(limits.API_NEW_IDS),
        number(limits.API_NEW_IDS * limits.MAX_API_CONNECTIONS),
    ],
    "API: connections": [number(limits.MAX_API_CONNECTIONS)],
}


def test_each_table_is_of_a_kind_that_costs_no_honest_peer() -> None:
    assert rows()
    assert {cells[0] for cells in rows().values()} <= KINDS


def test_below_it_stands_for_each_table_who_fills_it_and_what_is_dropped() -> None:
    assert re.findall(r"^\* \*\*(.+)\.\*\*", SECTION, re.MULTILINE) == list(rows())


@pytest.mark.parametrize("name", DERIVED)
def test_the_figures_are_those_of_the_program(name: str) -> None:
    bound = rows()[name][1]
    for figure in DERIVED[name]:
        assert re.search(rf"(?<![\d,.]){re.escape(figure)}(?![\d,.]\d)", bound), (figure, bound)


@dataclasses.dataclass(frozen=True)
class Share:
    """A table with room for `most`, of which each peer may take `each`."""

    each: float
    most: float

    def fits(self) -> bool:
        return self.each * limits.MAX_CONNECTIONS <= self.most


def test_a_peer_may_ask_for_all_that_is_kept_at_once() -> None:
    assert GOSSIP.history_count <= limits.OUTBOX_ASKED


SMALLEST = len(a_post("", subject="", hour=HOUR, params=TEST_NETWORK).raw)


def waiting() -> Share:
    """In bytes. What the tables of this program hold is what peers put there: there is no other bound."""
    return Share(MOST_JUDGED, 128 * limits.KIB**2)


def asked() -> Share:
    return Share(GOSSIP.pending_asks, 32_768)


def at_the_stems_door() -> Share:
    """In bytes, of the largest posts."""
    return Share(limits.STEM_JUDGED * limits.MAX_POST, 64 * limits.KIB**2)


def test_all_names_of_a_local_network_are_looked_at_within_their_hour() -> None:
    seconds = limits.LAN_NAMES * limits.LAN_MACHINES * limits.LAN_ANSWER_MS / 1_000
    assert seconds <= limits.LAN_NAMES_SECONDS


@pytest.mark.parametrize("share", [waiting, asked, at_the_stems_door])
def test_shares_of_all_peers_fit(share: Callable[[], Share]) -> None:
    assert share().fits()


@pytest.mark.parametrize(
    "share",
    [
        Share(2 * 64 * limits.KIB / SMALLEST, 4_096),  # a queue and a chunk of small posts; judged at once
        Share(160 * 5, 4_096),  # asked for in the seconds of a promise; of all
        Share(20, 32),  # stem frames at once; at the door
        Share(20, 192),  # the same; in the stempool
    ],
)
def test_control_the_tables_that_were_shared_by_all_do_not_hold_them(share: Share) -> None:
    """The numbers before there were shares."""
    assert not share.fits()
