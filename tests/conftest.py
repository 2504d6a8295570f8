"""What every test shares: a quiet log, whatever the test before made of it."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def quiet_log() -> None:
    """A server that was started within a test has the log write to a stream that is closed by now."""
    structlog.configure(
        processors=[structlog.processors.KeyValueRenderer()],
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
