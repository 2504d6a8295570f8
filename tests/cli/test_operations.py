"""Every number that docs/operations.md tells an operator, and many that docs/operate.md does, is the constant of the code."""

import re
from pathlib import Path

from affwire.api.envelope import BATCH_BYTES_MAX, BODY_BYTES_MAX
from affwire.api.feeds import HEARTBEAT_S, STREAMS_MAX
from affwire.api.fields import DEPTH_MAX
from affwire.api.pages import LIMIT_MAX
from affwire.api.wishes import TIMEOUT_MAX_S, WAIT_MAX_S
from affwire.cli.client import DEFAULT_URL
from affwire.cli.heads import HEAD_BYTES_MAX, HEAD_SECONDS_MAX
from affwire.cli.importing import BAD_LINES_MAX, CHUNK
from affwire.cli.serve import KEEP_ALIVE_S, STOP_S
from affwire.cli.terminal import FAILED
from affwire.destinations.urls import _PRIVILEGED_PORTS_END, DEFAULT_PORTS
from affwire.engine.dispatcher import DRAIN_MS_MAX, IN_FLIGHT_MAX
from affwire.engine.janitor import HOUR_MS, IDEMPOTENCY_MS
from affwire.ingest.app import HEADERS_BYTES_MAX
from affwire.ingest.bodies import BODY_BYTES_MAX as MESSAGE_BYTES_MAX
from affwire.ingest.bodies import BODY_S, READING_MAX, READING_OF_SOURCE_MAX
from affwire.ingest.budget import PER_SECOND
from affwire.model.wire import Limits as RequestLimits
from affwire.rules.retry import LEASE_MARGIN_MS, STEPS_MAX, Policy
from affwire.services.actions import OBJECT_BYTES_MAX
from affwire.services.inbox import (
    PARKED_BYTES_MAX,
    PARKED_MAX,
    REJECTED_BYTES_MAX,
    REJECTED_MAX,
    RETENTION_DAYS_MIN,
)
from affwire.services.programs import FORCED_MAX
from affwire.store.engines.base import Limits
from affwire.store.engines.postgres_server import IDLE_MS, LOCK_MS, STATEMENT_MS, VERSION_MIN
from affwire.store.vault import KEY_BYTES

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
GUIDE = (ROOT / "docs" / "operate.md").read_text("utf-8")
LIMITS, CAPS = Limits(), RequestLimits(connect_ms=1, read_ms=1, total_ms=1)
MIB, KIB, DAY_S = 2**20, 2**10, 86_400

ROWS = {
    "request body": f"{BODY_BYTES_MAX // MIB} MiB",
    "head of a request": f"{HEAD_BYTES_MAX // KIB} KiB within {HEAD_SECONDS_MAX} s",
    "message that comes in": f"{MESSAGE_BYTES_MAX // MIB} MiB within {BODY_S} s, headers {HEADERS_BYTES_MAX // KIB} KiB",
    "messages coming in at one time": f"{READING_MAX:,}, {READING_OF_SOURCE_MAX} of a source",
    "messages that were not genuine, per source": f"{REJECTED_MAX:,}, {REJECTED_BYTES_MAX // MIB} MiB, {PER_SECOND} a second",
    "unreadable messages of a source that proves nothing": f"{PARKED_MAX:,}, {PARKED_BYTES_MAX // MIB} MiB",
    "live members removed with their program": f"{FORCED_MAX:,}",
    "page of a list": f"{LIMIT_MAX}",
    "writes waiting": f"{LIMITS.works_waiting:,}",
    "reads waiting": f"{LIMITS.reads_waiting:,} behind {LIMITS.readers} readers",
    "one read": f"{LIMITS.read_ms // 1000} s",
    "requests under way": f"{IN_FLIGHT_MAX:,}",
    "requests under way per endpoint": f"{Policy(retry_schedule=()).max_in_flight} (`max_in_flight`)",
    "waits of a schedule": f"{STEPS_MAX} of up to {WAIT_MAX_S // DAY_S} days",
    "total time-out": f"{TIMEOUT_MAX_S} s",
    "live feeds open": f"{STREAMS_MAX}",
    "response kept": f"{CAPS.response_bytes_kept // KIB} KiB, cut at {CAPS.response_bytes_max // MIB} MiB",
    "free objects (`metadata`)": f"{OBJECT_BYTES_MAX // KIB} KiB, {DEPTH_MAX} levels",
}
PROSE = (
    f"but not before {RETENTION_DAYS_MIN} days",
    f"Of what was not genuine at most the latest {REJECTED_MAX:,} of each",
    f"(default `{DEFAULT_URL}`)",
    f"Idempotent answers are kept for {IDEMPOTENCY_MS // HOUR_MS} hours",
    f"every chunk of {CHUNK} lines",
    f"left out, up to {BAD_LINES_MAX}; then the exit code is {FAILED}",
    f"AES-{KEY_BYTES * 8}-GCM",
    f"The port is {DEFAULT_PORTS['https']}, or one from {_PRIVILEGED_PORTS_END} up",
)
GUIDED = (
    f"requests under way are awaited, {DRAIN_MS_MAX // 1000} s at most",
    f"PostgreSQL {VERSION_MIN // 10_000} or newer",
    f"and {LEASE_MARGIN_MS // 1000} s more, by the database's clock",
    f"at most {LIMITS.readers + 2} connections for each process",
    f"| {LIMITS.readers + 2} for each process of affwire, and 20 |",
    f"{STATEMENT_MS // 1000} s for writes, {LIMITS.read_ms // 1000} s for reads, {LOCK_MS // 1000} s for a lock",
    f"{IDLE_MS // 1000} s idle in a transaction",
    f"Set its body limit to {BATCH_BYTES_MAX // MIB} MiB, that of `/v1/batches`",
    f"something every {HEARTBEAT_S:g} s",
    f"Keep idle connections for less than {KEEP_ALIVE_S} s",
    f"{STOP_S + DRAIN_MS_MAX // 1000 + 10} s to stop: {STOP_S} for calls under way, {DRAIN_MS_MAX // 1000} for",
    f"one for each request under way ({IN_FLIGHT_MAX:,})",
)
"""What the guide tells."""
NO_NUMBERS = r"(?m)^Data goes to stdout.*$|`[^`\n]*`|\((?:0600|0700)\b|\b2xx\b|\b503\b|kill -9"
"""What has digits but counts nothing: exit codes, code, modes of files, status codes, a signal."""


def test_every_limit_told_is_the_one_that_is_kept():
    section = PAGE.partition("## Limits")[2].partition("\n## ")[0]
    told = [[cell.strip() for cell in line.strip("|").split("|")] for line in section.splitlines() if line[:2] == "| "]
    assert {row[0]: row[1] for row in told[1:]} == ROWS


def test_every_other_number_told_is_the_one_that_is_kept():
    assert not [piece for piece in PROSE if piece not in PAGE]
    assert not [piece for piece in GUIDED if piece not in GUIDE]


def test_no_number_is_told_that_nothing_here_compares():
    rest = re.sub(r"<!-- generated.*?<!-- end -->|## Limits.*?(?=\n## |\Z)", "", PAGE, flags=re.DOTALL)
    for piece in PROSE:
        rest = rest.replace(piece, "")
    assert re.findall(r".*\d.*", re.sub(NO_NUMBERS, "", rest)) == []


def test_times_and_sizes_are_whole_in_the_units_told():
    assert MESSAGE_BYTES_MAX % MIB == REJECTED_BYTES_MAX % MIB == PARKED_BYTES_MAX % MIB == 0
    assert BODY_BYTES_MAX % MIB == CAPS.response_bytes_max % MIB == CAPS.response_bytes_kept % KIB == 0
    assert LIMITS.read_ms % 1000 == DRAIN_MS_MAX % 1000 == WAIT_MAX_S % DAY_S == OBJECT_BYTES_MAX % KIB == 0


def test_the_servers_log_of_the_first_minute_is_no_file_to_commit():
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    section = (ROOT / "README.md").read_text("utf-8").partition("## A first minute")[2].partition("\n## ")[0]
    assert set(re.findall(r" 2> (\S+)", section)) <= set(ignored)
