"""`p2pforum status`: what runs, what is kept here, and where."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from p2pforum.app import facts
from p2pforum.app.clock import is_unconfirmed
from p2pforum.app.session import tilde
from p2pforum.cli.backlog import UNCONFIRMED
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.terminal import options, render
from p2pforum.core import limits

if TYPE_CHECKING:
    from p2pforum.api.answers import BookStatus, NodeStatus, StemStatus
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
        from p2pforum.app.status_shapes import status_shape

        context.console.json(status_shape(found, context.session.paths))
    else:
        _print(context, found)


def _print(context: Context, found: "Status") -> None:
    console = context.console

    def row(label: str, text: str) -> None:
        console.print(f"{console.style(label.ljust(9), 'dim')} {text}")

    for label, text in _node_rows(context, found.node):
        row(label, text)
    row("network", found.network + (" (a test network: no stamps)" if found.is_test else ""))
    row("store", _store_text(found.store))
    for trouble in _troubles(found):
        row("trouble", console.style(render.line(trouble), "red"))
    row("keystore", _keystore_text(found.keystore))
    if kept := found.keystore.drafts:
        row("drafts", f"{len(kept)} kept; to see them: {context.command('drafts')}")
    paths = context.session.paths
    row("data", tilde(paths.data_dir))
    row("keys", tilde(paths.keys_dir))
    row("config", tilde(paths.config_file) + ("" if paths.config_file.exists() else " (not there: defaults)"))


def _node_rows(context: Context, node: "NodeStatus | None") -> Iterator[tuple[str, str]]:
    if node is None:
        yield "node", f"not running; to start it: {context.command('run')}"
        return
    peers = options.count(node["peers"], "peer")
    yield "node", f"{context.console.style('running', 'green')}, {peers} connected"
    yield from _reach_rows(context, node)
    if (lan := node["lan"]) is not None:
        yield "lan", f"{options.count(lan['found'], 'node')} found in the local network"
    yield "own posts", _stem_text(context, node["stem"])


def _reach_rows(context: Context, node: "NodeStatus") -> Iterator[tuple[str, str]]:
    """How peers reach this node, and how it dials; and whether its clock prevents that."""
    for address in node["addresses"]:
        yield "address", render.line(address)
    if problem := node["clock"]["problem"]:
        yield "clock", render.line(problem)
    elif is_unconfirmed(context.session):
        yield "clock", UNCONFIRMED
    yield "outbound", _book_text(node["book"])
    if node["proxy"]:
        yield "proxy", f"all connections go through {render.line(node['proxy'])}, or fail"
    for address in node["announced"]:
        yield "announced", f"{render.line(address)}, to everybody"
    if context.session.config.map_port and not any(
        address.startswith("/ip4/") for address in node["announced"]
    ):
        yield "map_port", "the router opened no port when the node started; its log says why"


def _book_text(book: "BookStatus") -> str:
    """Connections that this node chose, and what it knows to choose from."""
    known = f"{book['tried']} reached before, {book['new']} only heard of"
    return f"{book['outbound']} of {book['wanted']} connections; in the address book: {known}"


def _stem_text(context: Context, stem: "StemStatus") -> str:
    if not context.session.config.hide_origin:
        return "sent openly, so every peer can guess that you wrote them (hide_origin is false)"
    text = f"{options.count(stem['own'], 'post')} travelling" if stem["own"] else "none travelling"
    if not stem["guards"]:
        text += "; no guard is known yet: until this node dials a peer, it sends your posts openly"
    return text


def _troubles(found: "Status") -> Iterator[str]:
    """What keeps posts from being kept, or soon will."""
    if found.node is not None and found.node["trouble"]:
        yield f"the node could not keep the last posts that came: {found.node['trouble']}"
    if found.free < limits.STORE_ROOM:
        yield f"only {found.free / 1_000_000:,.0f} MB free on the disk: make room before posts are refused"


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
