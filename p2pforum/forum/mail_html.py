"""The text of a mail that is HTML: with the structure that carries meaning, as plain text has it.

Quotes get "> ", code keeps its blanks, a row of a table is a line, lists have their marks and numbers, links
keep where they lead if the text does not say it.
"""

import re
from collections import Counter
from typing import Any

from bs4 import BeautifulSoup, Tag
from markdownify import ATX, MarkdownConverter

_SILENT = ("script", "style", "head", "title", "template", "noscript", "svg", "object")
_CELLS = ("td", "th")
_PARTS = (*_CELLS, "tr", "tbody", "thead", "tfoot")
_DEEPEST = 100  # elements within one another: the converter calls itself for each; browsers stop at 512
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")  # lxml ends at some of them
_BLOCKS = ("p", "div", "table", "ul", "ol", "blockquote", "pre", "br", "h1", "h2", "h3", "h4", "hr")


_OPTIONS: dict[str, Any] = {
    "heading_style": ATX,
    "bullets": "-",
    "escape_asterisks": False,  # readers see the text as it is
    "escape_underscores": False,
    "escape_misc": False,
    "strip": ("img", "b", "strong", "i", "em", "u", "font", "span"),
    "wrap": True,  # a line's end in the source is a blank
    "wrap_width": None,
}


class _Converter(MarkdownConverter):
    def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """The address behind the words, if it leads to the web and the words are not the address."""
        target = str(el.get("href") or "").strip()
        if not target.lower().startswith(("http://", "https://")) or _same(text, target):
            return text
        return f"{text} <{target}>" if text.strip() else f"<{target}>"

    def convert_pre(self, el: Any, text: str, parent_tags: set[str]) -> str:
        code = el.get_text().strip("\n")
        return f"\n\n{code}\n\n"

    def convert_li(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """On a line of its own, also where the one before was not closed."""
        item = super().convert_li(el, text, parent_tags)  # type: ignore[misc]
        return f"\n{item}"

    def convert_table(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return "\n\n" + text.strip("\n") + "\n\n"

    def convert_tr(self, el: Any, text: str, parent_tags: set[str]) -> str:
        return text.removesuffix(" | ").rstrip() + "\n"

    def convert_td(self, el: Any, text: str, parent_tags: set[str]) -> str:
        """A cell on its row's line."""
        return text + " | " if el.find_next_sibling(("td", "th")) is not None else text

    convert_th = convert_td


def _same(text: str, target: str) -> bool:
    def bare(link: str) -> str:
        return link.strip().lower().removeprefix("https://").removeprefix("http://").removesuffix("/")

    return bare(text) == bare(target)


def html_text(html: str) -> str:
    """Never fails: what is nested deeper than _DEEPEST is given line by line, without its structure."""
    soup = BeautifulSoup(_CONTROLS.sub("", html), "lxml")
    for silent in soup(_SILENT):
        silent.decompose()
    for hidden in soup.find_all(style=_is_hidden):
        hidden.decompose()
    text = str(_Converter(**_OPTIONS).convert_soup(soup)) if _is_shallow(soup) else soup.get_text("\n")
    return _with_single_gaps(text)


def _is_shallow(soup: BeautifulSoup) -> bool:
    """Look at each element once, parents first. Tables that only place what is in them become divisions."""
    depths = {id(soup): 0}
    table_of: dict[int, Tag | None] = {id(soup): None}  # the nearest around it, and itself not
    parts: dict[int, list[Tag]] = {}  # of each table: its own rows, cells and groups of rows
    layout: set[int] = set()
    for tag in soup.find_all(True):
        outer = tag.parent or soup
        depths[id(tag)] = depths[id(outer)] + 1
        if depths[id(tag)] > _DEEPEST:
            return False
        table = outer if outer.name == "table" else table_of[id(outer)]
        table_of[id(tag)] = table
        if table is not None and tag.name in _PARTS:
            parts.setdefault(id(table), [table]).append(tag)
        elif table is not None and tag.name in _BLOCKS:
            layout.add(id(table))
    for table, *own in parts.values():
        rows = Counter(id(part.parent) for part in own if part.name in _CELLS)
        if id(table) in layout or max(rows.values(), default=0) < 2:
            for part in (table, *own):
                part.name = "div"
    return True


def _is_hidden(style: str | None) -> bool:
    return style is not None and "display:none" in style.lower().replace(" ", "")


def _with_single_gaps(text: str) -> str:
    lines: list[str] = []
    for line in text.split("\n"):
        kept = line.rstrip()
        if kept or (lines and lines[-1]):
            lines.append(kept)
    return "\n".join(lines).strip("\n")
