"""Settings of every process; the environment is read here and nowhere else."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from hbmlc_store.errors import SetupError

__all__ = ["Settings", "load_settings"]

PREFIX = "HBMLC_"
_READ_BY_OTHERS = {"HBMLC_API_KEY", "HBMLC_URL", "HBMLC_CI_VENV", "HBMLC_LISTEN"}
"""Variables of the client, of continuous integration and of ``docker-compose.yml``."""


LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(str.upper)
]


class Settings(BaseSettings):
    """Settings, each read from ``HBMLC_<NAME>``."""

    # An empty variable is an unset one: that is how compose passes what nobody has set.
    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True
    )

    home: Path = Path("~/.hbmlc")
    """Folder of everything that the embedded service keeps."""
    database_url: SecretStr = SecretStr("postgresql+psycopg://localhost/hbmlc")
    """SQLAlchemy address of PostgreSQL."""
    broker_url: SecretStr = SecretStr("redis://localhost:6379/0")
    """Address of a Redis-protocol server."""
    object_store: str | None = None
    """``file://``, ``s3://``, ``gs://`` or ``az://``; ``None`` is ``objects`` in the home."""
    object_store_endpoint: str | None = None
    """Address of an S3-compatible store that is not Amazon's."""
    object_store_public_endpoint: str | None = None
    """Address of the same store as clients see it; signed addresses name this one."""
    key_secret: SecretStr = SecretStr("")
    """Secret with which API keys are hashed; the API refuses to start without one."""
    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65535)
    """Port of the API; 0 takes a free one."""
    public_url: str | None = None
    """Address under which clients see the API, where a proxy changes it."""
    log_level: LogLevel = "INFO"
    log_json: bool = False

    max_upload_bytes: int = Field(default=20 * 2**30, gt=0)
    """Largest catalogue content [bytes]."""
    max_inline_bytes: int = Field(default=64 * 2**20, gt=0)
    """Largest catalogue that comes within a form; larger ones are streamed [bytes]."""
    max_body_bytes: int = Field(default=2**20, gt=0)
    """Largest JSON body [bytes]."""
    max_rows: int = Field(default=50_000_000, gt=0)
    max_columns: int = Field(default=5_000, gt=0)
    api_threads: int = Field(default=20, ge=1)
    """Requests that the API works on at once; it has as many database connections."""
    max_connections: int = Field(default=500, ge=1)
    """Open connections of one API process; more are refused."""
    max_streams: int = Field(default=20, ge=1)
    """Event streams that one key may hold open in one API process."""
    head_seconds: float = Field(default=15.0, gt=0)
    """How long a connection may take to say what it wants [s]."""
    stall_seconds: float = Field(default=30.0, gt=0)
    """How long a body may stand still [s]."""
    min_body_rate: float = Field(default=1_000.0, ge=0)
    """Slowest body that is borne, after the first ``stall_seconds`` [bytes/s]."""
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
    outage_seconds: float = Field(default=300.0, gt=0)
    """How long a worker waits for a database that does not answer, before it gives up [s]."""
    idle_message_seconds: float = Field(default=5.0, gt=0)
    """A unit that waits longer in a queue that is empty gets a second message [s]."""
    stuck_seconds: float = Field(default=10.0, gt=0)
    """A worker that takes nothing from a full queue for so long ends itself and is restarted."""
    sweep_seconds: float = Field(default=600.0, gt=0)
    """Pause between two searches for objects that no row names [s]."""
    orphan_seconds: float = Field(default=24 * 3600.0, gt=0)
    """Age from which such an object is deleted; longer than any upload or task takes [s]."""
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
            values[f"{PREFIX}{name.upper()}"] = text
        return {**os.environ, **values}


def load_settings(**given: Any) -> Settings:
    """Read the settings of a command, and refuse an environment that was meant otherwise.

    Parameters
    ----------
    given
        Values of the command line, which go before the environment's; ``None`` is none.

    Raises
    ------
    SetupError
        A variable ``HBMLC_…`` is no setting, or has a value that it cannot have.
    """
    _refuse_unknown()
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as exc:
        # Only names and reasons: pydantic's own text shows the values, and some are secret.
        wrong = "; ".join(
            f"{PREFIX}{'_'.join(map(str, error['loc'])).upper()}: {error['msg']}"
            for error in exc.errors(include_input=False, include_context=False)
        )
        raise SetupError(f"{wrong}.") from None
    _refuse_bad_address(settings)
    return settings


def _refuse_bad_address(settings: Settings) -> None:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        make_url(settings.database_url.get_secret_value()).get_dialect()
    except (ArgumentError, ValueError):
        # Their texts quote the address, or the part of a password that was taken for a port.
        raise SetupError(
            "HBMLC_DATABASE_URL is no address such as "
            "postgresql+psycopg://user:password@host/name; "
            "write /, @ and : in a password as %2F, %40 and %3A."
        ) from None


def _refuse_unknown() -> None:
    settings = {name.upper() for name in Settings.model_fields}
    given = {name.upper() for name in os.environ if name.upper().startswith(PREFIX)}
    for name in sorted(given - _READ_BY_OTHERS):
        if (short := name.removeprefix(PREFIX)) in settings:
            continue
        likely = difflib.get_close_matches(short, settings, n=1)
        hint = f"did you mean {PREFIX}{likely[0]}?" if likely else "docs/operations.md lists them."
        raise SetupError(f"{name} is no setting; {hint}")
