"""Each bound on what comes in: what is just inside is taken, what is just outside is not."""

import re
from pathlib import Path

import bound_rows as rows
import pytest
from bounds import NUMBERS, Row
from bounds_elsewhere import NO_EDGE, TESTED
from gossip_bounds import ROWS as GOSSIP
from import_bounds import ROWS as IMPORTS
from kept_bounds import ROWS as KEPT
from mesh_bounds import ROWS as MESH
from network_bounds import ROWS as NETWORK
from own_bounds import ROWS as OWN
from score_bounds import ROWS as SCORE
from stem_bounds import ROWS as STEM
from strategies import HOUR, a_post
from sync_bounds import ROWS as SYNC

from p2pforum.config import checks
from p2pforum.core import bundle, clock, limits, text
from p2pforum.core.stamp import blank_stamp
from p2pforum.core.verdict import Origin
from p2pforum.exchange import wire as exchange_wire
from p2pforum.exchange.rate_limiter import RateLimiter, RateVerdict
from p2pforum.forum import names, writing
from p2pforum.gossip.wire.framing import FrameSplitter
from p2pforum.gossip.wire.rpc import decode_rpc, encode_uvarint
from p2pforum.ingest import check_time
from p2pforum.peers import entry
from p2pforum.stem import wire as stem_wire
from p2pforum.store import retention, search
from p2pforum.sync.budget import Budget, ReceiveWindow, Report
from p2pforum.sync.wire import payloads
from p2pforum.sync.wire.negentropy import encode_varint
from p2pforum.sync.wire.payloads import Credit, FrameType, PostsReason

ROWS = [
    # posts
    Row("MAX_POST", "a post", rows.post_of_size),
    Row("MAX_BODY", "a post", lambda n: a_post("x" * n)),
    Row("MAX_SUBJECT", "a post", lambda n: a_post(subject="x" * n)),
    Row("MAX_BOARD_NAME", "a post", lambda n: a_post(board="b" * n)),
    Row("MAX_NETWORK_NAME", "a name", lambda n: text.is_valid_network("n" * n)),
    Row("MAX_PARENTS", "a post", rows.reply_to),
    Row("MAX_HOUR", "a post", lambda n: a_post(hour=n), inside=-1, outside=0),
    Row("MAX_NESTING", "a post", rows.nested),
    Row("MAX_STAMP_BITS", "a post", lambda n: a_post(stamp=blank_stamp(n))),
    # time
    Row("GOSSIP_PAST_HOURS", "gossip", lambda n: check_time(HOUR - n, HOUR, Origin.GOSSIP, 0) is None),
    Row("GOSSIP_PAST_HOURS", "the stem", lambda n: check_time(HOUR - n, HOUR, Origin.STEM, 0) is None),
    Row("FUTURE_HOURS", "gossip", lambda n: check_time(HOUR + n, HOUR, Origin.GOSSIP, 0) is None),
    Row("FUTURE_HOURS", "sync", lambda n: check_time(HOUR + n, HOUR, Origin.SYNC, 0) is None),
    Row("RETENTION_HOURS", "sync", lambda n: check_time(HOUR - n, HOUR, Origin.SYNC, HOUR - 4_320) is None),
    Row("RETENTION_HOURS", "the clock", lambda n: clock.is_taken(HOUR - n, HOUR)),
    Row("FUTURE_HOURS", "the clock", lambda n: clock.is_taken(HOUR + n, HOUR)),
    Row("FUTURE_HOURS", "peers ahead", lambda n: not clock.is_off(n)),
    Row("FUTURE_HOURS", "peers behind", lambda n: not clock.is_off(-n)),
    Row("FUTURE_HOURS", "posts here", lambda n: not clock.problem(HOUR, None, HOUR + n)),
    Row("STANDSTILL_HOURS", "retention", lambda n: not retention.stands_still(HOUR - n, HOUR)),
    # bundles and invites
    Row("MAX_POST", "a bundle", lambda n: bundle.split_posts(bundle.join_posts([bytes(n)]))),
    Row("MAX_BUNDLE_CHUNK", "a bundle", rows.chunk_of),
    Row("MAX_INVITED", "peers", lambda n: rows.invite_to(peers=n)),
    Row("MAX_INVITED", "boards", lambda n: rows.invite_to(boards=n)),
    Row("MAX_INVITED", "lists", lambda n: rows.invite_to(lists=n)),
    Row("MAX_INVITED_ADDRESS", "a peer", rows.invite_with_address),
    Row("MAX_INVITE", "an invite", rows.invite_of_length),
    # records of peers
    Row("MAX_PEER_RECORD", "a frame", lambda n: exchange_frame([bytes([1]) * n], 1)),
    Row("MAX_PEER_ADDRESSES", "a record", rows.record_of),
    Row("MAX_PEER_ADDRESS", "a record", lambda n: rows.a_record(["/" + "x" * (n - 1)])),
    Row("MAX_PEER_SEQUENCE", "a record", lambda n: rows.a_record([rows.HOME], n), inside=-1, outside=0),
    Row("PEERS_TOLD", "a frame", lambda n: exchange_frame([b"x"] * n, limits.PEERS_TOLD)),
    Row("PEERS_BURST", "asks", lambda n: asked(n) is RateVerdict.ANSWER),
    Row("PEERS_REFUSED", "asks", lambda n: asked(limits.PEERS_BURST + n) is RateVerdict.REFUSE),
    # gossip
    Row("MAX_RPC", "an RPC", rows.rpc_of_size),
    Row("MAX_RPC", "a frame", lambda n: list(FrameSplitter().feed(encode_uvarint(n)))),
    Row("MAX_RPC_MESSAGES", "an RPC", lambda n: rows.rpc(publish=[{"data": b"", "topicIDs": ["t"]}] * n)),
    Row("MAX_SUBSCRIPTIONS", "an RPC", lambda n: rows.rpc(subscriptions=[{"topicid": "t"}] * n)),
    Row("MAX_SUBSCRIPTIONS", "GRAFTs", lambda n: rows.control(graft=[{"topicID": "t"}] * n)),
    Row("MAX_SUBSCRIPTIONS", "PRUNEs", lambda n: rows.control(prune=[{"topicID": "t"}] * n)),
    Row("MAX_SUBSCRIPTIONS", "IHAVEs", lambda n: rows.control(ihave=[{"topicID": "t"}] * n)),
    Row("MAX_RPC_IDS", "IHAVE", lambda n: rows.control(ihave=[{"topicID": "t", "messageIDs": [b""] * n}])),
    Row("MAX_RPC_IDS", "IWANT", lambda n: rows.control(iwant=[{"messageIDs": [b""] * n}])),
    Row("MAX_TOPIC_NAME", "GRAFT", lambda n: rows.control(graft=[{"topicID": "t" * n}])),
    Row("MAX_RPC_FIELDS", "an RPC", lambda n: decode_rpc(rows.JUNK * n)),
    # the stem
    Row("MAX_POST", "the stem", lambda n: stem_wire.decode_frame(stem_wire.encode_frame(bytes(n)))),
    # sync
    Row("MAX_FRAME", "a frame", lambda n: rows.read(encode_varint(n) + bytes([FrameType.NEG]))),
    Row("MAX_POSTS_FRAME", "a frame", lambda n: rows.read(encode_varint(n) + bytes([FrameType.POSTS]))),
    Row("MAX_POST", "sync", lambda n: rows.read(payloads.Posts(PostsReason.WANTED, (bytes(n),)))),
    Row("MAX_HOUR", "HELLO", lambda n: rows.read(payloads.Hello(bytes(16), n, 0)), inside=-1, outside=0),
    Row("MAX_HOUR", "a bound", rows.bound_at, inside=-1, outside=0),
    Row("SYNC_POSTS_WINDOW", "credit", lambda n: rows.read(payloads.Grant(Credit.POSTS, n))),
    Row("SYNC_POSTS_WINDOW", "posts", lambda n: ReceiveWindow(limits.SYNC_POSTS_WINDOW).arrived(n)),
    Row("SYNC_NEG_WINDOW", "comparing", lambda n: ReceiveWindow(limits.SYNC_NEG_WINDOW).arrived(n)),
    Row("SYNC_WANT_WINDOW", "wanted", rows.wants),
    Row("SYNC_PULL_WINDOW", "pulled", rows.pulls),
    Row("MAX_SYNC_BOARDS", "told", rows.boards_told),
    Row("SYNC_NEG_BYTES", "in", lambda n: Report(neg_in=n).check(Budget())),
    Row("SYNC_NEG_BYTES", "out", lambda n: Report(neg_out=n).check(Budget())),
    Row("SYNC_POSTS_BYTES", "in", lambda n: Report(posts_in=n).check(Budget())),
    Row("SYNC_POSTS_BYTES", "out", lambda n: Report(posts_out=n).check(Budget())),
    Row("SYNC_RANGES", "compared", lambda n: Report(ranges=n).check(Budget())),
    Row("SYNC_ROUNDS", "of ranges", lambda n: Report(rounds=n).check(Budget())),
    Row("SYNC_CPU_SECONDS", "of work", lambda n: Report(cpu=n).check(Budget())),
    # the network
    Row("MAX_PROTOCOL_NAME", "with its newline", rows.in_trio(rows.protocol_name_of)),
    Row("MAX_PROTOCOL_TRIES", "a stream", rows.in_trio(rows.protocol_tries)),
    Row("BANS_REMEMBERED", "bans", rows.in_trio(rows.bans_of)),
    # the book of addresses
    Row("BOOK_HORIZON_DAYS", "heard of", lambda n: rows.lasts(heard=rows.PAST - n)),
    Row("BOOK_NEW_FAILURES", "failures", lambda n: rows.lasts(failures=n), inside=-1, outside=0),
    Row("BOOK_FAILURES", "failures", lambda n: rows.lasts(day=1, failures=n), inside=-1, outside=0),
    Row("BOOK_FAIL_DAYS", "silent", lambda n: rows.lasts(day=rows.PAST - n, failures=99)),
    Row("BOOK_NEW_BUCKETS", "a row", lambda n: book_row(bucket=n), inside=-1, outside=0),
    Row("MAX_BOOK_RECORD", "learnt", rows.learnt),
    Row("MAX_BOOK_RECORD", "a row", lambda n: book_row(record=bytes(n))),
    # a person's own
    Row("MAX_SUBJECT", "typed", lambda n: writing.clean_subject("x" * n)),
    Row("MAX_BODY", "typed", lambda n: writing.clean_body("x" * n)),
    Row("MAX_BOARD_NAME", "typed", lambda n: text.is_valid_board("b" * n)),
    Row("MAX_PARENTS", "typed", rows.answers),
    Row("MAX_LOCAL_NAME", "typed", lambda n: names.clean_name("x" * n)),
    Row("MOST_HOLD_MINUTES", "the config", lambda n: checks._hold("hold_minutes", n) == n),
    Row("MAX_SEARCH_TERMS", "a search", lambda n: len(search.parse("w " * n)) == n),
    Row("MAX_PASSPHRASE", "the keystore", rows.passphrase_of),
    Row("KDF_MOST_PASSES", "the keystore", lambda n: rows.asks_for(passes=n)),
    Row("KDF_MOST_MEMORY", "the keystore", lambda n: rows.asks_for(memory=n), outside=limits.KIB),
    # at least
    Row(
        "LEAST_QUOTA",
        "the config",
        lambda n: checks._quota("quota_mib", n // limits.KIB**2),
        outside=-(limits.KIB**2),
    ),
    Row("KDF_LEAST_MEMORY", "the keystore", lambda n: rows.asks_for(memory=n), outside=-limits.KIB),
]


def exchange_frame(records: list[bytes], most: int) -> bool:
    frame = exchange_wire.encode_frame(records, exchange_wire.ANSWER_SIZE)
    return exchange_wire.decode_frame(frame, most) == records


def asked(times: int) -> RateVerdict:
    """What the last of so many asks at once is answered."""
    limiter = RateLimiter()
    return [limiter.ask("a", 0.0) for _ in range(times)][-1]


def book_row(bucket: int = 0, record: bytes | None = None) -> bool:
    return entry.read_row(("", 0, bucket, HOUR, 0, 0, 0, record)) is not None


ALL = [*ROWS, *OWN, *KEPT, *NETWORK, *GOSSIP, *MESH, *SCORE, *STEM, *SYNC, *IMPORTS]


@pytest.mark.parametrize("row", ALL, ids=str)
def test_the_last_is_taken_and_the_next_is_not(row: Row) -> None:
    row.check()


def test_every_rule_has_a_row() -> None:
    """Those that all nodes share: what one of them took at the bound and another did not would split them."""
    rules, is_rule = set(), False
    for line in Path(limits.__file__).read_text().splitlines():
        if line.startswith("# ---"):
            is_rule = line.startswith("# --- rule:")
        is_own = not is_rule or "# own:" in line or line.endswith("(")  # it goes on, with its reason
        name = re.match(r"[A-Z_]+(?= = )", line)
        if name and ("# rule:" in line or not is_own):
            rules.add(name[0])
    assert len(rules) > 20
    assert rules <= {row.name for row in ROWS}


def test_every_number_has_a_row_or_is_named_with_the_reason() -> None:
    """Those of all modules `params`, too. One that is new fails here."""
    no_edge = {name for names in NO_EDGE.values() for name in names.split()}
    places = [{row.name for row in ALL}, set(TESTED), no_edge]
    assert set.union(*places) == NUMBERS.keys()
    assert sum(map(len, places)) == len(NUMBERS), "each in one place"


@pytest.mark.parametrize("where", sorted(set(TESTED.values())))
def test_what_is_said_to_test_a_number_is_there(where: str) -> None:
    path, _, name = where.partition("::")
    assert f"def {name}(" in (Path(__file__).parent / path).read_text()
