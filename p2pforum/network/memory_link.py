"""A link inside one process: the state that both ends of a connection share."""

import weakref
from typing import TYPE_CHECKING

import trio

from p2pforum.network.memory_stream import MemoryStream

if TYPE_CHECKING:
    from p2pforum.network.memory_network import MemoryNetwork


class MemoryLink:
    def __init__(self, dialler: "MemoryNetwork", listener: "MemoryNetwork") -> None:
        self.ends = (dialler, listener)
        self.streams: weakref.WeakKeyDictionary[MemoryStream, MemoryNetwork] = weakref.WeakKeyDictionary()
        self.is_lost = False  # one end knows that it is gone, the other does not yet

    def other(self, node: "MemoryNetwork") -> "MemoryNetwork":
        dialler, listener = self.ends
        return listener if node is dialler else dialler

    def cut(self) -> None:
        for stream in list(self.streams):
            stream.sever()
        for node in self.ends:
            node.drop(self)

    async def cut_later(self, seconds: float) -> None:
        await trio.sleep(seconds)
        self.cut()

    def lose(self, node: "MemoryNetwork", notice: float) -> None:
        """End the link at this node's end only. The other node notices it after `notice` seconds."""
        self.is_lost = True
        for stream, owner in list(self.streams.items()):
            if owner is node:
                stream.lose()
        node.drop(self)
        self.other(node).notice_later(self, notice)
