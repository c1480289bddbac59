"""Byte for byte against nostr-sdk (PyPI), whose reconciliation is in Rust: both roles, over NIP-77."""

import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest
import trio
from list_items import Key, ListItems, a_key_at, two_sets
from malformed import STRICTER, mangled
from nostr_sdk_peer import FIRST_KIND, ITS_POLICY, Relay, ask, open_relay
from stock import STOCK, Stock
from trio_websocket import (
    ConnectionClosed,
    WebSocketConnection,
    WebSocketRequest,
    open_websocket_url,
    serve_websocket,
)

from p2pforum.core.errors import RemoteProtocolError
from p2pforum.sync.reconcile import TUNED, Policy

pytestmark = pytest.mark.slow

SIZES = [0, 1, 3, 20, 31, 32, 33, 60, 300, 520, 2500]  # every split rule has its edge between 0 and 600
CASES = 700
LAX = (*STRICTER, "the bytes end inside a number")  # it takes the number for whole
POLICIES = [STOCK, replace(STOCK, limit=4096), replace(TUNED, limit=0)]


@pytest.fixture(scope="module")
def relay() -> Iterator[Relay]:
    with open_relay(SIZES) as running:
        yield running


@asynccontextmanager
async def websocket(relay: Relay) -> AsyncIterator[WebSocketConnection]:
    async with open_websocket_url(relay.url) as connection:
        yield connection


class Asking:
    """One comparison with the relay after another, each about one kind of event."""

    def __init__(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        self._count = 0

    async def open(self, kind: int, message: bytes) -> bytes | None:
        """The answer; None if it says that the message is wrong."""
        self._count += 1
        return await self._ask(["NEG-OPEN", f"case {self._count}", {"kinds": [kind]}, message.hex()])

    async def go_on(self, message: bytes) -> bytes | None:
        return await self._ask(["NEG-MSG", f"case {self._count}", message.hex()])

    async def close(self) -> None:
        await self._connection.send_message(json.dumps(["NEG-CLOSE", f"case {self._count}"]))

    async def _ask(self, question: list[object]) -> bytes | None:
        await self._connection.send_message(json.dumps(question))
        said, about, answer = json.loads(await self._connection.get_message())
        assert about == question[1]
        assert said in ("NEG-MSG", "NEG-ERR"), answer
        return bytes.fromhex(answer) if said == "NEG-MSG" else None


def near(rng: random.Random, theirs: set[Key], case: int) -> set[Key]:
    """A set that shares much with another."""
    share = rng.choice([0, 0.5, 0.9, 0.99, 1])
    own = rng.choice([0, 0, 1, 2, 10, 40])
    seconds = [hour for hour, _ in theirs] or [5]
    extra = {a_key_at(case * 100 + n, rng.choice(seconds) + rng.randrange(3)) for n in range(own)}
    return {key for key in sorted(theirs) if rng.random() < share} | extra


async def test_its_relay_answers_our_initiator_byte_for_byte_as_our_stock_responder(relay: Relay) -> None:
    rng = random.Random(1)
    async with websocket(relay) as connection:
        asking = Asking(connection)
        for case in range(CASES):
            kind = FIRST_KIND + rng.randrange(len(SIZES))
            theirs = relay.sets.get(kind, set())
            ours = near(rng, theirs, case)
            initiator = Stock(ListItems(ours), rng.choice(POLICIES), initiator=True)
            twin = Stock(ListItems(theirs), ITS_POLICY, initiator=False)
            message: bytes | None = initiator.initiate()
            assert message is not None
            reply = await asking.open(kind, message)
            while message is not None:
                assert reply is not None
                assert reply == twin.reconcile(message)
                message = initiator.reconcile(reply)
                reply = await asking.go_on(message) if message is not None else None
            await asking.close()
            items = ListItems(ours)
            have = {key for lo, hi in initiator.have for key in items.keys(lo, hi)}
            assert have == ours - theirs
            assert set(initiator.need) == {id_ for _, id_ in theirs - ours}


async def test_its_relay_refuses_what_we_refuse(relay: Relay) -> None:
    """What it refuses we refuse; what only we refuse breaks the specification; else the same bytes."""
    rng = random.Random(2)
    seen: Counter[str] = Counter()
    async with websocket(relay) as connection:
        asking = Asking(connection)
        for case in range(CASES):
            kind = FIRST_KIND + rng.randrange(len(SIZES) - 1)
            theirs = relay.sets.get(kind, set())
            ours = Stock(ListItems(near(rng, theirs, case)), initiator=True)
            broken = mangled(rng, ours.initiate())
            answer = await asking.open(kind, broken)
            await asking.close()
            fault, expected = "", None
            try:
                expected = Stock(ListItems(theirs), ITS_POLICY, initiator=False).reconcile(broken)
            except RemoteProtocolError as error:
                fault = str(error)
            if fault:
                seen["refused by both" if answer is None else fault] += 1
                assert answer is None or fault in LAX
            else:
                seen["taken by both"] += 1
                assert answer == expected
    assert seen["refused by both"] > 100
    assert seen["taken by both"] > 50


@dataclass
class Answering:
    """A relay of ours that holds a set for each kind, and says with the wrong bytes what it was asked."""

    sets: dict[int, tuple[set[Key], Policy]]
    asked: dict[int, list[bytes]] = field(default_factory=dict)

    async def serve(self, request: WebSocketRequest) -> None:
        connection = await request.accept()
        sides: dict[str, tuple[int, Stock]] = {}
        try:
            while True:
                match json.loads(await connection.get_message()):
                    case ["NEG-OPEN", about, {"kinds": [kind]}, message]:
                        keys, policy = self.sets[kind]
                        side = Stock(ListItems(keys), policy, initiator=False)
                        sides[about] = kind, side
                        await self._answer(connection, about, sides[about], message)
                    case ["NEG-MSG", about, message]:
                        await self._answer(connection, about, sides[about], message)
                    case ["NEG-CLOSE", about]:
                        del sides[about]
        except ConnectionClosed:
            pass

    async def _answer(
        self, connection: WebSocketConnection, about: str, side: tuple[int, Stock], text: str
    ) -> None:
        message = bytes.fromhex(text)
        self.asked.setdefault(side[0], []).append(message)
        reply = side[1].reconcile(message)
        assert reply is not None
        await connection.send_message(json.dumps(["NEG-MSG", about, reply.hex()]))


def said_by_us(theirs: set[Key], ours: set[Key], policy: Policy, kind: int) -> list[bytes]:
    """The messages of our own initiator in nostr-sdk's place."""
    initiator = Stock(ListItems(theirs), ITS_POLICY, initiator=True)
    responder = Stock(ListItems(ours), policy, initiator=False)
    said: list[bytes] = []
    message: bytes | None = initiator.initiate()
    while message is not None:
        said.append(message)
        reply = responder.reconcile(message)
        assert reply is not None
        message = initiator.reconcile(reply)
    return said


async def test_its_client_and_our_responder_find_what_differs() -> None:
    rng = random.Random(3)
    cases = {}
    for kind in range(FIRST_KIND, FIRST_KIND + CASES // 2):
        common = rng.choice([0, 1, 3, 20, 31, 32, 33, 60, 300, 600])
        left, right = (rng.choice([0, 0, 1, 2, 10, 40]) for _ in range(2))
        ours, theirs = two_sets(rng, common, left, right, rng.choice([1, 2, 30, 9600]))
        cases[kind] = ours, theirs, rng.choice(POLICIES)
    answering = Answering({kind: (ours, policy) for kind, (ours, _, policy) in cases.items()})
    async with trio.open_nursery() as nursery:
        server = await nursery.start(serve_websocket, answering.serve, "127.0.0.1", 0, None)
        questions = [(kind, theirs) for kind, (_, theirs, _) in cases.items()]
        found = await trio.to_thread.run_sync(ask, f"ws://127.0.0.1:{server.port}", questions)
        nursery.cancel_scope.cancel()
    assert sum(map(len, answering.asked.values())) > 1.05 * len(cases)
    for (have, need), (kind, (ours, theirs, policy)) in zip(found, cases.items(), strict=True):
        assert Counter(have) == Counter(id_ for _, id_ in theirs - ours)
        assert Counter(need) == Counter(id_ for _, id_ in ours - theirs)
        assert answering.asked[kind] == said_by_us(theirs, ours, policy, kind)
