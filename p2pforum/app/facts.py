"""The facts behind `status` and `outbox`: what runs, what is kept here, where my posts are and why."""

from dataclasses import dataclass, field

from p2pforum.api.answers import NodeStatus
from p2pforum.app import unlocking
from p2pforum.app.session import Session
from p2pforum.core.errors import KeystoreError, NodeUnreachable
from p2pforum.core.network_params import is_test_network
from p2pforum.keystore.keystore import Keystore
from p2pforum.store import room
from p2pforum.store.statistics import StoreStatistics


@dataclass(frozen=True, slots=True)
class KeystoreFacts:
    """`outbox` (a count) and `drafts` (destinations) are None where a passphrase would be needed to know.

    `unlocked` is the number of seconds until the agent locks, None if there is none. `idle` counts the keys
    that will burn soon. `encrypted` is None, and `error` says why, for a file that can't be used.
    """

    exists: bool
    encrypted: bool | None
    outbox: int | None = 0
    drafts: list[str] | None = field(default_factory=list)
    unlocked: int | None = None
    idle: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """`node` is what the running node says of itself; None if none runs. `free`: bytes on its disk."""

    node: NodeStatus | None
    network: str
    is_test: bool
    store: StoreStatistics
    free: int
    keystore: KeystoreFacts


def status(session: Session) -> Status:
    network = session.config.network
    return Status(
        node=node_status(session),
        network=network,
        is_test=is_test_network(network),
        store=session.reader.statistics(),
        free=room.free_bytes(session.paths.data_dir),
        keystore=keystore_facts(session),
    )


def node_status(session: Session) -> NodeStatus | None:
    """None if no node runs."""
    try:
        return session.node.status()
    except NodeUnreachable:
        return None


def idle_warning(keys: int) -> str:
    which = "it" if keys == 1 else "them"
    return f"{keys} idle key{'' if keys == 1 else 's'} will be burnt unless you use or keep {which}"


def keystore_facts(session: Session) -> KeystoreFacts:
    """The facts that need no passphrase. A KeystoreError of reading is not raised: its text is in `error`."""
    box = unlocking.open_keystore(session)
    try:
        if not box.exists:
            return KeystoreFacts(False, False)
        if box.is_encrypted:
            return _if_unlocked(session, box)
        return _open(session, box, encrypted=False, unlocked=None)
    except KeystoreError as error:
        return KeystoreFacts(True, None, None, None, error=str(error))


def _if_unlocked(session: Session, box: Keystore) -> KeystoreFacts:
    from p2pforum.agent.client import ask_status

    agent = ask_status(session.paths.keystore_file)
    if agent is None or unlocking.contents_without_asking(session) is None:
        return KeystoreFacts(True, True, None, None)
    return _open(session, box, encrypted=True, unlocked=agent.idle)


def _open(session: Session, box: Keystore, *, encrypted: bool, unlocked: int | None) -> KeystoreFacts:
    from p2pforum.forum.expiry import count_near_end

    contents = box.read()
    idle = count_near_end(contents, session.now())
    places = [draft.destination for draft in contents.drafts.values()]
    return KeystoreFacts(True, encrypted, len(contents.outbox), places, unlocked, idle)
