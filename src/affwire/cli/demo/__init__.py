"""`affwire demo`: a real server, real HTTPS receivers, every row of contract A1 and each platform's messages coming in.

Rule: whatever ends it, nothing it started is left behind.
"""

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import trustme

from affwire.cli.client import open_client
from affwire.cli.demo import cast, crossings, homecoming, show
from affwire.cli.demo.panel import panel
from affwire.cli.demo.play import Played, Progress, play
from affwire.cli.demo.receiver import Receiver
from affwire.cli.demo.scenario import steps
from affwire.cli.demo.scorecard import Score, score, troubles, whole
from affwire.cli.demo.server import DATA, free_port, running
from affwire.cli.demo.stage import Stage
from affwire.cli.terminal import FAILED, say
from affwire.errors import Conflict
from affwire.store.datadir import DataDir, read_private, write_private

DIRECTORY: Final = Path(".demo")
PACE_S: Final = 0.35
"""The least time for a step that a person watches: fifty steps in eighteen seconds."""
CROSSING_PACE_S: Final = 0.4
"""The same for each half of a crossing: six of them in five seconds."""
INTERRUPTED: Final = 130


def run(*, check: bool, keep: bool, as_json: bool) -> int:
    """Play the demo and return the exit code. With `check` nobody watches: no panel, no pace, no waiting at the end."""
    watched = not check and sys.stderr.isatty()
    try:
        with ExitStack() as stack:
            stack.enter_context(_terminated_like_ctrl_c())
            directory = stack.enter_context(_temporary(keep=keep) if check else _own())
            return _run(stack, directory, watched=watched, stays=not check, as_json=as_json)
    except KeyboardInterrupt:
        say("\nStopped.")
        return INTERRUPTED if check else 0


def _run(stack: ExitStack, directory: Path, *, watched: bool, stays: bool, as_json: bool) -> int:
    began = time.monotonic()
    receiver = stack.enter_context(Receiver(_certificates(directory)))
    given = {
        "AFFWIRE_ALLOW_NETWORKS": "127.0.0.0/8",
        "AFFWIRE_CA_FILE": "authority.pem",
    }
    say("Starting a server, and receivers for six dialects ...")
    address = stack.enter_context(running(directory, free_port() if stays else 0, given))
    data = DataDir(directory / DATA)
    operator = stack.enter_context(open_client(address, read_private(data.admin_key)))
    key = cast.found_organization(operator)
    write_private(data.api_key, key)
    stage = Stage(stack.enter_context(open_client(address, key)))
    endpoints = cast.engage(stage.client, receiver)
    progress = Progress(steps())
    outward = _played(progress, stage, receiver, endpoints, watched=watched, began=began)
    crossed = crossings.play(operator, receiver, pace_s=CROSSING_PACE_S if watched else 0.0, watched=watched)
    wrong = homecoming.play(address, stage)
    result = whole(outward, crossed, time.monotonic() - began, wrong)
    show.score(result, as_json=as_json)
    if stays:
        link = operator.post("/v1/users/operator@localhost/link")
        show.try_it(address, data, console=address + link["path"], until=link["expires_at"])
        receiver.on_arrival = show.arrival
        _wait_for_ctrl_c()
    return FAILED if result.differences else 0


def _played(
    progress: Progress, stage: Stage, receiver: Receiver, endpoints: dict[str, str], *, watched: bool, began: float
) -> Score:
    shown = panel(progress, receiver, lambda: troubles(stage, endpoints)) if watched else show.lines()
    with shown as after_step:

        def step_done(played: Played) -> None:
            if len(progress.done) == 1:  # only one delivery is owed to the receiver that is gone, so it is asked once
                cast.await_farewell(stage.client, endpoints)
            after_step(played)

        play(progress, stage, receiver, pace_s=PACE_S if watched else 0.0, after_step=step_done)
        return score(progress, stage, receiver, endpoints, time.monotonic() - began)


def _certificates(directory: Path) -> Path:
    """Make an authority of the demo's own (authority.pem) and a certificate for this machine; return the latter's file."""
    authority = trustme.CA(organization_name="affwire demo")
    authority.cert_pem.write_to_path(str(directory / "authority.pem"))
    certificate = directory / "receiver.pem"
    certificate.touch(mode=0o600)
    authority.issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
    return certificate


@contextmanager
def _own() -> Iterator[Path]:
    """Yield .demo, emptied of the last demo's data. Raises Conflict while another demo runs there."""
    try:
        lock = DataDir(DIRECTORY).lock()
    except Conflict as taken:
        raise Conflict(
            "demo_running", f"A demo is running in {DIRECTORY.absolute()} already (process {taken.facts['process']})."
        ) from taken
    with lock:
        shutil.rmtree(DIRECTORY / DATA, ignore_errors=True)
        yield DIRECTORY


@contextmanager
def _temporary(*, keep: bool) -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="affwire-demo-"))
    try:
        yield directory
    finally:
        if keep:
            say(f"Kept {directory}")
        else:
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _terminated_like_ctrl_c() -> Iterator[None]:
    """Let SIGTERM and a closed terminal end the demo as Ctrl-C does, so that nothing is left behind."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {name: signal.signal(name, interrupt) for name in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _wait_for_ctrl_c() -> None:
    while True:
        time.sleep(3600)
