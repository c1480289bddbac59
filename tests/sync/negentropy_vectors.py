"""Writes docs/vectors/negentropy-*.json: whole stock-mode transcripts, for those who write another node.

    python tests/sync/negentropy_vectors.py

Deterministic: items are hashes of small numbers. test_sync_interop.py checks the same code against
nostr-tools.
"""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from list_items import Key, ListItems, a_key_at  # noqa: E402
from stock import STOCK, Stock  # noqa: E402

from p2pforum.sync.reconcile import Policy  # noqa: E402

FOLDER = ROOT / "docs" / "vectors"
_CASES = [  # common, only the initiator's, only the responder's, hours
    (0, 0, 0, 1),
    (1, 0, 0, 1),
    (0, 1, 0, 1),
    (0, 0, 1, 1),
    (31, 0, 1, 4),
    (32, 1, 0, 4),
    (120, 3, 3, 1),
    (300, 5, 5, 60),
]
_LIMITED = [(3, 0, 200, 7), (200, 100, 100, 1)]


def _sets(n: int, common: int, left: int, right: int, hours: int) -> tuple[list[Key], list[Key]]:
    keys = [a_key_at(1000 * n + i, 1000 + i % hours) for i in range(common + left + right)]
    shared = keys[:common]
    return sorted(shared + keys[common : common + left]), sorted(shared + keys[common + left :])


def _transcript(left: list[Key], right: list[Key], policy: Policy) -> dict[str, Any]:
    initiator = Stock(ListItems(left), policy, initiator=True)
    responder = Stock(ListItems(right), policy, initiator=False)
    messages = []
    message: bytes | None = initiator.initiate()
    while message is not None:
        reply = responder.reconcile(message)
        assert reply is not None
        messages += [message.hex(), reply.hex()]
        message = initiator.reconcile(reply)
    have = [id_.hex() for lo, hi in initiator.have for _, id_ in ListItems(left).keys(lo, hi)]
    return {
        "frame_limit": policy.limit,
        "initiator": [[hour, id_.hex()] for hour, id_ in left],
        "responder": [[hour, id_.hex()] for hour, id_ in right],
        "messages": messages,
        "initiator_has": sorted(have),
        "initiator_needs": sorted(id_.hex() for id_ in initiator.need),
    }


def transcripts() -> dict[str, list[dict[str, Any]]]:
    limited = replace(STOCK, limit=4096)
    return {
        "negentropy-stock.json": [_transcript(*_sets(n, *case), STOCK) for n, case in enumerate(_CASES)],
        "negentropy-limited.json": [_transcript(*_sets(50 + n, *c), limited) for n, c in enumerate(_LIMITED)],
    }


if __name__ == "__main__":
    for name, cases in transcripts().items():
        (FOLDER / name).write_text(json.dumps(cases, indent=1) + "\n")
