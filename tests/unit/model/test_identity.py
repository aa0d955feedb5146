"""Identities of certificates, and which of them a policy means."""

from __future__ import annotations

import pytest

from navicert.errors import Malformed
from navicert.model.identity import ARC, CLAIMS, Identity, IdentityPolicy, Wanted, claim_name
from navicert.model.principal import Principal

ISSUER = "https://token.actions.githubusercontent.com"
SAN = "https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main"
BUILD = Identity(
    ISSUER, SAN, {"sourceRepositoryURI": "https://github.com/acme/app", "runnerEnvironment": "github-hosted"}
)


def test_one_workflow_counts_once_whatever_its_certificates_claim() -> None:
    again = Identity(ISSUER, SAN, {"sourceRepositoryDigest": "0" * 40})
    assert again.principal == BUILD.principal
    assert len({again.principal, BUILD.principal}) == 1


def test_the_same_name_at_another_issuer_is_somebody_else() -> None:
    assert Identity("https://evil.example", SAN).principal != BUILD.principal


def test_name_and_issuer_cannot_be_shifted_into_one_another() -> None:
    assert Identity("a b", "c").principal != Identity("a", "b c").principal
    assert Identity('a","b', "c").principal != Identity("a", 'b","c').principal


def test_an_identity_is_neither_a_person_nor_a_key_of_that_name() -> None:
    assert BUILD.principal not in {Principal("person", BUILD.principal.identity), Principal("key", SAN)}
    assert str(BUILD.principal) == SAN


@pytest.mark.parametrize(("issuer", "san"), [("", SAN), (ISSUER, ""), ("", "")])
def test_without_name_or_issuer_there_is_no_identity(issuer: str, san: str) -> None:
    with pytest.raises(Malformed, match="neither to be empty"):
        Identity(issuer, san)


def test_exactly_what_is_asked_for_is_accepted() -> None:
    policy = IdentityPolicy.exactly(SAN, ISSUER, sourceRepositoryURI="https://github.com/acme/app")
    assert policy.accepts(BUILD)
    assert policy.objections(BUILD) == ()


@pytest.mark.parametrize(
    ("policy", "objection"),
    [
        (IdentityPolicy.exactly(SAN + "x", ISSUER), f'identity is "{SAN}", wanted is "{SAN}x"'),
        (IdentityPolicy.exactly(SAN[:-1], ISSUER), "identity is"),
        (IdentityPolicy.exactly(SAN.upper(), ISSUER), "identity is"),
        (IdentityPolicy.exactly(SAN, ISSUER + "/"), "issuer is"),
        (IdentityPolicy.exactly(SAN, ISSUER, runnerEnvironment="self-hosted"), 'runnerEnvironment is "github-hosted"'),
        (IdentityPolicy.exactly(SAN, ISSUER, sourceRepositoryRef="refs/heads/main"), "sourceRepositoryRef is missing"),
        (IdentityPolicy.exactly("https://github.com/acme/.*", ISSUER), "identity is"),
    ],
)
def test_what_differs_is_named(policy: IdentityPolicy, objection: str) -> None:
    (found,) = policy.objections(BUILD)
    assert found.startswith(objection)


@pytest.mark.parametrize("make", [Wanted.exactly, Wanted.matching])
def test_an_empty_constraint_is_refused_and_never_means_anything(make) -> None:
    with pytest.raises(Malformed):
        make("")


def test_expressions_are_used_only_where_they_are_asked_for_and_match_as_a_whole() -> None:
    policy = IdentityPolicy(Wanted.matching(r"https://github\.com/acme/[^/]+/.+"), Wanted.exactly(ISSUER))
    assert policy.accepts(BUILD)
    assert not policy.accepts(Identity(ISSUER, "https://evil.example/?" + SAN))
    assert "what matches" in policy.objections(Identity(ISSUER, "x"))[0]


def test_a_policy_is_read_from_a_document_and_written_back() -> None:
    document = {
        "identity": {"matches": r"https://github\.com/acme/.+"},
        "issuer": ISSUER,
        "claims": {"1.3.6.1.4.1.57264.1.12": "https://github.com/acme/app", "runnerEnvironment": "github-hosted"},
    }
    policy = IdentityPolicy.from_json(document, "/signers/0")
    assert policy.accepts(BUILD)
    assert policy.to_json()["claims"] == {
        "sourceRepositoryURI": "https://github.com/acme/app",
        "runnerEnvironment": "github-hosted",
    }
    assert IdentityPolicy.from_json(policy.to_json(), "") == policy


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({"identity": SAN}, "/p"),
        ({"issuer": ISSUER}, "/p"),
        ({"identity": "", "issuer": ISSUER}, "/p/identity"),
        ({"identity": SAN, "issuer": ""}, "/p/issuer"),
        ({"identity": None, "issuer": ISSUER}, "/p/identity"),
        ({"identity": {"matches": ""}, "issuer": ISSUER}, "/p/identity"),
        ({"identity": {"matches": ".*"}, "issuer": ISSUER}, "/p/identity"),
        ({"identity": {}, "issuer": ISSUER}, "/p/identity"),
        ({"identity": {"regexp": "a"}, "issuer": ISSUER}, "/p/identity"),
        ({"identity": [SAN], "issuer": ISSUER}, "/p/identity"),
        ({"identity": SAN, "issuer": ISSUER, "claims": {}}, "/p/claims"),
        ({"identity": SAN, "issuer": ISSUER, "claims": {"runnerEnvironment": ""}}, "/p/claims/runnerEnvironment"),
        ({"identity": SAN, "issuer": ISSUER, "claims": {"owner": "acme"}}, "/p/claims/owner"),
        ({"identity": SAN, "issuer": ISSUER, "claims": {"buildTrigger": "a", ARC + "20": "b"}}, f"/p/claims/{ARC}20"),
        ({"identity": SAN, "issuer": ISSUER, "subject": "x"}, "/p"),
        (SAN, "/p"),
    ],
)
def test_a_policy_that_says_too_little_or_something_unknown_is_refused(document: object, where: str) -> None:
    with pytest.raises(Malformed) as caught:
        IdentityPolicy.from_json(document, "/p")
    assert caught.value.pointer == where


def test_claims_answer_to_name_and_object_identifier() -> None:
    assert claim_name(ARC + "9") == claim_name("buildSignerURI") == CLAIMS["9"]
    for name in (ARC + "1", ARC + "8", ARC + "7", ARC + "99", ARC, "", "9", "buildsigneruri"):
        with pytest.raises(Malformed, match="unknown claim"):
            claim_name(name)
