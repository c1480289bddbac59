"""Standard input, output and error that were closed by whoever started the program."""

import os
import sys


def open_missing() -> None:
    """Point them at nothing. Else the next file that is opened, the database say, has the number of standard
    output, and what is meant for a reader is written into it; and Python has None in the stream's place.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (until the end)
