"""Whose a layout is: keys and identities that own it, what they signed, and whether enough of them did.

Keys sign one envelope. An identity without a key signs a Sigstore bundle, which holds one signature, so a layout by
several of them is a file of JSON lines: envelopes and bundles over the very same bytes, each counted by itself.

Spec: in-toto v1.0 §5.2 (1); in-toto attestation framework, spec/v1/bundle.md; sigstore, client-spec.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, replace
from navicert.digest import sha256
from navicert.envelope.body import Body, describe
from navicert.envelope.document import Sealed, Verified, open_document, peek
from navicert.errors import LimitExceeded, Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.layout import Layout
from navicert.strictjson import canonical
from navicert.verdict import Check, at_least, failed, note, passed
from navicert.verify.authority import expiry_of
from navicert.verify.case import Case, Policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from typing import Final

    from navicert.envelope.bundle import Bundle
    from navicert.model.identity import Identity, IdentityPolicy
    from navicert.model.principal import Principal
    from navicert.verify.keyless import Keyless

_SPEC: Final = "§5.2 (1)"
_BUNDLE: Final = (b"verificationMaterial", b"vnd.dev.sigstore.bundle")
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Owners:
    """Who owns layouts: `keys` and `identities`, of whom `need` must have signed; None means all. Identities are proved
    by `keyless`, and without it by nothing."""

    keys: tuple[Key, ...] = ()
    identities: tuple[IdentityPolicy, ...] = ()
    need: int | None = None
    keyless: Keyless | None = None

    @staticmethod
    def of(
        keys: Collection[Key],
        identities: Collection[IdentityPolicy] = (),
        *,
        need: int | None = None,
        keyless: Keyless | None = None,
    ) -> Owners:
        """These owners, each once. Raises `Malformed` for a threshold that asks for nobody."""
        if need is not None and need < 1:
            raise Malformed("owner threshold below 1", got=str(need))
        named = {canonical(one.to_json()): one for one in identities}
        distinct = tuple({key.fingerprint: key for key in keys}.values())
        return Owners(distinct, tuple(named.values()), need, keyless)

    @property
    def count(self) -> int:
        """How many they are."""
        return len(self.keys) + len(self.identities)

    def open(self, raw: bytes, *, path: str = "", limits: Limits = LOCAL) -> Policy:
        """The layout in `raw`, its signatures checked. Raises `Malformed` where it is none, and where the documents of
        a file are not all over the same bytes: nobody could say which of them is in force."""
        members = list(_members(raw, limits, path))
        first = members[0][0]
        whole = first
        if len(members) > 1:
            signatures = tuple(signature for sealed, _ in members for signature in sealed.signatures)
            whole = replace(first, raw=raw, digest=sha256(raw), origin=path, signatures=signatures)
        found: list[Verified[Body]] = []
        problems: list[str] = []
        for sealed, bundle in members:
            verified, problem = self._judged(sealed, bundle, limits)
            if verified is not None:
                found.append(verified)
            elif problem:
                problems.append(problem)
        verified = None if not found else found[0] if len(members) == 1 else found[0].joined(found[1:], whole)
        body = peek(whole).body if verified is None else verified.body
        if not isinstance(body, Layout):
            raise Malformed("not a layout", path=path, expected="a signed layout", got=f"a {describe(body)}")
        root = self.keyless.used if self.identities and self.keyless is not None else None
        return Policy(whole, self.keys, verified, self.need, self.identities, root, tuple(problems))

    def _judged(self, sealed: Sealed, bundle: Bundle | None, limits: Limits) -> tuple[Verified[Body] | None, str]:
        """The document by those of the owners who signed it; where it is a bundle that proves nothing, why."""
        verified = sealed.verified_by(self.keys)
        if verified is not None or bundle is None or not self.identities or self.keyless is None:
            return verified, ""
        from navicert.verify.bundle import judge_bundle

        judged = judge_bundle(bundle, self.keyless.root, self.keyless.at, wanted=None, limits=limits)
        if judged.document is None:
            return None, f"its bundle does not prove who signed it: {judged.problem}"
        return judged.document, ""


def _members(raw: bytes, limits: Limits, path: str) -> Iterator[tuple[Sealed, Bundle | None]]:
    """The envelopes in the file `raw`, at least one, each with the bundle that it came in. Raises `Malformed`."""
    try:
        yield open_document(raw, limits, path=path), None
        return
    except Malformed as error:
        from navicert.envelope.jsonlines import members_of

        members = members_of(raw, limits, path=path)
        if len(members) == 1 and not any(word in raw for word in _BUNDLE):
            raise
        if len(members) > 1 and not members[0].raw.endswith(b"}"):
            raise  # one document over several lines, and something is wrong with it
        refused = error
    if len(members) > limits.signatures:
        raise LimitExceeded(
            "too many signatures (limit signatures)",
            path=path,
            expected=f"at most {limits.signatures} lines",
            got=f"{len(members)} lines",
        ) from refused
    first: Sealed | None = None
    for member in members:
        place = member.place(path)
        sealed, bundle = _opened(member.raw, limits, place)
        if len(members) > 1 and sealed.form != "dsse":
            raise Malformed("a layout of several lines is one of DSSE envelopes", path=place, got="a Metablock")
        if first is not None and (sealed.payload_type, sealed.payload) != (first.payload_type, first.payload):
            raise Malformed(
                "the lines hold different layouts",
                path=place,
                expected="signatures over the same bytes as on the first line",
                remedy="give each layout a file of its own",
            )
        first = first or sealed
        yield sealed, bundle


def _opened(raw: bytes, limits: Limits, path: str) -> tuple[Sealed, Bundle | None]:
    """One document. Raises `Malformed`."""
    if not any(word in raw for word in _BUNDLE):
        return open_document(raw, limits, path=path), None
    from navicert.envelope.bundle import open_bundle

    bundle = open_bundle(raw, limits, path=path)
    if not isinstance(bundle.content, Sealed):
        raise Malformed(
            "the signature of a file, and no layout",
            path=path,
            expected="a bundle with an envelope",
            remedy="sign the layout itself: navicert sign-keyless --layout",
        )
    return bundle.content, bundle


# --- whether enough of them signed ---------------------------------------------------------------------------------


def judge_owners(case: Case) -> Check:
    """The layout is signed by its owners: all that were named, or as many as were asked for. Spec: §5.2 (1)."""
    policy, revoked = case.policy, case.revoked
    origin = policy.sealed.origin
    denied = None if policy.verified is None else revoked.denies_document(policy.verified)
    if denied is not None:
        return failed("layout.signature", origin, f"this layout is revoked by its digest {denied}")
    children = (*_keys(case), *_identities(case))
    named = len(policy.owners) + len(policy.identities)
    need = named if policy.need is None else policy.need
    good = sum(child.outcome.passes for child in children if not child.is_note)
    reason = f"signed by {good} of {need} required owners" if children else "no owner was given"
    facts: dict[str, object] = {"required": need, "owners": [key.id for key in policy.owners]}
    if policy.identities:
        facts["identities"] = [one.to_json() for one in policy.identities]
    return at_least(need, "layout.signature", origin, children, reason, spec=_SPEC, facts=facts)


def owned(policy: Policy) -> bool:
    """Whether enough of the owners signed at all, whatever became of them since."""
    verified = policy.verified
    if verified is None:
        return False
    signers = set(verified.signers)
    keys = sum(not signers.isdisjoint(key.members) for key in policy.owners)
    count = keys + len(standing_for(policy.identities, verified.identities))
    named = len(policy.owners) + len(policy.identities)
    return count >= max(named if policy.need is None else policy.need, 1)


def standing_for(wanted: Sequence[IdentityPolicy], made: Collection[Identity]) -> dict[int, Identity]:
    """Which of the identities `made` stands for which owner (its number in `wanted`), so that as many owners as
    possible have one: nobody stands for two, whose expressions may describe her both."""
    named: dict[Principal, list[Identity]] = {}
    for identity in made:
        named.setdefault(identity.principal, []).append(identity)
    taken: dict[Principal, int] = {}

    def place(owner: int, tried: set[Principal]) -> bool:
        for who, identities in named.items():
            if who in tried or not any(map(wanted[owner].accepts, identities)):
                continue
            tried.add(who)
            if who not in taken or place(taken[who], tried):
                taken[who] = owner
                return True
        return False

    for owner in range(len(wanted)):
        place(owner, set())
    return {owner: next(filter(wanted[owner].accepts, named[who])) for who, owner in taken.items()}


def _keys(case: Case) -> Iterator[Check]:
    policy, revoked = case.policy, case.revoked
    signers = policy.verified.signers if policy.verified is not None else ()
    counted: set[str] = set()
    for key in policy.owners:
        who = case.principals.get(key.fingerprint, key.fingerprint)
        made = [member for member in key.members if member in signers]
        standing = [] if revoked.denies_key(key) else [one for one in made if not revoked.denies_key(one)]
        valid = [one for one in standing if not (one.expired(case.at) or key.expired(case.at))]
        if revoked.denies_key(key) or (made and not standing):
            yield failed("layout.owner", key.short, "this key is revoked")
        elif who in revoked.identities:
            yield failed("layout.owner", key.short, f"{who} is revoked")
        elif not made:
            yield failed("layout.owner", key.short, _no_key(policy, key))
        elif not valid:
            expired = key if key.expired(case.at) else standing[0]
            yield failed("layout.owner", key.short, f"signed with an expired key: {expiry_of(expired)}")
        elif policy.need is not None and who in counted:
            yield note("layout.owner", key.short, f"signed the layout too, for {who}, who counts once")
        else:
            counted.add(who)
            yield passed("layout.owner", key.short, "signed the layout")


def _identities(case: Case) -> Iterator[Check]:
    policy, revoked = case.policy, case.revoked
    made = () if policy.verified is None else policy.verified.identities
    standing = standing_for(policy.identities, [one for one in made if not revoked.denies_identity(one)])
    for number, wanted in enumerate(policy.identities):
        name, identity = wanted.san.text, standing.get(number)
        if identity is not None:
            facts = {"identity": identity.san, "issuer": identity.issuer}
            yield passed("layout.owner", name, f"{identity} signed the layout", facts=facts)
            continue
        accepted = [one for one in made if wanted.accepts(one)]
        denied = next((one for one in accepted if revoked.denies_identity(one)), None)
        if denied is not None:
            yield failed("layout.owner", name, f"{denied} is revoked")
        elif accepted:
            yield failed("layout.owner", name, f"{accepted[0]} signed the layout, and counts for another owner")
        else:
            yield failed("layout.owner", name, _no_identity(policy, wanted))


def _no_key(policy: Policy, key: Key) -> str:
    if key.openpgp and policy.sealed.form == "dsse":
        return "this is a GPG key, and the layout is DSSE, which such keys cannot sign"
    if not policy.sealed.signatures:
        return "the layout carries no signature"
    return f"no valid signature of this key; the layout carries signatures by {_named(policy)}"


def _no_identity(policy: Policy, wanted: IdentityPolicy) -> str:
    made = () if policy.verified is None else policy.verified.identities
    # What is wrong first: reports for people cut long reasons at their end.
    others = [f"{'; '.join(wanted.objections(one))}; signed by {one}" for one in made]
    found = [*others, *policy.problems][:_SHOWN]
    if found:
        return "; ".join(found)
    if not policy.sealed.signatures:
        return "the layout carries no signature"
    return f"no bundle proves a signature of this identity; the layout carries signatures by {_named(policy)}"


def _named(policy: Policy) -> str:
    found = [signature.keyid or "(no id)" for signature in policy.sealed.signatures]
    return ", ".join(keyid[:8] for keyid in found[:_SHOWN])
