"""The part of the catalogue that is about Sigstore bundles."""

from __future__ import annotations

from navicert.verify.catalogue_entry import Entry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Final

_CLIENT: Final = "sigstore client-spec"

BUNDLE: Final[Mapping[str, Entry]] = {
    "bundle": Entry(
        "A Sigstore bundle proves who signed its content, and when.",
        _CLIENT,
        "One of the checks below it did not pass.",
        "See that check.",
    ),
    "bundle.form": Entry(
        "The file is a Sigstore bundle of version 0.1 to 0.3.",
        "protobuf-specs, sigstore_bundle.proto",
        "Another kind of file, a damaged one, or a newer version of the format.",
        "Compare the pointer in the message with the file; ask whoever signed for the bundle again.",
    ),
    "bundle.certificate": Entry(
        "The certificate can be read, and names one holder and one issuer.",
        "sigstore/fulcio, oid-info.md",
        "The certificate is no one of Sigstore, or says two things of one.",
        "Look at the certificate with openssl x509; sign again with an identity.",
    ),
    "bundle.signature": Entry(
        "The signature is over this content, by the key of the certificate or by a key that was given.",
        "DSSE v1.0.2; protobuf-specs, sigstore_bundle.proto",
        "The content was changed, the file belongs to another bundle, or another key signed.",
        "Name the file that was signed, or the public key of who signed it.",
    ),
    "bundle.entry": Entry(
        "A log that the trust root names has entered exactly this.",
        _CLIENT,
        "One of the checks below it did not pass.",
        "See that check.",
    ),
    "bundle.log": Entry(
        "Some log of the trust root has entered the signature.",
        _CLIENT,
        "It was signed without a log, or in another instance of Sigstore.",
        "Give the trust root of the instance that it was signed in, with --trusted-root.",
    ),
    "bundle.promise": Entry(
        "The log signed that it entered this at the time that the bundle states.",
        "sigstore/rekor, types.md",
        "The entry was changed, or moved to another time.",
        "Ask whoever signed for the bundle again.",
    ),
    "bundle.inclusion": Entry(
        "The entry is in the tree that the log signed.",
        "RFC 9162 §2.1.3.2; C2SP tlog-checkpoint",
        "The proof is missing, is of another entry, or its checkpoint is not signed by the log.",
        "Ask whoever signed for the bundle again.",
    ),
    "bundle.body": Entry(
        "What the log entered is this content, this signature and this signer.",
        "sigstore/rekor, pkg/types",
        "The bundle carries the entry of something else (CVE-2022-36056).",
        "Do not use it; ask whoever signed what happened.",
    ),
    "bundle.log-key": Entry(
        "The key of the log held at the time of the entry.",
        "protobuf-specs, sigstore_trustroot.proto",
        "The entry is from before or after the time for which the trust root believes the key.",
        "Use the trust root that belongs to the entry; a key that was retired is retired for a reason.",
    ),
    "bundle.timestamp": Entry(
        "An authority of the trust root signed that the signature existed at a moment.",
        "RFC 3161 §2.3, §2.4.2",
        "The timestamp is of another signature, or its certificate did not hold.",
        "Ask whoever signed for the bundle again.",
    ),
    "bundle.time": Entry(
        "Somebody whom the trust root names says when it was signed, and that is not after the moment judged for.",
        _CLIENT,
        "There is neither a promise of a log nor a timestamp, or the verifier's clock is wrong.",
        "Have it signed with a timestamp; set the clock; give a later --at.",
    ),
    "bundle.chain": Entry(
        "At the time of signing an authority of the trust root vouched for the certificate.",
        "RFC 5280 §6",
        "Another instance of Sigstore issued it, or it had expired when it was used.",
        "Give the trust root of the instance that it was signed in, with --trusted-root.",
    ),
    "bundle.sct": Entry(
        "A log of certificates that the trust root names has seen the certificate.",
        "RFC 6962 §3.2",
        "The authority issued it without telling anybody.",
        "Do not use it; an authority that hides certificates is not to be believed.",
    ),
    "bundle.identity": Entry(
        "Whoever signed is one of the identities that are wanted.",
        "Navicert: exact unless an expression is asked for",
        "Another workflow, branch or person signed; of reusable workflows the name is that of the reused one.",
        "Compare the name and the issuer in the message with what was asked for.",
    ),
    "bundle.content": Entry(
        "What was signed is a document that can be read.",
        "in-toto attestation framework, spec/v1",
        "The signer signed something else.",
        "See the message; nothing can be verified about other content.",
    ),
}
"""Check id → what it means."""
