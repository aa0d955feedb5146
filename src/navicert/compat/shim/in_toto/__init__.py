"""What scripts import as `in_toto`: the names of its key types; its logger is set up once a script imports it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

__version__: Final = "3.1.0"
"""The release whose behaviour is promised."""

KEY_TYPE_RSA: Final = "rsa"
KEY_TYPE_ED25519: Final = "ed25519"
KEY_TYPE_ECDSA: Final = "ecdsa"
SUPPORTED_KEY_TYPES: Final = [KEY_TYPE_RSA, KEY_TYPE_ED25519, KEY_TYPE_ECDSA]
