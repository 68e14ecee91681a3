"""Settings of every process; the environment is read here and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

__all__ = ["Settings"]


class Settings(BaseSettings):
    """Settings, each read from ``HBMLC_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="HBMLC_", extra="ignore", frozen=True)

    home: Path = Path("~/.hbmlc")
    """Folder of everything that the embedded service keeps."""
    database_url: SecretStr = SecretStr("postgresql+psycopg://localhost/hbmlc")
    """SQLAlchemy address of PostgreSQL."""
    broker_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """Address of a Redis-protocol server."""
    object_store: str | None = None
    """``file://``, ``s3://``, ``gs://`` or ``az://``; ``None`` is ``objects`` in the home."""
    key_secret: SecretStr = SecretStr("")
    """Secret with which API keys are hashed; the API refuses to start without one."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """Port of the API; 0 takes a free one."""
    public_url: str | None = None
    """Address under which clients see the API, where a proxy changes it."""
    log_level: str = "INFO"
    log_json: bool = False

    max_upload_bytes: int = Field(default=20 * 2**30, gt=0)
    """Largest catalogue content [bytes]."""
    max_inline_bytes: int = Field(default=64 * 2**20, gt=0)
    """Largest catalogue that comes within a form; larger ones are streamed [bytes]."""
    max_body_bytes: int = Field(default=2**20, gt=0)
    """Largest JSON body [bytes]."""
    max_rows: int = Field(default=50_000_000, gt=0)
    max_columns: int = Field(default=5_000, gt=0)
    ingest_memory_bytes: int = Field(default=6 * 2**30, gt=0)
    """Most private memory of the process that reads an upload; small ones get less. A row takes 91,
    so that the most rows take 4.7 GB [bytes]."""
    ingest_seconds: float = Field(default=7200.0, gt=0)
    """Most seconds of computing for one upload; small ones get less [s]."""
    ingest_file_bytes: int = Field(default=32 * 2**30, gt=0)
    """Longest scratch file of an ingest [bytes]."""
    max_wait_seconds: float = Field(default=60.0, gt=0)
    """Longest long poll [s]."""
    presign_seconds: int = Field(default=900, gt=0)
    """How long a presigned download address is good [s]."""

    lease_seconds: float = Field(default=60.0, gt=0)
    """How long a claimed unit is believed without a heartbeat [s]."""
    reap_seconds: float = Field(default=5.0, gt=0)
    """Pause between two rounds of the reaper [s]."""
    stale_message_seconds: float = Field(default=900.0, gt=0)
    """A unit that waits longer gets a second message: the broker may have lost one [s]."""
    max_attempts: int = Field(default=3, ge=1)
    """Attempts at one unit before its job fails."""
    task_seconds: float = Field(default=6 * 3600.0, gt=0)
    """Hard limit of one task [s]; the broker's visibility timeout is twice that."""
    worker_concurrency: int = Field(default=1, ge=1)
    """Pool processes of a cpu worker."""
    threads: int = Field(default=1, ge=1)
    """Threads of linear algebra in a worker. One gives the same bytes on any number of cores, and
    small matrices are slower with more: on two busy cores a fit took 100 s with 2, 18 s with 1."""
    worker_name: str | None = None
    """Name under which a worker claims units; ``None`` is the machine's."""
    device: str = "auto"
    """Torch device of the adaptation: ``auto``, ``cpu``, ``cuda``."""
    scratch: Path | None = None
    """Folder for temporary files; ``None`` is the system's."""

    @property
    def home_path(self) -> Path:
        """The home, absolute."""
        return self.home.expanduser().resolve()

    @property
    def object_store_url(self) -> str:
        """The object store's address, with the default filled in."""
        return self.object_store or (self.home_path / "objects").as_uri()

    def child_environment(self) -> dict[str, str]:
        """Give the environment that makes a child process read these very settings."""
        values: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if value is None:
                continue
            text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            values[f"HBMLC_{name.upper()}"] = text
        return {**os.environ, **values}
