"""What scripts import as `in_toto`: its logger, and the names of its key types."""

from __future__ import annotations

from typing import Final

from navicert.compat.shim.in_toto import log

__version__: Final = "3.1.0"
"""The release whose behaviour is promised."""

KEY_TYPE_RSA: Final = "rsa"
KEY_TYPE_ED25519: Final = "ed25519"
KEY_TYPE_ECDSA: Final = "ecdsa"
SUPPORTED_KEY_TYPES: Final = [KEY_TYPE_RSA, KEY_TYPE_ED25519, KEY_TYPE_ECDSA]

__all__ = ["KEY_TYPE_ECDSA", "KEY_TYPE_ED25519", "KEY_TYPE_RSA", "SUPPORTED_KEY_TYPES", "__version__", "log"]
