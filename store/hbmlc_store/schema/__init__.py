"""The database schema, one concept a file."""

from hbmlc_store.schema.accounts import AccountRow, ApiKeyRow
from hbmlc_store.schema.audit import AuditRow
from hbmlc_store.schema.base import Base, JsonObject
from hbmlc_store.schema.catalogs import CatalogRow
from hbmlc_store.schema.idempotency import IdempotencyRow
from hbmlc_store.schema.jobs import JobRow
from hbmlc_store.schema.models import ModelAliasRow, ModelVersionRow
from hbmlc_store.schema.operators import OperatorKeyRow
from hbmlc_store.schema.outbox import OutboxRow
from hbmlc_store.schema.purges import PurgeRow
from hbmlc_store.schema.results import ResultRow
from hbmlc_store.schema.stages import StageRow
from hbmlc_store.schema.trainings import TrainingCatalogRow, TrainingRow
from hbmlc_store.schema.units import UnitRow
from hbmlc_store.schema.usage import UsageRow

__all__ = [
    "AccountRow",
    "ApiKeyRow",
    "AuditRow",
    "Base",
    "CatalogRow",
    "IdempotencyRow",
    "JobRow",
    "JsonObject",
    "ModelAliasRow",
    "ModelVersionRow",
    "OperatorKeyRow",
    "OutboxRow",
    "PurgeRow",
    "ResultRow",
    "StageRow",
    "TrainingCatalogRow",
    "TrainingRow",
    "UnitRow",
    "UsageRow",
]
