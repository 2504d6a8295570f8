"""Endpoints whose waiting deliveries follow in pieces what was decided about all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    """Bring schema 0007 to 0008."""
    op.create_table(
        "following",
        sa.Column("endpoint_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("lane", sa.Text(), nullable=True),
        sa.Column("after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("endpoint_id", "part"),
    )
