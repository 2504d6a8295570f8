"""`python -m affwire` is the command `affwire`."""

from affwire.cli.main import main

main()
