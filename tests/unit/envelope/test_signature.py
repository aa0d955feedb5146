"""One signature as received, whoever is said to have made it."""

from __future__ import annotations

import pytest
from tests.openpgp_builder import PgpSigner, pgp, public

from navicert.crypto.signer import generate
from navicert.envelope.document import open_document, seal
from navicert.envelope.signature import Signature, others
from navicert.errors import Refused
from navicert.model.link import Link

BOB, EVE = generate(), generate()


def test_a_signature_is_made_by_who_signed_and_over_what_was_signed():
    signature = Signature(None, BOB.sign(b"message"))
    assert signature.made_by(BOB.key, b"message")
    assert not signature.made_by(EVE.key, b"message")
    assert not signature.made_by(BOB.key, b"another message")
    assert not Signature(BOB.keyid, b"").made_by(BOB.key, b"message")


def test_a_subkey_signs_for_its_master_and_no_other():
    master, sub = pgp("master"), pgp("sub")
    bundle = public(master, sub)
    (signature,) = open_document(seal(Link("build"), PgpSigner(sub, bundle), form="metablock")).signatures
    message, _ = next(open_document(seal(Link("build"), BOB, form="metablock")).candidates())
    assert signature.made_by(bundle, message)
    assert not signature.made_by(public(pgp("another"), pgp("another sub")), message)
    assert not Signature(None, signature.value).made_by(bundle, message)  # without what it is over too


def test_entries_by_other_keys_stay_beside_new_ones():
    kept: list[dict[str, object]] = [{"keyid": BOB.keyid, "sig": "a"}, {"keyid": EVE.keyid, "sig": "b"}, {"sig": "c"}]
    assert others(kept, (BOB,)) == kept[1:]
    with pytest.raises(Refused, match="nothing to sign with"):
        others(kept, ())
