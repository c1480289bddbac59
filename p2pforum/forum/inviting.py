"""Making invites, accepting them, and taking that back."""

from collections.abc import Iterable
from pathlib import Path

from p2pforum.config.invites import MOST, SUFFIX, Accepted, accepted_invites, is_for
from p2pforum.config.paths import Paths
from p2pforum.config.settings import Config
from p2pforum.core.address import parse_peer
from p2pforum.core.errors import NotFound, Refused
from p2pforum.core.invite import Invite, decode_invite, encode_invite, name_of_invite
from p2pforum.store.small_file import write_small


def make_invite(
    config: Config, peers: Iterable[str], boards: Iterable[str] = (), lists: Iterable[bytes] = ()
) -> Invite:
    """Raises NetworkError for an address that is no peer's, Refused if there is no address."""
    chosen = tuple(map(usual_form, peers))
    if not chosen:
        raise Refused("an invite names at least one peer")
    return Invite(config.network, chosen, tuple(boards), tuple(lists))


def usual_form(address: str) -> str:
    """The one way to write an address, so that no habit of writing marks the user who made an invite."""
    return str(parse_peer(address))


def accept(paths: Paths, config: Config, text: str) -> tuple[Accepted, bool]:
    """Accept an invite: keep it. Also returns whether it is new here. Raises InvalidInvite,
    NetworkError or Refused.
    """
    invite = decode_invite(text)
    if not is_for(invite, config):
        raise Refused(
            f"the invite is to the network {invite.network}, and this node belongs to {config.network}: "
            "to join a second network use another --home"
        )
    line = encode_invite(invite)
    path = paths.invites_dir / (name_of_invite(line) + SUFFIX)
    is_new = not path.exists()
    if is_new:
        if len(accepted_invites(paths)) >= MOST:
            raise Refused(f"{MOST} invites are kept already: drop some")
        paths.invites_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_small(path, line.encode() + b"\n")
    return Accepted(path.stem, path, invite), is_new


def drop(paths: Paths, name: str) -> Path:
    """Take back that the user accepted an invite. Raises NotFound."""
    for accepted in accepted_invites(paths):
        if accepted.name == name:
            accepted.path.unlink(missing_ok=True)
            return accepted.path
    raise NotFound(f'you have accepted no invite called "{name}"')
