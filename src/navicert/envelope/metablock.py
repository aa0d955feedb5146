"""The Metablock: a document and its signatures side by side, signed over canonical JSON.

Spec: in-toto v1.0 §4.2.
"""

from __future__ import annotations

from navicert.envelope.signature import Signature, entries, others
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.model.field import as_object, as_text, required
from navicert.model.section import CANONICAL, INDENTED, write_sections

TYPE_CHECKING = False
if TYPE_CHECKING:
    from navicert.crypto.signer import Signer


def read_metablock(document: dict[str, object], limits: Limits) -> tuple[dict[str, object], tuple[Signature, ...]]:
    """The `signed` object of a Metablock and its signatures. Raises `Malformed`."""
    signed = as_object(document["signed"], "/signed")
    kind = signed.get("_type")
    if kind not in ("layout", "link"):
        raise Malformed(
            "unknown document type",
            pointer="/signed/_type",
            expected='"layout" or "link"',
            got=repr(kind)[:60],
        )
    signatures = []
    for i, item in enumerate(entries(document, limits)):
        entry = as_object(item, f"/signatures/{i}")
        keyid = as_text(required(entry, "keyid", f"/signatures/{i}"), f"/signatures/{i}/keyid")
        if "signature" in entry and "other_headers" in entry:
            value, headers = _hex(entry, "signature", i), _hex(entry, "other_headers", i)
            signatures.append(Signature(keyid, value, entry, headers))
        else:
            signatures.append(Signature(keyid, _hex(entry, "sig", i), entry))
    return signed, tuple(signatures)


def _hex(entry: dict[str, object], name: str, index: int) -> bytes:
    where = f"/signatures/{index}"
    text = as_text(required(entry, name, where), f"{where}/{name}")
    where = f"{where}/{name}"
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise Malformed("signature is not hexadecimal", pointer=where, expected="hexadecimal digits") from error


def write_metablock(signed: dict[str, object], kept: list[dict[str, object]], signers: tuple[Signer, ...]) -> bytes:
    """The file of a Metablock: `signed` with the entries `kept` and signatures by `signers`, as in-toto writes it."""
    message = write_sections(signed, CANONICAL)
    entries = others(kept, signers)
    entries += [signer.key.signature_entry(signer.keyid, signer.sign(message)) for signer in signers]
    block = {"signatures": entries, "signed": signed}
    return write_sections(block, INDENTED, inside="signed")
