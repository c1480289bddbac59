"""This node's identity, and a secured channel to a peer: libp2p's keys, peer IDs and Noise handshake.

The library does the handshake and holds the keys. Framing and reading are our own code, so that reads are
buffered and the channel is an ordinary trio stream.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import trio

import p2pforum.network.on_demand  # noqa: F401  # must come before libp2p, so that only parts of it load

# isort: split
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.keys import KeyPair
from libp2p.crypto.x25519 import create_new_key_pair as create_new_x25519
from libp2p.peer.id import ID
from libp2p.security.noise.exceptions import PeerIDMismatchesPubkey
from libp2p.security.noise.transport import Transport as Noise

from p2pforum.core.errors import NetworkError
from p2pforum.network.frame_budget import FrameBudget
from p2pforum.network.interface import PeerID

Cipher = Callable[[bytes], bytes]
MAX_PLAINTEXT = 65_519  # bytes of one Noise message, without its tag
READ_SIZE = 64 * 1024  # bytes to read from the socket at once: one Noise message


@dataclass(frozen=True)
class Identity:
    """The key pair of this node's peer ID. It signs handshakes, and the record of this node's addresses."""

    key_pair: KeyPair
    noise: Noise
    peer_id: PeerID

    @classmethod
    def create(cls, seed: bytes | None = None) -> "Identity":
        """From 32 stored bytes, or new. With a new key, an observer can't tell that two starts were of one
        node."""
        key_pair = create_new_key_pair(seed if seed is not None else secrets.token_bytes(32))
        noise = Noise(key_pair, noise_privkey=create_new_x25519().private_key)
        return cls(key_pair, noise, PeerID(ID.from_pubkey(key_pair.public_key).to_base58()))

    @property
    def public_key(self) -> bytes:
        """In libp2p's protobuf encoding, as identify sends it."""
        return self.key_pair.public_key.serialize()

    def sign(self, message: bytes) -> bytes:
        return bytes(self.key_pair.private_key.sign(message))


class AnotherPeer(NetworkError):
    """A peer answered, and proved a peer ID other than the expected one."""


async def secure(
    stream: trio.abc.HalfCloseableStream, identity: Identity, expected: PeerID | None
) -> tuple[trio.abc.HalfCloseableStream, PeerID]:
    """The Noise handshake: this node begins it if it expects a peer, else the peer begins.

    Raises AnotherPeer, or NetworkError if the handshake fails. Set a timeout around it.
    """
    raw: Any = _Raw(stream)
    session: Any
    try:
        if expected is None:
            session = await identity.noise.secure_inbound(raw)
        else:
            session = await identity.noise.secure_outbound(raw, ID.from_base58(expected))
    except PeerIDMismatchesPubkey as error:
        raise AnotherPeer("another peer answers") from error
    except Exception as error:
        # The library raises many kinds of exceptions on bytes that are not a handshake.
        raise NetworkError("the handshake failed") from error
    peer = PeerID(session.get_remote_peer().to_base58())
    return NoiseStream(stream, session.conn.encrypt, session.conn.decrypt), peer


class _Raw:
    """The stream interface that the library's handshake expects."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream

    async def read(self, size: int) -> bytes:
        part = bytes(await self._stream.receive_some(size)) if size else b""
        if not part and size:
            raise EOFError
        return part

    async def write(self, data: bytes) -> None:
        await self._stream.send_all(data)


class NoiseStream(trio.abc.HalfCloseableStream):
    """Encrypted messages of at most 65,535 bytes, each with its length in two bytes before it (Noise, section
    3).

    A send that is cancelled half-way leaves it unusable: only Yamux's writing task sends here.
    """

    def __init__(self, stream: trio.abc.HalfCloseableStream, encrypt: Cipher, decrypt: Cipher) -> None:
        self._stream = stream
        self._encrypt = encrypt
        self._decrypt = decrypt
        self._sealed = bytearray()
        self._clear = bytearray()
        self._budget = FrameBudget(trio.current_time())

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypt and send. Raises what the stream below raises."""
        view = memoryview(data)
        sealed = bytearray()
        for start in range(0, len(view), MAX_PLAINTEXT):
            message = self._encrypt(bytes(view[start : start + MAX_PLAINTEXT]))
            sealed += len(message).to_bytes(2, "big") + message
        await self._stream.send_all(sealed)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def send_eof(self) -> None:
        """End the connection below. Noise has no end of its own, and Yamux says its end first."""
        await self._stream.send_eof()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Decrypted bytes, at most `max_bytes`; b"" at the end. Raises BrokenResourceError for a forged
        message.

        Waits longer if the peer sends many messages with little in them (frame_budget.py).
        """
        while not self._clear:
            arrived = await self._stream.receive_some(READ_SIZE)
            if not arrived:
                return b""
            self._sealed += arrived
            opened = self._open()
            if wait := self._budget.spend(opened, len(self._clear), trio.current_time()):
                await trio.sleep(wait)
        taken = bytes(self._clear[:max_bytes])
        del self._clear[:max_bytes]
        return taken

    def _open(self) -> int:
        """Decrypt all complete messages; returns how many there were."""
        start = opened = 0
        while len(self._sealed) - start >= 2:
            end = start + 2 + int.from_bytes(self._sealed[start : start + 2], "big")
            if len(self._sealed) < end:
                break
            try:
                self._clear += self._decrypt(bytes(self._sealed[start + 2 : end]))
            except Exception as error:  # of the library or its backend: the message is forged or damaged
                raise trio.BrokenResourceError("a message that the peer did not encrypt") from error
            start = end
            opened += 1
        del self._sealed[:start]
        return opened

    async def aclose(self) -> None:
        await self._stream.aclose()
