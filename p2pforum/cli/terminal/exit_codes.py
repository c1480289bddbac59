"""The exit codes, which scripts may rely on."""

OK = 0
FAILURE = 1
USAGE = 2  # wrong arguments, or a config file that can't be used
NOT_FOUND = 3  # no such post, thread or peer, or an ID that fits several
NO_NODE = 4  # the request needs a running node and none answers
REFUSED = 5  # by a rule or quota: size, stamp, signature, age
NOT_SET_UP = 69  # a package is missing (EX_UNAVAILABLE)
INTERRUPTED = 130  # Ctrl-C

MEANINGS = {
    OK: "done",
    FAILURE: "failed",
    USAGE: "wrong usage or config file",
    NOT_FOUND: "not found or ambiguous ID",
    NO_NODE: "no node runs",
    REFUSED: "refused by a rule",
    NOT_SET_UP: "not set up",
    INTERRUPTED: "interrupted",
}


def sentence() -> str:
    """All codes in one sentence, for `--help`; a test holds the README to it."""
    return f"Exit codes: {', '.join(f'{code} {text}' for code, text in MEANINGS.items())}."
