"""Every number of the stem, with its reason. Times are in seconds, for guards in hours.

None is a rule: nodes with other numbers can take part. Sources: Dandelion++ (BIP-156), Monero, Tor's guards.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StemParams:
    diffuser: float = 0.2  # share of epochs in which this node ends stems: five hops on average
    relays: int = 2  # with more, a spy among the relays sees more of the graph; one makes long lines
    epoch: float = 600.0  # lifetime of one graph; then an attacker must learn the next one anew
    epoch_jitter: float = 30.0  # so that nodes do not change together
    hop_delay: float = 0.5  # mean wait of a relay: an observer of lines can't match posts by time alone
    fluff_delay: float = 2.0  # longest wait of the node that ends the stem
    embargo: float = 60.0  # least wait: a stem that works is over by then (0 % fire early)
    # Mean of a random wait beyond it. Without it all holders would fire at once, the source first.
    embargo_mean: float = 120.0
    frames_per_minute: float = 10.0  # from one peer; more are read, answered and dropped
    frames_burst: float = 20.0
    frames_newcomers: float = 16.0  # new peers of one group that get that burst before it must refill
    frames_remembered: int = 4096  # peers, and groups; beyond, those unused longest are dropped
    own_share: float = 0.9  # used share of a peer's allowance, because its clock may run a bit slower
    # Own posts at most, and as many of other users'. Beyond that, those of the peer that brought most become
    # public at once.
    pool_posts: int = 256
    pool_bytes: int = 1024 * 1024
    settle: float = 10.0  # after the first connection, until guards may be drawn from connected peers
    patience: float = 2.0  # until the node looks again for a guard
    fault: float = 600.0  # until a peer that failed to take a frame is tried again


@dataclass(frozen=True, slots=True)
class GuardParams:
    slots: int = 16  # two keys of one user share a guard, which can link them, in one case of 16
    least_hours: int = 270 * 24  # guards are drawn rarely, because a spy sees all posts of its slot's keys
    most_hours: int = 365 * 24
    # A new node knows few nodes but those of its invite. Guards drawn in its first hours, and guards drawn
    # from few peers, last from `scarce_least` to `scarce_most` hours.
    first_hours: int = 24
    scarce_least: int = 24
    scarce_most: int = 72
    # A guard is dropped after so many hours in which its slot was used and the guard was absent. An attacker
    # who cuts guards off needs two weeks for each.
    absent_hours: int = 14 * 24
    wanted: int = 2  # one, and a stand-in for its absence
    most: int = 4  # of one slot: an attacker who cuts guards off one by one gets no further
    # Seconds that a guard stays connected after a post. So the connection is not there for one post alone.
    linger: float = 6 * 3600.0
