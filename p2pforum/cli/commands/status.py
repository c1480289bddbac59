"""`p2pforum status`: what runs, what is kept here, and where."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from p2pforum.app import facts
from p2pforum.app.clock import unconfirmed
from p2pforum.app.session import tilde
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.core.post_id import SHORT

if TYPE_CHECKING:
    from p2pforum.app.facts import KeystoreFacts, Status
    from p2pforum.store.statistics import StoreStatistics


@click.command()
@options.as_json
@pass_context
def command(context: Context, as_json: bool) -> None:
    """Show what runs and what is kept here.

    The command works with and without a running node.
    """
    found = facts.status(context.session)
    if as_json:
        context.console.json(_json(context, found))
    else:
        _print(context, found)


def _json(context: Context, found: "Status") -> dict[str, Any]:
    paths = context.session.paths
    return {
        "node": {"running": found.node is not None, **(found.node or {})},
        "network": {"name": found.network, "test": found.is_test},
        "store": {**asdict(found.store), "free": found.free},
        "keystore": asdict(found.keystore),
        "paths": {
            "data": str(paths.data_dir),
            "keys": str(paths.keys_dir),
            "config": str(paths.config_file),
            "socket": str(paths.socket_path),
        },
    }


def _print(context: Context, found: "Status") -> None:
    console = context.console

    def row(label: str, text: str) -> None:
        console.print(f"{console.style(label.ljust(9), 'dim')} {text}")

    for label, text in _node_rows(context, found.node):
        row(label, text)
    row("network", found.network + (" (a test network: no stamps)" if found.is_test else ""))
    row("store", _store_text(found.store))
    for trouble in facts.troubles(found):
        row("trouble", console.style(render.line(trouble), "red"))
    row("keystore", _keystore_text(found.keystore))
    for destination in found.keystore.drafts or ():
        row("draft", _draft_text(context, destination))
    paths = context.session.paths
    row("data", tilde(paths.data_dir))
    row("keys", tilde(paths.keys_dir))
    row("config", tilde(paths.config_file) + ("" if paths.config_file.exists() else " (not there: defaults)"))


def _node_rows(context: Context, node: dict[str, Any] | None) -> Iterator[tuple[str, str]]:
    if node is None:
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
    """How peers reach this node, and how it dials; and whether its clock prevents that."""
    for address in node.get("addresses", []):
        yield "address", render.line(str(address))
    if node.get("clock", {}).get("problem"):
        yield "clock", render.line(str(node["clock"]["problem"]))
    elif reason := unconfirmed(context.session):
        yield "clock", reason
    if "book" in node:
        yield "outbound", _book_text(node["book"])
    if node.get("proxy"):
        yield "proxy", f"all connections go through {render.line(str(node['proxy']))}, or fail"
    announced = [str(address) for address in node.get("announced", [])]
    for address in announced:
        yield "announced", f"{render.line(address)}, to everybody"
    if context.session.config.map_port and not any(address.startswith("/ip4/") for address in announced):
        yield "map_port", "the router opened no port when the node started; its log says why"


def _book_text(book: dict[str, int]) -> str:
    """Connections that this node chose, and the addresses it can choose from."""
    known = f"{book['tried']} reached before, {book['new']} only heard of"
    return f"{book['outbound']} of {book['wanted']} connections; in the address book: {known}"


def _stem_text(context: Context, stem: dict[str, Any]) -> str:
    if not context.session.config.hide_origin:
        return "sent openly, so every peer can guess that you wrote them (hide_origin is false)"
    own = int(stem["own"])
    text = f"{options.count(own, 'post')} travelling" if own else "none travelling"
    if not stem["guards"]:
        text += "; no guard is known yet: until this node dials a peer, it sends your posts openly"
    return text


def _store_text(store: "StoreStatistics") -> str:
    counted = ((store.posts, "post"), (store.threads, "thread"), (store.boards, "board"))
    text = "{} in {} on {}".format(*(options.count(number, unit) for number, unit in counted))
    return f"{text}, {store.size / 1_000_000:.1f} MB"


def _keystore_text(box: "KeystoreFacts") -> str:
    if box.error is not None:
        return render.line(box.error)
    if not box.exists:
        return "none yet; the first post makes one"
    text = "sealed with a passphrase" if box.encrypted else "without a passphrase"
    if box.unlocked is not None:
        minutes = options.count(max(1, box.unlocked // 60), "minute")
        text += f"; unlocked, locks after {minutes} without use"
    if box.idle:
        text += f"; {facts.idle_warning(box.idle)}"
    if box.outbox:
        text += f"; {box.outbox} signed, and not at the node yet"
    return text


def _draft_text(context: Context, destination: str) -> str:
    """The command with which the user goes on; `destination` is one of forum/drafts.py."""
    kind, _, where = destination.partition(" ")
    if kind == "board":
        return context.command(f"post {where}")
    return context.command(f"{kind} {where[:SHORT]}")
