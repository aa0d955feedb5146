"""Signatures of owners and functionaries: missing, moved, too few, by somebody else.

Spec: in-toto v1.0 §5.2 (1, 4).
"""

from __future__ import annotations

import json

from vectors.generators.material import (
    APP,
    ONE,
    OTHER,
    PLAIN,
    SOURCE,
    TWO,
    Document,
    block,
    layout_of,
    link_of,
    metablock,
    name_of,
    reopened,
    signature,
    swap,
)
from vectors.generators.vector import PASS, Expected, Vector, evidence_of, fails, of

from navicert.strictjson import canonical
from navicert.testing import key, signer

LINK = name_of("build", "bob")
OWNERS = "in-toto v1.0 §5.2 (1): the layout is signed by its owners"
FUNCTIONARIES = "in-toto v1.0 §5.2 (4): links are signed by functionaries of the step"


def _layout(raw: bytes, strict: Expected, *, attack: str, in_toto: str, control: str = "plain") -> Vector:
    return Vector(attack, OWNERS, raw, strict, in_toto, control=control, evidence=evidence_of(PLAIN))


def _link(raw: bytes, *, attack: str, in_toto: str = "ThresholdVerificationError") -> Vector:
    return of(
        ONE,
        attack=attack,
        spec=FUNCTIONARIES,
        in_toto=in_toto,
        evidence={LINK: raw},
        refused={LINK: "signature"},
        strict=fails("signature", "step.threshold", "no valid signature by a key of the layout"),
        control="plain",
    )


def layout_without_signature() -> Vector:
    """The list of signatures is empty."""
    return _layout(
        block(layout_of(PLAIN), []),
        fails("signature", "layout.owner", "carries no signature"),
        attack="nothing to check taken for checked",
        in_toto="SignatureVerificationError",
    )


def layout_of_a_stranger() -> Vector:
    """A valid signature, by a key that nobody trusts."""
    return _layout(
        metablock(layout_of(PLAIN), "mallory"),
        fails("signature", "layout.owner", "no valid signature of this key"),
        attack="a policy of the attacker's own",
        in_toto="SignatureVerificationError",
    )


def layout_changed_after_signing() -> Vector:
    """A prohibition became a permission: one keyword."""

    def edit(document: Document) -> None:
        document["signed"]["steps"][0]["expected_materials"][1] = ["ALLOW", "*"]

    return _layout(
        reopened(metablock(layout_of(PLAIN), "owner"), edit),
        fails("signature", "layout.owner", "no valid signature of this key"),
        attack="a signed policy weakened",
        in_toto="SignatureVerificationError",
    )


def layout_signed_by_one_of_two_owners() -> Vector:
    """Two owners are required, and one signed."""
    return _layout(
        metablock(layout_of(PLAIN), "owner"),
        fails("signature", "layout.owner", "no valid signature of this key"),
        attack="one owner alone changes the policy of two",
        in_toto="SignatureVerificationError",
        control="layout-signed-by-both-owners",
    ).having(owners=("owner", "owner2"))


def layout_signed_by_both_owners() -> Vector:
    """Two owners are required, and both signed."""
    return _layout(
        metablock(layout_of(PLAIN), "owner", "owner2"),
        PASS,
        attack="none: every owner that was asked for signed",
        in_toto="pass",
        control="",
    ).having(owners=("owner", "owner2"))


def layout_signed_twice_by_one_owner() -> Vector:
    """Two entries, under the ids of both owners, and both by the first owner's key."""
    message = canonical(layout_of(PLAIN))
    entries = [signature(message, "owner"), signature(message, "owner", key("owner2").id)]
    return _layout(
        block(layout_of(PLAIN), entries),
        fails("signature", "layout.owner", "no valid signature of this key"),
        attack="one owner that counts as two, by key id",
        in_toto="SignatureVerificationError",
        control="layout-signed-by-both-owners",
    ).having(owners=("owner", "owner2"))


def layout_by_one_owner_where_one_is_enough() -> Vector:
    """The verifier asks for one of two owners. in-toto 3.1.0 always asks for all."""
    return _layout(
        metablock(layout_of(PLAIN), "owner2"),
        PASS,
        attack="none: m of n owners",
        in_toto="SignatureVerificationError",
        control="",
    ).having(owners=("owner", "owner2"), owner_threshold=1)


def link_changed_after_signing() -> Vector:
    """The digest of the source was exchanged for that of another one."""
    raw = metablock(link_of(), "bob")
    before, after = (json.loads(metablock(link_of(materials={"s": s}), "bob"))["signed"] for s in (SOURCE, OTHER))
    old, new = (document["materials"]["s"]["sha256"] for document in (before, after))
    return _link(swap(raw, old, new), attack="a report changed on its way")


def link_of_a_stranger() -> Vector:
    """Signed by a key that the layout does not know, under the name that Bob's link would have."""
    return _link(metablock(link_of(), "mallory"), attack="a report by somebody who may not report")


def link_of_a_stranger_under_bobs_id() -> Vector:
    """The stranger's entry says that it is Bob's."""
    message = canonical(link_of())
    return _link(block(link_of(), [signature(message, "mallory", key("bob").id)]), attack="an id taken for an identity")


def link_without_signature() -> Vector:
    """The link is there, and nobody signed it."""
    return _link(block(link_of(), []), attack="an unsigned report").having(
        strict=fails("signature", "step.threshold", "carries no signature")
    )


def signature_of_another_document() -> Vector:
    """The signature is Bob's, and valid: over another link."""
    message = canonical(link_of(products={"app": b"another application\n"}))
    return _link(block(link_of(), [signature(message, "bob")]), attack="a valid signature moved to another document")


def signature_with_a_second_form() -> Vector:
    """The second half of an Ed25519 signature with the order of the group added: the same equation holds, and a
    verifier must still refuse it, or one signature has two forms."""
    order = 2**252 + 27742317777372353535851937790883648493
    raw = signer("bob").sign(canonical(link_of()))
    scalar = int.from_bytes(raw[32:], "little") + order
    other = raw[:32] + scalar.to_bytes(32, "little")
    return _link(
        block(link_of(), [{"keyid": key("bob").id, "sig": other.hex()}]),
        attack="a signature that somebody without the key turns into another valid one",
    ).having(spec="RFC 8032 §5.1.7: S is below the order of the group")


def signature_cut_short() -> Vector:
    """The last byte is missing."""
    raw = signer("bob").sign(canonical(link_of()))[:-1]
    return _link(
        block(link_of(), [{"keyid": key("bob").id, "sig": raw.hex()}]),
        attack="a comparison that stops at the shorter of two values",
    )


def two_steps_with_their_links_exchanged() -> Vector:
    """Each link lies under the name of the other one, and is signed by the other's functionary."""
    names = {name_of("fetch", "alice"), name_of("build", "bob")}
    first, second = sorted(names)
    files = evidence_of(TWO)
    return of(
        TWO,
        attack="none: a file name is a hint, and the signed name decides",
        spec="in-toto v1.0 §4.4: the name in the signed part",
        in_toto="ThresholdVerificationError",
        evidence={first: files[second], second: files[first]},
        strict=PASS,
        control="",
    )


def link_signed_by_two() -> Vector:
    """One link with two signatures counts for both of its signers, who both vouch for the same report."""
    chain = ONE.having(steps=()).step(
        "build",
        by=["bob", "carol"],
        threshold=2,
        command="make app",
        materials=["ALLOW src/*", "DISALLOW *"],
        products=["CREATE app", "DISALLOW *"],
    )
    raw = metablock(link_of(products={"app": APP}), "bob", "carol")
    return of(
        chain,
        attack="none: two people may sign one file",
        spec=FUNCTIONARIES,
        in_toto="LinkNotFoundError",
        evidence={LINK: raw},
    )
