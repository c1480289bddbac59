"""Checks this program against every vector: python docs/vectors/check.py

Each function reads one file and yields the cases that fail. Sections are those of PROTOCOL.md. An
implementer of another node needs the same loops.
"""

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent))

from p2pforum.core import post_id as ids  # noqa: E402
from p2pforum.core import signature  # noqa: E402
from p2pforum.core.address import check_told, parse_peer  # noqa: E402
from p2pforum.core.bundle import BundleReader, Fault, Header, RawPosts, write_bundle  # noqa: E402
from p2pforum.core.errors import (  # noqa: E402
    InvalidInvite,
    InvalidPost,
    NetworkError,
    Refused,
    RemoteProtocolError,
)
from p2pforum.core.invite import decode_invite, encode_invite  # noqa: E402
from p2pforum.core.network_params import NetworkParams, params_for  # noqa: E402
from p2pforum.core.peer_id import peer_id_of, public_key_of  # noqa: E402
from p2pforum.core.post import decode  # noqa: E402
from p2pforum.core.pseudonym import identicon_of, name_of  # noqa: E402
from p2pforum.core.stamp import stamp_bits, stamp_salt  # noqa: E402
from p2pforum.core.text import is_valid_network  # noqa: E402
from p2pforum.core.thread import reading_order  # noqa: E402
from p2pforum.exchange import record  # noqa: E402
from p2pforum.exchange.wire import decode_frame, encode_frame  # noqa: E402
from p2pforum.forum import linking, private_linking  # noqa: E402
from p2pforum.gossip.seen import message_id  # noqa: E402
from p2pforum.gossip.wire.rpc import Rpc, decode_rpc, encode_rpc  # noqa: E402
from p2pforum.stem import wire as stem_wire  # noqa: E402
from p2pforum.store.blocks import Block, BlockKeys, BoardBlocks  # noqa: E402
from p2pforum.store.snapshot import StoredItems  # noqa: E402
from p2pforum.sync.boards import tag_of  # noqa: E402
from p2pforum.sync.fingerprint import Fingerprint  # noqa: E402
from p2pforum.sync.look import stretches, window_of  # noqa: E402
from p2pforum.sync.wire.frames import Frame, SyncFrameReader, encode  # noqa: E402
from p2pforum.sync.wire.payloads import Code, End, Hello  # noqa: E402

Failures = Iterator[str]


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text())


def joined(raw: list[tuple[str, int]]) -> bytes:
    return b"".join(bytes.fromhex(part) * times for part, times in raw)


def valid_id(raw: bytes, params: NetworkParams) -> bytes | None:
    """The ID of a valid post, else None."""
    try:
        post = decode(raw, params)
        post.verify_signature()
        post.verify_stamp(params)
    except InvalidPost:
        return None
    return post.id


def refuses(error: type[Exception], call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except error:
        return True
    return False


def posts() -> Failures:
    """Sections 1 and 2: posts to accept, with their IDs, and posts to refuse, in two networks."""
    published = load("post-v1.json")
    for ending, network in (("", published["network"]), ("_in_p2pforum", "p2pforum")):
        for case in published["accept" + ending]:
            if valid_id(bytes.fromhex(case["raw"]), params_for(network)) != bytes.fromhex(case["id"]):
                yield f"accept{ending}: {case['name']}"
        for case in published["reject" + ending]:
            if valid_id(bytes.fromhex(case["raw"]), params_for(network)):
                yield f"reject{ending}: {case['name']}"


def networks() -> Failures:
    """Section 1: what follows from the name of a network, and texts that are no names."""
    for case in load("names-v1.json")["networks (section 1)"]:
        params = params_for(case["name"])
        found = {
            "name": params.name,
            "stamp_floor": params.stamp_floor,
            "external_aad of posts": params.post_aad.decode(),
            "external_aad of peer records": params.peer_aad.decode(),
            "topic": params.topic,
            "sync": params.sync_protocol,
            "stem": params.stem_protocol,
            "exchange": params.peers_protocol,
        }
        if found != case:
            yield str(case["name"])
    for name in load("names-v1.json")["not networks (section 1)"]:
        if is_valid_network(name):
            yield f"not a network: {name}"


def post_edges() -> Failures:
    published = load("post-edges-v1.json")
    params = params_for(published["network"])
    for case in published["edges"]:
        if (valid_id(joined(case["raw"]), params) is not None) != case["accept"]:
            yield f"{case['rule']}: {case['name']}"


def signatures() -> Failures:
    for case in load("ed25519-edges.json")["cases"]:
        message, sig, key = (bytes.fromhex(case[part]) for part in ("message", "signature", "key"))
        if signature.verify(message, sig, key) != case["accept"]:
            yield str(case["name"])


def written_ids() -> Failures:
    """Section 4: IDs and beginnings of IDs as text, and texts that are neither."""
    published = load("names-v1.json")
    for case in published["ids (section 4)"]:
        value = bytes.fromhex(case["id"])
        if ids.format_id(value) != case["written"] or ids.parse_id(case["written"]) != value:
            yield f"ID {case['written']}"
    for case in published["beginnings of ids (section 4)"]:
        if ids.parse_prefix(case["written"]) != tuple(bytes.fromhex(case[k]) for k in ("lowest", "highest")):
            yield f"beginning {case['written']}"
    for text in published["not ids (section 4)"]:
        if not refuses(ValueError, ids.parse_prefix, text):
            yield f"not an ID: {text}"


def names() -> Failures:
    """Section 4: names and identicons of pseudonyms."""
    for case in load("names-v1.json")["pseudonyms (section 4)"]:
        key, root = bytes.fromhex(case["key"]), bytes.fromhex(case["root"])
        icon = identicon_of(key, root)
        rows = ["".join("#" if cell else "." for cell in row) for row in icon.cells]
        if (name_of(key, root), rows, icon.hue) != (case["name"], case["identicon"], case["hue"]):
            yield str(case["name"])


def stamps() -> Failures:
    for case in load("names-v1.json")["stamps (section 3)"]:
        salt = stamp_salt(case["hour"])
        earned = stamp_bits(bytes.fromhex(case["post_id"]), salt)
        if (salt.hex(), earned) != (case["salt"], case["earned_bits"]):
            yield f"hour {case['hour']}, ID {case['post_id']}"


class _Post:
    def __init__(self, case: dict[str, Any]) -> None:
        self.id = bytes.fromhex(case["id"])
        self.hour = int(case["hour"])
        self.parents = [bytes.fromhex(parent) for parent in case["parents"]]


def orders() -> Failures:
    for case in load("names-v1.json")["reading order (section 5)"]:
        placed = reading_order([_Post(post) for post in case["posts"]])
        found = [
            {"id": p.post.id.hex(), "depth": p.depth, "missing": [m.hex() for m in p.missing]} for p in placed
        ]
        if found != case["order"]:
            yield str(case["name"])


def other_names() -> Failures:
    """Message IDs (section 8), board tags (section 9) and peer IDs (section 7)."""
    published = load("names-v1.json")
    for case in published["message ids (section 8)"]:
        if message_id(bytes.fromhex(case["data"])).hex() != case["id"]:
            yield f"message {case['data']}"
    boards = published["board tags (section 9)"]
    nonces = bytes.fromhex(boards["initiator's nonce"] + boards["responder's nonce"])
    for board, tag in boards["tags"].items():
        if tag_of(board, nonces).hex() != tag:
            yield f"tag of {board}"
    for case in published["peer ids (section 7)"]:
        key = bytes.fromhex(case["key"])
        if peer_id_of(key) != case["peer"] or public_key_of(case["peer"]) != key:
            yield f"peer ID {case['peer']}"
    for text in published["not peer ids (section 7)"]:
        if not refuses(NetworkError, public_key_of, text):
            yield f"not a peer ID: {text}"


def invites() -> Failures:
    """Section 13: lines of invites to accept, with their contents, and lines to refuse."""
    published = load("invite-v1.json")
    for case in published["accept"]:
        found = decode_invite(case["line"])
        lists = [key.hex() for key in found.lists]
        told = [found.network, list(found.peers), list(found.boards), lists]
        if told != [case[key] for key in ("network", "peers", "boards", "lists")]:
            yield f"accept: {case['name']}"
        if encode_invite(found) != case["line"]:
            yield f"made anew: {case['name']}"
    for case in published["reject"]:
        if not refuses(InvalidInvite, decode_invite, case["line"]):
            yield f"reject: {case['name']}"


def peer_records() -> Failures:
    """Section 14: peer records to accept and to refuse, and frames of records."""
    published = load("peer-v1.json")
    params = params_for(published["network"])
    for case in published["accept"]:
        found = record.decode(bytes.fromhex(case["raw"]), params)
        told = [found.peer, found.sequence, list(found.addresses)]
        if told != [case[key] for key in ("peer", "sequence", "addresses")]:
            yield f"accept: {case['name']}"
    for case in published["reject"]:
        if not refuses(RemoteProtocolError, record.decode, bytes.fromhex(case["raw"]), params):
            yield f"reject: {case['name']}"
    for case in published["frames"]:
        raw = bytes.fromhex(case["raw"])
        try:
            found = [entry.hex() for entry in decode_frame(raw, case["most"])]
        except RemoteProtocolError:
            found = None
        if found != case["records"] or (
            found is not None and encode_frame(map(bytes.fromhex, found), len(raw)) != raw
        ):
            yield f"frame: {case['name']}"


def links() -> Failures:
    """Section 11: linking proofs, public and private, to accept and to refuse."""
    published = load("links-v1.json")
    params = params_for(published["network"])

    def check(proof: str) -> object:
        module = private_linking.check if proof.startswith(private_linking.HEAD) else linking.check_proof
        return module(proof, params)

    for name in ("public", "private_by_owner", "private_by_reader"):
        if refuses(Refused, check, published[name]["proof"]):
            yield f"accept: {name}"
    for name, proof in published["reject"].items():
        if not refuses(Refused, check, proof):
            yield f"reject: {name}"


def _told(rpc: Rpc) -> dict[str, Any]:
    found = {
        "subscriptions": [[s.topic, s.subscribe] for s in rpc.subscriptions],
        "publish": [[m.topic, m.data.hex()] for m in rpc.publish],
        "ihave": [[have.topic, [i.hex() for i in have.ids]] for have in rpc.ihave],
        "iwant": [i.hex() for i in rpc.iwant],
        "graft": list(rpc.graft),
        "prune": [[p.topic, p.backoff] for p in rpc.prune],
    }
    return {key: value for key, value in found.items() if value}


def rpcs() -> Failures:
    """Section 8: RPCs of gossip to accept, with their contents, and those whose message is refused."""
    published = load("rpc-v1.json")
    for case in published["accept"]:
        found = decode_rpc(joined(case["raw"]))
        if _told(found) != case["reads"] or any(m.authored for m in found.publish):
            yield f"accept: {case['name']}"
        if _told(decode_rpc(encode_rpc(found))) != case["reads"]:
            yield f"made anew: {case['name']}"
    for case in published["refuse the message"]:
        if not decode_rpc(joined(case["raw"])).publish[0].authored:
            yield f"refuse the message: {case['name']}"


def rpc_bounds() -> Failures:
    """Section 8: RPCs that end the connection, and the largest good and smallest bad one of each bound."""
    published = load("rpc-v1.json")
    for case in published["end the connection"]:
        if not refuses(RemoteProtocolError, decode_rpc, joined(case["raw"])):
            yield f"end the connection: {case['name']}"
    for case in published["bounds"]:
        if refuses(RemoteProtocolError, decode_rpc, joined(case["last good"])):
            yield f"last good: {case['name']}"
        if not refuses(RemoteProtocolError, decode_rpc, joined(case["first bad"])):
            yield f"first bad: {case['name']}"


def _read_bundle(raw: bytes) -> tuple[list[bytes], bool]:
    parts = list(BundleReader(io.BytesIO(raw).read))
    found = [post for part in parts if isinstance(part, RawPosts) for post in part.raws]
    return found, any(isinstance(part, Fault) for part in parts)


def bundles() -> Failures:
    """Section 12: bundles to read, whole and damaged; files to refuse; and a bundle that is written."""
    published = load("bundle-v1.json")
    for case in published["read"]:
        wanted = [joined(post) for post in case["posts"]], case["noticed"]
        if _read_bundle(joined(case["raw"])) != wanted:
            yield f"read: {case['name']}"
    for case in published["refused"]:
        if not refuses(Refused, _read_bundle, joined(case["raw"])):
            yield f"refused: {case['name']}"
    made = published["written"]
    raws = [joined(post) for post in made["posts"]]
    header = Header(made["network"], made["boards"], len(raws))
    if b"".join(write_bundle(header, raws)) != joined(made["raw"]):
        yield "written"


def _parsed(raw: bytes) -> list[Frame]:
    """The frames in `raw`. Raises RemoteProtocolError; also for a frame that is not whole."""
    found = list(SyncFrameReader().feed(raw))
    if sum(size for _, size in found) != len(raw):
        raise RemoteProtocolError("not whole")
    return [frame for frame, _ in found]


def sync_frames() -> Failures:
    """Section 9: frames of sync, good and bad, and those of whole sessions."""
    published = load("sync-v1.json")
    whole = [step for session in published["sessions"].values() for step in session["frames"]]
    for case in [*published["good frames"], *whole]:
        raw = joined(case["frame"])
        found = _parsed(raw)
        unknown = isinstance(found[0], End) and found[0].code is Code.FAILED
        if not unknown and encode(found[0]) != raw:
            yield f"good: {case.get('name') or case['says']}"
    for case in published["bad frames"]:
        if not refuses(RemoteProtocolError, _parsed, joined(case["frame"])):
            yield f"bad: {case['name']}"


def looks() -> Failures:
    """Section 9: fingerprints of items, and the stretches of hours in a LOOK."""
    published = load("sync-v1.json")
    for case in published["fingerprints"]:
        nonces = bytes.fromhex(case["initiator's nonce"] + case["responder's nonce"])
        cells = b""
        for hour, written in _by_hour(case["items"]).items():
            keys = BlockKeys([(hour, bytes.fromhex(post_id)) for post_id in written])
            cells += StoredItems(BoardBlocks([Block((0, b""), len(keys))]), lambda _, k=keys: k).cells(
                0, len(keys)
            )
        if cells.hex() != case["cells"] or Fingerprint(nonces).of(cells).hex() != case["fingerprint"]:
            yield f"fingerprint: {case['name']}"
    for case in published["stretches of a LOOK"]:
        sides = [Hello(bytes(16), *side) for side in zip(case["hours"], case["horizons"], strict=True)]
        found = [list(stretch) for stretch in stretches(window_of(*sides))]
        if found != case["stretches, newest first"]:
            yield f"stretches: {case['hours']}, {case['horizons']}"


def _by_hour(items: list[tuple[int, str]]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for hour, post_id in items:
        found.setdefault(hour, []).append(post_id)
    return found


def stems() -> Failures:
    """Section 10: frames of the stem, good and bad, the answer, and a class that does not exist."""
    published = load("stem-v1.json")
    for case in published["frames"]:
        raw = joined(case["frame"])
        wanted = None if case["post"] is None else joined(case["post"])
        if stem_wire.decode_frame(raw) != wanted or len(raw) != stem_wire.size_of(raw[0]):
            yield f"frame: {case['name']}"
        if wanted is not None and stem_wire.encode_frame(wanted) != raw:
            yield f"made anew: {case['name']}"
    for case in published["faults"]:
        if not refuses(RemoteProtocolError, stem_wire.decode_frame, joined(case["frame"])):
            yield f"fault: {case['name']}"
    if stem_wire.ANSWER.hex() != published["answer"] or not refuses(
        RemoteProtocolError, stem_wire.size_of, 128
    ):
        yield "answer and classes"


def addresses() -> Failures:
    """Section 7: texts of addresses: to accept, with their one form, and to refuse."""
    published = load("address-v1.json")
    for case in published["accept"]:
        if str(parse_peer(case["text"])) != case["form"]:
            yield f"accept: {case['text']}"
        if (case["text"] == case["form"]) == refuses(NetworkError, _tell, case["text"]):
            yield f"form: {case['text']}"
    for case in published["refuse"]:
        if not refuses(NetworkError, _tell, case["text"]):
            yield f"refuse: {case['text']}"
        if refuses(NetworkError, parse_peer, case["text"]) == case["dialled"]:
            yield f"dialled: {case['text']}"


def _tell(text: str) -> None:
    check_told(text, peer=True)


CHECKS: tuple[Callable[[], Failures], ...] = (
    posts,
    post_edges,
    networks,
    signatures,
    written_ids,
    names,
    stamps,
    orders,
    other_names,
    invites,
    peer_records,
    links,
    rpcs,
    rpc_bounds,
    bundles,
    sync_frames,
    looks,
    stems,
    addresses,
)


def failures() -> Failures:
    """The cases that fail, each as "check: case". A check that can't go on is a failure, too."""
    for check in CHECKS:
        try:
            for failure in check():
                yield f"{check.__name__}: {failure}"
        except Exception as error:
            yield f"{check.__name__}: {error!r}"


if __name__ == "__main__":
    found = list(failures())
    print("\n".join(found) or "all vectors fit")
    sys.exit(bool(found))
