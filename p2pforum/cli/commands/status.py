"""`p2pforum status`: what runs, what is kept here, and where."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from p2pforum.app.clock import unconfirmed
from p2pforum.cli.context import Context, pass_context, tilde
from p2pforum.cli.terminal import options, render
from p2pforum.core import limits
from p2pforum.core.errors import KeystoreError, NodeUnreachable
from p2pforum.core.network_params import is_test_network
from p2pforum.core.post_id import SHORT
from p2pforum.store.room import free_bytes

if TYPE_CHECKING:
    from p2pforum.keystore.keystore import Keystore


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """Show what runs and what is kept here.

    Works with and without a running node.
    """
    found = {
        "node": _node(context),
        "network": {
            "name": context.session.config.network,
            "test": is_test_network(context.session.config.network),
        },
        "store": {
            **asdict(context.session.reader.statistics()),
            "free": free_bytes(context.session.paths.data_dir),
        },
        "keystore": _keystore(context),
        "paths": {
            "data": str(context.session.paths.data_dir),
            "keys": str(context.session.paths.keys_dir),
            "config": str(context.session.paths.config_file),
            "socket": str(context.session.paths.socket_path),
        },
    }
    if as_json:
        context.console.json(found)
    else:
        _print(context, found)


def _idle(context: Context, box: "Keystore") -> dict[str, Any]:
    from p2pforum.cli.keys import idle_warning
    from p2pforum.forum.expiry import count_near_end

    idle = idle_warning(count_near_end(box.read(), context.session.now()))
    return {"idle": idle} if idle else {}


def _unlocked(context: Context) -> dict[str, Any]:
    """What shows only while an agent runs; `seconds` until it locks."""
    from p2pforum.agent.client import ask_status
    from p2pforum.app.unlocking import open_keystore
    from p2pforum.cli.keys import contents_without_asking

    status = ask_status(context.session.paths.keystore_file)
    if status is None or contents_without_asking(context) is None:
        return {"outbox": None, "drafts": None}
    box = open_keystore(context.session)
    return {"unlocked": {"seconds": status.idle}, **_counts(box), **_idle(context, box)}


def _node(context: Context) -> dict[str, Any]:
    try:
        return {"running": True, **context.session.node.status()}
    except NodeUnreachable:
        return {"running": False}


def _keystore(context: Context) -> dict[str, Any]:
    """`outbox` (a count) and `drafts` (places) are None where a passphrase would be needed to know."""
    from p2pforum.app.unlocking import open_keystore

    box = open_keystore(context.session)
    try:
        if not box.exists:
            return {"exists": False, "encrypted": False, "outbox": 0, "drafts": []}
        if box.is_encrypted:
            return {"exists": True, "encrypted": True, **_unlocked(context)}
        return {"exists": True, "encrypted": False, **_counts(box), **_idle(context, box)}
    except KeystoreError as error:
        return {"exists": True, "encrypted": None, "outbox": None, "drafts": None, "error": str(error)}


def _counts(box: "Keystore") -> dict[str, Any]:
    contents = box.read()
    return {"outbox": len(contents.outbox), "drafts": list(contents.drafts)}


def _print(context: Context, found: dict[str, Any]) -> None:
    console = context.console

    def row(label: str, text: str) -> None:
        console.print(f"{console.style(label.ljust(9), 'dim')} {text}")

    for label, text in _node_rows(context, found["node"]):
        row(label, text)
    network = found["network"]
    row("network", network["name"] + (" (a test network: no stamps)" if network["test"] else ""))
    row("store", _store_text(found["store"]))
    for trouble in _troubles(found):
        row("trouble", console.style(render.line(trouble), "red"))
    row("keystore", _keystore_text(found["keystore"]))
    for place in found["keystore"]["drafts"] or ():
        row("draft", _draft_text(context, place))
    paths = context.session.paths
    row("data", tilde(paths.data_dir))
    row("keys", tilde(paths.keys_dir))
    row("config", tilde(paths.config_file) + ("" if paths.config_file.exists() else " (not there: defaults)"))


def _node_rows(context: Context, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not node["running"]:
        yield "node", f"not running; to start it: {context.command('run')}"
        return
    peers = options.count(node.get("peers", 0), "peer")
    yield "node", f"{context.console.style('running', 'green')}, {peers} connected"
    yield from _reach_rows(context, node)
    if node.get("lan"):
        yield "lan", f"{options.count(node['lan']['found'], 'node')} found in the local network"
    if "stem" in node:
        yield "own posts", _stem_text(context, node["stem"])


def _reach_rows(context: Context, node: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Where others come in, and by what way this node goes out; and if its clock keeps it from that."""
    for address in node.get("addresses", []):
        yield "address", render.line(str(address))
    if node.get("clock", {}).get("problem"):
        yield "clock", render.line(str(node["clock"]["problem"]))
    elif reason := unconfirmed(context.session):
        yield "clock", reason
    if "book" in node:
        yield "outbound", _book_text(node["book"])
    if node.get("proxy"):
        yield "proxy", f"all is dialled through {render.line(str(node['proxy']))}, or not at all"
    announced = [str(address) for address in node.get("announced", [])]
    for address in announced:
        yield "announced", f"{render.line(address)}, to everybody"
    if context.session.config.map_port and not any(address.startswith("/ip4/") for address in announced):
        yield "map_port", "the router opened no port when the node started; its log says why"


def _book_text(book: dict[str, int]) -> str:
    """Connections that this node chose, and what it knows to choose from."""
    known = f"{book['tried']} reached before, {book['new']} heard of"
    return f"{book['outbound']} of {book['wanted']} connections; in the address book: {known}"


def _stem_text(context: Context, stem: dict[str, Any]) -> str:
    if not context.session.config.hide_origin:
        return "go straight to all peers: hide_origin is false in the config file"
    own = int(stem["own"])
    text = f"{options.count(own, 'post')} travelling" if own else "none travelling"
    if not stem["guards"]:
        text += "; no guard is known yet: while no peer was dialled they leave from here, at once"
    return text


def _store_text(store: dict[str, Any]) -> str:
    counted = [options.count(store[unit + "s"], unit) for unit in ("post", "thread", "board")]
    text = "{} in {} on {}".format(*counted)
    return f"{text}, {store['size'] / 1_000_000:.1f} MB"


def _troubles(found: dict[str, Any]) -> Iterator[str]:
    """What keeps posts from being kept, or soon will."""
    if found["node"].get("trouble"):
        yield f"the node could not keep the last posts that came: {found['node']['trouble']}"
    free = found["store"]["free"]
    if free < limits.STORE_ROOM:
        yield f"only {free / 1_000_000:,.0f} MB free on the disk: make room before posts are refused"


def _keystore_text(box: dict[str, Any]) -> str:
    if "error" in box:
        return render.line(box["error"])
    if not box["exists"]:
        return "none yet; the first post makes one"
    text = "sealed with a passphrase" if box["encrypted"] else "without a passphrase"
    if "unlocked" in box:
        minutes = options.count(max(1, box["unlocked"]["seconds"] // 60), "minute")
        text += f"; unlocked until it is not used for {minutes}"
    if "idle" in box:
        text += f"; {box['idle']}"
    if box["outbox"]:
        text += f"; {box['outbox']} signed and not handed in yet"
    return text


def _draft_text(context: Context, place: str) -> str:
    """The command that goes on with it; `place` is one of forum/drafts.py."""
    kind, _, where = place.partition(" ")
    if kind == "board":
        return context.command(f"post {where}")
    return context.command(f"{kind} {where[:SHORT]}")
