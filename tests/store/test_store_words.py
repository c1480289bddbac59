"""The words that the search index has of a text: found in every script, and the same with every Python."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from store_tools import add
from strategies import a_post

from p2pforum.store import words
from p2pforum.store.posts import Store
from p2pforum.store.queries import Reader

JAPANESE = "これは日本語の電子書籍リーダーです。"


def is_found(reader: Reader, query: str) -> bool:
    return bool(reader.search(query))


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        (
            JAPANESE,
            f"日本語 電子書籍 リーダー 電子* 電 す 語の リー {JAPANESE[3:-3]}",
            "日子 電籍 リーー 日本語電子",
        ),
        ("用电子书阅读器看中文", "电子书 中文 阅读 器 看中", "国 文中"),
        ("도서관에서 책을 읽었다", "도서관 책 책을 읽었다 서관", "도관 을책"),
        ("ฉันอ่านหนังสือทุกวัน", "หนังสือ อ่าน ทุกวัน", "หนังสอ"),
        ("𠮷野家で2026年", "𠮷野 𠮷 2026年 2026", "野𠮷 年2026"),
        ("Kindle電子書籍app", "kindle kindle電子 電子書籍app 籍app", "電子app kindle書籍"),
    ],
    ids=["Japanese", "Chinese", "Korean", "Thai", "rare letters", "mixed"],
)  # fmt: skip
def test_scripts_without_spaces(store: Store, reader: Reader, text: str, found: str, not_found: str) -> None:
    add(store, [a_post(text), a_post("Another: nothing of that.", key=2)])
    assert [word for word in found.split() if not is_found(reader, word)] == []
    assert [word for word in not_found.split() if is_found(reader, word)] == []


@pytest.mark.parametrize(
    ("text", "found", "not_found"),
    [
        ("Über die Straße", "über UBER Uber STRASSE straße", "uver"),
        ("cafe\u0301 CAFÉ", "café cafe cafe\u0301 Cafe", "cafa"),
        ("Σίσυφος", "σισυφος ΣΊΣΥΦΟΣ Σισυφοσ", "σισυφο"),
        ("ёлка", "елка ЁЛКА", "алка"),
        ("שָׁלוֹם", "שלום שָׁלוֹם", "לום"),
        ("مُحَمَّد", "محمد مُحَمَّد", "حمد"),
        ("\uff46\uff55ll ﬁne ガギ ｶﾞｷﾞ", "full FULL fine ガギ ｶﾞｷﾞ", "カキ"),
        ("हिन्दी में लिखा", "हिन्दी हिन्द* लिखा", "हन्दी"),
        ("İstanbul", "istanbul İSTANBUL", "stanbul"),
        ("Đường ắn", "an ắn", "on"),
    ],
)
def test_capitals_and_marks(store: Store, reader: Reader, text: str, found: str, not_found: str) -> None:
    add(store, [a_post(text)])
    assert [word for word in found.split() if not is_found(reader, word)] == []
    assert [word for word in not_found.split() if is_found(reader, word)] == []


letters = st.sampled_from("日本語電子書籍リーダー한국어ก็หนั 𠮷ガ。、aé1")


@given(text=st.text(letters, min_size=1, max_size=30), data=st.data())
def test_any_part_of_a_run_is_found(text: str, data: st.DataObject) -> None:
    """Against the plain truth: FTS5's phrase is a row of words, the last of them perhaps a beginning."""
    runs = [run for run in words._RUN.findall(words.fold(text)) if run]
    if not runs:
        return
    run = data.draw(st.sampled_from(runs))
    start = data.draw(st.integers(0, len(run) - 1))
    part = run[start : data.draw(st.integers(start + 1, len(run)))]
    asked, is_open = words.sought(part)
    assert _has(words.indexed(text).split(), asked.split(), is_open)


@given(
    run=st.text(st.sampled_from("日本語"), max_size=12),
    part=st.text(st.sampled_from("日本語"), min_size=1, max_size=4),
)
def test_what_is_no_part_of_a_run_is_not_found(run: str, part: str) -> None:
    asked, is_open = words.sought(part)
    assert _has(words.indexed(run).split(), asked.split(), is_open) == (part in run)


def _has(there: list[str], asked: list[str], is_open: bool) -> bool:
    for n in range(len(there) - len(asked) + 1):
        *first, last = there[n : n + len(asked)]
        if first == asked[:-1] and (last.startswith(asked[-1]) if is_open else last == asked[-1]):
            return True
    return False


@given(text=st.text(max_size=40))
def test_a_text_gives_the_same_words_however_unicode_grows(text: str) -> None:
    """A character that Unicode 3.2 does not know is left as it is: what a later version says is not asked."""
    unknown = [c for c in text if unicodedata.ucd_3_2_0.category(c) == "Cn" and not words._MARKS.match(c)]
    folded = words.fold(text)
    assert all(folded.count(c) >= text.count(c) for c in unknown if c != "ẞ")
    assert words.fold(folded) == folded


def test_the_words_of_every_character_are_those_that_stores_were_made_with() -> None:
    """With any Python. If this fails, every store needs a migration that indexes afresh."""
    folds = "\n".join(words.fold(chr(n)) for n in range(0x20000) if not 0xD800 <= n < 0xE000)
    assert hashlib.sha256(folds.encode()).hexdigest()[:32] == "d40e37999d7a476e5bdcc13b874cb1dc"
    newer = "\u2c7c"  # of Unicode 5.1
    assert words.fold(newer) == newer
    assert unicodedata.normalize("NFKD", newer) == "j", "the control: the data of later versions"


def test_the_worst_text_takes_no_longer_than_its_length() -> None:
    """Python puts a row of marks into order in the square of its length: 16,000 bytes would take 0.1 s."""
    worst = "\u0e48\u0e38" * 2_700

    def looks(text: str) -> int:
        words._fold_letter.cache_clear()
        words.fold(text)
        info = words._fold_letter.cache_info()
        return info.hits + info.misses

    assert looks(worst * 4) == 4 * looks(worst)
    assert words.fold(worst) == worst, "marks are not put into order"
    assert unicodedata.normalize("NFC", worst) != worst, "the control: a normal form does that"
