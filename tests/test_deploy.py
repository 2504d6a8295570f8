"""What is in deploy/ fits the code: settings and commands exist, files are where they are taken from, pins are the tested ones."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from affwire.cli.main import app
from affwire.engine.dispatcher import DRAIN_MS_MAX
from affwire.settings import Settings

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
STOP_S = 10 + DRAIN_MS_MAX / 1000
"""How long a graceful stop of a server may take: API calls, then deliveries."""


def text(*place: str) -> str:
    return DEPLOY.joinpath(*place).read_text("utf-8")


def unit(path: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def exists(command: str) -> bool:
    return CliRunner().invoke(app, [*command.split(), "--help"]).exit_code == 0


@pytest.mark.parametrize(
    "place",
    ["affwire.env", "Containerfile", "compose.yaml", *(f"systemd/{path.name}" for path in UNITS)],
)
def test_every_variable_is_a_setting(place):
    named = set(re.findall(r"\bAFFWIRE_([A-Z_]+)\b", text(place)))
    assert named
    assert not [
        name for name in named if not {name.lower(), name.removesuffix("_FILE").lower()} & Settings.model_fields.keys()
    ]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_a_command_there_is_and_gives_it_time_to_stop(path):
    found = unit(path)
    [start] = found["ExecStart"]
    assert exists(start.removeprefix("/opt/affwire/bin/affwire "))
    needed = STOP_S if " serve" in start else DRAIN_MS_MAX / 1000
    assert int(found["TimeoutStopSec"][0]) > needed
    assert (found["User"], found["NoNewPrivileges"], found["ProtectSystem"]) == (["affwire"], ["yes"], ["strict"])


@pytest.mark.slow
@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_is_one_that_systemd_takes(path, tmp_path):
    verifier = shutil.which("systemd-analyze")
    if verifier is None:  # a machine without systemd: then at least no line is of another form
        sections = re.sub(r"(?m)^(#.*|\[\w+\]|[A-Z]\w+=.*|)$", "", path.read_text("utf-8"))
        assert not sections.strip()
        return
    copy = tmp_path / path.name.replace("@.", "@8788.")
    copy.write_text(path.read_text("utf-8").replace("/opt/affwire/bin/affwire", "/bin/true"), "utf-8")
    done = subprocess.run([verifier, "verify", copy], capture_output=True, text=True, timeout=60, check=False)
    assert path.stem.rstrip("@") not in done.stderr, done.stderr


def test_the_image_is_made_of_files_there_are_by_a_user_without_rights():
    file = text("Containerfile")
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", file, re.MULTILINE):
        assert not [one for one in sources.split() if not (ROOT / one).exists()]
    assert re.findall(r"^USER (.+)$", file, re.MULTILINE) == ["10001"]
    assert exists(re.findall(r'^CMD \["(\w+)"\]$', file, re.MULTILINE)[0])
    code = re.findall(r'CMD \["python", "-c", "(.+)"\]', file)[0]
    compile(code, "healthcheck", "exec")


def test_the_image_has_the_very_packages_that_were_tested():
    pins = {
        name: set(re.findall(r"^([\w.-]+==[^ ]+)", (ROOT / "requirements" / f"{name}.txt").read_text(), re.MULTILINE))
        for name in ("run", "image", "dev")
    }
    assert pins["run"] < pins["image"] < pins["dev"]


def test_the_composition_runs_commands_there_are_and_waits_for_a_graceful_stop():
    services = yaml.safe_load(text("compose.yaml"))["services"]
    for name in ("api", "worker"):
        assert exists(" ".join(services[name]["command"]))
        assert int(services[name]["stop_grace_period"].rstrip("s")) > STOP_S


def test_prometheus_is_told_of_rules_there_are_and_of_the_job_they_are_about():
    told = yaml.safe_load(text("prometheus", "prometheus.yml"))
    assert all((DEPLOY / "prometheus" / one).exists() for one in told["rule_files"])
    assert {one["job_name"] for one in told["scrape_configs"]} == {"affwire"}
