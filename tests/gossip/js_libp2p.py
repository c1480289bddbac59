"""js-libp2p with its own gossipsub in a node process, set to StrictNoSign, with scores switched on."""

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from gossip_real import Stock, peer_process
from strategies import TEST_NETWORK, a_seed

INTEROP = Path(__file__).parent / "interop"

# Every part of a score counts. P3 asks for one delivery from the second second in the mesh
# on: the least that can be asked, and still what a peer that only takes does not give.
_TOPIC_SCORE = {
    "topicWeight": 0.5,
    "timeInMeshWeight": 0.01,
    "timeInMeshQuantum": 1000,
    "timeInMeshCap": 100,
    "firstMessageDeliveriesWeight": 0.1,
    "firstMessageDeliveriesDecay": 0.99,
    "firstMessageDeliveriesCap": 5,
    "meshMessageDeliveriesWeight": -10,
    "meshMessageDeliveriesDecay": 0.999,
    "meshMessageDeliveriesThreshold": 0.5,
    "meshMessageDeliveriesWindow": 2000,
    "meshMessageDeliveriesActivation": 2000,
    "meshFailurePenaltyWeight": -10,
    "meshFailurePenaltyDecay": 0.999,
    "invalidMessageDeliveriesWeight": -100,
    "invalidMessageDeliveriesDecay": 0.999,
}
_SCORE = {
    "topics": {TEST_NETWORK.topic: _TOPIC_SCORE},
    "behaviourPenaltyWeight": -10,
    "behaviourPenaltyThreshold": 0,
    "behaviourPenaltyDecay": 0.99,
}


def js_peer(folder: Path, key: int = 1, **gossip: Any) -> AbstractAsyncContextManager[Stock]:
    """Run one of what is installed in `folder`. `gossip` are options of gossipsub."""
    settings = {
        "topics": [TEST_NETWORK.topic],
        "seed": a_seed(key).hex(),
        "gossip": {"scoreParams": _SCORE} | gossip,
    }
    return peer_process(["node", "js_peer.mjs", json.dumps(settings)], folder)
