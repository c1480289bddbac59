"""Mails as posts: threads by Message-ID, In-Reply-To and References.

Takes what mail programs really write: unknown charsets, HTML only, missing headers, references to what is
not there. Attachments, copies, what the owner of the mailbox deleted and what names people (mail_strip.py)
are left out, and counted.
"""

import email
import email.message
import email.policy
import email.utils
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize
from p2pforum.forum import params
from p2pforum.forum.import_mbox import split_mbox
from p2pforum.forum.importing import Discussions, ImportedPost, check_count, in_order
from p2pforum.forum.mail_charset import header_text
from p2pforum.forum.mail_parts import mail_text
from p2pforum.forum.mail_strip import strip_people

COPY = "duplicate mail"
DELETED = "deleted mail"

_ID = re.compile(r"<[^<>\s]+>")
_REPLY_MARK = re.compile(r"^(\s*(re|aw|fwd?|antw|sv|odp)(\[\d+\])?\s*:)+\s*", re.IGNORECASE)
_NESTED = "message {}: its parts are nested too deep"  # Python's parser calls itself for each
_NAMED = 100  # references looked at: the nearest that is here counts
_EXPUNGED = 0x0008  # of X-Mozilla-Status: nsMsgMessageFlags::Expunged
_EVOLUTION_DELETED = 0x02  # of X-Evolution: CAMEL_MESSAGE_DELETED
_EVOLUTION_DRAFT = 0x04
_LABELS_OUT = {"trash", "spam", "draft", "drafts"}  # of X-Gmail-Labels


@dataclass(frozen=True, slots=True)
class _Mail:
    """What is kept of one while the others are read."""

    post: ImportedPost
    message_id: str
    names: list[str]  # the Message-IDs that it answers, the nearest first
    sender: tuple[str, str]  # (name, address)


def parse_mbox(pieces: Iterable[bytes]) -> Discussions:
    """`pieces` are the bytes of the mailbox, as they are read. Raises Refused if it is no mbox file.

    Of a message only its text and its place in the thread are kept. Attachments, the largest part of a
    mailbox, are skipped one by one.
    """
    return _discussions(split_mbox(pieces))


def parse_mail(raw: bytes) -> Discussions:
    """One mail or news article, as a file of its own: .eml, .emlx, a file of a maildir. Raises Refused."""
    first, _, rest = raw.partition(b"\n")
    if first.strip().isdigit():  # Apple's .emlx: the size, the mail, and a property list behind it
        raw = rest[: int(first)]
    return _discussions([raw.replace(b"\r\n", b"\n")])


def _discussions(raws: Iterable[bytes]) -> Discussions:
    mails: list[_Mail] = []
    seen: set[tuple[str, ...]] = set()
    left_out: Counter[str] = Counter()
    text = 0
    for number, raw in enumerate(raws, 1):
        check_count(number)
        message = _parse(number, raw)
        if _is_bookkeeping(message):
            continue
        if _is_deleted(message):
            left_out[DELETED] += 1
            continue
        mail = _read(number, message, left_out)
        copy_of = _identity(message, mail)
        if copy_of in seen:
            left_out[COPY] += 1
            continue
        seen.add(copy_of)
        text += len(mail.post.subject) + len(mail.post.body)
        if text > params.MAX_IMPORT_JSONL:
            raise Refused(f"message {number}: more text than one import may have; split it")
        mails.append(mail)
    return Discussions(_threaded(mails), left_out)


def _threaded(mails: list[_Mail]) -> list[ImportedPost]:
    by_id: dict[str, int] = {}
    for index, mail in enumerate(mails):
        if mail.message_id:
            by_id.setdefault(mail.message_id, index)
    people = _people(mails)
    return in_order(
        [
            replace(mail.post, author=people[mail.sender], reply_to=_parent(mail.names, by_id, index))
            for index, mail in enumerate(mails)
        ]
    )


def _people(mails: list[_Mail]) -> dict[tuple[str, str], str]:
    """For each sender the label of a person; never published, and empty if the mail does not say.

    An address that several names write from belongs to a mailing list, a service or a family: there the name
    counts, too. So one person may become two, and two never become one. "Ann" and "Ann Example" are one name.
    """
    names: dict[str, set[frozenset[str]]] = defaultdict(set)
    for mail in mails:
        names[mail.sender[1]].add(frozenset(mail.sender[0].split()))
    shared = {
        address for address, all_of_it in names.items() if frozenset().union(*all_of_it) not in all_of_it
    }
    return {
        (name, address): address if address and address not in shared else f"{name} {address}".strip()
        for name, address in {mail.sender for mail in mails}
    }


def _parse(number: int, raw: bytes) -> email.message.Message:
    parts = -1  # the parser makes one to see what it is given

    def part(**options: Any) -> email.message.Message:
        nonlocal parts
        parts += 1
        if parts > params.MAX_IMPORT_PARTS:
            raise Refused(f"message {number}: more than {params.MAX_IMPORT_PARTS} parts")
        return email.message.Message(**options)

    try:
        return email.message_from_bytes(raw, part, policy=email.policy.compat32)
    except RecursionError as error:
        raise Refused(_NESTED.format(number)) from error


def _raw_header(message: email.message.Message, name: str) -> str:
    """As it was written, but for folds: bytes above 127 are surrogates, as the parser gives them."""
    wanted = name.lower()
    found = next((value for field, value in message.raw_items() if field.lower() == wanted), "")
    return re.sub(r"[\r\n]+", "", str(found))


def _header(message: email.message.Message, name: str) -> str:
    """The decoded text of a header; empty if there is none."""
    return header_text(_raw_header(message, name).encode("utf-8", "surrogateescape"))


def _ids(message: email.message.Message, name: str) -> list[str]:
    return _ID.findall(_raw_header(message, name))


def _is_bookkeeping(message: email.message.Message) -> bool:
    """The message of its own that UW-IMAP and pine keep in front."""
    return any(_raw_header(message, name) for name in ("X-IMAP", "X-IMAPbase")) and (
        "FOLDER INTERNAL DATA" in _raw_header(message, "Subject")
    )


def _is_deleted(message: email.message.Message) -> bool:
    """Whether the owner threw it away, or never sent it. Mail programs leave it in the file for a while."""
    flags = _hex(_raw_header(message, "X-Mozilla-Status"))
    evolution = _hex(_raw_header(message, "X-Evolution").rpartition("-")[2])
    status = _raw_header(message, "Status") + _raw_header(message, "X-Status")
    labels = {label.strip().lower() for label in _header(message, "X-Gmail-Labels").split(",")}
    return (
        bool(flags & _EXPUNGED)
        or bool(evolution & (_EVOLUTION_DELETED | _EVOLUTION_DRAFT))
        or "D" in status
        or "T" in _raw_header(message, "X-Status")  # a draft
        or _raw_header(message, "X-KMail-Deleted").strip() == "1"
        or bool(labels & _LABELS_OUT)
    )


def _hex(text: str) -> int:
    try:
        return int(text.strip()[:8], 16)
    except ValueError:
        return 0


def _read(number: int, message: email.message.Message, left_out: Counter[str]) -> _Mail:
    name, address = email.utils.parseaddr(_header(message, "From"))
    if "@" not in address:  # an archive that hides addresses: "ann at example.org (Ann)"
        name, address = _header(message, "From"), ""
    try:
        text = mail_text(message, left_out)
    except RecursionError as error:
        raise Refused(_NESTED.format(number)) from error
    body, taken = strip_people(text)
    left_out.update(taken)
    post = ImportedPost(_subject(message), normalize(body) or "(no text)", date=_day(message))
    named = _ids(message, "In-Reply-To")[:1] + _ids(message, "References")[: -_NAMED - 1 : -1]
    sender = " ".join(name.split()).lower(), address.strip().lower()
    return _Mail(post, next(iter(_ids(message, "Message-ID")), ""), named, sender)


def _identity(message: email.message.Message, mail: _Mail) -> tuple[str, ...]:
    """The same for copies of a mail: its Message-ID and sender, or if it has none all that it says."""
    if mail.message_id:
        return mail.message_id, mail.sender[1] or mail.sender[0]
    return "", *mail.sender, _raw_header(message, "Date"), mail.post.subject, mail.post.body


def _parent(named: list[str], by_id: dict[str, int], index: int) -> int | None:
    """The first of those that is here."""
    return next((by_id[i] for i in named if by_id.get(i, index) != index), None)


def _subject(message: email.message.Message) -> str:
    subject = _REPLY_MARK.sub("", " ".join(normalize(_header(message, "Subject")).split()))
    return subject or "(no subject)"


def _day(message: email.message.Message) -> str:
    """The day that its sender's clock showed, as 2015-01-05; empty if it says none."""
    try:
        return email.utils.parsedate_to_datetime(_raw_header(message, "Date")).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""
