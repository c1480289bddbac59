"""What a terminal is: what is typed, and how anything is shown. No command, and nothing of the forum.

console.py   colour, width, pager, JSON
render.py    foreign text made fit for a terminal, in lines and columns: the only way for it to get there
times.py     hours as people say them
ids.py       short IDs
picture.py   identicons in half blocks
progress.py  bars
exit_codes.py, options.py   what they mean, and options that several commands share
compose.py   where the text of a post comes from (editor.py is one way)
passphrases.py   secrets, typed unseen
standard_streams.py     streams that were closed by whoever started the program
"""
