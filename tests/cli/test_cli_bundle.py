"""`p2pforum export`, `import` of a bundle, `pin`: with a node and without."""

import hashlib
import json
import sys
from pathlib import Path

import pytest
from cli_world import CONFIG, PARAMS, Result, World, discussion, post
from nacl.bindings import (
    crypto_core_ed25519_scalar_add,
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_scalarmult_ed25519_base_noclamp,
)

from p2pforum.config import find_paths
from p2pforum.core import bundle
from p2pforum.core.bundle import Header, write_bundle
from p2pforum.core.network_params import params_for
from p2pforum.core.post import Post, decode
from p2pforum.core.post_id import format_id
from p2pforum.store.posts import open_store
from p2pforum.store.snapshot import StoredItems


@pytest.fixture
def stick(tmp_path: Path) -> Path:
    """As a USB stick: a directory of its own."""
    (tmp_path / "stick").mkdir()
    return tmp_path / "stick"


class OtherWorld(World):
    def run(self, *arguments: str, stdin: str | bytes = "") -> Result:
        return super().run("--home", str(self.home), *arguments, stdin=stdin)


def other_world(tmp_path: Path) -> World:
    home = tmp_path / "other"
    home.mkdir()
    (home / "config.toml").write_text(CONFIG)
    return OtherWorld(home)


def keys_of(items: StoredItems) -> list[tuple[int, bytes]]:
    return items.keys(0, len(items))


def posts_of(world: World) -> set[bytes]:
    with open_store(find_paths(world.home).data_dir, PARAMS) as store, store.snapshot() as snapshot:
        return {i for board, _ in snapshot.boards() for _, i in keys_of(snapshot.items(board))}


def some_posts() -> list[Post]:
    return [*discussion(), *(post(f"a{n}", f"Number {n}", subject="x", board=f"b{n % 3}") for n in range(40))]


def test_the_same_posts_make_the_same_bytes_on_every_node(world: World, tmp_path: Path) -> None:
    posts = some_posts()
    world.keep(*posts)
    other = other_world(tmp_path)
    for one in reversed(posts):
        other.keep(one)
    for number, here in enumerate((world, other)):
        here.ok("export", "-o", str(tmp_path / f"{number}"))
    first, second = ((tmp_path / f"{n}").read_bytes() for n in (0, 1))
    assert first == second
    ordered = sorted(posts, key=lambda p: (p.payload.board, p.payload.hour, p.id))
    raws = [one.raw for one in ordered]
    assert first == b"".join(write_bundle(Header("test.cli", 4, len(posts)), raws))


def signed_again(one: Post, author: str) -> Post:
    """The same post with another valid signature: who holds the key may choose the nonce as he likes."""
    nonce = crypto_core_ed25519_scalar_reduce(hashlib.sha512(b"another").digest())
    commitment = crypto_scalarmult_ed25519_base_noclamp(nonce)
    secret = bytearray(hashlib.sha512(author.encode().ljust(32, b".")[:32]).digest()[:32])
    secret[0] &= 248
    secret[31] = secret[31] & 127 | 64
    message = hashlib.sha512(commitment + one.author + one._sig_structure).digest()
    challenge = crypto_core_ed25519_scalar_reduce(message)
    secret_mod = crypto_core_ed25519_scalar_reduce(bytes(secret) + bytes(32))
    product = crypto_core_ed25519_scalar_mul(challenge, secret_mod)
    return decode(one.raw[:-64] + commitment + crypto_core_ed25519_scalar_add(nonce, product), PARAMS)


def test_of_two_signatures_the_copy_that_came_first_is_kept_and_exported(
    world: World, tmp_path: Path
) -> None:
    one = post("eve", "Text", subject="S")
    two = signed_again(one, "eve")
    two.verify_signature()
    assert (one.id, one.raw != two.raw) == (two.id, True)
    other = other_world(tmp_path)
    for here, copies in ((world, (one, two)), (other, (two, one))):
        for number, copy in enumerate(copies):
            path = tmp_path / f"copy-{number}"
            path.write_bytes(b"".join(write_bundle(Header(PARAMS.name, 1, 1), [copy.raw])))
            here.ok("import", str(path))
        here.ok("export", "-o", str(tmp_path / f"from-{here.home.name}"))
        kept = (tmp_path / f"from-{here.home.name}").read_bytes()
        assert [copy.raw in kept for copy in copies] == [True, False]


def test_posts_that_are_not_public_stay_out(world: World, tmp_path: Path) -> None:
    """Or the bundle would tell whose it is. The control: released, it is in."""
    own = post("me", "Only mine so far.", subject="Secret")
    world.keep(*discussion())
    before = tmp_path / "before"
    world.ok("export", "-o", str(before))
    world.keep(own, released=False)
    world.ok("export", "-o", str(tmp_path / "with"))
    assert (tmp_path / "with").read_bytes() == before.read_bytes()
    world.keep(own)
    world.ok("export", "-o", str(tmp_path / "public"))
    assert own.raw in (tmp_path / "public").read_bytes()


@pytest.mark.parametrize("running", [True, False], ids=["with a node", "without"])
def test_a_bundle_goes_from_node_to_node(world: World, tmp_path: Path, stick: Path, running: bool) -> None:
    posts = some_posts()
    world.keep(*posts)
    world.ok("export", "-o", str(stick / "bundle"))
    assert [file.name for file in stick.iterdir()] == ["bundle"]
    other = other_world(tmp_path)
    if running:
        with other.node():
            result = other.ok("import", str(stick / "bundle"))
            again = other.ok("import", str(stick / "bundle"), "--json")
    else:
        result = other.ok("import", str(stick / "bundle"))
        again = other.ok("import", str(stick / "bundle"), "--json")
    assert f"{len(posts)} new posts" in result.out
    assert again.json["stored"] == 0
    assert again.json["duplicate"] == len(posts)
    assert posts_of(other) == {one.id for one in posts}


def test_through_pipes(world: World, tmp_path: Path) -> None:
    world.keep(*discussion())
    program = [sys.executable, "-c", "from p2pforum.cli.main import main; main()"]
    import subprocess

    root = str(Path(__file__).parents[2])
    written = subprocess.run(
        [*program, "--home", str(world.home), "export"], capture_output=True, cwd=root, timeout=60, check=True
    )
    assert written.stdout.startswith(bundle.MAGIC)
    other = other_world(tmp_path)
    result = other.ok("import", "-", stdin=written.stdout)
    assert "5 new posts" in result.out


def test_parts(world: World, tmp_path: Path) -> None:
    posts = some_posts()
    world.keep(*posts)
    out = tmp_path / "out"
    world.ok("export", "--board", "b1", "-o", str(out))
    part = [one for one in posts if one.payload.board == "b1"]
    raws = [one.raw for one in sorted(part, key=lambda p: (p.payload.hour, p.id))]
    assert out.read_bytes() == b"".join(write_bundle(Header("test.cli", 1, len(part)), raws))
    world.ok("export", "--thread", format_id(posts[2].id), "-o", str(out))  # of a reply
    thread = sorted(discussion(), key=lambda p: (p.payload.hour, p.id))
    assert out.read_bytes() == b"".join(write_bundle(Header("test.cli", 1, 5), [p.raw for p in thread]))
    assert world.run("export", "--board", "nothing", "-o", str(out)).code == 3
    assert world.run("export", "--board", "b1", "--thread", "x").code == 2


def test_json_lines(world: World) -> None:
    world.keep(*discussion())
    lines = [json.loads(line) for line in world.ok("export", "--jsonl").out.splitlines()]
    assert [line["id"] for line in lines] == [
        format_id(p.id) for p in sorted(discussion(), key=lambda p: (p.payload.hour, p.id))
    ]
    assert lines[0]["subject"] == "A week"


def test_a_cut_bundle_gives_what_it_has_and_the_whole_one_the_rest(world: World, tmp_path: Path) -> None:
    posts = [post(f"a{n}", "x" * 12_000, subject=f"{n}") for n in range(30)]
    world.keep(*posts)
    out = tmp_path / "out"
    world.ok("export", "-o", str(out))
    whole = out.read_bytes()
    other = other_world(tmp_path)
    out.write_bytes(whole[:-150_000])
    cut = other.run("import", str(out))
    assert cut.code == 1
    assert "at byte" in cut.err
    kept = len(posts_of(other))
    assert 0 < kept < 30
    damaged = bytearray(whole)
    damaged[200_000] ^= 1
    assert other.run("import", "-", stdin=bytes(damaged)).code == 1
    rest = other.ok("import", "-", "--json", stdin=whole)
    assert rest.json["duplicate"] >= kept
    assert posts_of(other) == {one.id for one in posts}


def test_forged_posts_harm_nobody(world: World, tmp_path: Path) -> None:
    good = discussion()
    forged = [good[1].raw[:-1] + b"\0", b"nonsense", good[2].raw.replace(b"Same", b"Lame")]
    raws = [good[0].raw, *forged, good[1].raw]
    out = tmp_path / "out"
    out.write_bytes(b"".join(write_bundle(Header("test.cli", 1, 5), raws)))
    result = world.run("import", str(out))
    assert result.code == 5
    assert "3 posts not valid" in result.err
    assert posts_of(world) == {good[0].id, good[1].id}


def test_a_bundle_of_another_network_is_refused(world: World, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.write_bytes(b"".join(write_bundle(Header(params_for("elsewhere").name, 1, 1), [b"x"])))
    result = world.run("import", str(out))
    assert result.code == 5
    assert "elsewhere" in result.err
    assert world.run("import", "-", stdin="text").code == 5


def test_too_old_and_too_early_posts_are_told(world: World, tmp_path: Path) -> None:
    old, early = post("a", "old", subject="o", hour=9), post("b", "early", subject="e", hour=900_000)
    out = tmp_path / "out"
    out.write_bytes(b"".join(write_bundle(Header("test.cli", 1, 2), [old.raw, early.raw])))
    result = world.ok("import", str(out))
    assert "too old" in result.err
    assert "future" in result.err


def test_an_export_that_fails_leaves_nothing(world: World, tmp_path: Path) -> None:
    assert world.run("export", "-o", str(tmp_path / "out")).code == 3
    assert not list(tmp_path.glob("out*"))
    world.keep(*discussion())
    assert world.run("export", "-o", str(tmp_path / "none" / "out")).code == 1


@pytest.mark.parametrize("running", [True, False], ids=["with a node", "without"])
def test_pins(world: World, running: bool) -> None:
    root, reply = discussion()[:2]
    world.keep(root, reply)
    whole = format_id(root.id)

    def check() -> None:
        assert whole in world.ok("pin", format_id(reply.id)).out  # of a reply: its thread
        assert world.ok("pin", whole, "--json").json == {"id": whole, "pinned": True, "changed": False}
        refused = world.run("unpin", whole[:8])
        assert refused.code == 5
        assert whole in refused.err
        assert world.ok("unpin", whole[:8], "--yes", "--json").json["changed"] is True
        assert world.run("pin", "zzzz").code == 3
        assert world.ok("threads", "--pinned").out == "You have pinned no thread.\n"
        assert [row["pinned"] for row in world.ok("threads", "--json").json] == [False]
        for pinned in (whole, format_id(bytes(32))):
            world.ok("pin", pinned)
        assert [row["pinned"] for row in world.ok("threads", "--json").json] == [True]
        listed = world.ok("threads", "--pinned", "--json").json
        assert [(row["id"], row["post_count"], row["pinned"]) for row in listed] == [
            (whole, 2, True),
            (format_id(bytes(32)), 0, True),
        ]
        assert listed[1]["hour"] is None
        assert len(world.ok("threads", "--pinned", "library", "--json").json) == 1
        assert world.ok("threads", "--pinned", "garden").out == "You have pinned no thread of #garden.\n"
        assert world.ok("threads", "--pinned").out.splitlines()[1] == "00000000  (first post not here yet)"

    if running:
        with world.node():
            check()
    else:
        check()
