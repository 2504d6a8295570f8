"""Paths that more than one module of the console needs."""

from typing import Final

HOME: Final = "/"
SIGN_IN: Final = "/sign-in"
