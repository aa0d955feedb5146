"""What can go wrong with gpg (`securesystemslib._gpg.exceptions`)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class PacketParsingError(Exception):
    """OpenPGP data that cannot be read."""


class KeyNotFoundError(Exception):
    """A key that gpg does not know."""


class PacketVersionNotSupportedError(Exception):
    """OpenPGP data of another version."""


class SignatureAlgorithmNotSupportedError(Exception):
    """A signature by an algorithm that in-toto does not know."""


class CommandError(Exception):
    """A gpg that failed."""


class KeyExpirationError(Exception):
    """A key whose time is over; `key` is its dictionary."""

    def __init__(self, key: dict[str, Any]) -> None:
        super().__init__()
        self.key = key

    def __str__(self) -> str:
        from datetime import UTC, datetime, timedelta

        created = datetime.fromtimestamp(self.key["creation_time"], UTC)
        validity = timedelta(seconds=self.key["validity_period"])
        return (
            f"GPG key '{self.key['keyid']}' created on '{created:%Y-%m-%d %H:%M} UTC' with validity period"
            f" '{validity}' expired on '{created + validity:%Y-%m-%d %H:%M} UTC'."
        )
