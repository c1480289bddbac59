"""What a front end is told of a sync with several peers, one after another."""

from cli_schemas import SCHEMAS, faults

from p2pforum.api.answers import SyncSums
from p2pforum.sync.budget import Report
from p2pforum.tally import Tally


def a_report(wanted: int, received: int, new: int) -> Report:
    return Report(wanted=wanted, received=received, new=new, sent=1, bytes_in=100, bytes_out=10)


def test_it_adds_up_over_peers_and_not_over_looks() -> None:
    shown: list[SyncSums] = []
    tally = Tally(3, shown.append)
    tally.show(a_report(5, 1, 0))
    tally.show(a_report(5, 4, 2))
    tally.end({"peer": "one", "outcome": "done", "left": 0})
    tally.show(a_report(7, 7, 7))
    tally.end({"peer": "two", "outcome": "lost", "error": "it went away"})
    tally.end({"peer": "three", "outcome": "done", "left": 2})
    assert [(step["wanted"], step["got"], step["new"], step["sent"]) for step in shown] == [
        (5, 1, 0, 1),
        (5, 4, 2, 1),
        (12, 11, 9, 2),
    ]
    assert [(step["peers"], step["bytes"]) for step in shown] == [(3, 110), (3, 110), (3, 220)]
    result = tally.result()
    assert {**shown[-1], "done": 2, "sessions": result["sessions"]} == result
    assert [session["peer"] for session in result["sessions"]] == ["one", "two", "three"]
    for step in ({"progress": shown[-1]}, {"result": result}):
        assert faults(step, SCHEMAS["sync"]) == []
