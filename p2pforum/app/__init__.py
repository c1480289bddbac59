"""The user's side of the program: what every front end needs. Nothing here prints or asks.

session.py   one user's data on this machine: paths, config, reader, node, clock
clock.py     the hour, and whether this machine's clock can be right
delivery.py  where a signed post goes: to the node, or into the store under its lock
unlocking.py the keystore, opened with the agent's key or a passphrase that is asked for
writing.py   write as the user: checks, outbox, drafts, idle keys
drafting.py  keep a text before it is published
reading.py   a thread by what was typed, own posts, which boards and threads the user sees
following.py what is new: since an hour, since the last look, and as it comes
leaks.py     what in a text may give its author away
archives.py  discussions from elsewhere: what a file is, and what of it is here already
importing.py bundles
whole_ids.py what an ID that was typed means, and whether it was typed in full
proofs.py    proofs that two pseudonyms are one person
inviting.py  which addresses may be in an invite; accepting one
facts.py, outbox.py  the facts behind `status` and `outbox`
characters.py  which characters of foreign text may be shown as they are
shapes.py    posts, threads, boards and keys as JSON
status_shapes.py, result_shapes.py  the facts of `status` and `doctor`, and what came of a command, as JSON
checks.py    what `doctor` looks at
"""
