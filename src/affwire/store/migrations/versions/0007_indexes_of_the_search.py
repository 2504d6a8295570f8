"""Indexes of what the console's search finds by its value, and of the memberships that are not active."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    """Bring schema 0006 to 0007."""
    op.create_index(
        "ix_memberships_not_active",
        "memberships",
        ["organization_id", "status", "program_id", "affiliate_id"],
        sqlite_where=sa.text("status <> 'active'"),
        postgresql_where=sa.text("status <> 'active'"),
    )
    op.create_index("ix_external_ids_value", "external_ids", ["organization_id", "value"])
    op.create_index("ix_links_token", "links", ["organization_id", "token"])
    op.create_index("ix_promo_codes_code", "promo_codes", ["organization_id", "code"])
