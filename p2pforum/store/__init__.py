"""What we keep.

connection.py   how SQLite is opened: pragmas, limits, what no statement may do, errors in words
schema.py       the tables, as plain SQL, and how a database is told from a foreign one
migrations.py   makes and upgrades a database; the only place that imports sqlite_utils
directory.py    the data directory: private, and one process at a time
posts.py        the store: add, release, look up
change.py       one write transaction: keeps posts, threads, boards, search and sync index in step
threads.py      threads and boards in such a transaction, counted
scatter.py      numbers for rows that tell nothing of when they came
blocks.py       the sync index in memory: blocks of keys
block_rows.py   the sync index on disk: a row for each block, kept in the transaction that changes posts
cells.py        digests of a board's hours, in memory only
hours.py        digests of hours over all boards, in memory and on disk
snapshot.py     a sealed view of what is released, for sync
rows.py         from stored bytes back to posts; which text can be searched
reveals.py      which keys were published
queries.py      reads for people, on a read-only connection
resolving.py    the ID that a person means by its beginning
latest.py       public posts by hour and ID: a board from its end, and what is new
statistics.py   how much is kept
room.py         whether the disk takes more
words.py        from a text to the words that the search index gets
finding.py      which rows a search finds, and how many
stems.py        words of the index with the same stem
search.py       from what a person typed to an FTS5 query, and excerpts
small_file.py   a small file beside the database, replaced as a whole
retention.py    expire, drop on purpose, give space back
keeping.py      how long, of which board, within how many bytes: makes room and leaves a floor
pins.py         threads that neither age nor quota takes
peer_book.py    the address book's rows
export.py       what goes into a bundle
doctor.py       compare everything derived with the posts it was derived from, and rebuild
"""
