"""A build to judge by SLSA: everything that there can be said about it, signed, and each part to be changed.

As it is, `app` reaches Build L3, Source L3 and level 4 of v0.1: a hermetic builder that is trusted at level 3 built it
from a commit that two persons reviewed, and what is expected of it is so.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from navicert.crypto.key import Key
from navicert.crypto.signer import MemorySigner, generate
from navicert.digest import Digest, DigestSet, sha256
from navicert.envelope.document import open_document, seal
from navicert.model.identity import IdentityPolicy
from navicert.model.statement import Statement
from navicert.slsa.account import Inquiry
from navicert.slsa.assess import Assessment, assess
from navicert.slsa.attestation import Artifact, Attestation, Pool
from navicert.slsa.builders import BuilderTable
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Expectations
from navicert.verdict import Check
from navicert.verify.case import Part, Target

AT = datetime(2026, 10, 1, tzinfo=UTC)
APP = b"the application\n"
COMMIT = "1f" * 20
REPOSITORY = "https://git.example/app"
SOURCE = f"git+{REPOSITORY}@refs/heads/main"
BUILDER = "https://ci.example/builder/v1"
TYPE = "https://ci.example/build/v1"
VERIFIER = "https://verifier.example/v1"
RESOURCE = "pkg:generic/app"
BASE: dict[str, Any] = {"uri": "pkg:oci/base@1", "digest": {"sha256": sha256(b"base").hex}}
STATEMENT = "https://in-toto.io/Statement/v1"
SCAI = "https://in-toto.io/attestation/scai/v0.3"
TRACE = "https://in-toto.io/attestation/runtime-trace/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"

Document = dict[str, Any]
Change = Callable[["SampleBuild"], object]


def pem(signer: MemorySigner) -> str:
    """The public key of `signer`, as expectations carry it."""
    return signer.key.public_pem().decode()


def statement(kind: str, predicate: Document, digest: dict[str, str], **more: Any) -> Document:
    """A statement about one subject."""
    subject = {"name": "app", "digest": digest, **more}
    return {"_type": STATEMENT, "subject": [subject], "predicateType": kind, "predicate": predicate}


def summary(levels: list[str], *, resource: str, verifier: str = VERIFIER, **more: Any) -> Document:
    """The predicate of a verification summary that passed."""
    return {
        "verifier": {"id": verifier},
        "timeVerified": "2026-09-01T00:00:00Z",
        "resourceUri": resource,
        "policy": {"uri": "https://verifier.example/policy"},
        "verificationResult": "PASSED",
        "verifiedLevels": levels,
        **more,
    }


def provenance() -> Document:
    """The predicate that the builder signs."""
    return {
        "buildDefinition": {
            "buildType": TYPE,
            "externalParameters": {"source": SOURCE, "entryPoint": "ci/build.yaml"},
            "resolvedDependencies": [{"uri": SOURCE, "digest": {"gitCommit": COMMIT}}, dict(BASE)],
        },
        "runDetails": {"builder": {"id": BUILDER}, "metadata": {"invocationId": "7"}},
    }


def old_provenance() -> Document:
    """The same build in v0.2."""
    return {
        "builder": {"id": BUILDER},
        "buildType": TYPE,
        "invocation": {"configSource": {"uri": SOURCE, "digest": {"sha1": COMMIT}, "entryPoint": "ci/build.yaml"}},
        "metadata": {"completeness": {"parameters": True, "materials": True}},
        "materials": [{"uri": SOURCE, "digest": {"sha1": COMMIT}}, dict(BASE)],
    }


@dataclass
class SampleBuild:
    """Everything about one build. A test changes a field, or the documents in it, and asks for the assessment."""

    builder: MemorySigner = field(default_factory=generate)
    verifier: MemorySigner = field(default_factory=generate)
    monitor: MemorySigner = field(default_factory=generate)
    alice: MemorySigner = field(default_factory=generate)
    bob: MemorySigner = field(default_factory=generate)
    mallory: MemorySigner = field(default_factory=generate)
    documents: list[tuple[Document, MemorySigner | None]] = field(default_factory=list)
    """Statements, each with who signs it; None for nobody."""
    expectations: Document = field(default_factory=dict)
    trusted: str = "pinned"
    require: dict[str, int] = field(default_factory=dict)
    chain: Chain | None = None
    resources: tuple[str, ...] = (RESOURCE,)
    names: tuple[str, ...] = ("app",)
    table: BuilderTable = field(default_factory=BuilderTable)
    identities: tuple[IdentityPolicy, ...] = ()

    def __post_init__(self) -> None:
        app = {"sha256": sha256(APP).hex}
        reviewed = {"attributes": [{"attribute": "REVIEWED"}]}
        refs = {"annotations": {"sourceRefs": ["refs/heads/main"]}}
        self.documents = [
            (statement("https://slsa.dev/provenance/v1", provenance(), app), self.builder),
            (
                statement(
                    VSA, summary(["SLSA_SOURCE_LEVEL_3"], resource=f"git+{REPOSITORY}"), {"gitCommit": COMMIT}, **refs
                ),
                self.verifier,
            ),
            (statement(SCAI, copy.deepcopy(reviewed), {"gitCommit": COMMIT}), self.alice),
            (statement(SCAI, reviewed, {"gitCommit": COMMIT}), self.bob),
        ]
        self.expectations = {
            "type": "navicert-expectations/v1",
            "images": [
                {
                    "image": "app",
                    "source": f"git+{REPOSITORY}",
                    "ref": "refs/heads/main",
                    "builder": BUILDER,
                    "build_type": TYPE,
                    "parameters": {"source": SOURCE, "entryPoint": "ci/build.yaml"},
                }
            ],
            "builders": [
                {"id": BUILDER, "signer": {"key": pem(self.builder)}, "level": 3, "hosted": True, "hermetic": True}
            ],
            "verifiers": [
                {
                    "id": VERIFIER,
                    "signer": {"key": pem(self.verifier)},
                    "source": 4,
                    "build": 3,
                    "properties": ["SLSA_SOURCE_TWO_PARTY_REVIEWED"],
                }
            ],
            "people": {"alice": [pem(self.alice)], "bob": [pem(self.bob)]},
            "reviewers": ["alice", "bob"],
            "monitors": [pem(self.monitor)],
        }

    # --- what tests change -----------------------------------------------------------------------------------------

    @property
    def predicate(self) -> Document:
        """The provenance."""
        found: Document = self.documents[0][0]["predicate"]
        return found

    @property
    def parameters(self) -> Document:
        """Its external parameters."""
        found: Document = self.predicate["buildDefinition"]["externalParameters"]
        return found

    @property
    def dependencies(self) -> list[Document]:
        """Its dependencies."""
        found: list[Document] = self.predicate["buildDefinition"]["resolvedDependencies"]
        return found

    @property
    def expected(self) -> Document:
        """What is expected of `app`."""
        found: Document = self.expectations["images"][0]
        return found

    @property
    def line(self) -> Document:
        """The line of the builder table."""
        found: Document = self.expectations["builders"][0]
        return found

    @property
    def source_summary(self) -> Document:
        """The source summary."""
        found: Document = self.documents[1][0]["predicate"]
        return found

    def sign(self, number: int, signer: MemorySigner | None) -> None:
        """Have a document signed by somebody else."""
        self.documents[number] = (self.documents[number][0], signer)

    def add(self, document: Document, signer: MemorySigner | None) -> None:
        """One more document."""
        self.documents.append((document, signer))

    def old(self) -> None:
        """Provenance in v0.2 instead of v1."""
        document = copy.deepcopy(self.documents[0][0])
        document |= {"predicateType": "https://slsa.dev/provenance/v0.2", "predicate": old_provenance()}
        self.documents[0] = (document, self.builder)

    # --- what is judged --------------------------------------------------------------------------------------------

    @property
    def keys(self) -> list[Key]:
        """Every key there is: whoever signs, the signature is checked."""
        return [one.key for one in (self.builder, self.verifier, self.monitor, self.alice, self.bob, self.mallory)]

    def attestations(self) -> list[Attestation]:
        """The documents, their signatures checked."""
        return [self._attested(number, *one) for number, one in enumerate(self.documents)]

    def _attested(self, number: int, document: Document, signer: MemorySigner | None) -> Attestation:
        body, origin = Statement.from_json(document), f"{number}.intoto.json"
        if signer is None:
            return Attestation(body, origin, Digest("sha256", f"{number:064x}"))
        verified = open_document(seal(body, signer), path=origin).verified_by(self.keys)
        assert verified is not None
        attestation = Attestation.of(verified)
        assert attestation is not None
        return attestation

    def inquiry(self) -> Inquiry:
        """All of it."""
        part = Part("app", frozenset({sha256(APP).hex}))
        artifact = Artifact(Target("app", "file", (part,)), DigestSet.of({"sha256": sha256(APP).hex}))
        expectations = Expectations.from_json(self.expectations, origin="expect.yaml", trusted=self.trusted)
        table = self.table.overridden_by(expectations.builders)
        pool = Pool.of(self.attestations())
        return Inquiry(
            artifact,
            AT,
            pool,
            expectations,
            table,
            self.names,
            self.resources,
            self.chain,
            dict(self.require),
            identities=self.identities,
        )

    def assess(self) -> Assessment:
        """What comes out."""
        return assess(self.inquiry())


def leaf(assessment: Assessment, id: str, *, declared: bool = False) -> Check:
    """The check of one requirement, in the ladder that it is judged in."""
    ladders = [ladder for ladder in assessment.ladders if ladder.declared is declared]
    found = [check for ladder in ladders for _, check in ladder.check.walk() if check.id == id]
    assert len(found) == 1, f"{id} stands there {len(found)} times"
    return found[0]
