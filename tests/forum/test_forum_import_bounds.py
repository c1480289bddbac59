"""Files without end, and files made to cost much: an import stops early, and holds little."""

import tracemalloc
from collections.abc import Callable, Iterable, Iterator

import pytest

from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.forum import params
from p2pforum.forum.import_jsonl import parse_jsonl
from p2pforum.forum.import_mail import parse_mbox
from p2pforum.forum.import_text import parse_text
from p2pforum.forum.importing import ImportedPost, cut, read_text, split_body


def mails(pieces: Iterable[bytes]) -> list[ImportedPost]:
    return parse_mbox(pieces).posts


MAIL = b"From a\nSubject: S\n\nText %d.\n\n"


class Endless:
    """A device: the same bytes again and again. Counts what was taken."""

    def __init__(self, piece: bytes = bytes(1024)) -> None:
        self.piece, self.taken = piece, 0

    def read(self, size: int) -> bytes:
        self.taken += size
        return (self.piece * (size // len(self.piece) + 1))[:size]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self.read(limits.KIB)


@pytest.mark.parametrize("most", [params.MAX_IMPORT_TEXT, params.MAX_IMPORT_JSONL])
def test_a_text_is_read_up_to_its_bound_and_one_byte(most: int) -> None:
    device = Endless()
    with pytest.raises(Refused, match="larger than"):
        read_text(b"head", device.read, most)
    assert device.taken <= most + 1 - 4
    device = Endless(b"x")
    assert len(read_text(b"", lambda size: device.read(min(size, most - device.taken)), most)) == most


@pytest.mark.parametrize(
    ("piece", "head", "says"),
    [
        (bytes(1024), b"", "line without end"),
        (b"\n", b"", "not an mbox"),
        (b"x" * 1023 + b"\n", b"", "not an mbox"),
        (b"x" * 1023 + b"\n", b"From a\n", "message 1: larger"),
        (b"From a\nA:\n\n", b"", "more than .* posts"),
    ],
)
def test_a_mailbox_without_end_is_refused_soon(
    piece: bytes, head: bytes, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(params, "MAX_IMPORT_MAIL", 64 * limits.KIB)
    monkeypatch.setattr(params, "MAX_IMPORT_POSTS", 500)
    device = Endless(piece)

    def pieces() -> Iterator[bytes]:
        yield head
        yield from device

    with pytest.raises(Refused, match=says):
        mails(pieces())
    assert device.taken <= 2 * params.MAX_IMPORT_MAIL


def test_a_mailbox_as_a_whole_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = MAIL % 1 + MAIL % 2
    monkeypatch.setattr(params, "MAX_IMPORT_MBOX", len(raw))
    assert len(mails([raw])) == 2
    with pytest.raises(Refused, match="larger than"):
        mails([raw, b"\n"])
    monkeypatch.undo()
    monkeypatch.setattr(params, "MAX_IMPORT_JSONL", 2 * len("SText 1."))
    assert len(mails([raw])) == 2
    with pytest.raises(Refused, match="more text"):
        mails([raw, MAIL % 3])


@pytest.mark.parametrize(
    ("parse", "one"),
    [
        (lambda raw: mails([raw]), MAIL),
        (lambda raw: parse_jsonl(raw.decode()), b'{"subject": "S", "body": "x"}\n'),
        (lambda raw: parse_text("T\nx\nComments\n" + raw.decode()), b"a b\na b c\n"),
    ],
    ids=["mbox", "jsonl", "text"],
)
def test_posts_are_counted_before_they_are_made(
    monkeypatch: pytest.MonkeyPatch, parse: Callable[[bytes], list[ImportedPost]], one: bytes
) -> None:
    def many(count: int) -> bytes:
        return b"".join(one % n if b"%d" in one else one for n in range(count))

    extra = len(parse(many(1))) - 1
    monkeypatch.setattr(params, "MAX_IMPORT_POSTS", 20)
    assert len(parse(many(20 - extra))) == 20
    with pytest.raises(Refused, match="more than 20 posts"):
        parse(many(21 - extra))


def with_parts(count: int) -> bytes:
    head = b"From a\nSubject: S\nContent-Type: multipart/mixed; boundary=b\n\n"
    return head + b"--b\n\nx\n" * count + b"--b--\n"


def test_parts_of_a_message_are_bounded() -> None:
    assert mails([with_parts(params.MAX_IMPORT_PARTS - 1)])
    with pytest.raises(Refused, match="message 1: more than 1000 parts"):
        mails([with_parts(params.MAX_IMPORT_PARTS)])


def mailbox_with_attachments(count: int) -> Iterator[bytes]:
    for n in range(count):
        yield b"From a\nSubject: S\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nText %d.\n" % n
        yield b"--b\nContent-Type: image/png\nContent-Disposition: attachment\n\n"
        for _ in range(32):
            yield (b"A" * 1023 + b"\n") * 8
        yield b"--b--\n\n"


def test_a_mailbox_is_held_one_message_at_a_time() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        assert len(mails(mailbox_with_attachments(count))) == count
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(1)  # what is loaded once
    assert peak(24) < 2 * peak(2)


def test_a_long_text_is_split_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted: the characters that are encoded."""
    encoded = 0

    class Text(str):
        def __getitem__(self, key: object) -> str:
            nonlocal encoded
            piece = super().__getitem__(key)  # type: ignore[index]
            encoded += len(piece)
            return Text(piece)

        def encode(self, *rest: str, **named: str) -> bytes:
            nonlocal encoded
            encoded += len(self)
            return super().encode(*rest, **named)

    monkeypatch.setattr("p2pforum.forum.importing.clean_text", lambda body: body)

    def cost(pages: int) -> int:
        nonlocal encoded
        encoded = 0
        text = Text("\n\n".join("word " * 600 for _ in range(4 * pages)))
        pieces = split_body(text)
        assert "".join(pieces).split() == text.split()
        return encoded

    assert cost(40) <= 4.5 * cost(10)


def test_pieces_fit_to_the_byte() -> None:
    most = limits.MAX_BODY
    assert list(map(len, split_body("x" * most))) == [most]
    assert list(map(len, split_body("x" * (most + 1)))) == [most, 1]
    assert [len(piece.encode()) for piece in split_body("é" * (most // 2 + 1))] == [most, 2]
    assert cut("éé", 3) == "é"
