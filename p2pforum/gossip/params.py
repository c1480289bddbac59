"""Every number of the gossip router, with its reason. Bounds on what peers send are in core/limits.py.

The spec is gossipsub v1.1 (libp2p/specs); its names are given where they differ from ours. Times are in
seconds. Nodes with other numbers can take part, because none of these is a rule of the protocol.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from p2pforum.core import limits

T = TypeVar("T")


class Rng(Protocol):
    """What the router needs of a `random.Random`."""

    def random(self) -> float: ...
    def randrange(self, stop: int, /) -> int: ...
    def sample(self, population: Sequence[T], k: int) -> list[T]: ...


@dataclass(frozen=True, slots=True)
class GossipParams:
    degree: int = 6  # D: peers pushed to
    degree_low: int = 4  # D_lo: graft below it
    degree_high: int = 12  # D_hi: prune above it
    degree_score: int = 4  # D_score: so many stay by score at a pruning, the rest is drawn at random
    degree_outbound: int = 2  # D_out: so many that this node dialled, because an attacker's peers dial in
    degree_lazy: int = 6  # D_lazy: least number of peers that are offered IDs at a heartbeat
    heartbeat: float = 1.0
    gossip_beats: int = 3  # heartbeats in which a message is offered, once to each peer outside the mesh
    history_beats: int = 120  # heartbeats for which it is kept and offered to peers that come back
    greet_again: float = 10.0  # between two offers of all that to one peer; a flapping peer may miss some
    history_count: int = 4_096
    history_bytes: int = 8 * 1024 * 1024
    seen_time: float = 600.0  # replays after that reach the store, which says DUPLICATE
    seen_count: int = 65_536  # each cost its author a stamp; if there are more, the store says DUPLICATE
    bad_count: int = 16_384  # invalid ones cost nothing, so they are counted apart and displace no valid ones
    early_time: float = 60.0  # until a post from the next hour is judged again
    backoff: float = 60.0  # after a PRUNE, before either side grafts again
    backoff_longest: float = 3_600.0  # a peer may ask for more; it gets this
    backoff_slack: float = 1.0  # this node grafts so much later: the peer's clock starts with its heartbeat
    graft_flood: float = 10.0  # a GRAFT so soon after a PRUNE is an attack and counts twice
    opportunity: float = 60.0  # between two looks for better peers
    opportunity_grafts: int = 2
    control_per_beat: int = 256  # RPCs with control parts that one peer may send between two heartbeats
    ihave_per_beat: int = 10  # of these, RPCs with IHAVE; more are not read
    # More than this are misbehaviour. So many IHAVEs wait for a node that stood still for a minute.
    ihave_burst: int = 64
    iwant_per_beat: int = 5_000  # IDs that one peer may ask for between two heartbeats
    surplus_per_beat: int = 1_000  # fields without meaning here; an IDONTWANT of v1.2 is one
    excess: float = 0.2  # misbehaviour for each RPC beyond these; after 35 in a row the peer is banned
    useless: float = 0.05  # misbehaviour for an empty RPC, or a message in a foreign topic
    offer_per_beat: int = 1_000  # IDs to one peer, the newest: 34 kB
    ask_per_rpc: int = 16  # peers answer an IWANT with one RPC: 16 of the largest posts fill MAX_RPC
    # IDs asked of one peer between two heartbeats: js-libp2p answers 10 RPCs with IWANT.
    ask_per_beat: int = 160
    ask_again: float = 1.0  # then other peers that offer the same ID are asked too: one, two, four
    promise: float = 5.0  # an offered message comes within it; otherwise the peer loses score
    serve_hourly: int = 5_000  # IDs served to one peer
    serve_times: int = 3  # sends of one message to one peer; a peer that asks for more drains this node
    serve_remembered: int = 256  # messages per peer for which that is counted: 50 kB
    pending_asks: int = 160  # IDs that one peer has offered and that have not come; more are not noted
    remembered: int = 4_096  # peers that left, with their bad scores and backoffs


@dataclass(frozen=True, slots=True)
class ScoreParams:
    """Weights. P1 and P2 together stay below 15, so that a good record makes up for only one fault.

    There is no P5 (the application's opinion of a peer), because the application knows no more about peers.
    """

    gossip_threshold: float = -10.0  # below: no IHAVE to or from it
    publish_threshold: float = -50.0  # below: no post is pushed there, not even with an empty mesh
    graylist_threshold: float = -80.0  # below: dropped and banned
    opportunity_threshold: float = 1.0  # a mesh with a lower median looks for better peers
    opportunity_margin: float = 0.5  # and takes only peers better by this, so that equal ones do not churn

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
    # P3 counts only while a mesh holds more than D peers, so that a pruned peer leaves no gap. The node
    # expects a share of what came in meanwhile, so in a quiet forum it expects nothing. A peer loses at most
    # its slot in the mesh by it (`delivery_floor`): a leaf that always delivers second is not at fault.
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
    colocation_floor: float = -45.0  # a peer is never graylisted for others at its address
    behaviour_weight: float = -5.0  # P7, of the square of what exceeds the threshold
    behaviour_threshold: float = 3.0  # accidents happen
    behaviour_decay: float = 0.9885
