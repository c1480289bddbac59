"""What a post is: pure, no I/O, no clock.

errors.py     the exceptions every layer above may see
limits.py     every bound, with its reason
bounded.py    a token bucket, and a table that forgets the oldest
network_params.py   what the nodes of one network agree on
text.py       which text may travel
plain_cbor.py the part of CBOR that posts are made of, checked before it is decoded
envelope.py   the outside of a post, opened and closed by the places of its bytes
kinds.py      the table of kinds: which rule decides what, what counts, what it means
post.py       encode, sign and strictly decode: one post, one encoding
bundle.py     posts in a file: frames, written and read
address.py    where a peer is, as text
invite.py     where a network is met, as a line of text
peer_id.py    a peer ID and the key in it
post_id.py    the ID of a post and how people write it
signature.py  the one rule by which an Ed25519 signature is accepted
stamp.py      proof of work: mint and check
pseudonym.py  names and identicons drawn from keys
clock.py      whether this machine's clock can be right
thread.py     from a bag of posts to a reading order
verdict.py    where a post came from and what became of it
"""
