"""Bounds of core/limits.py that are one node's own, of tables and of times: what `n` of it does."""

import random
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import trio
from bounds import Row
from sync_bounds import in_time

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.verdict import Outcome
from p2pforum.exchange.inbound_records import InboundRecords
from p2pforum.exchange.rate_limiter import RateLimiter, RateVerdict
from p2pforum.exchange.sample import Sample
from p2pforum.exchange.wire import decode_frame
from p2pforum.gossip.effects import Validate
from p2pforum.gossip.rpc_queue import RpcQueue
from p2pforum.gossip.validation_queue import ValidationQueue, cost_of
from p2pforum.gossip.wire.rpc import Message
from p2pforum.lan.names_per_machine import NamesPerMachine
from p2pforum.network.bans import Bans
from p2pforum.network.frame_budget import FrameBudget
from p2pforum.network.inbound_slots import InboundConnection, InboundSlots, PendingConnections
from p2pforum.network.interface import Connection, Direction, PeerID
from p2pforum.sync.budget import Budget, Report, SessionOver
from p2pforum.sync.claims import Claims
from p2pforum.sync.fetch import Fetching
from p2pforum.sync.reputation import Reputation
from p2pforum.sync.serve import _parcels
from p2pforum.sync.session_runner import SessionRunner

A_BIT = 0.01
PUBLIC = "/ip4/8.8.{}.{}/tcp/4001"

# -- gossip ------------------------------------------------------------------------------------------------


def in_one_rpc(n: int) -> bool:
    outbox = RpcQueue()
    outbox.add_message(bytes(1_000))
    outbox.add_message(bytes(n - 1_000))
    return outbox.next_bytes()[1] == 2


def waiting(size: int) -> ValidationQueue:
    """So many bytes of one peer's posts wait for the door, in one post."""
    judging = ValidationQueue()
    data = bytes(size - limits.GOSSIP_MESSAGE_MEMORY)
    judging.add(Validate("a", b"id", Message("t", data)))
    return judging


def judged_at_once(n: int) -> bool:
    judging = ValidationQueue()
    for i in range(n):
        judging.add(Validate("a", b"%d" % i, Message("t", b"")))
    return len(judging.next_batch()) == n


# -- sync --------------------------------------------------------------------------------------------------


def costs_remembered(n: int) -> bool:
    reputation = Reputation(lambda: 0.0)
    for i in range(n):
        reputation.had_session(f"{i}", 1_000.0)
    return not reputation.may_open("0")


def paid_back(seconds: float) -> bool:
    """At this rate a debt of one second is paid in that time."""
    now = 0.0
    reputation = Reputation(lambda: now)
    reputation.had_session("a", limits.SYNC_CPU_SECONDS + 1.0)
    now = 1.0 / seconds
    return reputation.may_open("a")


def in_vain(outcome: Outcome, n: int) -> bool:
    """So many posts of one session that are not kept."""
    fetching = Fetching(Claims(lambda: 0.0), Budget(), Report())
    for _ in range(n):
        with suppress(RemoteProtocolError):  # bytes that are no post, at the end of it
            fetching._check_verdict(outcome, None)
    return True


async def moves(size: int, seconds: float = 2 * limits.SYNC_STALL_SECONDS - A_BIT) -> bool:
    """So many bytes at the beginning of a session: it is still there so much later."""
    session: Any = SimpleNamespace(_session=SimpleNamespace(report=Report()), _is_landing=False)
    over = trio.Event()

    async def watch() -> None:
        with suppress(SessionOver):
            await SessionRunner._watch(session)
        over.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(watch)
        await trio.testing.wait_all_tasks_blocked()
        session._session.report.bytes_in = size
        await trio.sleep(seconds)
        nursery.cancel_scope.cancel()
    return not over.is_set()


def is_claimed(seconds: float) -> bool:
    now = 0.0
    claims = Claims(lambda: now)
    claims.claim(["post"], "a")
    now = seconds
    return claims.claim(["post"], "b") == []


# -- peer exchange and the local network -------------------------------------------------------------------


def spoken(n: int) -> bool:
    records = InboundRecords()
    for i in range(n):
        records.note(b"%d" % i, f"{i}", f"{i}", 0.0)
    return b"0" in records.records(0.0)


def is_told_after(seconds: float) -> bool:
    records = InboundRecords()
    records.note(b"a", "a", "a", 0.0)
    return records.records(seconds) == [b"a"]


def asks_counted(n: int) -> bool:
    limiter = RateLimiter()
    for i in range(n):
        for _ in range(limits.PEERS_BURST if not i else 1):
            limiter.ask(f"{i}", 0.0)
    return limiter.ask("0", 0.0) is not RateVerdict.ANSWER


def refills(seconds: float) -> bool:
    limiter = RateLimiter()
    for _ in range(limits.PEERS_BURST):
        limiter.ask("a", 0.0)
    return limiter.ask("a", seconds) is RateVerdict.ANSWER


def told_of(known: int) -> int:
    sample = Sample(random.Random(1), lambda: [b"%d" % i for i in range(known)], None)
    return len(decode_frame(sample.answer(0.0), limits.PEERS_TOLD))


def names_of_one(n: int) -> bool:
    return NamesPerMachine().takes("a", [f"{i}" for i in range(n)], 0.0)


def machines(n: int) -> bool:
    shares = NamesPerMachine()
    return [shares.takes(f"{i}", ["x"], 0.0) for i in range(n)][-1]


def name_counts(seconds: float) -> bool:
    shares = NamesPerMachine()
    shares.takes("a", [f"{i}" for i in range(limits.LAN_NAMES)], 0.0)
    return not shares.takes("a", ["another"], seconds)


# -- connections -------------------------------------------------------------------------------------------


async def pending(n: int, *, of_one: bool) -> bool:
    """None of so many is cut that have not said who they are."""
    waiting = PendingConnections()
    cut = []

    async def wait(address: str) -> None:
        with waiting.wait(address):
            await trio.sleep_forever()
        cut.append(address)

    async with trio.open_nursery() as nursery:
        for i in range(n):
            nursery.start_soon(wait, PUBLIC.format(100, 1) if of_one else PUBLIC.format(i // 200, i % 200))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    return len(cut) == 0


async def is_upgrading(seconds: float) -> bool:
    with PendingConnections().wait(PUBLIC.format(1, 1)):
        await trio.sleep(seconds)
        return True
    return False


def inbound(address: str, since: float = 0.0) -> InboundConnection:
    connection = Connection(PeerID("a"), Direction.INBOUND, address)
    return InboundConnection(connection, since, lambda: None)


def of_one_address(n: int) -> bool:
    """The last of so many comes in."""
    address = PUBLIC.format(1, 1)
    return not InboundSlots().has_its_share(address, [inbound(address) for _ in range(n - 1)])


async def makes_another(seconds: float) -> bool:
    places = InboundSlots()
    there = [inbound(PUBLIC.format(i, 1), float(i)) for i in range(60)]
    places.make_one(there)
    await trio.sleep(seconds)
    return places.make_one(there)


def frames_at_once(n: int) -> bool:
    return FrameBudget(0.0).spend(n, 0, 0.0) == 0.0


def frames_in_a_second(n: int) -> bool:
    budget = FrameBudget(0.0)
    budget.spend(limits.FRAMES_BURST, 0, 0.0)
    return budget.spend(n, 0, 1.0) == 0.0


def pays_for_one(size: int) -> bool:
    budget = FrameBudget(0.0)
    budget.spend(limits.FRAMES_BURST, 0, 0.0)
    return budget.spend(1, size, 0.0) == 0.0


async def is_banned(seconds: float) -> bool:
    bans = Bans()
    bans.add("a")
    await trio.sleep(seconds)
    return "a" in bans


ROWS = [
    Row("GOSSIP_RPC", "sent", in_one_rpc),
    Row("OUTBOX_BYTES", "posts", lambda n: RpcQueue().add_message(bytes(n))),
    Row("OUTBOX_BYTES", "control", lambda n: RpcQueue().add_control(bytes(n))),
    Row("OUTBOX_ASKED", "IDs", lambda n: RpcQueue().add_asked([b""] * n) == n),
    Row("OUTBOX_CONTROL", "RPCs", lambda n: all(box.add_control(b"") for box in [RpcQueue()] * n)),
    Row("GOSSIP_WAITING", "a peer", lambda n: not waiting(n).is_full("a")),
    Row("GOSSIP_MESSAGE_MEMORY", "counted", lambda n: cost_of(Validate("a", b"", Message("t", b""))) >= n),
    Row("GOSSIP_BATCH", "posts", judged_at_once),
    Row("SYNC_POSTS_FRAME", "sent", lambda n: len(list(_parcels([bytes(100), bytes(n - 100)]))) == 1),
    Row("MAX_SYNC_REMEMBERED", "peers", costs_remembered),
    Row("SYNC_PEER_CPU", "a debt", paid_back, -A_BIT, A_BIT),
    Row("SYNC_DUPLICATES", "posts", lambda n: in_vain(Outcome.DUPLICATE, n)),
    Row("SYNC_REFUSED", "posts", lambda n: in_vain(Outcome.REFUSED, n)),
    Row("SYNC_STALL_BYTES", "a session", in_time(moves), outside=-1),
    Row("SYNC_STALL_SECONDS", "a session", in_time(lambda s: moves(0, s)), -A_BIT, A_BIT),
    Row("SYNC_CLAIM_SECONDS", "a claim", is_claimed, -A_BIT, 0),
    Row("PEERS_INBOUND_RECORDS", "records", spoken),
    Row("PEERS_INBOUND_RECORDS_SECONDS", "a record", is_told_after, outside=A_BIT),
    Row("PEERS_REMEMBERED", "peers", asks_counted),
    Row("PEERS_REFILL_SECONDS", "an ask", refills, outside=-A_BIT),
    Row("PEERS_TOLD_LEAST", "few", lambda n: told_of(n) == n),
    Row("PEERS_TOLD_PART", "of many", lambda n: told_of(80) * n <= 80),
    Row("PEERS_TOLD", "of many", lambda n: told_of(10_000) >= n),
    Row("LAN_NAMES", "a machine", names_of_one),
    Row("LAN_MACHINES", "a network", machines),
    Row("LAN_NAMES_SECONDS", "a name", name_counts, -A_BIT, 0),
    Row("MAX_PENDING_INBOUND", "in all", in_time(lambda n: pending(n, of_one=False))),
    Row("MAX_PENDING_PER_ADDRESS", "an address", in_time(lambda n: pending(n, of_one=True))),
    Row("UPGRADE_SECONDS", "a stranger", in_time(is_upgrading), -A_BIT, A_BIT),
    Row("MAX_INBOUND_PER_ADDRESS", "peers", of_one_address),
    Row("EVICTION_SECONDS", "a place", in_time(makes_another), 0, -A_BIT),
    Row("FRAMES_BURST", "at once", frames_at_once),
    Row("FRAMES_PER_SECOND", "a second", frames_in_a_second),
    Row("FRAME_BYTES", "a frame", pays_for_one, outside=-1),
    Row("BAN_SECONDS", "a peer", in_time(is_banned), -A_BIT, 0),
]
