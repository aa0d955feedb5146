"""Where the `layout` commands get a layout from: the file that is named, the keys that it names, and lint."""

from __future__ import annotations

import os

from navicert.cli.option import limits, read_file
from navicert.errors import Malformed, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import NoReturn

    from navicert.authoring.finding import Finding
    from navicert.authoring.policy import Policy
    from navicert.crypto.key import IdForm, Key


def add_key_ids(parser: argparse.ArgumentParser) -> None:
    """`--key-ids`: `args.key_ids`, a form of ids or None."""
    parser.add_argument(
        "--key-ids",
        choices=("modern", "legacy", "go"),
        metavar="FORM",
        help="ids of keys: modern (in-toto 3), legacy (in-toto 1), go (default: as each key file is read elsewhere)",
    )


def load_policy(args: argparse.Namespace, at: datetime, *, key_ids: IdForm | None = None) -> Policy:
    """The layout in `args.file`, with the keys that it names relative to itself. Raises `NavicertError`, `OSError`."""
    from navicert.authoring.policy import read_policy

    bounds = limits(args)
    raw = _unwrapped(read_file(args.file, bounds.document_bytes), args)
    folder = "" if args.file == "-" else os.path.dirname(args.file)
    return read_policy(raw, _key_reader(folder, key_ids), at, path=args.file, limits=bounds)


def _unwrapped(raw: bytes, args: argparse.Namespace) -> bytes:
    """The envelope alone, of a layout that identities signed: a Sigstore bundle, or lines of these over one payload."""
    if b"verificationMaterial" not in raw:
        return raw
    import json

    from navicert.envelope.dsse import encode_base64
    from navicert.verify.ownership import Owners

    sealed = Owners().open(raw, path=args.file, limits=limits(args)).sealed
    entries = [signature.fields for signature in sealed.signatures]
    payload = encode_base64(sealed.payload)
    return json.dumps({"payload": payload, "payloadType": sealed.payload_type, "signatures": entries}).encode()


_ELSEWHERE = ("awskms:", "azurekms:", "gcpkms:", "hashivault:", "pkcs11:")


def _key_reader(folder: str, key_ids: IdForm | None) -> Callable[[str], Key]:
    def read(file: str) -> Key:
        from navicert.trust.keyfile import open_public_key

        if file.startswith("gpg:"):
            raise Malformed(
                "a layout names key files, not keys of a keyring",
                path=file,
                remedy="name the file that this writes: gpg --armor --export FINGERPRINT > KEY.asc",
            )
        if file.startswith(_ELSEWHERE):
            raise Malformed(
                "a layout names key files, not keys that are kept elsewhere",
                path=file,
                remedy=f"name the file that this writes: navicert key convert {file} --to pem -o KEY.pub",
            )
        # Only ever a path: what a layout names is no reason to look into the environment.
        path = os.path.join(folder, file)
        key = open_public_key(path if os.path.isabs(path) else f"file:{path}")
        return key.with_id(key.id_of(key_ids)) if key_ids else key

    return read


def findings_about(policy: Policy, at: datetime) -> tuple[Finding, ...]:
    """What lint says about `policy`."""
    from navicert.authoring.lint import lint

    return lint(policy, at, built_in_problem, examine_expression=expression_problem)


def refuse_errors(args: argparse.Namespace, findings: Sequence[Finding]) -> None:
    """Print what lint calls errors and warnings. Raises `Refused` for errors unless they are allowed."""
    from navicert.authoring.finding import Severity
    from navicert.cli.terminal import complain

    for finding in findings:
        if finding.severity is not Severity.INFO:
            complain(finding_line(args.file, finding))
    errors = sum(finding.severity is Severity.ERROR for finding in findings)
    if errors and not args.allow_lint_errors:
        raise Refused(
            f"not signed: lint found {errors} error{'s' * (errors != 1)}",
            path=args.file,
            remedy="correct them, or sign in spite of them with --allow-lint-errors",
        )


def expression_problem(text: str) -> str:
    """What is wrong with an expression of CEL; empty for nothing. Raises `Unavailable` where cel-python is missing."""
    from navicert.verify.cel import read_expression

    try:
        read_expression(text)
    except Malformed as error:
        return str(error)
    return ""


class _FileAskedFor(Exception):
    """A built-in inspection went so far as to read a file: its command is in order."""


def _refuse_to_read(name: str) -> NoReturn:
    raise _FileAskedFor(name)


def built_in_problem(run: Sequence[str]) -> str:
    """What is wrong with the command of a built-in inspection, by the code that will run it; empty for nothing."""
    from navicert.verify.builtin import image_base_of, run_built_in

    try:
        image_base = image_base_of(run)
        if image_base is not None and image_base.is_about_target:
            return ""
        return run_built_in(run, _refuse_to_read, _refuse_to_read)[1]
    except _FileAskedFor:
        return ""
    except Malformed as error:
        return str(error)


def finding_line(path: str, finding: Finding) -> str:
    """`finding` on one line, escaped, as compilers write it."""
    from navicert.cli.terminal import escape

    where = f"{path}:{finding.line}" if finding.line else path
    text = f"{finding.place}: {finding.message}" if finding.place else finding.message
    remedy = f" – {finding.remedy}" if finding.remedy else ""
    return escape(f"{where}: {finding.severity.value}: {text}{remedy} [{finding.id}]")
