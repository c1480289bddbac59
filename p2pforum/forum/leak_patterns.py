"""What a text gives away by itself: links that tell who shared them, pasted metadata, machine names.

Pure: text in, findings out. Not how it fits the author's other pseudonyms (leak_traces.py).
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

_EXCERPT = 60  # characters


@dataclass(frozen=True, slots=True)
class Leak:
    """One kind of thing that a text may give away. `found` are its places, `why` is a reason for the user."""

    kind: str
    found: tuple[str, ...]
    why: str


def leaks_of_text(text: str, machine: Iterable[str] = ()) -> list[Leak]:
    """The leaks in a text. `machine` are names of this machine and its user, as this machine knows them."""
    found = [
        _leak("tracking in a link", _trackers(text), _WHY_TRACKING),
        _leak("a secret in a link", _secrets(text), _WHY_SECRET),
        *(_leak(kind, _matches(pattern, text), why) for kind, pattern, why in _PASTED),
        _leak("a name of this machine", _machine_names(text, machine), _WHY_MACHINE),
    ]
    return [leak for leak in found if leak is not None]


def _leak(kind: str, found: Iterable[str], why: str) -> Leak | None:
    distinct = tuple(dict.fromkeys(found))
    return Leak(kind, distinct, why) if distinct else None


def excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1] + "…"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# --- links ----------------------------------------------------------------------------------------------

_LINK = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s<>\"'`]+", re.IGNORECASE)
_PREFIXES = ("utm_", "pk_", "mtm_", "matomo_", "piwik_", "hsa_", "__hs", "_hs", "oly_", "vero_", "ga_", "wt_")
_TRACKERS = _words("""
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid ysclid twclid ttclid igshid igsh mc_cid mc_eid
    mkt_tok li_fat_id epik s_cid rb_clickid wickedid irclickid cjevent srsltid sxsrf ved ei gs_lcp gs_lp
    _openstat ref_src ref_url spm scm share_id shareid share_token sharer cmpid ncid cvid ocid smid sr_share
    trk trkinfo trackingid tracking_id clickid click_id affiliate aff_id _ga _gl _branch_match_id
    feature_share ft_orig
""")
_OF_HOST = {  # names too common to be told from others, but on these hosts they say who shared
    "youtube.com": {"si", "feature", "pp"},
    "youtu.be": {"si", "feature"},
    "open.spotify.com": {"si"},
    "twitter.com": {"s", "t"},
    "x.com": {"s", "t"},
    "tiktok.com": {"_t", "_r", "u_code", "sec_uid"},
    "reddit.com": {"share_id", "rdt"},
    "instagram.com": {"img_index", "hl"},
    "amazon.com": {"tag", "ref", "ref_", "qid", "sr", "pd_rd_w", "pd_rd_r", "pf_rd_r"},
    "facebook.com": {"mibextid", "rdid", "__tn__", "__cft__[0]"},
}
_SECRET_NAMES = _words("""
    token access_token auth_token id_token auth apikey api_key key session sessionid session_id phpsessid
    jsessionid sid signature x-amz-signature x-amz-credential password passwd pwd code email e-mail mail
    user userid user_id uid invite
""")
_WHY_TRACKING = "they name the click or the person who shared the link; it works without what follows the ?"
_WHY_SECRET = "a reader may get into an account with it, or learn whose account it is"


def _parameters(text: str) -> Iterator[tuple[str, str]]:
    """(host, name) of each parameter of each link, in lower case."""
    for match in _LINK.finditer(text):
        try:
            parts = urlsplit(match.group().rstrip(".,;:!?)]}"))
            host = (parts.hostname or "").removeprefix("www.").removeprefix("m.")
            pairs = parse_qsl(parts.query, keep_blank_values=True, max_num_fields=200)
            pairs += parse_qsl(parts.fragment.partition("?")[2] or parts.fragment, max_num_fields=200)
        except ValueError:  # it is no link
            continue
        yield from ((host, name.lower()) for name, _ in pairs)


def _trackers(text: str) -> Iterator[str]:
    for host, name in _parameters(text):
        if name in _TRACKERS or name.startswith(_PREFIXES) or name in _OF_HOST.get(host, ()):
            yield f"{name} ({host})"


def _secrets(text: str) -> Iterator[str]:
    for host, name in _parameters(text):
        if name in _SECRET_NAMES and name not in _OF_HOST.get(host, ()):
            yield f"{name} ({host})"
    for match in _LINK.finditer(text):
        if "@" in match.group().partition("://")[2].partition("/")[0]:
            yield "a user name before the @"


# --- pasted ---------------------------------------------------------------------------------------------


def _matches(pattern: re.Pattern[str], text: str) -> Iterator[str]:
    return (excerpt(match.group()) for match in pattern.finditer(text))


_BYTE = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_LINES = re.MULTILINE | re.IGNORECASE
_PASTED: tuple[tuple[str, re.Pattern[str], str], ...] = (
    (
        "lines of a mail",
        re.compile(
            r"^[ \t>]*(?:from|to|cc|bcc|sent|date|received|return-path|message-id|reply-to|in-reply-to"
            r"|delivered-to|references|user-agent|authentication-results|dkim-signature"
            r"|x-(?:mailer|originat|sender|received|spam|google|ms|forward|yahoo|priority)[a-z-]*): \S.*$"
            r"|^[ \t>]*from \S+@\S+ .*\d{4}$|^[ \t>]*on .{6,80} wrote:$",
            _LINES,
        ),
        "they name people, servers and times",
    ),
    (
        "a mail address",
        re.compile(r"\b[\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+\b", re.IGNORECASE),
        "it names a person",
    ),
    (
        "a telephone number",  # with its country's code, or behind a word that says so
        re.compile(
            r"(?<![\w+])(?:\+|00)[1-9]\d{0,2}[ \t./()-]{0,3}\d(?:[ \t./()-]{0,3}\d){6,12}(?!\w)"
            r"|\b(?:tel|telephone|telefon|t[ée]l[ée]phone|tel[ée]fono|phone|mobile|mobil|handy|fax|cell)"
            r"\b[.:]{0,2}[ \t]{0,3}\d(?:[ \t./()-]{0,3}\d){5,13}(?!\w)",
            re.IGNORECASE,
        ),
        "it names a person",
    ),
    (
        "a path with a user's name",
        re.compile(
            r"(?:/home/|/Users/|/var/home/|/export/home/|/run/media/|/media/)[^\s/:;,'\"<>]+[^\s'\"<>]*"
            r"|\b[a-z]:\\+(?:users|documents and settings)\\+[^\s\\:'\"<>]+|\bfile://\S+",
            re.IGNORECASE,
        ),
        "the name of an account is often a person's, and the rest of the path says how you work",
    ),
    (
        "a shell's prompt",
        re.compile(r"^[ \t>]*\[?[a-z_][\w-]*@[\w.-]+[: ][^\s$#]*\]?[$#] ", _LINES),
        "it names an account and a machine",
    ),
    (
        "data of a photo or document",
        re.compile(
            r"^[ \t>]*(?:gps ?(?:latitude|longitude|position|altitude|date/?time|img direction)\w*"
            r"|exif[ .:]\w+|camera (?:model name|make|serial number)|(?:body|lens|internal) ?serial ?number"
            r"|serial number|lens (?:id|model|info)|date/?time ?original|datetimedigitized|create date"
            r"|modify date|file (?:modification|access|inode change) date/time|owner ?name|artist"
            r"|creator ?tool|xmp toolkit|last ?modified ?by|image ?unique ?id|document ?id"
            r"|producer)\b[^\n:=]{0,30}[:=].*$"
            r"|<(?:dc:creator|cp:lastmodifiedby|meta:initial-creator|xmp:creatortool)>[^<\n]*",
            _LINES,
        ),
        "it names a device, a place, a time or a person",
    ),
    (
        "a place on the map",
        re.compile(r"(?<![\d.])-?\d{1,2}\.\d{4,}\s?°?\s?[NS]?\s?[,;/ ]\s?-?\d{1,3}\.\d{4,}(?![\d.])"),
        "four digits behind the point mean a street",
    ),
    (
        "a clock's time",
        re.compile(
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d\d:?\d\d)?"
            r"|\b\d\d:\d\d:\d\d(?:[.,]\d+)? [+-]\d{4}\b"
        ),
        "to the second, it can be compared with other records; with an offset, it says where you live",
    ),
    (
        "an address of a device",
        re.compile(
            rf"(?<![\d.])(?!127\.|0\.0\.0\.0|255\.)(?:{_BYTE}\.){{3}}{_BYTE}(?!\.?\d)"
            r"|\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b"
            r"|\b[0-9a-f]{8}-[0-9a-f]{4}-1[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b",
            re.IGNORECASE,
        ),
        "it leads to a line or a machine (a UUID of version 1 holds the machine's address and the time)",
    ),
)

# --- this machine ---------------------------------------------------------------------------------------

_SAY_NOTHING = _words("""
    root user admin administrator localhost localdomain local home host hostname server desktop laptop
    computer pc guest test debian ubuntu fedora arch linux nixos raspberrypi raspberry runner build node
    vagrant docker
""")
_SHORTEST = 3  # letters of a name: shorter ones are part of other words
_WHY_MACHINE = "it is the name of your account, of its owner, or of this machine"


def _machine_names(text: str, machine: Iterable[str]) -> Iterator[str]:
    for name in machine:
        if len(name) >= _SHORTEST and name.casefold() not in _SAY_NOTHING and contains_name(text, name):
            yield name


def contains_name(text: str, name: str) -> bool:
    """Whether the name is in the text as a word or words of its own, in upper or lower case."""
    pattern = rf"(?<!\w){re.escape(' '.join(name.split()))}(?!\w)"
    return re.search(pattern, " ".join(text.split()), re.IGNORECASE) is not None
