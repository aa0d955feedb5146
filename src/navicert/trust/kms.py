"""Keys that stay in a key service: AWS KMS, Google Cloud KMS, Azure Key Vault, HashiCorp Vault.

The services are spoken to by the signers of securesystemslib (extra `kms`), which find credentials where the programs
of each service find them. What they answer is believed as far as the public key goes: every signature is checked before
anybody gets it. Loaded through entry points, for URIs that begin with the scheme of one of them.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from navicert.crypto.key import IdForm, Key
from navicert.dataclass import dataclass, field
from navicert.errors import Malformed, NavicertError, Refused, Unavailable
from navicert.limits import LOCAL
from navicert.trust.uri import KeyUri

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.crypto.pem import Password
    from navicert.crypto.signer import Signer

T = TypeVar("T")

Ask = Callable[[Any, "re.Match[str]", str | None], tuple[str, Any]]
"""Asks a service for a key: (module of signers, parts of the name, scheme) → its URI in securesystemslib, the key."""

_INSTALL: Final = "pip install 'navicert[kms]'"


@dataclass(frozen=True, slots=True)
class _Service:
    """One service: how its keys are named, and how securesystemslib asks for one."""

    title: str
    form: str
    pattern: re.Pattern[str]
    signer: str
    ask: Ask
    pinned: Callable[[re.Match[str]], str | None]
    """The URI in securesystemslib of a key whose public half is known already; None where the service must be asked
    first for the version to sign with."""


def _ask_aws(signers: Any, name: re.Match[str], scheme: str | None) -> tuple[str, Any]:
    found: tuple[str, Any] = signers.AWSSigner.import_(name["key"], scheme)
    return found


def _ask_gcp(signers: Any, name: re.Match[str], _: str | None) -> tuple[str, Any]:
    found: tuple[str, Any] = signers.GCPSigner.import_(_gcp_key(name))
    return found


def _ask_azure(signers: Any, name: re.Match[str], _: str | None) -> tuple[str, Any]:
    found: tuple[str, Any] = signers.AzureSigner.import_(name["vault"], name["key"])
    return found


def _ask_vault(signers: Any, name: re.Match[str], _: str | None) -> tuple[str, Any]:
    try:
        found: tuple[str, Any] = signers.VaultSigner.import_(name["key"])
    except (ValueError, TypeError) as error:  # a public key of another type is PEM, not 32 bytes
        raise Malformed("not a key that can be used here", expected="a Transit key of type ed25519") from error
    return found


def _gcp_key(name: re.Match[str]) -> str:
    return f"{name['ring']}/cryptoKeyVersions/{name['version']}"


def _pinned_azure(name: re.Match[str]) -> str | None:
    version = name["version"]
    return f"azurekms://{name['vault']}.vault.azure.net/keys/{name['key']}/{version}" if version else None


def _pinned_vault(name: re.Match[str]) -> str | None:
    return f"hv:{name['key']}/{name['version']}" if name["version"] else None


_SERVICES: Final[Mapping[str, _Service]] = {
    "awskms": _Service(
        "AWS KMS",
        "awskms:KEY, with the id or ARN of a key, alias/NAME, or the ARN of an alias",
        re.compile(r"(?:///)?(?P<key>[A-Za-z0-9][A-Za-z0-9:/_-]{0,2047})"),
        "AWSSigner",
        _ask_aws,
        lambda name: f"awskms:{name['key']}",
    ),
    "gcpkms": _Service(
        "Google Cloud KMS",
        "gcpkms:projects/P/locations/L/keyRings/R/cryptoKeys/K/cryptoKeyVersions/V",
        re.compile(
            r"(?://)?(?P<ring>projects/[\w.:-]+/locations/[\w-]+/keyRings/[\w-]+/cryptoKeys/[\w-]+)"
            r"/(?:cryptoKeyVersions|versions)/(?P<version>[0-9]+)",
            re.ASCII,
        ),
        "GCPSigner",
        _ask_gcp,
        lambda name: f"gcpkms:{_gcp_key(name)}",
    ),
    "azurekms": _Service(
        "Azure Key Vault",
        "azurekms://VAULT.vault.azure.net/keys/NAME or azurekms://VAULT.vault.azure.net/keys/NAME/VERSION",
        re.compile(
            r"//(?P<vault>[A-Za-z0-9-]+)\.vault\.azure\.net/(?:keys/)?(?P<key>[A-Za-z0-9-]+)"
            r"(?:/(?P<version>[0-9a-f]{32}))?"
        ),
        "AzureSigner",
        _ask_azure,
        _pinned_azure,
    ),
    "hashivault": _Service(
        "HashiCorp Vault",
        "hashivault:NAME or hashivault:NAME/VERSION, a key of the Transit engine",
        re.compile(r"(?://)?(?P<key>[A-Za-z0-9_.-]+)(?:/(?P<version>[0-9]+))?"),
        "VaultSigner",
        _ask_vault,
        _pinned_vault,
    ),
}


@dataclass(frozen=True, slots=True)
class KmsSigner:
    """A key in a service. `key` is its public half, under the id to sign under."""

    key: Key
    title: str
    uri: str
    _remote: Any = field(repr=False, compare=False)

    @property
    def keyid(self) -> str:
        """The id to name in signatures."""
        return self.key.id

    def sign(self, message: bytes) -> bytes:
        """The signature that the service made. Raises `Unavailable` where it made none, `Refused` where what it gave
        is no signature of this key."""
        made = _asking(self.title, self.uri, lambda: self._remote.sign(message))
        try:
            signature = bytes.fromhex(made.signature)
        except (AttributeError, TypeError, ValueError) as error:
            raise Unavailable(f"{self.title} answered with something else than a signature", path=self.uri) from error
        return signature


def open_signer(uri: str, *, password: Password | None, id_form: IdForm | None) -> Signer:
    """The signer that `uri` names. Raises `Malformed` for what is no name of a key, and for keys of kinds that
    cannot sign here; `Refused` where the key is another than `public-key` says; `Unavailable`."""
    parts, service, name = _parts(uri)
    expected = parts.expected()
    inner = None if expected is None else service.pinned(name)
    if expected is None or inner is None:
        inner, key = _ask(service, parts, name)
        if expected is not None and key != expected:
            raise _another(service, uri, expected, key)
    else:
        key = expected
    key = key.with_id(key.id_of(id_form or "modern"))
    remote = _asking(service.title, uri, lambda: _remote(service, inner, key))
    return KmsSigner(key, service.title, uri, remote)


def open_key(uri: str) -> Key:
    """The public key that the service has under the name `uri`. Raises as `open_signer` does."""
    parts, service, name = _parts(uri)
    expected = parts.expected()
    key = _ask(service, parts, name)[1]
    if expected is not None and key != expected:
        raise _another(service, uri, expected, key)
    return key


def _parts(uri: str) -> tuple[KeyUri, _Service, re.Match[str]]:
    parts = KeyUri.of(uri)
    service = _SERVICES[parts.kind]
    name = service.pattern.fullmatch(parts.name)
    if name is None:
        raise Malformed(f"not the name of a key in {service.title}", path=uri, expected=service.form)
    return parts, service, name


def _another(service: _Service, uri: str, expected: Key, got: Key) -> Refused:
    return Refused(
        f"the key in {service.title} is another than the expected one",
        path=uri,
        expected=f"{expected.scheme} key {expected.fingerprint[:16]}…",
        got=f"{got.scheme} key {got.fingerprint[:16]}…",
        remedy="find out who changed which of them before anything is signed",
    )


def _ask(service: _Service, parts: KeyUri, name: re.Match[str]) -> tuple[str, Key]:
    """What securesystemslib calls the key, and its public half, as the service says."""
    inner, found = _asking(service.title, parts.text, lambda: service.ask(_signers(), name, parts.scheme))
    asked = service.pinned(name)
    if asked is not None and asked != inner:
        raise Refused(
            "not the newest version of this key, and only that can be asked for",
            path=parts.text,
            expected=asked,
            got=inner,
            remedy="name its public key too, as in ?public-key=FILE",
        )
    try:
        key = Key.from_json(
            {"keytype": found.keytype, "scheme": found.scheme, "keyval": {"public": found.keyval["public"]}}
        )
    except Malformed as error:
        raise Malformed(f"not a key that can be used here: {error.what}", path=parts.text, got=error.got) from error
    if parts.scheme not in (None, key.scheme):
        raise Malformed(
            "the key signs under another scheme", path=parts.text, expected=str(parts.scheme), got=key.scheme
        )
    return inner, key


def _remote(service: _Service, inner: str, key: Key) -> Any:
    """securesystemslib's signer for the key that it calls `inner`."""
    signers = _signers()
    public = signers.SSlibKey(key.id, key.keytype, key.scheme, {"public": key.public_text})
    return getattr(signers, service.signer).from_priv_key_uri(inner, public)


def _signers() -> Any:
    """securesystemslib's module of signers, which loads the clients of all services: about a second."""
    import logging
    import sys

    ours = "securesystemslib" not in sys.modules
    import securesystemslib.signer as signers

    if not hasattr(signers, "AWSSigner"):
        raise ImportError("securesystemslib is imitated in this process")
    if ours:
        # What went wrong is said by us, once. Being loaded, it began to print.
        logging.getLogger("securesystemslib").handlers.clear()
        for name in ("securesystemslib", "azure", "msal", "google", "botocore"):
            logging.getLogger(name).addHandler(logging.NullHandler())
    return signers


def _asking(title: str, uri: str, call: Callable[[], T]) -> T:
    """What `call`, which speaks to a service, gives; whatever goes wrong, by whatever library, as one of our errors.

    The libraries wait for minutes, each in its own way, so that the time is taken here.
    """
    outcome: list[T] = []
    problem: list[BaseException] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001  # raised by the thread that waits
            problem.append(error)

    thread = threading.Thread(target=run, name="kms", daemon=True)
    thread.start()
    thread.join(LOCAL.kms_seconds)
    if outcome:
        return outcome[0]
    if not problem:
        raise Unavailable(f"{title} did not answer within {LOCAL.kms_seconds} seconds (limit kms_seconds)", path=uri)
    error = problem[0]
    if isinstance(error, NavicertError):
        raise error.at(uri)
    if isinstance(error, ImportError) or type(error).__name__ == "UnsupportedLibraryError":
        raise Unavailable(f"{title} needs packages that are not installed", path=uri, remedy=_INSTALL) from error
    if type(error).__name__ in ("UnsupportedAlgorithmError", "UnsupportedKeyType"):
        raise Malformed(f"not a key that can sign here: {_said(error)}", path=uri) from error
    raise Unavailable(f"{title} did not do it: {_said(error)}", path=uri) from error


def _said(error: BaseException) -> str:
    """What a library said, in one short line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
