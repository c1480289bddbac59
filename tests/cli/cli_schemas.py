"""Whether JSON is as docs/json/ says."""

import json
from pathlib import Path
from typing import Any

from cli_world import ROOT

DIRECTORY = ROOT / "docs/json"
SCHEMAS = {path.stem: json.loads(path.read_text()) for path in DIRECTORY.glob("*.json")}
_IS = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "number": lambda value: type(value) in (int, float),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}


def faults(value: Any, schema: dict[str, Any], place: str = "") -> list[str]:
    """What of a value does not fit: of JSON Schema, what docs/json/make.py writes."""
    if "$ref" in schema:
        return faults(value, SCHEMAS[Path(schema["$ref"]).stem], place)
    if "anyOf" in schema:
        return min((faults(value, one, place) for one in schema["anyOf"]), key=len)
    wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if not any(_IS[kind](value) for kind in wanted):
        return [f"{place} is {value!r}, not {wanted}"]
    if isinstance(value, list):
        return [
            fault for n, item in enumerate(value) for fault in faults(item, schema["items"], f"{place}[{n}]")
        ]
    if not isinstance(value, dict):
        return []
    if each := schema["additionalProperties"]:
        return [fault for name, item in value.items() for fault in faults(item, each, f"{place}.{name}")]
    known = schema["properties"]
    found = [f"{place}.{name} is missing" for name in schema["required"] if name not in value]
    found += [f"{place}.{name} is unknown" for name in value if name not in known]
    return found + [f for n, v in value.items() if n in known for f in faults(v, known[n], f"{place}.{n}")]


def check(name: str, *values: Any) -> None:
    assert values
    for value in values:
        assert faults(value, SCHEMAS[name]) == []
