"""The system: version, what is kept how long, and how the installation stands, which is the operator's to see."""

from collections.abc import Mapping
from typing import Any, Final

from affwire import __version__
from affwire.console.routes import Nav, Page, Route
from affwire.console.visit import Visit
from affwire.services import inbox, overview
from affwire.store.depth import depth
from affwire.store.tx import Tx
from affwire.store.vitals import vitals

PATH: Final = "/settings/system"


def view(visit: Visit, tx: Tx) -> Mapping[str, Any]:
    """Return what is there; of the whole installation only to an operator."""
    whole = visit.user.organization_id is None
    return {
        "title": "System",
        "version": __version__,
        "database": tx.connection.dialect.name,
        "retention_days": f"{visit.desk.retention_days:g}",
        "messages_days": f"{max(visit.desk.retention_days, inbox.RETENTION_DAYS_MIN):g}",
        "mails": visit.desk.mails,
        "public_url": visit.desk.public_url,
        "warnings": visit.desk.store.warnings if whole else (),
        "depth": depth(tx.connection, tx.now) if whole else None,
        "vitals": vitals(tx.connection) if whole else None,
        "overview": overview.of(tx, visit.organization.id) if visit.organization else None,
        "now": tx.now,
    }


NAV: Final = (Nav("Settings", "System", PATH),)
ROUTES: Final[tuple[Route, ...]] = (Page(PATH, "settings/system.html", view),)
