"""`p2pforum invite`, `join`, `invites`: made, accepted, taken back."""

import base64
import sys
from hashlib import sha256
from pathlib import Path

import cbor2
import pytest
from cli_world import World

from p2pforum.config import find_paths, load_config
from p2pforum.config.invites import with_invites
from p2pforum.core.invite import PREFIX, Invite, encode_invite
from p2pforum.core.post_id import format_id

ID = "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"
ONE = f"/ip4/192.0.2.1/tcp/4001/p2p/{ID}"
TWO = f"/dns4/example.org/tcp/4001/p2p/{ID}"
KEY = format_id(bytes(range(32)))


def a_line(fields: list[object]) -> str:
    """An invite by hand, of parts of which no invite is made."""
    raw: bytes = cbor2.dumps(fields)
    return PREFIX + base64.urlsafe_b64encode(raw + sha256(raw).digest()[:4]).decode().rstrip("=")


def peers_of(world: World) -> tuple[str, ...]:
    """Whom a node started now would stay in touch with."""
    paths = find_paths(world.home)
    return with_invites(load_config(paths), paths).peers


def test_from_one_person_to_another(world: World, tmp_path: Path) -> None:
    made = world.ok("invite", "--peer", ONE, "--peer", TWO, "--board", "#chess", "--list", KEY)
    file = tmp_path / "an.invite"
    file.write_text(made.out)
    joined = world.ok("join", str(file))
    assert "Accepted." in joined.out
    assert "run" in joined.err
    assert peers_of(world) == (TWO, ONE)
    (listed,) = world.ok("invites", "--json").json
    expected = {"network": "test.cli", "peers": [TWO, ONE], "boards": ["chess"], "lists": [KEY]}
    assert listed == {"name": listed["name"], **expected}
    assert "#chess" in world.ok("boards").out
    assert world.ok("boards", "--json").json == [
        {"board": "chess", "thread_count": 0, "post_count": 0, "hour": None, "time": None}
    ]
    world.ok("invites", "--drop", listed["name"])
    assert peers_of(world) == ()
    assert "no invite yet" in world.ok("invites").out


def test_the_habits_of_who_makes_it_do_not_show(world: World) -> None:
    usual = world.ok("invite", "--peer", f"/ip6/2001:db8::1/tcp/4001/p2p/{ID}", "--peer", TWO).out
    other = world.ok(
        "invite",
        "--peer",
        f"/dns4/Example.ORG./tcp/4001/p2p/{ID}",
        "--peer",
        f"/ip6/2001:0DB8:0:0:0:0:0:1/tcp/4001/p2p/{ID}",
    ).out
    assert usual == other


def test_an_onion_service_passes_from_one_to_another(world: World) -> None:
    onion = "/onion3/csg6trnhurgrtzlm3gxbuvkl6z4epl5qywhw4ex2fgwh3x6ktfajf5yd:4001"
    onion += f"/p2p/{ID}"
    made = world.ok("invite", "--peer", onion).out.strip()
    assert onion in world.ok("join", made).out
    assert peers_of(world) == (onion,)


def test_a_line_of_unusual_habits_is_refused(world: World) -> None:
    """It could mark through whom it came."""
    odd = a_line([1, "test.cli", [TWO.replace("example", "Example")], [], []])
    assert "unusual" in world.run("join", odd).err
    assert peers_of(world) == ()


def test_from_standard_input_as_a_line_and_twice(world: World) -> None:
    made = world.ok("invite", "--peer", ONE).out
    assert world.ok("join", "-", "--json", stdin=made).json["new"] is True
    assert world.ok("join", made.strip(), "--json").json["new"] is False
    assert "before" in world.ok("join", made.strip()).out
    assert peers_of(world) == (ONE,)


def test_show_accepts_nothing(world: World) -> None:
    made = world.ok("invite", "--peer", ONE).out.strip()
    assert ONE in world.ok("join", "--show", made).out
    assert world.ok("join", "--show", "--json", made).json["peers"] == [ONE]
    assert peers_of(world) == ()


def test_without_a_choice_it_names_whom_this_node_was_told(world: World) -> None:
    assert "the invite needs a node to name" in world.run("invite").err
    world.ok("join", world.ok("invite", "--peer", ONE, "--peer", TWO).out.strip())
    assert world.ok("invite", "--json").json["peers"] == [TWO, ONE]


def test_this_node_is_named_only_when_asked(world: World) -> None:
    own = f"/ip4/192.0.2.9/tcp/4001/p2p/{ID}"
    with world.node() as node:
        node.facts |= {"peer_id": ID, "addresses": [own, f"/ip4/0.0.0.0/tcp/4001/p2p/{ID}"]}
        assert world.ok("invite", "--peer", ONE, "--json").json["peers"] == [ONE]
        made = world.ok("invite", "--self", "--json")
        assert made.json["peers"] == [own]
        assert "names this node" in made.err
        node.facts["announced"] = ["/ip4/203.0.113.7/tcp/4001"]
        made = world.ok("invite", "--self", "--peer", ONE, "--json")
        assert made.json["peers"] == [ONE, f"/ip4/203.0.113.7/tcp/4001/p2p/{ID}"]
        node.facts |= {"announced": [], "addresses": [f"/ip4/0.0.0.0/tcp/4001/p2p/{ID}"]}
        assert "announce" in world.run("invite", "--self").err


def test_this_node_is_named_as_it_runs_and_not_as_the_config_file_is_by_now(world: World) -> None:
    """A new onion address and the peer ID that the node had before its proxy would be joined in invites."""
    with world.node() as node:
        node.facts |= {"peer_id": ID, "addresses": [ONE], "announced": []}
        with (world.home / "config.toml").open("a") as file:
            file.write('announce = ["/ip4/203.0.113.7/tcp/4001"]\n')
        assert world.ok("invite", "--self", "--json").json["peers"] == [ONE]
        node.facts |= {"addresses": [f"/ip4/127.0.0.1/tcp/4001/p2p/{ID}"], "proxy": "socks5://127.0.0.1:9050"}
        assert "announce" in world.run("invite", "--self").err


def test_a_running_node_hears_of_it_at_once(world: World) -> None:
    made = world.ok("invite", "--peer", ONE).out.strip()
    with world.node() as node:
        assert world.ok("join", made, "--json").json["running"] is True
        assert node.reloads == 1
        (listed,) = world.ok("invites", "--json").json
        world.ok("invites", "--drop", listed["name"])
        assert node.reloads == 2


@pytest.mark.parametrize(
    ("invite", "said"),
    [
        (Invite("p2pforum", peers=(ONE,)), "belongs to test.cli"),
        (Invite("test.cli2", (ONE,)), "belongs to test.cli"),
    ],
)
def test_what_can_not_be_accepted(world: World, invite: Invite, said: str) -> None:
    result = world.run("join", encode_invite(invite))
    assert result.code
    assert said in result.err
    assert not find_paths(world.home).invites_dir.exists()


def test_what_is_no_invite(world: World, tmp_path: Path) -> None:
    assert "No such file" in world.run("join", str(tmp_path / "none")).err
    (tmp_path / "image").write_bytes(bytes(range(256)) * 1_000)
    assert "too long" in world.run("join", str(tmp_path / "image")).err
    assert "damaged" in world.run("join", "-", stdin=world.ok("invite", "--peer", ONE).out[:50]).err
    assert world.run("invites", "--drop", "x").code == 3
    assert world.run("invite", "--peer", "/ip4/192.0.2.1/tcp/4001").code == 1
    assert world.run("invite", "--peer", ONE, "--list", KEY[:8]).code == 2
    assert world.run("invite", "--peer", ONE, "--board", "n o").code == 2


def test_a_damaged_file_of_ours_is_named(world: World) -> None:
    world.ok("join", world.ok("invite", "--peer", ONE).out.strip())
    (file,) = find_paths(world.home).invites_dir.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    file.write_text("p2pforum-invite:AAAA")
    result = world.run("invites")
    assert result.code
    assert file.name in result.err
    assert "remove" in result.err


def test_no_invite_is_read_where_there_is_none(world: World) -> None:
    """Reading commands stay quick."""
    before = sys.modules.pop("p2pforum.core.invite", None)
    try:
        world.ok("boards")
        assert "p2pforum.core.invite" not in sys.modules
    finally:
        if before is not None:
            sys.modules["p2pforum.core.invite"] = before
