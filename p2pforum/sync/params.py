"""Bounds of the sync service, all this node's own; those of a session are in core/limits.py."""

WAIT_SECONDS = 30.0  # for a place, then a peer is told BUSY; in 20 s all of them change hands twice
SAFE_SECONDS = 10.0  # for which a session of a peer is not ended for another's: three round trips of Tor
OWN_SAFE_SECONDS = 20.0  # the same for one that we opened: we wait for no more than this for each
WORTH_SECONDS = 5.0  # in which what a session has moved comes to count half
LEAST_WORTH = 0.5  # posts moved of late: below, a session moves nothing (one post counts for 5 s)
LOOK_SECONDS = 1.0  # between two looks whether a session can be spared, while others wait
BUSY_SECONDS = 2.0  # on average until a dialled peer that was busy is asked again: it catches up in seconds
BUSY_MOST_SECONDS = 32.0  # to which that doubles: who has no place for us let us wait for half a minute
SETTLE_SECONDS = 30.0  # after the start: for guards and named peers to be there before others
FILL_SECONDS = 600.0  # after the start, until peers are answered though no session of ours has ended well
CLOCKS_REMEMBERED = 32  # dialled peers whose hour is compared with ours: four times as many as are wanted
CLOCKS_SECONDS = 86_400.0  # for which what they said counts
