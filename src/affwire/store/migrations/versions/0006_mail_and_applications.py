"""Mail to affiliates and its attempts, applications on programs' pages, links that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
compatible = True


def upgrade() -> None:
    """Bring schema 0005 to 0006."""
    op.create_table(
        "applications",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("affiliate_id", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_applications_affiliate_id", "applications", ["affiliate_id"])
    op.create_index("ix_applications_created_at", "applications", ["created_at"])
    op.create_index("ix_applications_of_origin", "applications", ["origin", "created_at"])
    op.create_index("ix_applications_of_person", "applications", ["organization_id", "person", "created_at"])
    op.create_index("ix_applications_of_program", "applications", ["organization_id", "program_id", "created_at"])
    op.create_table(
        "mail_attempts",
        sa.Column("mail_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mail_id", "number"),
    )
    op.create_table(
        "mails",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("organization_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("affiliate_id", sa.Text(), nullable=False),
        sa.Column("program_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("leased_at", sa.BigInteger(), nullable=True),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("settled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_mails_affiliate_id", "mails", ["affiliate_id"])
    op.create_index(
        "ix_mails_due",
        "mails",
        ["due_at"],
        sqlite_where=sa.text("status IN ('unsent', 'leased')"),
        postgresql_where=sa.text("status IN ('unsent', 'leased')"),
    )
    op.create_index("ix_mails_organization_id_id", "mails", ["organization_id", "id"])
    op.create_index("ix_mails_written_at", "mails", ["written_at"])
    op.create_table(
        "used_passes",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("affiliate_id", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
    op.create_index("ix_used_passes_affiliate_id", "used_passes", ["affiliate_id"])
    op.create_index("ix_used_passes_expires_at", "used_passes", ["expires_at"])
