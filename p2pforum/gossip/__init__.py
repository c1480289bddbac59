"""Posts pushed from peer to peer: our own GossipSub v1.1, speaking /meshsub/1.1.0.

wire/        how messages are written and read
rpc_queue.py what waits to be sent to one peer
params.py    every number of the router, with its reason
effects.py   what the router wants done: values, not calls
seen.py      IDs met lately, and messages kept for peers that missed them
score.py     the score of each peer, also after it has left
mesh.py      which peers posts are pushed to: graft, prune, backoff
lazy.py      IHAVE and IWANT: offering and asking, with budgets and promises
echo.py      how an own post spreads, counted while a front end waits for it
own.py       reads own posts that are about to be sent
views.py     counts and scores that may be shown
router.py    joins these and decides everything; no I/O, no clock
validation_queue.py  posts that wait for the door: a queue for each peer
peer_state.py  what the service holds for one peer
sender.py    the stream to one peer
service.py   streams, the door, the heartbeat; it and sender.py are the only files that await
"""
