"""Drafts the next step of the schema from the difference between the steps so far and tables.py."""

import sys

from alembic import command
from sqlalchemy import create_engine

from affwire.store import schema


def main(title: str) -> None:
    """Write versions/NNNN_title.py, to be read and corrected by hand."""
    with create_engine("sqlite://").connect() as connection:
        former = schema.head()
        schema.upgrade(connection)
        number = f"{int(former) + 1:04}"
        command.revision(schema.alembic_config(connection), title, autogenerate=True, rev_id=number)


if __name__ == "__main__":
    main(sys.argv[1])
