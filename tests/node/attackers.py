"""What hostile peers send: each makes its RPCs by hand, from what it hears; no router of ours is in it."""

from collections.abc import Callable
from itertools import count

from gossip_nodes import Probe
from strategies import TEST_NETWORK

from p2pforum.core import limits
from p2pforum.core.post import Post
from p2pforum.gossip.seen import message_id
from p2pforum.gossip.wire.rpc import IHave, Message, Prune, Rpc

TOPIC = TEST_NETWORK.topic

Attack = Callable[[Probe, int], Rpc | None]


def forged(post: Post) -> Attack:
    """Copies with other signatures, as many as fit into an RPC: they cost nothing."""
    numbers = count()
    head, tail = post.raw[:-64], post.raw[-56:]
    most = limits.MAX_RPC_MESSAGES

    def attack(_probe: Probe, _n: int) -> Rpc:
        raws = [head + next(numbers).to_bytes(8, "big") + tail for _ in range(most)]
        return Rpc(publish=tuple(Message(TOPIC, raw) for raw in raws))

    return attack


def spam_grafts(_probe: Probe, n: int) -> Rpc:
    return Rpc(graft=(TOPIC,)) if n % 2 else Rpc(prune=(Prune(TOPIC),))


def spam_offers(_probe: Probe, n: int) -> Rpc:
    ids = tuple(n.to_bytes(16, "big") + m.to_bytes(16, "big") for m in range(60))
    return Rpc(ihave=(IHave(TOPIC, ids),))


def lately_heard(probe: Probe) -> list[Message]:
    return [message for rpc in probe.heard[-40:] for message in rpc.publish][-10:]


def spam_wants(probe: Probe, _n: int) -> Rpc | None:
    wanted = tuple(message_id(message.data) for message in lately_heard(probe))
    return Rpc(iwant=wanted) if wanted else None


def replay(probe: Probe, _n: int) -> Rpc | None:
    messages = tuple(lately_heard(probe))
    return Rpc(publish=messages) if messages else None


def send_junk(_probe: Probe, n: int) -> Rpc:
    return Rpc(publish=(Message(TOPIC, b"junk %d" % n),))


def only_take(_probe: Probe, n: int) -> Rpc | None:
    """A black hole: a member of every mesh that lets it in, and nothing comes out."""
    return Rpc(graft=(TOPIC,)) if n == 1 else None
