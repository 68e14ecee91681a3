"""Whether database and code belong to the same release."""

from __future__ import annotations

import structlog
from sqlalchemy.exc import OperationalError

from hbmlc_store.database import Database, current_revision, head_revision, known_revisions
from hbmlc_store.errors import SetupError

__all__ = ["require_schema", "schema_problem"]

logger = structlog.get_logger(__name__)


def schema_problem(database: Database) -> str | None:
    """What is wrong with the schema and which command mends it; ``None`` if nothing is."""
    found, needed = current_revision(database), head_revision()
    if found == needed:
        return None
    if found is None:
        return "The database has no schema yet; run `hbmlc migrate`."
    if found in known_revisions():
        return f"The database has schema {found}, this release needs {needed}; run `hbmlc migrate`."
    return (
        f"The database has schema {found}, which is newer than this release ({needed}); "
        "install the release that ran `hbmlc migrate`."
    )


def require_schema(database: Database, *, may_be_away: bool = False) -> None:
    """Refuse to work on the schema of another release.

    Parameters
    ----------
    database
        The database to look at.
    may_be_away
        Whether a database that does not answer is none of this call's business: a server that
        starts waits for it, as one that runs does.

    Raises
    ------
    SetupError
        The schema is older or newer, or there is none.
    """
    try:
        problem = schema_problem(database)
    except OperationalError as exc:
        if not may_be_away:
            raise
        logger.warning("Schema not checked", reason=str(exc.orig).partition("\n")[0])
        return
    if problem is not None:
        raise SetupError(problem)
