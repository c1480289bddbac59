"""The check before sending: on standard error, and without a packet. What asks is in test_cli_asking.py."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import ROOT, World

from p2pforum.app import leaks

LEAKY = "See https://a.example/?utm_source=x and /home/ada/x.\n"


def test_post_and_reply_say_what_may_give_one_away(world: World) -> None:
    result = world.ok("post", "library", "-s", "A subject", "--json", "--yes", stdin=LEAKY)
    assert "tracking in a link: utm_source (a.example)" in result.err
    assert "a path with a user's name: /home/ada/x." in result.err
    assert "tracking" not in result.out
    made = json.loads(result.out)
    assert made["outcome"] == "stored"  # with --yes
    result = world.ok("reply", made["id"], "--yes", stdin=LEAKY)
    assert "tracking in a link" in result.err
    assert "own words" not in result.err  # the thread's own key signs again
    result = world.ok("reply", made["id"], "--key", "once", "--visibly", "--yes", stdin=LEAKY)
    assert "your own words from elsewhere" in result.err


def test_quiet_check(world: World) -> None:
    result = world.ok("post", "library", "-s", "A subject", "--json", "--quiet-check", stdin=LEAKY)
    assert "tracking" not in result.err
    result = world.ok("reply", json.loads(result.out)["id"], "--quiet-check", stdin=LEAKY)
    assert "tracking" not in result.err


def test_a_harmless_text_is_not_talked_about(world: World) -> None:
    assert "may say more" not in world.ok("post", "library", "-s", "Hi", stdin="Hello.").err


def test_a_fault_in_the_check_keeps_nobody_from_posting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(leaks, "check", fail)
    result = world.ok("post", "library", "-s", "Hi", stdin=LEAKY)
    assert "not searched" in result.err
    assert result.out.startswith("Posted ")


def test_what_is_found_cannot_steer_the_terminal(world: World) -> None:
    result = world.ok("post", "library", "-s", "Hi", "--yes", stdin="/home/a\u200b\u00adb/x\n")
    assert "<U+200B>" in result.err


def test_names_of_this_machine(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    accounts = tmp_path / "passwd"
    accounts.write_text(
        f"odd line\nother:x:{os.getuid() + 1}:1:Eve Else:/:/\nme:x:{os.getuid()}:1:Ada Lovelace,,:/:/\n"
    )
    monkeypatch.setattr(leaks, "_ACCOUNTS", accounts)
    monkeypatch.setenv("USER", "adalove")
    monkeypatch.setattr(leaks.socket, "gethostname", lambda: "thorin.lan")
    assert list(leaks.machine_names()) == [
        "thorin",
        "adalove",
        "me",
        "Ada Lovelace",
        "Ada",
        "Lovelace",
    ]
    result = world.ok("post", "library", "-s", "Hi", "--yes", stdin="On thorin, adalove said to Eve.")
    assert "a name of this machine: thorin, adalove\n" in result.err
    accounts.unlink()
    assert list(leaks.machine_names()) == ["thorin", "adalove"]


_WATCHED = """
import sys
sys.path.insert(0, {root!r})
calls = []
sys.addaudithook(lambda event, _: event.startswith("socket.") and calls.append(event))
from p2pforum.cli import leak_warnings, context, keys
found = context.Context()
box = keys.keystore_to_write(found)
text = "https://a.example/?utm_source=x ada@mail.example 192.168.1.2 /home/ada " * 3
leak_warnings.warn_of_leaks(found, box, text, b"", None)
{more}
print([call for call in calls if call != "socket.gethostname"])
"""


def watched(more: str = "") -> tuple[str, str]:
    program = _WATCHED.format(root=str(ROOT), more=more)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip(), done.stderr


@pytest.mark.usefixtures("world")
def test_nobody_is_asked_anything() -> None:
    out, err = watched()
    assert "tracking in a link" in err
    assert out == "[]"


@pytest.mark.usefixtures("world")
def test_the_watch_sees_a_call() -> None:
    """The negative control."""
    more = "import socket\ntry: socket.create_connection(('127.0.0.1', 9), 0.1)\nexcept OSError: pass"
    assert "socket.connect" in watched(more)[0]
