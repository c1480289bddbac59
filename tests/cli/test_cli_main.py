"""The program as a whole: help, exit codes, colour, what it loads, and what it never does."""

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from cli_terminal import Terminal
from cli_world import CONFIG, ROOT, World, discussion

from p2pforum import __version__
from p2pforum.cli import main as cli_main
from p2pforum.cli.command_list import ENTRIES, command_in
from p2pforum.cli.commands import key_group
from p2pforum.cli.terminal.console import Console, wants_color
from p2pforum.core import errors
from p2pforum.core.post_id import short_id

HEAVY = {"trio", "libp2p", "httpx", "sqlite_utils", "h11", "anyio", "rich", "multiaddr"}


def loaded_by(program: str, world: World) -> set[str]:
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}\nprint(*sys.modules, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stderr.split()} | set(done.stderr.split())


def test_importing_is_light(world: World) -> None:
    loaded = loaded_by("import p2pforum.cli.main", world)
    assert not HEAVY & loaded
    assert not {m for m in loaded if m.startswith("p2pforum.store") or m == "p2pforum.cli.commands.read"}


@pytest.mark.parametrize(
    "command", ["read {id}", "threads", "boards", "search bundle", "status", "--help", "read {id} --json"]
)
def test_reading_is_light(world: World, command: str) -> None:
    posts = discussion()
    world.keep(*posts)
    arguments = command.format(id=short_id(posts[0].id)).split()
    loaded = loaded_by(f"from p2pforum.cli.main import run; assert run({arguments!r}) == 0", world)
    assert not HEAVY & loaded


def test_the_light_test_can_fail(world: World) -> None:
    """The negative control: writing without a node does load them."""
    text = world.home / "text"
    text.write_text("Text")
    arguments = ["post", "library", "-s", "S", "-F", str(text)]
    program = f"from p2pforum.cli.main import run; assert run({arguments!r}) == 0"
    assert {"trio", "sqlite_utils"} <= loaded_by(program, world)


def test_help_lists_every_command_and_imports_none() -> None:
    context = click.Context(cli_main.cli, info_name="p2pforum")
    text = cli_main.cli.get_help(context)
    for name, (_, short) in ENTRIES.items():
        assert re.search(rf"^  {name} +{re.escape(short)}$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "entry"),
    [*ENTRIES.items(), *((f"key {name}", entry) for name, entry in key_group.ENTRIES.items())],
)
def test_short_texts_are_the_commands_own(name: str, entry: tuple[str, str]) -> None:
    module, short = entry
    command = command_in(module)
    assert command.help is not None
    assert command.help.splitlines()[0] == short
    context = click.Context(command, info_name=name, max_content_width=80, terminal_width=80)
    assert all(len(line) <= 80 for line in command.get_help(context).splitlines())


def test_usage(world: World) -> None:
    result = world.run("reed", "x")
    assert result.code == 2
    assert "No such command 'reed'. Did you mean \"read\"?" in result.err
    assert world.run("xyzzy").code == 2
    assert world.run("read").code == 2
    assert world.run("threads", "-n", "0").code == 2
    assert world.run("--home", "", "boards").code == 2
    assert world.run("run", "--listen", "localhost:4001").code == 2
    assert world.run("run", "--peer", "/ip4/127.0.0.1/tcp/4001").code == 2


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWnonsense", "12D3KooWnonsense is not a peer ID"),
        ("/ip4/127.0.0.1/udp/4001/tcp/1/p2p/12D3KooW", "not an address"),
        ("/ip6/fe80::1%eth0/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp", "not a host"),
        ("/ip4/127.0.0.1/tcp/99999/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp", "not a port"),
    ],
)
def test_a_peer_that_can_not_be_is_told_at_once(world: World, address: str, words: str) -> None:
    result = world.run("run", "--peer", address)
    assert result.code == 2
    assert words in result.err
    with (world.home / "config.toml").open("a") as config:
        config.write(f'peers = ["{address}"]\n')
    result = world.run("run")
    assert result.code == 2
    assert f"{world.home}/config.toml: " in result.err
    assert words in result.err


def test_an_announced_address_that_can_not_be_is_told_at_once(world: World) -> None:
    with (world.home / "config.toml").open("a") as config:
        config.write('announce = ["/ip4/203.0.113.700/tcp/4001"]\n')
    result = world.run("run")
    assert result.code == 2
    assert "203.0.113.700 is not a host" in result.err


def test_version(world: World) -> None:
    assert world.ok("--version").out == f"p2pforum {__version__}\n"
    versions = world.ok("version", "--json").json
    assert versions["p2pforum"] == __version__
    assert versions["libp2p"] == "0.8.1"
    assert world.ok("version").out.startswith(f"p2pforum      {__version__}\n")


def test_home(world: World, tmp_path: Path) -> None:
    assert str(tmp_path / "other") in world.ok("--home", str(tmp_path / "other"), "status").out


def test_hints_name_the_program_as_it_was_called(world: World) -> None:
    python = os.path.relpath(sys.executable, ROOT)
    for program, hint in (
        ([python, "node.py"], f"{python} node.py run"),
        ([sys.executable, "-m", "p2pforum"], f"{sys.executable} -m p2pforum run"),
        ([sys.executable, "-c", "from p2pforum.cli.main import main; main()"], "p2pforum run"),
    ):
        done = subprocess.run([*program, "stop"], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 4
        assert done.stderr.endswith(f"start it in another terminal: {hint}\n")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.NotFound("x"), 3),
        (errors.Ambiguous("x", ["a", "b"]), 3),
        (errors.NodeUnreachable("x"), 4),
        (errors.Refused("x"), 5),
        (errors.InvalidPost("x"), 5),
        (errors.ConfigError("x"), 2),
        (errors.StoreBusy("x"), 1),
        (errors.WrongPassphrase(), 1),
        (errors.NetworkError("x"), 1),
        (OSError(28, "No space left on device", "/some/file"), 1),
        (ModuleNotFoundError("No module named 'libp2p'", name="libp2p"), 69),
        (KeyboardInterrupt(), 130),
        (EOFError(), 1),
        (RuntimeError("a secret"), 1),
    ],
)
def test_exit_codes(world: World, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int) -> None:
    def fail(_self: object) -> None:
        raise error

    monkeypatch.setattr("p2pforum.store.queries.Reader.boards", fail)
    result = world.run("boards")
    assert result.code == code
    assert result.err
    assert "a secret" not in result.err
    assert "Traceback" not in result.err


def test_debugging_shows_where(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("p2pforum.store.queries.Reader.boards", lambda _self: 1 / 0)
    monkeypatch.setenv("P2PFORUM_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        world.run("boards")


def test_errors_are_cleaned(world: World) -> None:
    result = world.run("read", "\x1b[31mred")
    assert result.code == 3
    assert "\x1b" not in result.err
    assert "<U+001B>[31mred" in result.err


ENDLESS = """
from p2pforum.core import network_params
made = network_params.NetworkParams
network_params.NetworkParams = lambda name: made(name, stamp_first=60)
"""


def test_interrupted(world: World) -> None:
    """While it mints a stamp that is never found: one that is may be found before the signal comes."""
    (world.home / "config.toml").write_text(CONFIG.replace("test.cli", "cli-net"))
    text = world.home / "text"
    text.write_text("Text")
    terminal = Terminal("post", "library", "-s", "S", "-F", str(text), before=ENDLESS)
    terminal.wait_for("Minting the stamp")
    terminal.interrupt()
    assert terminal.end() == 130


def test_nobody_reads_on(world: World) -> None:
    world.keep(*discussion())
    command = [sys.executable, "-c", "from p2pforum.cli.main import main; main()"]
    with subprocess.Popen(
        [*command, "boards"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as done:
        assert done.stdout is not None
        assert done.stderr is not None
        done.stdout.close()
        assert done.stderr.read() == b""
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("choice", "environ", "terminal", "wanted"),
    [
        ("auto", {"TERM": "xterm"}, True, True),
        ("auto", {"TERM": "xterm"}, False, False),
        ("auto", {"TERM": "dumb"}, True, False),
        ("auto", {}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ("auto", {"TERM": "xterm", "NO_COLOR": ""}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, False, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, False, False),
        ("auto", {"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, False, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"TERM": "xterm"}, True, False),
    ],
)
def test_when_there_is_colour(choice: str, environ: dict[str, str], terminal: bool, wanted: bool) -> None:
    class Stream:
        def isatty(self) -> bool:
            return terminal

    assert wants_color(choice, Stream(), environ) is wanted  # type: ignore[arg-type]


def test_colour_and_pager_on_a_terminal(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    pager = world.home / "pager.sh"
    pager.write_text("#!/bin/sh\necho PAGED; cat; exit 1\n")
    pager.chmod(0o700)
    arguments = ("read", short_id(posts[0].id))
    long = Terminal(*arguments, P2PFORUM_PAGER=str(pager), lines=10)
    assert long.end() == 0
    assert long.screen.startswith("PAGED\r\n")
    assert "\x1b[1mA week\x1b[0m" in long.screen
    for extra, environ, lines in (
        (("--no-pager",), {}, 10),
        ((), {}, 50),
        ((), {"P2PFORUM_PAGER": "cat"}, 10),
    ):
        environ = {"P2PFORUM_PAGER": str(pager), **environ}
        terminal = Terminal(*arguments, *extra, lines=lines, **environ)
        assert terminal.end() == 0
        assert "PAGED" not in terminal.screen
    missing = Terminal(*arguments, lines=10, P2PFORUM_PAGER="/does/not/exist")
    assert missing.end() == 0
    assert "A week" in missing.screen
    plain = Terminal(*arguments, "--no-pager", NO_COLOR="1")
    assert plain.end() == 0
    assert "\x1b" not in plain.screen


def test_a_reader_who_leaves_the_pager_early(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    terminal = Terminal("read", short_id(posts[0].id), PAGER="head -n 1", lines=5)
    assert terminal.end() == 0
    assert "Traceback" not in terminal.screen


def test_width_of_the_terminal(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    terminal = Terminal("read", short_id(posts[0].id), "--no-pager", columns=30, NO_COLOR="1")
    assert terminal.end() == 0
    bodies = [line for line in terminal.screen.splitlines() if "│" in line]
    assert bodies
    assert all(len(line) <= 30 for line in bodies)
    assert Console(environ={"COLUMNS": "1000"}).width == 100
    assert Console(environ={"COLUMNS": "nonsense"}).width == 80


def test_completion(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.keep(*discussion())
    for shell in ("bash", "zsh", "fish"):
        assert "_P2PFORUM_COMPLETE" in world.ok("completion", shell).out
    assert world.run("completion", "tcsh").code == 2
    monkeypatch.setenv("_P2PFORUM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "p2pforum threads li")
    monkeypatch.setenv("COMP_CWORD", "2")
    assert world.process().out == "plain,library\n"
    monkeypatch.setenv("COMP_WORDS", "p2pforum th")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert world.process().out == "plain,threads\n"


def test_a_terminal_without_utf8(world: World) -> None:
    posts = discussion()
    world.keep(*posts)
    os.environ["PYTHONIOENCODING"] = "ascii"
    try:
        result = world.process("read", short_id(posts[0].id))
    finally:
        del os.environ["PYTHONIOENCODING"]
    assert result.code == 0
    assert "\\u2502 Ran a node all week." in result.out
