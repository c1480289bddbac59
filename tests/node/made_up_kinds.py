"""Two kinds of post that are added later, and what nodes of before, of after and of a bad rule know."""

from collections.abc import Mapping
from dataclasses import replace

from p2pforum.core import kinds
from p2pforum.core.kinds import REMARKS, Content, Meaning, Row, is_body, is_id, is_subject

TASK, LABEL = 900, REMARKS + 900  # one that is read by itself, and a remark


def fits_task(is_root: bool, content: Content) -> bool:
    return len(content) == 1 + is_root and is_body(content[-1]) and (not is_root or is_subject(content[0]))


def fits_label(is_root: bool, content: Content) -> bool:
    return not is_root and len(content) == 2 and is_id(content[0]) and is_body(content[1])


MADE_UP = {
    TASK: Row(TASK, "task", Meaning.TEXT, has_body=True, has_target=False, fits=fits_task),
    LABEL: Row(LABEL, "label", Meaning.TEXT, has_body=True, has_target=True, fits=fits_label),
}
OLD: Mapping[int, Row] = dict(kinds.TABLE)
NEW: Mapping[int, Row] = {**OLD, **MADE_UP}
DECIDING: Mapping[int, Row] = {**OLD, **{n: replace(row, is_founding=True) for n, row in MADE_UP.items()}}
