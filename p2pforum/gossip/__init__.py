"""Posts pushed from peer to peer: our own GossipSub v1.1, speaking /meshsub/1.1.0.

wire/        how messages are written and read
rpc_queue.py what waits to be sent to one peer
params.py    every number of the router, with its reason
effects.py   what the router wants done: values, not calls
seen.py      IDs met lately, and messages kept for peers that missed them
score.py     what we think of each peer, also after it has left
mesh.py      who is pushed to: graft, prune, backoff
lazy.py      IHAVE and IWANT: offering and asking, with budgets and promises
echo.py      how an own post leaves, counted while somebody waits for it
own.py       own posts on their way out
views.py     counts and standings that may be shown
router.py    joins these; decides everything and does nothing (no I/O, no clock)
validation_queue.py  posts on their way to the door: a queue for each peer
peer_state.py  what the service holds for one peer
sender.py    the stream to one peer
service.py   streams, the door, the heartbeat; it and sender.py are the only files that await
"""
