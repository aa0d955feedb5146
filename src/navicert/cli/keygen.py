"""`navicert keygen`: makes a key pair."""

from __future__ import annotations

import json

from navicert.cli import password
from navicert.crypto.key import Key
from navicert.crypto.signer import CURVES, DEFAULT_BITS, MemorySigner, generate, private_pem
from navicert.errors import Malformed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse


HELP = "make a key pair"
DESCRIPTION = """Make a key pair: the private key in KEY (mode 0600), the public key in KEY.pub.
Missing folders are created; nothing is overwritten without --force."""
EXAMPLE = "navicert keygen keys/owner --encrypt"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of `keygen`."""
    parser.add_argument("path", metavar="KEY", help="where to write the private key; .pub is added for the public one")
    parser.add_argument("--type", choices=("ed25519", "ecdsa", "rsa"), default="ed25519", help="(default: ed25519)")
    parser.add_argument("--curve", choices=CURVES, help="curve of an ECDSA key (default: P-256)")
    parser.add_argument("--bits", type=int, metavar="N", help=f"length of an RSA key (default: {DEFAULT_BITS})")
    parser.add_argument("--encrypt", action="store_true", help="encrypt the private key; asks for a password twice")
    password.add_arguments(parser)
    parser.add_argument("--legacy", action="store_true", help="write the key files of in-toto 1.x instead of PKCS#8")
    parser.add_argument("--force", action="store_true", help="replace files that exist")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(args: argparse.Namespace) -> int:
    """Write the pair and print the ids of the key. Raises `Malformed`, `Refused` or `Unavailable`; then nothing is
    written."""
    from navicert.trust.keypair import check_free, write_pair

    _check_options(args)
    check_free(args.path, force=args.force)
    # Whoever says where the password is wants the key encrypted.
    encrypt = args.encrypt or password.given(args)
    secret = password.source(args, args.path, confirm=True)() if encrypt else None
    signer = generate(args.type, bits=DEFAULT_BITS if args.bits is None else args.bits, curve=args.curve or CURVES[0])
    private, public = _files(signer, secret, legacy=args.legacy)
    write_pair(args.path, private, public, force=args.force)
    _print(args, signer.key, encrypted=encrypt)
    return 0


def _check_options(args: argparse.Namespace) -> None:
    # Ignored options are worse than refused ones: somebody would believe in a longer key than they have.
    for option, wanted in (("bits", "rsa"), ("curve", "ecdsa")):
        if getattr(args, option) is not None and args.type != wanted:
            raise Malformed(
                f"--{option} means nothing for {args.type}",
                path="keygen",
                remedy=f"give --type {wanted}, or leave it out",
            )


def _files(signer: MemorySigner, secret: bytes | None, *, legacy: bool) -> tuple[bytes, bytes]:
    if not legacy:
        return private_pem(signer, secret), signer.key.public_pem()
    from navicert.crypto.legacy import private_file, public_file

    return private_file(signer, secret), public_file(signer.key)


def _print(args: argparse.Namespace, key: Key, *, encrypted: bool) -> None:
    from navicert.cli.terminal import escape, say
    from navicert.trust.keypair import SUFFIX

    # First the id that signatures will carry; in-toto 1.x knows an RSA key of its own by PEM as we do.
    legacy = args.legacy and key.keytype != "rsa"
    if args.json:
        report = {
            "keyid": key.legacy_id if legacy else key.modern_id,
            "keyids": {"modern": key.modern_id, "legacy": key.legacy_id, "go": key.go_id},
            "keytype": key.keytype,
            "scheme": key.scheme,
            "private": args.path,
            "public": args.path + SUFFIX,
            "encrypted": encrypted,
        }
        say(json.dumps(report, indent=2))
        return
    names = [("key id", key.modern_id), ("in in-toto 1.x", key.legacy_id)]
    if legacy:
        names = [("key id", key.legacy_id), ("in in-toto 3.x", key.modern_id)]
    if key.go_id != key.legacy_id:
        names.append(("in in-toto-golang", key.go_id))
    say(f"{'private key':<18} {escape(args.path)} ({key.scheme}, {'encrypted' if encrypted else 'not encrypted'})")
    say(f"{'public key':<18} {escape(args.path + SUFFIX)}")
    for label, id in names:
        say(f"{label:<18} {id}")
