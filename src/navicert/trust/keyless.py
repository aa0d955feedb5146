"""Signing without a key: what an identity signs, as a bundle with all its proofs, made by the package `sigstore`.

A bundle is one signature with its certificate, log entry and timestamp, so nothing here is a `Signer`: what is signed
has to be known before any of it can be had. Nothing that was made is handed out before it has been judged like anybody
else's. Needs the extra `sigstore` and a network; the name of who signs goes into a public log.
"""

from __future__ import annotations

import importlib
import json
import logging
from datetime import UTC, datetime
from typing import Any, Final

from navicert.crypto.trusted_root import TrustedRoot
from navicert.dataclass import dataclass, field
from navicert.envelope.dsse import encode_base64, pae
from navicert.errors import Malformed, Refused, Unavailable
from navicert.model.field import as_object, as_text
from navicert.model.identity import Identity
from navicert.strictjson import loads
from navicert.trust.refresh import is_private_address
from navicert.verify.bundle import judge_bytes

_INSTALL: Final = "pip install 'navicert[sigstore]'"


@dataclass(frozen=True, slots=True)
class SignedWithoutKey:
    """A bundle, and who signed it."""

    bundle: bytes = field(repr=False)
    identity: Identity


def sign_without_key(
    content: bytes,
    *,
    statement: bool,
    payload_type: str | None = None,
    token: str | None = None,
    config: bytes | None = None,
) -> SignedWithoutKey:
    """The bundle of `content`: of a statement or another payload of the type `payload_type` (then exactly these bytes
    are the payload of its envelope), or of a file.

    `token` is the identity token of an OpenID Connect provider; None: the one that this CI job may ask for. `config` is
    a client trust configuration (JSON) of another instance than the public one.

    Raises `Unavailable` without the extra, without a token, and where an instance cannot be reached or does not answer
    as it must; `Malformed` for a configuration that is none; `Refused` where what came back does not verify.
    """
    sigstore = _Sigstore()
    trust = sigstore.configuration(config)
    identity = sigstore.identity(token)
    if payload_type is None:
        raw = sigstore.sign(trust, identity, content, statement=statement)
    else:
        # The package makes envelopes of statements only. What any envelope's signature is over can be signed as a file.
        raw = sigstore.sign(trust, identity, pae(payload_type, content), statement=False)
        raw = _enveloped(raw, payload_type, content)
    root = TrustedRoot.read(str(trust.trusted_root._inner.to_json()).encode(), path="trust configuration")
    is_file = not statement and payload_type is None
    judged = judge_bytes(raw, root, datetime.now(UTC), wanted=None, artifact=content if is_file else None)
    if not judged.passed or judged.identity is None:
        cause = next(c for _, c in judged.check.walk() if c.leaf is not None and not c.outcome.passes)
        raise Refused(f"what was signed does not verify: {cause.id}: {cause.reason}", remedy="do not use it; try again")
    return SignedWithoutKey(raw, judged.identity)


def _enveloped(raw: bytes, payload_type: str, payload: bytes) -> bytes:
    """The bundle `raw`, of a signature over an envelope's message, as the bundle of that envelope."""
    document = as_object(loads(raw), "")
    signature = as_text(as_object(document.pop("messageSignature", None), "/messageSignature").get("signature"), "")
    entry = {"sig": signature}
    envelope = {"payload": encode_base64(payload), "payloadType": payload_type, "signatures": [entry]}
    return json.dumps({**document, "dsseEnvelope": envelope}).encode()


class _Sigstore:
    """The package, loaded now."""

    def __init__(self) -> None:
        try:
            self.models: Any = importlib.import_module("sigstore.models")
            self.signing: Any = importlib.import_module("sigstore.sign")
            self.dsse: Any = importlib.import_module("sigstore.dsse")
            self.oidc: Any = importlib.import_module("sigstore.oidc")
            errors: Any = importlib.import_module("sigstore.errors")
        except ImportError as error:
            raise Unavailable("signing without a key needs more packages", remedy=_INSTALL) from error
        self.errors: tuple[type[Exception], ...] = (errors.Error, OSError, ValueError, RuntimeError)
        # Told through our own errors.
        logging.getLogger("sigstore").setLevel(logging.CRITICAL)

    def configuration(self, config: bytes | None) -> Any:
        """Where to sign, and whom to believe there."""
        if config is None:
            try:
                return self.models.ClientTrustConfig.production()
            except self.errors as error:
                raise Unavailable(f"no configuration of the public instance: {_cause(error)}") from error
        try:
            made = self.models.ClientTrustConfig.from_json(config.decode())
        except self.errors as error:
            raise Malformed("not a client trust configuration", got=_cause(error)) from error
        for url in _addresses(loads(config)):
            if not is_private_address(url):
                raise Refused("an identity token would be sent where others can read it", got=url[:80])
        return made

    def identity(self, token: str | None) -> Any:
        """Who signs."""
        try:
            raw = self.oidc.detect_credential() if token is None else token.strip()
        except self.errors as error:
            raise Unavailable(f"this job has no identity: {_cause(error)}") from error
        if not raw:
            raise Unavailable(
                "there is no identity to sign with",
                remedy="run it in a CI job that may ask for an identity token, or give --identity-token",
            )
        try:
            return self.oidc.IdentityToken(raw)
        except self.errors as error:
            raise Malformed("not a usable identity token", got=_cause(error)) from error

    def sign(self, trust: Any, identity: Any, content: bytes, *, statement: bool) -> bytes:
        """The bundle as JSON."""
        try:
            context = self.signing.SigningContext.from_trust_config(trust)
            with context.signer(identity) as signer:
                made = signer.sign_dsse(self.dsse.Statement(content)) if statement else signer.sign_artifact(content)
                return str(made.to_json()).encode()
        except Exception as error:  # its clients raise exceptions of their own, of no common kind
            raise Unavailable(f"could not be signed: {_cause(error)}") from error


def _addresses(config: object) -> list[str]:
    """Every address of a service in a configuration."""
    if isinstance(config, dict):
        own = [value for name, value in config.items() if name == "url" and isinstance(value, str)]
        return own + [url for value in config.values() for url in _addresses(value)]
    return [url for item in config for url in _addresses(item)] if isinstance(config, list) else []


def _cause(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:200]
