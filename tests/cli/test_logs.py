"""The lines of the log."""

import json
from pathlib import Path

from affwire.cli.logs import json_lines


def test_what_is_told_of_several_at_once_is_a_line_each() -> None:
    line = {"event": "delivery.attempted", "each": [{"id": "dlv_1"}, {"id": "dlv_2"}], "level": "info"}
    told = [json.loads(one) for one in json_lines(line).split("\n")]
    assert told == [{"id": name, "event": "delivery.attempted", "level": "info"} for name in ("dlv_1", "dlv_2")]
    assert json_lines({"event": "started", "at": Path("/x")}) == '{"event":"started","at":"/x"}'
