"""Alembic's entry: runs the revisions on the connection that `store.upgrade` hands over, inside its transaction."""

from alembic import context

from integrationhub.store.schema import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,  # SQLite can, although its driver is not trusted to
    transaction_per_migration=False,
)
context.run_migrations()
