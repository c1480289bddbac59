"""A wire between two nodes that the test can cut at a byte: TCP from here to there, and so much back."""

import socket
import threading
from abc import ABC, abstractmethod
from contextlib import suppress
from types import TracebackType
from typing import Self

_AT_ONCE = 4_096  # bytes


class _Wire(ABC):
    """To a node, from `address`. Leaving the `with` ends all connections."""

    def __init__(self, address: str) -> None:
        _, _, host, _, port, _, peer = address.split("/")
        self._there = (host, int(port))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._serve)]
        self.address = f"/ip4/127.0.0.1/tcp/{self._listener.getsockname()[1]}/p2p/{peer}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for end in (self._listener, *self._sockets):
            with suppress(OSError):  # it is gone already
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        for thread in self._threads:
            thread.join()

    @abstractmethod
    def _serve(self) -> None: ...


class Relay(_Wire):
    """After `most` bytes it passes on nothing of what the node says, and keeps the connection."""

    def __init__(self, address: str, most: int) -> None:
        super().__init__(address)
        self._left = most

    def _serve(self) -> None:
        """One connection."""
        try:
            here, _ = self._listener.accept()
        except OSError:  # closed before anybody came
            return
        there = socket.create_connection(self._there)
        self._sockets += (here, there)
        back = threading.Thread(target=self._pass_on, args=(there, here, True))
        self._threads.append(back)
        back.start()
        self._pass_on(here, there, False)

    def _pass_on(self, source: socket.socket, sink: socket.socket, is_counted: bool) -> None:
        with suppress(OSError):  # one of the two has gone
            while part := source.recv(_AT_ONCE):
                if is_counted:
                    part = part[: self._left]
                    self._left -= len(part)
                sink.sendall(part)


class ForgetfulRouter(_Wire):
    """`lose_connections` ends every connection at the end of who dialled, and keeps the other end open and
    silent, as a router that lost its table or a computer that changed networks."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self._near: list[socket.socket] = []
        self._forgotten: set[socket.socket] = set()

    def lose_connections(self) -> None:
        self._forgotten.update(self._sockets)
        for near in list(self._near):
            with suppress(OSError):
                near.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._there)
                self._sockets += (near, far)
                self._near.append(near)
                for source, sink in ((near, far), (far, near)):
                    thread = threading.Thread(target=self._pass_on, args=(source, sink))
                    self._threads.append(thread)
                    thread.start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):  # one of the two has gone
            while part := source.recv(_AT_ONCE):
                if source not in self._forgotten:
                    sink.sendall(part)
            if source not in self._forgotten:
                sink.shutdown(socket.SHUT_WR)
