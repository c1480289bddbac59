"""Standard input, output and error, if the program was started with some of them closed."""

import os
import sys


def open_missing() -> None:
    """Open /dev/null in their place. Otherwise the next file that is opened, the database
    say, gets the number of standard output, and output for the user is written into it. And
    Python has None in the stream's place.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (until the end)
