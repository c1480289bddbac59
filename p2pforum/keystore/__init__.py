"""Everything that says "mine", in one private file. Only front ends open it, the node never does.

keystore.py  the file: open it, read it, change it under its lock
contents.py  its contents, as values and as CBOR
format.py    the bytes of the file: header, seal, padding
files.py     how files are kept private and whole
backup.py    the contents in a file elsewhere

pyproject.toml names the packages that may import this one; `lint-imports` enforces it.
"""
