"""An identicon in a terminal: five columns, three rows of half blocks. The same picture as in
other front ends.
"""

import colorsys

from p2pforum.core.pseudonym import Identicon

ROWS = 3
_BLOCKS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


def half_blocks(icon: Identicon) -> list[str]:
    cells = [*icon.cells, (False,) * len(icon.cells[0])]
    return ["".join(_BLOCKS[pair] for pair in zip(cells[r], cells[r + 1], strict=True)) for r in (0, 2, 4)]


def color_code(icon: Identicon, *, truecolor: bool) -> str:
    """The parameters of an SGR sequence; colours that are readable on light and on dark."""
    channels = colorsys.hls_to_rgb(icon.hue / 360, 0.5, 0.6)
    if truecolor:
        return "38;2;" + ";".join(str(round(c * 255)) for c in channels)
    red, green, blue = (round(c * 5) for c in channels)
    return f"38;5;{16 + 36 * red + 6 * green + blue}"
