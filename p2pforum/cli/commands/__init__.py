"""One file a command, named like it, imported only when it runs: cli/command_list.py lists them.

The commands of `key` are in key_*.py, and key_group.py lists those. import_bundle.py: `import` of posts that
are signed already.
"""
