"""Signing with GPG as releases of securesystemslib before 1.0 offered it (`securesystemslib.signer.GPGSigner`)."""

from __future__ import annotations

from navicert.compat.shim.in_toto.models import _signer
from navicert.compat.shim.in_toto.models._signer import GPGKey
from navicert.compat.shim.securesystemslib.signer import Key, SecretsHandler
from navicert.compat.shim.translation import translated

__all__ = ["GPGKey", "GPGSigner"]


class GPGSigner(_signer.GPGSigner):
    """Signs through gpg, and knows the URIs of its keys."""

    SCHEME = "gnupg"

    def __init__(self, keyid: str | None = None, homedir: str | None = None, public_key: Key | None = None) -> None:
        super().__init__(keyid, homedir)
        self._public_key = public_key

    @property
    def public_key(self) -> Key:
        """The public key, which gpg is asked for unless it was given."""
        if self._public_key is None:
            self._public_key = GPGKey.from_keyring(self.keyid or "", self.homedir)
        return self._public_key

    @classmethod
    def import_(cls, keyid: str, homedir: str | None = None) -> tuple[str, GPGKey]:
        """The URI and the public key of what gpg knows by `keyid`."""
        return f"{cls.SCHEME}:{homedir or ''}", GPGKey.from_keyring(keyid, homedir)

    @classmethod
    def from_priv_key_uri(
        cls, priv_key_uri: str, public_key: Key | None = None, secrets_handler: SecretsHandler | None = None
    ) -> GPGSigner:
        """The signer that `gpg:KEYID?homedir=FOLDER` names; or `gnupg:FOLDER`, with its public key."""
        scheme, _, rest = priv_key_uri.partition(":")
        if scheme == "gpg":
            from navicert.trust.gpg import open_gpg_signer

            with translated(ValueError):
                found = open_gpg_signer(priv_key_uri)
            return cls(found.keyid, found.homedir or None, public_key)
        if scheme != cls.SCHEME or public_key is None:
            raise ValueError(f"GPGSigner does not support {priv_key_uri}, or needs its public key")
        return cls(public_key.keyid, rest or None, public_key)
