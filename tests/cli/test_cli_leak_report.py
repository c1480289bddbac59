"""`leak-report`, and what `post` and `reply` remember for it."""

import json

from cli_world import HOUR, World


def test_posts_with_a_node_are_known(world: World) -> None:
    with world.node():
        first = world.ok("post", "library", "-s", "One", "--json", stdin="Text").json
        second = world.ok("reply", first["id"], "--json", "--listen", "1", stdin="More").json
        world.ok("post", "library", "-s", "Once", "--key", "once", stdin="Text")
    report = world.ok("leak-report", "--json").json
    found = {post["id"]: post for post in report["posts"]}
    assert found.keys() == {first["id"], second["id"]}
    assert found[first["id"]] | {"time": ""} == {
        "id": first["id"],
        "hour": HOUR,
        "time": "",
        "handed": 2,
        "listened": 0,
        "told": None,
        "offered_back": None,
    }
    assert (found[second["id"]]["told"], found[second["id"]]["offered_back"]) == (1, 1)
    assert set(report["always"]) == {
        "identify",
        "subscriptions",
        "the connection",
        "the exchange of addresses",
        "sync",
        "the post itself",
    }
    shown = world.ok("leak-report").out
    assert shown.count("handed to 2 peers") == 2
    assert "the one topic that every node joins" in shown
    one = world.ok("leak-report", second["id"][:8]).out
    assert "2 peers got the post from this node" in one
    assert "1 peer offered it back to this node within 1 s" in one


def test_without_a_node_and_of_others_nothing_is_known(world: World) -> None:
    made = world.ok("post", "library", "-s", "One", "--json", stdin="Text").json
    assert world.run("leak-report").code == 3
    result = world.run("leak-report", made["id"])
    assert (result.code, "the keystore does not know" in result.err) == (3, True)
    assert world.run("leak-report", "zzzz").code == 3


def test_it_goes_with_the_key(world: World) -> None:
    with world.node():
        made = json.loads(world.ok("post", "library", "-s", "One", "--json", stdin="Text").out)
    world.ok("leak-report", made["id"])
    world.run("key", "burn", "--yes", "--thread", made["id"])
    assert world.run("leak-report", made["id"]).code == 3


def test_listening_has_a_bound(world: World) -> None:
    assert world.run("post", "library", "-s", "One", "--listen", "31", stdin="Text").code == 2
