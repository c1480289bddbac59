"""What a terminal is: reading what the user types, and showing text. No command, nothing of the forum.

console.py   colour, width, pager, JSON
render.py    foreign text made fit for a terminal, in lines and columns: the only way for it to get there
table.py     lists in columns that fit, and rows that break between words
times.py     hours as people say them
ids.py       short IDs
picture.py   identicons in half blocks
progress.py  bars
exit_codes.py, options.py   what they mean, and options that several commands share
compose.py   the text of a post from a file or standard input
editor.py    the same from the user's editor
desk.py      where a text lies while it is written, so that it is found again
passphrases.py   what is typed on the terminal; secrets unseen
questions.py     questions with a few answers
standard_streams.py     streams that the program was started without
"""
