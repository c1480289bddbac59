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
"""
