"""The door for people at a terminal. Data goes to stdout, the rest to stderr; exit 0 ok, 1 failed, 2 usage.

Commands import what they need inside themselves, so that `affwire --help` answers at once.
"""
