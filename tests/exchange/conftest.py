"""A network in one process."""

from random import Random

import pytest

from p2pforum.network.memory_network import MemoryHub


@pytest.fixture
def hub() -> MemoryHub:
    return MemoryHub(Random(1), (0.01, 0.1))
