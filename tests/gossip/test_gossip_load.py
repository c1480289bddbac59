"""`python -m simulation.load` in small, and where its figures come from."""

from pathlib import Path

import pytest

from simulation import load
from simulation.scale import measure
from simulation.swarm import Setting

STORE = (Path(__file__).parents[2] / "docs" / "STORE.md").read_text()


def test_all_topics_are_all_posts_and_fewer_are_fewer() -> None:
    assert load.share(load.TOPICS) == 1
    parts = [load.share(carried) for carried in load.CARRIED]
    assert parts == sorted(parts)
    assert load.share(0) == load.READ / load.TOPICS


def test_a_day_grows_with_people_and_with_what_is_carried() -> None:
    measured = measure(Setting(60), posts=6)
    small, large = (load.day(people, 1.0, measured) for people in (10_000, 100_000))
    assert large.kept == 10 * small.kept
    assert large.sent == pytest.approx(10 * small.sent, rel=0.02), "own stem frames do not grow"
    assert load.day(100_000, 0.25, measured).cpu == large.cpu / 4
    assert small.quota_days == pytest.approx(10 * large.quota_days)


def test_the_figures_it_multiplies_are_those_of_the_docs() -> None:
    said = " ".join(STORE.split())
    for figure in ("takes 145 us of CPU", "A stamp adds 140 us", "dated in the last two days | 5.4 | 2.6"):
        assert figure in said
    assert pytest.approx((145 + 140) * 1e-6) == load.INGEST


@pytest.mark.slow
def test_two_dialled_peers_in_a_topic_are_enough_and_one_is_not() -> None:
    assert load.thin(150, 4, dials=2)[1] == 1.0
    assert load.thin(150, 4, dials=1)[1] < 0.95


@pytest.mark.slow
def test_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert load.main(["40", "--posts", "4", "--thin", "20"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert sum(row[:1] == ["1000000"] for row in rows) == 1 + len(load.CARRIED)
