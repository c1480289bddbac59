"""`python -m p2pforum` is the command `p2pforum`."""

from p2pforum.cli.main import main

main()
