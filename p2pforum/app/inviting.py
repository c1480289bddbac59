"""Invites: which addresses may be in one, and telling the node which ones the user accepted."""

from contextlib import suppress
from pathlib import Path

from p2pforum.app.session import Session
from p2pforum.config.invites import Accepted, with_invites
from p2pforum.core.errors import NodeUnreachable, Refused
from p2pforum.forum import inviting


def named_addresses(session: Session) -> tuple[str, ...]:
    """The nodes that the config file and accepted invites name. Raises Refused if there are none."""
    found = with_invites(session.config, session.paths).peers
    if not found:
        raise Refused("the invite needs a node to name: give --peer ADDRESS, or --self for this node")
    return found


def own_addresses(session: Session) -> tuple[str, ...]:
    """Where others reach this node: what it announces, or else where it listens.

    Raises Refused, and NodeUnreachable where no node runs.

    It takes the addresses of the running node, and not those of the config file, which may have changed. An
    invite with a new onion address and the peer ID that the node has without a proxy would join the two for
    all readers. And nobody can reach the addresses where a node behind a proxy listens.
    """
    status = session.node.status()
    if announced := status["announced"]:
        return tuple(f"{address}/p2p/{status['peer_id']}" for address in announced)
    listening = [] if status["proxy"] else status["addresses"]
    found = tuple(a for a in listening if not a.startswith(("/ip4/0.0.0.0/", "/ip6/::/")))
    if not found:
        raise Refused("this node does not know where others reach it: set `announce` in the config file")
    return found


def accept(session: Session, text: str) -> tuple[Accepted, bool, bool]:
    """Keep an invite. Also returns whether it is new here, and whether a node runs, which then reads it.

    Raises InvalidInvite, NetworkError or Refused.
    """
    accepted, is_new = inviting.accept(session.paths, session.config, text)
    try:
        session.node.reload()
    except NodeUnreachable:
        return accepted, is_new, False
    return accepted, is_new, True


def drop(session: Session, name: str) -> Path:
    """Take back that the user accepted an invite; a running node is told. Raises NotFound."""
    path = inviting.drop(session.paths, name)
    with suppress(NodeUnreachable):
        session.node.reload()
    return path
