"""Keep a text before it is published: whatever happens afterwards, it is in the keystore."""

from p2pforum.app.session import Session
from p2pforum.forum import drafts
from p2pforum.forum.drafts import Kept
from p2pforum.keystore.contents import Draft
from p2pforum.keystore.keystore import Keystore


def keep(
    session: Session, keystore: Keystore, destination: str, subject: str, body: str, begun: Kept | None = None
) -> Kept:
    """Keep the text as a draft, in place of the one that it began as. Raises KeystoreError and OSError."""
    draft = Draft(destination, storable(subject), storable(body), session.now())
    with keystore.transaction() as box:
        return drafts.keep(box, draft, begun)


def storable(text: str) -> str:
    """The text, with marks in place of bytes that were no UTF-8."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
