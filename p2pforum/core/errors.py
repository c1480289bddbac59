"""The exceptions that cross a layer border. Each message can be shown to the user as it is."""


class P2PForumError(Exception):
    """Base of all errors that this program raises on purpose."""


class InvalidPost(P2PForumError):
    """The bytes are not a post, or break a rule that holds for every node. The sending peer is at fault."""


class InvalidInvite(P2PForumError):
    """The text is no invite, or a damaged one."""


class RemoteProtocolError(P2PForumError):
    """A peer broke a wire protocol. The node closes the connection and counts it against the
    peer (h11's term).
    """


class LocalProtocolError(P2PForumError):
    """This program broke a wire protocol: a bug here."""


class NetworkError(P2PForumError):
    """A peer could not be reached, or a connection broke. This is not counted against the peer."""


class ProtocolRefused(NetworkError):
    """A peer is there and does not speak this version of the protocol. The caller may ask for
    an older version.
    """


class StoreError(P2PForumError):
    """The store can't be used: damaged, foreign, too new, or the disk is full."""


class StoreBusy(StoreError):
    """Another process holds the data directory."""


class KeystoreError(P2PForumError):
    """The key directory can't be used: damaged, readable by others, or written by a newer version."""


class WrongPassphrase(KeystoreError):
    """The passphrase does not open the keystore."""

    def __init__(self) -> None:
        super().__init__("the passphrase does not open this keystore")


class NotFound(P2PForumError):
    """Nothing here has that ID, name or address."""


class InvalidQuery(P2PForumError):
    """What was typed to search for can't be searched for, or can mean two things."""


class Ambiguous(P2PForumError):
    """A short ID that fits several things. `candidates` are texts to choose from."""

    def __init__(self, message: str, candidates: list[str]) -> None:
        super().__init__(message)
        self.candidates = candidates


class NodeUnreachable(P2PForumError):
    """No node answers on the local socket, and the request needs one."""


class ConfigError(P2PForumError):
    """The config file can't be used; the message names the file and the key."""


class Refused(P2PForumError):
    """A rule or quota forbids something that the user asked for."""
