"""Where a post came from, and what became of it."""

import enum


class Origin(enum.Enum):
    """The way by which a post reached this node. It never names a peer or a person."""

    LOCAL = "local"  #: handed in by a front end on this machine
    STEM = "stem"  #: passed on by a peer in its stem phase: not public yet
    GOSSIP = "gossip"  #: pushed by a peer
    SYNC = "sync"  #: fetched by reconciliation
    BUNDLE = "bundle"  #: read from a file


class Outcome(enum.Enum):
    """The result of checking a post. Only for INVALID is the sender at fault."""

    STORED = "stored"  #: new, valid, kept
    DUPLICATE = "duplicate"  #: already here, or dropped here on purpose before
    TOO_EARLY = "too early"  #: dated after the next hour: may come again
    REFUSED = "refused"  #: valid, but outside what this node keeps (age, board, quota)
    INVALID = "invalid"  #: breaks a rule that holds for every node
