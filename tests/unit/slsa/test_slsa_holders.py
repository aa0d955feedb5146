"""Links signed with certificates or by identities as accounts of a build: only of who may sign for the step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.certificate_authority import NOW, Holder, new_root
from tests.certified_chain import ANY, OWNER, by, layout_of, signer_of
from tests.sample_build import SampleBuild
from tests.sample_chain import Pieces

from navicert.envelope.document import seal
from navicert.model.identity import Identity, IdentityPolicy, Wanted
from navicert.model.layout import Layout
from navicert.model.release import Release
from navicert.model.terms import Terms
from navicert.slsa.account import Account
from navicert.slsa.builders import BuilderTable, Standing, Trust
from navicert.slsa.chain import Chain
from navicert.slsa.expectation import Steps
from navicert.slsa.setting import Common, Setting
from navicert.slsa.source import Source
from navicert.slsa.table import table_findings
from navicert.slsa.track import GITHUB, HOSTED, certified
from navicert.store.gather import gather
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import verify

ROOT, OTHER = new_root(), new_root("other CA")


def chain_of(layout: Layout, *signed: bytes, revoked: Revocations | None = None) -> Chain:
    policy = Policy.open(seal(layout, OWNER), [OWNER.key])
    store = Pieces()
    for index, raw in enumerate(signed):
        store.put("build", f"{index:08x}", raw)
    found = gather(policy, [store])
    case = Case(policy, NOW, found.exhibits, found.refused, revoked=revoked or Revocations())
    chain = Chain.of(case, verify(case), Steps())
    assert chain is not None
    return chain


def table(signer: Mapping[str, Any], **more: Any) -> BuilderTable:
    line = {"id": "https://ci.example/b", "signer": signer, "level": 3, "hosted": True, **more}
    return BuilderTable.from_json([line], "", {}, "expect.yaml")


def key_of(holder: Holder) -> dict[str, Any]:
    return {"key": signer_of(holder).key.public_pem().decode()}


LAYOUT = layout_of([ANY], {"ab" * 32: ROOT})


def test_a_link_with_a_certificate_is_recorded_and_its_key_may_be_a_service() -> None:
    holder = ROOT.issue("service")
    (link,) = chain_of(LAYOUT, *by(holder)).recorded
    builder, signer = table(key_of(holder)).service(link.keys, NOW, link.identities)
    assert builder is not None
    assert signer is not None
    assert table(key_of(ROOT.issue("service"))).service(link.keys, NOW) == (None, None)


def test_a_certificate_of_another_authority_records_nothing() -> None:
    assert chain_of(LAYOUT, *by(OTHER.issue("service"))).recorded == ()


def test_a_holder_of_another_name_records_nothing() -> None:
    named = layout_of([{**ANY, "common_name": "service"}], {"ab" * 32: ROOT})
    assert len(chain_of(named, *by(ROOT.issue("service"))).recorded) == 1
    assert chain_of(named, *by(ROOT.issue("tenant"))).recorded == ()


def test_a_holder_who_is_revoked_records_nothing() -> None:
    denied = Revocations(identities=frozenset({"service"}))
    assert chain_of(LAYOUT, *by(ROOT.issue("service")), revoked=denied).recorded == ()
    key = Revocations(keys=frozenset({signer_of(holder := ROOT.issue("service")).key.fingerprint}))
    assert chain_of(LAYOUT, *by(holder), revoked=key).recorded == ()


def test_who_may_sign_for_another_step_by_certificate_is_no_tenant_kept_apart() -> None:
    holder = ROOT.issue("service")
    (link,) = chain_of(LAYOUT, *by(holder)).recorded
    assert chain_of(LAYOUT).shared(link.keys) == ()
    steps = LAYOUT.to_json()
    steps["steps"].append({**steps["steps"][0], "name": "scan"})  # type: ignore[attr-defined, index]
    assert chain_of(Layout.from_json(steps)).shared(link.keys) == ("scan",)


# --- identities ----------------------------------------------------------------------------------------------------

COMMIT = "1f" * 20
CI = Identity(GITHUB, "https://github.com/acme/app/.github/workflows/ci.yml@refs/heads/main", {})


def test_an_identity_that_the_table_names_is_a_service_and_nobody_else() -> None:
    exact = {"identity": CI.san, "issuer": CI.issuer}
    builder, signer = table(exact).service((), NOW, (CI,))
    assert builder is not None
    assert signer == CI
    assert table({**exact, "issuer": "https://evil.example"}).service((), NOW, (CI,)) == (None, None)
    assert table(exact).service((), NOW, ()) == (None, None)


def test_a_line_for_everybody_names_no_service_of_a_link() -> None:
    anybody = table({"identity": CI.san, "issuer": CI.issuer}, id={"matches": r"https://ci\.example/[a-z]+"})
    assert anybody.service((), NOW, (CI,)) == (None, None)


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ({"runnerEnvironment": HOSTED, "sourceRepositoryDigest": COMMIT}, ""),
        ({"runnerEnvironment": "self-hosted", "sourceRepositoryDigest": COMMIT}, "does not say that the runner was"),
        ({"sourceRepositoryDigest": COMMIT}, "does not say that the runner was"),
        ({"runnerEnvironment": HOSTED, "sourceRepositoryDigest": "2e" * 20}, "for another commit"),
        ({"runnerEnvironment": HOSTED}, "for another commit"),
    ],
)
def test_what_the_certificate_says_of_runner_and_commit_holds_for_links_too(claims: dict[str, str], says: str) -> None:
    standing = Standing(Trust.TRUSTED, "", None, Identity(CI.issuer, CI.san, claims))
    account = Account(standing, source=Source("", "", frozenset({COMMIT})))
    assert says in certified(account)
    assert bool(certified(account)) is bool(says)


def by_identity() -> Account:
    """The build as the identity `CI` recorded it, which the table names as a service."""
    (link,) = chain_of(LAYOUT, *by(ROOT.issue("service"))).recorded
    link = replace(link, keys=(), principals=frozenset({CI.principal}), identities=(CI,))
    builder, signer = table({"identity": CI.san, "issuer": CI.issuer}).service((), NOW, (CI,))
    return Account(Standing(Trust.TRUSTED, "its identity signed the step", builder, signer), None, link)


def test_an_identity_that_is_a_person_s_is_no_service() -> None:
    account = by_identity()
    build = SampleBuild()
    carol = {"identity": CI.san, "issuer": CI.issuer}
    # Another claim makes no other person of her.
    released = carol | {"claims": {"sourceRepositoryRef": "refs/heads/release"}}
    for people, met in ({}, True), ({"carol": carol}, False), ({"carol": released}, False):
        build.expectations["people"], build.expectations["reviewers"] = people, []
        found = table_findings(Setting(account, Common(build.inquiry(), (account,))))["generated"]
        assert found.met is met
    assert "is carol, not a service" in found.reason


def test_an_identity_of_a_person_of_the_layout_is_no_service() -> None:
    """Who builds with a key of her own and is a service as an identity would vouch for herself."""
    account = by_identity()
    carol = IdentityPolicy.exactly(CI.san, CI.issuer)
    anybody = IdentityPolicy(Wanted.matching(".+"), Wanted.exactly(CI.issuer))
    for own, met in ({}, True), ({"carol": (carol,)}, False), ({"carol": (carol,), "dora": (anybody,)}, False):
        layout = replace(LAYOUT, terms=Terms(Release("app", 1), identities=own))
        inquiry = replace(SampleBuild().inquiry(), chain=chain_of(layout))
        found = table_findings(Setting(account, Common(inquiry, (account,))))["generated"]
        assert found.met is met
    assert "is a person, not a service" in found.reason
