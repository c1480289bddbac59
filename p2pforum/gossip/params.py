"""Every number of the gossip router, with its reason. Bounds on what peers send are in core/limits.py.

The spec is gossipsub v1.1 (libp2p/specs); its names are given where they differ from ours. Times are in
seconds. Nodes with other numbers can take part: none of these is a rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from p2pforum.core import limits

T = TypeVar("T")


class Rng(Protocol):
    """What the router asks of a `random.Random`."""

    def random(self) -> float: ...
    def randrange(self, stop: int, /) -> int: ...
    def sample(self, population: Sequence[T], k: int) -> list[T]: ...


@dataclass(frozen=True, slots=True)
class GossipParams:
    degree: int = 6  # D: peers pushed to
    degree_low: int = 4  # D_lo: graft below it
    degree_high: int = 12  # D_hi: prune above it
    degree_score: int = 4  # D_score: the best by score survive a pruning, the rest is drawn by lot
    degree_outbound: int = 2  # D_out: of these we chose the address ourselves; sybils dial in
    degree_lazy: int = 6  # D_lazy: least number of peers that are offered IDs at a heartbeat
    heartbeat: float = 1.0
    gossip_beats: int = 3  # heartbeats for which a message is offered; all others are told once in them
    history_beats: int = 120  # heartbeats for which it is kept and offered to peers that come back
    greet_again: float = 10.0  # between two times that a peer is offered all that; nodes that flap miss more
    history_count: int = 4_096
    history_bytes: int = 8 * 1024 * 1024
    seen_time: float = 600.0  # replays after that meet the store, which says DUPLICATE
    seen_count: int = 65_536  # each cost its author a stamp; if there are more, the store says DUPLICATE
    bad_count: int = 16_384  # invalid ones, which cost nothing: they push out none but such
    early_time: float = 60.0  # a post from the next hour is not looked at again before that
    backoff: float = 60.0  # after a PRUNE, before either side grafts again
    backoff_longest: float = 3_600.0  # a peer may ask for more; it gets this
    backoff_slack: float = 1.0  # we graft that much later: its clock starts with its heartbeat
    graft_flood: float = 10.0  # a GRAFT so soon after a PRUNE is no accident and counts twice
    opportunity: float = 60.0  # between two looks for better peers
    opportunity_grafts: int = 2
    control_per_beat: int = 256  # RPCs with control parts that one peer may send between two heartbeats
    ihave_per_beat: int = 10  # of these, with IHAVE; more are not read,
    ihave_burst: int = (
        64  # and still more are misbehaviour: so many wait for a node that stood still a minute
    )
    iwant_per_beat: int = 5_000  # IDs that one peer may ask for between two heartbeats
    surplus_per_beat: int = 1_000  # fields that mean nothing to us; an IDONTWANT of v1.2 is one
    excess: float = 0.2  # misbehaviour for each RPC beyond these; 35 in a row are the end
    useless: float = 0.05  # for an empty RPC, or a message in a topic that is not ours
    offer_per_beat: int = 1_000  # IDs to one peer, the newest: 34 kB
    ask_per_rpc: int = 16  # others answer an IWANT with one RPC: 16 of the largest posts fill MAX_RPC
    ask_per_beat: int = (
        160  # IDs asked of one peer between two heartbeats: js-libp2p answers 10 RPCs with IWANT
    )
    ask_again: float = 1.0  # then others that offer the same ID are asked too: one, two, four
    promise: float = 5.0  # an offered message comes within it, or counts against the peer
    serve_hourly: int = 5_000  # IDs served to one peer
    serve_times: int = 3  # one message to one peer; more is draining
    serve_remembered: int = 256  # messages per peer for which that is counted: 50 kB
    pending_asks: int = 160  # IDs that one peer has offered and that have not come; more are not noted
    remembered: int = 4_096  # peers that left, with what they have to answer for


@dataclass(frozen=True, slots=True)
class ScoreParams:
    """Weights. P1 and P2 together stay below 15, so that a good record pays for no second flaw.

    P5 (what the application thinks of a peer) does not exist: we know nothing else about peers.
    """

    gossip_threshold: float = -10.0  # below: no IHAVE to or from it
    publish_threshold: float = -50.0  # below: no post is pushed there, not even with an empty mesh
    graylist_threshold: float = -80.0  # below: dropped and banned
    opportunity_threshold: float = 1.0  # a mesh with a lower median looks for better peers
    opportunity_margin: float = 0.5  # and takes only such that are better by this: equal scores don't churn

    decay_interval: float = 10.0
    decay_to_zero: float = 0.01
    retain: float = 3_600.0  # a record outlives its connection by this
    ban: float = limits.BAN_SECONDS

    time_weight: float = 0.005  # P1, per quantum in the mesh
    time_quantum: float = 10.0
    time_cap: float = 600.0  # quanta: 3 points for a long-lived peer
    first_weight: float = 0.0625  # P2: first to deliver a valid post
    first_decay: float = 0.9885  # per interval: halves in 10 minutes
    first_cap: float = 160.0  # 10 points for the busiest peer
    # P3 counts only while a mesh holds more than D peers, so that a place given up is a place filled. The
    # expectation is a share of what came in meanwhile: a quiet forum expects nothing. It never costs more
    # than a place in the mesh (`delivery_floor`): a leaf that always comes second is not at fault.
    delivery_share: float = 0.05
    delivery_cap: float = 40.0  # messages expected at most
    delivery_activation: float = 60.0  # in the mesh, before anything is expected
    delivery_window: float = 0.5  # after the first copy, a second one still counts
    delivery_weight: float = -0.0625
    delivery_decay: float = 0.9885
    failure_weight: float = -0.0625  # P3b: the deficit at the time of a prune, which decays slowly
    failure_decay: float = 0.9962  # halves in 30 minutes
    delivery_floor: float = -9.0  # above gossip_threshold
    invalid_weight: float = -10.0  # P4, of the square: the third flawed message is the last
    invalid_decay: float = 0.9962
    colocation_weight: float = -5.0  # P6, of the square of the surplus
    colocation_threshold: int = 8  # peers at one public address; a household or a university
    colocation_floor: float = -45.0  # never graylisted for its neighbours
    behaviour_weight: float = -5.0  # P7, of the square of what exceeds the threshold
    behaviour_threshold: float = 3.0  # accidents happen
    behaviour_decay: float = 0.9885
