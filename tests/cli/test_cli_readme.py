"""The lists of the README are those of the program."""

import re
import subprocess
import sys
from dataclasses import fields

import click
import pytest
from cli_world import ROOT

from p2pforum.cli.command_list import ENTRIES, SECTIONS, command_in
from p2pforum.cli.commands import key_group
from p2pforum.cli.terminal import exit_codes
from p2pforum.config import Config

README = (ROOT / "README.md").read_text()
UNWRAPPED = " ".join(README.split())


def usage(name: str) -> str:
    """A command with its arguments, without its options."""
    command = command_in(ENTRIES[name][0])
    _options, *arguments = command.collect_usage_pieces(click.Context(command, info_name=name))
    return " ".join([name, *arguments]).removesuffix(" [ARGS]...")


def table(section: str) -> str:
    rows = [f"| `{usage(name)}` | {short} |" for name, (_, short) in SECTIONS[section].items()]
    return "\n".join([f"| {section} | |", "|---|---|", *rows])


@pytest.mark.parametrize("section", SECTIONS)
def test_the_tables_of_commands_are_those_of_help(section: str) -> None:
    assert f"\n\n{table(section)}\n\n" in README, f"the table should be:\n{table(section)}"


def test_there_are_no_other_tables_of_commands() -> None:
    commands = README.partition("\n## Commands\n")[2].partition("\n## ")[0]
    assert len(re.findall(r"^\|", commands, re.MULTILINE)) == len(ENTRIES) + 2 * len(SECTIONS)


def test_the_commands_of_key() -> None:
    *names, last = (f"`{name}`" for name in key_group.ENTRIES)
    assert f"The commands of `key` are {', '.join(names)} and {last}." in UNWRAPPED


def test_the_exit_codes() -> None:
    codes = {value for value in vars(exit_codes).values() if isinstance(value, int)}
    assert codes == exit_codes.MEANINGS.keys()
    assert exit_codes.sentence() in UNWRAPPED


def test_options_that_the_readme_names_exist() -> None:
    """In lines such as: .venv/bin/python node.py post general --subject 'A first thread'"""
    lines = re.findall(r"(?:node\.py|p2pforum)(?: --home \S+)? ([a-z-]+) ([^`\n]*)", README)
    assert len(lines) >= 4
    for name, rest in lines:
        if name not in ENTRIES:
            continue
        params = command_in(ENTRIES[name][0]).params
        known = {option for p in params for option in (*p.opts, *p.secondary_opts)} | {"--help", "-h"}
        assert set(re.findall(r"(?<![\w-])--[a-z-]+", rest)) <= known, (name, rest)


@pytest.mark.parametrize("document", ["README.md", "docs/THREATS.md"])
def test_config_keys_that_a_document_names_exist(document: str) -> None:
    """In words such as: `announce = []`"""
    text = " ".join((ROOT / document).read_text().split())
    named = set(re.findall(r"`([a-z_]+) = [^`]+`", text))
    assert len(named) > 3
    assert named <= {field.name for field in fields(Config)}


def test_without_packages_the_program_says_how_the_readme_sets_up() -> None:
    command = [sys.executable, "-S", ROOT / "node.py"]  # without site-packages
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert done.returncode == exit_codes.NOT_SET_UP
    (told,) = re.findall(r"python3 -m venv .*", done.stderr)
    assert f"{told} && .venv/bin/python node.py demo\n" in README
