"""The command line: `commands/` has one file a command, `terminal/` what a terminal is. The rest is:

main.py      from arguments to an exit code
command_list.py  which commands there are, and their short texts
context.py   what every command gets: a session, and the terminal
drafting.py  the text from the user, and a draft of it before anything else happens
asking.py, leak_warnings.py     what is said about a text before it is signed, and the question
publishing.py  what commands that write have in common, and messages about a post afterwards
keys.py      messages about the keystore, and about its idle keys
names.py     what the user calls others
backlog.py   how long posts take to leave that had to wait for a peer
demo_nodes.py       the nodes of `demo`
"""
