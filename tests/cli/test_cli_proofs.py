"""`prove` and `check-proof`, through the commands themselves."""

from pathlib import Path

import pytest
from cli_world import World, post
from nacl.bindings import crypto_sign_seed_keypair

from p2pforum.config import find_paths
from p2pforum.core.kinds import Kind
from p2pforum.core.post_id import format_id, short_id
from p2pforum.keystore.contents import AuthorKey, new_key
from p2pforum.keystore.keystore import Keystore


def key_of(author: str, name: str = "") -> AuthorKey:
    return new_key(author.encode().ljust(32, b".")[:32], b"", name, 1)


def give(world: World, *keys: AuthorKey) -> None:
    box = Keystore(find_paths(world.home).keys_dir)
    if not box.exists:
        box.create(None)
    with box.transaction() as contents:
        for key in keys:
            contents.keys[key.public] = key


def written(world: World, text: str) -> str:
    path = world.home / "proof.txt"
    path.write_text(text)
    return str(path)


@pytest.fixture
def ada(world: World) -> World:
    give(world, key_of("ada", "Ada"), key_of("eve", "Eve"))
    return world


@pytest.fixture
def bob(tmp_path: Path, world: World) -> World:
    home = tmp_path / "bob"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text((world.home / "config.toml").read_text())
    other = World(home)
    give(other, key_of("bob", "Bob"))
    return other


def as_bob(bob: World, *arguments: str, stdin: str = "") -> "object":
    return bob.run("--home", str(bob.home), *arguments, stdin=stdin)


BOB = format_id(key_of("bob").public)
LINKED = sorted(format_id(key_of(name).public) for name in ("ada", "eve"))


def test_a_public_proof_convinces_everybody(ada: World, bob: World) -> None:
    result = ada.ok("prove", "Ada", "Eve")
    assert result.out.startswith("p2pforum-link-1:")
    assert result.out.count("\n") == 1
    assert "for ever" in result.err
    checked = as_bob(bob, "check-proof", "-", "--json", stdin=f"See:\n\n> {result.out}\nBye.")
    assert checked.code == 0
    assert checked.json == {
        "kind": "public",
        "convinces": True,
        "problem": None,
        "keys": LINKED,
        "reader": None,
    }
    assert "tells everybody" in as_bob(bob, "check-proof", written(bob, result.out)).out


def test_a_private_proof_convinces_its_reader_alone(ada: World, bob: World) -> None:
    result = ada.ok("prove", "Ada", "Eve", "--to", BOB)
    assert "only the holder" in result.err
    file = written(bob, result.out)
    checked = as_bob(bob, "check-proof", file, "--json")
    assert (checked.code, checked.json["convinces"], checked.json["keys"]) == (0, True, LINKED)
    assert "tells you alone" in as_bob(bob, "check-proof", file).out
    checked = ada.run("check-proof", file, "--json")  # the same bytes, and another reader
    assert (checked.code, checked.json["convinces"]) == (5, False)
    assert "so it shows you nothing" in ada.run("check-proof", file).out


def test_what_the_reader_made_up_looks_the_same_to_others(ada: World, bob: World) -> None:
    real = ada.ok("prove", "Ada", "Eve", "--to", BOB).out
    made_up = as_bob(bob, "prove", *LINKED, "--to", "Bob", "--as-reader").out
    assert len(real) == len(made_up)
    seen = [ada.run("check-proof", written(ada, proof), "--json") for proof in (real, made_up)]
    assert seen[0] == seen[1]
    seen = [as_bob(bob, "check-proof", written(bob, proof), "--json") for proof in (real, made_up)]
    assert seen[0] == seen[1]


def test_the_reader_may_be_named_by_a_whole_post_and_by_no_beginning(ada: World) -> None:
    said = post("bob", "Prove it.", subject="Well")
    ada.keep(said)
    proof = ada.ok("prove", "Ada", "Eve", "--to", format_id(said.id), "--json").json["proof"]
    checked = ada.run("check-proof", written(ada, proof), "--json").json
    assert checked["reader"] == BOB
    refused = ada.run("prove", "Ada", "Eve", "--to", short_id(said.id))
    assert (refused.code, "an attacker can make an ID that begins the same" in refused.err) == (5, True)
    assert ada.run("prove", "Ada", "Eve", "--to", "z" * 51 + "0").code == 3


def test_a_published_key_convinces_nobody(ada: World, bob: World) -> None:
    public, private = ada.ok("prove", "Ada", "Eve").out, ada.ok("prove", "Ada", "Eve", "--to", BOB).out
    root = post("bob", "Hello.", subject="Hi")
    seed = b"bob".ljust(32, b".")
    assert crypto_sign_seed_keypair(seed)[0] == root.author
    for world in (ada, bob):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("P2PFORUM_HOME", str(world.home))
            world.keep(root, post("bob", "", to=[root], kind=Kind.REVEAL, content=(seed,)))
    checked = as_bob(bob, "check-proof", written(bob, private), "--json")
    assert (checked.code, checked.json["problem"]) == (
        5,
        "your key was published, so anybody can have made this proof",
    )
    assert as_bob(bob, "check-proof", written(bob, public)).code == 0  # the two keys were not
    refused = ada.run("prove", "Ada", "Eve", "--to", BOB)
    assert (refused.code, "would convince nobody" in refused.err) == (5, True)
    mine = post("ada", "Hello.", subject="Hi")
    bob.keep(mine, post("ada", "", to=[mine], kind=Kind.REVEAL, content=(b"ada".ljust(32, b"."),)))
    assert as_bob(bob, "check-proof", written(bob, public)).code == 5


def test_bad_ones_and_none(ada: World) -> None:
    proof = ada.ok("prove", "Ada", "Eve").out.strip()
    broken = proof[:-4] + ("AAAA" if proof[-4:] != "AAAA" else "BBBB")
    checked = ada.run("check-proof", written(ada, f"{proof}\n{broken}"), "--json")
    assert checked.code == 5
    assert checked.out.count('"convinces": true') == checked.out.count('"convinces": false') == 1
    assert ada.run("check-proof", written(ada, "No proof.")).code == 3
    assert ada.run("check-proof", "no-such-file").code == 3
    assert ada.run("prove", "Ada", "Ada").code == 5
    assert ada.run("prove", "Ada", "Nobody").code == 3
    assert ada.run("prove", "Ada", "Eve", "--as-reader").code == 2
