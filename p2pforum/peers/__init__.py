"""Which peers this node stays connected to: those that its user named, and some from its address book.

address_policy.py  which addresses may be kept at all
entry.py    one address of the book, and its row
buckets.py  where in the book an address lies, by a secret
tables.py   the book's two tables: places, drawing, changes to be saved
book.py     the address book: what it believes of strangers' records, and how it keeps scores of dials
slots.py    which address to dial next, how many, and one to a network group
guard_keeper.py  guards: dialled when they are used, drawn afresh
backoff.py  how long to wait before the next try, without a clock
service.py  dial, wait until the peer is gone, dial again; feelers; saving the book
"""
