"""The command line: `commands/` has one file a command, `terminal/` what a terminal is. The rest is:

main.py      from arguments to an exit code
command_list.py  which commands there are, and their short texts
context.py   what every command has: a session, and the terminal
publishing.py               what post and reply have in common
keys.py      the keystore and its passphrase
import_bundle.py   `import` of posts that are signed already
backlog.py   how long posts take to leave that nobody could take at once
idle.py      idle keys: warned of, then burnt
leak_warnings.py    what in a text may give its author away
checks.py    what `doctor` looks at
demo_nodes.py       the nodes of `demo`
"""
