"""The README's table of commands, and the program's."""

import re

from cli_world import ROOT

from p2pforum.cli.commands import ENTRIES, command_in


def text() -> str:
    return (ROOT / "README.md").read_text()


def test_the_readme_lists_every_command_and_no_other() -> None:
    """Rows such as: | `p2pforum read ID` | ... |"""
    documented = re.findall(r"^\| `p2pforum ([a-z]+)[^`]*` \|", text(), re.MULTILINE)
    assert sorted(documented) == sorted(ENTRIES)


def test_options_that_the_readme_names_exist() -> None:
    for name, rest in re.findall(r"p2pforum ([a-z]+) ([^`\n]*)", text()):
        if name not in ENTRIES:
            continue
        command = command_in(ENTRIES[name][0])
        known = {option for p in command.params for option in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= known, (name, rest)
