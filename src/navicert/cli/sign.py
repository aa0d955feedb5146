"""`navicert sign`: adds or replaces the signatures of a layout or link, or checks them."""

from __future__ import annotations

from datetime import UTC, datetime

from navicert.cli.option import (
    add_certificate,
    add_json,
    add_key,
    add_limits,
    add_timestamp,
    limits,
    public_keys,
    read_file,
    signers,
    write_file,
)
from navicert.cli.terminal import complain, escape, say
from navicert.errors import Malformed, Refused
from navicert.limits import Limits
from navicert.strictjson import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.crypto.signer import Signer
    from navicert.envelope.body import Body
    from navicert.envelope.document import Sealed

HELP = "sign a layout or link, or check its signatures"
DESCRIPTION = """Sign FILE in place of whoever signed it before, or with --add beside them. What is
signed does not change: for DSSE not a byte of the payload."""
EXAMPLE = "navicert sign root.layout --key keys/owner2 --add"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("file", metavar="FILE", help="layout, link or attestation, signed or not")
    parser.add_argument("-o", "--output", metavar="OUT", help="write here instead of replacing FILE; - for stdout")
    parser.add_argument("--add", action="store_true", help="keep the signatures that are there")
    parser.add_argument(
        "--format", choices=("dsse", "metablock"), metavar="FORM", help="dsse or metablock (default: as it is)"
    )
    parser.add_argument("--force", action="store_true", help="replace OUT if it exists")
    parser.add_argument("--verify", action="store_true", help="sign nothing; check that every KEY signed it")
    add_key(parser, help="private key; with --verify: public (repeatable)")
    add_certificate(parser)
    add_timestamp(parser)
    add_json(parser)
    add_limits(parser)


def run(args: argparse.Namespace) -> int:
    """Sign or check, and say by whom it is signed now."""
    raw = read_file(args.file, limits(args).document_bytes)
    if args.verify:
        return _verify(args, raw)
    made = signers(args)
    data, form, replaced = _sign(args, raw, made)
    output = args.output or args.file
    write_file(output, data, force=args.force or args.output in (None, args.file))
    ids = [signer.keyid for signer in made]
    if output == "-":
        return 0
    if args.json:
        from navicert.report.json import render_object

        say(render_object({"file": output, "form": form, "signed_by": ids, "signatures_removed": replaced}))
        return 0
    say(f"{escape(output)}: signed by {', '.join(escape(id) for id in ids)}")
    if replaced:
        complain(f"{output}: replaced {replaced} signature{'s' * (replaced != 1)} – use --add to keep them")
    return 0


def _sign(args: argparse.Namespace, raw: bytes, made: tuple[Signer, ...]) -> tuple[bytes, str, int]:
    """The signed file, its form, and how many signatures by others were left out of it."""
    from navicert.envelope.document import add_signatures, form_for, seal

    found = _open(args.file, raw, limits(args))
    if not isinstance(found, tuple):
        if args.add:
            raise Malformed("not signed yet", path=args.file, remedy="leave --add out")
        form = args.format or form_for(*made)
        return seal(found, *made, form=form), form, 0
    sealed, body = found
    form = args.format or sealed.form
    ids = {signer.keyid for signer in made}
    others = 0 if args.add else sum(signature.keyid not in ids for signature in sealed.signatures)
    if form == sealed.form:
        return add_signatures(sealed, *made, replace=not args.add), form, others
    if sealed.form == "dsse":
        raise Refused(
            "a DSSE payload is signed byte by byte, and another form would change it",
            path=args.file,
            remedy="sign the unsigned document with --format metablock",
        )
    if args.add:
        raise Refused(
            "signatures do not survive a change of form", path=args.file, remedy="leave --add or --format out"
        )
    return seal(body, *made, form=form), form, others


def _open(path: str, raw: bytes, limits: Limits) -> tuple[Sealed, Body] | Body:
    """The signed document, read so that nothing malformed is ever signed; or the unsigned one."""
    from navicert.envelope.body import read_body
    from navicert.envelope.document import open_document, peek

    value = loads(raw, limits, path=path)
    if isinstance(value, dict) and "_type" in value and "signed" not in value and "payload" not in value:
        try:
            return _checked(read_body(value, limits))
        except Malformed as error:
            raise error.at(path) from None
    sealed = open_document(raw, limits, path=path)
    try:
        return sealed, _checked(peek(sealed).body)
    except Malformed as error:
        raise error.at(path) from None


def _checked(body: Body) -> Body:
    """`body`, whose keys can be read too if it is a layout."""
    from navicert.model.layout import Layout
    from navicert.verify.authority import Authority

    if isinstance(body, Layout):
        Authority.of(body)
    return body


def _verify(args: argparse.Namespace, raw: bytes) -> int:
    from navicert.envelope.document import open_document

    if args.output or args.add or args.format or args.cert or args.timestamp:
        raise Malformed("--verify writes nothing", remedy="leave --output, --add, --format, --cert and --timestamp out")
    keys = public_keys(args.key)
    verified = open_document(raw, limits(args), path=args.file).verified_by(keys)
    now = datetime.now(UTC)
    good = [verified is not None and verified.is_signed_by(key, now) for key in keys]
    if args.json:
        from navicert.report.json import render_object

        found = [
            {"key": path, "keyid": key.id, "valid": ok} for path, key, ok in zip(args.key, keys, good, strict=True)
        ]
        say(render_object({"file": args.file, "valid": all(good), "keys": found}))
    else:
        for path, key, ok in zip(args.key, keys, good, strict=True):
            say(
                f"{'valid' if ok else 'NOT valid'}  {escape(args.file)} {'is' if ok else 'is not'} signed by "
                f"{escape(path)} ({key.short})"
            )
    return 0 if all(good) else 1
