"""The systems that can be measured, by the name that `--system` takes."""

from collections.abc import Callable, Mapping

from drivers.affwire import Affwire
from drivers.base import Driver
from drivers.celery import Celery
from drivers.postgres import OnPostgres

DRIVERS: Mapping[str, Callable[[], Driver]] = {
    "affwire": Affwire,
    "affwire-postgres": OnPostgres,
    "celery": Celery,
}
