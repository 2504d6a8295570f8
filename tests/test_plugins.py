"""Dialects are found: the folders of ours, and packages that name themselves under the entry point."""

import json
import subprocess
import sys
from textwrap import dedent

import pytest

from affwire.plugins import load_dialects

BUILT_IN = {"affonso", "growi", "insert_affiliate", "rewardful", "standard", "tamio"}

SEVENTH = '''
"""A third party's dialect: one word, no signature."""

from affwire.dialects.base import JSON_HEADERS, Saying, encode, load_card
from affwire.model.wire import Request


class Seventh:
    card = load_card(__name__)

    def says(self, event):
        return (Saying("member.new", event.subject_id),) if event.type == "membership.activated" else ()

    def silence(self, event):
        return "only new members are told"

    def request(self, event, saying, recipient, delivery_id, attempt):
        return Request(recipient.url, JSON_HEADERS, encode({"id": event.id, "what": saying.word}))

    def sign(self, body, recipient, attempt):
        return JSON_HEADERS

    def object(self, kind, record_id, snapshot):
        return None


dialect = Seventh()
'''

CARD = """
name = "{name}"
title = "Seventh"
summary = "Tells new members."
source = "example.com, read 2026-11"
dedupe = ["id"]

[promise]
success = "2xx"
total_timeout = 5
retry_schedule = [1, 2]
sources = "ours"

[authentication]
kind = "none"
summary = "none"

[[words]]
name = "member.new"
meaning = "A membership became active."
canonical = ["membership.activated"]
"""

PROVE = """
import json, sys
from affwire.plugins import load_dialects
from affwire.testing import dialect_suite

found = load_dialects()
for check in dialect_suite.CHECKS:
    check(found["seventh"])
json.dump(list(found), sys.stdout)
"""


def installed(site, package, name):
    """Put a package with a dialect of that name, and what an installer writes beside it, into `site`."""
    folder = site / package
    (folder / "samples").mkdir(parents=True)
    (folder / "__init__.py").write_text(dedent(SEVENTH))
    (folder / "card.toml").write_text(CARD.format(name=name))
    (folder / "samples" / "member.new.json").write_text('{"id": "evt_1", "what": "member.new"}')
    info = site / f"{package}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[affwire.dialects]\n{name} = {package}:dialect\n")


def run(code, site):
    """Run code in a new process that finds `site` as if a package manager had filled it."""
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(site)},
        cwd=site,
    )


def test_the_built_in_dialects_are_found_sorted_by_name():
    assert set(load_dialects()) >= BUILT_IN
    assert list(load_dialects()) == sorted(load_dialects())


def test_a_folder_is_called_what_its_card_says():
    for name in BUILT_IN:
        assert load_dialects()[name].__class__.__module__ == f"affwire.dialects.{name}"


@pytest.mark.slow
def test_a_seventh_dialect_from_outside_is_found_and_passes_the_suite(tmp_path):
    """Its own package is all that was added: not a line of affwire knows of it."""
    installed(tmp_path, "seventh_dialect", "seventh")
    ran = run(PROVE, tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert set(json.loads(ran.stdout)) == BUILT_IN | {"seventh"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["growi", "seventh"])
def test_two_dialects_of_one_name_are_a_broken_installation(tmp_path, name):
    installed(tmp_path, "one_dialect", name)
    installed(tmp_path, "other_dialect", name)
    ran = run("from affwire.plugins import load_dialects; load_dialects()", tmp_path)
    assert ran.returncode == 1
    assert f"two dialects call themselves '{name}'; uninstall one of them [dialect_twice]" in ran.stderr


@pytest.mark.slow
def test_a_dialect_from_outside_is_found_by_its_name_and_not_received_unless_it_reads(tmp_path):
    installed(tmp_path, "seventh_dialect", "seventh")
    ran = run("from affwire import receive; receive('seventh', {}, b'{}', None)", tmp_path)
    assert "ValueError: seventh is only written: its card has no [inbound]" in ran.stderr
