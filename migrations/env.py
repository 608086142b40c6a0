"""Alembic's environment: migrates over the connection that api.storage.migrate gives it."""

from __future__ import annotations

from alembic import context

from api.storage.models import metadata


def run() -> None:
    """Run the revisions in one transaction."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by copying it
        transaction_per_migration=False,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
