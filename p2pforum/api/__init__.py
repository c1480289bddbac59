"""The node's local socket: HTTP over a Unix socket, for the front ends of the same user.

backend.py  what the node must be able to do (a Protocol that the front desk implements)
answers.py  what the node says of itself, its peers and a sync
app.py      the endpoints: requests to that backend and back
problems.py  errors in answers
streaming.py answers that take time: a sync as it goes on, new posts as they come
new_posts.py who listens for new posts, and what each has not heard yet
connection.py HTTP/1.1 with one front end: h11 over a stream
server.py   our socket, who may connect, how it ends
address.py  socket paths longer than the kernel takes
client.py   the front ends' side, standard library only
"""
