"""What is asked of a single attestation: the same question has one digest, and any other another."""

from __future__ import annotations

from dataclasses import replace

from navicert.crypto.signer import generate
from navicert.digest import DigestSet, sha256
from navicert.model.identity import IdentityPolicy
from navicert.testing import NOW
from navicert.verify.case import Part, Revocations, Target
from navicert.verify.inquiry import Artifact, Inquiry

ONE, OTHER = generate().key, generate().key
ASKED = Inquiry((ONE,), NOW, Artifact("app", DigestSet.of({"sha256": "ab" * 32})), "provenance")


def image(digest: str, path: str | None = None, kind: str = "image") -> Artifact:
    return Artifact("image", target=Target("image", kind, (Part("linux/amd64", frozenset({digest}), path=path),)))


def test_everything_that_is_asked_is_in_its_digest() -> None:
    somebody = IdentityPolicy.from_json({"identity": "ann@acme.example", "issuer": "https://issuer.example"}, "")
    asked = [
        ASKED,
        replace(ASKED, keys=(OTHER,)),
        replace(ASKED, keys=(ONE, OTHER)),
        replace(ASKED, keys=(ONE, OTHER), need=1),
        replace(ASKED, type="vulns"),
        replace(ASKED, artifact=None),
        replace(ASKED, artifact=Artifact("app", DigestSet.of({"sha256": "cd" * 32}))),
        replace(ASKED, artifact=image("ab" * 32)),
        replace(ASKED, artifact=image("cd" * 32)),
        replace(ASKED, artifact=image("ab" * 32, "app")),
        replace(ASKED, artifact=image("ab" * 32, kind="file")),
        replace(ASKED, identity=somebody),
        replace(ASKED, root=sha256(b"root")),
        replace(ASKED, root=sha256(b"another")),
        replace(ASKED, revoked=Revocations(digests=frozenset({"sha256:" + "ab" * 32}))),
        replace(ASKED, revoked=Revocations(keys=frozenset({ONE.id}))),
        replace(ASKED, revoked=Revocations(identities=frozenset({"ann"}))),
    ]
    assert len({one.digest for one in asked}) == len(asked)


def test_what_decides_nothing_is_not() -> None:
    assert replace(ASKED, at=NOW.replace(year=2030)).digest == ASKED.digest
    assert replace(ASKED, keys=(OTHER, ONE)).digest == replace(ASKED, keys=(ONE, OTHER)).digest
