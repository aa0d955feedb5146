"""`in-toto-sign`: signs layouts and links, or checks their signatures."""

from __future__ import annotations

import sys

from navicert.compat.shim.in_toto import __version__, argument
from navicert.compat.shim.in_toto.argument import getpass
from navicert.compat.shim.message import Log
from navicert.compat.shim.securesystemslib.exceptions import FormatError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any, Final, NoReturn

LOG: Final = Log("in_toto")

_OLD: Final = "file key prompt gpg gpg-home output append verify verbose quiet version help"
EDITIONS: Final = (argument.long_options(_OLD), argument.long_options(_OLD, "key-type"))
"""Long options of 3.1.0, and of 2.x and 1.3.1."""


def create_parser() -> argparse.ArgumentParser:
    """The parser of the options of every release."""
    from navicert.compat.shim.in_toto.parser import Parser

    parser = Parser(
        editions=EDITIONS,
        description="Sign a layout or link in place of whoever signed it before (--append: beside them), or check"
        "\nsignatures (--verify). A layout is written back to its file, a link to '<name>.<keyid prefix>.link'.",
        epilog="example:\n  in-toto-sign -f unsigned.layout -k keys/owner1 keys/owner2 -o root.layout",
    )
    configure(parser)
    return argument.finish(parser, __version__)


def configure(parser: argument.Options) -> None:
    """Add the options of every release."""
    named = parser.add_argument_group("required named arguments")
    named.add_argument("-f", "--file", type=str, required=True, metavar="<path>", help="layout or link")
    parser.add_argument(
        "-k", "--key", nargs="+", metavar="<path>", help="private keys, with --verify public keys, of any form"
    )
    parser.add_argument(
        "-t",
        "--key-type",
        dest="key_type",
        nargs="+",
        choices=["rsa", "ed25519", "ecdsa"],
        help="types that the keys must be of, one for each or one for all; the files say themselves what they are",
    )
    parser.add_argument("-p", "--prompt", action="store_true", help="ask for the password of the keys")
    parser.add_argument("-g", "--gpg", nargs="*", metavar="<id>", help="gpg keys; without <id> the default key of gpg")
    parser.add_argument(*argument.GPG_HOME_ARGS, **argument.GPG_HOME_KWARGS)
    parser.add_argument("-o", "--output", type=str, metavar="<path>", help="file to write to")
    parser.add_argument("-a", "--append", action="store_true", help="keep the signatures of a layout that are there")
    parser.add_argument("--verify", action="store_true", help="sign nothing; check that every key signed")
    argument.add_verbosity(parser)


def main() -> None:
    """Run the program. Exits with 0; 1 where a signature does not verify; 2 for wrong usage and all else."""
    args = argument.read(configure, create_parser)
    LOG.obey(args.verbose, args.quiet)

    def refuse(text: str) -> NoReturn:
        parser = create_parser()
        parser.print_help()
        parser.error(text)

    if args.verify and (args.append or args.output):
        refuse("conflicting arguments: don't specify any of 'append' or 'output' when verifying signatures")
    if (args.key is None) == (args.gpg is None):
        refuse("wrong arguments: specify either '--key PATH [PATH ...]' or '--gpg [KEYID [KEYID ...]]'")
    if args.verify and args.gpg is not None and not args.gpg:
        refuse("missing arguments: specify at least one keyid for GPG signature verification ('--gpg KEYID ...')")
    try:
        from navicert.compat.shim.in_toto.models.metadata import Metadata

        metadata = Metadata.load(args.file)
        payload = metadata.get_payload()
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        text = str(error).replace(f" in '{args.file}'", "")
        LOG.error("The following error occurred while loading the file '%s': %s", args.file, text)
        sys.exit(2)
    if payload.type_ == "link":
        namespaced = (
            "link metadata is associated with a single functionary and is usually namespaced accordingly:"
            " '<name>.<keyid prefix>.link'."
        )
        if len(args.key or args.gpg or ()) > 1:
            refuse(f"too many arguments: {namespaced} Hence signing Link metadata with multiple keys is not allowed.")
        if args.append:
            refuse(
                f"wrong arguments: {namespaced}. Hence adding signatures to existing signatures on link metadata is"
                " not allowed."
            )
    if args.verify:
        _verify(metadata, args)
    _sign(metadata, payload, args)


def _verify(metadata: Any, args: argparse.Namespace) -> NoReturn:
    from navicert.compat.shim.in_toto import keyring
    from navicert.compat.shim.in_toto.exceptions import SignatureVerificationError

    try:
        if args.key is not None:
            from navicert.trust.keyfile import open_public_key

            keys = keyring.public_keys(args.key, args.key_type, open_public_key)
        else:
            from navicert.compat.shim.securesystemslib._gpg import functions as gpg

            keys = gpg.export_pubkeys(args.gpg, args.gpg_home)
        for keyid, key in keys.items():
            metadata.verify_signature(key)
            LOG.info("Signature verification passed for keyid '%s'", keyid)
    except SignatureVerificationError as error:
        LOG.error("Signature verification failed: %s", error)
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("The following error occurred while verifying signatures: %s", error)
        sys.exit(2)
    sys.exit(0)


def _sign(metadata: Any, payload: Any, args: argparse.Namespace) -> NoReturn:
    try:
        _complete(metadata, payload, args)
        if not args.append:
            metadata.signatures.clear()
        signature = None
        for signer in _signers(args):
            signature = metadata.create_signature(signer)
        if args.output:
            path = args.output
        elif payload.type_ == "layout":
            path = args.file
        elif signature is None:
            raise FormatError("no key to sign with")
        else:
            from navicert.compat.shim.in_toto.file_name import FILENAME_FORMAT

            path = FILENAME_FORMAT.format(step_name=payload.name, keyid=signature.keyid)
        LOG.info("Dumping %s to '%s'...", payload.type_, path)
        metadata.dump(path)
    except Exception as error:  # noqa: BLE001  # the edge: whatever it is becomes one line
        LOG.error("The following error occurred while signing: %s", str(error) or type(error).__name__)
        sys.exit(2)
    sys.exit(0)


def _complete(metadata: Any, payload: Any, args: argparse.Namespace) -> None:
    """See that a layout that is about to be signed says when it expires: verification refuses one that does not."""
    from navicert.compat.shim.in_toto.models.metadata import Envelope, read_payload

    if payload.type_ != "layout":
        return
    if isinstance(metadata, Envelope):
        # Not a byte of a payload is ever changed.
        if not read_payload(metadata.payload, args.file).get("expires"):
            LOG.warning("layout '%s' does not say when it expires; verification will refuse it", args.file)
    elif not _received(metadata).get("expires"):
        if args.append:
            raise FormatError(
                f"layout '{args.file}' does not say when it expires, and cannot be completed where signatures are kept"
            )
        LOG.warning("layout '%s' does not say when it expires; signed as valid until %s", args.file, payload.expires)


def _received(metadata: Any) -> dict[str, Any]:
    import json

    received = json.loads(metadata._received[0]) if metadata._received else metadata.to_dict()
    signed: dict[str, Any] = received["signed"]
    return signed


def _signers(args: argparse.Namespace) -> list[Any]:
    from navicert.compat.shim.in_toto import keyring
    from navicert.compat.shim.in_toto.formats import _check_hex
    from navicert.compat.shim.in_toto.models._signer import GPGSigner

    if args.gpg is not None:
        for keyid in args.gpg:
            _check_hex(keyid)
        return [GPGSigner(keyid, homedir=args.gpg_home) for keyid in args.gpg or [None]]
    password = getpass().encode() if args.prompt else None
    return [
        keyring.signer(path, kind, password, None)
        for path, kind in zip(args.key, keyring.spread(args.key_type, len(args.key)), strict=True)
    ]
