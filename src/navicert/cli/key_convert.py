"""`navicert key convert`: a key in the form that another program reads."""

from __future__ import annotations

from navicert.cli import option, password
from navicert.cli.key_show import ids_of, is_private
from navicert.crypto.form import FORMS
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from navicert.crypto.key import Key
    from navicert.crypto.signer import Signer

HELP = "write a key in another form: PEM, OpenSSH, in-toto 1.x"
DESCRIPTION = """Write KEY, private or public, in another form. The key stays the same; the id that a
program knows it by may be another (navicert key show prints all). A private key
that was encrypted stays so, under its password."""
EXAMPLE = "navicert key convert old/owner --to pem -o keys/owner"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add = parser.add_argument
    add("key", metavar="KEY", help="key file of any form, env:NAME, or gpg:FINGERPRINT, awskms:… (public)")
    add(
        "--to",
        choices=FORMS,
        required=True,
        metavar="FORM",
        help="pem (in-toto 3), legacy (in-toto 1), openssh,\ntraditional (PKCS#1, SEC1), json (object of layouts)",
    )
    add("-o", "--output", metavar="OUT", help="file to write; - for standard output, as for public keys by default")
    add("--public", action="store_true", help="of a private key only the public half")
    add("--ids", choices=("modern", "legacy", "go"), metavar="FORM", help="id in json: modern, legacy or go")
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--encrypt", action="store_true", help="encrypt it; asks for a password twice")
    group.add_argument("--decrypt", action="store_true", help="do not encrypt what was encrypted")
    password.add_arguments(parser)
    add("--force", action="store_true", help="replace OUT if it exists")
    option.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Write the key, and say which one it is."""
    from navicert.crypto.form import private_bytes, public_bytes

    _check_options(args)
    key, signer, secret = _open(args)
    if signer is None or args.public:
        data = public_bytes(key if args.ids is None else key.with_id(key.id_of(args.ids)), args.to)
        option.write_file(args.output or "-", data, force=args.force)
        _say(args, key, private=False, encrypted=False)
        return 0
    if args.output is None:
        raise Malformed("where to?", path=args.key, remedy="name a file for the private key with --output")
    secret = _new_secret(args, secret)
    option.write_file(args.output, private_bytes(signer, args.to, secret), force=args.force, mode=0o600)
    _say(args, key, private=True, encrypted=secret is not None)
    return 0


def _check_options(args: argparse.Namespace) -> None:
    if args.ids is not None and args.to != "json":
        raise Malformed("--ids is for --to json: other forms hold no id", path="key convert", remedy="leave it out")
    if args.json and args.output in (None, "-"):
        raise Malformed("--json and the key on standard output", path="key convert", remedy="give -o FILE")


def _open(args: argparse.Namespace) -> tuple[Key, Signer | None, bytes | None]:
    """The key; the signer where it is a private one; its password where it is encrypted."""
    from navicert.trust.keyfile import open_public_key, open_signer

    try:
        return open_public_key(args.key), None, None
    except Malformed as error:
        if not is_private(error):
            raise
    asked: list[bytes] = []
    ask = password.source(args, args.key)

    def remembered() -> bytes:
        asked.append(ask())
        return asked[-1]

    signer = open_signer(args.key, password=remembered)
    return signer.key, signer, asked[-1] if asked else None


def _new_secret(args: argparse.Namespace, secret: bytes | None) -> bytes | None:
    """The password that the file is to have: that of the one that was read, or where asked for a new one."""
    if args.decrypt:
        return None
    if secret is None and args.encrypt:
        return password.source(args, args.output, confirm=True)()
    return secret


def _say(args: argparse.Namespace, key: Key, *, private: bool, encrypted: bool) -> None:
    from navicert.cli.terminal import escape, say

    if args.output in (None, "-"):
        return
    if args.json:
        from navicert.report.json import render_object

        about = {"kind": "private" if private else "public", "form": args.to, "encrypted": encrypted}
        say(render_object({"file": args.output, **about, "keytype": key.keytype, "keyids": ids_of(key)}))
        return
    how = f", {'encrypted' if encrypted else 'not encrypted'}" if private else ""
    say(f"{escape(args.output)}: {'private' if private else 'public'} key, {key.scheme}{how}")
    for form, id in ids_of(key).items():
        say(f"{form:<7} {escape(id)}")
