"""Policies of a cluster that believe identities and timestamps: who is not exactly who is named lets nothing in.

Layouts, bundles and images are real; what decides is what the webhook runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.admission_world import World, pod, world
from tests.attacks.test_timestamps import CLOCK, TSA_ROOT, stamped
from tests.image_chain import layout, links

from navicert.admission.decision import Decision, Outcome, denial
from navicert.envelope.document import add_signatures, open_document, seal
from navicert.errors import Malformed
from navicert.model.layout import Layout
from navicert.model.policy import read_policy_document
from navicert.oci.attachment import PACK
from navicert.store import Filing
from navicert.store.pack import Pack, write_pack
from navicert.testing import signer
from navicert.testing.bundle import as_bytes, keyless
from navicert.testing.sigstore import ISSUER, SAN, SIGNED, PrivateSigstore
from navicert.timestamp import format_timestamp

ALLOWED, DENIED = Outcome.ALLOWED, Outcome.DENIED
OURS, THEIRS = PrivateSigstore(), PrivateSigstore("evil")
ROOT = {"inline": OURS.root_bytes().decode()}
JANE = "jane@example.com"
EXACT = {"identity": SAN, "issuer": ISSUER}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path) as made:
        yield made


def bundle(body: Any, sigstore: PrivateSigstore = OURS, san: str = SAN, **certificate: Any) -> bytes:
    return as_bytes(keyless(sigstore, body, certificate={"san": san, **certificate}))


def attached(here: World, root: bytes, *evidence: bytes) -> str:
    """The reference to an image with a chain attached to it whose layout is `root`."""
    image = here.image()
    bob = signer("bob")
    made = [Filing(link.name, bob.keyid, seal(link, bob)) for link in links(here.products(image))]
    if evidence:
        made = [Filing(None, "", raw) for raw in evidence]
    here.registry.add_artifact("shop/app", write_pack(Pack(root, tuple(made))), PACK, subject=image, artifact_type=PACK)
    return here.ref(image)


def decided(here: World, reference: str, owners: dict[str, Any], **spec: Any) -> Decision:
    here.use(here.policy(owners=owners, **{"trustedRoot": ROOT, **spec}))
    return here.decide(pod(reference))


def admitted(here: World, reference: str, owners: dict[str, Any], **spec: Any) -> bool:
    decision = decided(here, reference, owners, **spec)
    assert decision.outcome in (ALLOWED, DENIED)
    assert decision.outcome is ALLOWED or decision.reason.startswith("layout.owner")
    return decision.outcome is ALLOWED


# --- owners --------------------------------------------------------------------------------------------------------


def test_a_layout_that_an_identity_owns_lets_its_images_in(here: World) -> None:
    reference = attached(here, bundle(layout()))
    assert admitted(here, reference, {"identities": [EXACT]})
    assert admitted(here, reference, {"identities": [{"identityMatching": "https://.+", "issuer": ISSUER}]})


@pytest.mark.parametrize(
    "wanted",
    [
        EXACT | {"identity": SAN + "x"},
        EXACT | {"identity": "https://.+"},
        EXACT | {"issuer": "https://evil.example"},
        {"identityMatching": SAN[:10], "issuer": ISSUER},
        EXACT | {"claims": {"sourceRepositoryURI": "https://elsewhere.example/app"}},
        EXACT | {"claimsMatching": {"sourceRepositoryURI": ".+"}},
    ],
)
def test_another_identity_than_the_one_that_is_named(here: World, wanted: dict[str, Any]) -> None:
    assert not admitted(here, attached(here, bundle(layout())), {"identities": [wanted]})


def test_claims_of_the_certificate_are_held_against_what_is_asked(here: World) -> None:
    claims = {"sourceRepositoryURI": "https://github.com/acme/app"}
    reference = attached(here, bundle(layout(), claims=claims))
    assert admitted(here, reference, {"identities": [EXACT | {"claims": claims}]})
    matching = {"claimsMatching": {"1.3.6.1.4.1.57264.1.12": "https://github.com/acme/.+"}}
    assert admitted(here, reference, {"identities": [EXACT | matching]})


def test_the_right_name_vouched_for_by_the_wrong_issuer(here: World) -> None:
    assert not admitted(here, attached(here, bundle(layout(), issuer="https://evil.example")), {"identities": [EXACT]})


def test_the_same_name_of_another_authority(here: World) -> None:
    assert not admitted(here, attached(here, bundle(layout(), THEIRS)), {"identities": [EXACT]})


def test_a_certificate_outside_of_its_window(here: World) -> None:
    late = bundle(layout(), start=SIGNED - timedelta(hours=2))
    assert not admitted(here, attached(here, late), {"identities": [EXACT]})


def test_without_a_trust_root_of_its_own_the_public_one_is_asked(here: World) -> None:
    """Which knows nothing of this instance, and is there without a network."""
    assert not admitted(here, attached(here, bundle(layout())), {"identities": [EXACT]}, trustedRoot=None)


def test_the_trust_root_of_one_policy_is_nothing_to_another(here: World) -> None:
    """Also where both see the same bytes, which are remembered once opened."""
    reference = attached(here, bundle(layout()))
    assert admitted(here, reference, {"identities": [EXACT]})
    assert not admitted(here, reference, {"identities": [EXACT]}, trustedRoot={"inline": THEIRS.root_bytes().decode()})
    assert admitted(here, reference, {"identities": [EXACT]})


def test_what_nobody_can_have_signed_yet_is_looked_at_again_later(here: World) -> None:
    reference = attached(here, bundle(layout()))
    owners = {"identities": [EXACT]}
    here.now = SIGNED - timedelta(days=1)
    assert not admitted(here, reference, owners)
    here.now = SIGNED + timedelta(days=1)
    here.seconds += 10_000
    assert admitted(here, reference, owners)


def test_keys_and_identities_make_one_threshold(here: World) -> None:
    raw = bundle(layout())
    envelope = json.dumps(json.loads(raw)["dsseEnvelope"]).encode()
    by_key = add_signatures(open_document(envelope), signer("owner"), replace=True)
    owners = {"keys": [{"file": "owner.pub"}], "identities": [EXACT]}
    reference = attached(here, by_key + b"\n" + raw + b"\n")
    assert admitted(here, reference, owners)
    assert admitted(here, reference, owners | {"threshold": 2})
    three = owners | {"identities": [EXACT, {"identity": JANE, "issuer": ISSUER}]}
    assert admitted(here, reference, three | {"threshold": 2})
    assert not admitted(here, reference, three)


def test_one_of_both_is_not_enough_where_all_are_asked_for(tmp_path: Path) -> None:
    owners = {"keys": [{"file": "owner.pub"}], "identities": [EXACT]}
    for number, raw in enumerate((bundle(layout()), seal(layout(), signer("owner")))):
        with world(tmp_path / str(number)) as here:
            reference = attached(here, raw)
            assert not admitted(here, reference, owners)
            assert admitted(here, reference, owners | {"threshold": 1})


def test_two_certificates_of_one_identity_count_once(here: World) -> None:
    anyone = {"identityMatching": ".+", "issuer": ISSUER}
    made = bundle(layout())
    again = as_bytes(keyless(OURS, layout(), kind="hashedrekord/0.0.2"))
    assert not admitted(here, attached(here, made + b"\n" + again), {"identities": [EXACT, anyone], "threshold": 2})


@pytest.mark.parametrize(
    "owners",
    [
        {},
        {"threshold": 1},
        {"identities": []},
        {"identities": [{}]},
        {"identities": [{"identity": SAN}]},
        {"identities": [{"issuer": ISSUER}]},
        {"identities": [EXACT | {"identity": ""}]},
        {"identities": [EXACT | {"issuer": ""}]},
        {"identities": [{"identityMatching": ".*", "issuer": ISSUER}]},
        {"identities": [{"identityMatching": "", "issuer": ISSUER}]},
        {"identities": [EXACT | {"identityMatching": ".+"}]},
        {"identities": [EXACT | {"claims": {}}]},
        {"identities": [EXACT | {"claims": {"sourceRepositoryURI": ""}}]},
        {"identities": [EXACT | {"claims": {"nonsense": "x"}}]},
        {"identities": [EXACT | {"claims": {"buildTrigger": "x"}, "claimsMatching": {"buildTrigger": ".+"}}]},
        {"identities": [EXACT | {"subjectRegExp": ".+"}]},
        {"identities": [EXACT, dict(EXACT)]},
        {"identities": [EXACT], "threshold": 2},
        {"identities": [EXACT], "threshold": 0},
    ],
)
def test_a_constraint_that_is_empty_missing_or_unknown_is_no_policy(here: World, owners: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        here.use(here.policy(owners=owners))


@pytest.mark.parametrize("root", [{}, {"inline": "{}"}, {"inline": ""}, {"url": "https://x"}, {"file": "absent.json"}])
def test_a_trust_root_that_names_nobody_is_no_policy(here: World, root: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        here.use(here.policy(owners={"identities": [EXACT]}, trustedRoot=root))


def test_files_name_trust_roots_and_timestamp_authorities(here: World) -> None:
    (here.folder / "root.json").write_bytes(OURS.root_bytes())
    (here.folder / "tsa.pem").write_text(CLOCK.pem + TSA_ROOT.pem)
    reference = attached(here, bundle(layout()))
    more = {"trustedRoot": {"file": "root.json"}, "timestampAuthorities": [{"file": "tsa.pem"}]}
    assert admitted(here, reference, {"identities": [EXACT]}, **more)


def test_the_command_in_a_refusal_asks_for_the_same_identity(here: World) -> None:
    decision = decided(here, attached(here, bundle(layout(), THEIRS)), {"identities": [EXACT]})
    text = denial(decision)
    assert f"--owner-identity {SAN} --owner-issuer {ISSUER} --trusted-root ROOT.json" in text


def test_a_name_that_a_shell_would_run_is_not_put_into_a_command(here: World) -> None:
    odd = {"identity": "$(touch x);`y`", "issuer": ISSUER}
    decision = decided(here, attached(here, bundle(layout(), THEIRS)), {"identities": [odd]})
    assert "--owner-identity NAME --owner-issuer" in denial(decision)


# --- evidence ------------------------------------------------------------------------------------------------------


def by_identity(wanted: dict[str, Any] | None = None, **more: Any) -> Layout:
    """A policy document whose one step an identity signs."""
    bob = signer("bob")
    step = {
        "name": "build",
        "threshold": 1,
        "pubkeys": [],
        "identities": [wanted or EXACT],
        "expected_materials": [["ALLOW", "src/*"], ["DISALLOW", "*"]],
        "expected_products": [["CREATE", "app/*"], ["DISALLOW", "*"]],
    }
    document = {
        "_type": "navicert-policy/v1",
        "name": "app",
        "version": 1,
        "expires": "2099-01-01T00:00:00Z",
        "keys": {bob.keyid: bob.key.to_json()},
        "steps": [step | more.pop("step", {})],
    }
    return read_policy_document(document | more)


def test_steps_that_identities_sign(here: World) -> None:
    image = here.image()
    (link,) = links(here.products(image), 1)
    root = seal(by_identity(), signer("owner"))
    owners = {"keys": [{"file": "owner.pub"}]}
    good = attached(here, root, bundle(link))
    assert decided(here, good, owners).outcome is ALLOWED
    assert decided(here, good, owners, trustedRoot=None).reason.startswith("evidence.found")
    assert decided(here, good, owners, revocations={"identities": [SAN]}).reason.startswith("step.threshold")


@pytest.mark.parametrize("more", [{"san": JANE}, {"sigstore": THEIRS}, {"issuer": "https://evil.example"}])
def test_steps_that_somebody_else_signed(here: World, more: dict[str, Any]) -> None:
    image = here.image()
    (link,) = links(here.products(image), 1)
    reference = attached(here, seal(by_identity(), signer("owner")), bundle(link, **more))
    decision = decided(here, reference, {"keys": [{"file": "owner.pub"}]})
    assert decision.outcome is DENIED
    assert decision.reason.startswith(("step.threshold", "evidence.found"))


# --- timestamps ----------------------------------------------------------------------------------------------------


def test_a_key_that_is_revoked_counts_for_what_was_timestamped_before(here: World) -> None:
    bob, image = signer("bob"), here.image()
    (link,) = links(here.products(image), 1)
    revoked = here.now - timedelta(days=2)
    validity = {bob.keyid: {"revoked": format_timestamp(revoked)}}
    policy = by_identity(step={"pubkeys": [bob.keyid], "identities": []}, validity=validity)
    root, raw = seal(policy, signer("owner")), seal(link, bob)
    owners: dict[str, Any] = {"keys": [{"file": "owner.pub"}]}
    authority = {"timestampAuthorities": [{"pem": CLOCK.pem + TSA_ROOT.pem}]}

    def outcome(moment: datetime | None, **spec: Any) -> Outcome:
        evidence = raw if moment is None else stamped(raw, moment)
        here.seconds += 10_000  # what was refused before is forgotten
        return decided(here, attached(here, root, evidence), owners, **spec).outcome

    assert outcome(None, **authority) is DENIED
    assert outcome(revoked + timedelta(hours=1), **authority) is DENIED
    assert outcome(revoked - timedelta(hours=1)) is DENIED  # by nobody whom the policy believes
    assert outcome(revoked - timedelta(hours=1), **authority) is ALLOWED


@pytest.mark.parametrize("authorities", [[], [{}], [{"pem": "x"}], [{"pem": "x", "file": "y"}], [{"file": "absent"}]])
def test_authorities_that_are_none_are_no_policy(here: World, authorities: list[Any]) -> None:
    with pytest.raises(Malformed):
        here.use(here.policy(timestampAuthorities=authorities))


def test_more_authorities_than_a_policy_may_have(here: World) -> None:
    with pytest.raises(Malformed, match="too many"):
        here.use(here.policy(timestampAuthorities=[{"pem": CLOCK.pem + TSA_ROOT.pem} for _ in range(17)]))
