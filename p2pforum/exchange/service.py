"""Peer exchange over streams: the only file here that awaits.

The node asks peers that it dialled itself, because a peer that dialled in may be an attacker who chose this
node. It answers every peer. It dials nobody: the records it hears go to the address book (`PeerRecords`),
whose rules say which addresses are dialled.
"""

import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

import trio

from p2pforum.core import limits
from p2pforum.core.errors import RemoteProtocolError
from p2pforum.core.network_params import NetworkParams
from p2pforum.exchange.inbound_records import InboundRecords, is_modest, is_plausible
from p2pforum.exchange.rate_limiter import RateLimiter, RateVerdict
from p2pforum.exchange.record import PeerRecord, decode
from p2pforum.exchange.sample import Sample
from p2pforum.exchange.wire import ANSWER_SIZE, ASK_SIZE, decode_frame, encode_frame
from p2pforum.network.groups import network_group
from p2pforum.network.interface import (
    PEER_LOST,
    Connected,
    Connection,
    Direction,
    Network,
    PeerID,
    connection_to,
)

log = logging.getLogger(__name__)

_LOST = (*PEER_LOST, trio.TooSlowError)


@dataclass(frozen=True, slots=True)
class AskIntervals:
    """Seconds, from and to. Each wait is drawn anew, so that an observer sees no rhythm of questions."""

    # After a connection. So the order of the questions does not show in which order the peers came.
    first: tuple[float, float] = (5.0, 30.0)
    again: tuple[float, float] = (1_800.0, 5_400.0)


DEFAULT_PACE = AskIntervals()


class PeerRecords(Protocol):
    """Takes and supplies records: connection_manager.StoredBook."""

    def learn(self, record: PeerRecord, group: str) -> None:
        """Keep it, if the book has room. `group`: the network group of the peer that sent it."""
        ...

    def records(self) -> Sequence[bytes]:
        """Raw records of peers that this node has reached."""
        ...


@dataclass(slots=True)
class ExchangeCounts:
    """Counts since the start. None of them names a peer."""

    asked: int = 0  # answers received
    answered: int = 0
    learnt: int = 0  # records received, known ones included
    refused: int = 0  # questions that came too soon
    invalid: int = 0  # peers that broke the protocol


class ExchangeService:
    """Create it before peers connect, then `run`. `own` is this node's record, if it has one."""

    def __init__(
        self,
        network: Network,
        params: NetworkParams,
        rng: Random,
        book: PeerRecords,
        own: bytes | None = None,
        *,
        pace: AskIntervals = DEFAULT_PACE,
    ) -> None:
        self._network = network
        self._params = params
        self._rng = rng
        self._book = book
        self._own = own
        self._pace = pace
        self._limiter = RateLimiter()
        self._inbound_records = InboundRecords()
        self._sample = Sample(rng, self.known, own)
        self._asking: dict[Connection, trio.CancelScope] = {}
        self.counts = ExchangeCounts()
        network.set_handler(params.peers_protocol, self._on_stream)

    async def run(self) -> None:
        """Ask each dialled peer for records, until cancelled."""
        async with trio.open_nursery() as nursery:
            async for event in self._network.watch():
                if not isinstance(event, Connected):
                    if scope := self._asking.pop(event.connection, None):
                        scope.cancel()
                elif event.connection.direction is Direction.OUTBOUND:
                    scope = self._asking[event.connection] = trio.CancelScope()
                    nursery.start_soon(self._keep_asking, event.connection, scope)

    # -- asking --------------------------------------------------------------------------------------

    async def _keep_asking(self, connection: Connection, scope: trio.CancelScope) -> None:
        with scope:
            await trio.sleep(self._rng.uniform(*self._pace.first))
            while True:
                async with self._blaming(connection.peer):
                    await self._ask(connection)
                await trio.sleep(self._rng.uniform(*self._pace.again))

    async def _ask(self, connection: Connection) -> None:
        answer = b""  # the answer of a peer that was asked too soon
        with contextlib.suppress(*_LOST), trio.fail_after(limits.PEERS_SECONDS):
            async with await self._network.open_stream(
                connection.peer, self._params.peers_protocol
            ) as stream:
                await stream.send_all(encode_frame([self._own] if self._own else [], ASK_SIZE))
                await stream.send_eof()
                answer = await _receive(stream, ANSWER_SIZE)
        self.counts.asked += bool(answer)
        for raw in decode_frame(answer, limits.PEERS_TOLD):
            self._learn(decode(raw, self._params), network_group(connection.address))

    def _learn(self, record: PeerRecord, group: str) -> None:
        """`group`: the network group of the peer that sent the record."""
        if record.peer != self._network.peer_id and is_modest(record.addresses):
            self.counts.learnt += 1
            self._book.learn(record, group)

    def known(self) -> list[bytes]:
        """Raw records that may be shared."""
        inbound_records = self._inbound_records.records(trio.current_time())
        return list(dict.fromkeys([*self._book.records(), *inbound_records]))

    # -- answering -----------------------------------------------------------------------------------

    async def _on_stream(self, peer: PeerID, stream: trio.abc.HalfCloseableStream) -> None:
        async with self._blaming(peer):
            with trio.move_on_after(limits.PEERS_SECONDS):
                await self._answer(peer, stream)

    async def _answer(self, peer: PeerID, stream: trio.abc.HalfCloseableStream) -> None:
        ruling = self._limiter.ask(peer, trio.current_time())
        if ruling is RateVerdict.FLOOD:
            raise RemoteProtocolError("it asks for addresses all the time")
        if ruling is RateVerdict.REFUSE:
            self.counts.refused += 1
            return
        ask = await _receive(stream, ASK_SIZE)
        for raw in decode_frame(ask, 1):
            record = decode(raw, self._params)
            if record.peer != peer:  # a peer sends other peers' records only when this node asks for them
                raise RemoteProtocolError("it sent the record of another peer as its own")
            if connection := connection_to(self._network, peer):
                group = network_group(connection.address)
                if is_modest(record.addresses) and is_plausible(record.addresses, connection.address):
                    self._inbound_records.note(raw, peer, group, trio.current_time())
                self._learn(record, group)
        if ask:
            await stream.send_all(self._sample.answer(trio.current_time()))
            self.counts.answered += 1

    @contextlib.asynccontextmanager
    async def _blaming(self, peer: PeerID) -> AsyncIterator[None]:
        try:
            yield
        except RemoteProtocolError as error:
            self.counts.invalid += 1
            log.info("dropped a peer: %s", error)
            await self._network.ban(peer)
        except _LOST:
            raise
        except Exception:
            log.exception("a fault in the exchange of addresses")
            await self._network.disconnect(peer)


async def _receive(stream: trio.abc.ReceiveStream, size: int) -> bytes:
    """All bytes until the end of the stream. Raises RemoteProtocolError if they are neither none nor
    `size`."""
    received = bytearray()
    while part := await stream.receive_some(size + 1 - len(received)):
        received += part
        if len(received) > size:
            break
    if len(received) not in (0, size):
        raise RemoteProtocolError("a frame of another size")
    return bytes(received)
