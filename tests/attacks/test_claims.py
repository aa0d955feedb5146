"""Claims: what an image index holds unsigned counts only where a policy says so, and signed evidence pins the index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.policy_chain import AT, TEST_RESULT, PolicyChain, cause, checks, report

from navicert.cli.main import main
from navicert.digest import Digest, DigestSet, sha256
from navicert.envelope.document import seal
from navicert.errors import Malformed
from navicert.model.link import Link
from navicert.model.statement import Statement
from navicert.oci.manifest import Descriptor, Platform
from navicert.oci.media import OCI_MANIFEST
from navicert.report.document import SeenDocument, render_document
from navicert.store import Piece, PieceSource, Pin
from navicert.store.gather import gather
from navicert.testing.registry import LoopbackRegistry
from navicert.verdict import Verdict
from navicert.verify.case import Case, Revocations
from navicert.verify.evaluate import verify

SPDX = "https://spdx.dev/Document"
SIGN = "https://sigstore.dev/cosign/sign/v1"
BILL: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "name": "app",
    "documentNamespace": "https://acme.example/app",
    "creationInfo": {"created": "2026-09-30T12:00:00Z", "creators": ["Tool: buildkit"]},
    "dataLicense": "CC0-1.0",
    "packages": [{"SPDXID": "SPDXRef-app", "name": "app", "downloadLocation": "NOASSERTION"}],
}
FIRST_INDEX = Digest.parse("sha256:" + "00" * 32)
"""One that is looked at before all others."""
INDEX, OTHER_INDEX, AMD, ARM, OTHER = (sha256(name) for name in (b"index", b"other index", b"amd", b"arm", b"other"))


def claim(*subjects: Digest, type: str = SPDX, predicate: object = BILL) -> bytes:
    """A statement that nobody signed."""
    value = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": type,
        "subject": [{"name": f"pkg:docker/app?n={n}", "digest": {"sha256": d.hex}} for n, d in enumerate(subjects)],
        "predicate": predicate,
    }
    return json.dumps(value).encode()


class Chain(PolicyChain):
    """A build that records an index of two platforms, and a policy that accepts a claimed SBOM of it."""

    def accept(self, **more: Any) -> Chain:
        self.document["steps"][0]["expected_products"] = [["CREATE", "app/*"], ["DISALLOW", "*"]]
        plain = {"name": "sbom", "types": [SPDX], "role": "inform", "claimed": "accepted"}
        self.predicates.append(plain | more)
        return self

    def built(self, **products: Digest) -> bytes:
        made = products or {"index": INDEX, "linux/amd64/manifest": AMD, "linux/arm64/manifest": ARM}
        sets = {f"app/{name}": DigestSet.of({"sha256": one.hex}) for name, one in made.items()}
        return seal(Link("build", ("docker", "build"), {}, sets), self.bob)

    def verdict(
        self, *claims: tuple[bytes, Digest], index: Digest | None = INDEX, signed: tuple[bytes, ...] = (), **more: Any
    ) -> Verdict:
        pieces = [Piece(f"document {number}", raw) for number, raw in enumerate(signed or (self.built(),))]
        for number, (raw, manifest) in enumerate(claims):
            pieces.append(Piece(f"claim {number}", raw, pin=None if index is None else Pin(index, manifest)))
        policy = self.policy()
        found = gather(policy, [PieceSource(pieces)])
        return verify(Case(policy, AT, found.exhibits, found.refused, claims=found.claims, **more))


@pytest.fixture
def chain() -> Chain:
    return Chain().accept()


def near_misses(verdict: Verdict) -> list[str]:
    return [check.reason for check in checks(verdict, "evidence.near-miss")]


def test_a_claim_in_the_index_that_a_step_made_counts_as_claimed(chain: Chain) -> None:
    verdict = chain.verdict((claim(AMD), AMD))
    assert verdict.passed
    (attestation,) = checks(verdict, "attestation")
    assert attestation.facts["class"] == "claimed"
    (pin,) = checks(verdict, "attestation.pinned")
    assert 'app/index" of step "build", a product' in pin.reason
    assert sha256(claim(AMD)) in verdict.inputs


def test_a_claim_in_an_index_that_a_signed_statement_is_about_counts(chain: Chain) -> None:
    predicate = {"name": "signature", "types": [SIGN], "role": "inform", "pubkeys": [chain.tess.keyid]}
    chain.predicates.append(
        predicate | {"subjects": [["MATCH", "app/linux/amd64/*", "WITH", "PRODUCTS", "FROM", "build"]]}
    )
    built = chain.built(**{"linux/amd64/manifest": AMD})
    about = [{"name": str(one), "digest": {"sha256": one.hex}} for one in (INDEX, AMD)]
    signature = Statement.from_json(
        {"_type": "https://in-toto.io/Statement/v1", "subject": about, "predicateType": SIGN, "predicate": {}}
    )
    assert chain.verdict((claim(AMD), AMD), signed=(built, seal(signature, chain.tess))).passed
    stranger = chain.verdict((claim(AMD), AMD), signed=(built, seal(signature, chain.eve)))
    assert not stranger.passed
    assert not checks(stranger, "attestation.pinned")[0].outcome.passes


class TestUnpinned:
    def test_an_unsigned_statement_in_an_index_that_nothing_pins(self, chain: Chain) -> None:
        verdict = chain.verdict((claim(AMD), AMD), index=OTHER_INDEX)
        assert cause(verdict).id == "attestation.pinned"
        assert "no product of a step" in cause(verdict).reason

    def test_an_unsigned_statement_that_lies_beside_the_image(self, chain: Chain) -> None:
        verdict = chain.verdict((claim(AMD), AMD), index=None)
        assert cause(verdict).id == "step.threshold"
        assert near_misses(verdict) == ["is not signed, and stands in no image index that could vouch for it"]

    def test_an_index_that_is_only_a_material_is_not_vouched_for(self, chain: Chain) -> None:
        chain.document["steps"][0]["expected_materials"] = [["ALLOW", "*"]]
        made = {"app/linux/amd64/manifest": DigestSet.of({"sha256": AMD.hex})}
        link = Link("build", (), {"base/index": DigestSet.of({"sha256": INDEX.hex})}, made)
        assert cause(chain.verdict((claim(AMD), AMD), signed=(seal(link, chain.bob),))).id == "attestation.pinned"

    def test_an_index_whose_link_a_stranger_signed(self, chain: Chain) -> None:
        link = Link("build", (), {}, {"app/index": DigestSet.of({"sha256": INDEX.hex})})
        assert not chain.verdict((claim(AMD), AMD), signed=(seal(link, chain.eve),)).passed

    def test_an_index_by_a_weak_digest_alone(self, chain: Chain) -> None:
        products = {
            "app/index": DigestSet.of({"md5": "ab" * 16}),
            "app/linux/amd64/manifest": DigestSet.of({"sha256": AMD.hex}),
        }
        verdict = chain.verdict((claim(AMD), AMD), signed=(seal(Link("build", (), {}, products), chain.bob),))
        assert cause(verdict).id == "attestation.pinned"

    def test_one_claim_does_not_pin_another(self, chain: Chain) -> None:
        # A claim about the index itself, in the same index.
        chain.accept(name="also", subjects=[["MATCH", "app/linux/*", "WITH", "PRODUCTS", "FROM", "build"]])
        built = chain.built(**{"linux/amd64/manifest": AMD})
        verdict = chain.verdict((claim(AMD, INDEX), AMD), signed=(built,))
        assert cause(verdict).id == "attestation.pinned"

    def test_a_pinned_copy_is_found_behind_one_that_is_not(self, chain: Chain) -> None:
        policy = chain.policy()
        raw = claim(AMD)
        pieces = [
            Piece("link", chain.built()),
            Piece("a", raw, pin=Pin(FIRST_INDEX, AMD)),
            Piece("b", raw, pin=Pin(INDEX, AMD)),
        ]
        found = gather(policy, [PieceSource(pieces)])
        assert verify(Case(policy, AT, found.exhibits, found.refused, claims=found.claims)).passed
        assert verify(Case(policy, AT, found.exhibits, found.refused, claims=found.claims[::-1])).passed


class TestAnotherSubject:
    def test_a_statement_about_another_manifest_than_its_index_says(self, chain: Chain) -> None:
        verdict = chain.verdict((claim(ARM), AMD))
        assert cause(verdict).id == "step.threshold"
        assert near_misses(verdict)[0].startswith(f"is about something else than {AMD}")

    def test_a_manifest_that_the_step_did_not_make(self, chain: Chain) -> None:
        assert cause(chain.verdict((claim(OTHER), OTHER))).id == "attestation.subject"

    def test_one_platform_does_not_speak_for_all(self) -> None:
        chain = Chain().accept(subjects=[["MATCH", "app/linux/*/manifest", "WITH", "PRODUCTS", "FROM", "build"]])
        assert cause(chain.verdict((claim(AMD), AMD))).id == "attestation.subject"
        assert chain.verdict((claim(AMD), AMD), (claim(ARM), ARM)).passed


class TestSigners:
    def test_a_claim_never_stands_for_a_statement_that_somebody_has_to_sign(self) -> None:
        chain = Chain().accept()
        chain.predicates[0] = {"name": "sbom", "types": [SPDX], "role": "inform", "pubkeys": [chain.tess.keyid]}
        verdict = chain.verdict((claim(AMD), AMD))
        assert cause(verdict).subject == "build/sbom"
        assert near_misses(verdict) == ["is signed by nobody, and the policy names who has to sign it"]
        chain.predicates[0] |= {"claimed": "refused"}
        assert not chain.verdict((claim(AMD), AMD)).passed

    @pytest.mark.parametrize("more", [{"threshold": 2}, {"pubkeys": "tess"}, {"identities": True}])
    def test_claims_and_signers_in_one_predicate_are_refused(self, more: dict[str, Any]) -> None:
        chain = Chain()
        if "pubkeys" in more:
            more = {"pubkeys": [chain.tess.keyid]}
        if "identities" in more:
            more = {"identities": [{"identity": "a@acme.example", "issuer": "https://acme.example"}]}
        with pytest.raises(Malformed, match="signers of a claim"):
            chain.accept(**more).policy()

    def test_a_policy_that_does_not_say_so_accepts_no_claim(self) -> None:
        chain = Chain().accept()
        del chain.predicates[0]["claimed"]
        with pytest.raises(Malformed, match="nobody may sign this predicate"):
            chain.policy()
        chain.predicates[0]["claimed"] = "yes"
        with pytest.raises(Malformed, match="not an answer"):
            chain.policy()

    def test_a_signed_statement_is_no_claim(self, chain: Chain) -> None:
        signed = seal(Statement.from_json(json.loads(claim(AMD))), chain.tess)
        verdict = chain.verdict(signed=(chain.built(), signed))
        assert cause(verdict).subject == "build/sbom"
        assert "is signed, and a claim is asked for" in near_misses(verdict)[0]


class TestWhatRestsOnClaims:
    def test_no_step_has_a_claim_for_its_record(self, chain: Chain) -> None:
        chain.document["steps"].append({"name": "bill", "record": "sbom", "predicates": [dict(chain.predicates[0])]})
        with pytest.raises(Malformed, match="a claim as the record of a step"):
            chain.policy()

    def test_no_rule_takes_anything_from_a_claim(self, chain: Chain) -> None:
        rule = ["MATCH", "*", "WITH", "MATERIALS", "FROM", "build/sbom"]
        chain.document["inspect"] = [{"name": "look", "run": ["true"], "expected_materials": [rule]}]
        with pytest.raises(Malformed, match="a MATCH from a claim"):
            chain.policy()
        del chain.document["inspect"]
        chain.require(subjects=[rule])
        with pytest.raises(Malformed, match="a MATCH from a claim"):
            chain.policy()

    def test_nor_by_the_name_that_a_parameter_gives(self, chain: Chain) -> None:
        chain.require(subjects=[["MATCH", "*", "WITH", "MATERIALS", "FROM", "{step}"]])
        about = [{"name": "app", "digest": {"sha256": AMD.hex}}]
        signed = (chain.built(), seal(report("PASSED", *about), chain.tess))
        with pytest.raises(Malformed, match="a MATCH from a claim"):
            chain.verdict((claim(AMD), AMD), signed=signed, parameters={"step": "build/sbom"})

    def test_a_claim_binds_no_target(self) -> None:
        from navicert.verify.case import Part, Target

        target = Target("app", "image", (), Part("app", frozenset({AMD.hex})))
        chain = Chain().accept(role="transform", types=["https://slsa.dev/provenance/v1"])
        provenance = claim(AMD, type="https://slsa.dev/provenance/v1", predicate={"buildDefinition": {}})
        assert chain.verdict((provenance, AMD), target=target).passed
        verdict = chain.verdict((provenance, AMD), target=target, target_step="build/sbom")
        assert cause(verdict).id == "target.bound"
        chain.document["target"] = "build/sbom"
        with pytest.raises(Malformed, match="a claim makes no target"):
            chain.policy()

    def test_two_that_could_not_be_told_apart(self, chain: Chain) -> None:
        with pytest.raises(Malformed, match="could not be told apart"):
            chain.accept(name="other").policy()


@pytest.mark.parametrize("rules", [[], [["ALLOW", "pkg:docker/app?n=0"], ["DISALLOW", "*"]]])
def test_leaving_claims_out_never_turns_a_refusal_into_a_pass(rules: list[list[str]]) -> None:
    """Every subset of good and bad claims: what passes with some of them passes with more of them."""
    chain = Chain().accept(
        attributes=[{"rule": "predicate.spdxVersion == 'SPDX-2.3'"}],
        subjects=[["MATCH", "app/linux/*/manifest", "WITH", "PRODUCTS", "FROM", "build"]],
        expected_materials=rules,
    )
    built = chain.built(**{"index": INDEX, "linux/amd64/manifest": AMD})
    policy = chain.policy()
    claims = [
        (claim(AMD), INDEX, AMD),
        (claim(AMD, ARM), INDEX, AMD),
        (claim(ARM), INDEX, ARM),
        (claim(AMD), FIRST_INDEX, AMD),
        (claim(AMD, predicate=BILL | {"spdxVersion": "SPDX-2.2"}), INDEX, AMD),
    ]
    passed = {}
    for chosen in range(2 ** len(claims)):
        pieces = [Piece("link", built)]
        for number, (raw, index, manifest) in enumerate(claims):
            if chosen >> number & 1:
                pieces.append(Piece(f"claim {number}", raw, pin=Pin(index, manifest)))
        found = gather(policy, [PieceSource(pieces)])
        passed[chosen] = verify(Case(policy, AT, found.exhibits, found.refused, claims=found.claims)).passed
    assert passed[1]
    assert not passed[0]
    assert not [(few, more) for few in passed for more in passed if few & more == few and passed[few] > passed[more]]


class TestContent:
    def test_a_claim_that_does_not_say_what_is_asked_for(self) -> None:
        chain = Chain().accept(attributes=[{"rule": "predicate.spdxVersion == 'SPDX-2.3'"}])
        assert chain.verdict((claim(AMD), AMD)).passed
        verdict = chain.verdict((claim(AMD, predicate=BILL | {"spdxVersion": "SPDX-2.2"}), AMD))
        assert cause(verdict).id == "attestation.attribute"

    def test_a_claim_that_is_too_old(self) -> None:
        chain = Chain().accept(max_age=3600)
        assert cause(chain.verdict((claim(AMD), AMD))).id == "attestation.age"

    def test_a_claim_that_is_revoked_or_whose_index_is(self, chain: Chain) -> None:
        for digest in (sha256(claim(AMD)), INDEX, AMD):
            assert not chain.verdict((claim(AMD), AMD), revoked=Revocations(digests=frozenset({str(digest)}))).passed

    @pytest.mark.parametrize("name", [b"./app", b"a//b", b"a/../b"])
    def test_a_claim_about_a_name_that_another_spelling_names_too(self, chain: Chain, name: bytes) -> None:
        odd = claim(AMD).replace(b"pkg:docker/app?n=0", name)
        verdict = chain.verdict((odd, AMD))
        assert cause(verdict).id == "step.threshold"
        assert f'not in normal form: "{name.decode()}"' in near_misses(verdict)[0]

    def test_a_claim_that_is_no_statement(self, chain: Chain) -> None:
        broken = json.loads(claim(AMD))
        broken["subject"] = []
        verdict = chain.verdict((json.dumps(broken).encode(), AMD))
        assert not verdict.passed
        assert not chain.verdict((claim(AMD).replace(b'"predicate"', b'"predicateType": "x", "predicate"'), AMD)).passed

    def test_a_claim_of_another_type_only(self, chain: Chain) -> None:
        assert not chain.verdict((claim(AMD, type=TEST_RESULT), AMD)).passed

    def test_more_claims_than_are_looked_at(self, chain: Chain) -> None:
        from navicert.limits import LOCAL

        many = [(claim(AMD, predicate=BILL | {"name": str(n)}), AMD) for n in range(LOCAL.links_per_step + 1)]
        assert "limit links_per_step" in str(near_misses(chain.verdict(*many)))


def test_what_a_policy_accepts_is_shown(chain: Chain) -> None:
    layout = chain.policy().verified
    assert layout is not None
    shown = render_document(SeenDocument("root.layout", "dsse", "", layout.body, ()), AT)
    assert "attested by nobody: a claim" in " ".join(shown.split())


# --- as people do it -----------------------------------------------------------------------------------------------

POLICY = """\
type: policy
name: app
version: 1
expires: 1 year
functionaries:
  bob: bob.pub
steps:
  - name: build
    by: bob
    products: [CREATE app/**, DISALLOW *]
    predicates:
      - name: sbom
        type: spdx
        claimed: accepted
        subjects: MATCH app/*/manifest WITH PRODUCTS FROM build
"""


def attested(server: LoopbackRegistry) -> Descriptor:
    """An image of one platform whose index holds a statement about it, as BuildKit writes it."""
    image = server.add_image("app")
    layer = server.add_blob("app", claim(image.digest), "application/vnd.in-toto+json").to_json()
    layer["annotations"] = {"in-toto.io/predicate-type": SPDX}
    config = server.add_blob("app", b"{}", "application/vnd.oci.image.config.v1+json").to_json()
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": [layer]}
    entry = server.add_manifest("app", manifest).to_json() | {
        "platform": {"os": "unknown", "architecture": "unknown"},
        "annotations": {
            "vnd.docker.reference.type": "attestation-manifest",
            "vnd.docker.reference.digest": str(image.digest),
        },
    }
    return server.add_index("app", {Platform("linux", "amd64"): image}, tag="1", more=(entry,))


def test_what_buildkit_wrote_satisfies_a_policy_that_accepts_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("auth.json").write_text("{}")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    for name in ("owner", "bob"):
        assert main(["keygen", name]) == 0
    Path("policy.yaml").write_text(POLICY)
    assert main(["layout", "sign", "policy.yaml", "--key", "owner", "-o", "root.layout"]) == 0
    with LoopbackRegistry() as server:
        image = f"{server.name}/app:1"
        attested(server)
        record = ["record", "start", "build", "--key", "bob"], ["record", "stop", "build", "--key", "bob", "-p"]
        assert main(record[0]) == 0
        assert main([*record[1], f"app=registry:{image}", "--insecure"]) == 0
        judge = ["verify", "--layout", "root.layout", "--owner", "owner.pub", "--insecure", image]
        assert main(judge) == 0
        assert main([*judge, "--json"]) == 0
        assert '"class": "claimed"' in capsys.readouterr().out
        Path("policy.yaml").write_text(POLICY.replace("claimed: accepted", "by: bob"))
        assert main(["layout", "sign", "policy.yaml", "--key", "owner", "-o", "root.layout", "--force"]) == 0
        assert main(judge) == 1
        assert "is signed by nobody" in capsys.readouterr().out


def test_yaml_that_names_signers_of_a_claim_is_refused_with_its_line() -> None:
    from navicert.authoring.draft import read_draft
    from navicert.authoring.yaml import read_yaml

    for more in ("by: bob", "threshold: 1"):
        text = POLICY.replace("claimed: accepted", f"claimed: accepted\n        {more}")
        with pytest.raises(Malformed, match="signers of a claim"):
            read_draft(read_yaml(text.encode()), path="policy.yaml")
    with pytest.raises(Malformed, match="not an answer"):
        read_draft(read_yaml(POLICY.replace("accepted", "true").encode()), path="policy.yaml")
    with pytest.raises(Malformed, match="nobody may sign this predicate"):
        read_draft(read_yaml(POLICY.replace("accepted", "refused").encode()), path="policy.yaml")
