"""A text that holds a key, a keystore or a backup is refused, however it is wrapped."""

import base64
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from forum_world import a_person
from hypothesis import given
from hypothesis import strategies as st

from p2pforum.core import limits
from p2pforum.core.errors import Refused
from p2pforum.forum import writing
from p2pforum.forum.backup import back_up
from p2pforum.forum.keys import export_key, new_key
from p2pforum.forum.own_secrets import refuse_own_secrets
from p2pforum.keystore.format import MAGIC, KdfCost

EXPORTED = export_key(new_key(bytes(range(32)), b"", "heron", 0))
WAYS: dict[str, Callable[[bytes], str]] = {
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64 in lines": lambda raw: base64.encodebytes(raw).decode(),
    "base64 quoted": lambda raw: textwrap.indent(base64.encodebytes(raw).decode(), "> "),
    "hex": bytes.hex,
    "capital hex": lambda raw: raw.hex().upper(),
    "hex in lines": lambda raw: re.sub("(....)", "\\1\n", raw.hex()),
}


@pytest.mark.parametrize("around", ["{}", "My key: {} .", "> {}", "a\n\n{}\nb", '{{"key": "{}"}}'])
@pytest.mark.parametrize(
    "key", [EXPORTED, EXPORTED.upper(), EXPORTED.replace(":", ":\n> ", 1), EXPORTED[:40]]
)
def test_an_exported_key_is_refused(around: str, key: str) -> None:
    with pytest.raises(Refused, match="exported key"):
        refuse_own_secrets(["fine", around.format(key)])


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("passphrase", [b"secret words", None])
def test_a_keystore_or_a_backup_is_refused(tmp_path: Path, way: str, passphrase: bytes | None) -> None:
    person = a_person(tmp_path)
    back_up(person.keystore, tmp_path / "backup", passphrase, KdfCost(1, limits.KDF_LEAST_MEMORY))
    for path in (person.keystore.path, tmp_path / "backup"):
        for before in (0, 1, 2, 3, 100):
            with pytest.raises(Refused, match="keystore"):
                refuse_own_secrets([f"see: {WAYS[way](bytes(before) + path.read_bytes())}"])


@pytest.mark.parametrize(
    "text",
    [
        "p2pforum-key-1 is how an exported key begins",
        "p2pforum-key-1:...",
        f"a keystore begins with {MAGIC.decode()}",
        "p2pforum-link-1:abcdefghijklmnopqrstuvwxyz",
        "",
    ],
)
def test_talk_about_keys_is_no_key(text: str) -> None:
    refuse_own_secrets([text])


@given(st.text(max_size=200))
def test_other_texts_pass(text: str) -> None:
    refuse_own_secrets([text])


@pytest.mark.parametrize("looks", [True, False], ids=["as it is", "control"])
def test_no_way_of_writing_lets_it_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: bool) -> None:
    if not looks:
        monkeypatch.setattr(writing, "refuse_own_secrets", lambda texts: None)
    person = a_person(tmp_path)
    root = person.publisher.new_thread("b", "s", "text").post
    for act in (
        lambda: person.publisher.new_thread("b", EXPORTED[:100], "text"),
        lambda: person.publisher.new_thread("b", "s", EXPORTED),
        lambda: person.publisher.reply(root.id, EXPORTED),
        lambda: person.publisher.supersede(root.id, EXPORTED),
    ):
        if looks:
            with pytest.raises(Refused, match="exported key"):
                act()
        else:
            act()
    assert (len(person.shelf.rows) == 1) == looks
