"""Nodes of the local network find each other, if their users want it: multicast DNS (RFC 6762, 6763).

names.py      the service type of a network, and random names
addresses.py  what the node announces, and which announcements of other machines it believes
names_per_machine.py  how many names each machine may announce
multicast.py  the sockets, with python-zeroconf: blocks, so it runs in threads
service.py    when: the only file that awaits
"""
