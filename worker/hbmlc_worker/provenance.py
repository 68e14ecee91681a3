"""Provenance: everything that makes the results what they are, and nothing that does not.

Times and machine names are left out on purpose: the same inputs give the same bytes.
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version

from hbmlc_models.base_models import ModelVersion
from hbmlc_models.pipeline import CalibrationOptions
from hbmlc_worker.work import JobPin

__all__ = ["provenance_document", "table_provenance"]

PACKAGES = ("hbmlc", "numpy", "pymc", "nutpie", "torch", "pyarrow", "astropy")


def table_provenance(job: JobPin, *, model: ModelVersion) -> dict[str, str]:
    """Give what the header of every result table says."""
    return {
        "version": version("hbmlc"),
        "model": f"{job.model_name}:{job.model_version}",
        "model_digest": model.digest,
        "catalog_digest": job.catalog_digest or "",
        "seed": str(job.seed),
        "preset": str(job.options.get("preset", "default")),
    }


def provenance_document(job: JobPin, *, options: CalibrationOptions, model: ModelVersion) -> str:
    """Give ``provenance.json``."""
    document = {
        "catalog_digest": job.catalog_digest,
        "model": {
            "name": job.model_name,
            "version": job.model_version,
            "digest": model.digest,
            "bands": list(model.bands),
        },
        "options": options.as_dict(),
        "seed": job.seed,
        "packages": {name: version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
    return json.dumps(document, indent=2, sort_keys=True) + "\n"
