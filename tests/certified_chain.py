"""One step that holders of certificates may perform, judged by what they signed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.certificate_authority import NOW, Holder
from tests.sample_chain import Pieces

from navicert.crypto.certificate_key import certified
from navicert.crypto.certification import CertificateAuthority
from navicert.crypto.signer import MemorySigner, Signer, generate
from navicert.digest import DigestSet
from navicert.envelope.document import seal
from navicert.model.layout import Layout
from navicert.model.link import Link
from navicert.store.gather import gather
from navicert.verdict import Verdict
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import evaluate
from navicert.verify.profile import Profile

OWNER = generate()
ANY = {"common_name": "*", "dns_names": ["*"], "emails": ["*"], "organizations": ["*"], "uris": ["*"], "roots": ["*"]}
ROOT_ID = "ab" * 32


def signer_of(holder: Holder) -> Signer:
    """Who signs with the key of `holder` and attaches the certificate."""
    return certified(MemorySigner.of(holder.private), holder.pem)


def layout_of(
    constraints: Sequence[Mapping[str, object]],
    roots: Mapping[str, Holder],
    *,
    intermediates: Sequence[Holder] = (),
    threshold: int = 1,
    keys: Sequence[Signer] = (),
    extra: Mapping[str, object] | None = None,
) -> Layout:
    """A layout with the step `build`."""
    step = {"name": "build", "threshold": threshold, "pubkeys": [key.keyid for key in keys]}
    rules = {"expected_products": [["ALLOW", "*"]]}
    document: dict[str, object] = {
        "_type": "layout",
        "expires": "2099-01-01T00:00:00Z",
        "keys": {key.keyid: key.key.to_json() for key in keys},
        "steps": [{**step, **rules, "cert_constraints": list(constraints), **(extra or {})}],
        "inspect": [],
        "rootcas": {id: authority(holder) for id, holder in roots.items()},
        "intermediatecas": {f"{index:064x}": authority(one) for index, one in enumerate(intermediates, 1)},
    }
    return Layout.from_json(document)


def authority(holder: Holder) -> dict[str, object]:
    """An authority as in-toto-golang writes it: a key object with the certificate."""
    return {"keyid": ROOT_ID, "keytype": "ecdsa", "scheme": "", "keyval": {"public": "", "certificate": holder.pem}}


def link(*, content: str = "a") -> Link:
    """The link of the step."""
    return Link("build", products={"app": DigestSet.of({"sha256": content[0] * 64})})


def judge(
    layout: Layout,
    signed: Sequence[bytes],
    *,
    at: datetime = NOW,
    profile: Profile = Profile.STRICT,
    revoked: Revocations | None = None,
    timestamping: Sequence[CertificateAuthority] = (),
) -> Verdict:
    """The verdict on `layout` and these files."""
    policy = Policy.open(seal(layout, OWNER), [OWNER.key])
    store = Pieces()
    for index, raw in enumerate(signed):
        store.put("build", f"{index:08x}", raw)
    found = gather(policy, [store])
    denied, believed = revoked or Revocations(), tuple(timestamping)
    case = Case(policy, at, found.exhibits, found.refused, profile, revoked=denied, timestamp_authorities=believed)
    return evaluate(case)


def by(*holders: Holder, form: str = "metablock", body: Link | None = None) -> list[bytes]:
    """A link by each of `holders`."""
    return [seal(body or link(), signer_of(holder), form=form) for holder in holders]


def with_certificate(raw: bytes, pem: str | None, field: str = "cert") -> bytes:
    """The file, with another certificate in its first signature."""
    document: Any = json.loads(raw)
    document["signatures"][0].pop("cert", None)
    if pem is not None:
        document["signatures"][0][field] = pem
    return json.dumps(document).encode()


HOUR = timedelta(hours=1)
