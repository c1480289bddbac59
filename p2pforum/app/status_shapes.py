"""The facts of `status` and `doctor` as JSON; docs/json/ has a JSON Schema of each."""

from typing import TYPE_CHECKING, Annotated, TypedDict

from p2pforum.api.answers import NodeStatus

if TYPE_CHECKING:
    from p2pforum.app.facts import Status
    from p2pforum.config import Paths


class RunningShape(NodeStatus):
    """A node that runs."""

    running: Annotated[bool, "true"]


class StoppedShape(TypedDict):
    """No node runs."""

    running: Annotated[bool, "false"]


class NetworkShape(TypedDict):
    """Which network the config file names."""

    name: str
    test: Annotated[bool, "a test network: no stamps"]


class StoreShape(TypedDict):
    """What is kept here."""

    posts: int
    threads: int
    boards: int
    unreleased: Annotated[int, "posts that are kept and not public"]
    size: Annotated[int, "bytes on disk, the write-ahead log included"]
    free: Annotated[int, "bytes on that disk"]


class KeystoreShape(TypedDict):
    """The keystore. `outbox` and `drafts` are null where a passphrase would be needed to know."""

    exists: bool
    encrypted: Annotated[bool | None, "null: it can't be used, and `error` says why"]
    outbox: Annotated[int | None, "posts that are signed and not handed in"]
    drafts: Annotated[list[str] | None, "for what each draft is"]
    unlocked: Annotated[int | None, "seconds until the agent locks it; null if no agent has it"]
    idle: Annotated[int, "keys that are burnt soon unless they are used or kept"]
    error: str | None


class PathsShape(TypedDict):
    """Where things lie."""

    data: str
    keys: str
    config: str
    socket: str


class StatusShape(TypedDict):
    """What runs, and what is kept here."""

    node: RunningShape | StoppedShape
    network: NetworkShape
    store: StoreShape
    keystore: KeystoreShape
    paths: PathsShape


class FindingShape(TypedDict):
    """What one check of `doctor` found."""

    level: Annotated[str, "ok, warn or fail"]
    check: str
    text: str


def status_shape(found: "Status", paths: "Paths") -> StatusShape:
    store, keystore = found.store, found.keystore
    return {
        "node": {"running": False} if found.node is None else {"running": True, **found.node},
        "network": {"name": found.network, "test": found.is_test},
        "store": {
            "posts": store.posts,
            "threads": store.threads,
            "boards": store.boards,
            "unreleased": store.unreleased,
            "size": store.size,
            "free": found.free,
        },
        "keystore": {
            "exists": keystore.exists,
            "encrypted": keystore.encrypted,
            "outbox": keystore.outbox,
            "drafts": keystore.drafts,
            "unlocked": keystore.unlocked,
            "idle": keystore.idle,
            "error": keystore.error,
        },
        "paths": {
            "data": str(paths.data_dir),
            "keys": str(paths.keys_dir),
            "config": str(paths.config_file),
            "socket": str(paths.socket_path),
        },
    }
