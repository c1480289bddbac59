"""Bytes as vectors write them: [hex, times], to be joined, so that a long row of one byte is short."""

import re

Packed = list[tuple[str, int]]
_ROW = re.compile(rb"(.)\1{63,}", re.DOTALL)


def packed(raw: bytes) -> Packed:
    parts: Packed = []
    end = 0
    for row in _ROW.finditer(raw):
        if row.start() > end:
            parts.append((raw[end : row.start()].hex(), 1))
        parts.append((row.group(1).hex(), len(row.group())))
        end = row.end()
    return parts + ([(raw[end:].hex(), 1)] if end < len(raw) or not parts else [])
