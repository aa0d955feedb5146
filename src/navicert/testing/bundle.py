"""Sigstore bundles for tests, by a `PrivateSigstore`: right ones, and ones with a single part made wrong.

What is changed in a body before it is entered, or in a certificate before it is signed, stays right in all other
respects: the log did enter it, the authority did sign it. What is changed in the JSON afterwards is a damaged bundle.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal

from navicert.crypto.merkle import leaf_hash, node_hash
from navicert.crypto.signer import MemorySigner
from navicert.envelope.body import Body
from navicert.envelope.document import payload_type_of
from navicert.envelope.dsse import pae
from navicert.model.section import SPACED, write_sections
from navicert.model.statement import Statement
from navicert.strictjson import canonical
from navicert.testing.sigstore import SIGNED, Json, PrivateSigstore, b64, der, ecdsa, pem, private_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

Kind = Literal["dsse/0.0.1", "intoto/0.0.1", "intoto/0.0.2", "hashedrekord/0.0.1", "hashedrekord/0.0.2", "dsse/0.0.2"]
"""Kind and version of a log entry. Versions 0.0.1 of each and intoto are entered by the log of the first kind."""

Change = Callable[[Json], object]
"""Changes a JSON object in place."""

_V3: Final = "application/vnd.dev.sigstore.bundle.v0.3+json"
_DETAILS: Final = {
    "ed25519": "PKIX_ED25519",
    "ecdsa": "PKIX_ECDSA_P256_SHA_256",
    "rsa": "PKIX_RSA_PKCS1V15_2048_SHA256",
}
_LEAVES: Final = 7
"""Entries of a log beside the one that is asked for."""


def as_bytes(document: Json) -> bytes:
    """A bundle as a file."""
    return json.dumps(document).encode()


def keyless(
    sigstore: PrivateSigstore,
    content: Body | bytes,
    *,
    kind: Kind | Literal["usual"] | None = "usual",
    at: datetime = SIGNED,
    version: Literal["0.1", "0.2", "0.3"] = "0.3",
    stamped: bool | None = None,
    certificate: Mapping[str, Any] | None = None,
    stamp: Mapping[str, Any] | None = None,
    body: Change | None = None,
    curve: str = "P-256",
    payload_type: str | None = None,
    log: PrivateSigstore | None = None,
    tsa: PrivateSigstore | None = None,
) -> Json:
    """A bundle of a statement, link or layout, or of the signature of a file, by the identity of `sigstore`.

    `kind` None enters it nowhere; `usual` is what clients of the first log do. It is `stamped` with a
    timestamp where the log says no time, or as told. `certificate` are arguments of `PrivateSigstore.certificate`,
    `stamp` of `TimestampAuthority.respond`, `body` changes what is entered, `log` and `tsa` do so instead of
    `sigstore`.
    """
    private = private_key(f"{sigstore.name} ephemeral {curve}", curve)
    made = sigstore.certificate(private, **{"start": at, **(certificate or {})})
    if kind == "usual":
        kind = "hashedrekord/0.0.1" if isinstance(content, bytes) else "dsse/0.0.1"
    holder: Json = {"rawBytes": b64(der(made))}
    if version == "0.3":
        material: Json = {"certificate": holder}
    else:
        material = {"x509CertificateChain": {"certificates": [holder, {"rawBytes": b64(der(sigstore.between))}]}}
    details = "PKIX_ECDSA_P256_SHA_256" if curve == "P-256" else "PKIX_ECDSA_P384_SHA_384"
    verifier: Json = {"keyDetails": details, "x509Certificate": holder}
    signed, signature = _signed(content, lambda message: ecdsa(private, message), payload_type, curve)
    draft = _Draft(content, signed, signature, pem(made), verifier, curve)
    return _bundle(sigstore, draft, material, kind, at, version, stamped, stamp, body, log, tsa)


def keyed(
    sigstore: PrivateSigstore,
    content: Body | bytes,
    signer: MemorySigner,
    *,
    kind: Kind | None = None,
    at: datetime = SIGNED,
    version: Literal["0.1", "0.2", "0.3"] = "0.3",
    stamped: bool | None = False,
    stamp: Mapping[str, Any] | None = None,
    body: Change | None = None,
    hint: str | None = None,
) -> Json:
    """A bundle of a statement, or of the signature of a file, by a key and without a certificate."""
    hint = signer.keyid if hint is None else hint
    material: Json = {"publicKey": {"hint": hint} if hint else {}}
    signed, signature = _signed(content, signer.sign, None, "P-256", hint)
    details = _DETAILS[signer.key.keytype]
    verifier: Json = {"keyDetails": details, "publicKey": {"rawBytes": b64(signer.key.material)}}
    draft = _Draft(content, signed, signature, signer.key.public_pem().decode(), verifier, "P-256")
    return _bundle(sigstore, draft, material, kind, at, version, stamped, stamp, body, None, None)


class _Draft:
    """What has been signed, and by whom."""

    def __init__(
        self, content: Body | bytes, signed: Json, signature: bytes, signer: str, verifier: Json, curve: str
    ) -> None:
        self.signed = signed
        self.signature = signature
        self.pem = b64(signer.encode())
        self.verifier = verifier
        if isinstance(content, bytes):
            self.payload, self.message, self.payload_type = content, content, ""
        else:
            envelope = signed["dsseEnvelope"]
            self.payload = base64.b64decode(envelope["payload"])
            self.payload_type = envelope["payloadType"]
            self.message = pae(self.payload_type, self.payload)
        self.hash = "sha256" if curve == "P-256" else "sha384"

    def body(self, kind: str) -> Json:
        """What a log enters. Spec: sigstore/rekor, pkg/types; rekor-tiles."""
        name, _, version = kind.partition("/")
        return {"apiVersion": version, "kind": name, "spec": _SPECS[kind](self)}

    def hex(self, data: bytes, hash: str = "sha256") -> Json:
        return {"algorithm": hash, "value": hashlib.new(hash, data).hexdigest()}

    def tiles(self, data: bytes) -> Json:
        return {"algorithm": f"SHA2_{self.hash[3:]}", "digest": b64(hashlib.new(self.hash, data).digest())}


_SPECS: Final[Mapping[str, Callable[[_Draft], Json]]] = {
    "hashedrekord/0.0.1": lambda draft: {
        "data": {"hash": draft.hex(draft.message, draft.hash)},
        "signature": {"content": b64(draft.signature), "publicKey": {"content": draft.pem}},
    },
    "dsse/0.0.1": lambda draft: {
        "envelopeHash": draft.hex(json.dumps(draft.signed).encode()),
        "payloadHash": draft.hex(draft.payload),
        "signatures": [{"signature": b64(draft.signature), "verifier": draft.pem}],
    },
    "intoto/0.0.1": lambda draft: {
        "content": {"hash": draft.hex(b"?"), "payloadHash": draft.hex(draft.payload)},
        "publicKey": draft.pem,
    },
    "intoto/0.0.2": lambda draft: {
        "content": {
            "envelope": {
                "payloadType": draft.payload_type,
                "signatures": [{"publicKey": draft.pem, "sig": b64(b64(draft.signature).encode())}],
            },
            "hash": draft.hex(b"?"),
            "payloadHash": draft.hex(draft.payload),
        }
    },
    "hashedrekord/0.0.2": lambda draft: {
        "hashedRekordV002": {
            "data": draft.tiles(draft.message),
            "signature": {"content": b64(draft.signature), "verifier": draft.verifier},
        }
    },
    "dsse/0.0.2": lambda draft: {
        "dsseV002": {
            "payloadHash": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(draft.payload).digest())},
            "signatures": [{"content": b64(draft.signature), "verifier": draft.verifier}],
        }
    },
}


def _signed(
    content: Body | bytes, signer: Callable[[bytes], bytes], payload_type: str | None, curve: str, keyid: str = ""
) -> tuple[Json, bytes]:
    if isinstance(content, bytes):
        signature = signer(content)
        hash = "sha256" if curve == "P-256" else "sha384"
        digest = {"algorithm": f"SHA2_{hash[3:]}", "digest": b64(hashlib.new(hash, content).digest())}
        return {"messageSignature": {"messageDigest": digest, "signature": b64(signature)}}, signature
    if isinstance(content, Statement):
        payload = canonical(content.to_json())
    else:
        # Canonical JSON leaves newlines as they are, which texts of layouts hold, and then is no JSON.
        payload = write_sections(content.to_json(), SPACED)
    payload_type = payload_type or payload_type_of(content)
    signature = signer(pae(payload_type, payload))
    entry: Json = {"sig": b64(signature)} | ({"keyid": keyid} if keyid else {})
    return {"dsseEnvelope": {"payload": b64(payload), "payloadType": payload_type, "signatures": [entry]}}, signature


def _bundle(
    sigstore: PrivateSigstore,
    draft: _Draft,
    material: Json,
    kind: Kind | None,
    at: datetime,
    version: str,
    stamped: bool | None,
    stamp: Mapping[str, Any] | None,
    body: Change | None,
    log: PrivateSigstore | None,
    tsa: PrivateSigstore | None,
) -> Json:
    if kind is not None:
        entered = json.loads(json.dumps(draft.body(kind)))
        if body is not None:
            body(entered)
        material["tlogEntries"] = [
            enter(log or sigstore, entered, at, tiles=kind in ("hashedrekord/0.0.2", "dsse/0.0.2"))
        ]
    tiles = kind is None or kind.endswith("rekord/0.0.2") or kind == "dsse/0.0.2"
    if tiles if stamped is None else stamped:
        wanted = {"message": draft.signature, "moment": at, **(stamp or {})}
        token = (tsa or sigstore).tsa.respond(**wanted)
        material["timestampVerificationData"] = {"rfc3161Timestamps": [{"signedTimestamp": b64(token)}]}
    media_type = _V3 if version == "0.3" else f"application/vnd.dev.sigstore.bundle+json;version={version}"
    return {"mediaType": media_type, "verificationMaterial": material, **draft.signed}


# --- logs ----------------------------------------------------------------------------------------------------------


def enter(sigstore: PrivateSigstore, body: Json, at: datetime, *, tiles: bool = False, index: int = 3) -> Json:
    """The entry that a log gives for `body`: as the log of the first kind, with a promise, or as that of the second."""
    raw = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    leaves = [leaf_hash(raw if i == index else b"another entry %d" % i) for i in range(_LEAVES + 1)]
    root = _root(leaves)
    entry: Json = {
        "logIndex": str(index + (0 if tiles else 100_000)),
        "logId": {"keyId": b64(sigstore.tiles_id if tiles else sigstore.rekor_id)},
        "kindVersion": {"kind": body["kind"], "version": body["apiVersion"]},
        "inclusionProof": {
            "logIndex": str(index),
            "rootHash": b64(root),
            "treeSize": str(len(leaves)),
            "hashes": [b64(sibling) for sibling in _path(index, leaves)],
            "checkpoint": {"envelope": checkpoint(sigstore, len(leaves), root, tiles=tiles)},
        },
        "canonicalizedBody": b64(raw),
    }
    if not tiles:
        entry["integratedTime"] = str(int(at.timestamp()))
        entry["inclusionPromise"] = {"signedEntryTimestamp": b64(promise(sigstore, entry))}
    return entry


def promise(sigstore: PrivateSigstore, entry: Json) -> bytes:
    """The promise of the log of the first kind for `entry` as it is."""
    payload = {
        "body": entry["canonicalizedBody"],
        "integratedTime": int(entry["integratedTime"]),
        "logID": base64.b64decode(entry["logId"]["keyId"]).hex(),
        "logIndex": int(entry["logIndex"]),
    }
    return ecdsa(sigstore.rekor_key, json.dumps(payload, sort_keys=True, separators=(",", ":")).encode())


def checkpoint(sigstore: PrivateSigstore, size: int, root: bytes, *, tiles: bool = False) -> str:
    """What a log signs about its tree."""
    name = sigstore.tiles_name if tiles else f"rekor.{sigstore.name}.example"
    text = f"{name if tiles else name + ' - 123456789'}\n{size}\n{b64(root)}\n"
    if tiles:
        line = sigstore.tiles_id[:4] + sigstore.tiles_key.sign(text.encode())
    else:
        line = sigstore.rekor_id[:4] + ecdsa(sigstore.rekor_key, text.encode())
    return f"{text}\n\u2014 {name} {b64(line)}\n"


def _split(size: int) -> int:
    """The largest power of two below `size`. Spec: RFC 9162 §2.1.1."""
    return int(1 << (size - 1).bit_length() - 1)


def _root(leaves: list[bytes]) -> bytes:
    if len(leaves) == 1:
        return leaves[0]
    middle = _split(len(leaves))
    return node_hash(_root(leaves[:middle]), _root(leaves[middle:]))


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """Spec: RFC 9162 §2.1.3.1."""
    if len(leaves) == 1:
        return []
    middle = _split(len(leaves))
    if index < middle:
        return [*_path(index, leaves[:middle]), _root(leaves[middle:])]
    return [*_path(index - middle, leaves[middle:]), _root(leaves[:middle])]
