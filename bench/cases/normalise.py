"""Kept messages, each about a new affiliate, with one paused endpoint: applied a second, mirrored and relayed."""

import inbox
import uvloop
from stage import Stage


def run(stage: Stage) -> None:
    for mode in ("relay", "mirror"):
        stage.figure(f"normaliser: {mode}", uvloop.run(inbox.normalised(mode, stage.pick(100, 1_000, 5_000))))
