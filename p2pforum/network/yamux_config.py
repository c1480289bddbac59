"""What a Yamux connection bears from a peer."""

from dataclasses import dataclass

from p2pforum.core import limits


@dataclass(frozen=True)
class YamuxConfig:
    """How patient a connection is, in seconds; and how much a peer may use."""

    ping: float = limits.PING_SECONDS
    send_stall: float = limits.SEND_STALL_SECONDS
    read_stall: float = limits.READ_STALL_SECONDS
    linger: float = limits.LINGER_SECONDS
    streams: int = limits.MAX_STREAMS_PER_PEER  # in each direction
    buffer: int = limits.STREAM_BUFFER
    frames: float = limits.FRAMES_PER_SECOND  # that carry nothing
    memory: int = limits.CONNECTION_MEMORY  # of all connections together


DEFAULT_CONFIG = YamuxConfig()
