"""The README's table of commands, and the program's."""

import re

from cli_world import ROOT

from p2pforum.cli.command_list import ENTRIES, command_in


def text() -> str:
    return (ROOT / "README.md").read_text()


def test_the_readme_lists_every_command_and_no_other() -> None:
    """In the first column of the tables under "Commands"."""
    section = text().partition("\n## Commands\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| ([^|]*`[^|]*) \|", section, re.MULTILINE)
    documented = [name for cell in cells for name in re.findall(r"`([a-z-]+)[^`]*`", cell)]
    assert sorted(documented) == sorted(ENTRIES)


def test_options_that_the_readme_names_exist() -> None:
    """In lines such as: .venv/bin/python node.py post general --subject 'A first thread'"""
    lines = re.findall(r"(?:node\.py|p2pforum)(?: --home \S+)? ([a-z-]+) ([^`\n]*)", text())
    assert len(lines) >= 4
    for name, rest in lines:
        if name not in ENTRIES:
            continue
        params = command_in(ENTRIES[name][0]).params
        known = {option for p in params for option in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= known, (name, rest)
