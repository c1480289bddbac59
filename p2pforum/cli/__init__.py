"""The command line: `commands/` has one file a command, `terminal/` what a terminal is. The rest is:

main.py      from arguments to an exit code
command_list.py  which commands there are, and their short texts
context.py   what every command gets: a session, and the terminal
publishing.py, leak_warnings.py     messages about a text before it goes out, and about a post afterwards
drafting.py  the text from the user, and a draft of it before anything else happens
keys.py      messages about the keystore, and about its idle keys
names.py     what the user calls others
backlog.py   how long posts take to leave that had to wait for a peer
demo_nodes.py       the nodes of `demo`
"""
