"""The vectors fit this program, their scripts make them, and no rule can be broken without one noticing."""

import json
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
VECTORS = HERE.parents[1] / "docs" / "vectors"
sys.path.insert(0, str(VECTORS))

import bundle_vectors  # noqa: E402
import check  # noqa: E402
import mutants  # noqa: E402
import names_vectors  # noqa: E402
import post_edge_vectors  # noqa: E402
import rpc_vectors  # noqa: E402
import stem_vectors  # noqa: E402
import sync_vectors  # noqa: E402
from google.protobuf.message import DecodeError  # noqa: E402
from libp2p.pubsub.pb.rpc_pb2 import RPC  # noqa: E402

MAKERS = (bundle_vectors, names_vectors, post_edge_vectors, rpc_vectors, stem_vectors, sync_vectors)


def test_this_program_fits_them() -> None:
    assert list(check.failures()) == []


@pytest.mark.parametrize("maker", MAKERS, ids=lambda maker: maker.__name__)
def test_the_scripts_make_the_published_files(maker: object) -> None:
    made = json.loads(json.dumps(maker.vectors()))  # type: ignore[attr-defined]
    assert made == check.load(maker.FILE.name)  # type: ignore[attr-defined]


def test_every_file_is_looked_at() -> None:
    read = {name for name in Path(check.__file__).read_text().split('"') if name.endswith(".json")}
    there = {path.name for path in VECTORS.glob("*.json")}
    assert there - read == {"negentropy-limited.json", "negentropy-stock.json"}, "tests/sync looks at these"


def test_every_mutant_breaks_something_that_is_there() -> None:
    assert list(mutants.misplaced()) == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_no_mutant_survives() -> None:
    survivors = [result.mutant.rule for result in mutants.results() if not result.noticed]
    assert survivors == []


@pytest.mark.slow
def test_control_without_the_vectors_at_the_edges_mutants_survive() -> None:
    rules = {"no U+2060", "algorithms of any number", "bodies counted in characters", "no kind 65,535"}
    chosen = [mutant for mutant in mutants.MUTANTS if mutant.rule in rules]
    noticed = {result.mutant.rule for result in mutants.results(chosen, "post_edges") if result.noticed}
    assert {mutant.rule for mutant in chosen} - noticed == {"no U+2060", "bodies counted in characters"}


@pytest.mark.parametrize("case", rpc_vectors.vectors()["accept"], ids=lambda case: case["name"])
def test_libp2p_reads_the_rpcs(case: dict[str, object]) -> None:
    raw = b"".join(bytes.fromhex(part) * times for part, times in case["raw"])  # type: ignore[attr-defined]
    read, told = RPC.FromString(raw), case["reads"]
    assert isinstance(told, dict)
    assert [[s.topicid, s.subscribe] for s in read.subscriptions] == told.get("subscriptions", [])
    assert [[m.topicIDs[0], m.data.hex()] for m in read.publish] == told.get("publish", [])
    have = [
        [h.topicID, [i if isinstance(i, str) else i.hex() for i in h.messageIDs]] for h in read.control.ihave
    ]
    assert len(have) == len(told.get("ihave", []))
    assert [g.topicID for g in read.control.graft] == told.get("graft", [])
    assert [[p.topicID, p.backoff or None] for p in read.control.prune] == told.get("prune", [])


@pytest.mark.parametrize(
    "name", ["cut off in a field", "a field that ends behind its place", "field number 0"]
)
def test_nor_does_libp2p_read_what_is_no_protobuf(name: str) -> None:
    with pytest.raises(DecodeError):
        RPC.FromString(rpc_vectors.REJECT[name])
