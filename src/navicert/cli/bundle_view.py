"""A Sigstore bundle for people: what it holds, whom it names, and the proofs that it brings. Nothing is checked."""

from __future__ import annotations

from navicert.crypto.certificate import Certificate, identity_of
from navicert.crypto.key import Key
from navicert.digest import sha256
from navicert.envelope.bundle import Bundle, MessageSignature, open_bundle, signed_message
from navicert.envelope.document import Sealed, peek
from navicert.errors import Malformed
from navicert.limits import Limits
from navicert.model.log_entry import LogEntry
from navicert.report.document import SeenDocument, SeenSignature
from navicert.timestamp import format_timestamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def seen_bundle(path: str, raw: bytes, keys: Sequence[tuple[str, Key]], limits: Limits) -> SeenDocument:
    """The bundle in `raw`, its signature tried with `keys` (name, key). Raises `Malformed` where it is none."""
    bundle = open_bundle(raw, limits, path=path)
    content = bundle.content
    body, about = None, ""
    if isinstance(content, Sealed):
        body = peek(content).body
    elif content.digest is not None:
        about = f"a file with digest {content.digest}"
    return SeenDocument(
        path, "bundle", str(sha256(raw)), body, (_signature(bundle, keys),), about, tuple(_proofs(bundle))
    )


def _signature(bundle: Bundle, keys: Sequence[tuple[str, Key]]) -> SeenSignature:
    content = bundle.content
    keyid = bundle.hint if isinstance(content, MessageSignature) else content.signatures[0].keyid or bundle.hint
    if bundle.certificates:
        try:
            who = str(identity_of(Certificate.read(bundle.certificates[0])))
        except Malformed as error:
            who = f"nobody ({error.what})"
        return SeenSignature(keyid, certificate=who)
    if not keys or isinstance(content, MessageSignature):
        return SeenSignature(keyid)
    message, signature = signed_message(content), content.signatures[0]
    name = next((name for name, key in keys if signature.made_by(key, message)), "")
    return SeenSignature(keyid, bool(name), name)


def _proofs(bundle: Bundle) -> Iterator[str]:
    for certificate in bundle.certificates[:1]:
        try:
            read = Certificate.read(certificate)
        except Malformed:
            continue  # said with the signature
        valid = f"{format_timestamp(read.not_before)} to {format_timestamp(read.not_after)}"
        yield f"a certificate for {valid}"
    for entry in bundle.entries:
        yield f"entry {entry.index} of log {entry.log_id.hex()[:16]}, {entry.kind} {entry.version}{_moment(entry)}"
    for number, _ in enumerate(bundle.timestamps, 1):
        yield f"timestamp {number} (RFC 3161)"


def _moment(entry: LogEntry) -> str:
    try:
        return f", entered {format_timestamp(entry.moment)}"
    except Malformed:
        return ""
