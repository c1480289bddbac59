"""Lists in columns that fit the terminal, and rows of words that break between words only."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from p2pforum.cli.terminal import render

_GAP = "  "
_FEW_WORDS, _SOME_WORDS = 20, 30  # columns
_STYLES = re.compile("\x1b\\[[0-9;]*m")  # our own: cleaned text has no escape character


def shown_width(text: str) -> int:
    """Columns that a text takes, with our own styles in it."""
    return render.width(_STYLES.sub("", text))


def flow(parts: Iterable[str], columns: int, *, gap: str = _GAP, hang: str = _GAP) -> list[str]:
    """The parts in rows of at most `columns`. A part that does not fit begins a row, after `hang`; one that
    is wider than the terminal has a row of its own, whole.
    """
    rows: list[str] = []
    for part in filter(None, parts):
        joined = f"{rows[-1]}{gap}{part}" if rows else part
        if not rows or shown_width(joined) <= columns:
            rows[-1:] = [joined]
        elif shown_width(hang + part) <= columns:
            rows.append(hang + part)
        else:
            rows.append(part)
    return [row.rstrip() for row in rows]


def table(
    rows: Sequence[Sequence[str]],
    columns: int,
    *,
    text: int,
    spare: int | None = None,
    right: Collection[int] = (),
    style: Callable[[str], str] = str,
) -> list[list[str]]:
    """Each row's cells in columns as wide as their cells; styled cells are welcome but in the `text` column.

    The `text` column gets what is left, and is cut there. If it would get little, the column `spare` is left
    out. If then it has no room for some words, each row takes two lines or more: the cells up to the text,
    and then the others. `style` is for the text; `right` names the columns that stand at their right edge.
    Gives the lines of each row.
    """
    if not rows:
        return []
    widths = [max(map(shown_width, cells)) for cells in zip(*rows, strict=True)]
    shown = [n for n, width in enumerate(widths) if width]
    wanted = min(widths[text], _SOME_WORDS)
    if spare in shown and _room(widths, shown, text, columns) < wanted:
        shown.remove(spare)
    room = _room(widths, shown, text, columns)
    if room < min(wanted, _FEW_WORDS):
        return [_stacked(row, text, columns, style) for row in rows]
    widths[text] = min(widths[text], room)
    lines = []
    for row in rows:
        cells = list(row)
        cells[text] = style(render.cut(row[text], widths[text]))
        lines.append(_GAP.join(_fill(cells[n], widths[n], is_right=n in right) for n in shown).rstrip())
    return [[line] for line in lines]


def _fill(cell: str, width: int, *, is_right: bool) -> str:
    gap = " " * (width - shown_width(cell))
    return gap + cell if is_right else cell + gap


def _room(widths: Sequence[int], shown: Sequence[int], text: int, columns: int) -> int:
    return columns - sum(widths[n] + len(_GAP) for n in shown if n != text)


def _stacked(row: Sequence[str], text: int, columns: int, style: Callable[[str], str]) -> list[str]:
    """The text stands beside the cells before it if there is room for some words, or else below them."""
    before = [cell.strip() for cell in row[:text] if cell.strip()]
    left = columns - sum(shown_width(cell) + len(_GAP) for cell in before)
    is_beside = left >= min(_FEW_WORDS, render.width(row[text]))
    cut = style(render.cut(row[text], left if is_beside else columns - len(_GAP)))
    first = [_GAP.join([*before, cut])] if is_beside else [*flow(before, columns), _GAP + cut]
    others = flow((cell.strip() for cell in row[text + 1 :]), columns - len(_GAP), hang="")
    return [*first, *(_GAP + line for line in others)]
