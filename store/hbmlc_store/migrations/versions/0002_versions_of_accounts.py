"""Versions of accounts, and the trainings that make them.

Revision: 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    _change_kinds("'ingest', 'calibration', 'training'")
    op.add_column(
        "usage_record",
        sa.Column("kind", sa.Text(), server_default="calibration", nullable=False),
    )
    _give_versions_owners()
    _point_aliases_at_ids()
    _create_trainings()


def downgrade() -> None:
    """Take the change back; the versions of accounts, their aliases and trainings are lost."""
    op.execute("DELETE FROM model_alias WHERE account_id IS NOT NULL")
    op.execute("DELETE FROM model_version WHERE account_id IS NOT NULL")
    op.drop_table("training_catalog")
    op.drop_table("training")
    op.execute("DELETE FROM usage_record WHERE kind = 'training'")
    op.execute("DELETE FROM job WHERE kind = 'training'")
    op.drop_column("usage_record", "kind")
    _change_kinds("'ingest', 'calibration'")
    _point_aliases_at_names()
    _take_owners_away()


def _change_kinds(kinds: str) -> None:
    op.drop_constraint(op.f("ck_job_kind"), "job", type_="check")
    op.create_check_constraint(op.f("ck_job_kind"), "job", f"kind IN ({kinds})")


def _give_versions_owners() -> None:
    """Versions get an id of their own: two accounts may use one name."""
    op.drop_constraint(op.f("fk_model_alias_name_version"), "model_alias", type_="foreignkey")
    op.drop_constraint(op.f("pk_model_version"), "model_version", type_="primary")
    op.add_column(
        "model_version",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
    )
    op.alter_column("model_version", "id", server_default=None)
    op.create_primary_key(op.f("pk_model_version"), "model_version", ["id"])
    op.add_column("model_version", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("model_version", sa.Column("training_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_model_version_account_id"), "model_version", "account", ["account_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_model_version_training_id"), "model_version", "job", ["training_id"], ["id"]
    )
    op.create_unique_constraint(
        op.f("uq_model_version_account_id_name_version"),
        "model_version",
        ["account_id", "name", "version"],
        postgresql_nulls_not_distinct=True,
    )


def _point_aliases_at_ids() -> None:
    op.add_column("model_alias", sa.Column("account_id", sa.Uuid(), nullable=True))
    op.add_column("model_alias", sa.Column("version_id", sa.Uuid(), nullable=True))
    op.add_column("model_alias", sa.Column("set_by", sa.Text(), nullable=True))
    op.add_column(
        "model_alias",
        sa.Column(
            "verdict", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
    )
    op.execute(
        "UPDATE model_alias SET version_id = model_version.id FROM model_version "
        "WHERE model_version.name = model_alias.name "
        "AND model_version.version = model_alias.version"
    )
    op.alter_column("model_alias", "version_id", nullable=False)
    op.drop_column("model_alias", "version")
    op.create_foreign_key(
        op.f("fk_model_alias_account_id"), "model_alias", "account", ["account_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_model_alias_version_id"), "model_alias", "model_version", ["version_id"], ["id"]
    )
    _index_present_aliases(["account_id", "name", "alias"], nulls_differ=False)


def _point_aliases_at_names() -> None:
    op.add_column("model_alias", sa.Column("version", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE model_alias SET version = model_version.version FROM model_version "
        "WHERE model_version.id = model_alias.version_id"
    )
    op.alter_column("model_alias", "version", nullable=False)
    _index_present_aliases(["name", "alias"], nulls_differ=True)
    for column in ("verdict", "set_by", "version_id", "account_id"):
        op.drop_column("model_alias", column)


def _index_present_aliases(columns: list[str], *, nulls_differ: bool) -> None:
    op.drop_index("uq_model_alias_present", table_name="model_alias")
    op.create_index(
        "uq_model_alias_present",
        "model_alias",
        columns,
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
        postgresql_nulls_not_distinct=not nulls_differ,
    )


def _take_owners_away() -> None:
    for column in ("training_id", "account_id", "id"):
        op.drop_column("model_version", column)
    op.create_primary_key(op.f("pk_model_version"), "model_version", ["name", "version"])
    op.create_foreign_key(
        op.f("fk_model_alias_name_version"),
        "model_alias",
        "model_version",
        ["name", "version"],
        ["name", "version"],
    )


def _create_trainings() -> None:
    op.create_table(
        "training",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("promote", sa.Text(), nullable=False),
        sa.Column(
            "result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.CheckConstraint("promote IN ('if-better', 'never')", name=op.f("ck_training_promote")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_training_account_id")
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_training_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_training")),
        sa.UniqueConstraint(
            "account_id", "name", "version", name=op.f("uq_training_account_id_name_version")
        ),
    )
    op.create_table(
        "training_catalog",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("catalog_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["catalog_id"], ["catalog.id"], name=op.f("fk_training_catalog_catalog_id")
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["job.id"], name=op.f("fk_training_catalog_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_training_catalog")),
    )
    op.create_index(
        op.f("ix_training_catalog_catalog_id"), "training_catalog", ["catalog_id"], unique=False
    )
