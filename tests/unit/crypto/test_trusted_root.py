"""Trust roots: who is believed, and until when."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from navicert.crypto.trusted_root import TrustedRoot
from navicert.digest import sha256
from navicert.errors import Malformed
from navicert.testing.sigstore import PrivateSigstore

OURS = PrivateSigstore()


def read(document: Any) -> TrustedRoot:
    return TrustedRoot.read(json.dumps(document).encode(), path="root.json")


def with_change(*steps: str | int, to: Any) -> Any:
    document = json.loads(OURS.root_bytes())
    place = document
    for step in steps[:-1]:
        place = place[step]
    if to is None:
        del place[steps[-1]]
    else:
        place[steps[-1]] = to
    return document


def test_names_logs_and_authorities() -> None:
    root = TrustedRoot.read(OURS.root_bytes())
    assert [log.name for log in root.logs] == ["rekor.private.example", "log2026.private.example"]
    assert [log.id for log in root.logs] == [OURS.rekor_id, OURS.tiles_id]
    assert [log.name for log in root.ctlogs] == ["ct.private.example"]
    assert len(root.authorities[0].chain) == 2
    assert root.digest == sha256(OURS.root_bytes())
    assert (root.unsupported, root.wants_log, root.wants_ctlog) == ((), True, True)


def test_wants_only_what_it_names() -> None:
    root = TrustedRoot.read(OURS.root_bytes(logs=False, ctlogs=False))
    assert (root.wants_log, root.wants_ctlog, root.logs) == (False, False, ())


@pytest.mark.parametrize(
    "kind",
    ["application/vnd.dev.sigstore.trustedroot+json;version=0.1", "application/vnd.dev.sigstore.trustedroot.v0.1+json",
     "application/vnd.dev.sigstore.trustedroot.v0.2+json"],
)  # fmt: skip
def test_every_way_to_write_its_kind_is_read(kind: str) -> None:
    assert read(with_change("mediaType", to=kind)).logs


def test_the_id_of_a_log_follows_from_its_key_where_it_is_not_stated() -> None:
    assert read(with_change("tlogs", 0, "logId", to=None)).logs[0].id == OURS.rekor_id


def test_kinds_of_keys_and_trees_that_are_not_supported_are_named_and_asked_for_all_the_same() -> None:
    root = read(with_change("tlogs", 0, "publicKey", "keyDetails", to="PKIX_ML_DSA_65"))
    assert len(root.logs) == 1
    assert root.unsupported == ("rekor.private.example: keys of the kind PKIX_ML_DSA_65 are not supported",)
    assert read(with_change("ctlogs", 0, "hashAlgorithm", to="SHA2_512")).wants_ctlog


def test_moments_may_have_fractions_and_offsets() -> None:
    window = {"start": "2020-01-01T00:00:00.123456789Z", "end": "2020-01-01T02:00:00+01:00"}
    found = read(with_change("tlogs", 0, "publicKey", "validFor", to=window)).logs[0].window
    assert found.start == datetime(2020, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert found.end == datetime(2020, 1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], "/"),
        ({}, "/"),
        (with_change("mediaType", to="application/json"), "/mediaType"),
        ({"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}, ""),
        (with_change("tlogs", to={}), "/tlogs"),
        (with_change("tlogs", 0, "publicKey", to=None), "/tlogs/0"),
        (with_change("tlogs", 0, "publicKey", "validFor", to=None), "/tlogs/0/publicKey"),
        (with_change("tlogs", 0, "publicKey", "validFor", to={}), "/tlogs/0/publicKey/validFor"),
        (with_change("tlogs", 0, "publicKey", "validFor", to={"start": "now"}), "/tlogs/0/publicKey/validFor/start"),
        (with_change("tlogs", 0, "publicKey", "validFor", to={"start": "2020-13-01T00:00:00Z"}),
         "/tlogs/0/publicKey/validFor/start"),
        (with_change("tlogs", 0, "publicKey", "rawBytes", to="?"), "/tlogs/0/publicKey/rawBytes"),
        (with_change("tlogs", 0, "publicKey", "rawBytes", to="AAAA"), "/tlogs/0/publicKey/rawBytes"),
        (with_change("tlogs", 0, "publicKey", "keyDetails", to="PKIX_ED25519"), "/tlogs/0/publicKey"),
        (with_change("tlogs", 0, "logId", "keyId", to="AAAA"), "/tlogs/0/logId/keyId"),
        (with_change("certificateAuthorities", 0, "validFor", to=None), "/certificateAuthorities/0"),
        (with_change("certificateAuthorities", 0, "certChain", "certificates", to=[]),
         "/certificateAuthorities/0/certChain/certificates"),
        (with_change("certificateAuthorities", 0, "certChain", "certificates", 0, "rawBytes", to="AAAA"),
         "/certificateAuthorities/0/certChain/certificates/0"),
    ],
)  # fmt: skip
def test_what_is_no_trust_root_is_refused_with_its_place(document: Any, pointer: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(document)
    assert (caught.value.path, caught.value.pointer) == ("root.json", pointer)


@given(st.data())
def test_damage_gives_a_root_or_a_refusal(data: st.DataObject) -> None:
    raw = bytearray(OURS.root_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(32, 126))
    with contextlib.suppress(Malformed):
        TrustedRoot.read(bytes(raw))
