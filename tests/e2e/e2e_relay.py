"""A wire between two nodes that the test can cut at a byte: TCP from here to there, and so much back."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_AT_ONCE = 4_096  # bytes


class Relay:
    """`address` is that of the node behind it. After `most` bytes it passes on nothing of what that one says,
    and keeps the connection."""

    def __init__(self, address: str, most: int) -> None:
        _, _, host, _, port, _, peer = address.split("/")
        self._there = (host, int(port))
        self._left = most
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
