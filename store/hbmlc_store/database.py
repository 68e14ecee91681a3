"""Connections to PostgreSQL and the migrations that bring it up to date."""

from __future__ import annotations

import math
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from alembic.config import Config

__all__ = [
    "Database",
    "Limits",
    "current_revision",
    "head_revision",
    "known_revisions",
    "migrate",
]

MIGRATIONS = Path(__file__).parent / "migrations"
# Two processes that start at once must not migrate at once; the number is arbitrary.
_MIGRATION_LOCK = 4_862_031


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a process waits for the database."""

    connect_seconds: float = 5.0
    statement_seconds: float = 300.0
    """Longest statement; those of workers read and write whole jobs."""
    lock_seconds: float = 60.0
    """Longest wait for a lock that another transaction holds."""

    def connect_args(self) -> dict[str, object]:
        """Give the arguments of a connection that keeps these limits."""
        return {
            "connect_timeout": math.ceil(self.connect_seconds),
            # A peer that vanished without a word is noticed within half a minute.
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "options": (
                f"-c statement_timeout={round(1000 * self.statement_seconds)}"
                f" -c lock_timeout={round(1000 * self.lock_seconds)}"
                f" -c idle_in_transaction_session_timeout={round(1000 * self.statement_seconds)}"
            ),
        }


class Database:
    """A pool of connections; ``transaction()`` is the only way to run a statement."""

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 10,
        keeps_none: bool = False,
        limits: Limits | None = None,
    ) -> None:
        self.url = url
        pool = (
            {"poolclass": NullPool}
            if keeps_none
            else {"pool_size": pool_size, "max_overflow": 10, "pool_pre_ping": True}
        )
        self.engine: Engine = create_engine(
            url,
            # Values are the users' own: they stand neither in errors nor in logs.
            hide_parameters=True,
            connect_args=(limits or Limits()).connect_args(),
            **pool,
        )
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def transaction(self) -> Generator[Session]:
        """Open a transaction that commits at the end of the block, or rolls back on an error."""
        with self._sessions.begin() as session:
            yield session

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def migrate(database: Database) -> None:
    """Bring the schema to the newest revision; safe to call from many processes at once."""
    from alembic import command

    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        connection.commit()
        try:
            config = _alembic_config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:lock)"), {"lock": _MIGRATION_LOCK})
            connection.commit()


def current_revision(database: Database) -> str | None:
    """Revision of the schema in the database; ``None`` for an empty one."""
    from alembic.runtime.migration import MigrationContext

    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def head_revision() -> str | None:
    """Newest revision that this package ships."""
    from alembic.script import ScriptDirectory

    return ScriptDirectory.from_config(_alembic_config()).get_current_head()


def known_revisions() -> frozenset[str]:
    """All revisions that this package knows."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_alembic_config())
    return frozenset(script.revision for script in scripts.walk_revisions())


def _alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    return config
