"""The object store: bytes under keys, on a local disk or in a cloud."""

from __future__ import annotations

from hbmlc_store.objects._contract import Listed, Stored
from hbmlc_store.objects._disk import DRAFTS
from hbmlc_store.objects._facade import Objects

__all__ = ["DRAFTS", "Listed", "Objects", "Stored"]
