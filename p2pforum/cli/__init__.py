"""The command line: `commands/` has one file a command, `terminal/` what a terminal is. The rest is:

main.py      from arguments to an exit code
command_list.py  which commands there are, and their short texts
context.py   what every command has: a session, and the terminal
publishing.py, leak_warnings.py     what is said of a text before it goes out, and of a post afterwards
keys.py      what is said of the keystore, and of its idle keys
backlog.py   how long posts take to leave that nobody could take at once
demo_nodes.py       the nodes of `demo`
"""
