"""GPG keys in layouts: who counts for whom, which time is over, and what is no signature.

`M` is a master with the subkeys `S` and `T`. The table of who may sign is upstream's: who authorises a master
authorises its subkeys, and who authorises a subkey just this one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.checks import causes, misses
from tests.openpgp_builder import (
    EXPIRES,
    FLAGS,
    MADE,
    MASTER,
    Part,
    Pgp,
    PgpSigner,
    back_signature,
    name_packet,
    number,
    packet,
    pgp,
    public,
    subkey_packet,
)

from navicert.crypto.gpg import GpgKey
from navicert.crypto.gpg_bundle import read_bundle
from navicert.crypto.signer import Signer
from navicert.envelope.document import add_signatures, form_for, open_document, seal
from navicert.errors import Malformed, Refused
from navicert.limits import LOCAL
from navicert.model.layout import Layout, Step
from navicert.model.link import Link
from navicert.model.release import Release
from navicert.store.gather import gather
from navicert.testing import LATER, NOW, MemoryStore, digests, signer
from navicert.verdict import Verdict
from navicert.verify.authority import Authority
from navicert.verify.case import Case, Policy, Revocations
from navicert.verify.evaluate import evaluate
from navicert.verify.profile import Profile

M, S, T, N = pgp("master"), pgp("rsa sub"), pgp("sub"), pgp("dsa")
BUNDLE = public(M, S, T)
OTHER = public(N, pgp("rsa other"))
OWNER = signer("owner")
JUST_NOW = MADE + 60


def subkey(key: GpgKey, fingerprint: str) -> dict[str, object]:
    """The key object of one subkey."""
    (found,) = (one for one in key.subkeys if one.keyid == fingerprint)
    return found.to_json()


def by(key: Pgp, bundle: GpgKey = BUNDLE) -> PgpSigner:
    return PgpSigner(key, bundle)


def layout(
    keys: dict[str, Any],
    pubkeys: Iterable[str],
    *,
    threshold: int = 1,
    persons: dict[str, tuple[str, ...]] | None = None,
) -> Layout:
    steps = (Step("build", threshold, tuple(pubkeys)),)
    return Layout(LATER, steps, keys=keys, readme=Release(persons=persons or {}).append_to(""))


def judged(
    policy: Layout, signers: Sequence[Signer], *, at: datetime = NOW, profile: Profile = Profile.STRICT, **more: Any
) -> Verdict:
    """The verdict where each of `signers` filed a link."""
    opened = Policy.open(seal(policy, OWNER, form="metablock"), [OWNER.key])
    store = MemoryStore()
    for one in signers:
        link = Link("build", products={"app": digests(b"app")})
        store.put("build", one.keyid, seal(link, one, form="metablock"))
    found = gather(opened, [store])
    return evaluate(Case(opened, at, found.exhibits, found.refused, profile=profile, **more))


@pytest.fixture(params=list(Profile))
def profile(request: pytest.FixtureRequest) -> Profile:
    found: Profile = request.param
    return found


# --- who may sign --------------------------------------------------------------------------------------------------

WHOLE = {M.fingerprint: BUNDLE.to_json()}
ALONE = {S.fingerprint: subkey(BUNDLE, S.fingerprint)}


@pytest.mark.parametrize(
    ("made", "authorised", "keys", "passes"),
    [
        (M, M, WHOLE, True),
        (M, M, ALONE, False),
        (M, S, WHOLE, False),
        (M, S, ALONE, False),
        (S, M, WHOLE, True),
        (S, M, ALONE, False),
        (S, S, WHOLE, True),
        (S, S, ALONE, True),
        (T, M, WHOLE, True),
        (T, S, WHOLE, False),
        (T, S, ALONE, False),
        (S, S, {**WHOLE, **ALONE}, True),
        (T, S, {**WHOLE, **ALONE}, False),
        (M, S, {**WHOLE, **ALONE}, False),
        (T, M, {**WHOLE, **ALONE}, True),
    ],
)
def test_who_authorises_a_master_authorises_its_subkeys_and_a_subkey_only_itself(
    made: Pgp, authorised: Pgp, keys: dict[str, Any], passes: bool, profile: Profile
) -> None:
    verdict = judged(layout(keys, [authorised.fingerprint]), [by(made)], profile=profile)
    assert verdict.passed == passes


def test_a_subkey_of_another_master_signs_for_nobody_here() -> None:
    stranger = by(pgp("rsa other"), OTHER)
    assert not judged(layout(WHOLE, [M.fingerprint]), [stranger]).passed
    both = {**WHOLE, N.fingerprint: OTHER.to_json()}
    verdict = judged(layout(both, [M.fingerprint]), [stranger])
    assert "may not sign for this step" in misses(verdict)[0]


def test_a_signature_that_only_says_it_is_of_the_right_key_does_not_count() -> None:
    forged = PgpSigner(pgp("mallory"), BUNDLE)
    raw = seal(Link("build"), by(M), form="metablock")
    document = json.loads(raw)
    packet = forged.sign(b"x")
    made = public(pgp("mallory")).signature_entry("", packet)
    document["signatures"] = [{**made, "keyid": M.fingerprint}]
    sealed = open_document(json.dumps(document).encode())
    assert sealed.verified_by([BUNDLE]) is None


def test_an_openpgp_signature_is_tried_with_the_key_that_it_names_and_no_other() -> None:
    document = json.loads(seal(Link("build"), by(S), form="metablock"))
    document["signatures"][0]["keyid"] = T.fingerprint
    assert open_document(json.dumps(document).encode()).verified_by([BUNDLE]) is None


def test_a_crowd_of_subkeys_does_not_use_up_the_guesses_for_plain_keys() -> None:
    crowd = public(M, *(Pgp(T.private, created=MADE + index) for index in range(LOCAL.gpg_subkeys)))
    more = public(N, *(Pgp(S.private, created=MADE + index) for index in range(LOCAL.gpg_subkeys)))
    unnamed = json.loads(seal(Link("build"), OWNER))
    del unnamed["signatures"][0]["keyid"]
    assert LOCAL.key_guesses < len(crowd.members) + len(more.members)
    assert open_document(json.dumps(unnamed).encode()).verified_by([crowd, more, OWNER.key]) is not None


# --- whom it counts for --------------------------------------------------------------------------------------------


def test_two_subkeys_of_one_master_are_one_signer(profile: Profile) -> None:
    verdict = judged(layout(WHOLE, [M.fingerprint], threshold=2), [by(S), by(T), by(M)], profile=profile)
    assert causes(verdict) == ["step.threshold"]


def test_a_master_and_its_subkey_listed_apart_are_one_signer(profile: Profile) -> None:
    keys = {**WHOLE, **ALONE}
    policy = layout(keys, [M.fingerprint, S.fingerprint], threshold=2)
    assert causes(judged(policy, [by(M), by(S)], profile=profile)) == ["step.threshold"]


def test_two_masters_are_two_signers(profile: Profile) -> None:
    keys = {**WHOLE, N.fingerprint: OTHER.to_json()}
    policy = layout(keys, [M.fingerprint, N.fingerprint], threshold=2)
    assert judged(policy, [by(S), by(N, OTHER)], profile=profile).passed


def test_one_private_key_as_gpg_key_and_as_plain_key_is_one_signer() -> None:
    from navicert.crypto.signer import MemorySigner

    plain = MemorySigner.of(M.private)  # type: ignore[arg-type]
    policy = layout({**WHOLE, plain.keyid: plain.key.to_json()}, [M.fingerprint, plain.keyid], threshold=2)
    assert causes(judged(policy, [by(M), plain])) == ["step.threshold"]
    of_subkey = MemorySigner.of(S.private)  # type: ignore[arg-type]
    policy = layout({**WHOLE, of_subkey.keyid: of_subkey.key.to_json()}, [M.fingerprint, of_subkey.keyid], threshold=2)
    assert causes(judged(policy, [by(M), of_subkey])) == ["step.threshold"]


def test_a_subkey_of_two_masters_is_refused() -> None:
    adopted = {**BUNDLE.to_json(), "keyid": N.fingerprint, "type": OTHER.keytype, "method": OTHER.scheme}
    adopted["keyval"] = OTHER.to_json()["keyval"]
    with pytest.raises(Malformed, match="one subkey belongs to two keys"):
        Authority.of(layout({**WHOLE, N.fingerprint: adopted}, []))


def test_a_chain_of_subkeys_is_refused() -> None:
    below = {**OTHER.to_json(), "subkeys": {M.fingerprint: {**BUNDLE.to_json(), "subkeys": {}}}}
    with pytest.raises(Malformed, match="a key with subkeys is a subkey of another"):
        Authority.of(layout({**WHOLE, N.fingerprint: below}, []))


def test_a_subkey_and_another_key_under_one_id_are_refused() -> None:
    keys = {**WHOLE, S.fingerprint: OTHER.to_json()}
    with pytest.raises(Malformed, match="two different keys answer to one id"):
        Authority.of(layout(keys, []))


def test_a_person_signs_with_all_her_keys_and_their_subkeys() -> None:
    keys = {**WHOLE, N.fingerprint: OTHER.to_json()}
    ids = (M.fingerprint, N.fingerprint)
    policy = layout(keys, ids, threshold=2, persons={"alice": ids})
    assert causes(judged(policy, [by(S), by(N, OTHER)])) == ["step.threshold"]
    named = layout({**WHOLE, **ALONE}, [M.fingerprint], persons={"alice": (S.fingerprint,)})
    key = BUNDLE.subkeys[1]
    assert Authority.of(named).principal(key).identity == "alice"
    with pytest.raises(Malformed, match="one key belongs to two persons"):
        Authority.of(layout({**WHOLE, **ALONE}, [], persons={"alice": (M.fingerprint,), "bob": (S.fingerprint,)}))


def test_a_link_that_a_master_and_its_subkey_both_signed_is_of_one_signer() -> None:
    link = Link("build", products={"app": digests(b"app")})
    raw = add_signatures(open_document(seal(link, by(S), form="metablock")), by(T), by(M))
    verified = open_document(raw).verified_by([BUNDLE])
    assert verified is not None
    assert len(verified.signers) == 3
    authority = Authority.of(layout(WHOLE, [M.fingerprint]))
    assert len({authority.principal(key) for key in verified.signers}) == 1


def test_a_layout_below_may_know_a_subkey_that_the_one_above_does_not() -> None:
    """The keys of both are tried: the bundles are equal as keys, and have different members."""
    old, new = public(M, S), public(M, S, T)
    inner = layout({M.fingerprint: new.to_json()}, [M.fingerprint])
    outer = layout({M.fingerprint: old.to_json()}, [M.fingerprint])
    opened = Policy.open(seal(outer, OWNER, form="metablock"), [OWNER.key])
    store = MemoryStore()
    store.put("build", S.fingerprint, seal(inner, by(S, old), form="metablock"))
    inside = MemoryStore()
    inside.put("build", T.fingerprint, seal(Link("build"), by(T, new), form="metablock"))
    from dataclasses import replace

    folder = f"build.{M.fingerprint[:8]}"
    pieces = [replace(piece, scope=(folder,), origin=f"{folder}/{piece.origin}") for piece in inside.pieces()]
    found = gather(opened, [MemoryStore([*store.pieces(), *pieces])])
    assert evaluate(Case(opened, NOW, found.exhibits, found.refused)).passed


@pytest.mark.parametrize("first", [M, N])
def test_a_link_by_a_subkey_comes_where_the_step_names_its_master(first: Pgp) -> None:
    """Upstream judges by the first link in the order of the step's keys."""
    second = N if first is M else M
    keys = {**WHOLE, N.fingerprint: OTHER.to_json()}
    opened = Policy.open(seal(layout(keys, [first.fingerprint, second.fingerprint]), OWNER), [OWNER.key])
    store = MemoryStore()
    for one, said in ((by(S), b"of M"), (by(N, OTHER), b"of N")):
        link = Link("build", products={"app": digests(said)})
        store.put("build", one.keyid, seal(link, one, form="metablock"))
    found = gather(opened, [store])
    verdict = evaluate(Case(opened, NOW, found.exhibits, found.refused, profile=Profile.UPSTREAM))
    assert isinstance(verdict.summary, Link)
    assert verdict.summary.products == {"app": digests(b"of M" if first is M else b"of N")}


# --- time ----------------------------------------------------------------------------------------------------------


def limited(master: int | None, sub: int | None) -> GpgKey:
    """`M` with the subkey `S`, valid for so many seconds."""
    parts = [Part(FLAGS, b"\x02"), back_signature(M, S)]
    limit: Callable[[int | None], list[Part]] = lambda seconds: (  # noqa: E731
        [] if seconds is None else [Part(EXPIRES, number(seconds))]
    )
    data = packet(MASTER, M.body) + name_packet(M, hashed=limit(master))
    return read_bundle(data + subkey_packet(M, S, parts=[*parts, *limit(sub)]))


@pytest.mark.parametrize(
    ("made", "master", "sub", "passes"),
    [
        (M, 3600, None, False),
        (S, None, 3600, False),
        (S, 3600, None, False),  # stricter than upstream: what a key that is over has bound is over too
        (S, 3600, 10**9, False),
        (M, None, 3600, True),
        (M, 10**9, 3600, True),
        (S, None, None, True),
        (S, None, 0, True),
    ],
)
def test_an_expired_key_counts_no_more(
    made: Pgp, master: int | None, sub: int | None, passes: bool, profile: Profile
) -> None:
    key = limited(master, sub)
    policy = layout({M.fingerprint: key.to_json()}, [M.fingerprint])
    verdict = judged(policy, [by(made, key)], profile=profile)
    assert verdict.passed == passes
    if not passes:
        assert causes(verdict) == ["step.threshold"]
        over = datetime.fromtimestamp(MADE + 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert "is signed with an expired key" in misses(verdict)[0]
        assert over in misses(verdict)[0]


def test_a_key_counts_until_its_time_is_over() -> None:
    key = limited(3600, None)
    policy = layout({M.fingerprint: key.to_json()}, [M.fingerprint])
    over = datetime.fromtimestamp(MADE + 3600, UTC)
    assert judged(policy, [by(M, key)], at=over).passed
    assert not judged(policy, [by(M, key)], at=over + timedelta(seconds=1)).passed


def owned(key: GpgKey, *made: Signer, need: int | None = None, others: Sequence[Any] = (), **more: Any) -> Verdict:
    """The verdict on an empty layout that `made` signed, judged as the one of `key` and `others`."""
    raw = seal(layout({}, []), *made, form="metablock")
    policy = Policy.open(raw, [key, *others], need=need)
    return evaluate(Case(policy, **{"at": NOW, **more}))


def reasons(verdict: Verdict) -> list[str]:
    return [check.reason for _, check in verdict.root.walk() if check.id == "layout.owner"]


def test_an_owner_signs_with_a_master_or_any_of_its_subkeys() -> None:
    for made in (M, S, T):
        assert reasons(owned(BUNDLE, by(made))) == ["signed the layout"]
    assert "no valid signature of this key" in reasons(owned(BUNDLE, by(N, OTHER)))[0]


def test_an_owner_whose_key_expired_has_not_signed() -> None:
    for made, key in ((M, limited(3600, None)), (S, limited(None, 3600)), (S, limited(3600, None))):
        verdict = owned(key, by(made, key))
        assert not verdict.passed
        assert "layout.owner" in causes(verdict)
        assert "signed with an expired key" in reasons(verdict)[0]
    key = limited(None, 3600)
    assert reasons(owned(key, by(S, key), by(M, key))) == ["signed the layout"]


def test_two_subkeys_of_one_owner_are_one_owner() -> None:
    verdict = owned(BUNDLE, by(S), by(T), need=2, others=[OTHER])
    assert reasons(verdict)[0] == "signed the layout"
    assert "layout.signature" in {check.id for _, check in verdict.root.walk() if not check.outcome.passes}
    assert reasons(owned(BUNDLE, by(S), by(N, OTHER), need=2, others=[OTHER])) == ["signed the layout"] * 2


# --- revocation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("denied", "made", "passes"), [(M, M, False), (M, S, False), (S, S, False), (S, M, True), (S, T, True)]
)
def test_who_revokes_a_master_revokes_its_subkeys(denied: Pgp, made: Pgp, passes: bool) -> None:
    revoked = Revocations(keys=frozenset({denied.fingerprint}))
    assert judged(layout(WHOLE, [M.fingerprint]), [by(made)], revoked=revoked).passed == passes
    assert (reasons(owned(BUNDLE, by(made), revoked=revoked)) == ["signed the layout"]) == passes
    if not passes:
        assert reasons(owned(BUNDLE, by(made), revoked=revoked)) == ["this key is revoked"]


def test_a_subkey_that_stands_alone_falls_with_its_master() -> None:
    revoked = Revocations(keys=frozenset({M.fingerprint}))
    policy = layout({**WHOLE, **ALONE}, [S.fingerprint])
    assert judged(policy, [by(S)]).passed
    assert not judged(policy, [by(S)], revoked=revoked).passed


# --- what is no signature ------------------------------------------------------------------------------------------


def test_a_gpg_key_signs_no_dsse() -> None:
    with pytest.raises(Refused, match=r"GPG keys cannot sign DSSE.*Metablock"):
        seal(Link("build"), by(M), form="dsse")
    with pytest.raises(Refused, match="GPG keys cannot sign DSSE"):
        add_signatures(open_document(seal(Link("build"), OWNER)), by(M))


def test_dsse_with_an_openpgp_signature_never_passes() -> None:
    import base64

    from navicert.envelope.dsse import PAYLOAD_TYPE, pae

    policy = layout(WHOLE, [M.fingerprint])
    document = json.loads(seal(policy, OWNER))
    payload = base64.b64decode(document["payload"])
    made = by(M).sign(pae(PAYLOAD_TYPE, payload))
    entry = BUNDLE.signature_entry(M.fingerprint, made)
    for sig in (bytes.fromhex(str(entry["signature"])), made):
        signature = {**entry, "sig": base64.b64encode(sig).decode()}
        raw = json.dumps({**document, "signatures": [signature]}).encode()
        assert open_document(raw).verified_by([BUNDLE]) is None
        verdict = evaluate(Case(Policy.open(raw, [BUNDLE]), NOW))
        assert causes(verdict) == ["layout.owner"]
        assert reasons(verdict) == ["this is a GPG key, and the layout is DSSE, which such keys cannot sign"]


def test_a_plain_signature_by_the_private_half_of_a_gpg_key_is_none_of_it() -> None:
    from navicert.crypto.signer import MemorySigner

    plain = MemorySigner.of(M.private).with_id(M.fingerprint)  # type: ignore[arg-type]
    raw = seal(Link("build"), plain, form="metablock")
    assert open_document(raw).verified_by([BUNDLE]) is None
    assert open_document(raw).verified_by([plain.key]) is not None
    raw = seal(Link("build"), by(M), form="metablock")
    assert open_document(raw).verified_by([plain.key]) is None


def test_headers_that_were_tampered_with_break_a_link() -> None:
    document = json.loads(seal(Link("build"), by(S), form="metablock"))
    (entry,) = document["signatures"]
    headers = bytearray.fromhex(entry["other_headers"])
    headers[-1] ^= 1
    tampered = {**entry, "other_headers": headers.hex()}
    memo: dict[tuple[str, bytes, bytes], bool] = {}
    for signature, good in ((entry, True), (tampered, False), (entry, True)):
        sealed = open_document(json.dumps({**document, "signatures": [signature]}).encode())
        assert (sealed.verified_by([BUNDLE], memo=memo) is not None) == good


def test_an_entry_of_both_kinds_is_one_of_openpgp() -> None:
    document = json.loads(seal(Link("build"), by(S), form="metablock"))
    plain = json.loads(seal(Link("build"), OWNER, form="metablock"))["signatures"][0]
    document["signatures"][0]["sig"] = plain["sig"]
    sealed = open_document(json.dumps(document).encode())
    assert sealed.verified_by([BUNDLE]) is not None
    assert sealed.verified_by([OWNER.key]) is None


@pytest.mark.parametrize("missing", ["other_headers", "signature"])
def test_half_an_entry_is_malformed(missing: str) -> None:
    document = json.loads(seal(Link("build"), by(S), form="metablock"))
    del document["signatures"][0][missing]
    with pytest.raises(Malformed, match='required field "sig" is missing'):
        open_document(json.dumps(document).encode())


def test_what_was_added_after_signing_is_found() -> None:
    document = json.loads(seal(Link("build"), by(S), form="metablock"))
    document["signed"]["products"] = {"app": {"sha256": "00" * 32}}
    assert open_document(json.dumps(document).encode()).verified_by([BUNDLE]) is None


def test_what_a_gpg_key_signs_is_a_metablock_unless_asked_for() -> None:
    assert (form_for(), form_for(OWNER), form_for(OWNER, by(M)), form_for(by(S))) == (
        "dsse",
        "dsse",
        "metablock",
        "metablock",
    )
