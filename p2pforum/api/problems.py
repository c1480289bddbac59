"""What an error looks like in an answer of the API."""

import logging
from typing import NotRequired, TypedDict

from p2pforum.core import errors

_log = logging.getLogger(__name__)

# First match wins: subclasses before their bases.
ERRORS: list[tuple[type[errors.P2PForumError], int, str]] = [
    (errors.InvalidPost, 422, "invalid"),
    (errors.Refused, 403, "refused"),
    (errors.NotFound, 404, "not found"),
    (errors.Ambiguous, 409, "ambiguous"),
    (errors.NetworkError, 502, "network"),
    (errors.RemoteProtocolError, 502, "network"),
    (errors.StoreError, 507, "store"),
    (errors.ConfigError, 409, "config"),
    (errors.KeystoreError, 409, "keystore"),
    (errors.P2PForumError, 500, "error"),
]


class Problem(TypedDict):
    """An error, as front ends are told of it."""

    error: str
    code: str
    candidates: NotRequired[list[str]]


class BadRequest(Exception):
    """The front end sent something that is no request the node can take."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


def describe(error: Exception) -> tuple[int, Problem]:
    """Status and body. A bug is logged here, and the front end learns only that there was one."""
    if isinstance(error, BadRequest):
        return error.status, {"error": str(error), "code": error.code}
    for kind, status, code in ERRORS:
        if isinstance(error, kind):
            answer: Problem = {"error": str(error), "code": code}
            if isinstance(error, errors.Ambiguous):
                answer["candidates"] = error.candidates
            return status, answer
    _log.error("a request of a front end failed", exc_info=error)
    return 500, {"error": "the node failed on this request; its log has the reason", "code": "internal"}
