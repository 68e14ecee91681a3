"""Objects written once, counted failures, operators, an audit trail, changes that are heard.

Revision: 0003, after 0002.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_HEARD = {
    "job": ("id", "OLD.* IS DISTINCT FROM NEW.*"),
    "job_stage": ("job_id", "OLD.* IS DISTINCT FROM NEW.*"),
    "work_unit": ("job_id", "(OLD.state, OLD.fraction) IS DISTINCT FROM (NEW.state, NEW.fraction)"),
    "catalog": ("id", "OLD.* IS DISTINCT FROM NEW.*"),
}
"""Table to the column that names what changed, and the changes that count."""


def upgrade() -> None:
    """Apply the change."""
    _name_objects()
    _create_tables()
    _announce_changes()


def downgrade() -> None:
    """Take the change back; objects under new keys are no longer found, the audit trail is lost."""
    for table in _HEARD:
        op.execute(f"DROP TRIGGER {table}_changed ON {table}")
    op.execute("DROP FUNCTION hbmlc_announce_change")
    for table in ("audit_event", "operator_key", "purge"):
        op.drop_table(table)
    op.drop_column("job", "request_id")
    op.drop_column("result_file", "object_key")
    for column in ("failures", "object_key", "object_digest"):
        op.drop_column("work_unit", column)
    for column in ("content_key", "canonical_key"):
        op.drop_column("catalog", column)


def _name_objects() -> None:
    """Rows name their objects; those of before keep the keys that followed from their ids."""
    for column in ("content_key", "canonical_key"):
        op.add_column("catalog", sa.Column(column, sa.Text(), nullable=True))
    op.execute(
        "UPDATE catalog SET content_key = 'catalogs/' || id || '/content'"
        " WHERE content_digest IS NOT NULL AND deleted_at IS NULL"
    )
    op.execute(
        "UPDATE catalog SET canonical_key = 'catalogs/' || id || '/canonical.parquet'"
        " WHERE digest IS NOT NULL AND deleted_at IS NULL"
    )
    op.add_column("work_unit", sa.Column("object_key", sa.Text(), nullable=True))
    op.add_column("work_unit", sa.Column("object_digest", sa.Text(), nullable=True))
    op.add_column(
        "work_unit", sa.Column("failures", sa.Integer(), server_default="0", nullable=False)
    )
    op.execute(
        "UPDATE work_unit SET object_key = CASE stage"
        " WHEN 'SURVEY' THEN 'jobs/' || job_id || '/survey.safetensors'"
        " ELSE 'jobs/' || job_id || '/' || lower(stage) || '/' || unit || '.safetensors' END"
        " WHERE state = 'DONE' AND stage IN ('SURVEY', 'SELECTION', 'ADAPTATION')"
    )
    op.add_column("result_file", sa.Column("object_key", sa.Text(), nullable=True))
    op.execute("UPDATE result_file SET object_key = 'jobs/' || job_id || '/results/' || name")
    op.alter_column("result_file", "object_key", nullable=False)
    op.add_column("job", sa.Column("request_id", sa.Text(), nullable=True))


def _create_tables() -> None:
    op.create_table(
        "purge",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        _created_at(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purge")),
    )
    op.create_table(
        "operator_key",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        _created_at(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_key")),
        sa.UniqueConstraint("prefix", name=op.f("uq_operator_key_prefix")),
    )
    op.create_table(
        "audit_event",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=True),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("details", postgresql.JSONB(none_as_null=True), nullable=True),
        _created_at(),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_audit_event_account_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_event")),
    )
    op.create_index(op.f("ix_audit_event_account_id_id"), "audit_event", ["account_id", "id"])


def _created_at() -> sa.Column[datetime]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
    )


def _announce_changes() -> None:
    """Whoever follows a job or a catalogue hears of a change at its commit instead of asking."""
    op.execute(
        "CREATE FUNCTION hbmlc_announce_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " PERFORM pg_notify('hbmlc_changes', to_jsonb(NEW) ->> TG_ARGV[0]); RETURN NULL; END $$"
    )
    for table, (column, condition) in _HEARD.items():
        op.execute(
            f"CREATE TRIGGER {table}_changed AFTER UPDATE ON {table} FOR EACH ROW"
            f" WHEN ({condition}) EXECUTE FUNCTION hbmlc_announce_change('{column}')"
        )
