"""Who signed an attestation that is judged by itself: keys, or an identity that a bundle proves.

Spec: DSSE v1.0.2 (signatures are counted by keys, key ids are hints); sigstore, client-spec.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.verdict import Check, all_of, at_least, failed, passed
from navicert.verify.authority import expiry_of
from navicert.verify.inquiry import Inquiry, Specimen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from navicert.model.identity import IdentityPolicy

_SHOWN: Final = 5
_DSSE: Final = "DSSE v1.0.2"
_CLIENT: Final = "sigstore client-spec"


def judge_signature(inquiry: Inquiry, specimen: Specimen) -> Check:
    """That those who were asked for signed the document, with all that proves it."""
    origin = specimen.origin
    if specimen.problem:
        return failed("attestation.signature", origin, specimen.problem, spec=_DSSE)
    if specimen.unsigned:
        return failed("attestation.signature", origin, "nobody signed it, so nobody vouches for it", spec=_DSSE)
    verified = specimen.verified
    denied = None if verified is None else inquiry.revoked.denies_document(verified)
    if specimen.over_file and str(specimen.digest) in inquiry.revoked.digests:
        denied = specimen.digest
    if denied is not None:
        return failed("attestation.signature", origin, f"this document is revoked by its digest {denied}")
    if inquiry.identity is not None:
        return _identity(inquiry, inquiry.identity, specimen)
    children = tuple(_key(inquiry, key, specimen) for key in inquiry.keys)
    need = len(inquiry.keys) if inquiry.need is None else inquiry.need
    good = sum(child.outcome.passes for child in children)
    reason = f"signed by {good} of {need} required keys" if children else "no key was given"
    if specimen.proof is not None and children:
        # Whoever signed it, its proofs must hold as well.
        if not specimen.proof.outcome.passes:
            return all_of("attestation.signature", origin, (specimen.proof,), "its proofs do not hold", spec=_DSSE)
        children, need = (specimen.proof, *children), need + 1
    return at_least(need, "attestation.signature", origin, children, reason, spec=_DSSE)


def _key(inquiry: Inquiry, key: Key, specimen: Specimen) -> Check:
    verified = specimen.verified
    made = any(member in specimen.signers for member in key.members)
    if inquiry.revoked.denies_key(key):
        return failed("attestation.key", key.short, "this key is revoked")
    if not made:
        named = ", ".join(keyid[:8] for keyid in specimen.signatures[:_SHOWN])
        carried = f"it carries signatures by {named}" if named else "it carries no signature"
        return failed("attestation.key", key.short, f"no valid signature of this key; {carried}")
    if key.expired(inquiry.at) or (verified is not None and not verified.is_signed_by(key, inquiry.at)):
        return failed("attestation.key", key.short, f"signed with an expired key: {expiry_of(key)}")
    return passed("attestation.key", key.short, "signed it")


def _identity(inquiry: Inquiry, wanted: IdentityPolicy, specimen: Specimen) -> Check:
    """That the identity asked for signed it, by a certificate that held at the time."""
    id, origin = "attestation.signature", specimen.origin
    if specimen.proof is None:
        reason = f"it is no Sigstore bundle, so nothing proves that it is signed by {wanted}"
        return failed(id, origin, reason, spec=_CLIENT)
    if not specimen.proof.outcome.passes:
        return all_of(id, origin, (specimen.proof,), "its proofs do not hold", spec=_CLIENT)
    # Judged with the proofs already; asked once more, so that no proof without an identity ever passes.
    leaves = []
    for identity in specimen.identities:
        objections = wanted.objections(identity)
        if inquiry.revoked.denies_identity(identity):
            leaves.append(failed("attestation.identity", str(identity), "this identity is revoked"))
        elif objections:
            leaves.append(failed("attestation.identity", str(identity), "; ".join(objections)))
        else:
            leaves.append(passed("attestation.identity", str(identity), "signed it"))
    if not leaves:
        leaves = [failed("attestation.identity", origin, "no certificate names who signed it")]
    return all_of(id, origin, (specimen.proof, *leaves), "signed as asked", spec=_CLIENT)
