"""What a user can do: no trio, no network, no printing. `app` and commands call it and show the result.

The face, imported by module, so that a command loads no more than it uses:

writing.py      from typed text to a signed post
publish.py      write: a thread, a reply, a retraction, an edit
outbox.py       hand signed posts in, and again if no node or store took them
sent.py         where my posts are: waiting, on their way, public
minting.py      stamps, on all cores
reading.py      a thread as the user reads it
levels.py       how far each post is indented
drafts.py       text kept for later
params.py       bounds of imports
importing.py    discussions from elsewhere as posts (read by import_text.py, import_mail.py, import_jsonl.py)
inviting.py     invites: made, accepted, and taken back
bundling.py     bundles in
keys.py         my keys: list, find, make, choose, export
names.py        names that I give, and names that look alike
expiry.py       idle keys: warn, then burn
burning.py      destroy keys and all traces of them; rehearse it first
scanning.py     look for secrets in the raw bytes of files
backup.py       everything of mine in a file, and back
leak_checks.py  what a text may say of its author (leak_patterns.py: by itself)
leak_report.py  what peers could learn about my posts
linking.py      prove to everybody that two pseudonyms are one person
private_linking.py  prove it to one reader, who could have made it

The inside, which nothing but this package imports (lint-imports holds that):

authors.py      which key signs, and what the keystore remembers of it
mint_worker.py  what mints on each core
traces.py       what says that something was mine, and which bytes to look for
leak_traces.py  what a text says of its author together with other texts
import_mbox.py  where the mails of a mailbox begin and end
mail_parts.py   the text of a mail: which parts are it
mail_charset.py what bytes and labels of mails mean
mail_html.py    the text of a mail that is HTML
mail_strip.py   what in that text names people
own_secrets.py  texts that hold an exported key or a keystore are refused
"""
