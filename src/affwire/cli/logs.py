"""The log of a server or worker: a line of JSON for every thing that happened, the libraries' too."""

import logging
from typing import Any, Final, TextIO

import msgspec
import structlog

_LINES: Final = msgspec.json.Encoder(enc_hook=str)


def log_to(file: TextIO) -> None:
    """Have affwire's own lines written to `file`."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(serializer=json_lines),
        ],
        logger_factory=structlog.WriteLoggerFactory(file=file),
        cache_logger_on_first_use=True,
    )


def log_libraries() -> None:
    """Have what the libraries warn of written as lines like ours: whoever reads the log finds JSON in every one."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries()])


def json_lines(line: dict[str, Any], **_: Any) -> str:
    """Return a line of the log as JSON; what the encoder does not know is shown as text.

    `each` stands for several lines: its members hold what is theirs alone, the rest they have in common.
    """
    each = line.pop("each", ({},))
    return _LINES.encode_lines([{**one, **line} for one in each])[:-1].decode()


class _Libraries(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Write a record as a line of the log."""
        log = structlog.get_logger("affwire.libraries")
        log.log(
            record.levelno, "library.spoke", by=record.name, says=record.getMessage(), exc_info=record.exc_info or None
        )
