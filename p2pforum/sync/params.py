"""Bounds of the sync service, all this node's own choice; those of a session are in core/limits.py."""

WAIT_SECONDS = 30.0  # a peer waits so long for a slot, then gets BUSY; in 20 s all slots change twice
SAFE_SECONDS = 10.0  # a peer's new session is not ended for another's so long: three round trips of Tor
OWN_SAFE_SECONDS = 20.0  # the same for a session that this node opened: it waits no longer for each
WORTH_SECONDS = 5.0  # after which the posts that a session has moved count half
LEAST_WORTH = 0.5  # posts moved of late: a session below it moves nothing (one post counts for 5 s)
LOOK_SECONDS = 1.0  # between two checks whether a session can be spared, while others wait
BUSY_SECONDS = 2.0  # on average until the node asks a busy peer again: that peer catches up in seconds
BUSY_MOST_SECONDS = 32.0  # to which that doubles: a peer without a free slot lets us wait for half a minute
SETTLE_SECONDS = 30.0  # after the start, for guards and named peers to connect before others
FILL_SECONDS = 600.0  # after the start, until this node answers peers even if none of its sessions ended well
CLOCKS_REMEMBERED = 32  # dialled peers whose hour is remembered: four times as many as are wanted
CLOCKS_SECONDS = 86_400.0  # for which a peer's hour counts
