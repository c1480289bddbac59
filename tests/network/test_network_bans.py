"""How long a ban lasts, and how many are kept."""

import pytest
import trio
import trio.testing

from p2pforum.core import limits
from p2pforum.network.bans import Bans


async def test_a_ban_lasts_for_an_hour(autojump_clock: trio.testing.MockClock) -> None:
    bans = Bans()
    assert "eve" not in bans
    bans.add("eve")
    await trio.sleep(limits.BAN_SECONDS - 1)
    assert "eve" in bans
    await trio.sleep(1)
    assert "eve" not in bans


async def test_the_newest_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BANS_REMEMBERED", 3)
    bans = Bans()
    for name in ("a", "b", "c", "a", "d"):
        bans.add(name)
    assert [name for name in "abcd" if name in bans] == ["a", "c", "d"]
