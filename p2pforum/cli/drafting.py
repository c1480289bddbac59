"""The text that a command publishes: written, and kept as a draft before anything else happens to it.

From the moment it is read or the editor opens it lies on a desk (terminal/desk.py), then in the keystore.
"""

import os
import textwrap
from contextlib import suppress
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Self

import click

from p2pforum.app import drafting
from p2pforum.cli.context import Context
from p2pforum.cli.terminal import compose, questions
from p2pforum.cli.terminal.desk import Desk, Label, found_desks, new_desk
from p2pforum.cli.terminal.editor import edit, side_files, with_comments, without_comments
from p2pforum.core.errors import P2PForumError, Refused
from p2pforum.core.text import normalize
from p2pforum.forum import drafts
from p2pforum.forum.drafts import Kept
from p2pforum.keystore.contents import Draft
from p2pforum.keystore.keystore import Keystore


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is to go. `command` goes on with it, `comments` are what the editor shows below."""

    destination: str
    command: str
    comments: str
    begun: str = ""  #: what the editor begins with, if not with a draft: the text that an edit replaces


@dataclass(frozen=True, slots=True)
class Text:
    """`draft` has it; None if it is in a file of the user's. `again` is the command that goes on with it."""

    subject: str
    body: str
    draft: Kept | None = None
    again: str = ""


NO_TEXT = Text("", "")


class Writing:
    """A text on its way from the user to the keystore. Use it in a `with`, around all that may fail.

    `typed` is the destination as the user typed it: all that is known before the post is looked up. `subject`
    is None if it is the text's first line.
    """

    def __init__(self, context: Context, file: str | None, typed: str, subject: str | None = "") -> None:
        self._context = context
        self._file = file
        self._label = Label(str(context.session.paths.keys_dir), typed, subject)
        self._desk: Desk | None = None
        self._text = ""

    def __enter__(self) -> Self:
        if compose.is_from_editor(self._file):
            return self
        self._text = compose.read(self._file)
        if not compose.is_from_file(self._file):
            with suppress(OSError):  # then there is the keystore yet
                self._desk = new_desk(self._label, self._text)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._desk is None:
            return
        if error is not None:
            error.add_note(
                f"The text is in memory only: {self._desk.path}\n"
                f"To keep it: {self._context.command('drafts')}"
            )
        self._desk.close()

    def text(self, keystore: Keystore, place: Place, draft_id: str | None) -> Text:
        """The text, kept. Raises NothingWritten, Refused, KeystoreError and OSError."""
        keystore.read()  # the passphrase is asked for before the editor opens
        begun = self._begun(keystore, draft_id)
        if not compose.is_from_editor(self._file):
            return self._kept(keystore, place, self._text)
        take_in(self._context, keystore)
        text = self.edited(keystore, place, begun)
        if (
            begun
            and text.draft
            and self._shown(text.draft) == self._shown(begun)
            and not self._context.is_sure
        ):
            _ask()
        return text

    def edited(self, keystore: Keystore, place: Place, begun: Kept | None) -> Text:
        """The text from the editor, kept. Raises NothingWritten, Refused, KeystoreError and OSError."""
        before = shown_text(begun.draft, self._label.subject) if begun else place.begun
        shown = with_comments(before, place.comments + _others(keystore, place) + _warning())
        label = Label(self._label.keys, place.destination, self._label.subject, shown)
        self._desk = new_desk(label, shown)
        try:
            edited = edit(self._desk)
        except P2PForumError as error:
            self._rescue(keystore, error)
            raise
        text, below = without_comments(edited, shown)
        if not normalize(text + below).strip():
            self._clear()
            raise compose.NothingWritten(_still_there(self._context, begun) if begun else "")
        if below:
            self._kept(keystore, place, _whole(text, below), begun)
            raise Refused("you wrote below the line with >8; nothing was posted, and the draft has all of it")
        return self._kept(keystore, place, text, begun)

    def _shown(self, kept: Kept) -> str:
        return normalize(shown_text(kept.draft, self._label.subject))

    def _begun(self, keystore: Keystore, draft_id: str | None) -> Kept | None:
        if draft_id is None:
            return None
        if not compose.is_from_editor(self._file):
            raise click.UsageError("--draft opens the editor; `drafts show ID` prints a draft for a pipe")
        return drafts.find(keystore.read(), draft_id)

    def _kept(self, keystore: Keystore, place: Place, text: str, begun: Kept | None = None) -> Text:
        if place.begun and normalize(text) == normalize(place.begun):
            self._clear()
            raise Refused("the post has that text already")
        subject, body = split(text, self._label.subject)
        if compose.is_from_file(self._file):
            return Text(subject, body)
        written = keep(self._context, keystore, place, Text(subject, body), begun)
        self._clear()
        return written

    def _rescue(self, keystore: Keystore, error: BaseException) -> None:
        """Keep what the editor that failed left."""
        if self._desk is not None:
            kept = _keep_desk(self._context, keystore, self._desk)
            self._desk = None
            if kept:
                error.add_note(f"The text is kept as draft {kept[-1].id}: {self._context.command('drafts')}")

    def _clear(self) -> None:
        if self._desk is not None:
            self._desk.clear()
            self._desk = None


def keep(context: Context, keystore: Keystore, place: Place, text: Text, begun: Kept | None = None) -> Text:
    """The text with a draft that has it. Raises KeystoreError and OSError."""
    if text.draft is not None:
        return text
    kept = drafting.keep(context.session, keystore, place.destination, text.subject, text.body, begun)
    return replace(text, draft=kept, again=context.command(f"{place.command} --draft {kept.id}"))


def rewrite(context: Context, keystore: Keystore, place: Place, text: Text, subject: str | None) -> Text:
    """The text as the user changes it in the editor, kept in the draft that had it."""
    with Writing(context, None, place.destination, subject) as writing:
        return writing.edited(keystore, place, text.draft)


def take_in(context: Context, keystore: Keystore) -> None:
    """Make drafts of the texts that were being written when the program or its editor was killed."""
    for desk in found_desks(str(context.session.paths.keys_dir)):
        for kept in _keep_desk(context, keystore, desk):
            context.console.note(f"A text whose writing was cut short is now draft {kept.id}.")


def _keep_desk(context: Context, keystore: Keystore, desk: Desk) -> list[Kept]:
    """Keep what is new on a desk, and clear it. If that fails, the desk stays."""
    label, kept = desk.label, []
    before = normalize(without_comments(label.shown, label.shown)[0])
    try:
        for text in dict.fromkeys(_whole(*without_comments(text, label.shown)) for text in desk.texts()):
            if normalize(text).strip() and normalize(text) != before:
                subject, body = split(text, label.subject)
                kept.append(drafting.keep(context.session, keystore, label.destination, subject, body))
    except BaseException:
        desk.close()
        raise
    desk.clear()
    return kept


def _whole(text: str, below: str) -> str:
    return f"{text}\n\n{below}" if below else text


def split(text: str, subject: str | None) -> tuple[str, str]:
    return compose.split_subject(text) if subject is None else (subject, text)


def shown_text(draft: Draft, subject: str | None = None) -> str:
    """A draft as one text, its subject as the first line unless it is given otherwise."""
    return f"{draft.subject}\n\n{draft.body}" if draft.subject and subject is None else draft.body


def _others(keystore: Keystore, place: Place) -> str:
    ids = [kept.id for kept in drafts.for_destination(keystore.read(), place.destination)]
    return f"\nDrafts for the same place (to go on with one: --draft ID): {', '.join(ids)}" if ids else ""


def _warning() -> str:
    """The editor opens all the same: if it can't be started, that is said next."""
    with suppress(P2PForumError):
        if warning := side_files(os.environ):
            return f"\n{textwrap.fill(warning, 76)}."
    return ""


def _still_there(context: Context, begun: Kept) -> str:
    return f"; the draft is still there, and goes with: {context.command(f'drafts drop {begun.id}')}"


def _ask() -> None:
    question = "You changed nothing in the draft. Publish it as it is? [y/N]"
    if questions.choose(question, ("yes", "no"), "add --yes to publish it", default="no") == "no":
        raise compose.NothingChanged
