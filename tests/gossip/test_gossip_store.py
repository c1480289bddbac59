"""The tests' store in a dict answers the door as the real one does."""

import tempfile
from pathlib import Path

from gossip_nodes import MemoryStore
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import TEST_NETWORK, a_post

from p2pforum.store.posts import open_store

POSTS = [a_post(f"Post {n}.") for n in range(4)]
indexes = st.lists(st.tuples(st.integers(0, 3), st.booleans()), max_size=4)
steps = st.lists(st.tuples(st.sampled_from(["add", "release", "known"]), indexes), max_size=8)


@settings(max_examples=25)
@given(steps)
def test_the_memory_store_is_a_store(todo: list[tuple[str, list[tuple[int, bool]]]]) -> None:
    with tempfile.TemporaryDirectory() as directory, open_store(Path(directory), TEST_NETWORK) as real:
        fake = MemoryStore()
        for action, which in todo:
            ids = [POSTS[n].id for n, _ in which]
            if action == "add":
                batch = [(POSTS[n], released) for n, released in which]
                assert fake.add(batch) == real.add(batch)
            elif action == "release":
                real.release(ids)
                fake.release(ids)
            else:
                assert fake.known(ids) == real.known(ids)
