"""status, peers, sync, stop, doctor: with a node, without one, and on a terminal."""

import gc
import json
import os
import re
import resource
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from cli_terminal import Terminal
from cli_world import CONFIG, HOUR, PARAMS, SmallNode, World, discussion, post
from node_answers import sums

from p2pforum.config import find_paths
from p2pforum.core import limits
from p2pforum.core.kinds import Kind
from p2pforum.core.post import Payload, decode, sign
from p2pforum.core.post_id import parse_id
from p2pforum.core.stamp import blank_stamp
from p2pforum.keystore.keystore import Keystore
from p2pforum.store import room
from p2pforum.store.posts import open_store
from p2pforum.store.room import free_bytes

PEER = {
    "peer": "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
    "direction": "outbound",
    "address": "/ip4/127.0.0.1/tcp/4001/p2p/12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp",
    "stage": "connected",
}


def test_status_without_anything(world: World) -> None:
    out = world.ok("status").out
    assert "node      not running; to start it: p2pforum run" in out
    assert "network   test.cli (a test network: no stamps)" in out
    assert "store     0 posts in 0 threads on 0 boards, 0.0 MB" in out
    assert "keystore  none yet; the first post makes one" in out
    for path in ("data", "keys", "config.toml"):
        assert str(world.home / path) in out
    assert os.listdir(world.home) == ["config.toml"], "asking makes nothing"


def test_no_collection_in_a_node_looks_at_its_code(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would stall the loop for 70 ms; there are 110,000 objects of code."""
    looked_at: list[int] = []

    async def run_node(*_: object, **__: object) -> None:
        looked_at.append(len(gc.get_objects()))

    monkeypatch.setattr("p2pforum.node.run_node", run_node)
    try:
        world.ok("run")
    finally:
        gc.unfreeze()
    assert looked_at[0] < 10_000


def test_status_with_a_node(world: World) -> None:
    world.keep(*discussion())
    with world.node() as node:
        node.peers_connected = [PEER]
        node.facts["book"] = {"new": 340, "tried": 12, "outbound": 3, "wanted": 8}
        out = world.ok("status").out
        assert "node      running, 1 peer connected" in out
        assert "address   /ip4/127.0.0.1/tcp/4001/p2p/12D3KooWself" in out
        assert "5 posts in 1 thread on 1 board" in out
        assert (
            "outbound  3 of 8 connections; in the address book: 12 reached before, 340 only heard of\n" in out
        )
        found = world.ok("status", "--json").json
    assert found["node"]["running"] is True
    assert found["store"]["posts"] == 5
    assert found["keystore"] == {
        "exists": False,
        "encrypted": False,
        "outbox": 0,
        "drafts": [],
        "unlocked": None,
        "idle": 0,
        "error": None,
    }
    assert found["paths"]["socket"].endswith("api.sock")


def test_status_says_what_others_are_told_of_this_node(world: World) -> None:
    with world.node() as node:
        node.facts |= {"announced": ["/ip4/203.0.113.7/tcp/4001"], "lan": {"told": 1, "found": 2}}
        out = world.ok("status").out
    assert "announced /ip4/203.0.113.7/tcp/4001, to everybody\n" in out
    assert "lan       2 nodes found in the local network\n" in out


def test_paths_are_shown_from_the_home_directory(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(world.home.parent))
    assert f"data      ~/{world.home.name}/data\n" in world.ok("status").out


@pytest.mark.parametrize("command", [["peers"], ["sync"], ["sync", "12D3"], ["stop"]])
def test_what_needs_a_node(world: World, command: list[str]) -> None:
    result = world.run(*command)
    assert (result.code, result.out) == (4, "")
    assert result.err == "error: no node is running here\nstart it in another terminal: p2pforum run\n"
    home = str(world.home)
    assert f"p2pforum --home {home} run" in world.run("--home", home, *command).err


def test_peers(world: World) -> None:
    with world.node() as node:
        result = world.ok("peers")
        assert result.out == "No peers are connected.\n"
        assert "run --peer ADDRESS" in result.err
        assert world.ok("peers", "--json").json == []
        node.peers_connected = [
            PEER | {"named": True},
            PEER | {"direction": "inbound", "peer": "12D3KooWxyz", "named": False},
            {
                "peer": None,
                "address": "/ip4/192.0.2.1/tcp/1/p2p/12D3KooWx",
                "stage": "waiting",
                "error": "\x1b[31mno",
            },
        ]
        assert world.ok("peers").out == (
            "…vnc6iDEp     we dialled  /ip4/127.0.0.1/tcp/4001  named\n"
            f"12D3KooWxyz   it dialled\n{PEER['address']}\n"  # whole, so that it can be copied
            "              waiting     /ip4/192.0.2.1/tcp/1/p2p/12D3KooWx\n"
            "              <U+001B>[31mno\n"
        )


def test_sync(world: World) -> None:
    with world.node() as node:
        node.steps = [{"got": n, "wanted": 40, "bytes": n * 500} for n in range(0, 41, 5)]
        result = world.ok("sync")
        assert re.fullmatch(r"Done in \d\.\d s: 3 new posts, 1 sent\.\n", result.out)
        lines = result.err.splitlines()
        assert lines[0] == "Sync 0 %  0/40 posts  0.0 MB"
        assert lines[-1] == "Sync 100 %  40/40 posts  0.0 MB"
        assert len(lines) <= 11
        rows = [json.loads(line) for line in world.ok("sync", "--json").out.splitlines()]
        assert rows[0] == {"progress": sums(got=0, wanted=40, bytes=0)}
        assert rows[-1]["result"] | node.result == rows[-1]["result"]
        node.result = {"peers": 1, "done": 1, "new": 1, "sent": 0}
        assert ": 1 new post, 0 sent." in world.ok("sync").out


def test_sync_says_how_it_ended(world: World) -> None:
    """It said Done, and nothing was."""
    with world.node() as node:
        busy = {"peer": "12D3KooWxyz", "outcome": "busy", "left": 0}
        lost = {"peer": "12D3KooWabc", "outcome": "lost", "error": "the peer\x1b[31m went away"}
        done = {"peer": "12D3KooWdef", "outcome": "done", "left": 4}
        node.result = {"peers": 2, "done": 0, "new": 0, "sessions": [busy, lost]}
        result = world.run("sync")
        assert result.code == 1
        assert re.fullmatch(r"Done with 0 of 2 peers in \d\.\d s: 0 new posts, 0 sent\.\n", result.out)
        assert result.err == (
            "error: 12D3KooWxyz: the peer has no room for a session now; try again in a minute\n"
            "error: 12D3KooWabc: the peer<U+001B>[31m went away\n"
        )
        assert world.run("sync", "--json").code == 1
        node.result = {"peers": 2, "done": 1, "new": 7, "sessions": [busy, done]}
        result = world.ok("sync")
        assert result.out.startswith("Done with 1 of 2 peers in ")
        assert result.err.endswith("12D3KooWdef: posts are left for another session\n")


def test_sync_that_can_not_be(world: World) -> None:
    with world.node():
        result = world.run("sync", "nobody")
        assert (result.code, result.err) == (3, 'error: no connected peer is called "nobody"\n')
        result = world.run("sync", "/ip4/192.0.2.1/tcp/1/p2p/12D3KooWx")
        assert (result.code, result.err) == (1, "error: nobody listens there\n")


def test_sync_shows_a_bar_on_a_terminal(world: World) -> None:
    with world.node() as node:
        node.steps = [{"got": 10, "wanted": 40, "bytes": 2_000_000}]
        terminal = Terminal("sync")
        assert terminal.end() == 0
    assert "\rSync █████░░░░░░░░░░░░░░░  25%  10/40 posts  2.0 MB" in terminal.screen
    assert re.search(r"\r +\rDone in", terminal.screen), "the bar goes when it is done"


def test_stop(world: World) -> None:
    with world.node():
        assert world.ok("stop").out == "The node has stopped.\n"
        assert "not running" in world.ok("status").out


# --- doctor -------------------------------------------------------------------------------------------


def checks(world: World) -> dict[str, str]:
    return {row["check"]: row["level"] for row in world.run("doctor", "--json").json}


def test_doctor_of_a_fresh_machine(world: World) -> None:
    result = world.ok("doctor")
    assert result.out.endswith("\n0 failures, 0 warnings\n")
    assert set(checks(world).values()) == {"ok"}
    assert set(checks(world)) >= {
        "python",
        "libsodium",
        "sqlite",
        "config",
        "files",
        "store",
        "node",
        "clock",
    }


def test_doctor_of_one_in_use(world: World) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    found = checks(world)
    assert found["keystore"] == "warn"  # no passphrase
    assert {level for check, level in found.items() if check != "keystore"} == {"ok"}
    with world.node():
        out = world.ok("doctor").out
    assert "a node is running" in out
    assert "the running node uses it" in out


def test_doctor_finds_open_files(world: World) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    keystore = find_paths(world.home).keystore_file
    keystore.chmod(0o644)
    result = world.run("doctor")
    assert result.code == 1
    assert (
        f"fail  files       {keystore} is open to other users of this machine; run: chmod 600 {keystore}"
        in result.out
    )


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow further, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_doctor_finds_that_nothing_can_be_written(world: World) -> None:
    with files_of_at_most(limits.ROOM_TRIED - 1):
        result = world.run("doctor")
    assert result.code == 1
    assert "fail  disk" in result.out
    assert "can't be written: File too large" in result.out
    with files_of_at_most(limits.ROOM_TRIED):
        assert checks(world)["disk"] == "ok"


def test_doctor_and_status_warn_before_the_disk_is_full(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = free_bytes(world.home)
    monkeypatch.setattr(room, "free_bytes", lambda _path: free)
    monkeypatch.setattr(limits, "STORE_ROOM", free)
    assert checks(world)["disk"] == "ok"
    assert "trouble" not in world.ok("status").out
    monkeypatch.setattr(limits, "STORE_ROOM", free + 1)
    assert checks(world)["disk"] == "warn"
    assert "MB free on the disk" in world.ok("status").out
    assert world.ok("status", "--json").json["store"]["free"] == free


def test_doctor_and_status_tell_what_the_node_could_not_keep(world: World) -> None:
    with world.node() as node:
        assert "trouble" not in world.ok("status").out
        node.facts["trouble"] = "the disk is full"
        result = world.run("doctor")
        assert result.code == 1
        assert (
            "fail  node        the node could not keep the last posts that came: the disk is full"
            in result.out
        )
        assert "the node could not keep the last posts that came: the disk is full" in world.ok("status").out


def test_doctor_finds_links_in_place_of_keys_and_follows_those_of_the_data_directory(world: World) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    paths = find_paths(world.home)
    for directory in (paths.data_dir, paths.keys_dir):
        elsewhere = directory.rename(directory.with_name(f"{directory.name}-elsewhere"))
        directory.symlink_to(elsewhere)
    result = world.run("doctor")
    assert result.code == 1
    failed = [line for line in result.out.splitlines() if line.startswith("fail")]
    assert failed, result.out
    assert all(f"{paths.keys_dir} is a symbolic link; run: rm " in line for line in failed)


def test_doctor_finds_a_damaged_store(world: World) -> None:
    world.keep(*discussion())
    database = find_paths(world.home).data_dir / "node.db"
    raw = bytearray(database.read_bytes())
    raw[len(raw) // 2 :] = bytes(len(raw) - len(raw) // 2)
    database.write_bytes(raw)
    assert checks(world)["store"] == "fail"
    database.write_bytes(b"not a database" * 1000)
    assert checks(world)["store"] == "fail"
    assert world.run("boards").code == 1
    assert world.run("boards").err.startswith("error: ")


def test_doctor_finds_a_port_in_use(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = world.home / "config.toml"
        config.write_text(config.read_text() + f'listen = ["/ip4/127.0.0.1/tcp/{taken.getsockname()[1]}"]\n')
        result = world.run("doctor")
    assert result.code == 1
    assert "in use" in result.out


def test_doctor_and_a_bad_config(world: World) -> None:
    (world.home / "config.toml").write_text("nonsense = 1")
    result = world.run("doctor")
    assert result.code == 1
    assert 'unknown key "nonsense"' in result.out
    for command in ("status", "threads"):
        result = world.run(command)
        assert result.code == 2
        assert str(world.home / "config.toml") in result.err


def test_doctor_and_the_clock(world: World) -> None:
    world.keep(post("ada", "From tomorrow", subject="S", hour=HOUR + 30))
    assert checks(world)["clock"] == "fail"


# --- init, passphrases --------------------------------------------------------------------------------


def test_init(world: World) -> None:
    (world.home / "config.toml").unlink()
    result = world.ok("init", "--no-passphrase")
    assert result.out.startswith(
        f"Made   config    {world.home}/config.toml\nMade   keystore  {world.home}/keys/"
    )
    assert "no passphrase" in result.err
    assert "Next: p2pforum run" in result.out
    assert world.ok("status").code == 0  # the template is a config
    again = world.ok("init", "--no-passphrase")
    assert again.out.startswith(f"Kept   config    {world.home}/config.toml\nKept   keystore")
    for name in ("data", "keys"):
        assert stat.S_IMODE((world.home / name).stat().st_mode) == 0o700


@pytest.mark.slow
def test_init_with_a_passphrase_from_a_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = world.home / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o600)
    monkeypatch.setenv("P2PFORUM_PASSPHRASE_FILE", str(secret))
    assert "Made   keystore" in world.ok("init").out
    assert Keystore(find_paths(world.home).keys_dir).is_encrypted
    assert "sealed with a passphrase" in world.ok("status").out
    made = world.ok("post", "library", "-s", "S", "--json", stdin="Text").json
    assert "you" not in world.ok("read", made["id"]).out, "reading asks for no passphrase"
    secret.write_text("wrong horse\n")
    result = world.run("post", "library", "-s", "S", stdin="Text")
    assert result.code == 1
    assert "the passphrase does not open this keystore" in result.err
    secret.chmod(0o644)
    assert "chmod 600" in world.run("post", "library", "-s", "S", stdin="Text").err


@pytest.mark.slow
def test_passphrases_on_a_terminal(world: World) -> None:
    terminal = Terminal("init")
    for prompt in ("New passphrase", "Repeat the passphrase"):
        terminal.wait_for(prompt)
        terminal.type("correct horse\n")
    assert terminal.end() == 0, terminal.screen
    assert "correct horse" not in terminal.screen
    assert Keystore(find_paths(world.home).keys_dir).is_encrypted
    terminal = Terminal("init")
    assert terminal.end() == 0
    assert "Kept   keystore" in terminal.screen
    text = world.home / "text"
    text.write_text("Text")
    terminal = Terminal("post", "library", "-s", "S", "-F", str(text))
    terminal.wait_for("Passphrase: ")
    terminal.type("wrong\n")
    assert terminal.end() == 1
    assert "does not open this keystore" in terminal.screen
    terminal = Terminal("post", "library", "-s", "S", "-F", str(text))
    terminal.wait_for("Passphrase: ")
    terminal.type("correct horse\n")
    assert terminal.end() == 0, terminal.screen


def test_a_mistyped_new_passphrase(world: World) -> None:
    world.ok("post", "library", "-s", "S", stdin="Text")
    terminal = Terminal("init")
    terminal.wait_for("New passphrase")
    terminal.type("correct horse\n")
    terminal.wait_for("Repeat the passphrase")
    terminal.type("correct hose\n")
    assert terminal.end() == 1
    assert "the two passphrases differ" in terminal.screen
    assert not Keystore(find_paths(world.home).keys_dir).is_encrypted


# --- where my posts are ---------------------------------------------------------------------------------


def test_outbox_without_anything(world: World) -> None:
    assert world.ok("outbox").out == "You have written nothing here.\n"
    assert world.ok("outbox", "--json").json == []


def test_outbox_waiting_travelling_public(world: World) -> None:
    theirs = post("ada", "Not mine.", subject="Not mine")
    world.keep(theirs, released=False)
    made = world.ok("post", "library", "-s", "A subject of mine", "--json", stdin="Text").json
    assert [(row["id"], row["state"]) for row in world.ok("outbox", "--json").json] == [
        (made["id"], "waiting")
    ]
    result = world.run("outbox")
    assert "waiting  " in result.out
    assert "A subject of mine" in result.out
    assert "Not mine" not in result.out, "what passes through"
    assert "when the node runs: p2pforum run" in result.err
    with world.node() as node:
        assert world.ok("outbox").out.startswith("waiting  "), "the node holds it back"
        node.facts["stem"] = {"own": 1}
        assert world.ok("outbox").out.startswith("travelling  ")
    _release(world)
    assert world.ok("outbox").out.startswith("public  ")
    answered = world.ok("reply", made["id"], "--json", stdin="More by the same key").json
    states = {row["id"]: row["state"] for row in world.ok("outbox", "--json").json}
    assert states == {made["id"]: "public", answered["id"]: "waiting"}
    short = world.run("outbox", "--limit", "0")
    assert "public" not in short.out
    assert "1 more public post" in short.err


def test_outbox_names_what_has_no_text(world: World) -> None:
    made = world.ok("post", "library", "-s", "Soon gone", "--json", stdin="Text").json
    (key,) = Keystore(find_paths(world.home).keys_dir).read().keys.values()
    root = parse_id(made["id"])
    fields = Payload(Kind.RETRACT, "library", root, (root,), HOUR, (root,), blank_stamp(0))
    world.keep(sign(fields, key.seed, key.public, PARAMS))
    assert "(retract)" in world.ok("outbox").out


def test_outbox_says_how_many_peers_had_a_post_when_it_left(world: World) -> None:
    """From the keystore alone; without a count from the node it says nothing (the control)."""
    made = world.ok("post", "library", "-s", "Counted by nobody", "--json", stdin="Text").json
    (row,) = world.ok("outbox", "--json").json
    assert row["held_by_at_least"] is None
    assert "had it" not in world.ok("outbox").out
    with world.node():
        counted = world.ok("reply", made["id"], "--listen", "1", "--json", stdin="Counted").json
    held = {row["id"]: row["held_by_at_least"] for row in world.ok("outbox", "--json").json}
    assert held == {made["id"]: None, counted["id"]: 1}, "who was handed it may have refused it"
    assert world.ok("outbox").out.count("\n  at least 1 peer had it\n") == 1
    world.ok("key", "burn", "--yes", "--thread", made["id"])
    assert "had it" not in world.ok("outbox").out


def _release(world: World) -> None:
    with open_store(find_paths(world.home).data_dir, PARAMS) as store:
        store.release([decode(raw, PARAMS).id for raw in store.unreleased()])


def test_status_says_how_many_posts_travel(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stem = {"own": 2, "relayed": 1, "guards": 2, "guards_connected": 1, "counts": {}}
    plain = SmallNode.status
    monkeypatch.setattr(SmallNode, "status", lambda node: plain(node) | {"stem": stem})
    with world.node():
        assert "own posts 2 posts travelling\n" in world.ok("status").out
        stem["own"] = stem["guards"] = 0
        assert "own posts none travelling; no guard is known yet" in world.ok("status").out
        (world.home / "config.toml").write_text(CONFIG + "hide_origin = false\n")
        assert "own posts sent openly, so every peer can guess" in world.ok("status").out
