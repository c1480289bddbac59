"""The node's local socket: HTTP over a Unix socket, for the front ends of the same person.

backend.py  what the node must be able to do (a Protocol that the node implements)
app.py      requests to that backend and back: the Starlette application
problems.py  errors in answers
streaming.py answers that take time
tally.py    what is told of the sync sessions that were asked for
server.py   connections: our socket, who may talk, how it ends
address.py  socket paths longer than the kernel takes
client.py   the front ends' side, standard library only
"""
