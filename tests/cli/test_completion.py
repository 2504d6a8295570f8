"""What the shell asks when Tab is pressed, as bash asks it."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("affwire endp", ["endpoints"]),
        ("affwire secrets ", ["rotate-key"]),
        ("affwire endpoints add URL --dialect ta", ["tamio"]),
        ("affwire render evt_1 --dialect gr", ["growi"]),
        ("affwire diff evt_1 growi rew", ["rewardful"]),
        ("affwire dialects st", ["standard"]),
        ("affwire trigger affiliate-app", ["affiliate-approved"]),
        ("affwire affiliates get aff_1 --as in", ["insert_affiliate"]),
    ],
)
def test_tab_offers_what_may_follow(typed, offered):
    asked = {"_AFFWIRE_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    script = "from affwire.cli.main import app; app(prog_name='affwire')"
    shown = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, **asked}, capture_output=True, text=True, check=True
    )
    assert shown.stdout.split() == offered
    assert shown.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_can_be_taught(shell):
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    command = [sys.executable, "-m", "affwire", "--show-completion", shell]
    shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "_AFFWIRE_COMPLETE" in shown.stdout
