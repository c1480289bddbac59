"""The invites that the user accepted, read from their directory."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from p2pforum.config.paths import Paths
from p2pforum.config.settings import Config
from p2pforum.core import limits
from p2pforum.core.errors import ConfigError, InvalidInvite

if TYPE_CHECKING:
    from p2pforum.core.invite import Invite

SUFFIX = ".invite"
MOST = 256  # files; a user accepts no more one by one


@dataclass(frozen=True, slots=True)
class Accepted:
    name: str
    path: Path
    invite: "Invite"


def accepted_invites(paths: Paths) -> list[Accepted]:
    """Accepted invites in the order of their names. Raises ConfigError for a file that is no invite."""
    try:
        files = sorted(p for p in paths.invites_dir.iterdir() if p.suffix == SUFFIX)[:MOST]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise ConfigError(f"{paths.invites_dir}: {error.strerror}") from error
    return [Accepted(path.stem, path, _read(path)) for path in files]


def with_invites(config: Config, paths: Paths) -> Config:
    """The config with the peers of all accepted invites to its network. Raises ConfigError."""
    invites = [a.invite for a in accepted_invites(paths) if is_for(a.invite, config)]
    named = (peer for invite in invites for peer in invite.peers)
    return replace(config, peers=tuple(dict.fromkeys((*config.peers, *named))))


def is_for(invite: "Invite", config: Config) -> bool:
    """Whether an invite is to the network of this config."""
    return invite.network == config.network


def _read(path: Path) -> "Invite":
    from p2pforum.core.invite import decode_invite  # here, because most users accept none

    try:
        with path.open(encoding="ascii") as file:
            return decode_invite(file.read(limits.MAX_INVITE + 1))
    except (InvalidInvite, UnicodeDecodeError) as error:
        reason = error if isinstance(error, InvalidInvite) else "not a text"
        raise ConfigError(f"{path}: {reason}; remove that file, and accept the invite again") from error
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
