"""One core's share of minting a stamp, as a process: `python -m p2pforum.forum.mint_worker`.

A process and not a thread, because threads of one process wait for each other's 256 KiB of
fresh memory: two threads mint as fast as one, two processes twice as fast. It gets the signed
fields, which will be public, and never a seed.
"""

import json
import secrets
import signal
import sys

from p2pforum.core.stamp import grind

CHUNK = 64  # tries between two signs of life: about 10 ms


def grind_chunk(structure: bytes, salt: bytes, bits: int) -> int | None:
    """CHUNK tries from a random start. So the nonce in a post shows neither the number of
    cores nor the time it took.
    """
    return grind(structure, salt, bits, secrets.randbits(63), CHUNK)


def main() -> None:
    """Mint one stamp. Reads a JSON object from st  # the parent handles Ctrl-C, and then ends us
    a line with "." after each CHUNK tries, and at last a line with the nonce.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle: it ends us
    task = json.loads(sys.stdin.readline())
    structure, salt = bytes.fromhex(task["structure"]), bytes.fromhex(task["salt"])
    nonce = None
    while nonce is None:
        nonce = grind_chunk(structure, salt, task["bits"])
        # If the parent is gone, this raises an error, which ends this process.
        sys.stdout.write(".\n" if nonce is None else f"{nonce}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
