"""The README's first minute and the examples, run as they stand."""

import re
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from affwire.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def first_minute() -> str:
    section = README.partition("## A first minute")[2].partition("\n## ")[0]
    script = "\n".join(re.findall(r"^```bash\n(.*?)^```", section, re.DOTALL | re.MULTILINE))
    port = free_port()
    script = script.replace(":8787", f":{port}").replace("affwire serve", f"affwire serve --port {port}")
    return "trap 'kill $(jobs -p) 2>/dev/null' EXIT\n" + script.replace("9900", free_port())


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("bash")), reason="the first minute needs bash and curl")
def test_the_first_minute_ends_with_genuine_webhooks(tmp_path):
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", first_minute()],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    for said in ("program.created", "affiliate.created", "membership.activated"):
        assert re.search(rf"^{said} evt_\w+ genuine$", done.stdout, re.MULTILINE)
    assert done.stdout.count('"status": "delivered"') == 3
    assert '"state": "active"' in done.stdout
    assert len(re.findall(r"^affiliate.created evt_\w+ genuine$", done.stdout, re.MULTILINE)) == 2, "Noor came twice"
    for said in ('"email": "noor@example.com"', '"status": "applied"', '"event":"campaign_affiliate.activated"'):
        assert done.stdout.count(said) == 1
    assert "lost: affiliate.id (r-17)" in done.stderr


def test_the_example_of_settings_holds_only_settings():
    given = tomllib.loads((ROOT / "examples" / "affwire.toml").read_text("utf-8"))
    assert given.keys() <= Settings.model_fields.keys()
    Settings(**given)
