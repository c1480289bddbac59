"""The table "What a breach costs" of docs/PROTOCOL.md against the numbers of the code."""

from pathlib import Path

import pytest

from p2pforum.core import limits
from p2pforum.gossip.params import GossipParams, ScoreParams
from p2pforum.gossip.score import PeerScores
from p2pforum.stem.params import StemParams

_TEXT = (Path(__file__).parents[1] / "docs" / "PROTOCOL.md").read_text()
_SECTION = _TEXT.partition("\n### What a breach costs\n")[2].partition("\n## ")[0]
COSTS = " ".join(_SECTION.split()).replace("\u2212", "-")
GOSSIP, SCORE, STEM = GossipParams(), ScoreParams(), StemParams()
MIB = limits.KIB * limits.KIB

NUMBERS = {
    "bans": f"the newest {limits.BANS_REMEMBERED:,} bans",
    "invalid again": f"the same bytes again within {GOSSIP.seen_time:.0f} s",
    "promise": f"within {GOSSIP.promise:.0f} s of being asked for",
    "flood": f"within {GOSSIP.graft_flood:.0f} s of the PRUNE",
    "control": f"the {GOSSIP.control_per_beat + 1}th RPC with control",
    "IHAVE": f"the {GOSSIP.ihave_burst + 1}th with IHAVE",
    "IWANT": f"asks for the {GOSSIP.iwant_per_beat + 1:,}st ID",
    "surplus": f"the {GOSSIP.surplus_per_beat + 1:,}st field",
    "excess": f"| {GOSSIP.excess} points for each such RPC",
    "useless": f"| {GOSSIP.useless} points |",
    "threshold": f"misbehaviour above {SCORE.behaviour_threshold:.0f} points",
    "square": f"score {SCORE.behaviour_weight:.0f} times the square",
    "gossip": f"| below {SCORE.gossip_threshold:.0f} | its IHAVE",
    "publish": f"| below {SCORE.publish_threshold:.0f} | nothing is pushed to it",
    "graylist": f"| below {SCORE.graylist_threshold:.0f} (more than",
    "waiting": f"more than {limits.GOSSIP_WAITING // limits.KIB} KiB that wait to be judged",
    "stem time": f"fewer bytes than a frame within {limits.STEM_READ_SECONDS} s",
    "stem": f"more than ten frames a minute, or {STEM.frames_burst:.0f} at once",
    "asks": f"more than {limits.PEERS_BURST} asks at once, or one in ten minutes",
    "asks without end": f"| {limits.PEERS_REFUSED} such asks more, and then another | a ban |",
    "handshake": f"no handshake within {limits.UPGRADE_SECONDS} s",
    "ping": f"no sign of life within {limits.PING_SECONDS} s of a PING",
    "socket": f"64 KiB not read within {limits.SEND_STALL_SECONDS} s",
    "streams": f"{limits.MAX_REFUSED_STREAMS:,} streams beyond {limits.MAX_STREAMS_PER_PEER}",
    "unread": f"more than {limits.STREAM_BUFFER // MIB} MiB unread in its streams",
    "memory": f"most of the {limits.CONNECTION_MEMORY // MIB} MiB of all connections",
    "protocol": f"no protocol named within {limits.NEGOTIATE_SECONDS} s",
    "window": f"no window for {limits.READ_STALL_SECONDS} s",
}


@pytest.mark.parametrize("what", NUMBERS)
def test_the_numbers_are_those_of_the_code(what: str) -> None:
    assert NUMBERS[what] in COSTS


def test_numbers_that_are_written_as_words_are_those_of_the_code() -> None:
    assert limits.BAN_SECONDS == 3_600
    assert "for an hour it dials that peer ID no more" in COSTS
    assert (STEM.frames_per_minute, limits.PEERS_REFILL_SECONDS) == (10, 600)


def _score(invalid: int = 0, points: float = 0.0, *, good: bool = False) -> float:
    scores = PeerScores(SCORE, 10)
    scores.join("a peer", "", 0.0)
    now = 0.0
    if good:
        scores.grafted("a peer", 0.0)
        now = SCORE.time_quantum * SCORE.time_cap
        for _ in range(round(SCORE.first_cap)):
            scores.first_delivery("a peer")
    for _ in range(invalid):
        scores.invalid("a peer", now)
    if points:
        scores.misbehaved("a peer", now, points)
    return scores.score("a peer", now)


def test_one_named_author_costs_10_two_40_and_three_or_four_a_ban() -> None:
    assert "score -10 for one, -40 for two, a ban for three or (with a good record) four" in COSTS
    assert [_score(n) for n in (1, 2)] == [-10, -40]
    assert _score(3) < SCORE.graylist_threshold < _score(3, good=True)
    assert _score(4, good=True) < SCORE.graylist_threshold


def test_seven_points_of_misbehaviour_are_the_last_before_a_ban() -> None:
    assert "(more than 7 points)" in COSTS
    assert _score(points=7.0) == SCORE.graylist_threshold
    assert _score(points=7.1) < SCORE.graylist_threshold


def test_half_of_a_record_is_gone_when_the_table_says() -> None:
    assert "half of the count is gone after 30 minutes" in COSTS
    assert "half of them are gone after 10 minutes" in COSTS
    assert SCORE.invalid_decay ** (30 * 60 / SCORE.decay_interval) == pytest.approx(0.5, abs=0.01)
    assert SCORE.behaviour_decay ** (10 * 60 / SCORE.decay_interval) == pytest.approx(0.5, abs=0.01)
