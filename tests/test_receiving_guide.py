"""The guide to platforms' webhooks, run as it stands against a real server."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from affwire.cli.client import open_client
from affwire.cli.demo import cast
from affwire.cli.demo.server import running

GUIDE = (Path(__file__).parent.parent / "docs" / "receiving.md").read_text("utf-8")
KEY = "k" * 32


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("bash"), reason="the guide's commands are for bash")
def test_the_guides_commands_do_what_it_says(tmp_path):
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE))
    with running(tmp_path, 0, {"AFFWIRE_ADMIN_KEY": KEY}) as address:
        with open_client(address, KEY) as operator:
            key = cast.found_organization(operator)
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={"PATH": path, "AFFWIRE_URL": address, "AFFWIRE_API_KEY": key},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr + done.stdout
    for said in ("/in/awi_", "applied", "affiliate.created", "campaign_affiliate.activated", "It is genuine."):
        assert said in done.stdout
    assert "lost: affiliate.status (active)" in done.stderr
    assert "Not genuine. What was signed is this body without" in done.stdout + done.stderr


def test_the_guides_python_is_whole():
    [code] = re.findall(r"^```python\n(.*?)^```", GUIDE, re.DOTALL | re.MULTILINE)
    space = {}
    exec(compile(code, "receiving.md", "exec"), space)  # noqa: S102 -- our own page
    assert space["hooks"]({}, b"{}", "whsec_nothing") == 401
