"""The builder table: who may sign for which builder. Spec: SLSA v1.2 verifying-artifacts.md, step 1."""

from __future__ import annotations

from typing import Any

import pytest
from tests.sample_build import AT, BUILDER, TYPE, SampleBuild, pem

from navicert.crypto.signer import generate
from navicert.errors import Malformed
from navicert.model.identity import Identity
from navicert.slsa.attestation import Attestation
from navicert.slsa.builders import BuilderTable, SignerRule, Trust
from navicert.trust.builder import shipped_builders

GITHUB = "https://token.actions.githubusercontent.com"
GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v2.1.0"
OWN = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main"
WORKFLOW = "https://actions.github.io/buildtypes/workflow/v1"


class Signed(Attestation):
    """An attestation by an identity, as the verifier of bundles makes it."""

    __slots__ = ()
    who: tuple[Identity, ...] = ()

    @property
    def identities(self) -> tuple[Identity, ...]:
        return self.who


def attested(san: str = "", issuer: str = GITHUB) -> Attestation:
    one = SampleBuild().attestations()[0]
    if not san:
        return one
    kind = type("Signed", (Signed,), {"who": (Identity(issuer, san),), "__slots__": ()})
    found: Attestation = kind(one.statement, one.origin, one.digest)
    return found


def table(*lines: dict[str, Any]) -> BuilderTable:
    return BuilderTable.from_json(list(lines), "/builders", {}, "test")


def line(**more: Any) -> dict[str, Any]:
    return {"id": BUILDER, "signer": {"key": pem(generate())}, "level": 3, "hosted": True, **more}


def test_a_good_builder_id_by_the_wrong_signer_is_worth_nothing() -> None:
    standing = table(line()).judge(attested(), BUILDER, TYPE, AT)
    assert standing.trust is Trust.IMPOSTOR
    assert standing.level == 0
    assert "may sign for" in standing.reason


def test_a_builder_that_nobody_knows_is_worth_level_1() -> None:
    standing = table(line()).judge(attested(), "https://other.example", TYPE, AT)
    assert (standing.trust, standing.level) == (Trust.UNKNOWN, 1)


def test_a_line_without_a_signer_trusts_nobody() -> None:
    standing = table(line(signer=None)).judge(attested(), BUILDER, TYPE, AT)
    assert (standing.trust, standing.level) == (Trust.UNKNOWN, 1)
    assert "no key is bound" in standing.reason


def test_the_highest_line_that_the_signer_is_in_counts() -> None:
    build = SampleBuild()
    key = {"key": pem(build.builder)}
    lines = table(line(), line(signer=key, level=2), line(signer=key, level=3))
    assert lines.judge(build.attestations()[0], BUILDER, TYPE, AT).level == 3


def test_a_table_overrides_the_lines_of_another_with_the_same_id() -> None:
    both = table(line(level=3)).overridden_by(table(line(level=1, name="mine")))
    assert [one.name for one in both.builders] == ["mine"]


# --- what is shipped -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("id", "san", "issuer", "level"),
    [
        (GENERATOR, GENERATOR, GITHUB, 3),
        (OWN, OWN, GITHUB, 2),
        ("https://github.com/actions/runner/github-hosted", OWN, GITHUB, 2),
        (GENERATOR, OWN, GITHUB, 0),
        (GENERATOR, GENERATOR, "https://issuer.example", 0),
        (OWN, "https://github.com/acme/other/.github/workflows/release.yml@refs/heads/main", GITHUB, 0),
        (GENERATOR.replace("v2.1.0", "v2"), GENERATOR.replace("v2.1.0", "v2"), GITHUB, 2),
        (GENERATOR.replace("tags/v2.1.0", "heads/main"), GENERATOR.replace("tags/v2.1.0", "heads/main"), GITHUB, 2),
        (OWN + "/../../evil", OWN + "/../../evil\n", GITHUB, 0),
        ("https://github.com.evil.example/acme/app/.github/workflows/r.yml@refs/heads/main", OWN, GITHUB, 1),
        ("https://tekton.dev/chains/v2", OWN, GITHUB, 1),
    ],
)
def test_what_is_shipped_trusts_a_builder_under_its_own_name_only(id: str, san: str, issuer: str, level: int) -> None:
    # The type of build that the lines of one's own workflows are for.
    assert shipped_builders().judge(attested(san, issuer), id, WORKFLOW, AT).level == level


_TOOLS = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows"


@pytest.mark.parametrize(
    ("id", "san", "kind", "level"),
    [
        ("builder_maven_slsa3.yml@refs/tags/v2.1.0", "delegator_generic_slsa3.yml@refs/tags/v2.1.0", "generic", 3),
        (
            "builder_nodejs_slsa3.yml@refs/tags/v2.1.0",
            "delegator_lowperms-generic_slsa3.yml@refs/tags/v2.1.0",
            "lowperms-generic",
            3,
        ),
        # What anybody builds with the delegator is not a builder of its makers.
        ("builder_evil_slsa3.yml@refs/tags/v2.1.0", "delegator_generic_slsa3.yml@refs/tags/v2.1.0", "generic", 0),
        ("builder_maven_slsa3.yml@refs/tags/v2.1.0", "delegator_generic_slsa3.yml@refs/heads/main", "generic", 0),
        ("builder_maven_slsa3.yml@refs/tags/v2.1.0", "generator_generic_slsa3.yml@refs/tags/v2.1.0", "generic", 0),
        ("builder_maven_slsa3.yml@refs/tags/v2.1.0", "delegator_generic_slsa3.yml@refs/tags/v2.1.0", "other", 1),
    ],
)
def test_a_builder_that_a_delegator_signs_for(id: str, san: str, kind: str, level: int) -> None:
    kind = f"https://github.com/slsa-framework/slsa-github-generator/delegator-{kind}@v0"
    found = shipped_builders().judge(attested(f"{_TOOLS}/{san}", GITHUB), f"{_TOOLS}/{id}", kind, AT)
    assert found.level == level


def test_what_is_shipped_trusts_no_key() -> None:
    for one in shipped_builders().builders:
        assert one.signer is None or one.signer.key is None
        assert one.to_json()["level"] == one.level


def test_another_type_of_build_is_no_higher_than_level_1() -> None:
    standing = shipped_builders().judge(attested(OWN), OWN, "https://evil.example/type", AT)
    assert (standing.trust, standing.level) == (Trust.UNKNOWN, 1)


# --- reading -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"id": ""},
        {"id": {"matches": ".*"}},
        {"id": {"matches": ""}},
        {"level": 0},
        {"level": 4},
        {"level": True},
        {"level": "3"},
        {"hosted": False},
        {"hosted": "yes"},
        {"hermetic": 1},
        {"signer": {}},
        {"signer": {"identity": "", "issuer": GITHUB}},
        {"signer": {"identity": OWN, "issuer": ""}},
        {"signer": {"identity": OWN}},
        {"signer": {"identity": "{id}"}},
        {"signer": {"key": "0" * 64}},
        {"signer": {"key": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}},
        {"signer": {"key": "x", "identity": OWN}},
        {"sigstore": True},
        {"build_types": "all"},
    ],
)
def test_a_line_that_says_too_little_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        table(line(**change))


@pytest.mark.parametrize("name", ["id", "level", "signer"])
def test_a_line_says_everything(name: str) -> None:
    whole = line()
    del whole[name]
    with pytest.raises(Malformed, match=name):
        table(whole)


def test_a_key_may_be_named_by_its_id_where_it_was_given() -> None:
    signer = generate()
    found = SignerRule.from_json({"key": signer.keyid}, "", {signer.keyid: signer.key})
    assert found.key == signer.key
    with pytest.raises(Malformed, match="no such key"):
        SignerRule.from_json({"key": signer.keyid[:8]}, "", {signer.keyid: signer.key})
