"""The command line: `commands/` has one file a command, `terminal/` what a terminal is. The rest is:

main.py      from arguments to an exit code
command_list.py  which commands there are, and their short texts
context.py   what every command has: paths, config, console, reader
publishing.py               what post and reply have in common
keys.py      the keystore and its passphrase
import_bundle.py   `import` of posts that are signed already
outlet.py    where a signed post goes: the node, or the store under the lock
backlog.py   how long posts take to leave that nobody could take at once
unsent.py    what the store says of me, taken out of it
idle.py      idle keys: warned of, then burnt
leak_warnings.py    what in a text may give its author away
clocks.py, checks.py    what is asked of the clock before a post is signed, and what `doctor` looks at
demo_nodes.py       the nodes of `demo`
"""
