"""How much a Yamux connection tolerates from a peer."""

from dataclasses import dataclass

from p2pforum.core import limits


@dataclass(frozen=True)
class YamuxConfig:
    """How long a connection waits for its peer, in seconds; and how much a peer may use."""

    ping: float = limits.PING_SECONDS
    send_stall: float = limits.SEND_STALL_SECONDS
    read_stall: float = limits.READ_STALL_SECONDS
    linger: float = limits.LINGER_SECONDS
    streams: int = limits.MAX_STREAMS_PER_PEER  # in each direction
    buffer: int = limits.STREAM_BUFFER  # bytes
    frames: float = limits.FRAMES_PER_SECOND  # without data, a second
    memory: int = limits.CONNECTION_MEMORY  # bytes, all connections together


DEFAULT_CONFIG = YamuxConfig()
