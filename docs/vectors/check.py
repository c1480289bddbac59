"""Checks this implementation against every vector: python docs/vectors/check.py

Each function reads one file and yields what does not fit. A stranger's node needs the same loops.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from p2pforum.core import post_id as ids  # noqa: E402
from p2pforum.core.errors import InvalidPost  # noqa: E402
from p2pforum.core.limits import NetworkParams, params_for  # noqa: E402
from p2pforum.core.post import decode  # noqa: E402


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text())


def is_valid(raw: str, params: NetworkParams) -> bytes | None:
    """The ID of a valid post, else None."""
    try:
        post = decode(bytes.fromhex(raw), params)
        post.verify_signature()
        post.verify_stamp(params)
    except InvalidPost:
        return None
    return post.id


def posts() -> Iterator[str]:
    published = load("post-v1.json")
    free, stamped = params_for(published["network"]), NetworkParams(published["network"], stamp_floor=2)
    for key, params in (("accept", free), ("accept_with_floor_2", stamped)):
        for case in published[key]:
            if is_valid(case["raw"], params) != bytes.fromhex(case["id"]):
                yield f"{key}: {case['name']}"
    for key, params in (("reject", free), ("reject_with_floor_2", stamped)):
        for case in published[key]:
            if is_valid(case["raw"], params):
                yield f"{key}: {case['name']}"


def post_edges() -> Iterator[str]:
    published = load("post-edges-v1.json")
    params = params_for(published["network"])
    for case in published["edges"]:
        if (is_valid(case["raw"], params) is not None) != case["accept"]:
            yield f"{case['rule']}: {case['name']}"
