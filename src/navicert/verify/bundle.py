"""Sigstore bundles, judged offline: who signed what, when, and by whose word.

Each proof is checked against the trust root alone, each has its check, and all are made, so that one run names all
that is wrong. What the trust root names must be proved: where it names logs, an entry of one; where it names logs of
certificates, a timestamp of one. Proofs by logs and authorities that it does not name prove nothing and are noted.

Spec: sigstore, client-spec (verification); protobuf-specs, sigstore_bundle.proto.
"""

from __future__ import annotations

import hashlib

from navicert.crypto.certificate import Certificate, identity_of
from navicert.crypto.certification import Certified, certify
from navicert.crypto.key import Key
from navicert.crypto.trusted_root import TrustedRoot
from navicert.dataclass import dataclass
from navicert.envelope.body import Body
from navicert.envelope.bundle import Bundle, MessageSignature, open_bundle, signed_message
from navicert.envelope.document import Sealed, Verified
from navicert.envelope.log_body import Claimed
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.identity import Identity, IdentityPolicy
from navicert.model.moment import TrustedTime
from navicert.timestamp import format_timestamp
from navicert.verdict import Check, all_of, failed, note, passed, skipped
from navicert.verify.certificate_log import judge_sct
from navicert.verify.log import judge_entry
from navicert.verify.timestamp import judge_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime
    from typing import Final

_SPEC: Final = "sigstore client-spec"
_HASHES: Final = ("sha256", "sha384", "sha512")
"""What keys of Sigstore sign, by their curve."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What came out. Only where `check` passed is there more: the `document`, or of a signed file its `digests`
    (algorithm → hex) and, where it came along, the `message`; and who signed, an `identity` or a `key`."""

    check: Check
    document: Verified[Body] | None = None
    digests: Mapping[str, str] | None = None
    message: bytes | None = None
    identity: Identity | None = None
    key: Key | None = None
    times: tuple[TrustedTime, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything that had to pass did."""
        return self.check.outcome.passes

    @property
    def problem(self) -> str:
        """What failed first, in words; empty where it passed."""
        bad = next((one for one in self.check.counted if not one.outcome.passes), None)
        return "" if bad is None else f"{bad.id}: {bad.reason}"


def judge_bundle(
    bundle: Bundle,
    root: TrustedRoot,
    at: datetime,
    *,
    wanted: Collection[IdentityPolicy] | None,
    keys: Collection[Key] = (),
    artifact: bytes | Mapping[str, str] | None = None,
    limits: Limits = LOCAL,
    within: str = "",
) -> Judged:
    """What `bundle` proves by `root` at the moment `at`. Never raises for what is wrong with the bundle.

    Who signed must be one of `keys`, or an identity that one of `wanted` means; with an empty collection no identity
    is meant. None leaves judging the identity to the caller, who finds it in what comes out. `artifact` is the file
    that a message signature is over, as bytes or digests (algorithm → lower-case hex). `within` is the path of the
    check that this one will stand under.

    Of several roots in one file each is tried by itself, and the first by which it holds counts; where it holds by
    none, what comes out is by the one that has the least against it.
    """
    found: list[Judged] = []
    for one in root.each:
        found.append(_Judge(bundle, one, at, wanted, keys, artifact, limits, within).judged())
        if found[-1].passed:
            return found[-1]
    return min(found, key=lambda judged: sum(not check.outcome.passes for check in judged.check.counted))


def judge_bytes(
    raw: bytes,
    root: TrustedRoot,
    at: datetime,
    *,
    wanted: Collection[IdentityPolicy] | None,
    keys: Collection[Key] = (),
    artifact: bytes | Mapping[str, str] | None = None,
    limits: Limits = LOCAL,
    path: str = "",
) -> Judged:
    """`judge_bundle` of the bundle in the JSON `raw`; what is none fails the check `bundle.form`."""
    try:
        bundle = open_bundle(raw, limits, path=path)
    except Malformed as error:
        return Judged(all_of("bundle", path, (failed("bundle.form", path, str(error), spec=_SPEC),)))
    return judge_bundle(bundle, root, at, wanted=wanted, keys=keys, artifact=artifact, limits=limits)


class _Judge:
    """One judgement on its way: checks in their order, and the moments proved so far."""

    def __init__(
        self,
        bundle: Bundle,
        root: TrustedRoot,
        at: datetime,
        wanted: Collection[IdentityPolicy] | None,
        keys: Collection[Key],
        artifact: bytes | Mapping[str, str] | None,
        limits: Limits,
        within: str,
    ) -> None:
        self.bundle = bundle
        name = f"bundle[{bundle.origin}]" if bundle.origin else "bundle"
        self.path = f"{within}/{name}" if within else name
        self.root = root
        self.at = at
        self.wanted = wanted
        self.keys = keys
        self.limits = limits
        self.checks: list[Check] = []
        self.times: list[TrustedTime] = []
        self.message = bundle.content.message if isinstance(bundle.content, MessageSignature) else None
        if isinstance(artifact, bytes):
            self.message = artifact
            artifact = None
        self.digests: Mapping[str, str] = _digests(self.message) if self.message is not None else artifact or {}

    def judged(self) -> Judged:
        """All checks, and what they prove."""
        key: Key | None
        leaf = identity = certified = None
        others: tuple[Certificate, ...] = ()
        if self.bundle.certificates:
            try:
                leaf, *rest = (Certificate.read(raw) for raw in self.bundle.certificates)
                identity, others, key = identity_of(leaf), tuple(rest), leaf.key
            except Malformed as error:
                self._fail("bundle.certificate", str(error))
                return self._result()
            self._pass("bundle.certificate", f"names {identity}", serial=f"{leaf.loaded.serial_number:x}")
            self._signature(key, "the key of its certificate")
        else:
            key = self._key()
            if key is None:
                return self._result()
        claimed = Claimed(self.bundle, key, None if leaf is None else leaf.der, self.digests)
        self._timestamps()
        self._entries(claimed, required=leaf is not None)
        self._time(required=leaf is not None)
        if leaf is not None:
            certified = self._chain(leaf, others)
            self._sct(leaf, certified)
        if identity is not None:
            self._identity(identity)
        return self._result(certified, key)

    def _pass(self, id: str, reason: str, **facts: object) -> None:
        self.checks.append(passed(id, self.bundle.origin, reason, spec=_SPEC, facts=facts))

    def _fail(self, id: str, reason: str) -> None:
        self.checks.append(failed(id, self.bundle.origin, reason, spec=_SPEC))

    def _skip(self, id: str, reason: str, because: str) -> None:
        """Not judged, because the check `because` of this bundle did not pass."""
        origin = self.bundle.origin
        cause = f"{self.path}/{because}[{origin}]" if origin else f"{self.path}/{because}"
        self.checks.append(skipped(id, origin, reason, cause=cause, spec=_SPEC))

    # --- the signature ---------------------------------------------------------------------------------------------

    def _signature(self, key: Key, whose: str) -> None:
        problem = self._unsigned(key)
        if problem:
            self._fail("bundle.signature", problem.format(whose))
        else:
            self._pass("bundle.signature", f"made with {whose}")

    def _unsigned(self, key: Key) -> str:
        """Why the signature is not one of `key`, with a place for whose key that is; empty where it is."""
        content = self.bundle.content
        if isinstance(content, Sealed):
            made = content.signatures[0].made_by(key, signed_message(content))
            return "" if made else "not made with {} over this content"
        if content.digest is not None and self.digests:
            known = self.digests.get(content.digest.algorithm)
            if known is not None and known != content.digest.hex:
                return f"the bundle is about another file, {content.digest}"
        forms = {key} if self.bundle.certificates else {key, key.in_bundles()}
        if self.message is not None:
            made = any(one.verify(content.signature, self.message) for one in forms)
            return "" if made else "not made with {} over this file"
        if not self.digests:
            return "it is over a file, and no file was given to compare with"
        if key.keytype == "ed25519":
            return "a key of this type signs the file itself, and only its digest was given"
        made = any(one.verify_digest(content.signature, self.digests) for one in forms)
        return "" if made else "not made with {} over this file"

    def _key(self) -> Key | None:
        """The key among those given that signed; None, and a failed check, where none did."""
        members = [member for key in self.keys for member in key.members if not member.openpgp]
        hint = self.bundle.hint
        members.sort(key=lambda key: hint not in key.ids)
        problem = "it is signed with a key, and no key was given to compare with"
        for key in members:
            problem = self._unsigned(key).format("any of the keys given")
            if not problem:
                self._pass("bundle.signature", f"made with the key {key.short}", key=key.fingerprint)
                return key
        self._fail("bundle.signature", problem)
        return None

    # --- logs ------------------------------------------------------------------------------------------------------

    def _entries(self, claimed: Claimed, *, required: bool) -> None:
        """The entries of logs that the trust root names; at least one where it is `required` and it names any."""
        counted = False
        for entry in self.bundle.entries:
            logs = [log for log in self.root.logs if log.id == entry.log_id]
            if not logs:
                reason = "the trust root names no such log, so its entry proves nothing" + self._unsupported()
                self.checks.append(note("bundle.entry", f"log {entry.log_id.hex()[:16]}", reason))
                continue
            counted = True
            moments = [time.at for time in self.times] or [self.at]
            check, time = judge_entry(entry, logs, claimed, moments, self.limits)
            self.checks.append(check)
            self.times += [] if time is None else [time]
        if counted or not required:
            return
        if self.root.wants_log:
            what = "no entry of a log" if not self.bundle.entries else "no entry of a log that the trust root names"
            self._fail("bundle.log", what + self._unsupported())
        else:
            self.checks.append(
                note("bundle.log", self.bundle.origin, "the trust root names no log, so none is asked for")
            )

    def _unsupported(self) -> str:
        return f" ({'; '.join(self.root.unsupported[:3])})" if self.root.unsupported else ""

    # --- time ------------------------------------------------------------------------------------------------------

    def _timestamps(self) -> None:
        for number, raw in enumerate(self.bundle.timestamps, 1):
            authorities = self.root.timestamp_authorities
            check, time = judge_timestamp(raw, authorities, self.bundle.stamped, f"timestamp {number}")
            self.checks.append(check)
            self.times += [] if time is None else [time]

    def _time(self, *, required: bool) -> None:
        from datetime import timedelta

        if not self.times:
            if required:
                self._fail("bundle.time", "nobody whom the trust root names says when it was signed")
            return
        latest = max(self.times, key=lambda time: time.at)
        if latest.at > self.at + timedelta(seconds=self.limits.clock_skew_seconds):
            self._fail("bundle.time", f"signed at {latest}, which is after {format_timestamp(self.at)}, judged for")
        else:
            self._pass("bundle.time", "signed at " + ", ".join(map(str, self.times)))

    # --- the certificate -------------------------------------------------------------------------------------------

    def _chain(self, leaf: Certificate, others: Sequence[Certificate]) -> Certified | None:
        certified, found = certify(leaf, self.root.authorities, self.times, others)
        if not found:
            self._skip("bundle.chain", "there is no trusted time to judge its certificate at", "bundle.time")
        for time, way in found:
            if way.problem:
                self._fail("bundle.chain", f"its certificate does not hold at {time}: {way.problem}")
            else:
                subject = way.chain[-1].subject
                self._pass("bundle.chain", f"its certificate held at {time}, up to {subject}")
        return certified

    def _sct(self, leaf: Certificate, certified: Certified | None) -> None:
        if not self.root.wants_ctlog:
            reason = "the trust root names no log of certificates, so none is asked for"
            self.checks.append(note("bundle.sct", self.bundle.origin, reason))
        elif certified is None:
            reason = "without a chain it is not known who issued the certificate that a log has seen"
            self._skip("bundle.sct", reason, "bundle.chain")
        else:
            self.checks.append(judge_sct(leaf, certified.chain, self.root, self.bundle.origin, self._unsupported()))

    def _identity(self, identity: Identity) -> None:
        if self.wanted is None:
            return
        objections = [wanted.objections(identity) for wanted in self.wanted]
        if not objections:
            self._fail("bundle.identity", f"signed by {identity}, and no identity is wanted")
        elif () in objections:
            self._pass("bundle.identity", f"signed by {identity}", identity=identity.san, issuer=identity.issuer)
        else:
            self._fail("bundle.identity", "; ".join(sorted(objections, key=len)[0]))

    # --- the result ------------------------------------------------------------------------------------------------

    def _result(self, certified: Certified | None = None, key: Key | None = None) -> Judged:
        document: Verified[Body] | None = None
        content = self.bundle.content
        if isinstance(content, Sealed) and self._tree().outcome.passes:
            try:
                if certified is not None:
                    document = content.verified_for(certified)
                elif key is not None and not self.bundle.certificates:
                    document = content.verified_by((key,))
                    document = None if document is None else document.stamped(self.times)
            except Malformed as error:
                self._fail("bundle.content", str(error))
            else:
                if document is None:
                    self._fail("bundle.content", "nobody signed it")
        tree = self._tree()
        if not tree.outcome.passes:
            return Judged(tree)
        return Judged(
            tree,
            document,
            dict(self.digests) if isinstance(content, MessageSignature) else None,
            self.message if isinstance(content, MessageSignature) else None,
            None if certified is None else certified.identity,
            key if certified is None else None,
            tuple(self.times),
        )

    def _tree(self) -> Check:
        return all_of("bundle", self.bundle.origin, tuple(self.checks))


def _digests(message: bytes) -> dict[str, str]:
    return {name: hashlib.new(name, message).hexdigest() for name in _HASHES}
