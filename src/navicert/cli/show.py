"""`navicert show`: any document or key, for people. It verifies nothing, and says so."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from navicert.cli.failure import describe
from navicert.cli.option import add_json, add_limits, limits, public_keys, read_file
from navicert.cli.terminal import complain, escape, say, width
from navicert.errors import LimitExceeded, Malformed, NavicertError
from navicert.limits import Limits
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Sequence

    from navicert.crypto.key import Key
    from navicert.envelope.document import Sealed
    from navicert.envelope.signature import Signature
    from navicert.report.document import SeenDocument, SeenSignature

HELP = "print any document or key for people"
DESCRIPTION = """Print layouts, links, attestations and keys: who signed them, what they say, and
what they do not say. Only signatures are checked, and only with --key."""
EXAMPLE = "navicert show root.layout --key keys/owner.pub"

_LINES = 20
"""Documents of a JSON-lines file that are shown unless all are asked for."""
_KINDS = {
    b"\x1f\x8b": "gzip data",
    b"PK\x03\x04": "a zip archive",
    b"\x7fELF": "a program (ELF)",
    b"\x28\xb5\x2f\xfd": "zstd data",
}
# Field of a JSON object → what the object is.
_OTHERS = {
    "bomFormat": "a CycloneDX SBOM",
    "spdxVersion": "an SPDX SBOM",
    "$schema": "a JSON document with a schema",
    "mediaType": "an OCI or Sigstore document",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="document or key file; - for standard input")
    parser.add_argument(
        "-k", "--key", action="append", default=[], metavar="PUB", help="check signatures with this key"
    )
    parser.add_argument("-a", "--all", action="store_true", help="leave nothing out, digests in full")
    add_json(parser)
    add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Show every file; the first that cannot be read does not keep the others from being shown."""
    keys = [*zip(args.key, public_keys(args.key), strict=True)]
    shown: list[object] = []
    code = 0
    for path in args.files:
        try:
            found = list(_look(path, read_file(path, limits(args).document_bytes), keys, args))
        except (NavicertError, OSError) as error:
            if len(args.files) == 1:
                raise
            text, failed = describe(error)
            complain(text)
            code = max(code, failed)
            continue
        for one, failed in found:
            code = max(code, failed)
            if not args.json:
                say(f"\n{one}" if shown else str(one))
            shown.append(one)
    if args.json:
        from navicert.report.json import render_object

        say(render_object(shown[0] if len(shown) == 1 else shown))
    return code


def _look(
    path: str, raw: bytes, keys: Sequence[tuple[str, Key]], args: argparse.Namespace
) -> Iterator[tuple[object, int]]:
    """What the file holds: for each document in it a JSON object (with `--json`) or a text, and the exit code that it
    makes."""
    if _is_key(raw):
        yield _key(path, raw, as_json=args.json), 0
        return
    from navicert.envelope.jsonlines import members_of

    members = members_of(raw, limits(args), path=path)
    bound = len(members) if args.all else _LINES
    for member in members[:bound]:
        try:
            yield _one(member.place(path), member.raw, keys, args), 0
        except Malformed as error:
            if not member.line:
                raise
            # One bad line hides no other.
            error.path = ""
            yield _other(member.place(path), f"cannot be read: {error}", args), describe(error)[1]
    if len(members) > bound and not args.json:
        yield f"… {len(members) - bound} more documents in {escape(path)} (--all shows them)", 0


def _one(path: str, raw: bytes, keys: Sequence[tuple[str, Key]], args: argparse.Namespace) -> object:
    from navicert.report.document import document_json, render_document

    seen = _document(path, raw, keys, limits(args))
    if isinstance(seen, str):
        return _other(path, seen, args)
    if args.json:
        return document_json(seen)
    columns = width(sys.stdout)
    return render_document(seen, datetime.now(UTC), width=columns, everything=args.all)


def _other(path: str, what: str, args: argparse.Namespace) -> object:
    """What is no document, as a JSON object or a text."""
    if args.json:
        return {"type": "navicert-document/v1", "file": path, "kind": "unknown", "is": what}
    return f"{escape(path)}: {escape(what)}"


# --- documents -----------------------------------------------------------------------------------------------------


def _document(path: str, raw: bytes, keys: Sequence[tuple[str, Key]], limits: Limits) -> SeenDocument | str:
    """The document in `raw`, or what else it is. Raises `Malformed` for a broken one."""
    from navicert.digest import sha256
    from navicert.envelope.body import read_body
    from navicert.envelope.document import open_document, peek
    from navicert.report.document import SeenDocument

    try:
        value = loads(raw, limits, path=path)
    except LimitExceeded:
        raise
    except Malformed as error:
        if raw.lstrip()[:1] in (b"{", b"["):
            raise
        return _foreign(raw) or f"no document: {error.what}"
    if isinstance(value, dict) and ("payload" in value or "signed" in value):
        sealed = open_document(raw, limits, path=path)
        form, body, signatures = sealed.form, peek(sealed).body, tuple(_signatures(sealed, keys))
    elif isinstance(value, dict) and _is_bundle(value):
        from navicert.cli.bundle_view import seen_bundle

        return seen_bundle(path, raw, keys, limits)
    elif isinstance(value, dict) and "_type" in value:
        try:
            form, body, signatures = "unsigned", read_body(value, limits), ()
        except Malformed as error:
            raise error.at(path) from None
    else:
        return _json_kind(value)
    return SeenDocument(path, form, str(sha256(raw)), body, signatures)


def _signatures(sealed: Sealed, keys: Sequence[tuple[str, Key]]) -> Iterator[SeenSignature]:
    from navicert.report.document import SeenSignature

    messages = [message for message, _ in sealed.candidates()]
    if len(sealed.signatures) * len(keys) * len(messages) > sealed.limits.signature_attempts:
        raise LimitExceeded("too many signature checks (limit signature_attempts)", path=sealed.origin)
    for signature in sealed.signatures:
        certificate = _holder(signature)
        if not keys:
            yield SeenSignature(signature.keyid, certificate=certificate)
            continue
        good = (name for name, key in keys if any(signature.made_by(key, message) for message in messages))
        name = next(good, "")
        yield SeenSignature(signature.keyid, bool(name), name, certificate)


def _holder(signature: Signature) -> str:
    """Whom the certificate that came with `signature` names; empty where none came."""
    text = signature.certificate
    if text is None:
        return ""
    from navicert.crypto.certificate_key import CertificateKey

    try:
        key = CertificateKey.read(text if isinstance(text, str) else "")
    except Malformed as error:
        return f"nobody: it cannot be read ({error.what})"
    return ", ".join(key.names.all) or key.holder.subject or "nobody"


def _is_bundle(value: dict[str, object]) -> bool:
    from navicert.envelope.bundle import is_bundle

    return is_bundle(value)


def _json_kind(value: object) -> str:
    """What a JSON value is that is no document of ours."""
    if not isinstance(value, dict):
        return f"JSON, {'an array' if isinstance(value, list) else 'a single value'}, and no document of in-toto"
    kind = value.get("type")
    if isinstance(kind, str) and kind.startswith("navicert-verdict/"):
        return "a verdict (navicert explain shows it)"
    for name, what in _OTHERS.items():
        if name in value:
            return f"{what} ({name} {str(value[name])[:80]}), and no document of in-toto"
    fields = ", ".join(sorted(value)[:6]) or "no field"
    return f"a JSON object with {fields}, and no document of in-toto"


def _foreign(raw: bytes) -> str:
    """What a file is that is no JSON; empty where it might have been meant as some."""
    if not raw:
        return "empty"
    for magic, what in _KINDS.items():
        if raw.startswith(magic):
            return f"{what}, {len(raw)} bytes, and no document of in-toto"
    if b"\0" in raw[:4096]:
        return f"binary data, {len(raw)} bytes, and no document of in-toto"
    if b"steps:" in raw and b"{" not in raw[:1]:
        return "a layout in YAML, not signed (navicert layout lint and sign read it)"
    return ""


# --- keys ----------------------------------------------------------------------------------------------------------


def _is_key(raw: bytes) -> bool:
    from navicert.crypto.gpg_armour import is_binary

    head = raw.lstrip()[:400]
    if is_binary(raw) or head.startswith((b"-----BEGIN ", b"ssh-", b"ecdsa-sha2-")) or b"@@@@" in head:
        return True
    return head.startswith(b"{") and b'"keyval"' in raw[:65536] and b'"signed"' not in raw and b'"_type"' not in raw


def _key(path: str, raw: bytes, *, as_json: bool) -> object:
    """A key file: ids and type of a public key; of a private one only that it is one."""
    from navicert.cli.key_show import about
    from navicert.crypto.formats import load_public_key

    return about(path, lambda path: load_public_key(raw, path=path), as_json=as_json)
