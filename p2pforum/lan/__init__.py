"""Nodes of the local network find each other, if their users want it: multicast DNS (RFC 6762, 6763).

names.py      the service type of a network; names that say nothing
addresses.py  what is told, and which of what others tell is taken
names_per_machine.py  how many names each machine may tell
multicast.py  the sockets, with python-zeroconf: blocks, so it runs in threads
service.py    when: the only file that awaits
"""
