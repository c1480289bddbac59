"""What many nodes do together: the node's own deciding classes, a queue of events, and no sockets.

world.py     nodes, their connections, latencies, and the gossip that ends every stem (a model: see there)
stems.py     posts on their way through the node's own StemRouter, and what spies see of them
swarm.py     the node's own gossip Router in each, counting bytes; slower
spread.py    when gossip tells each node, and what stronger spies hear of it
silence.py   spies without a graph: which node is told late, and when
bayes.py     spies who know the graph
watched.py   a swarm whose spies dial every node and pass nothing on
scale.py     `python -m simulation.scale`: the figures of docs/ARCHITECTURE.md
load.py      `python -m simulation.load`: what a node pays for many people, from these figures
guess.py     what spies conclude, and how good that is: precision, recall, intervals
linking.py   `python -m simulation.linking`: which two keys are one user's
year.py      `python -m simulation.year`: a post a day for a year, and its guards
address_book.py  `python -m simulation.address_book`: what an attacker gets of the connections
privacy.py   `python -m simulation.privacy`: figures of docs/THREATS.md, of spies who go by the first teller
online.py    `python -m simulation.online`: spies who see which nodes come and go, and posts that waited
spies.py     `python -m simulation.spies`: those for stronger ones
oracle.py    `python -m simulation.oracle`: a stranger who asks all nodes which one published a post

SMALLEST in a program is what a test starts it with.
"""
