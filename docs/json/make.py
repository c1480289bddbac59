"""Make the JSON Schemas of this directory from the classes of p2pforum/app and p2pforum/api/answers.py.

`python docs/json/make.py` writes them; a test fails if the files here are different.
"""

import json
import sys
import types
from pathlib import Path
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from p2pforum.api import answers  # noqa: E402
from p2pforum.app import result_shapes as results  # noqa: E402
from p2pforum.app import shapes, status_shapes  # noqa: E402

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
SHAPES: dict[str, Any] = {
    "post": shapes.PostShape,
    "thread": shapes.ThreadShape,
    "board": shapes.BoardShape,
    "key": shapes.KeyShape,
    "draft": shapes.DraftShape,
    "peer": answers.PeerStatus,
    "node": answers.NodeStatus,
    "sync": answers.SyncStep,
    "status": status_shapes.StatusShape,
    "finding": status_shapes.FindingShape,
    "scan": results.ScanShape,
    "burn": results.BurnShape,
    "leak-report": results.LeakReportShape,
    "invite": results.InviteShape,
    "dropped-invite": results.DroppedShape,
    "proof": results.ProofShape,
    "made-proof": results.MadeProofShape,
    "pin": results.PinShape,
    "petname": results.PetnameShape,
    "restored": results.RestoredShape,
    "bundle": results.BundleShape,
    "publish-plan": results.PlanShape,
    "versions": dict[str, str],
}


def schema_of(name: str) -> dict[str, Any]:
    shape = SHAPES[name]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.json",
        **(_object(shape) if is_typeddict(shape) else _property(shape)),
    }


def _object(shape: Any) -> dict[str, Any]:
    hints = get_type_hints(shape, include_extras=True)
    return {
        "description": " ".join(shape.__doc__.split()),
        "type": "object",
        "properties": {key: _property(hint) for key, hint in hints.items()},
        "required": [key for key in hints if key in shape.__required_keys__],
        "additionalProperties": False,
    }


def _property(hint: Any) -> dict[str, Any]:
    if get_origin(hint) is NotRequired:
        return _property(get_args(hint)[0])
    if get_origin(hint) is Annotated:
        inner, text = get_args(hint)
        return {"description": text, **_property(inner)}
    if get_origin(hint) is list:
        return {"type": "array", "items": _property(get_args(hint)[0])}
    if get_origin(hint) is dict:
        return {"type": "object", "additionalProperties": _property(get_args(hint)[1])}
    if is_typeddict(hint):
        name = next((name for name, shape in SHAPES.items() if shape is hint), "")
        return {"$ref": f"{name}.json"} if name else _object(hint)
    if isinstance(hint, types.UnionType):
        kinds = get_args(hint)
        if any(is_typeddict(kind) or get_origin(kind) for kind in kinds):
            return {"anyOf": [_property(kind) for kind in kinds]}
        return {"type": [_TYPES[kind] for kind in kinds]}
    return {"type": _TYPES[hint]}


def text_of(name: str) -> str:
    return json.dumps(schema_of(name), indent=2) + "\n"


if __name__ == "__main__":
    for name in SHAPES:
        (HERE / f"{name}.json").write_text(text_of(name))
