"""`p2pforum demo`: three nodes on this machine, a discussion between them, and what each could see."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click

from p2pforum.cli import demo_nodes
from p2pforum.cli.context import Context, pass_context
from p2pforum.cli.demo_nodes import DemoNode
from p2pforum.cli.terminal import options
from p2pforum.core.network_params import DEFAULT_NETWORK
from p2pforum.core.post import Post
from p2pforum.forum.minting import seconds_for

_BOARD = "demo"
_SUBJECT = "What should a social network know about you?"
_OPENING = (
    "The free model pays for itself with personal data. Can peer-to-peer networks do without?\n"
    "Whoever runs a server can rank, sell and silence what goes through it."
)
# Node, and the earlier posts (by number) that it answers.
_REPLIES: Sequence[tuple[int, tuple[int, ...], str]] = (
    (
        1,
        (0,),
        "They can, if they start from one rule: never identify the person.\n"
        "Identifying moves power from people to the system.",
    ),
    (2, (0,), "And who keeps the spam out, if nobody knows anybody?"),
    (0, (1, 2), "Each post costs its author some work, and each reader decides what to hide."),
)
_LATE = "I was away while you wrote this. Now I have read all of it."


@click.command()
@click.option("--keep", is_flag=True, help="Keep the three nodes' directories and say where they are.")
@pass_context
def command(context: Context, keep: bool) -> None:
    """Run three nodes on this machine that share a thread.

    The command starts three real nodes on the loopback interface and lets three pseudonyms discuss.
    Then it stops one node, starts it again, and prints the thread as that node reads it. Last it prints
    what each node could see of the authors, and how long a stamp takes on this machine: the posts of
    the demo carry none. It does not touch your own node, keys and posts.
    """
    console = context.console
    began = time.monotonic()
    with ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="p2pforum-demo-"))
        if not keep:
            stack.callback(demo_nodes.remove, home)
        nodes = [stack.enter_context(DemoNode(name, home / name)) for name in ("one", "two", "three")]
        one, two, three = nodes
        _say(context, "Starting three nodes: two dials one, three dials two.")
        one.start()
        two.start(one.address())
        three.start(two.address())
        demo_nodes.wait_for_mesh(nodes)
        console.print(f"  up after {time.monotonic() - began:.1f} s\n")
        posts = _discuss(context, nodes)
        _be_late(context, nodes, posts)
        _say(context, "The thread, as node three reads it:\n")
        three.print_thread(posts[0].id, color=console.color)
        console.print()
        _show_what_was_seen(context, nodes)
        _say_what_a_stamp_costs(context)
        _say(context, f"Done in {time.monotonic() - began:.0f} s.")
    if keep:
        console.print(f"The nodes' directories are under {home}")
    console.print("\nNow your own node, in this terminal:\n")
    console.print(f"  {context.command('run')}\n")
    console.print("and your first post, in another:\n")
    console.print(f"  echo 'Hello.' | {context.command('post general --subject Hello --yes')}")


def _say(context: Context, text: str) -> None:
    context.console.print(context.console.style(text, "bold"))
    context.console.flush()


def _discuss(context: Context, nodes: Sequence[DemoNode]) -> list[Post]:
    _say(context, "Three pseudonyms write, each at a node of its own:")
    posts = [_publish(context, nodes, 0, (), _OPENING)]
    for author, answered, body in _REPLIES:
        posts.append(_publish(context, nodes, author, [posts[n] for n in answered], body))
    context.console.print()
    return posts


def _publish(context: Context, nodes: Sequence[DemoNode], author: int, to: Sequence[Post], body: str) -> Post:
    """Write at one node, wait until all that run have it, and print how long each part took."""
    node = nodes[author]
    began = time.monotonic()
    published = node.reply(to, body) if to else node.new_thread(_BOARD, _SUBJECT, body)
    written = time.monotonic()
    waits = demo_nodes.wait_for_posts([n for n in nodes if n.runs], [published.post])
    context.console.print(
        f"  {published.name} at node {node.name}: written in {written - began:.1f} s, "
        f"at all {len(waits)} nodes {max(waits) * 1000:.0f} ms later"
    )
    context.console.flush()
    return published.post


def _be_late(context: Context, nodes: Sequence[DemoNode], posts: list[Post]) -> None:
    one, two, three = nodes
    _say(context, "Node three goes away, the others go on, node three comes back and syncs:")
    three.stop()
    posts.append(
        _publish(context, [one, two], 1, [posts[-1]], "Then let us see what happens when one of us is away.")
    )
    three.start(two.address())
    began = time.monotonic()
    demo_nodes.wait_for_posts([three], posts)
    context.console.print(f"  caught up {(time.monotonic() - began) * 1000:.0f} ms after its start")
    demo_nodes.wait_for_mesh(nodes)
    posts.append(_publish(context, nodes, 2, [posts[-1]], _LATE))
    context.console.print()


def _show_what_was_seen(context: Context, nodes: Sequence[DemoNode]) -> None:
    """Read from the nodes' answers and files, not from what the documentation claims."""
    _say(context, "What each node could see of the authors:")
    for node in nodes:
        gossip = node.node.status()["gossip"]
        traces = demo_nodes.traces(node, [other for other in nodes if other is not node])
        context.console.print(
            f"  node {node.name}: {gossip['received']} gossip messages received, {gossip['authored']} of "
            f"them named a sender;\n    its files hold {options.count(len(node.authors()), 'pseudonym')}, "
            f"{traces.peer_ids} peer IDs of other nodes and {traces.seeds} keys that can sign"
        )
    context.console.print(
        "  Each peer still sees which connection brought it a post first; docs/THREATS.md says what a\n"
        "  peer can learn from that.\n"
    )


def _say_what_a_stamp_costs(context: Context) -> None:
    """The demo leaves the stamps out, so it says what they would have cost."""
    usual, first = map(seconds_for, (DEFAULT_NETWORK.stamp_default, DEFAULT_NETWORK.stamp_first))
    context.console.print(
        "This was a test network: its posts carry no stamps. In a real one a machine works for each post\n"
        f"before it sends it, so that floods cost something: this machine about {usual:.1f} s, or "
        f"{first:.1f} s\nfor the first post of a key.\n"
    )
