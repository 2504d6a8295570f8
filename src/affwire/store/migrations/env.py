"""Alembic's entry: runs the steps on the connection that schema.py hands over, inside its transaction."""

from alembic import context

from affwire.store.tables import metadata

# Batch mode: SQLite cannot alter most of a table in place, so Alembic makes it anew and copies.
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
