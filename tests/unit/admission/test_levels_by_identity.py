"""Levels of SLSA at admission where whoever built has no key: provenance in Sigstore bundles, beside the image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import World, pod, world
from tests.sample_build import BUILDER, COMMIT, REPOSITORY, SOURCE, TYPE, provenance, statement

from navicert.admission.decision import Outcome
from navicert.errors import Malformed
from navicert.model.statement import Statement
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, PrivateSigstore

SIGSTORE = PrivateSigstore()
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PARAMETERS = {"parameters": {"source": SOURCE, "entryPoint": "ci/build.yaml"}}
CLAIMS = {
    "runnerEnvironment": "github-hosted",
    "sourceRepositoryURI": REPOSITORY,
    "sourceRepositoryDigest": COMMIT,
    "sourceRepositoryRef": "refs/heads/main",
}
GENERATOR = (
    "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml"
    "@refs/tags/v2.1.0"
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def expectations(level: int = 3, **more: Any) -> dict[str, Any]:
    builder = {"id": BUILDER, "signer": {"identity": SAN, "issuer": ISSUER}, "level": level, "hosted": True}
    return {
        "type": "navicert-expectations/v1",
        "images": [{"source": f"git+{REPOSITORY}", "builder": BUILDER, "build_type": TYPE, **PARAMETERS}],
        "builders": [builder],
        **more,
    }


def asking(here: World, level: int = 3, root: PrivateSigstore | None = SIGSTORE, **slsa: Any) -> None:
    """Decide by a policy that asks for a build level, and believes identities by `root`."""
    trust = {} if root is None else {"trustedRoot": {"inline": root.root_bytes().decode()}}
    clause = {"require": {"build": level}, "expectations": expectations()} | slsa
    here.use(here.policy(slsa=clause, **trust))


def built(here: World, *, of: str = "", sigstore: PrivateSigstore = SIGSTORE, **certificate: Any) -> str:
    """An image whose chain holds, with provenance of it (or of another digest) in a bundle by an identity."""
    image = here.image()
    here.attest(image)
    said = statement("https://slsa.dev/provenance/v1", provenance(), {"sha256": of or image.digest.hex})
    raw = as_bytes(keyless(sigstore, Statement.from_json(said), certificate={"claims": CLAIMS, **certificate}))
    here.registry.add_artifact("shop/app", raw, BUNDLE, subject=image, artifact_type=BUNDLE)
    return here.ref(image)


def test_a_builder_that_is_known_by_its_identity_reaches_the_level(here: World):
    reference = built(here)
    asking(here)
    assert here.decide(pod(reference)).outcome is Outcome.ALLOWED


@pytest.mark.parametrize(
    "certificate",
    [
        {"san": "https://github.com/eve/app/.github/workflows/build.yml@refs/heads/main"},
        {"issuer": "https://issuer.example"},
        {"of": "a" * 64},
        {"sigstore": PrivateSigstore("other")},
    ],
    ids=["another identity", "an issuer that vouches for anything", "another image", "another root"],
)
def test_provenance_by_whom_nobody_named_reaches_nothing(here: World, certificate: dict[str, Any]):
    reference = built(here, **certificate)
    asking(here)
    decision = here.decide(pod(reference))
    assert decision.outcome is Outcome.DENIED
    assert decision.reason.startswith("slsa")


def test_identities_are_believed_by_the_root_of_the_policy_and_not_by_any(here: World):
    reference = built(here)
    asking(here, root=None)
    assert here.decide(pod(reference)).reason.startswith("slsa")
    asking(here, root=PrivateSigstore("other"))
    assert here.decide(pod(reference)).reason.startswith("slsa")


def test_an_identity_that_the_policy_revokes_reaches_nothing(here: World):
    reference = built(here)
    clause = {"require": {"build": 3}, "expectations": expectations()}
    root = {"trustedRoot": {"inline": SIGSTORE.root_bytes().decode()}}
    here.use(here.policy(slsa=clause, revocations={"identities": [SAN]}, **root))
    assert here.decide(pod(reference)).outcome is Outcome.DENIED


def test_a_payload_that_was_changed_in_its_bundle_reaches_nothing(here: World):
    image = here.image()
    here.attest(image)
    other = statement("https://slsa.dev/provenance/v1", provenance(), {"sha256": "a" * 64})
    good = statement("https://slsa.dev/provenance/v1", provenance(), {"sha256": image.digest.hex})
    bundle = keyless(SIGSTORE, Statement.from_json(other))
    bundle["dsseEnvelope"]["payload"] = keyless(SIGSTORE, Statement.from_json(good))["dsseEnvelope"]["payload"]
    here.registry.add_artifact("shop/app", as_bytes(bundle), BUNDLE, subject=image, artifact_type=BUNDLE)
    asking(here)
    assert here.decide(pod(here.ref(image))).reason.startswith("slsa")


def test_the_table_that_ships_knows_builders_and_an_impostor_of_one_reaches_nothing(here: World):
    said = provenance()
    said["runDetails"]["builder"]["id"] = GENERATOR
    expected = expectations(builders=[], images=[{"source": f"git+{REPOSITORY}", **PARAMETERS}])
    outcomes = {}
    for name, san in (("itself", GENERATOR), ("impostor", SAN)):
        image = here.image(tag=name, content=name.encode())
        here.attest(image)
        body = Statement.from_json(statement("https://slsa.dev/provenance/v1", said, {"sha256": image.digest.hex}))
        raw = as_bytes(keyless(SIGSTORE, body, certificate={"san": san, "claims": CLAIMS}))
        here.registry.add_artifact("shop/app", raw, BUNDLE, subject=image, artifact_type=BUNDLE)
        asking(here, expectations=expected)
        decision = here.decide(pod(here.ref(image)))
        outcomes[name] = decision.outcome
    assert outcomes == {"itself": Outcome.ALLOWED, "impostor": Outcome.DENIED}


def test_a_named_identity_counts_as_a_given_key_does_and_no_higher(here: World):
    reference = built(here)
    bare = expectations(builders=[])
    for identities, level, outcome in (
        ([], 1, Outcome.DENIED),
        ([{"identity": SAN, "issuer": ISSUER}], 1, Outcome.ALLOWED),
        ([{"identity": SAN, "issuer": ISSUER}], 2, Outcome.DENIED),
        ([{"identity": SAN, "issuer": "https://issuer.example"}], 1, Outcome.DENIED),
    ):
        asking(here, level, expectations=bare, identities=identities)
        assert here.decide(pod(reference)).outcome is outcome, (identities, level)


@pytest.mark.parametrize(
    "identities",
    [[{"identity": SAN}], [{"issuer": ISSUER}], [{"identity": SAN, "issuer": ISSUER}] * 2, [{"name": SAN}]],
    ids=["at any issuer", "anybody of an issuer", "named twice", "an unknown field"],
)
def test_an_identity_that_says_too_little_is_refused(here: World, identities: list[dict[str, str]]):
    with pytest.raises(Malformed):
        asking(here, identities=identities)
