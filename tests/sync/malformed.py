"""Messages with faults in them, and what we refuse though others take it."""

import random

STRICTER = (
    "a number with a leading zero digit",  # the spec: as few digits as possible
    "a number of more than 64 bits",  # JavaScript wraps at 32
    "a bound at infinity that is not spelled as infinity",
    "bounds that descend",  # the spec: in ascending order
    "two skips in a row",
)


def mangled(rng: random.Random, message: bytes) -> bytes:
    """A message with a fault in it, or two."""
    broken = bytearray(message)
    for _ in range(rng.choice([1, 1, 2])):
        at = rng.randrange(len(broken) + 1)
        match rng.randrange(5):
            case 0:
                del broken[at:]
            case 1:
                broken[at : at + 1] = bytes([rng.randrange(256)])
            case 2:
                del broken[at : at + rng.randrange(1, 5)]
            case 3:
                broken[at:at] = rng.randbytes(rng.randrange(1, 5))
            case _:
                broken += rng.randbytes(rng.randrange(1, 40))
    return bytes(broken)
