# ruff: noqa: RUF001
"""Mails as people and their programs write them: no word lost, and nobody named."""

import string
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from p2pforum.core.errors import Refused
from p2pforum.core.text import normalize
from p2pforum.forum import params
from p2pforum.forum.import_mail import COPY, DELETED, parse_mail, parse_mbox
from p2pforum.forum.import_mbox import split_mbox
from p2pforum.forum.importing import ImportedPost
from p2pforum.forum.mail_charset import decoded, header_text
from p2pforum.forum.mail_html import html_text
from p2pforum.forum.mail_parts import ATTACHMENT
from p2pforum.forum.mail_strip import ARMOR, ATTRIBUTION, HEADERS, SIGNATURE, strip_people

FROM = b"From s@example.org Mon Jan  5 10:00:00 2015\n"


def mail(body: bytes, *headers: bytes) -> bytes:
    return FROM + b"".join(header + b"\n" for header in (b"Subject: S", *headers)) + b"\n" + body + b"\n\n"


def texts(posts: Iterable[ImportedPost]) -> list[str]:
    return [post.body for post in posts]


def one(raw: bytes) -> ImportedPost:
    (post,) = parse_mbox([raw]).posts
    return post


# --- where a message begins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"From my side of the river you can walk over it,",
        b"From 10:00 on it is open.",
        b"From here: there",
        b"From what I hear, at 10:00 in 2015 it was shut.",
        b"From Ann",
    ],
)
@pytest.mark.parametrize("above", [b"", b"\n"])
@pytest.mark.parametrize("below", [b"but bring a lamp.", b"", b"http://example.org/ is the page"])
def test_a_line_of_the_text_is_no_separator(line: bytes, above: bytes, below: bytes) -> None:
    posts = parse_mbox([mail(b"Open.\n" + above + line + b"\n" + below + b"\nSee you.")]).posts
    assert len(posts) == 1
    assert line.decode() in posts[0].body


@pytest.mark.parametrize(
    "separator",
    [
        b"From b@example.org Mon Jan  5 10:00:00 2015",
        b"From b@example.org Mon, 5 Jan 2015 10:00:00 +0100",
        b"From b@example.org Mon Jan  5 10:00 CET 2015",
        b"From - Mon Jan 05 10:00:00 2015",
        b"From ???@??? Mon Jan 05 10:00:00 2015",
        b"From 1234567890@xxx Mon Jan 05 10:00:00 +0000 2015",
    ],
)
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_separator_needs_no_blank_line_above(separator: bytes, end: bytes) -> None:
    raw = b"%s\nFrom: a@example.org\nSubject: x\n\nhello\n" % separator
    posts = parse_mbox([(raw + raw.replace(b"hello", b"world")).replace(b"\n", end)]).posts
    assert texts(posts) == ["hello", "world"]


def test_a_separator_without_a_date_needs_a_blank_line() -> None:
    raw = b"From nobody\nSubject: x\n\nhello\n"
    assert texts(parse_mbox([raw + b"\n" + raw.replace(b"hello", b"world")]).posts) == ["hello", "world"]
    assert len(parse_mbox([raw + raw]).posts) == 1


def test_the_last_separator_may_have_nothing_below() -> None:
    assert len(list(split_mbox([mail(b"x") + FROM]))) == 2


# --- which parts are the text ---------------------------------------------------------------------------


def parts(kind: str, *inner: bytes) -> bytes:
    head = b"Content-Type: multipart/%s; boundary=B%d\n\n" % (kind.encode(), len(b"".join(inner)))
    mark = b"--B%d" % len(b"".join(inner))
    return head + b"".join(mark + b"\n" + part + b"\n" for part in inner) + mark + b"--"


PLAIN = b"Content-Type: text/plain\n\nplain"
HTML = b"Content-Type: text/html\n\n<p>rich</p>"
FOOT = b"Content-Type: text/plain\n\nfooter"
LETTER = b"Content-Type: message/rfc822\n\nFrom: p@example.net\nSubject: private\n\nMy new address"
FILE = (
    b'Content-Type: text/plain; name="a.txt"\nContent-Disposition: inline; filename=a.txt\n\nMy new address'
)
EMPTY = b"Content-Type: text/plain\n\n \n"


@pytest.mark.parametrize(
    ("raw", "text", "attached"),
    [
        (parts("mixed", PLAIN, FOOT), "plain\n\nfooter", 0),
        (parts("mixed", HTML, FOOT), "rich\n\nfooter", 0),
        (parts("alternative", PLAIN, HTML), "plain", 0),
        (parts("alternative", HTML, PLAIN), "plain", 0),
        (parts("alternative", EMPTY, HTML), "rich", 0),
        (parts("mixed", parts("alternative", PLAIN, HTML), FOOT), "plain\n\nfooter", 0),
        (parts("alternative", parts("related", HTML, FILE)), "rich", 1),
        (parts("mixed", PLAIN, LETTER), "plain", 1),
        (parts("mixed", PLAIN, LETTER.replace(b"822\n", b"822\nContent-Disposition: inline\n")), "plain", 1),
        (parts("digest", LETTER, LETTER), "(no text)", 2),
        (parts("mixed", PLAIN, FILE), "plain", 1),
        (parts("mixed", PLAIN, b"Content-Disposition: attachment\n\nMy new address"), "plain", 1),
        (parts("mixed", PLAIN, parts("mixed", FILE, LETTER)), "plain", 2),
        (parts("report", PLAIN, b"Content-Type: message/delivery-status\n\nTo: p@example.net"), "plain", 1),
        (parts("mixed", PLAIN, b"Content-Type: application/pdf\n\n%PDF"), "plain", 1),
    ],
)
def test_which_parts_are_the_text(raw: bytes, text: str, attached: int) -> None:
    found = parse_mail(b"Subject: S\nMIME-Version: 1.0\n" + raw)
    assert texts(found.posts) == [text]
    assert found.left_out[ATTACHMENT] == attached


def test_a_whole_branch_that_is_attached() -> None:
    raw = parts("mixed", FOOT).replace(b";", b"; x=y;", 1)
    branch = raw.replace(b"\n\n", b"\nContent-Disposition: attachment\n\n", 1)
    assert texts(parse_mail(b"Subject: S\n" + parts("mixed", PLAIN, branch)).posts) == ["plain"]


def test_flowed_lines_are_joined() -> None:
    kind = b"Content-Type: text/plain; format=flowed"
    assert one(mail(b"One \nline.\n> quoted \n> too\nTwo.", kind)).body == "One line.\n> quoted too\nTwo."
    assert one(mail(b"One \nline.", kind + b"; delsp=yes")).body == "Oneline."
    assert one(mail(b"One \nline.")).body == "One\nline."


# --- labels and headers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "label", "text"),
    [
        (b"It\x92s \x93cheap\x94 \x96 5 \x80", "iso-8859-1", "It’s “cheap” \u2013 5 €"),
        (b"It\x92s", "us-ascii", "It’s"),
        (b"It\x92s", "", "It’s"),
        ("Grüße".encode(), "us-ascii", "Grüße"),
        ("Grüße".encode(), "", "Grüße"),
        ("Grüße".encode(), "x-unknown", "Grüße"),
        ("Grüße".encode(), "no-such-label", "Grüße"),
        ("朱镕基".encode("gbk"), "gb2312", "朱镕基"),
        ("書".encode("cp932"), "Shift_JIS", "書"),
        ("똠".encode("cp949"), "ks_c_5601-1987", "똠"),
        (b"A \x80 B", "windows-1252", "A € B"),
        (b"ok \xff\xfe ok", "utf-8", "ok \ufffd\ufffd ok"),
        (b"ok \x81\x30 ok", "gbk", None),
        (b"+APw-ber", "utf-7", "über"),
        (b"\x81ber", "cp850", "über"),
        (b"x", "base64", "x"),
        (b"x", "rot13", "x"),
        (b"It\x92s", "iso-8859-1*en", "It’s"),
        (b"It\x92s", '"ISO-8859-1"', "It’s"),
    ],
)
def test_labels_mean_what_mail_means_by_them(raw: bytes, label: str, text: str | None) -> None:
    found = decoded(raw, label)
    assert found == text if text is not None else (found.startswith("ok ") and found.endswith(" ok"))


@given(
    st.binary(max_size=60), st.sampled_from(["", "utf-8", "gbk", "utf-7", "idna", "hex", "iso-2022-jp", "x"])
)
def test_no_bytes_break_a_label(raw: bytes, label: str) -> None:
    decoded(raw, label).encode()


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("Grüße aus Köln – das Fest".encode(), "Grüße aus Köln – das Fest"),
        (b"Gr\xfc\xdfe", "Grüße"),
        (b"=?utf-8?q?Gr=C3=BC?= =?utf-8?q?=C3=9Fe?=", "Grüße"),
        (b"=?utf-8?b?R3LD?=\n =?utf-8?b?vMOfZQ==?= da", "Grüße da"),
        (b"Re: =?iso-8859-1?Q?It=92s?= =?utf-8?B?IG9r?= x", "Re: It’s ok x"),
        (b"=?no-such?q?a_b?=", "a b"),
        (b"=?utf-8?b?!!?= =?utf-8?x?y?=", " =?utf-8?x?y?="),
        (b"1 < 2 =? no", "1 < 2 =? no"),
    ],
)
def test_headers(raw: bytes, text: str) -> None:
    assert header_text(raw.replace(b"\n", b"")) == text


def test_the_subject_of_a_mail_with_bytes_above_127() -> None:
    raw = mail(b"x").replace(b"Subject: S", "Subject: Re: Grüße".encode())
    assert one(raw).subject == "Grüße"


@given(st.binary(max_size=80))
@example(b"=?utf-8?b?=?=")
def test_no_bytes_break_a_header(raw: bytes) -> None:
    header_text(raw).encode()


# --- HTML -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>No.</p><blockquote>The well<br>is safe.</blockquote>", "No.\n\n> The well\n> is safe."),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n> > b\n\nc"),
        ("<p>So:</p><pre>def f():\n    if x:\n        y</pre>", "So:\n\ndef f():\n    if x:\n        y"),
        ("<table><tr><th>Bed<th>Crop<tr><td>1<td>Beans</table>", "Bed | Crop\n1 | Beans"),
        ("<table><tr><td><p>A</p><p>B</p></td></tr></table>", "A\n\nB"),
        ("<table><tr><td><p>A</p><table><tr><td>1<td>2</table></td></tr></table>", "A\n\n1 | 2"),
        ("<ul><li>a<li>b</ul><ol><li>x</li><li>y</li></ol>", "- a\n- b\n\n1. x\n2. y"),
        ("a<br>b<br><br>c", "a\nb\n\nc"),
        ("a\n  b", "a b"),
        ("<div>a</div><div>b</div>", "a\n\nb"),
        ('<a href="https://example.org/x?a=1&amp;b=2">this</a>', "this <https://example.org/x?a=1&b=2>"),
        ('<a href="https://example.org/">example.org</a>', "example.org"),
        ('<a href="mailto:ann@example.org">Ann</a>', "Ann"),
        ("<style>p{}</style><script>x()</script><title>T</title><p>1 &lt; 2", "1 < 2"),
        ('a<div style="display: none">hidden</div>', "a"),
        ("<b>bold</b> <i>x</i> snake_case 2*3*4 # 1. <img src=x alt=pic>", "bold x snake_case 2*3*4 # 1."),
        ("a\x00b\x1ac", "abc"),
    ],
)
def test_html_keeps_what_carries_meaning(html: str, text: str) -> None:
    assert html_text(html) == text


@pytest.mark.parametrize("tag", ["div", "blockquote", "b", "table", "ul", "span", "table><tr><td"])
def test_html_that_nests_too_deep_keeps_its_words(tag: str) -> None:
    assert html_text(f"<{tag}>" * 1_000 + "end").strip("> \n-") == "end"


@pytest.mark.parametrize("bomb", ["<a ", "<!--", "<a x='", "</a ", "<?", "<b><p>", "<table>", "&", "<"])
def test_html_is_parsed_in_one_pass(bomb: str) -> None:
    """Python's own parser would look for the ends of 20,000 for minutes: the suite's timeout ends it."""
    assert "Hello" in html_text("<p>Hello</p>" + bomb * 20_000)


# --- what is somebody's ---------------------------------------------------------------------------------


def stripped(text: str) -> tuple[str, dict[str, int]]:
    kept, counts = strip_people(text)
    return kept, dict(counts)


@pytest.mark.parametrize(
    "line",
    [
        "On Mon, 5 Jan 2015 at 10:00, Ann Example <ann@example.org> wrote:",
        "On Mon, 5 Jan 2015 at 10:00,\nAnn Example <ann@example.org>\nwrote:",
        "Am 05.01.2015 um 10:00 schrieb Ann Example:",
        "Le lun. 5 janv. 2015 à 10:00, Ann Example a écrit :",
        "Ann Example schrieb:",
        "2015-01-05 10:00 GMT+01:00 Ann Example <ann@example.org>:",
        "2015年1月5日(月) 10:00 Ann Example <ann@example.org>:",
    ],
)
@pytest.mark.parametrize("gap", ["", "\n"])
def test_attribution_lines_go(line: str, gap: str) -> None:
    assert stripped(f"Hello.\n\n{line}\n{gap}> The well is dry.\nDig.") == (
        "Hello.\n\n" + gap + "> The well is dry.\nDig.",
        {ATTRIBUTION: 1},
    )


@pytest.mark.parametrize("line", ["We need:", "You asked for a list:", "Ann said it at 10:00."])
def test_other_lines_above_a_quote_stay(line: str) -> None:
    text = f"{line}\n> eggs"
    assert stripped(text) == (text, {})


def test_headers_of_other_mails_go() -> None:
    block = "From: Bob <bob@example.org>\nSent: Monday\nTo: a list,\n  more people\nSubject: Re: x"
    outlook = f"See below.\n\n-----Original Message-----\n{block}\n\nOld text"
    assert stripped(outlook) == ("See below.\n\n-----Original Message-----\n\nOld text", {HEADERS: 1})
    assert stripped(f"See below.\n{block}\n\nOld text")[0] == "See below.\n-----\n\nOld text"
    quoted = "> " + block.replace("\n", "\n> ")
    assert stripped(f"{quoted}\n>\n> Old text") == ("> -----\n>\n> Old text", {HEADERS: 1})
    german = "Von: Bo Beispiel\nGesendet: Montag\nAn: Ann\nBetreff: x"
    assert stripped(f"{german}\n\nAlt")[0] == "-----\n\nAlt"
    machine = "Message-ID: <1@x>\nReceived: from host\n\tby other\nX-Mailer: M"
    assert (
        stripped(f"a\n{machine}\nb")[0] == "a\n-----\nb"
        or "Received" not in stripped(f"a\n{machine}\n\nb")[0]
    )


@pytest.mark.parametrize(
    "text", ["Note: this\nWarning: that", "To: do\nDate: later", "From: here on it rains"]
)
def test_words_with_a_colon_stay(text: str) -> None:
    assert stripped(text) == (text, {})


def test_signatures_go() -> None:
    mine = "-- \nBen Example\nben@example.org, +1 555 0100"
    assert stripped(f"Dig.\n\n{mine}") == ("Dig.", {SIGNATURE: 1})
    assert stripped(f"> Dig.\n> {mine.replace(chr(10), chr(10) + '> ')}\nNo.")[0] == "> Dig.\nNo."
    footer = "_" * 47 + "\nlist mailing list\nlist@example.org\nhttps://example.org/l"
    assert stripped(f"Dig.\n{mine}\n{footer}") == ("Dig.", {SIGNATURE: 2})
    for kept in (
        "a\n--\n" + "text\n" * 30 + "b",
        "a\n" + "-" * 30 + "\nb",
        "a\n" + "_" * 30 + "\nb@c\n\n> d",
    ):
        assert stripped(kept) == (kept, {})


def test_pgp_goes_and_the_signed_text_stays() -> None:
    frame = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n{}\n-----BEGIN PGP SIGNATURE-----\n\nab\n{}"
    text = frame.format("Text.\n- - a list", "-----END PGP SIGNATURE-----")
    assert stripped(text) == ("Text.\n- a list", {ARMOR: 1})


@given(
    st.lists(st.sampled_from(["> ", "From: a", "-- ", "_" * 20, "", "x:", "To: b@c", "word", *string.digits]))
)
def test_no_text_breaks_it_and_words_of_no_kind_stay(lines: list[str]) -> None:
    text = "\n".join(lines)
    kept, counts = strip_people(text)
    assert kept.count("word") <= text.count("word")
    if not counts:
        assert normalize(kept) == normalize(text)


# --- mailboxes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        b"X-Mozilla-Status: 0009",
        b"Status: RO\nX-Status: D",
        b"X-Evolution: 00000001-0012",
        b"X-Evolution: 00000001-0004",
        b"X-Gmail-Labels: =?utf-8?q?Inbox,Trash?=",
        b"X-Gmail-Labels: Draft",
        b"X-Status: T",
    ],
)
def test_deleted_mails_stay_deleted(header: bytes) -> None:
    found = parse_mbox([mail(b"kept", b"X-Mozilla-Status: 0001", b"Status: RO") + mail(b"gone", header)])
    assert texts(found.posts) == ["kept"]
    assert found.left_out == {DELETED: 1}


@pytest.mark.parametrize("header", [b"X-Mozilla-Status: 8001", b"X-Evolution: 0000000d-0011", b"X-Status: A"])
def test_other_marks_delete_nothing(header: bytes) -> None:
    assert len(parse_mbox([mail(b"kept", header)]).posts) == 1


def test_bookkeeping_of_mail_programs_is_no_post() -> None:
    raw = mail(b"This text is part of the internal format", b"X-IMAP: 1 2").replace(
        b"Subject: S", b"Subject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"
    )
    assert texts(parse_mbox([raw + mail(b"x")]).posts) == ["x"]


def test_copies_are_left_out_and_counted() -> None:
    head = (b"Message-ID: <1@x>", b"From: e@example.org")
    answer = mail(b"Thanks.", b"Message-ID: <2@x>", b"In-Reply-To: <1@x>")
    found = parse_mbox([mail(b"Minutes.", *head) + mail(b"Minutes.\n\nfooter", *head) + answer])
    assert [(post.body, post.reply_to) for post in found.posts] == [("Minutes.", None), ("Thanks.", 0)]
    assert found.left_out == {COPY: 1}
    nameless = mail(b"Twice.", b"From: e@example.org")
    assert len(parse_mbox([nameless + nameless + mail(b"Once.", b"From: e@example.org")]).posts) == 2


def test_two_people_with_one_message_id_are_two() -> None:
    raw = mail(b"a", b"Message-ID: <1@x>", b"From: a@x.org") + mail(
        b"b", b"Message-ID: <1@x>", b"From: b@x.org"
    )
    assert texts(parse_mbox([raw]).posts) == ["a", "b"]


@pytest.mark.parametrize(
    ("senders", "people"),
    [
        ((b"Ann <ann@x.org>", b"ANN <Ann@X.org>", b"ann@x.org", b"Ann Example <ann@x.org>"), 1),
        ((b"Ann Example <family@x.org>", b"Bo Example <family@x.org>", b"family@x.org"), 3),
        ((b"Ann <ann@x.org>", b"ann <ann@x.org>"), 1),
        ((b"Ann via List <list@x.org>", b"Bo via List <list@x.org>"), 2),
        ((b"ann <noreply@x.org>", b"bo <noreply@x.org>"), 2),
        ((b"ann at x.org (Ann)", b"ann at y.org (Ann B)"), 2),
        ((b"ann at x.org (Ann)", b"ann at x.org (Ann)"), 1),
        ((b"=?utf-8?q?Ann?= <ann@x.org>", b"Ann <ann@x.org>"), 1),
    ],
)
def test_two_people_never_become_one(senders: tuple[bytes, ...], people: int) -> None:
    raw = b"".join(mail(b"text %d" % n, b"From: " + sender) for n, sender in enumerate(senders))
    assert len({post.author for post in parse_mbox([raw]).posts}) == people


def test_the_claimed_day_is_kept() -> None:
    assert one(mail(b"x", b"Date: Mon, 5 Jan 2015 23:30:00 -0500")).date == "2015-01-05"
    for odd in (b"yesterday", b"", b"99 Foo 2015", b"Mon, 5 Jan 99999 10:00:00 +0000"):
        assert one(mail(b"x", b"Date: " + odd)).date == ""


def test_a_mail_in_a_file_of_its_own() -> None:
    raw = b"Return-Path: <a@example.org>\r\nFrom: a@example.org\r\nSubject: Beans\r\n\r\nIn May.\r\n"
    assert [(p.subject, p.body) for p in parse_mail(raw).posts] == [("Beans", "In May.")]
    apple = b"%d\n" % len(raw) + raw + b'<?xml version="1.0"?><plist>private</plist>'
    assert [(p.subject, p.body) for p in parse_mail(apple).posts] == [("Beans", "In May.")]


def test_a_mail_whose_parts_nest_too_deep_is_refused() -> None:
    raw = PLAIN
    for n in range(2_000):
        raw = b"Content-Type: multipart/mixed; boundary=N%d\n\n--N%d\n%s\n--N%d--" % (n, n, raw, n)
        if len(raw) > params.MAX_IMPORT_MAIL:
            break
    with pytest.raises(Refused, match=r"nested too deep|more than"):
        parse_mail(b"Subject: S\n" + raw)
