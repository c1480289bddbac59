"""What names people in the text of a mail, taken out and counted: they never asked to be here.

Attribution lines ("On Monday Ann wrote:"), headers of mails that were passed on, signatures, and blocks of
PGP, which name a key. Addresses and telephone numbers inside a sentence stay: the caller counts and shows
them. Mail programs write these in many languages, so most rules look at the shape and few at words.
"""

import re
from collections import Counter

ATTRIBUTION = "attribution line"
HEADERS = "mail header"
SIGNATURE = "signature"
ARMOR = "PGP block"

_QUOTE = re.compile(r"[ \t]*(?:> ?)*")
_LONGEST_ATTRIBUTION = 3  # lines; mail programs break it
_LONGEST_SIGNATURE = 15  # lines: four by custom (RFC 3676, 4.3), more by firms; beyond it the line was a dash
_LONGEST_FOOTER = 8  # lines that a mailing list adds below its rule

# a time of day, a year or an address: what an attribution has beside a name
_SAID_WHEN = re.compile(r"\d{1,2}[:.]\d\d|\b(?:19|20)\d\d\b|\S@\S|<[^<>\s]+>|\d{1,4}[./-]\d{1,2}[./-]\d{1,4}")
_SAYS = re.compile(
    r"\b(?:wrote|writes|said|schrieb|schreef|skrev|skrifaði|kirjoitti|escribió|escribio|escreveu|ha scritto"
    r"|a écrit|a ecrit|écrivait|va escriure|a scris|napisał|napsal|napísal|írta|yazd\u0131"
    r"|написал|написала|пишет|писал|έγραψε|kirjutas|rašė|rakstīja|написав|skreiv)\b",
    re.IGNORECASE,
)
_WRITER = "from|von|de|da|van|fra|från|od|от|lähettäjä"
_PERSON = f"{_WRITER}|to|cc|bcc|reply-to|an|para|à|a|per|aan|til|till|do|komu|кому"
_LABELS = frozenset(
    f"{_PERSON}|subject|date|sent|betreff|datum|gesendet|objet|envoyé|asunto|fecha|enviado|assunto|data|oggetto"
    "|inviato|onderwerp|verzonden|emne|dato|sendt|ämne|skickat|temat|wysłano|předmět|odesláno|тема|дата"
    "|отправлено|aihe|päivämäärä|kopie|copie|copia|kopia|organization|organisation".split("|")
)
_WRITERS = frozenset(_WRITER.split("|"))
_FIELD = re.compile(r"[*_]*([^\W\d_][\w-]{0,38})[*_]* ?[:\uff1a][*_]*(?:\s+\S|$)")
_OF_MACHINES = re.compile(  # names of fields that nobody writes by hand
    r"(?:x-[a-z]|message-id|return-path|received|mime-version|content-(?:type|transfer|disp|id)|in-reply-to"
    r"|references|delivered-to|user-agent|dkim-|arc-|authentication-|list-[a-z]|envelope-to|errors-to|sender$)",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"-{2,} ?[^\n-][^\n]{0,60}-{2,}|_{20,}|-{20,}|\*{5,}.{0,40}\*{5,}")
_RULE = re.compile(r"[_=-]{20,}")
_ARMOR_BEGINS = re.compile(r"-----BEGIN PGP ([A-Z ,/0-9]{1,40})-----")
_ENVELOPE = re.compile(r">?From \S+ .*\d{1,2}:\d\d.*\b(?:19|20)\d\d")


def strip_people(text: str) -> tuple[str, Counter[str]]:
    """The text without them, and how many of each kind were taken out. Never fails; linear in the lines."""
    counts: Counter[str] = Counter()
    lines = [_QUOTE.match(line) for line in text.split("\n")]
    pairs = [(m.group(), m.string[m.end() :].rstrip()) for m in lines if m is not None]
    for rule in (_without_armor, _without_headers, _without_signatures, _without_attributions):
        pairs = rule(pairs, counts)
    return "\n".join((mark + rest).rstrip() for mark, rest in pairs).strip("\n"), counts


_Lines = list[tuple[str, str]]  # the marks of the quote, and what is behind them


def _depth(mark: str) -> int:
    return mark.count(">")


def _without_armor(lines: _Lines, counts: Counter[str]) -> _Lines:
    """Signatures and keys go. Of a signed text the frame goes, and the text stays."""
    kept: _Lines = []
    end = ""  # the line that ends what is left out
    in_head = False  # between the first line of a signed text and the blank line below
    for mark, rest in lines:
        begins = _ARMOR_BEGINS.fullmatch(rest)
        if end:
            end = "" if rest == end else end
        elif in_head:
            in_head = bool(rest)
        elif begins and begins[1] == "SIGNED MESSAGE":
            in_head = True
        elif begins and begins[1] != "MESSAGE":
            end = f"-----END PGP {begins[1]}-----"
            counts[ARMOR] += 1
        else:
            kept.append((mark, rest.removeprefix("- ") if rest.startswith("- -") else rest))
    return kept


def _without_headers(lines: _Lines, counts: Counter[str]) -> _Lines:
    """Blocks of two header fields or more that say who wrote, or hold an address or a date."""
    kept: _Lines = []
    at = 0
    while at < len(lines):
        end = _end_of_headers(lines, at)
        if end == at:
            kept.append(lines[at])
            at += 1
            continue
        counts[HEADERS] += 1
        if not kept or not _FORWARDED.fullmatch(kept[-1][1].strip()):
            kept.append((lines[at][0], "-----"))  # what follows is somebody else's, and shall look so
        at = end
    return kept


def _end_of_headers(lines: _Lines, start: int) -> int:
    """Where the block ends that begins here; `start` if none does."""
    at, names, machines = start, 0, 0
    depth = _depth(lines[start][0])
    is_mail = False
    if _ENVELOPE.match(lines[at][1]):
        is_mail, names, at = True, 1, at + 1
    while at < len(lines) and _depth(lines[at][0]) == depth and lines[at][1].strip():
        field = _FIELD.match(lines[at][1].strip())
        name = field[1].lower() if field else ""
        if name in _LABELS or (name and _OF_MACHINES.match(name)):
            names += 1
            is_mail = is_mail or name in _WRITERS or _SAID_WHEN.search(lines[at][1]) is not None
            machines += _OF_MACHINES.match(name) is not None
        elif not (names and (lines[at][0].endswith((" ", "\t")) or lines[at][1][:1].isspace() or machines)):
            break  # neither a field nor the second line of one
        at += 1
    return at if names >= 2 and (is_mail or machines) else start


def _without_signatures(lines: _Lines, counts: Counter[str]) -> _Lines:
    """From "-- " to the end of the text or of the quote; and what a mailing list adds below a rule."""
    kept: _Lines = []
    at = 0
    while at < len(lines):
        end = _end_of_signature(lines, at)
        if end == at:
            kept.append(lines[at])
        else:
            counts[SIGNATURE] += 1
        at = max(end, at + 1)
    return kept


def _end_of_signature(lines: _Lines, start: int) -> int:
    mark, rest = lines[start]
    is_signature, is_rule = rest.strip() == "--", _RULE.fullmatch(rest.strip()) is not None
    if not (is_signature or is_rule):
        return start
    most = _LONGEST_SIGNATURE if is_signature else _LONGEST_FOOTER
    end = start + 1
    while end < len(lines) and _depth(lines[end][0]) == _depth(mark):
        if _RULE.fullmatch(lines[end][1].strip()) and is_signature:
            break  # the list's own footer begins: it is judged by itself
        end += 1
        if end - start > most + 1:
            return start
    words = " ".join(rest for _, rest in lines[start + 1 : end])
    is_footer = "@" in words or "://" in words
    return end if is_signature or (is_footer and end == len(lines)) else start


def _without_attributions(lines: _Lines, counts: Counter[str]) -> _Lines:
    """The paragraph above a quote, if it ends with a colon and says who and when."""
    drop: set[int] = set()
    for at in range(1, len(lines)):
        if _depth(lines[at][0]) <= _depth(lines[at - 1][0]):
            continue
        first, last = _paragraph_above(lines, at)
        words = " ".join(rest for _, rest in lines[first:last]).strip()
        if words.endswith((":", "\uff1a")) and (_SAID_WHEN.search(words) or _SAYS.search(words)):
            drop.update(range(first, last))
            counts[ATTRIBUTION] += 1
    return [line for at, line in enumerate(lines) if at not in drop]


def _paragraph_above(lines: _Lines, at: int) -> tuple[int, int]:
    """Its first line, and the one behind its last. At most _LONGEST_ATTRIBUTION lines."""
    depth = _depth(lines[at - 1][0])
    last = at
    while last and at - last < 2 and not lines[last - 1][1].strip() and _depth(lines[last - 1][0]) == depth:
        last -= 1
    first = last
    while (
        first
        and last - first < _LONGEST_ATTRIBUTION
        and lines[first - 1][1].strip()
        and _depth(lines[first - 1][0]) == depth
    ):
        first -= 1
    return first, last
