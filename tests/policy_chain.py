"""A policy document and its evidence to judge: one step with a link, and the predicates that a test requires of it.

`bob` builds, `tess` attests, `eve` may do nothing, and `owner` signs the policy. All are made anew for each chain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from navicert.crypto.signer import MemorySigner, generate
from navicert.digest import DigestSet, sha256
from navicert.envelope.document import seal
from navicert.limits import LOCAL, Limits
from navicert.model.link import Link
from navicert.model.policy import read_policy_document
from navicert.model.statement import Statement
from navicert.store import Piece, PieceSource
from navicert.store.gather import gather
from navicert.verdict import Check, Verdict
from navicert.verify.case import Case, Policy
from navicert.verify.evaluate import verify

AT = datetime(2026, 10, 1, tzinfo=UTC)
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VULNS = "https://in-toto.io/attestation/vulns/v0.2"
PROVENANCE = "https://slsa.dev/provenance/v1"
APP = b"the application\n"


def digest(content: bytes) -> dict[str, str]:
    """What a statement writes for a file with this content."""
    return {"sha256": sha256(content).hex}


def statement(type: str, predicate: object, *subjects: object) -> Statement:
    """A statement about `subjects`, the application where none are given."""
    value = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": list(subjects) or [{"name": "_", "digest": digest(APP)}],
        "predicateType": type,
        "predicate": predicate,
    }
    return Statement.from_json(value)


def report(result: str = "PASSED", *subjects: object, **more: object) -> Statement:
    """A test result."""
    return statement(TEST_RESULT, {"result": result, "configuration": [], **more}, *subjects)


@dataclass
class PolicyChain:
    """The policy is a JSON object, to be changed by a test before it is judged."""

    owner: MemorySigner = field(default_factory=generate)
    bob: MemorySigner = field(default_factory=generate)
    tess: MemorySigner = field(default_factory=generate)
    eve: MemorySigner = field(default_factory=generate)
    predicates: list[dict[str, Any]] = field(default_factory=list)
    document: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        keys = {signer.keyid: signer.key.to_json() for signer in (self.bob, self.tess)}
        build = {
            "name": "build",
            "pubkeys": [self.bob.keyid],
            "expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]],
            "expected_products": [["CREATE", "app"], ["DISALLOW", "*"]],
            "predicates": self.predicates,
        }
        self.document = {
            "_type": "navicert-policy/v1",
            "name": "app",
            "version": 1,
            "expires": "2099-01-01T00:00:00Z",
            "keys": keys,
            "persons": {"bob": [self.bob.keyid], "tess": [self.tess.keyid]},
            "steps": [build],
        } | self.document

    def require(self, **more: object) -> PolicyChain:
        """Require a test result of `tess`, with these fields too."""
        plain = {"name": "tests", "types": [TEST_RESULT], "role": "inform", "pubkeys": [self.tess.keyid]}
        self.predicates.append(plain | more)
        return self

    def link(self, **more: object) -> bytes:
        """What `bob` recorded of the build."""
        link = Link("build", ("make",), {}, {"app": DigestSet.of(digest(APP))}, **more)  # type: ignore[arg-type]
        return seal(link, self.bob)

    def policy(self) -> Policy:
        """The policy, signed by its owner. Raises `Malformed` where no policy may say what it says."""
        raw = seal(read_policy_document(self.document), self.owner)
        return Policy.open(raw, [self.owner.key], path="root.layout")

    def judge(self, *documents: bytes, at: datetime = AT, limits: Limits = LOCAL, **more: Any) -> Verdict:
        """The verdict by these documents and the link of the build."""
        return self.judge_only(self.link(), *documents, at=at, limits=limits, **more)

    def judge_only(self, *documents: bytes, at: datetime = AT, limits: Limits = LOCAL, **more: Any) -> Verdict:
        """The verdict by these documents alone."""
        policy = self.policy()
        source = PieceSource(Piece(f"document {number}", raw) for number, raw in enumerate(documents))
        found = gather(policy, [source], limits=limits)
        return verify(Case(policy, at, found.exhibits, found.refused, limits=limits, **more))


def cause(verdict: Verdict) -> Check:
    """Why it did not pass: the deepest check that failed first."""
    assert not verdict.passed
    found = verdict.first_cause
    assert found is not None
    return found


def checks(verdict: Verdict, id: str) -> list[Check]:
    """All checks of one id."""
    return [check for _, check in verdict.root.walk() if check.id == id]
