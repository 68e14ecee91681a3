"""Secrets of one home: made once, readable by their owner alone."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path

__all__ = ["HomeSecrets", "load_secrets", "save_secrets", "write_private"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeSecrets:
    """What the processes of one home share and nobody else may know."""

    database_password: str
    """Of the service's role."""
    broker_password: str
    key_secret: str
    """Secret under which API keys are hashed."""
    superuser_password: str = ""
    """Of the role that sets PostgreSQL up; homes of former releases get one at their next start."""
    api_key: str = ""
    """The key that the home's own clients use; made once the database is up."""


def load_secrets(home: Path) -> HomeSecrets:
    """Read the home's secrets; the first call makes them."""
    file = home / "secrets.json"
    if not file.exists():
        made = HomeSecrets(
            database_password=secrets.token_urlsafe(24),
            broker_password=secrets.token_urlsafe(24),
            key_secret=secrets.token_urlsafe(32),
            superuser_password=secrets.token_urlsafe(24),
        )
        save_secrets(home, made)
    found = HomeSecrets(**json.loads(file.read_text()))
    if not found.superuser_password:
        found = replace(found, superuser_password=secrets.token_urlsafe(24))
        save_secrets(home, found)
    return found


def save_secrets(home: Path, secrets_: HomeSecrets) -> None:
    """Write the home's secrets."""
    write_private(home / "secrets.json", json.dumps(asdict(secrets_)))


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as output:
        output.write(text)
    draft.replace(file)
