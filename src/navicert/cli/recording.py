"""Options of the commands that record, and the world that they describe."""

from __future__ import annotations

import os
import sys
import time

from navicert.cli.image import add_access
from navicert.cli.option import limits, public_keys, read_file, signers, wrong
from navicert.cli.terminal import complain, is_terminal
from navicert.errors import Malformed
from navicert.limits import LOCAL

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Final

    from navicert.crypto.signer import Signer
    from navicert.record.expectation import Expectation, MaterialMismatch
    from navicert.record.recorder import Recording, World
    from navicert.resolve.artifact import Progress
    from navicert.store.directory import DirectoryStore


def add_artifacts(parser: argparse.ArgumentParser, option: str, help: str) -> None:
    """`-m PATH…` or `-p PATH…`: `args.materials` or `args.products`, lists."""
    parser.add_argument(
        f"-{option[0]}", f"--{option}", nargs="+", action="extend", default=[], metavar="PATH", help=help
    )


def add_finding(parser: argparse.ArgumentParser) -> None:
    """How the files are found: `world(args)`."""
    group = parser.add_argument_group("which files, under which names")
    group.add_argument(
        "-e", "--exclude", action="append", default=[], metavar="PATTERN", help="leave out too (as in .gitignore)"
    )
    group.add_argument("--no-default-excludes", action="store_true", help="do not leave out *.link* .git *.pyc *~")
    group.add_argument("--base-path", default="", metavar="DIR", help="find files here; names are relative to it")
    group.add_argument(
        "--lstrip-paths", nargs="+", action="extend", default=[], metavar="PREFIX", help="cut PREFIX off names"
    )
    group.add_argument("--hash", action="append", metavar="ALG", help="sha256 (default), sha512, … (repeatable)")
    group.add_argument("--no-follow", action="store_true", help="do not read folders behind symbolic links")
    group.add_argument("--normalize-line-endings", action="store_true", help="hash CRLF and CR as LF")
    group.add_argument("--strict", action="store_true", help="a PATH that records nothing is an error")
    add_access(parser)


def add_facts(parser: argparse.ArgumentParser) -> None:
    """What else is recorded: `world(args)`."""
    parser.add_argument("--run-id", default="", metavar="ID", help="record ID, the same for all steps of one run")
    parser.add_argument("--ci", action="store_true", help="record what CI job this is")


def add_expectation(parser: argparse.ArgumentParser) -> None:
    """`--expect-from` and `--expect-key`: `world(args)`."""
    parser.add_argument(
        "--expect-from",
        action="append",
        default=[],
        metavar="LINK",
        help="first compare the materials with the products in LINK,\na link file or a folder of them",
    )
    parser.add_argument(
        "--expect-key", action="append", default=[], metavar="PUB", help="public key that signed them (repeatable)"
    )


def only_signer(args: argparse.Namespace) -> Signer:
    """The key to sign with. Raises `Malformed` where several are given: a link is one person's."""
    if len(args.key) > 1:
        raise Malformed(
            "a link is signed with one key",
            path="--key",
            got=f"{len(args.key)} keys",
            remedy="let each functionary record the step, or add signatures with navicert sign",
        )
    (signer,) = signers(args)
    if getattr(args, "timestamp", None) is not None:
        from navicert.trust.timestamp_authority import timestamp

        # An authority that does not answer is noticed now, and not after a build of two hours.
        timestamp(b"does this authority answer?", args.timestamp)
    return signer


def add_form(parser: argparse.ArgumentParser) -> None:
    """`--dsse` and `--metablock`: `form(args, signer)`."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--dsse", action="store_const", const="dsse", dest="form", help="write DSSE (default)")
    group.add_argument(
        "--metablock", action="store_const", const="metablock", dest="form", help="write Metablock, as for GPG keys"
    )


def form(args: argparse.Namespace, signer: Signer) -> str:
    """The form of the link. Raises `Refused` for one that `signer` cannot sign, before any command runs."""
    from navicert.envelope.document import check_form, form_for

    asked: str = args.form or form_for(signer)
    check_form(asked, signer)
    return asked


def world(args: argparse.Namespace) -> World:
    """The world of the parsed `args`, whichever of the options of this module they have."""
    from navicert.record.process import Wires
    from navicert.record.recorder import World
    from navicert.resolve.artifact import DEFAULT_EXCLUDES, ResolveOptions

    options = ResolveOptions(
        base_path=args.base_path,
        excludes=(() if args.no_default_excludes else DEFAULT_EXCLUDES) + tuple(args.exclude),
        algorithms=tuple(dict.fromkeys(args.hash or ("sha256",))),
        lstrip_paths=tuple(args.lstrip_paths),
        follow_symlink_dirs=not args.no_follow,
        normalize_line_endings=args.normalize_line_endings,
        strict=args.strict,
        ca_file=args.ca_file,
        insecure=args.insecure,
        limits=limits(args),
        progress=progress(),
        fork=True,
    )
    if args.base_path and not os.path.isdir(args.base_path):
        raise Malformed("no such folder", path=args.base_path)
    return World(
        options=options,
        # With --json our standard output is for the program that reads it.
        wires=Wires(stdout=2) if args.json else Wires(),
        streams=getattr(args, "record_streams", False),
        redact=(*getattr(args, "redact", ()), *_passwords(args)),
        timeout=getattr(args, "timeout", None),
        record_failure=getattr(args, "record_failure", False),
        run_id=getattr(args, "run_id", ""),
        ci=getattr(args, "ci", False),
        reuse_unchanged=getattr(args, "reuse_unchanged", False),
        expectation=_expectation(args) if getattr(args, "expect_from", None) is not None else None,
        tell=None if args.quiet else lambda text: complain(f"warning: {text}"),
    )


def seconds(text: str) -> float:
    """A positive number of seconds; for argparse's `type=`."""
    import re

    if not re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,3})?", text) or float(text) == 0:
        raise wrong(f"not a number of seconds: {text[:40]!r}")
    return float(text)


def _passwords(args: argparse.Namespace) -> list[str]:
    """What must not be recorded although no name or shape tells that it is a secret: the password of the key."""
    given = [args.password, os.environ.get(args.password_env) if args.password_env else None]
    if not any(given):
        return []
    import re

    return [re.escape(secret) for secret in given if secret]


def _expectation(args: argparse.Namespace) -> Expectation | None:
    if bool(args.expect_from) != bool(args.expect_key):
        missing = "--expect-key" if args.expect_from else "--expect-from"
        raise Malformed("a comparison needs links and the keys that signed them", expected=missing)
    if not args.expect_from:
        return None
    from navicert.record.expectation import expect
    from navicert.store import Piece
    from navicert.store.directory import DirectoryStore

    bounds = limits(args)
    pieces: list[Piece] = []
    named = []
    for path in args.expect_from:
        if os.path.isdir(path):
            pieces += DirectoryStore(path, bounds).pieces()
        else:
            pieces.append(Piece(path, read_file(path, bounds.document_bytes)))
            named.append(path)
    return expect(pieces, public_keys(args.expect_key), named=named, limits=bounds)


def workplace(args: argparse.Namespace) -> DirectoryStore:
    """The folder where a begun recording waits to be finished: `--store`, or the current one where that is a database,
    which is for evidence and not for what may become some."""
    from contextlib import closing

    from navicert.store.directory import DirectoryStore
    from navicert.store.uri import open_store

    with closing(open_store(args.store, limits(args))) as store:
        return store if isinstance(store, DirectoryStore) else DirectoryStore(".", limits(args))


def complain_of(error: MaterialMismatch) -> None:
    """Say which materials are not as expected, one on a line."""
    count = len(error.differences)
    complain(f"{_count(count, 'material')} not as signed, so nothing was run or recorded:")
    for difference in error.differences[: LOCAL.report_items]:
        complain(f"  {difference}")
    if count > LOCAL.report_items:
        complain(f"  and {count - LOCAL.report_items} more")
    complain(f"  – {error.remedy}")


def report(args: argparse.Namespace, recording: Recording, path: str, signer: Signer, form: str) -> None:
    """Say what was recorded, and where."""
    link = recording.link
    if args.json:
        from navicert.cli.terminal import say
        from navicert.report.json import render_object

        facts: dict[str, object] = {
            "step": link.name,
            "file": path,
            "form": form,
            "signed_by": [signer.keyid],
            "materials": len(link.materials),
            "products": len(link.products),
            "return_value": link.byproducts.get("return-value"),
            "warnings": list(recording.warnings),
        }
        say(render_object(facts))
    elif not args.quiet:
        materials, products = _count(len(link.materials), "material"), _count(len(link.products), "product")
        complain(f"{link.name}: {materials}, {products}, recorded in {path}")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


_PATIENCE: Final = 1.0
"""Seconds of hashing before anything is said about it."""


def progress() -> Progress | None:
    """What tells a person at the terminal how far the hashing is; None where nobody watches."""
    if not is_terminal(sys.stderr):
        return None
    due: float | None = None
    visible = False

    def show(files: int, size: int) -> None:
        nonlocal due, visible
        now = time.monotonic()
        if not files and not size:
            if visible:
                sys.stderr.write("\r\x1b[K")
            due, visible = None, False
        elif due is None:
            due = now + _PATIENCE
        elif now > due:
            due, visible = now + 0.2, True
            sys.stderr.write(f"\rhashing: {files} files, {size >> 20} MiB")
            sys.stderr.flush()

    return show
