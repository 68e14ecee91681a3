"""The text of a key: ``<kind>_<prefix>_<secret><checksum>``.

The prefix finds the row, the checksum tells a typing mistake from a forgery without asking the
database, and only an HMAC of the whole is stored.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import string
import zlib

__all__ = [
    "ACCOUNT_KIND",
    "OPERATOR_KIND",
    "digest_of_key",
    "is_well_formed",
    "make_key",
    "prefix_of",
]

ACCOUNT_KIND = "hbk"
OPERATOR_KIND = "hbo"

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH = 10
_SECRET_LENGTH = 40
_CHECKSUM_LENGTH = 8
_LENGTH = 3 + 1 + _PREFIX_LENGTH + 1 + _SECRET_LENGTH + _CHECKSUM_LENGTH


def make_key(kind: str) -> str:
    """Make a new key of a kind."""
    body = f"{kind}_{_random_text(_PREFIX_LENGTH)}_{_random_text(_SECRET_LENGTH)}"
    return body + _checksum(body)


def is_well_formed(key: str, kind: str = ACCOUNT_KIND) -> bool:
    """Whether the text has the shape and the checksum of a key; needs no database."""
    parts = key.split("_")
    if not key.isascii() or len(key) != _LENGTH or len(parts) != 3:  # noqa: PLR2004
        return False
    if parts[0] != kind or len(parts[1]) != _PREFIX_LENGTH:
        return False
    body, checksum = key[:-_CHECKSUM_LENGTH], key[-_CHECKSUM_LENGTH:]
    return key.replace("_", "").isalnum() and hmac.compare_digest(_checksum(body), checksum)


def prefix_of(key: str) -> str:
    """Public part of a well-formed key."""
    return key.split("_")[1]


def digest_of_key(key: str, key_secret: str) -> str:
    """HMAC-SHA256 of a key under the service's secret."""
    return hmac.new(key_secret.encode(), key.encode(), hashlib.sha256).hexdigest()


def _random_text(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()):08x}"
