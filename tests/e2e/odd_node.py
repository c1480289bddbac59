"""A node with something of its own, or without defences: `odd_node.py KINDS ...`, kinds joined by commas.

`behind`: its clock is an hour behind. `reveal`: it has a reveal, which nobody else has, of the key that
e2e_floods writes with. `new`: it knows two kinds of post more. `watched`: a command that says at its end what
it cost. The others are controls: each is without a defence, as its function says.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

sys.path.insert(0, str(Path.cwd()))  # the checkout that is tried, which need not be this one
sys.path.append(str(Path(__file__).parents[1]))
sys.path.append(str(Path(__file__).parents[1] / "gossip"))
sys.path.append(str(Path(__file__).parents[1] / "node"))
sys.path.append(str(Path(__file__).parents[1] / "sync"))

from e2e_key import KEY

_ENDLESS = 2**60


def put(owner: Any, name: str, value: Any) -> Any:
    """In the place of what is there, which it gives back. Raises AttributeError if nothing is: then the node
    has changed, and the control would be none.
    """
    before = getattr(owner, name)
    setattr(owner, name, value)
    return before


def go_behind() -> None:
    from p2pforum import node

    now = put(node, "now_hours", lambda: now() - 1)


def have_reveal() -> None:
    from p2pforum.store.posts import Store

    def with_one_more(store: Store, keys: Sequence[bytes], **how: Any) -> set[bytes]:
        return revealed(store, keys, **how) | ({KEY} & set(keys))

    revealed = put(Store, "revealed", with_one_more)


def be_naive() -> None:
    """One table for all that is judged, of posts of a wrong hour only the hour is looked at, and what is not
    kept counts against who brought it."""
    from naive import HourFirstDoor, NaiveRouter

    from p2pforum import node
    from p2pforum.core import limits
    from p2pforum.gossip import service

    put(limits, "GOSSIP_MESSAGE_MEMORY", 0)
    put(service, "Router", NaiveRouter)
    put(node, "Door", HourFirstDoor)


def leave_out_own() -> None:
    """Who comes is not offered what the node published itself."""
    from p2pforum.gossip import service
    from simulation.oracle import LeavingOutOwn

    put(service, "Router", LeavingOutOwn)


def have_one_slot() -> None:
    """One guard for all keys."""
    from p2pforum.stem.params import GuardParams

    init = put(GuardParams, "__init__", lambda self: init(self, slots=1))


def know(table: str) -> None:
    """Of kinds of post, what made_up_kinds says. DECIDING is the control: what does not fit is invalid."""
    import made_up_kinds

    from p2pforum.core import kinds

    put(kinds, "TABLE", getattr(made_up_kinds, table))


def answer_at_once() -> None:
    """Sync, before it has caught up."""
    from p2pforum.sync.filling import Filling

    put(Filling, "answers", lambda _filling, _connections: True)


def go_by_first_and_last() -> None:
    """A peer is there from its first connection to its last, and a stream is found dead by writing to it."""
    import trio

    from p2pforum.gossip import sender
    from p2pforum.gossip.service import GossipService
    from p2pforum.network.roster import Roster

    def first_and_last(service: Any, event: Any) -> None:
        peer = event.connection.peer
        if service._connection(peer) is None:
            service._remove(peer)
        elif service._states.get(peer) is None:
            service._welcome(peer)

    async def nobody_looks(*_: object) -> None:
        await trio.lowlevel.checkpoint()

    put(GossipService, "_apply", first_and_last)
    put(sender, "_cancel_when_lost", nobody_looks)
    put(Roster, "outlived_by", lambda *_: [])


def have_toy_fingerprints(*, sums: bool) -> None:
    """Ours of a whole board cut to few bits. `sums` is the control: sums of as few."""
    from stock import TOY, toy_sum

    from p2pforum.sync.fingerprint import Fingerprint

    def of_few_bits(ours: Any, items: Any, lo: int, hi: int) -> bytes:
        if sums:
            return toy_sum(items, lo, hi)
        return bytes(ours.of(items.cells(lo, hi))[: TOY // 8].ljust(16, b"\0"))

    put(Fingerprint, "__call__", of_few_bits)


def have_no_frame_budget() -> None:
    from p2pforum.core import limits

    put(limits, "FRAMES_PER_SECOND", _ENDLESS)


def do_not_guard() -> None:
    """A body of the API that can't be read is a fault of the node."""
    from p2pforum.api import app

    put(app, "_asked", lambda request, _shape, read: read(json.loads(request.body)))


def follow_links() -> None:
    """In the place of the key directory."""
    put(Path, "lstat", Path.stat)
    put(Path, "is_symlink", lambda _path: False)


def have_no_bounds() -> None:
    """Of imports, and of what a post in a thread answers."""
    from p2pforum.core import limits
    from p2pforum.forum import params, reading

    put(limits, "MAX_BUNDLE_SKIPPED", _ENDLESS)
    put(params, "MAX_IMPORT_TEXT", _ENDLESS)
    put(reading, "limits", SimpleNamespace(MAX_PARENTS=_ENDLESS))


def be_quadratic() -> None:
    """A line is measured to its end for each part of it that is shown, and all that is hidden is shown."""
    from p2pforum.cli.terminal import render

    def measuring_the_rest(text: str, start: int, columns: int) -> int:
        render.width(text[start:])
        return reach(text, start, columns)

    put(render, "MAX_HIDDEN", _ENDLESS)
    reach = put(render, "_reach", measuring_the_rest)


def say_what_it_cost() -> None:
    def tell(code: int) -> None:
        peak = Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]
        print("COST", time.process_time(), peak, file=sys.stderr, flush=True)
        end(code)

    end = put(os, "_exit", tell)


KINDS = {
    "behind": go_behind,
    "reveal": have_reveal,
    "naive": be_naive,
    "leaving_out": leave_out_own,
    "one_slot": have_one_slot,
    "new": partial(know, "NEW"),
    "deciding": partial(know, "DECIDING"),
    "open": answer_at_once,
    "deaf": go_by_first_and_last,
    "toy": partial(have_toy_fingerprints, sums=False),
    "toy_sums": partial(have_toy_fingerprints, sums=True),
    "unbudgeted": have_no_frame_budget,
    "unguarded": do_not_guard,
    "following": follow_links,
    "boundless": have_no_bounds,
    "quadratic": be_quadratic,
    "watched": say_what_it_cost,
    "plain": lambda: None,
}


def main(kinds: str) -> None:
    for kind in kinds.split(","):
        KINDS[kind]()
    from p2pforum.cli.main import main as command

    command()


if __name__ == "__main__":
    main(sys.argv.pop(1))
