"""Who may do what in the embedded PostgreSQL.

The superuser ``postgres`` sets up and is known to the supervisor alone; the service is ``hbmlc``,
which owns its database and nothing else: it reads no files, runs no programs, makes no roles.
"""

from __future__ import annotations

import secrets

import psycopg
from psycopg import sql

from hbmlc_store.embedded.errors import StartError

__all__ = ["SUPERUSER", "USER", "ensure_roles"]

SUPERUSER = "postgres"
USER = "hbmlc"
_HELPER = "hbmlc_upgrade"

# Those that belong to no other object; sequences of identity columns follow their tables.
_OWNED = """
    SELECT 'TABLE' AS kind, oid::regclass::text AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
      AND relowner <> %(user)s::regrole
    UNION ALL
    SELECT 'SEQUENCE', oid::regclass::text FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'S' AND relowner <> %(user)s::regrole
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = pg_class.oid
                      AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))
    UNION ALL
    SELECT 'TYPE', oid::regtype::text FROM pg_type
    WHERE typnamespace = 'public'::regnamespace AND typtype IN ('d', 'e', 'r')
      AND typowner <> %(user)s::regrole
    UNION ALL
    SELECT 'ROUTINE', oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND proowner <> %(user)s::regrole
"""


def ensure_roles(port: int, *, password: str, superuser_password: str) -> None:
    """Make the service's role and database as they should be; also in homes of former releases.

    Raises
    ------
    StartError
        Neither role can log in with its password.
    """
    if not _can_log_in(port, SUPERUSER, superuser_password):
        _rename_former_superuser(port, password=password, superuser_password=superuser_password)
    with _connect(port, SUPERUSER, superuser_password) as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(_HELPER)))
        if not _exists(connection, "pg_roles", "rolname", USER):
            connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(USER)))
        connection.execute(
            sql.SQL(
                "ALTER ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION "
                "NOBYPASSRLS PASSWORD {}"
            ).format(sql.Identifier(USER), sql.Literal(password))
        )
        if not _exists(connection, "pg_database", "datname", USER):
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {}").format(
                    sql.Identifier(USER), sql.Identifier(USER)
                )
            )
        for database in (SUPERUSER, "template1", USER):
            connection.execute(
                sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(database))
            )
    _hand_over(port, superuser_password)


def _hand_over(port: int, superuser_password: str) -> None:
    """Make the service own all that former releases made as superuser."""
    with (
        _connect(port, SUPERUSER, superuser_password, database=USER) as connection,
        connection.transaction(),
    ):
        user = sql.Identifier(USER)
        connection.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(user, user))
        connection.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(user))
        # Names come out of PostgreSQL, quoted where they have to be.
        for kind, name in connection.execute(_OWNED, {"user": USER}).fetchall():
            connection.execute(f"ALTER {kind} {name} OWNER TO {USER}".encode())


def _rename_former_superuser(port: int, *, password: str, superuser_password: str) -> None:
    """Take the service's name from the superuser, who had it in former releases.

    It is the one that the cluster was made with, which can neither be dropped nor become an
    ordinary role, nor rename itself.
    """
    try:
        former = _connect(port, USER, password)
    except psycopg.OperationalError as exc:
        raise StartError(
            f"The secrets of the home do not open its database: {exc}; "
            "restore secrets.json from where the home was copied."
        ) from exc
    helper_password = secrets.token_urlsafe(24)
    helper = sql.Identifier(_HELPER)
    with former as connection:
        connection.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(helper))
        connection.execute(
            sql.SQL("CREATE ROLE {} SUPERUSER LOGIN PASSWORD {}").format(
                helper, sql.Literal(helper_password)
            )
        )
    former.close()
    with _connect(port, _HELPER, helper_password) as connection, connection.transaction():
        superuser = sql.Identifier(SUPERUSER)
        connection.execute(
            sql.SQL("ALTER ROLE {} RENAME TO {}").format(sql.Identifier(USER), superuser)
        )
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(superuser, sql.Literal(superuser_password))
        )


def _connect(
    port: int, user: str, password: str, *, database: str = SUPERUSER
) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1",
        port=port,
        user=user,
        password=password,
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def _can_log_in(port: int, user: str, password: str) -> bool:
    try:
        _connect(port, user, password).close()
    except psycopg.OperationalError:
        return False
    return True


def _exists(
    connection: psycopg.Connection[tuple[object, ...]], table: str, column: str, name: str
) -> bool:
    query = sql.SQL("SELECT 1 FROM {} WHERE {} = %s").format(
        sql.Identifier(table), sql.Identifier(column)
    )
    return connection.execute(query, [name]).fetchone() is not None
