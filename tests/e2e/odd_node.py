"""A node with something of its own, or without defences: `odd_node.py KINDS ...`, kinds joined by commas.

`behind`: its clock is an hour behind. `reveal`: it has a reveal, which nobody else has, of the key that
e2e_floods writes with. `naive`, the control: one table for all that is judged, of posts of a wrong hour only
the hour is looked at, and what is not kept counts against who brought it (tests/gossip/naive.py).
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))  # the checkout that is tried, which need not be this one

from e2e_key import KEY


def go_behind() -> None:
    from p2pforum import node

    now = node.now_hours
    node.now_hours = lambda: now() - 1


def have_reveal() -> None:
    from p2pforum.store.posts import Store

    revealed = Store.revealed

    def with_one_more(store: Store, keys: Sequence[bytes], **how: Any) -> set[bytes]:
        return revealed(store, keys, **how) | ({KEY} & set(keys))

    Store.revealed = with_one_more  # type: ignore[method-assign]


def be_naive() -> None:
    tests = Path(__file__).parent.parent
    sys.path += [str(tests), str(tests / "gossip")]
    from naive import HourFirstDoor, NaiveRouter

    from p2pforum import node
    from p2pforum.core import limits
    from p2pforum.gossip import service

    limits.GOSSIP_MESSAGE_MEMORY = 0
    service.Router, node.Door = NaiveRouter, HourFirstDoor  # type: ignore[attr-defined, misc]


KINDS = {"behind": go_behind, "reveal": have_reveal, "naive": be_naive, "plain": lambda: None}


def main(kinds: str) -> None:
    for kind in kinds.split(","):
        KINDS[kind]()
    from p2pforum.cli.main import main as command

    command()


if __name__ == "__main__":
    main(sys.argv.pop(1))
