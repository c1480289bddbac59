"""Bounds of imports, each with its reason: an attacker may have made the file, and a device has no end."""

from p2pforum.core.limits import KIB

MAX_IMPORT_POSTS = 50_000  # at 2 s for a stamp more than a day of minting; 100 MB in memory
MAX_IMPORT_TEXT = 4 * KIB * KIB  # bytes of a copied web page: 2,000 comments of 2 kB; 40 MB in memory
MAX_IMPORT_JSONL = 32 * KIB * KIB  # bytes of JSON Lines, or of a mailbox's text: MAX_IMPORT_POSTS of 600 each
MAX_IMPORT_MBOX = 2_048 * KIB * KIB  # bytes of a mailbox, read message by message: half a minute
MAX_IMPORT_MAIL = 32 * KIB * KIB  # bytes of one message; mail servers take 25 to 50 MB, attachments included
MAX_IMPORT_PARTS = 1_000  # of one message: each costs 2 kB, and may be made of 10 bytes
MAX_IMPORT_HOURS = 480  # by which the first of many answers is dated back: gossip takes what is 30 days old

FORMATS = ("text", "mbox", "mail", "jsonl")  # of files to publish
