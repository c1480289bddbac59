"""A real server on a real socket, with a recording backend."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import trio
from api_backend import RecordingBackend

from p2pforum.api.server import serve_api


@pytest.fixture
def backend() -> RecordingBackend:
    return RecordingBackend()


@pytest.fixture
def socket_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "api.sock"


@pytest.fixture
async def server(
    backend: RecordingBackend, socket_path: Path, nursery: trio.Nursery
) -> AsyncIterator[RecordingBackend]:
    """The backend behind a running server; it ends with the test."""
    await nursery.start(serve_api, backend, socket_path)
    return backend


@pytest.fixture
async def http(server: RecordingBackend, socket_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.AsyncHTTPTransport(uds=str(socket_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://node", timeout=5) as client:
        yield client
