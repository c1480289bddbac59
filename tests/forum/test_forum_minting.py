"""Minting on all cores: a good stamp, a sign of life, and nothing left when it is interrupted."""

import itertools
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from forum_world import Shelf, a_person
from strategies import HOUR, a_key, a_seed

from p2pforum.core.kinds import Kind
from p2pforum.core.network_params import NetworkParams
from p2pforum.core.post import Payload, sign
from p2pforum.core.stamp import blank_stamp
from p2pforum.forum import minting
from p2pforum.forum.minting import mint

NET = NetworkParams("mint-net", stamp_floor=1)
ENDLESS = NetworkParams("endless-net", stamp_first=60)
TESTS = Path(__file__).parents[1]


def a_payload(bits: int) -> Payload:
    return Payload(Kind.POST, "general", b"", (), HOUR, ("s", "t"), blank_stamp(bits))


def check(payload: Payload) -> None:
    sign(payload, a_seed(1), a_key(1), NET).verify_stamp(NET)


@pytest.mark.parametrize("bits", [1, 6, 10])
def test_the_stamp_is_worth_its_bits(bits: int) -> None:
    calls: list[tuple[int, int]] = []
    payload = a_payload(bits)
    minted = mint(payload, a_key(1), NET, lambda tried, expected: calls.append((tried, expected)))
    check(minted)
    assert replace(minted, stamp=payload.stamp) == payload, "nothing but the nonce is changed"
    assert {expected for _, expected in calls} <= {2**bits}
    assert [tried for tried, _ in calls] == sorted(tried for tried, _ in calls)


def test_nonces_start_nowhere_in_particular() -> None:
    """Else they would tell how long it took, and on how many cores."""
    nonces = [mint(a_payload(0), a_key(1), NET).stamp.nonce for _ in range(50)]
    assert len({nonce[:3] for nonce in nonces}) == 50


@pytest.mark.parametrize("executable", ["", "/bin/false", "/no/such/file"])
def test_without_other_processes_it_mints_alone(executable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", executable)
    check(mint(a_payload(10), a_key(1), NET))


def test_an_interruption_ends_the_workers() -> None:
    def interrupt(tried: int, expected: int) -> None:
        workers = children(os.getpid()) - before
        assert len(workers) == len(os.sched_getaffinity(0))
        raise KeyboardInterrupt

    before = children(os.getpid())  # of earlier tests in this process, that may end meanwhile
    with pytest.raises(KeyboardInterrupt):
        mint(a_payload(60), a_key(1), ENDLESS, interrupt)
    assert children(os.getpid()) <= before


def children(pid: int) -> set[int]:
    found = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        found.update(map(int, (task / "children").read_text().split()))
    return found


def test_interrupted_in_process_nothing_is_kept(tmp_path: Path) -> None:
    def interrupt(tried: int, expected: int) -> None:
        raise KeyboardInterrupt

    person = a_person(tmp_path, Shelf(ENDLESS))
    before = person.keystore.path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        replace(person.publisher, progress=interrupt).new_thread("b", "s", "t")
    assert person.keystore.path.read_bytes() == before
    assert person.shelf.rows == {}


SCRIPT = f"""
import sys
sys.path[:0] = {[str(TESTS), str(TESTS / "keystore"), str(TESTS / "forum"), str(TESTS.parent)]!r}
from dataclasses import replace
from pathlib import Path
from forum_world import Person, Shelf
from keystore_samples import reopened
from test_forum_minting import ENDLESS

person = Person(reopened(Path(sys.argv[1]), None), Shelf(ENDLESS))
show = lambda tried, expected: print(tried, flush=True)
try:
    replace(person.publisher, progress=show).new_thread("b", "s", "t")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_ctrl_c_and_kill_leave_nothing_half(tmp_path: Path, how: signal.Signals) -> None:
    """A real signal to the whole group, as the terminal sends it; SIGKILL to the minting process alone."""
    person = a_person(tmp_path)
    before = person.keystore.path.read_bytes()
    command = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert int(process.stdout.readline()) > 0, "it is minting"
        workers = children(process.pid)
        assert workers
        if how is signal.SIGINT:
            os.killpg(process.pid, how)
        else:
            process.send_signal(how)
        shown = process.stdout.read().split()
        noise = process.stderr.read()
    assert (shown[-1:] == ["interrupted"]) == (how is signal.SIGINT)
    assert noise == ""
    assert person.keystore.path.read_bytes() == before
    wait_until_gone(workers)


def wait_until_gone(pids: set[int]) -> None:
    """Orphans end at their next sign of life, when nobody is there to read it."""
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "a worker outlives its parent"
        os.sched_yield()


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_how_long_a_stamp_takes_doubles_with_each_bit_and_halves_with_the_cores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    times = itertools.cycle([1.0, 1.0 + 0.128])
    monkeypatch.setattr(minting.time, "process_time", lambda: next(times))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert minting.seconds_for(14) == pytest.approx(0.128 / 256 * 2**14)
    assert minting.seconds_for(15) == pytest.approx(2 * minting.seconds_for(14))
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    assert minting.seconds_for(14) == pytest.approx(0.128 / 256 * 2**13)
