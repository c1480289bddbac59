"""The RPC, checked against the protobuf classes of py-libp2p, which nobody here wrote."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from hypothesis import example, given
from hypothesis import strategies as st
from libp2p.pubsub.pb import rpc_pb2

from p2pforum.core import limits
from p2pforum.core.errors import LocalProtocolError, RemoteProtocolError
from p2pforum.gossip.wire.rpc import (
    IHave,
    Message,
    Prune,
    Rpc,
    Subscription,
    decode_rpc,
    encode_publish,
    encode_rpc,
    encode_uvarint,
)

topics = st.text(max_size=20)
ids = st.binary(max_size=40)
messages = st.builds(Message, topics, st.binary(max_size=300))
rpcs = st.builds(
    Rpc,
    subscriptions=st.lists(st.builds(Subscription, topics, st.booleans()), max_size=8).map(tuple),
    publish=st.lists(messages, max_size=5).map(tuple),
    ihave=st.lists(st.builds(IHave, topics, st.lists(ids, max_size=5).map(tuple)), max_size=4).map(tuple),
    iwant=st.lists(ids, max_size=5).map(tuple),
    graft=st.lists(topics, max_size=8).map(tuple),
    prune=st.lists(st.builds(Prune, topics, st.none() | st.integers(0, 2**64 - 1)), max_size=8).map(tuple),
)


def seen_by_protobuf(theirs: rpc_pb2.RPC) -> Rpc:
    """The same RPC as values of ours."""
    control = theirs.control
    return Rpc(
        subscriptions=tuple(Subscription(s.topicid, s.subscribe) for s in theirs.subscriptions),
        publish=tuple(
            Message(m.topicIDs[0], m.data, any(map(m.HasField, ("from_id", "seqno", "signature", "key"))))
            for m in theirs.publish
        ),
        ihave=tuple(IHave(h.topicID, tuple(h.messageIDs)) for h in control.ihave),
        iwant=tuple(i for want in control.iwant for i in want.messageIDs),
        graft=tuple(g.topicID for g in control.graft),
        prune=tuple(Prune(p.topicID, p.backoff if p.HasField("backoff") else None) for p in control.prune),
    )


@given(rpcs)
def test_protobuf_reads_what_we_write(rpc: Rpc) -> None:
    theirs = rpc_pb2.RPC.FromString(encode_rpc(rpc))
    assert seen_by_protobuf(theirs) == rpc
    assert not theirs.HasField("senderRecord")


@given(rpcs)
def test_we_read_what_we_write(rpc: Rpc) -> None:
    assert decode_rpc(encode_rpc(rpc)) == rpc


protobuf_messages = st.builds(
    rpc_pb2.Message,
    from_id=st.none() | st.binary(max_size=10),
    data=st.none() | st.binary(max_size=200),
    seqno=st.none() | st.binary(max_size=8),
    topicIDs=topics.map(lambda t: [t]),
    signature=st.none() | st.binary(max_size=10),
    key=st.none() | st.binary(max_size=10),
)
peer_infos = st.builds(
    rpc_pb2.PeerInfo, peerID=st.binary(max_size=40), signedPeerRecord=st.binary(max_size=40)
)
controls = st.builds(
    rpc_pb2.ControlMessage,
    ihave=st.lists(
        st.builds(rpc_pb2.ControlIHave, topicID=topics, messageIDs=st.lists(ids, max_size=4)), max_size=8
    ),
    iwant=st.lists(st.builds(rpc_pb2.ControlIWant, messageIDs=st.lists(ids, max_size=4)), max_size=4),
    graft=st.lists(st.builds(rpc_pb2.ControlGraft, topicID=st.none() | topics), max_size=8),
    prune=st.lists(
        st.builds(
            rpc_pb2.ControlPrune,
            topicID=topics,
            peers=st.lists(peer_infos, max_size=3),
            backoff=st.none() | st.integers(0, 2**64 - 1),
        ),
        max_size=8,
    ),
    idontwant=st.lists(st.builds(rpc_pb2.ControlIDontWant, messageIDs=st.lists(ids, max_size=4)), max_size=3),
)
protobuf_rpcs = st.builds(
    rpc_pb2.RPC,
    subscriptions=st.lists(
        st.builds(rpc_pb2.RPC.SubOpts, subscribe=st.none() | st.booleans(), topicid=st.none() | topics),
        max_size=8,
    ),
    publish=st.lists(protobuf_messages, max_size=5),
    control=st.none() | controls,
    senderRecord=st.none() | st.binary(max_size=50),
)


@given(protobuf_rpcs)
def test_we_read_what_protobuf_writes(theirs: rpc_pb2.RPC) -> None:
    assert decode_rpc(theirs.SerializeToString()) == seen_by_protobuf(theirs)


@pytest.mark.slow
@given(protobuf_rpcs, protobuf_rpcs)
def test_rpcs_joined_are_merged_as_protobuf_merges_them(one: rpc_pb2.RPC, two: rpc_pb2.RPC) -> None:
    joined = one.SerializeToString() + two.SerializeToString()
    theirs = rpc_pb2.RPC.FromString(joined)
    assert decode_rpc(joined) == seen_by_protobuf(theirs)


def mutated(body: bytes, at: int, byte: int, cut: int) -> bytes:
    if not body:
        return body
    at %= len(body)
    return (body[:at] + bytes((byte,)) + body[at + 1 :])[: len(body) - cut % len(body)]


damaged = st.builds(
    mutated, protobuf_rpcs.map(lambda r: r.SerializeToString()), st.integers(0, 5000), st.integers(0, 255),
    st.integers(0, 20),
)  # fmt: skip


SKIPPED = {"RPC": {4, 6492434}, "ControlMessage": {5, 6, 7, 8}, "ControlPrune": {2}}


def without_what_is_skipped() -> type[rpc_pb2.RPC]:
    """Their RPC without the fields that we skip: what is in these, protobuf would read."""
    file = descriptor_pb2.FileDescriptorProto()
    rpc_pb2.DESCRIPTOR.CopyToProto(file)
    for kind in file.message_type:
        for field in [field for field in kind.field if field.number in SKIPPED.get(kind.name, ())]:
            kind.field.remove(field)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("pubsub.pb.RPC"))


OF_OURS = without_what_is_skipped()
BAD_PEER = b"\x1a\x06\x22\x04\x12\x02\x00\x00"  # a PRUNE whose peer has a field 0


@given(st.binary(max_size=100) | damaged)
@example(b"\x0b\x0c")  # a group: we refuse what protobuf skips
@example(BAD_PEER)
def test_what_we_accept_protobuf_accepts_and_reads_alike(body: bytes) -> None:
    try:
        ours = decode_rpc(body)
    except RemoteProtocolError:
        return
    theirs = OF_OURS.FromString(body)
    assert [m.data for m in ours.publish] == [m.data for m in theirs.publish]
    assert ours.iwant == seen_by_protobuf(theirs).iwant
    assert ours.ihave == seen_by_protobuf(theirs).ihave
    assert ours.graft == seen_by_protobuf(theirs).graft


def test_control_of_what_is_skipped_protobuf_reads_more_than_we_do() -> None:
    assert len(decode_rpc(BAD_PEER).prune) == 1
    with pytest.raises(DecodeError):
        rpc_pb2.RPC.FromString(BAD_PEER)


def test_protobuf_refuses_a_message_cut_short_as_we_do() -> None:
    body = encode_rpc(Rpc(publish=(Message("t", b"data"),)))
    for end in range(1, len(body)):
        with pytest.raises(RemoteProtocolError):
            decode_rpc(body[:end])
        with pytest.raises(DecodeError):
            rpc_pb2.RPC.FromString(body[:end])


@pytest.mark.parametrize("field", ["from_id", "seqno", "signature", "key"])
@pytest.mark.parametrize("value", [b"", b"x"])
def test_a_message_that_names_its_author_is_marked_even_if_the_field_is_empty(
    field: str, value: bytes
) -> None:
    theirs = rpc_pb2.RPC(publish=[rpc_pb2.Message(data=b"data", topicIDs=["t"], **{field: value})])
    assert decode_rpc(theirs.SerializeToString()).publish == (Message("t", b"data", authored=True),)


def test_a_message_that_names_its_author_can_not_be_written() -> None:
    with pytest.raises(LocalProtocolError):
        encode_publish(Message("t", b"data", authored=True))


@given(messages)
def test_what_we_write_has_no_field_but_data_and_topic(message: Message) -> None:
    theirs = rpc_pb2.RPC.FromString(encode_publish(message))
    assert [field.name for field, _ in theirs.ListFields()] == ["publish"]
    assert {field.name for field, _ in theirs.publish[0].ListFields()} == {"data", "topicIDs"}


def too_many(**parts: object) -> bytes:
    return rpc_pb2.RPC(**parts).SerializeToString()


SUB = rpc_pb2.RPC.SubOpts(subscribe=True, topicid="t")
GRAFT = rpc_pb2.ControlGraft(topicID="t")
MESSAGE = rpc_pb2.Message(data=b"", topicIDs=["t"])


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (bytes(limits.MAX_RPC + 1), "bytes"),
        (b"\xff" * 20, "does not end"),
        (b"\x08" + b"\xff" * 9 + b"\x7f", "64 bits"),
        (b"\x00\x00", "field number"),
        (b"\x0b", "wire type"),
        (b"\x12\x05ab", "behind its place"),
        (b"\x0a\x03\x12\x04t", "behind its place"),
        (b"\x80", "cut short"),
        (too_many(publish=[rpc_pb2.Message(data=b"d")]), "exactly one topic"),
        (too_many(publish=[rpc_pb2.Message(data=b"d", topicIDs=["a", "b"])]), "exactly one topic"),
        (too_many(publish=[MESSAGE] * (limits.MAX_RPC_MESSAGES + 1)), "too many messages"),
        (too_many(subscriptions=[SUB] * (limits.MAX_SUBSCRIPTIONS + 1)), "too many subscriptions"),
        (too_many(control={"graft": [GRAFT] * (limits.MAX_SUBSCRIPTIONS + 1)}), "too many GRAFTs"),
        (too_many(control={"prune": [{}] * (limits.MAX_SUBSCRIPTIONS + 1)}), "too many PRUNEs"),
        (too_many(control={"ihave": [{}] * (limits.MAX_SUBSCRIPTIONS + 1)}), "too many IHAVEs"),
        (too_many(control={"ihave": [{"messageIDs": [b""] * (limits.MAX_RPC_IDS + 1)}]}), "IDs in IHAVE"),
        (too_many(control={"iwant": [{"messageIDs": [b""] * (limits.MAX_RPC_IDS + 1)}]}), "IDs in IWANT"),
        (too_many(control={"graft": [{"topicID": "t" * (limits.MAX_TOPIC_NAME + 1)}]}), "too long"),
        (b"\x1a\x05\x1a\x03\x0a\x01\xff", "UTF-8"),
    ],
)
def test_what_breaks_a_bound_is_refused(body: bytes, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint):
        decode_rpc(body)


JUNK = b"\x78\x00"  # field 15, two bytes
PRUNED = rpc_pb2.ControlPrune(topicID="t").SerializeToString()


@pytest.mark.parametrize("count", [limits.MAX_RPC_FIELDS, 31_000])
def test_the_fields_of_an_rpc_are_counted_at_all_depths(count: int) -> None:
    for wrap in ((), (4, 3), (2,)):  # bare, in a PRUNE, in a message
        body = PRUNED + JUNK * count if wrap == (4, 3) else JUNK * count
        for number in wrap:
            body = bytes((number << 3 | 2,)) + encode_uvarint(len(body)) + body
        with pytest.raises(RemoteProtocolError, match="too many fields"):
            decode_rpc(body + JUNK)


def test_fields_that_mean_nothing_are_counted() -> None:
    prune = PRUNED + JUNK * 100
    prune = b"\x22" + encode_uvarint(len(prune)) + prune
    rpc = decode_rpc(b"\x1a" + encode_uvarint(len(prune)) + prune + JUNK * 10)
    assert rpc == Rpc(prune=(Prune("t"),))
    assert rpc.surplus == 109  # a PRUNE may have one field more


@given(rpcs)
def test_what_we_write_has_no_surplus(rpc: Rpc) -> None:
    assert decode_rpc(encode_rpc(rpc)).surplus == 0


def test_what_is_at_the_bound_is_read() -> None:
    rpc = decode_rpc(too_many(publish=[MESSAGE] * limits.MAX_RPC_MESSAGES, subscriptions=[SUB] * 16))
    assert len(rpc.publish) == limits.MAX_RPC_MESSAGES
    many = too_many(control={"iwant": [{"messageIDs": [b""] * limits.MAX_RPC_IDS}]})
    assert len(decode_rpc(many).iwant) == limits.MAX_RPC_IDS
