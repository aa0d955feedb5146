"""Bundles as received: what is one, what is none, and where that shows."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from navicert.digest import DigestSet, sha256
from navicert.envelope.bundle import Bundle, MessageSignature, is_bundle, open_bundle
from navicert.envelope.document import Sealed
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL
from navicert.model.statement import ResourceDescriptor, Statement
from navicert.testing import signer
from navicert.testing.bundle import as_bytes, keyed, keyless
from navicert.testing.sigstore import PrivateSigstore

OURS = PrivateSigstore()
APP = Statement((ResourceDescriptor("app", None, DigestSet.of({"sha256": "ab" * 32})),), "https://example.com/tested")
GOOD = keyless(OURS, APP, stamped=True)
FILE = keyless(OURS, b"file")
MATERIAL = "verificationMaterial"
ENTRY = (MATERIAL, "tlogEntries", 0)


def changed(document: Any, *steps: str | int, to: Any) -> Any:
    document = json.loads(json.dumps(document))
    place = document
    for step in steps[:-1]:
        place = place[step]
    if to is None:
        del place[steps[-1]]
    else:
        place[steps[-1]] = to
    return document


def opened(document: Any) -> Bundle:
    return open_bundle(as_bytes(document), path="a.json")


def test_says_what_is_signed_and_how_that_is_proved() -> None:
    bundle = opened(GOOD)
    assert isinstance(bundle.content, Sealed)
    assert bundle.content.digest == bundle.digest == sha256(as_bytes(GOOD))
    assert (bundle.version, bundle.hint, bundle.origin, bundle.needs_proof) == ("0.3", None, "a.json", True)
    assert (len(bundle.certificates), len(bundle.entries), len(bundle.timestamps)) == (1, 1, 1)
    assert bundle.stamped == bundle.signature
    (entry,) = bundle.entries
    assert (entry.kind, entry.version, entry.log_id) == ("dsse", "0.0.1", OURS.rekor_id)
    assert entry.proof is not None
    assert (entry.proof.index, entry.proof.tree_size) == (3, 8)


def test_a_signed_file_is_named_by_its_digest() -> None:
    content = opened(FILE).content
    assert isinstance(content, MessageSignature)
    assert content.digest == sha256(b"file")


def test_a_key_is_hinted_at() -> None:
    assert opened(keyed(OURS, APP, signer("bob"))).hint == signer("bob").keyid
    assert opened(keyed(OURS, APP, signer("bob"), hint="")).hint is None


@pytest.mark.parametrize("name", ["0.1", "0.2", "0.3"])
def test_the_older_way_to_write_a_version_is_read(name: str) -> None:
    kind = f"application/vnd.dev.sigstore.bundle+json;version={name}"
    assert opened(changed(GOOD, "mediaType", to=kind)).version == name


def test_what_looks_like_a_bundle_is_told_by_its_content() -> None:
    assert is_bundle(GOOD)
    assert is_bundle({"mediaType": "application/vnd.dev.sigstore.bundle.v0.9+json"})
    assert not is_bundle(GOOD["dsseEnvelope"])
    assert not is_bundle({"mediaType": 3})


def test_numbers_may_be_numbers_and_zeros_left_out() -> None:
    entry = opened(changed(GOOD, *ENTRY, "logIndex", to=7)).entries[0]
    assert entry.index == 7
    assert opened(changed(GOOD, *ENTRY, "inclusionProof", "logIndex", to=None)).entries[0].proof.index == 0  # type: ignore[union-attr]


CASES: list[tuple[Any, str]] = [
    ([], "/"),
    ({}, "/"),
    (changed(GOOD, "mediaType", to="application/vnd.dev.sigstore.bundle.v0.4+json"), "/mediaType"),
    (changed(GOOD, "mediaType", to="application/vnd.dev.sigstore.bundle.v0.3"), "/mediaType"),
    (changed(GOOD, "mediaType", to="application/vnd.dev.sigstore.bundle+json;version=0.3+json"), "/mediaType"),
    (changed(GOOD, MATERIAL, to=None), "/"),
    (changed(GOOD, MATERIAL, "certificate", to={}), "/verificationMaterial/certificate"),
    (changed(GOOD, MATERIAL, "certificate", "rawBytes", to="?"), "/verificationMaterial/certificate/rawBytes"),
    (
        changed(
            changed(GOOD, MATERIAL, "x509CertificateChain", to={"certificates": []}), MATERIAL, "certificate", to=None
        ),
        "/verificationMaterial/x509CertificateChain",
    ),
    (
        changed(keyless(OURS, APP, version="0.2"), MATERIAL, "x509CertificateChain", "certificates", to=[]),
        "/verificationMaterial/x509CertificateChain/certificates",
    ),
    (changed(GOOD, MATERIAL, "tlogEntries", to={}), "/verificationMaterial/tlogEntries"),
    (changed(GOOD, *ENTRY, "logId", to=None), "/verificationMaterial/tlogEntries/0"),
    (changed(GOOD, *ENTRY, "kindVersion", "kind", to=None), "/verificationMaterial/tlogEntries/0/kindVersion"),
    (changed(GOOD, *ENTRY, "canonicalizedBody", to=None), "/verificationMaterial/tlogEntries/0"),
    (changed(GOOD, *ENTRY, "logIndex", to="-1"), "/verificationMaterial/tlogEntries/0/logIndex"),
    (changed(GOOD, *ENTRY, "logIndex", to=-1), "/verificationMaterial/tlogEntries/0/logIndex"),
    (changed(GOOD, *ENTRY, "logIndex", to="9" * 19), "/verificationMaterial/tlogEntries/0/logIndex"),
    (changed(GOOD, *ENTRY, "logIndex", to="9" * 400), "/verificationMaterial/tlogEntries/0/logIndex"),
    (changed(GOOD, *ENTRY, "integratedTime", to="now"), "/verificationMaterial/tlogEntries/0/integratedTime"),
    (
        changed(GOOD, *ENTRY, "inclusionPromise", "signedEntryTimestamp", to=""),
        "/verificationMaterial/tlogEntries/0/inclusionPromise",
    ),
    (
        changed(GOOD, *ENTRY, "inclusionProof", "hashes", 0, to="?"),
        "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
    ),
    (
        changed(GOOD, MATERIAL, "timestampVerificationData", "rfc3161Timestamps", 0, to={}),
        "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0",
    ),
    (changed(GOOD, "dsseEnvelope", "payload", to=None), "/dsseEnvelope/"),
    (changed(GOOD, "dsseEnvelope", "signatures", 0, "sig", to="?"), "/dsseEnvelope/signatures/0/sig"),
    (changed(FILE, "messageSignature", "signature", to=""), "/messageSignature/signature"),
    (changed(FILE, "messageSignature", "signature", to=None), "/messageSignature"),
    (
        changed(FILE, "messageSignature", "messageDigest", "algorithm", to="SHA3_256"),
        "/messageSignature/messageDigest/algorithm",
    ),
    (changed(FILE, "messageSignature", "messageDigest", "digest", to="AAAA"), "/messageSignature/messageDigest/digest"),
]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_what_is_no_bundle_is_refused_with_its_place(number: int) -> None:
    document, pointer = CASES[number]
    with pytest.raises(Malformed) as caught:
        opened(document)
    assert (caught.value.path, caught.value.pointer.rstrip("/")) == ("a.json", pointer.rstrip("/"))


@pytest.mark.parametrize(
    ("document", "limits"),
    [
        (changed(GOOD, MATERIAL, "tlogEntries", to=GOOD[MATERIAL]["tlogEntries"] * 2), replace(LOCAL, log_entries=1)),
        (GOOD, replace(LOCAL, log_body_bytes=100)),
        (GOOD, replace(LOCAL, document_bytes=100)),
        (changed(GOOD, *ENTRY, "inclusionProof", "hashes", to=["AAAA"] * 65), LOCAL),
    ],
    ids=["entries", "body", "document", "hashes"],
)
def test_more_than_a_limit_is_refused(document: Any, limits: Any) -> None:
    with pytest.raises(LimitExceeded):
        open_bundle(as_bytes(document), limits)
