"""Opening what a file holds, so that each document in it can be judged by itself: one, or one a line.

What is in a file is evidence, whoever wrote it: what cannot be read becomes a specimen with the reason, and never an
exception. Opened first and examined later, because only the subjects say which digests of the artifact are needed.
"""

from __future__ import annotations

from navicert.crypto.key import Key
from navicert.dataclass import dataclass, field
from navicert.digest import RECORDABLE, Digest, sha256
from navicert.envelope.document import Sealed, open_document, peek
from navicert.envelope.jsonlines import Member, members_of
from navicert.errors import Malformed
from navicert.limits import LOCAL, Limits
from navicert.model.statement import Statement
from navicert.strictjson import loads
from navicert.verify.inquiry import ROOT, Specimen

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

    from navicert.crypto.trusted_root import TrustedRoot
    from navicert.envelope.bundle import Bundle
    from navicert.model.identity import IdentityPolicy


@dataclass(frozen=True, slots=True)
class Opened:
    """One document as it was found: an envelope, a Sigstore bundle, or neither with the reason."""

    origin: str
    digest: Digest
    sealed: Sealed | None = None
    bundle: Bundle | None = None
    problem: str = ""
    unsigned: bool = False


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count: those of `keys`, or with `identity` those of certificates; `root` is what the proofs of
    bundles are checked by. `artifact` is the file that bundles may have signed, as bytes or digests (algorithm → hex).
    """

    keys: Collection[Key]
    at: datetime
    root: TrustedRoot | None = None
    identity: IdentityPolicy | None = None
    artifact: bytes | Mapping[str, str] | None = field(default=None, repr=False)


def open_members(raw: bytes, limits: Limits = LOCAL, *, path: str = "") -> tuple[Opened, ...]:
    """Every document in `raw`. Raises `LimitExceeded` for more than `limits` allow."""
    return tuple(_opened(member, limits, path) for member in members_of(raw, limits, path=path))


def _opened(member: Member, limits: Limits, path: str) -> Opened:
    origin, digest = member.place(path), sha256(member.raw)
    if not member.raw.strip():
        return Opened(origin, digest, problem="the file is empty")
    try:
        value = loads(member.raw, limits)
        if isinstance(value, dict):
            from navicert.envelope.bundle import is_bundle, open_bundle

            if is_bundle(value):
                return Opened(origin, digest, bundle=open_bundle(member.raw, limits, path=origin))
            if "_type" in value and "payload" not in value and "signed" not in value:
                return Opened(origin, digest, unsigned=True)
        return Opened(origin, digest, open_document(member.raw, limits))
    except Malformed as error:
        return Opened(origin, digest, problem=f"cannot be read: {_bare(error, origin)}")


def examine(opened: Opened, trust: Trust, limits: Limits = LOCAL) -> Specimen:
    """What becomes of one document by `trust`. Raises `ValueError` for a bundle without a root to judge it by."""
    origin, digest = opened.origin, opened.digest
    if opened.bundle is not None:
        return _examine_bundle(opened, opened.bundle, trust, limits)
    if opened.sealed is None:
        return Specimen(origin, digest, problem=opened.problem, unsigned=opened.unsigned)
    named = tuple(signature.keyid or "(no id)" for signature in opened.sealed.signatures)
    try:
        return Specimen(origin, digest, opened.sealed.verified_by(trust.keys), "", named)
    except Malformed as error:
        return Specimen(origin, digest, problem=f"cannot be read: {_bare(error, origin)}")


def _examine_bundle(opened: Opened, bundle: Bundle, trust: Trust, limits: Limits) -> Specimen:
    from navicert.envelope.bundle import MessageSignature
    from navicert.verify.bundle import judge_bundle

    if trust.root is None:
        raise ValueError("a bundle is judged by a trust root")
    wanted = () if trust.identity is None else (trust.identity,)
    judged = judge_bundle(
        bundle,
        trust.root,
        trust.at,
        wanted=wanted,
        keys=trust.keys,
        artifact=trust.artifact,
        limits=limits,
        within=f"{ROOT}/attestation[{opened.origin}]/attestation.signature[{opened.origin}]",
    )
    named = () if bundle.hint is None else (bundle.hint,)
    return Specimen(
        opened.origin,
        opened.digest,
        judged.document,
        "",
        named,
        proof=judged.check,
        over_file=isinstance(bundle.content, MessageSignature),
        key=judged.key,
        identity=judged.identity,
    )


def algorithms_of(opened: Iterable[Opened]) -> tuple[str, ...]:
    """The algorithms that a file has to be hashed with to be compared with what documents claim to be about. They are
    not verified yet, and decide nothing but that."""
    named = {"sha256"}
    for one in opened:
        content = one.sealed if one.bundle is None else one.bundle.content
        if not isinstance(content, Sealed):
            named |= {"sha384", "sha512"} if one.bundle is not None else set()
            continue
        try:
            body = peek(content).body
        except Malformed:
            continue  # judged later, and refused there
        if isinstance(body, Statement):
            named |= {name for subject in body.subjects for name, _ in subject.digests}
    return tuple(name for name in RECORDABLE if name in named)


def _bare(error: Malformed, origin: str) -> str:
    """The error without the file name, which is said already."""
    if error.path == origin:
        error.path = ""
    return str(error)
