"""Every number of the stem, with its reason. Times in seconds, but for guards: in hours.

None is a rule: nodes with other numbers can take part. Sources: Dandelion++ (BIP-156), Monero, Tor's guards.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StemParams:
    diffuser: float = 0.2  # of all epochs, this node ends stems: five hops on average
    relays: int = 2  # more let one relay's owner see more of the graph; one makes long lines
    epoch: float = 600.0  # of one graph; then nobody can go on learning it
    epoch_jitter: float = 30.0  # so that nodes do not change together
    hop_delay: float = 0.5  # mean wait of a relay: a watcher of lines can't match by time alone
    fluff_delay: float = 2.0  # longest wait of the node that ends the stem
    embargo: float = 60.0  # the least: a stem that lives is over by then (0 % fire early)
    embargo_mean: float = 120.0  # beyond it, by chance: else all holders fire at once, the source first
    frames_per_minute: float = 10.0  # from one peer; more are read, answered and dropped
    frames_burst: float = 20.0
    frames_newcomers: float = 16.0  # peers new here, of one group, that get that burst before it must refill
    frames_remembered: int = 4096  # peers, and groups; then those that were here longest ago are forgotten
    own_share: float = 0.9  # of a peer's allowance that we use: its clock may run a bit slower
    pool_posts: int = 256  # of its own; others' posts may be as many again, and beyond that
    pool_bytes: int = 1024 * 1024  # those of the peer that has brought most become public at once
    settle: float = 10.0  # after the first connection, then guards may be drawn from those that are there
    patience: float = 2.0  # until we look again for a guard
    fault: float = 600.0  # until a peer that failed to take a frame is tried again


@dataclass(frozen=True, slots=True)
class GuardParams:
    slots: int = 16  # of two keys of one user one pair in 16 shares a guard, who then can join them
    least_hours: int = 270 * 24  # a guard that is a spy sees all posts of its keys: draw seldom
    most_hours: int = 365 * 24
    first_hours: int = 24  # of a new node, which knows few but those of its invite: what it draws then,
    scarce_least: int = 24  # and what is drawn from few, lasts so long,
    scarce_most: int = 72  # or up to so long
    absent_hours: int = 14 * 24  # of use of its slot, then a guard is given up: it costs two weeks of attack
    wanted: int = 2  # one, and one for its absence
    most: int = 4  # of one slot: who cuts our guards off one by one gets no further
    linger: float = 6 * 3600.0  # seconds that a guard stays connected after a post: not for one post alone
