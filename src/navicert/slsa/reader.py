"""Statements out of documents: envelopes are opened by keys, bundles of Sigstore by keys and by a trust root.

Every signature is checked here. Whom a signer may speak for is asked later, of the builder tables.
"""

from __future__ import annotations

from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.slsa.attestation import Attestation
from navicert.verify.case import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from navicert.crypto.key import Key
    from navicert.envelope.body import Body
    from navicert.envelope.bundle import Bundle
    from navicert.envelope.document import Verified
    from navicert.verify.keyless import Keyless


class StatementReader:
    """Opens documents one after the other: `found` are the statements that somebody signed, `refused` what does not
    count, each with its reason. Bundles are judged by the root of `keyless`, which is asked for the first one."""

    def __init__(self, keys: tuple[Key, ...], keyless: Keyless, limits: Limits) -> None:
        self._keys = keys
        self._keyless = keyless
        self._limits = limits
        self.found: list[Attestation] = []
        self.refused: list[Refusal] = []

    def read(self, raw: bytes, origin: str, annotations: Mapping[str, str] | None = None) -> None:
        """Take in the documents in `raw`, which may be JSON lines. `annotations` are those of the layer that it is,
        in which cosign keeps certificates. What is no statement, such as a link, is left to who judges chains."""
        from navicert.envelope.cosign import CERTIFICATE
        from navicert.envelope.jsonlines import members_of

        try:
            members = members_of(raw, self._limits)
        except Malformed as error:
            self.refuse(origin, f"cannot be read: {error}")
            return
        for member in members:
            place = member.place(origin)
            try:
                if annotations is not None and annotations.get(CERTIFICATE):
                    self._layer(member.raw, annotations, place)
                else:
                    self._document(member.raw, place)
            except Malformed as error:
                error.path = ""
                self.refuse(place, f"cannot be read: {error}")

    def refuse(self, origin: str, reason: str) -> None:
        """Note that what is at `origin` does not count."""
        self.refused.append(Refusal(origin, reason))

    def _document(self, raw: bytes, origin: str) -> None:
        from navicert.envelope.bundle import is_bundle, open_bundle
        from navicert.envelope.document import open_document, peek
        from navicert.model.statement import Statement
        from navicert.strictjson import loads

        value = loads(raw, self._limits)
        if isinstance(value, dict) and is_bundle(value):
            self._bundle(open_bundle(raw, self._limits, path=origin))
            return
        if isinstance(value, dict) and "_type" in value and "payload" not in value and "signed" not in value:
            self.refuse(origin, "unsigned: nobody vouches for it")
            return
        sealed = open_document(raw, self._limits, path=origin)
        body = peek(sealed).body
        if not isinstance(body, Statement):
            return
        verified = sealed.verified_by(self._keys) if self._keys else None
        if verified is None:
            named = sorted({one.keyid[:8] if one.keyid else "(no id)" for one in sealed.signatures})
            who = f"it names {', '.join(named[:5])}" if named else "it is not signed"
            given = "it is signed by none of the keys that were given" if self._keys else "no key was given"
            self.refuse(origin, f"{body.predicate_type}: {given}; {who}")
            return
        self._take(verified)

    def _layer(self, raw: bytes, annotations: Mapping[str, str], origin: str) -> None:
        from navicert.envelope.cosign import bundle_of_layer

        self._bundle(bundle_of_layer(raw, annotations, self._limits, path=origin))

    def _bundle(self, bundle: Bundle) -> None:
        """Judge a bundle by its proofs."""
        from navicert.envelope.bundle import MessageSignature
        from navicert.verify.bundle import judge_bundle

        if isinstance(bundle.content, MessageSignature):
            self.refuse(bundle.origin, "a signature on a file: it says nothing about how that was built")
            return
        verified = bundle.content.verified_by(self._keys) if self._keys else None
        if verified is not None:
            # Whoever has one of these keys signed it: what else stands in the bundle adds nothing.
            self._take(verified)
            return
        root, moment = self._keyless.root, self._keyless.at
        judged = judge_bundle(bundle, root, moment, wanted=None, keys=self._keys, limits=self._limits)
        if judged.document is not None:
            self._take(judged.document)
            return
        self.refuse(bundle.origin, judged.problem)

    def _take(self, verified: Verified[Body]) -> None:
        attestation = Attestation.of(verified)
        if attestation is not None:
            self.found.append(attestation)
