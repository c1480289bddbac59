"""The command line. One file a command, imported only when it runs; the rest is:

main.py      from arguments to an exit code
commands.py  which commands there are, and their short texts
context.py   what every command has: paths, config, console, reader
console.py   colour, width, pager, JSON
render.py    foreign text made fit for a terminal: the only way for it to get there
times.py     hours as people say them
picture.py   identicons in half blocks
progress.py  bars
exit_codes.py, options.py   what they mean, and options that several commands share
publishing.py               what post and reply have in common
compose.py   where the text of a post comes from (editor.py is one way)
keys.py      the keystore and its passphrase
import_bundle.py   `import` of posts that are signed already
outlet.py    where a signed post goes: the node, or the store under the lock
backlog.py   how long posts take to leave that nobody could take at once
unsent.py    what the store says of me, taken out of it
idle.py      idle keys: warned of, then burnt
leak_warnings.py    what in a text may give its author away
clocks.py, checks.py    what is asked of the clock before a post is signed, and what `doctor` looks at
ids.py       short IDs
demo_nodes.py       the nodes of `demo`
standard_streams.py     streams that were closed by whoever started the program
"""
