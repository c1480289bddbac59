"""nostr-sdk (Rust) as a peer that nobody here wrote: its relay answers NIP-77, its client asks.

Both speak over a websocket on loopback, in messages of at most 60,000 bytes. nostr-sdk awaits in asyncio,
which runs only while something is asked of it here: the relay lives in threads of its own.
"""

import asyncio  # noqa: TID251 - its own loop
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import nostr_sdk
from list_items import Key
from nostr_sdk import EventBuilder, EventId, Filter, Kind, NegentropyItem, Timestamp
from stock import STOCK

ITS_POLICY = replace(STOCK, limit=60_000)
FIRST_KIND = 1000  # of Nostr events that a relay neither replaces nor forgets: up to 9999
_FIRST_SECOND = 1_700_000_000
_MANY = 10**6  # its limits are against spam
_TOGETHER = 25  # questions: each alone would wait 40 ms for the last one's bytes to be acknowledged
_PATIENCE = timedelta(seconds=60)


@dataclass
class Relay:
    url: str
    sets: dict[int, set[Key]]  #: what it holds, by kind


@contextmanager
def open_relay(sizes: Sequence[int]) -> Iterator[Relay]:
    """A relay with that many signed events of kind FIRST_KIND, FIRST_KIND + 1, ..."""
    with asyncio.Runner() as runner:
        relay = runner.run(_start())
        try:
            url = runner.run(relay.url())
            yield Relay(str(url), runner.run(_fill(url, sizes)))
        finally:
            relay.shutdown()


async def _start() -> nostr_sdk.LocalRelay:
    limit = nostr_sdk.RateLimit(max_reqs=_MANY, notes_per_minute=_MANY)
    builder = nostr_sdk.LocalRelayBuilder().rate_limit(limit)
    relay = builder.default_filter_limit(_MANY).max_filter_limit(_MANY).build()
    await relay.run()
    return relay


async def _fill(url: nostr_sdk.RelayUrl, sizes: Sequence[int]) -> dict[int, set[Key]]:
    rng = random.Random(1)
    signer = nostr_sdk.Keys.parse(f"{7:064x}")
    events = [
        EventBuilder(Kind(kind), f"Number {n}.")
        .custom_created_at(Timestamp.from_secs(_FIRST_SECOND + rng.randrange(size)))
        .finalize(signer)
        for kind, size in enumerate(sizes, FIRST_KIND)
        for n in range(size)
    ]
    client = nostr_sdk.ClientBuilder().build()
    await client.add_relay(url)
    await client.connect(_PATIENCE)
    await asyncio.gather(*map(client.send_event, events))
    await client.shutdown()
    sets: dict[int, set[Key]] = defaultdict(set)
    for event in events:
        sets[event.kind().as_u16()].add((event.created_at().as_secs(), event.id().as_bytes()))
    return sets


def ask(url: str, questions: Sequence[tuple[int, set[Key]]]) -> list[tuple[list[bytes], list[bytes]]]:
    """Of each kind, let its client compare a set with the relay's: (have, need)."""

    async def run() -> list[tuple[list[bytes], list[bytes]]]:
        client = nostr_sdk.ClientBuilder().build()
        address = nostr_sdk.RelayUrl.parse(url)
        await client.add_relay(address)
        await client.connect(_PATIENCE)
        relay = await client.relay(address)
        assert relay is not None
        found = []
        for start in range(0, len(questions), _TOGETHER):
            group = questions[start : start + _TOGETHER]
            found += await asyncio.gather(*[_ask(relay, kind, keys) for kind, keys in group])
        await client.shutdown()
        return found

    return asyncio.run(run())


async def _ask(relay: nostr_sdk.Relay, kind: int, keys: set[Key]) -> tuple[list[bytes], list[bytes]]:
    items = [NegentropyItem(id=EventId.from_bytes(i), timestamp=Timestamp.from_secs(t)) for t, i in keys]
    options = nostr_sdk.SyncOptions().dry_run().initial_timeout(_PATIENCE)
    found = await relay.sync(Filter().kind(Kind(kind)), items, options)
    return [i.as_bytes() for i in found.local], [i.as_bytes() for i in found.remote]
