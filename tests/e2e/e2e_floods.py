"""Strangers who send without limits to real nodes: the attacks, and what becomes of honest posts meanwhile.

A script of scenes (e2e_scenes.py). Attackers are of the checkout that is tried, and speak as that one does.
"""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import trio
from e2e_key import KEY, SEED
from e2e_scenes import Scene, play

from p2pforum.cli.demo_nodes import DemoNode, wait_for_mesh, wait_until
from p2pforum.core import limits, stamp
from p2pforum.core.errors import NetworkError, P2PForumError
from p2pforum.core.post import Payload, Post, sign
from p2pforum.gossip.service import PROTOCOL
from p2pforum.gossip.wire.framing import frame
from p2pforum.gossip.wire.rpc import Message, Rpc, Subscription, encode_rpc
from p2pforum.network.interface import PeerID
from p2pforum.network.libp2p_network import open_libp2p_network
from p2pforum.store.posts import open_store

CONFIG = 'network = "test.e2e"\nhide_origin = false\nlisten = ["/ip4/127.0.0.1/tcp/0"]\n'
if hasattr(limits, "SHARDS"):  # a checkout from before there was one topic, to compare with
    from p2pforum.cli.times import this_hour

    PARAMS = limits.params_for("test.e2e", test=True)
    TOPICS = PARAMS.topics
    TOPIC = PARAMS.topic(stamp.shard_of("general", PARAMS))
    CONFIG += "test = true\n"
else:
    from p2pforum.app.clock import this_hour
    from p2pforum.core.network_params import params_for

    PARAMS = params_for("test.e2e")
    TOPICS = (PARAMS.topic,)
    TOPIC = PARAMS.topic
IN_TIME = 5.0  # seconds for an honest post to be everywhere
LOST = (NetworkError, trio.BrokenResourceError, trio.ClosedResourceError)
_HERE = Path(__file__).parent
_OLD = 721  # hours: too old for gossip
_PER_RPC = 256
_POST = 0  # the kind; where it is defined differs between checkouts


def a_post(text: str, hour: int, board: str = "general") -> Post:
    fields = Payload(_POST, board, b"", (), hour, (text, ""), stamp.blank_stamp(0))
    return sign(fields, SEED, KEY, PARAMS)


# --- attackers, in a process of their own -----------------------------------------------------------------
def forged(post: Post) -> Iterator[bytes]:
    """RPCs full of copies with other signatures: microseconds each."""
    head, tail = post.raw[:-64], post.raw[-56:]
    numbers = itertools.count(int.from_bytes(os.urandom(7), "big"))
    while True:
        raws = [head + next(numbers).to_bytes(8, "big") + tail for _ in range(_PER_RPC)]
        yield frame(encode_rpc(Rpc(publish=tuple(Message(TOPIC, raw) for raw in raws))))


def signed(hour: int, numbers: range) -> Iterator[bytes]:
    for n in numbers:
        yield frame(encode_rpc(Rpc(publish=(Message(TOPIC, a_post(f"{n}", hour).raw),))))


async def _listen(_peer: PeerID, stream: trio.abc.Stream) -> None:
    with suppress(*LOST):
        while await stream.receive_some(65_536):
            pass


async def speak(address: str, frames: Iterator[bytes], pause: float) -> None:
    """One connection. Returns when all is said, or the node has had enough."""
    hello = Rpc(subscriptions=tuple(Subscription(topic, True) for topic in TOPICS))
    with suppress(*LOST, P2PForumError, OSError):
        async with open_libp2p_network() as network:
            network.set_handler(PROTOCOL, _listen)
            peer = await network.dial(address)
            async with await network.open_stream(peer, PROTOCOL) as stream:
                await stream.send_all(frame(encode_rpc(hello)))
                for each in frames:
                    await stream.send_all(each)
                    await trio.sleep(pause)
                await trio.sleep(2)  # until it was read


async def flood(address: str, count: int) -> None:
    """Under ever new names."""

    async def again_and_again() -> None:
        frames = forged(a_post("", this_hour() - _OLD))
        while True:
            await speak(address, frames, 0)
            await trio.sleep(0.05)

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(again_and_again)


async def write(addresses: Sequence[str], hour: int, count: int) -> None:
    """Well-made posts, each to one of several nodes, 100 a second to each."""
    async with trio.open_nursery() as nursery:
        for n, address in enumerate(addresses):
            numbers = range(n, count, len(addresses))
            nursery.start_soon(speak, address, signed(hour, numbers), 0.01)


@contextmanager
def attackers(
    *arguments: object, script: Path = _HERE / "e2e_floods.py"
) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, str(script), *map(str, arguments)]
    with subprocess.Popen(command, env=environment(), stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def environment() -> dict[str, str]:
    import p2pforum

    return os.environ | {"PYTHONPATH": str(Path(p2pforum.__file__).parents[1])}


# --- nodes ------------------------------------------------------------------------------------------------
class OddNode(DemoNode):
    kind = "plain"

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, str(_HERE / "odd_node.py"), self.kind, "--home", str(self._home), *arguments]

    def log(self) -> str:
        return self._log.read_text(errors="replace")

    def cpu(self) -> float:
        """Seconds used so far."""
        assert self.process is not None
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def nodes(directory: Path, kinds: Sequence[str], config: str = CONFIG) -> Iterator[list[OddNode]]:
    with ExitStack() as stack:
        made = []
        for n, kind in enumerate(kinds):
            node = stack.enter_context(OddNode(f"n{n}", directory / f"n{n}", config))
            node.kind = kind
            made.append(node)
        yield made


def fill(node: DemoNode, posts: Sequence[Post]) -> None:
    with open_store(node.data_dir, PARAMS) as store:
        store.add([(post, True) for post in posts])


@dataclass
class Result:
    """What was sent by honest nodes, where it arrived in time, and what it cost the victim."""

    sent: int = 0
    reached: list[int] = field(default_factory=list)  #: of these, each node that is looked at
    expelled: int = 0
    cpu: float = 0.0  #: seconds a second
    scores: list[float] = field(default_factory=list)  #: of honest peers at the victim


def say(author: DemoNode, count: int, pause: float) -> list[Post]:
    posts = []
    for n in range(count):
        posts.append(author.new_thread("news", f"Post {n}", "Honest.").post)
        time.sleep(pause)
    return posts


def arrived(node: DemoNode, posts: Sequence[Post], seconds: float = IN_TIME) -> int:
    """How many are there, so many seconds later at most."""
    deadline = time.monotonic() + seconds
    while not all(map(node.holds, posts)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return sum(map(node.holds, posts))


def _expelled(node: DemoNode) -> int:
    return int(node.node.status()["gossip"]["expelled"])


# --- scenes -----------------------------------------------------------------------------------------------
def overflow(directory: Path, flooders: int = 8, kind: str = "plain", posts: int = 30) -> Result:
    """The smallest posts of a wrong hour, as fast as they are read, at the second of three nodes in a row."""
    with nodes(directory, ["plain", kind, "plain"]) as (sender, victim, behind):
        victim.start()
        sender.start(victim.address())
        behind.start(victim.address())
        wait_for_mesh([sender, victim, behind])
        half = flooders // 2
        with ExitStack() as stack:
            for part in (half, flooders - half):
                if part:
                    stack.enter_context(attackers("flood", victim.address(), part))
            if flooders:
                wait_until(lambda: victim.node.status()["gossip"]["received"] > 2_000, "no flood came")
            began, cpu = time.monotonic(), victim.cpu()
            said = say(sender, posts, 0.2)
            cpu = (victim.cpu() - cpu) / (time.monotonic() - began)
            reached = [arrived(node, said) for node in (victim, behind)]
            return Result(posts, reached, _expelled(victim), cpu)


def refused(directory: Path, kind: str = "reveal", posts: int = 1_200, peers: int = 3) -> Result:
    """So many posts to each of the honest peers of a victim that alone refuses them; then one by each."""
    with nodes(directory, [kind, *["plain"] * peers]) as (victim, *neighbours):
        for n, node in enumerate(neighbours):
            node.start(*[other.address() for other in neighbours[:n]])
        victim.start(*[node.address() for node in neighbours])
        wait_for_mesh([victim, *neighbours])
        hour = this_hour() + ("behind" in kind)
        began, cpu = time.monotonic(), victim.cpu()
        with attackers("write", *[node.address() for node in neighbours], hour, posts * peers) as process:
            process.wait(90)
        cpu = (victim.cpu() - cpu) / (time.monotonic() - began)
        scores = [peer["gossip"]["score"] for peer in victim.node.peers() if peer["gossip"]]
        said = [node.new_thread("news", "A post", "Honest.").post for node in neighbours]
        return Result(len(said), [arrived(victim, said)], _expelled(victim), cpu, scores)


SCENES: dict[str, Scene] = {
    "overflow, no flooder": lambda directory: vars(overflow(directory, 0)),
    "overflow, 8 flooders": lambda directory: vars(overflow(directory, 8)),
    "refused, a reveal": lambda directory: vars(refused(directory, "reveal")),
    "refused, the clock": lambda directory: vars(refused(directory, "behind")),
}
QUICK: dict[str, Scene] = {
    "overflow, 2 flooders": lambda directory: vars(overflow(directory, 2, posts=2)),
}


def main(*arguments: str) -> None:
    match arguments:
        case ["flood", address, count]:
            trio.run(flood, address, int(count))
        case ["write", *addresses, hour, count]:
            trio.run(write, addresses, int(hour), int(count))
        case _:
            play(SCENES, QUICK, list(arguments))


if __name__ == "__main__":
    main(*sys.argv[1:])
