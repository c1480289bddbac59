"""A store, and a reader of the same database."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from store_tools import opened

from p2pforum.store.posts import Store
from p2pforum.store.queries import Reader, open_reader


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with ExitStack() as stack:
        yield opened(stack, tmp_path)


@pytest.fixture
def reader(store: Store, tmp_path: Path) -> Iterator[Reader]:
    with open_reader(tmp_path) as reader:
        yield reader
