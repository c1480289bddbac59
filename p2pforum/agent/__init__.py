"""The agent: a process of its own that holds the keystore's key for a while, so that no command asks for the
passphrase.

memory.py   a page for one secret, and no core dumps
holder.py   the agent itself: hands the key to this user's commands until it is told to lock, or time is up
client.py   start an agent, ask it, lock it

It holds the 32-byte key that the passphrase gives, not the passphrase, and opens no file with it. Standard
library only: neither libsodium nor CBOR is ever loaded there, so it can decode no seed and no draft.
"""
